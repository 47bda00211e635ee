"""From a definition to the arrays of the kernels: sites, neighbours, bonds and probabilities.

Site number ``component * cells + cell`` is one site of one cell, in the order of a stored
configuration (components, \\*shape).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.models.lattice.clusters import Bonds
from rsmi.models.lattice.definition import Bond, Definition
from rsmi.models.lattice.heat_bath import KIND, MOST_GROUPS, System

MOST_TABLE = 1 << 20  # classes of one kind of site


@dataclass(frozen=True, eq=False)
class StatePoint:
    """A definition on a finite lattice at one coupling.

    Attributes
    ----------
    definition : Definition
    shape : tuple of int
        Cells along each axis.
    periodic : bool
    coupling : float
        K = J/(k_B T); 0 for hard cores alone, which have none.
    """

    definition: Definition
    shape: tuple[int, ...]
    periodic: bool
    coupling: float

    @property
    def cells(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def sites(self) -> int:
        """Number of sites."""
        return len(self.definition.sites) * self.cells

    @functools.cached_property
    def bonds(self) -> dict[str, NDArray[np.int32]]:
        """Pairs of sites (n, 2) of every class of couplings, and of ``exclusions``."""
        classes: dict[str, list[NDArray[np.int32]]] = {name: [] for name in self.definition.bonds}
        if self.definition.exclusions:
            classes["exclusions"] = []
        for name, bond in self.definition.all_bonds():
            ends = np.stack([self._own(bond), self._partners(bond)], axis=1)
            classes[name].append(ends[ends[:, 1] >= 0].astype(np.int32))
        return {name: np.concatenate(pairs) for name, pairs in classes.items() if pairs}

    def _own(self, bond: Bond) -> NDArray[np.int64]:
        """The first site of a bond in every cell (cells,)."""
        return bond.first * self.cells + np.arange(self.cells)

    def _partners(self, bond: Bond) -> NDArray[np.int64]:
        """The second site of a bond that begins in every cell (cells,); -1 beyond an open side."""
        places = np.indices(self.shape).reshape(len(self.shape), -1)
        steps = np.array(bond.offset)[:, np.newaxis]
        sides = np.array(self.shape)[:, np.newaxis]
        moved = places + steps
        inside = ((moved >= 0) & (moved < sides)).all(axis=0)
        cells = np.ravel_multi_index(tuple(moved % sides), self.shape)
        return np.where(inside | self.periodic, bond.second * self.cells + cells, -1)

    # ---- groups of neighbours --------------------------------------------------------------------

    @functools.cached_property
    def strengths(self) -> tuple[float, ...]:
        """The different couplings other than 0, in J. Bonds of equal couplings form one group."""
        return tuple(sorted({c for c in self.definition.couplings.values() if c}))

    def _groups(self) -> list[list[Bond]]:
        """The bonds of every group: the exclusions, then those of each coupling."""
        couplings = self.definition.couplings
        return [list(self.definition.exclusions)] + [
            [
                bond
                for name, bonds in self.definition.bonds.items()
                for bond in bonds
                if couplings[name] == strength
            ]
            for strength in self.strengths
        ]

    @property
    def neighbours(self) -> tuple[NDArray[np.int64], list[int]]:
        """Neighbours (sites, n) of all sites with -1 for none, and the group of every column: 0 for
        exclusions, and 1 + the place of the coupling in `strengths`."""
        columns, groups = [], []
        for group, bonds in enumerate(self._groups()):
            ends = [end for bond in bonds for end in (bond, bond.reversed)]
            for component in range(len(self.definition.sites)):
                own = [bond for bond in ends if bond.first == component]
                block = np.full((len(own), self.sites), -1)
                rows = slice(component * self.cells, (component + 1) * self.cells)
                for row, bond in zip(block, own):
                    row[rows] = self._partners(bond)
                columns.append(block)
                groups += [group] * len(own)
        return np.concatenate(columns).T, groups

    # ---- the kernels' arrays ---------------------------------------------------------------------

    def check_tables(self) -> None:
        """Raise UsageError if a table would have too many classes."""
        sizes = [
            sum((bond.first == a) + (bond.second == a) for bond in group)
            for a in range(len(self.definition.sites))
            for group in self._groups()
        ]
        for first in range(0, len(sizes), 1 + len(self.strengths)):
            own = sizes[first : first + 1 + len(self.strengths)]
            _check_classes(own, [group for group in range(len(own)) if own[group]])

    @functools.cached_property
    def system(self) -> System:
        """The lattice as the kernels take it.

        Raises
        ------
        UsageError
            If a table has too many classes.
        """
        neighbours, group_of = self.neighbours
        present, n_groups = neighbours >= 0, 1 + len(self.strengths)
        counts = np.stack(
            [present[:, np.array(group_of) == group].sum(axis=1) for group in range(n_groups)],
            axis=1,
        )
        kinds, kind_of = np.unique(counts, axis=0, return_inverse=True)
        order = [self._order(sizes) for sizes in kinds]
        rows, probabilities, first = np.zeros((len(kinds), KIND), dtype=np.int64), [], 0
        for row, sizes, groups in zip(rows, kinds, order):
            row[: 4 + len(groups)], table = self._kind(sizes, groups, first)
            probabilities += table
            first += len(table)
        return System(
            kind_of.reshape(-1).astype(np.int32),
            np.concatenate([[0], np.cumsum(counts.sum(axis=1))]),
            self._sorted(neighbours, np.array(group_of), kind_of.reshape(-1), order),
            rows,
            np.array(probabilities, dtype=np.uint64),
        )

    @functools.cached_property
    def cluster_bonds(self) -> Bonds:
        """The bonds as the cluster algorithms take them."""
        neighbours, group_of = self.neighbours
        present = neighbours >= 0
        groups = np.broadcast_to(np.array(group_of) - 1, neighbours.shape)
        strengths = np.array(self.strengths) * self.coupling
        return Bonds(
            np.concatenate([[0], np.cumsum(present.sum(axis=1))]),
            neighbours[present].astype(np.int32),
            groups[present].astype(np.int32),
            np.array([opening(abs(strength)) for strength in strengths], dtype=np.uint64),
            (strengths < 0).astype(np.uint8),
            self.coupling * self.definition.field,
        )

    def _order(self, sizes: Sequence[int]) -> list[int]:
        """The groups of a kind: the exclusive one first, then the larger ones before the smaller
        ones."""
        present = [group for group in range(len(sizes)) if sizes[group]]
        return sorted(present, key=lambda group: (group > 0, -int(sizes[group]), group))

    def _sorted(
        self, neighbours: NDArray, group_of: NDArray, kind_of: NDArray, order: list[list[int]]
    ) -> NDArray[np.int32]:
        """The neighbours of all sites one after the other, group by group in the order of the
        site's kind."""
        rank = np.array(
            [
                [groups.index(g) if g in groups else len(groups) for g in group_of]
                for groups in order
            ]
        )
        columns = np.argsort(rank, axis=1, kind="stable")[kind_of]
        ordered = np.take_along_axis(neighbours, columns, axis=1)
        return ordered[ordered >= 0].astype(np.int32)

    def _kind(self, sizes: NDArray, groups: list[int], first: int) -> tuple[list[int], list[int]]:
        """The description of a kind of site, and its table."""
        exclusive = int(bool(groups) and groups[0] == 0)
        counts = [1 if group == 0 else int(sizes[group]) for group in groups]
        classes = _check_classes(sizes, groups)
        table = [
            self._probability(
                exclusive and number % 2,
                [int(self._up(number, counts, g)) for g in range(len(groups))],
                sizes,
                groups,
            )
            for number in range(classes)
        ]
        row = [exclusive, len(groups), classes, first, *(int(sizes[group]) for group in groups)]
        return row, table

    def _up(self, number: int, counts: list[int], place: int) -> int:
        """How many neighbours of a group are up in a class."""
        for count in counts[:place]:
            number //= count + 1
        return number % (counts[place] + 1)

    def _probability(self, blocked: int, up: list[int], sizes: NDArray, groups: list[int]) -> int:
        """The probability to be up, times 2^64."""
        if blocked:
            return 0
        spins, definition = self.definition.spins, self.definition
        field = definition.field if spins else 0.0
        for count, group in zip(up, groups):
            if group:
                value = 2 * count - int(sizes[group]) if spins else count
                field += self.strengths[group - 1] * value
        exponent = (2 if spins else 1) * self.coupling * field
        if definition.fugacity is not None and not spins:
            exponent += math.log(definition.fugacity)
        return threshold(exponent)


