"""The estimator of RSMI-NE in plain numpy: a separable critic that maximises the InfoNCE bound of
I(H:E).

    I(H:E) >= < f(h_i, e_i) - log 1/B sum_k exp f(h_i, e_k) >        over batches of B pairs (h_i,
    e_i),

f(h, e) = u(h) . v(e) with two dense networks u, v (van den Oord, Li & Vinyals, arXiv:1807.03748;
Poole et al., ICML 2019, arXiv:1905.06922; in RSMI-NE: Gokmen, Ringel, Huber & Koch-Janusz, PRL 127,
240603 and PRE 104, 064106 (2021)). The pair itself is among the B, so that no value exceeds log B.
The sizes are those that come with RSMI-NE for the two-dimensional Ising model
(coarsegrainer/input/ising2d_params.json of github.com/RSMI-NE/RSMI-NE): one hidden layer of 14 ReLU
units, 8 outputs, batches of 250, Adam at .005, 50 epochs. H has few states, so u is evaluated once
for each of them.
"""

from dataclasses import dataclass

import numpy as np

HIDDEN, EMBEDDED, BATCH, RATE, EPOCHS = 14, 8, 250, 5e-3, 50
DECAY = (0.9, 0.999)  # of Adam's moments


@dataclass(frozen=True)
class Critic:
    """Weights of u and then of v, each [inputs x hidden, hidden, hidden x embedded, embedded]."""

    weights: list[np.ndarray]

    def scores(self, environments: np.ndarray) -> np.ndarray:
        """f(h, e) of every state h, (2^n_hidden, n)."""
        return forward(self.weights, environments)[0]


def initial_weights(
    n_hidden: int, n_environment: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Glorot & Bengio's uniform start, without biases."""
    found = []
    for shape in (
        (n_hidden, HIDDEN),
        (HIDDEN, EMBEDDED),
        (n_environment, HIDDEN),
        (HIDDEN, EMBEDDED),
    ):
        width = np.sqrt(6 / sum(shape))
        found += [generator.uniform(-width, width, shape), np.zeros(shape[1])]
    return found


def states_of(n_hidden: int) -> np.ndarray:
    """Spins of every state of H, (2^n_hidden, n_hidden)."""
    return 2.0 * (np.arange(1 << n_hidden)[:, None] >> np.arange(n_hidden) & 1) - 1


def forward(weights: list[np.ndarray], environments: np.ndarray) -> tuple[np.ndarray, list]:
    """Scores (2^n_hidden, n), and what the gradient needs."""
    inputs, layers = (states_of(len(weights[0])), environments.astype(float)), []
    for x, (first, bias, second, offset) in zip(inputs, (weights[:4], weights[4:])):
        hidden = np.maximum(x @ first + bias, 0)
        layers.append((x, hidden, hidden @ second + offset))
    return layers[0][2] @ layers[1][2].T, layers


def log_mean_exp(scores: np.ndarray) -> np.ndarray:
    """log of the mean of exp over the columns."""
    most = scores.max(axis=1)
    return most + np.log(np.exp(scores - most[:, None]).mean(axis=1))


def pointwise(scores: np.ndarray, h: np.ndarray) -> np.ndarray:
    """f(h_i, e_i) - log mean_k exp f(h_i, e_k) of every pair of a batch, (n,): at most log n."""
    return scores[h, np.arange(len(h))] - log_mean_exp(scores)[h]


def gradient(
    weights: list[np.ndarray], h: np.ndarray, environments: np.ndarray
) -> tuple[float, list[np.ndarray]]:
    """The bound of one batch and its gradient."""
    scores, layers = forward(weights, environments)
    normalizer = log_mean_exp(scores)
    share = np.bincount(h, minlength=len(scores)) / len(h)
    slope = -share[:, None] * np.exp(scores - normalizer[:, None]) / len(h)
    slope[h, np.arange(len(h))] += 1 / len(h)
    found = []
    for (x, hidden, _), second, of_output in zip(
        layers, (weights[2], weights[6]), (slope @ layers[1][2], slope.T @ layers[0][2])
    ):
        of_hidden = of_output @ second.T * (hidden > 0)
        found += [
            x.T @ of_hidden,
            of_hidden.sum(axis=0),
            hidden.T @ of_output,
            of_output.sum(axis=0),
        ]
    return float((scores[h, np.arange(len(h))] - normalizer[h]).mean()), found


def fit(
    h: np.ndarray,
    environments: np.ndarray,
    n_hidden: int,
    generator: np.random.Generator,
    most_steps: int = 2000,
) -> Critic:
    """Maximise the bound of random batches of the training windows: 50 epochs, or as many as
    `most_steps` allow.

    Parameters
    ----------
    h : (n,) int
        States of H.
    environments : (n, n_environment) of +-1
    """
    weights = initial_weights(n_hidden, environments.shape[1], generator)
    moments = [[np.zeros_like(x) for x in weights] for _ in DECAY]
    batch, step = min(BATCH, len(h)), 0
    for _ in range(EPOCHS):
        order = generator.permutation(len(h))
        for first in range(0, len(h) - batch + 1, batch):
            if step == most_steps:
                return Critic(weights)
            step += 1
            chosen = order[first : first + batch]
            ascend(weights, gradient(weights, h[chosen], environments[chosen])[1], moments, step)
    return Critic(weights)


def ascend(
    weights: list[np.ndarray], slopes: list[np.ndarray], moments: list[list[np.ndarray]], step: int
) -> None:
    """One step of Adam, in place."""
    for weight, slope, mean, square in zip(weights, slopes, *moments):
        mean += (1 - DECAY[0]) * (slope - mean)
        square += (1 - DECAY[1]) * (slope**2 - square)
        weight += (
            RATE
            * (mean / (1 - DECAY[0] ** step))
            / (np.sqrt(square / (1 - DECAY[1] ** step)) + 1e-7)
        )


def bound(
    critic: Critic, h: np.ndarray, environments: np.ndarray, batch: int = BATCH
) -> tuple[float, float]:
    """The bound in successive batches, and its error from their spread (nan of one batch); what is
    left over is not used."""
    batch = min(batch, len(h))
    parts = [slice(first, first + batch) for first in range(0, len(h) - batch + 1, batch)]
    values = np.array(
        [pointwise(critic.scores(environments[part]), h[part]).mean() for part in parts]
    )
    return float(values.mean()), (
        float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    )
