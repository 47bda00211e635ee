"""Rules for blocks of variables with q states, and rules whose hidden unit has several states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.categorical import HiddenUnits, block_codes, one_hot_features

MOST_BLOCK_STATES = 1 << 16  # of a table over all states of a block
# Probabilities are rounded to so many bits, so that no threshold depends on how a library rounds.
_PROBABILITY_BITS = 40
_CERTAIN = np.uint64(2**64 - 1)


@dataclass(frozen=True, eq=False)
class CategoricalRule:
    """How the variables of one block decide its coarse variable.

    Attributes
    ----------
    units : HiddenUnits
        The hidden units, and the features of the states that they act on.
    filters : ndarray of float64, (n_filters, length)
    bias : ndarray of float64, (n_filters,)
    hard : bool
        Whether the filters are infinitely strong; ties are shared equally.
    block : tuple of int
        Sites of the block along each axis.

    Raises
    ------
    ValueError
        If the numbers do not fit the block or are not finite.
    """

    units: HiddenUnits
    filters: NDArray[np.float64]
    bias: NDArray[np.float64]
    hard: bool
    block: tuple[int, ...]

    components = 1

    def __post_init__(self) -> None:
        shape = (self.units.n_filters, self.units.filter_length(self.n_block))
        if self.filters.shape != shape or self.bias.shape != shape[:1]:
            raise ValueError(
                f"filters {self.filters.shape} and bias {self.bias.shape} do not fit a block of"
                f" {self.n_block} sites"
            )
        if not (np.isfinite(self.filters).all() and np.isfinite(self.bias).all()):
            raise ValueError("a rule needs finite filters and bias")

    @property
    def states(self) -> int:
        """The number of states of a site."""
        return 2 if self.units.features is None else len(self.units.features)

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.units.count

    @property
    def n_block(self) -> int:
        """Number of sites of a block."""
        return prod(self.block)

    def obstacle(self) -> str | None:
        """Return why the rule cannot be applied to its own coarse variables, as a sentence without
        a full stop; None if it can."""
        if not self.units.states:
            return "its coarse variables are bits, and not variables with the states of the sites"
        if self.units.states != self.states:
            return (
                f"its coarse variables have {self.units.states} states, those of the sites"
                f" {self.states}"
            )
        if not self.units.tied:
            return (
                "its filters are free, so that ties prefer one state: that breaks the symmetry of"
                " the states, and exponents of repeated steps would be wrong without a warning;"
                " train with --filters tied"
            )
        return None

    def channel(self) -> NDArray[np.float64]:
        """Return q(h|v) of all states of the block, (q^n_block, coarse states); the state of a
        block is sum_i v_i q^i.

        Raises
        ------
        ValueError
            If the states of the block are too many.
        """
        if self.states**self.n_block > MOST_BLOCK_STATES:
            raise ValueError(
                f"a block has {self.states}^{self.n_block} states; at most {MOST_BLOCK_STATES} are"
                " tabulated"
            )
        return self.units.channel(self.filters, self.bias, self.n_block, self.hard)

    @property
    def coarse_states(self) -> int:
        """Number of states of a coarse variable; hidden units of two states are components."""
        return self.units.states or 2

    @property
    def keeps_variables(self) -> bool:
        """Whether the coarse variables are of the same kind as those of the sites."""
        return self.obstacle() is None

    @cached_property
    def thresholds(self) -> NDArray[np.uint64]:
        """The channel as `thresholds`, of all hidden units together."""
        return thresholds(self.channel())


def thresholds(channel: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the cumulative probabilities of a channel (n, k) as thresholds on 64 random bits,
    (n, k - 1); a probability of one is 2^64 - 1.

    The coarse state of a block is the number of its thresholds that are not above the bits.
    Probabilities are rounded to multiples of 2^-40.
    """
    below = np.rint(np.cumsum(channel, axis=1)[:, :-1] * 2.0**_PROBABILITY_BITS)
    whole = below >= 2.0**_PROBABILITY_BITS
    words = np.where(whole, 0, below).astype(np.uint64) << np.uint64(64 - _PROBABILITY_BITS)
    return np.where(whole, _CERTAIN, words)


def tied_rule(
    weights: ArrayLike, block: Sequence[int], states: int, hard: bool = True
) -> CategoricalRule:
    """Return the rule whose field x_h is the sum of the weights of the sites in the state h.

    Parameters
    ----------
    weights : array_like of float, (n_block,)
    block : sequence of int
    states : int
        Number q of states of a site, and of the coarse variable.
    hard : bool
    """
    filters = np.asarray(weights, np.float64).reshape(1, -1)
    units = HiddenUnits(1, states, True, one_hot_features(states))
    return CategoricalRule(units, filters, np.zeros(1), hard, tuple(block))


def plurality(block: Sequence[int], states: int) -> CategoricalRule:
    """Return the rule that takes the most frequent state of the block, each of the tied ones with
    equal probability."""
    return tied_rule(np.ones(prod(block)), block, states)


def decimation(block: Sequence[int], states: int) -> CategoricalRule:
    """Return the rule that keeps the first site of the block."""
    return tied_rule(np.arange(prod(block)) == 0, block, states)


NAMED = {"plurality": plurality, "decimation": decimation}


def labels(channel: NDArray[np.float64], states: int, n_block: int) -> list[str]:
    """Return the states of the block that a deterministic channel (q^n_block, k) sends to each
    coarse state, as digits of the sites in row-major order."""
    codes, chosen = block_codes(states, n_block), channel.argmax(axis=1)
    digits = ["".join(f"{code:x}" for code in row) for row in codes]
    return [
        " ".join(text for text, h in zip(digits, chosen) if h == state)
        for state in range(channel.shape[1])
    ]
