"""Variables with q states that a bond couples: what distinguishes Potts, clock and Ashkin-Teller.

A system is the energy e(a, b) of a bond between states a and b, and the moves that clusters make:
exchanges of states that are their own inverse and leave all bond energies unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsmi.models.potts import chain as kernel

_DIGITS = 12  # to which energies of bonds are compared


@dataclass(frozen=True, eq=False)
class System:
    """A bond and its moves.

    Attributes
    ----------
    energies : ndarray of float64, (q, q)
        Symmetric energies of a bond, in J.
    moves : ndarray of uint8, (n_moves, q)
        What each move makes of each state.
    choices : ndarray of int32, (q, n_choices)
        For a cluster that begins in each state the numbers of the moves to choose from.
    """

    energies: NDArray[np.float64]
    moves: NDArray[np.uint8]
    choices: NDArray[np.int32]

    @property
    def states(self) -> int:
        """The number q of states."""
        return len(self.energies)

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """The different energies of a bond, ascending."""
        return np.unique(self.energies.round(_DIGITS))

    @cached_property
    def classes(self) -> NDArray[np.uint8]:
        """The number of its level for every pair of states, (q, q)."""
        return np.searchsorted(self.levels, self.energies.round(_DIGITS)).astype(np.uint8)

    def tables(self, coupling: float, dimension: int, heat_bath: bool) -> kernel.Tables:
        """Return what the kernels need at K; the table of heat bath only if it is needed."""
        weights = np.exp(-coupling * (self.energies - self.levels[0]))
        none = np.empty(0, np.uint64)
        alias = kernel.alias_table(weights, dimension) if heat_bath else none
        bonds = self._bonds(coupling)
        return kernel.Tables(weights, alias, self.moves, self.choices, bonds, self.classes)

    def _bonds(self, coupling: float) -> NDArray[np.uint64]:
        """Probabilities 1 - w(a, b') / w(a, b), as thresholds on 64 bits, (n_moves, q, q)."""
        moved = self.energies[:, self.moves].swapaxes(0, 1)  # e(a, b'), (n_moves, q, q)
        cost = np.maximum(coupling * (moved - self.energies), 0)
        cost[cost < 10.0**-_DIGITS] = 0
        return thresholds(-np.expm1(-cost), np.exp(-cost))

    def energies_of(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return energies (n,) in J from the numbers of bonds on each level, (n, levels).

        The terms are added one after the other, so that an energy does not depend on how many are
        computed at once.
        """
        total = np.zeros(len(pairs))
        for number, level in enumerate(self.levels):
            total += pairs[:, number] * level
        return total

    def measured(self, configurations: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the energies (n,) in J of periodic configurations (n, \\*shape) of states."""
        tables = self.tables(0.0, configurations.ndim - 1, False)
        rows = np.ascontiguousarray(configurations, dtype=np.uint8)
        return self.energies_of(kernel.count_pairs(rows, tables))


def thresholds(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return thresholds t with "64 random bits < t" of probability p = 1 - q, to 2^-64."""
    scale = 2.0**64
    low = (np.minimum(p, 0.5) * scale).astype(np.uint64)
    beyond = np.maximum((np.minimum(q, 0.5) * scale).astype(np.uint64), np.uint64(1))
    return np.where(p <= 0.5, low, np.uint64(0) - beyond)


def exchanges(states: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the exchanges of two states as moves; a cluster chooses among those of its state."""
    pairs = [(a, b) for a in range(states) for b in range(a)]
    moves = np.tile(np.arange(states, dtype=np.uint8), (len(pairs), 1))
    for move, (a, b) in zip(moves, pairs):
        move[[a, b]] = b, a
    choices = [[i for i, pair in enumerate(pairs) if a in pair] for a in range(states)]
    return moves, np.array(choices, np.int32)


def any_of(moves: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return moves among which every cluster chooses."""
    table = np.array(moves, np.uint8)
    return table, np.tile(np.arange(len(table), dtype=np.int32), (table.shape[1], 1))


def potts(states: int) -> System:
    """Return the Potts model: energy -J for two equal states."""
    return System(-np.eye(states), *exchanges(states))
