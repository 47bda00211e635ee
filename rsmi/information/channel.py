"""The coarse-graining channel q(h|v): h_j = 1 with probability sigma(sum_i filters[j, i] v_i +
bias[j]), where sigma(x) = 1 / (1 + exp(-x)).

Koch-Janusz & Ringel, Nature Physics 14, 578 (2018), eq. 10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

TIE_TOLERANCE = 1e-9  # relative to the sum of the absolute weights of a filter


def unit_probabilities(
    filters: ArrayLike, bias: ArrayLike, blocks: ArrayLike, hard: bool = False
) -> NDArray[np.float64]:
    """Return the probability that each hidden unit is up, given the block.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, n_block)
    bias : array_like of float, (n_hidden,)
    blocks : array_like of int, (n, n_block)
        Spins +-1.
    hard : bool
        Whether the filters are infinitely strong. The unit then takes the sign of x_j = filters[j]
        . v + bias[j], or the result of a fair coin where |x_j| <= 1e-9 sum_i |filters[j, i]|.

    Returns
    -------
    ndarray of float64, (n, n_hidden)
        P(h_j = 1|v).
    """
    filters, bias = np.asarray(filters, np.float64), np.asarray(bias, np.float64)
    # einsum without optimisation calls no BLAS: the same bits at any number of threads
    field = np.einsum("ni,ji->nj", np.asarray(blocks, float), filters) + bias
    if not hard:
        return 0.5 * (1.0 + np.tanh(0.5 * field))
    tie = np.abs(field) <= TIE_TOLERANCE * np.abs(filters).sum(axis=1)
    return np.where(tie, 0.5, field > 0)


def state_probabilities(
    filters: ArrayLike, bias: ArrayLike, blocks: ArrayLike, hard: bool = False
) -> NDArray[np.float64]:
    """Return q(h|v) of all states of the hidden units.

    Parameters are those of `unit_probabilities`.

    Returns
    -------
    ndarray of float64, (n, 2^n_hidden)
        Column h belongs to the state h = sum_j h_j 2^j.
    """
    up = unit_probabilities(filters, bias, blocks, hard)
    q = np.ones((len(up), 1))
    for j in range(up.shape[1]):
        q = np.concatenate([q * (1.0 - up[:, j : j + 1]), q * up[:, j : j + 1]], axis=1)
    return q


def spin_states(n_sites: int) -> NDArray[np.float64]:
    """Return all states of n spins.

    Returns
    -------
    ndarray of float64, (2^n_sites, n_sites)
        Values +-1. Row v is the state with number v: column i is +1 where bit i of v is 1.
    """
    bits = np.arange(1 << n_sites)[:, None] >> np.arange(n_sites) & 1
    return 2 * bits.astype(np.float64) - 1


def channel_table(filters: ArrayLike, bias: ArrayLike, hard: bool = False) -> NDArray[np.float64]:
    """Tabulate the coarse-graining rule q(h|v) over all states of the block.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, n_block)
    bias : array_like of float, (n_hidden,)
    hard : bool
        Whether the filters are infinitely strong; see `unit_probabilities`.

    Returns
    -------
    ndarray of float64, (2^n_block, 2^n_hidden)
        Rows sum to 1. Row v belongs to the block state v of `spin_states`, column h to the hidden
        state sum_j h_j 2^j.
    """
    filters = np.atleast_2d(np.asarray(filters, np.float64))
    bias = np.atleast_1d(np.asarray(bias, np.float64))
    return state_probabilities(filters, bias, spin_states(filters.shape[1]), hard)
