"""A slow Python twin of correlation explanation (csrc/learning/total_correlation.c)."""

import math

import numpy as np


def entropy_of_bit(p):
    return -sum(x * math.log(x) for x in (p, 1 - p) if x > 0)


def explain(state, blocks, weights, n_samples, symmetric, iterations):
    """The iteration of Ver Steeg & Galstyan as it is printed: log p(y|v) of both y, and log Z, of
    every block of +-1.

    The symmetric form is the plain one on the blocks and their flips.
    """
    least = max(0.01 / n_samples, 1e-12)
    clip = lambda p: min(max(p, least), 1 - least)  # noqa: E731
    if symmetric:
        blocks, weights = np.concatenate([blocks, -blocks]), np.concatenate([weights, weights]) / 2
    n_hidden, n_sites = state["filters"].shape
    p_up = [float(weights @ (blocks[:, i] > 0)) for i in range(n_sites)]
    log_odds = blocks @ state["filters"].T + state["bias"]
    log_q, log_z = {1: -np.logaddexp(0, -log_odds), 0: -np.logaddexp(0, log_odds)}, None
    for _ in range(iterations):
        explained = (
            [0.0] * n_hidden
            if log_z is None
            else [float(weights @ log_z[:, j]) for j in range(n_hidden)]
        )
        p_y = {
            y: [clip(float(weights @ np.exp(log_q[y][:, j]))) for j in range(n_hidden)]
            for y in (0, 1)
        }
        p_x = {
            y: [
                [
                    clip(float((weights * np.exp(log_q[y][:, j])) @ (blocks[:, i] > 0)) / p_y[y][j])
                    for i in range(n_sites)
                ]
                for j in range(n_hidden)
            ]
            for y in (0, 1)
        }
        if n_hidden > 1 and log_z is not None:
            for i in range(n_sites):
                whole = entropy_of_bit(p_up[i])
                known = [
                    max(
                        whole
                        - sum(p_y[y][j] * entropy_of_bit(p_x[y][j][i]) for y in (0, 1))
                        - 0.5 / n_samples,
                        0,
                    )
                    for j in range(n_hidden)
                ]
                if (
                    sum(
                        state["alpha"][j, i]
                        for j in range(n_hidden)
                        if explained[j] > max(1 / n_samples, 1e-9)
                    )
                    > 1.1
                ):
                    state["sharpness"][i] = min(1.3 * state["sharpness"][i], 1e12)
                for j in range(n_hidden):
                    state["alpha"][j, i] = math.exp(
                        (1 + state["sharpness"][i] * abs(explained[j]))
                        * (known[j] - max(known))
                        / whole
                    )
        numerator = {
            y: np.array([[math.log(p_y[y][j])] * len(blocks) for j in range(n_hidden)]).T
            for y in (0, 1)
        }
        for y in (0, 1):
            for j in range(n_hidden):
                for i in range(n_sites):
                    up = clip(p_up[i])
                    ratio = np.where(
                        blocks[:, i] > 0,
                        math.log(p_x[y][j][i] / up),
                        math.log((1 - p_x[y][j][i]) / (1 - up)),
                    )
                    numerator[y][:, j] += state["alpha"][j, i] * ratio
        log_z = np.logaddexp(numerator[0], numerator[1])
        log_q = {y: numerator[y] - log_z for y in (0, 1)}
        state["explained"][:] = explained
    return log_q[1]
