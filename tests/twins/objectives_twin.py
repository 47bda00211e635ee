"""Slow Python twins of the objectives of a rule and of its training (csrc/learning)."""

import numpy as np
from random_twin import xoshiro_next


def logistic(x):
    return 1 / (1 + np.exp(-x))


def channel_states(filters, bias, blocks):
    """q(h|v), (n, 2^n_hidden), one factor at a time."""
    up = logistic(blocks @ filters.T + bias)
    q = np.ones((len(blocks), 2 ** len(filters)))
    for h in range(q.shape[1]):
        for j in range(len(filters)):
            q[:, h] *= up[:, j] if h >> j & 1 else 1 - up[:, j]
    return q


def minus_free_energy(weights, visible_bias, hidden_bias, visible):
    """-F(x) = a.x + sum_k log 2cosh(c_k + (x W)_k)."""
    return visible @ visible_bias + np.log(2 * np.cosh(visible @ weights + hidden_bias)).sum(
        axis=-1
    )


def pair_energies(theta, blocks, environments):
    """F[i, j] = f(v_j, e_i) without the visible bias of the environment."""
    energies = np.empty((len(environments), len(blocks)))
    n_block = blocks.shape[1]
    bias = np.where(np.arange(len(theta.visible_bias)) < n_block, theta.visible_bias, 0)
    for i, e in enumerate(environments):
        both = np.hstack([blocks, np.tile(e, (len(blocks), 1))])
        energies[i] = minus_free_energy(theta.weights, bias, theta.hidden_bias, both)
    return energies - minus_free_energy(
        theta.block_weights, theta.block_visible_bias, theta.block_hidden_bias, blocks
    )


def proxy_by_pairs(energies, q, with_own=False):
    """First cumulant over the pairs i != j (or all), rows centred: the mean of F over V|h, minus
    its mean over V."""
    n = len(q)
    value = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i or with_own]
        row = energies[i] - energies[i, others].mean()
        for h in range(q.shape[1]):
            value += q[i, h] * sum(q[j, h] * row[j] for j in others) / q[:, h].sum() / len(others)
    return value


def log_sum_by_pairs(energies, q, with_own=False):
    """mean_i sum_h q(h|v_i) log sum_j w_hj exp(F_ij), j != i (or all), with exp(F_ij) relative to
    its mean over these j."""
    n = len(q)
    value = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i or with_own]
        factor = np.exp(energies[i, others]) / np.exp(energies[i, others]).mean()
        for h in range(q.shape[1]):
            value += q[i, h] * np.log(factor @ q[others, h] / q[:, h].sum()) / n
    return value


def gaussian_proxy(energies, q):
    """First cumulant over the pairs i != j of energies F[i, j] whose means vanish."""
    n, value = len(q), 0.0
    for h in range(q.shape[1]):
        for i in range(n):
            value += (
                q[i, h]
                * sum(q[j, h] * energies[i, j] for j in range(n) if j != i)
                / (q[:, h].sum() * (n - 1))
            )
    return value


def decoder_log_probabilities(parameters, environments, n_units, n_hidden):
    """log r(h|e): softmax of sum_j (2 h_j - 1) (field e)_j + offset(h) + output(h) tanh(input e +
    input_bias)."""
    n_e, n_states = environments.shape[1], 2**n_hidden
    sizes = [n_hidden * n_e, n_states, n_states * n_units, n_units * n_e, n_units]
    field, offset, output, inputs, input_bias = np.split(parameters, np.cumsum(sizes)[:-1])
    signs = np.array([[2 * (h >> j & 1) - 1 for j in range(n_hidden)] for h in range(n_states)])
    hidden = np.tanh(environments @ inputs.reshape(n_units, n_e).T + input_bias)
    logits = (
        environments @ field.reshape(n_hidden, n_e).T @ signs.T
        + offset
        + hidden @ output.reshape(n_states, n_units).T
    )
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def variational_bound(q, log_r):
    """<sum_h q(h|v) log [r(h|e) / <r(h|e)>]>."""
    return (q * (log_r - np.log(np.exp(log_r).mean(axis=0)))).sum(axis=1).mean()


def gibbs_chains(theta, filters, bias, chains, rng, n_sweeps):
    """Single-spin updates under P_Theta(V) q(h|V) from the full weights; chains (n_states, n_block,
    n_chains) in place."""

    def log_weight(v, h):
        machine = (theta.block_weights, theta.block_visible_bias, theta.block_hidden_bias)
        return minus_free_energy(*machine, v[None])[0] + np.log(
            channel_states(filters, bias, v[None])[0, h]
        )

    for h in range(len(chains)):
        for _ in range(n_sweeps):
            for site in range(chains.shape[1]):
                for m in range(chains.shape[2]):
                    up, down = chains[h, :, m].astype(float), chains[h, :, m].astype(float)
                    up[site], down[site] = 1, -1
                    p = logistic(log_weight(up, h) - log_weight(down, h))
                    chains[h, site, m] = 1 if (xoshiro_next(rng) >> 11) * 2.0**-53 < p else -1


def adam_steps(state, gradient, n_windows, settings, steps):
    """Minibatches from the stream, Adam with the schedule; gradient(parameters, index) of the
    parameter vector.

    Returns the parameters after every step.
    """
    parameters, moments, path = state["parameters"].copy(), state["moments"].copy(), []
    rng = [int(word) for word in state["rng"]]
    for t in range(steps):
        index = [
            int((xoshiro_next(rng) >> 11) * 2.0**-53 * n_windows) for _ in range(settings.batch)
        ]
        g = gradient(parameters, np.array(index))
        progress = t / settings.total_steps
        rate = settings.learning_rate * (1 if progress < 0.5 else 1 - 0.95 * (2 * progress - 1))
        moments[0] = 0.9 * moments[0] + 0.1 * g
        moments[1] = 0.99 * moments[1] + 0.01 * g**2
        step = (
            moments[0] / (1 - 0.9 ** (t + 1)) / (np.sqrt(moments[1] / (1 - 0.99 ** (t + 1))) + 1e-8)
        )
        parameters = parameters + rate * step
        path.append(parameters)
    return np.array(path)
