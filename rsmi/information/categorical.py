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

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.channel import TIE_TOLERANCE, state_probabilities
from rsmi.statistics.rounding import aligned


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


@dataclass(frozen=True, eq=False)
class HiddenUnits:
    """What the hidden units of a rule are, and what they act on.

    Attributes
    ----------
    count : int
        Number of hidden units.
    states : int
        Number of states of the only unit; 0 for units with two states.
    tied : bool
        Whether its filters are tied to the symmetry of the states.
    features : ndarray of float64, (q, n), optional
        Features of the q states of a variable; without them variables are +-1.
    """

    count: int
    states: int = 0
    tied: bool = False
    features: NDArray[np.float64] | None = None

    @property
    def n_states(self) -> int:
        """Number of states of all hidden units together."""
        return self.states or 1 << self.count

    @property
    def n_filters(self) -> int:
        """Number of filters: one for each unit, for each state of the only one, or one that is
        tied."""
        return 1 if self.tied else self.states or self.count

    def filter_length(self, variables: int) -> int:
        """Return the length of a filter, or of a field of a decoder, for so many variables."""
        if self.features is None or self.tied:
            return variables
        return variables * self.features.shape[1]

    def of(self, variables: NDArray[Any]) -> NDArray[Any]:
        """Return what free filters act on: variables (n, n_variables) themselves, or the features
        of these codes, side by side."""
        if self.features is None:
            return variables
        return self.features[variables].reshape(len(variables), -1)

    def probabilities(
        self,
        filters: NDArray[np.float64],
        bias: NDArray[np.float64],
        blocks: NDArray[Any],
        hard: bool = False,
    ) -> NDArray[np.float64]:
        """Return q(h|v) for blocks (n, n_block) of variables, (n, n_states).

        Parameters
        ----------
        filters : ndarray of float64, (n_filters, length)
        bias : ndarray of float64, (n_filters,)
        blocks : ndarray, (n, n_block)
        hard : bool
            Whether the filters are infinitely strong.
        """
        if not self.states:
            return state_probabilities(filters, bias, self.of(blocks), hard)
        if self.tied and self.features is not None:
            filters, bias = tied_filters(filters[0], self.features), np.zeros(self.states)
        return softmax_probabilities(filters, bias, self.of(blocks), hard)

    def canonical(
        self, filters: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the filters and biases that do the same and are orthogonal to everything that
        changes nothing.

        These are combinations of features that are zero in all states, and fields that are equal
        for all coarse states.

        Parameters
        ----------
        filters : ndarray of float64, (..., n_filters, length)
        bias : ndarray of float64, (..., n_filters)
        """
        if self.tied or self.features is None:
            return filters, bias
        if self.states:
            filters = filters - filters.mean(axis=-2, keepdims=True)
            bias = bias - bias.mean(axis=-1, keepdims=True)
        varying = aligned(np.linalg.pinv(self.features) @ self.features, 14)
        by_site = filters.reshape(*filters.shape[:-1], -1, len(varying))
        return np.einsum("...a,ab->...b", by_site, varying).reshape(filters.shape), bias

    def order(self, filters: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return an order of the coarse states in which state h is that of blocks in the state h.

        The state whose filter prefers one state of the sites most comes first, and so on; states
        without such a preference come last. Tied filters have this order already.
        """
        if not self.states or self.tied or self.features is None:
            return np.arange(len(filters))
        length = self.features.shape[1]
        scores = filters.reshape(len(filters), -1, length).sum(axis=1) @ self.features.T
        order, rest = np.full(max(scores.shape), -1), list(range(len(filters)))
        for place in np.argsort(-scores, axis=None):
            row, state = divmod(int(place), scores.shape[1])
            if row in rest and order[state] < 0:
                order[state] = row
                rest.remove(row)
        chosen = order[order >= 0].tolist()
        return np.array(chosen + [row for row in rest if row not in chosen])

    def signs(self, filters: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the signs (n_filters,) that make a unit of two states prefer the state of the
        sites that its filter distinguishes most."""
        if self.features is None or self.states:
            return np.ones(len(filters))
        length = self.features.shape[1]
        scores = filters.reshape(len(filters), -1, length).sum(axis=1) @ self.features.T
        largest = scores[np.arange(len(filters)), np.abs(scores).argmax(axis=1)]
        return np.where(largest < 0, -1.0, 1.0)

    def channel(
        self, filters: NDArray[np.float64], bias: NDArray[np.float64], sites: int, hard: bool
    ) -> NDArray[np.float64]:
        """Return q(h|v) of all states of a block of codes, (q^sites, n_states)."""
        states = 2 if self.features is None else len(self.features)
        codes = block_codes(states, sites)
        return self.probabilities(
            filters, bias, 2 * codes - 1 if self.features is None else codes, hard
        )
