"""Coarse variables of variables with q states, and coarse variables with several states.

A variable with q states has the *features* f(a) of its state a: numbers that say what the states
have in common. By default they are q one-hot numbers (see `rsmi.lattice.columns`); those of a clock
are cos(2 pi a / q) and sin(2 pi a / q). A coarse variable with k states takes the state h with the
probability

    q(h|v) = exp(x_h) / sum_h' exp(x_h').

Its fields x are *free* linear functions of the features with a filter for each state,

    x_h = sum_i filters[h, i] . f(v_i) + bias[h],

or, if k = q, *tied* to the symmetry of the states by one filter alone,

    x_h = sum_i filters[i] f(v_i) . f(h).

A relabelling of the states of the block under which the products f(a) . f(b) do not change is then
the same relabelling of the coarse states. With two states a tied filter is the filter of a binary
unit. The generalisation is that of the channel of Koch-Janusz & Ringel, Nature Physics 14, 578
(2018), to a softmax.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.channel import TIE_TOLERANCE


def block_codes(states: int, n_sites: int) -> NDArray[np.int64]:
    """Return all states of a block of variables with q states.

    Returns
    -------
    ndarray of int64, (q^n_sites, n_sites)
        Codes 0, ..., q - 1. Row v is the state with number v: column i is the digit of q^i.
    """
    powers = states ** np.arange(n_sites)
    return np.arange(states**n_sites)[:, np.newaxis] // powers % states


def one_hot_features(states: int) -> NDArray[np.float64]:
    """Return features (q, q) of which no state is distinguished: 1 - 1/q at the state, else
    -1/q."""
    return np.eye(states) - 1 / states


def tied_filters(
    filters: NDArray[np.float64], features: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the free filters that do the same as tied ones.

    Parameters
    ----------
    filters : ndarray of float64, (..., n_sites)
    features : ndarray of float64, (q, n)

    Returns
    -------
    ndarray of float64, (..., q, n_sites * n)
    """
    whole = filters[..., np.newaxis, :, np.newaxis] * features[:, np.newaxis, :]
    return whole.reshape(*filters.shape[:-1], len(features), -1)


def softmax_probabilities(
    filters: ArrayLike, bias: ArrayLike, features: ArrayLike, hard: bool = False
) -> NDArray[np.float64]:
    """Return q(h|v) of a coarse variable with k states.

    Parameters
    ----------
    filters : array_like of float, (k, n_features)
    bias : array_like of float, (k,)
    features : array_like of float, (n, n_features)
        The features of all variables of the blocks.
    hard : bool
        Whether the filters are infinitely strong. The states with the largest field then share the
        probability equally, where fields differ by less than 1e-9 of the largest sum of absolute
        weights of a filter.

    Returns
    -------
    ndarray of float64, (n, k)
    """
    filters, bias = np.asarray(filters, np.float64), np.asarray(bias, np.float64)
    # einsum without optimisation calls no BLAS: the same bits at any number of threads
    field = np.einsum("ni,ji->nj", np.asarray(features, float), filters) + bias
    field -= field.max(axis=1, keepdims=True)
    if hard:
        tolerance = TIE_TOLERANCE * np.abs(filters).sum(axis=1).max()
        weights = (field >= -tolerance).astype(np.float64)
    else:
        weights = np.exp(field)
    return weights / weights.sum(axis=1, keepdims=True)
