"""The best coarse variable with k states among all functions of a block.

I(H:E) is a convex function of the channel q(h|v), so that the function that maximises its linear
approximation, h(v) = argmax_h sum_e P(v, e) log P(h|e) / P(h), has at least as much information.
Repeated until nothing changes, this is k-means with the Kullback-Leibler divergence (I. S. Dhillon,
S. Mallela, R. Kumar, J. Mach. Learn. Res. 3, 1265 (2003)). The best results are then improved by
moving single states of the block, which leaves fewer local maxima (J. A. Hartigan, Clustering
Algorithms (1975)). The maximum is a local one, so that there are restarts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.information.entropy import cross_log, entropy

AGREEMENT = 0.99  # of the largest information
_MOST_STEPS = 100
_IMPROVED = 3  # results that are improved by single moves
_SMALLEST = 1e-300


class BestMap(NamedTuple):
    """The best function that was found.

    Attributes
    ----------
    labels : ndarray of int64, (n_states,)
        The coarse state of every state of the block; coarse states by falling probability.
    information : float
        I(H:E) in nats on the environments of the search. If they are a sample, it is too large.
    agreeing : int
        The number of restarts with at least 99 % of this information.
    """

    labels: NDArray[np.int64]
    information: float
    agreeing: int


def best_map(
    conditional: NDArray[np.float64],
    states: int,
    generator: np.random.Generator,
    restarts: int = 20,
) -> BestMap:
    """Return the best function with so many values that any restart finds.

    Parameters
    ----------
    conditional : ndarray of float64, (n, n_states)
        P(V|e) of environments that count equally.
    states : int
        Number k of coarse states.
    generator : numpy.random.Generator
        For the first functions.
    restarts : int
    """
    n_states = conditional.shape[1]
    firsts = generator.integers(0, states, (restarts, n_states))
    results = [_ascend(conditional, np.array(first), states) for first in firsts]
    results.sort(key=lambda one: -one[1])
    moved = [_by_single_moves(conditional, one, states) for one, _ in results[:_IMPROVED]]
    labels, information = max(moved, key=lambda one: one[1])
    agreeing = sum(value >= AGREEMENT * information for _, value in results)
    order = np.argsort(-np.bincount(labels, conditional.mean(axis=0), states), kind="stable")
    return BestMap(np.argsort(order)[labels], information, agreeing)


def _information(hidden: NDArray[np.float64]) -> float:
    """I(H:E) from P(h|e), (n, k)."""
    return float(entropy(hidden.mean(axis=0)) + cross_log(hidden, hidden).sum(axis=1).mean())


def _ascend(
    conditional: NDArray[np.float64], labels: NDArray[np.int64], states: int
) -> tuple[NDArray[np.int64], float]:
    """Improve a function by linear approximations until nothing changes."""
    hidden = conditional @ np.eye(states)[labels]
    for _ in range(_MOST_STEPS):
        gains = np.log(np.maximum(hidden, _SMALLEST))
        gains -= np.log(np.maximum(hidden.mean(axis=0), _SMALLEST))
        better = (conditional.T @ gains).argmax(axis=1)
        if np.array_equal(better, labels):
            break
        labels, hidden = better, conditional @ np.eye(states)[better]
    return labels, _information(hidden)


def _by_single_moves(
    conditional: NDArray[np.float64], labels: NDArray[np.int64], states: int
) -> tuple[NDArray[np.int64], float]:
    """Move single states of the block to other coarse states as long as that helps."""
    labels = labels.copy()
    hidden = conditional @ np.eye(states)[labels]
    for _ in range(_MOST_STEPS):
        before = labels.copy()
        for state, column in enumerate(conditional.T):
            own = labels[state]
            hidden[:, own] -= column
            values = [_gain(hidden[:, h], column) for h in range(states)]
            labels[state] = int(np.argmax(values)) if max(values) > values[own] + 1e-13 else own
            hidden[:, labels[state]] += column
        if np.array_equal(before, labels):
            break
    return labels, _information(np.maximum(hidden, 0.0))


def _gain(hidden: NDArray[np.float64], column: NDArray[np.float64]) -> float:
    """The change of I(H:E) if a state of the block with P(v|e) joins a coarse state."""
    return _share(hidden + column) - _share(hidden)


def _share(hidden: NDArray[np.float64]) -> float:
    """The part of I(H:E) that one coarse state with P(h|e) contributes."""
    hidden = np.maximum(hidden, _SMALLEST)
    mean = hidden.mean()
    return float((hidden * np.log(hidden)).mean() - mean * np.log(mean))