def _check_classes(sizes: Sequence[int] | NDArray, groups: Sequence[int]) -> int:
    """Return the number of classes of a kind of site, after a check."""
    classes = math.prod(2 if group == 0 else int(sizes[group]) + 1 for group in groups)
    if classes > MOST_TABLE or len(groups) > MOST_GROUPS:
        raise UsageError(
            f"a site has {int(sum(sizes))} neighbours with {len(groups)} different couplings,"
            f" which are {classes} combinations; at most {MOST_TABLE} can be tabulated: give"
            " some classes of bonds the same coupling"
        )
    return classes


def threshold(exponent: float) -> int:
    """Return the probability 1/(1 + exp(-exponent)) times 2^64, at most 2^64 - 1.

    Both it and its difference from 1 are correct to 2^-64.
    """
    decay = math.exp(-abs(exponent))
    less = int(decay / (1 + decay) * 2.0**64)
    return less if exponent < 0 or less == 1 << 63 else (1 << 64) - max(less, 1)


def opening(coupling: float) -> int:
    """Return the probability 1 - exp(-2 coupling) that a satisfied bond is open, times 2^64 and at
    most 2^64 - 1."""
    closed = math.exp(-2 * coupling)
    if closed >= 0.5:
        return int(-math.expm1(-2 * coupling) * 2.0**64)
    return (1 << 64) - max(int(closed * 2.0**64), 1)


def check_lattice(definition: Definition, shape: Sequence[int], where: str = "--size") -> None:
    """Raise UsageError if a bond joins a site to itself on a periodic lattice of so many cells."""
    for name, bond in definition.all_bonds():
        wraps = all(step % side == 0 for step, side in zip(bond.offset, shape))
        if bond.first == bond.second and wraps:
            raise UsageError(
                f"{where} {shape_text(shape)}: a bond of {name} with offset {list(bond.offset)}"
                " joins a site to itself around the lattice; take longer sides"
            )
