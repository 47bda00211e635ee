"""The coarse-graining channel q(h|v): h_j = 1 with probability sigma(sum_i filters[j, i] v_i +
bias[j])."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

TIE_TOLERANCE = 1e-9  # relative to the sum of a filter's absolute weights


def unit_probabilities(
    filters: NDArray, bias: NDArray, blocks: NDArray, hard: bool = False
) -> NDArray[np.float64]:
    """Probability that each coarse unit is up, given the block.

    Parameters
    ----------
    filters : (n_hidden, n_block) float64
    bias : (n_hidden,) float64
    blocks : (n, n_block) int8
        Spins +-1.
    hard : bool
        Infinitely strong filters: the sign of x_j = filters[j] . v + bias[j], and a fair coin where
        |x_j| < 1e-9 sum_i |filters[j, i]|.

    Returns
    -------
    (n, n_hidden) float64
        P(h_j = 1|v). Koch-Janusz & Ringel, Nature Physics 14, 578 (2018), eq. 10.
    """
    filters, bias = np.asarray(filters, float), np.asarray(bias, float)
    # einsum without optimisation calls no BLAS: the same bits at any number of threads
    field = np.einsum("ni,ji->nj", np.asarray(blocks, float), filters) + bias
    if not hard:
        return 0.5 * (1.0 + np.tanh(0.5 * field))
    tie = np.abs(field) <= TIE_TOLERANCE * np.abs(filters).sum(axis=1)
    return np.where(tie, 0.5, field > 0)


def state_probabilities(
    filters: NDArray, bias: NDArray, blocks: NDArray, hard: bool = False
) -> NDArray[np.float64]:
    """q(h|v) of all 2^n_hidden states, (n, 2^n_hidden) float64; state h = sum_j h_j 2^j. Parameters
    as `unit_probabilities`."""
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
    return 2.0 * (np.arange(1 << n_sites)[:, None] >> np.arange(n_sites) & 1) - 1


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
