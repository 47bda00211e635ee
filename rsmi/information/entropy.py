"""Entropies and mutual information of tabulated distributions, in nats.

The functions know nothing of any model: they take probabilities as arrays. H is the hidden (coarse)
state, V the block and E the environment, as in Koch-Janusz & Ringel, Nature Physics 14, 578 (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def cross_log(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p log q elementwise, and 0 where p is 0. The two arrays are broadcast."""
    return p * np.log(np.where(p > 0, q, 1.0))


def entropy(probabilities: ArrayLike, axis: int = -1) -> NDArray[np.float64]:
    """Return the Shannon entropy -sum p log p along an axis.

    Parameters
    ----------
    probabilities : array_like of float
        Distributions that sum to 1 along `axis`; 0 log 0 counts as 0.
    axis : int

    Returns
    -------
    ndarray of float64
        The entropies in nats, with `axis` removed; a zero-dimensional result is a NumPy scalar.
    """
    p = np.asarray(probabilities, np.float64)
    return -cross_log(p, p).sum(axis=axis)


def mutual_information(joint: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """Return I(H:E) of a channel q(h|v) that acts on the block of a joint distribution P(V, E).

    Parameters
    ----------
    joint : ndarray of float64, (n_states, n_environments)
        P(V, E), which sums to 1.
    q : ndarray of float64, (n_states, n_hidden_states)
        q(h|v), whose rows sum to 1. The identity matrix gives I(V:E).

    Returns
    -------
    float
        The information in nats; equation 5 of Koch-Janusz & Ringel (2018).
    """
    hidden = q.T @ joint
    independent = hidden.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    return float((cross_log(hidden, hidden) - cross_log(hidden, independent)).sum())


def kl_block_given_environment(
    exact: NDArray[np.float64], model: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Kullback-Leibler divergence KL(P(V|E) || P_model(V|E)) of every environment.

    Parameters
    ----------
    exact, model : ndarray of float64, (n, n_states)
        One conditional distribution per row; every row sums to 1.

    Returns
    -------
    ndarray of float64, (n,)
        The divergences in nats.
    """
    return (cross_log(exact, exact) - cross_log(exact, model)).sum(axis=1)


@dataclass(frozen=True)
class ExactInformation:
    """Information of one rule that is exact, given the environments; in nats.

    The errors are standard errors of the average over sampled environments. They are 0 where all
    environments were enumerated.

    Attributes
    ----------
    information, error : float
        I(H:E) and its standard error.
    block_information, block_error : float
        I(V:E), which no rule can exceed, and its standard error. With sampled environments its
        bias is downward and of order (number of block states that matter) / (number of independent
        environments): this is negligible for a 2x2 block, but not for a 4x4 block with few
        environments.
    entropy : float
        H(H), the entropy of the hidden state.
    """

    information: float
    error: float
    block_information: float
    block_error: float
    entropy: float


def joint_informations(
    channels: Sequence[NDArray[np.float64]], joint: NDArray[np.float64]
) -> list[ExactInformation]:
    """Return I(H:E) of several rules, and I(V:E), from one joint distribution.

    Parameters
    ----------
    channels : sequence of ndarray of float64, (n_states, n_hidden_states)
        Rules q(h|v); see `rsmi.information.channel.channel_table`.
    joint : ndarray of float64, (n_states, n_environments)
        P(V, E), which sums to 1.

    Returns
    -------
    list of ExactInformation
        One per rule, without statistical errors.
    """
    marginal = joint.sum(axis=1)
    block = float(
        (cross_log(joint, joint) - cross_log(joint, marginal[:, None] * joint.sum(axis=0))).sum()
    )
    return [
        ExactInformation(
            mutual_information(joint, q), 0.0, block, 0.0, float(entropy(marginal @ q))
        )
        for q in channels
    ]
