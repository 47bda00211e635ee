"""The sums of one lattice over groups of samples, as the state of a task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import State
from rsmi.lattice.packed import unpack_spins
from rsmi.models.base import Model
from rsmi.models.spins import magnetizations_of
from rsmi.renormalization.spectrum.averages import Average, OfEnergy
from rsmi.renormalization.spectrum.functions import bond_energy
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.modes import modes_of
from rsmi.renormalization.spectrum.readings import measure
from rsmi.renormalization.spectrum.site_functions import OfSpins, SiteFunction
from rsmi.stages.spectrum.chosen import (
    ENERGY,
    MAGNETIZATION,
    SECTORS,
    ChosenFunctions,
    random_rows,
)
from rsmi.stages.spectrum.storage import as_state, from_state

GROUPS = 64
_SITES_AT_ONCE = 1 << 22  # of configurations that are measured, to bound the memory


@dataclass(frozen=True)
class Grouping:
    """How the samples of one lattice are divided into groups, the blocks of the jackknife.

    A group holds whole chains if there are at least `GROUPS` chains, and else a run of successive
    samples of one chain.

    Attributes
    ----------
    samples, chains : int
        Sample i is step i // chains of chain i mod chains.
    """

    samples: int
    chains: int

    @property
    def whole_chains(self) -> bool:
        """Whether a group holds whole chains."""
        return self.used_chains >= GROUPS

    @property
    def used_chains(self) -> int:
        """The number of chains that have samples."""
        return min(self.chains, self.samples)

    @property
    def runs(self) -> int:
        """The number of groups of each chain, 1 if a group holds whole chains."""
        steps = self.samples // self.used_chains
        return 1 if self.whole_chains else min(-(-GROUPS // self.used_chains), steps)

    @property
    def count(self) -> int:
        """The number of groups."""
        return GROUPS if self.whole_chains else self.used_chains * self.runs

    def of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The group of each sample, int64 (n,)."""
        chain, step = samples % self.chains, samples // self.chains
        if self.whole_chains:
            return chain * GROUPS // self.used_chains
        steps = self.samples // self.used_chains
        return chain * self.runs + np.minimum(step * self.runs // steps, self.runs - 1)


@dataclass(frozen=True)
class Accumulator:
    """What measures samples of one lattice and adds them to the sums of their groups.

    Attributes
    ----------
    grouping : Grouping
    shape : tuple of int
    functions : ChosenFunctions
    modes : bool
        Whether structure factors are measured.
    series : bool
        Whether the energy of the samples is -J times the sum over nearest neighbours, so that the
        energies that come with them need not be measured again.
    """

    grouping: Grouping
    shape: tuple[int, ...]
    functions: ChosenFunctions
    modes: bool = False
    series: bool = False

    @cached_property
    def _names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.functions.names("even"), self.functions.names("odd")

    def begin(self) -> State:
        """The sums of no samples."""
        orbits = len(modes_of(len(self.shape)).orbits) if self.modes else 0
        return as_state(GroupSums.empty(self.grouping.count, *self._names, self.shape, orbits))

    @property
    def stored_bytes(self) -> int:
        """The bytes that the sums of all groups take in a file."""
        return sum(array.nbytes for array in self.begin().values())

    def add(
        self,
        state: State,
        spins: NDArray[np.uint8],
        energies: NDArray,
        samples: NDArray[np.int64],
    ) -> None:
        """Add samples to the sums.

        Parameters
        ----------
        state : dict of ndarray
            Is changed in place.
        spins : ndarray of uint8, (n, row_bytes)
            Packed configurations.
        energies : ndarray, (n,)
            In J.
        samples : ndarray of int64, (n,)
            The numbers of the samples.
        """
        sums = from_state(state, self._names, self.shape)
        step = max(1, _SITES_AT_ONCE // math.prod(self.shape))
        for first in range(0, len(spins), step):
            part = slice(first, first + step)
            groups = self.grouping.of(samples[part])
            sums.add(*self._read(spins[part], energies[part], groups))

    def _read(
        self, spins: NDArray[np.uint8], energies: NDArray, groups: NDArray[np.int64]
    ) -> tuple[NDArray[Any], ...]:
        """The arguments of `GroupSums.add` for some samples."""
        n_odd = len(self.functions.of("odd"))
        functions = [one for sector in SECTORS for one in self.functions.of(sector)]
        values = self._from_series(spins, energies) if not self.modes else {}
        local = [one for one in functions if isinstance(one, OfSpins) and one.name not in values]
        readings = measure(spins, self.shape, [one.function for one in local], self.modes)
        values |= {one.name: column for one, column in zip(local, readings.values.T)}
        table = np.stack([self._column(one, values, spins) for one in functions], axis=1)
        modes = readings.modes if self.modes else np.zeros((len(spins), len(functions), 0))
        return table[:, n_odd:], table[:, :n_odd], groups, modes[:, n_odd:], modes[:, :n_odd]

    def _column(
        self,
        function: SiteFunction | Average,
        values: Mapping[str, NDArray[np.float64]],
        spins: NDArray[np.uint8],
    ) -> NDArray[np.float64]:
        """The values (n,) of a function, which may be measured already."""
        if isinstance(function, Average) and not (
            isinstance(function, OfEnergy) and function.name in values
        ):
            return function.averages(spins, self.shape)
        return values[function.name]

    def _from_series(
        self, spins: NDArray[np.uint8], energies: NDArray
    ) -> dict[str, NDArray[np.float64]]:
        """The functions that need no look at single sites, by name."""
        sites = math.prod(self.shape)
        values = {}
        if any(isinstance(one, OfSpins) for one in self.functions.of("odd")):
            values[MAGNETIZATION] = magnetizations_of(spins, sites) / sites
        for one in self.functions.of("even") if self.series else ():
            if isinstance(one, OfEnergy):
                return values | {one.name: one.per_site(energies, self.shape)}
        if self.series:
            values[ENERGY] = -energies / (len(self.shape) * sites)
        return values


def joined(parts: Sequence[GroupSums]) -> GroupSums:
    """The sums of the same groups over several tasks, each of which has some of the samples."""
    first = parts[0]
    total = GroupSums.empty(first.groups, first.even, first.odd, first.shape, first.orbits)
    for part in parts:
        begun = total.arrays["count"] > 0
        total.arrays["offset"][~begun] = part.arrays["offset"][~begun]
        for name, array in _about(part, total.arrays["offset"]).items():
            total.arrays[name] += array
    return total


def _about(sums: GroupSums, offset: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The arrays of sums, but for ``offset``, with fluctuations about another offset (G, E)."""
    arrays = {name: array for name, array in sums.arrays.items() if name != "offset"}
    count, shift = arrays["count"][:, np.newaxis], sums.arrays["offset"] - offset
    shift = np.where(count > 0, shift, 0.0)
    first, second = arrays["even_sums"][..., 0], arrays["even_sums"][..., 1]
    moved = [first + count * shift, second + 2 * shift * first + count * shift**2]
    cross = arrays["cross_sums"] + shift[:, :, None, None] * arrays["odd_sums"][:, np.newaxis]
    return {**arrays, "even_sums": np.stack(moved, axis=-1), "cross_sums": cross}


def merged(sums: GroupSums, labels: NDArray[np.int64]) -> GroupSums:
    """The sums over successive groups that have the labels 0, 1, ..."""
    starts = np.searchsorted(labels, np.arange(labels[-1] + 1))
    offset = np.repeat(sums.arrays["offset"][starts], np.bincount(labels), axis=0)
    arrays = {
        name: np.add.reduceat(array, starts, axis=0) for name, array in _about(sums, offset).items()
    }
    arrays["offset"] = sums.arrays["offset"][starts]
    return GroupSums(sums.even, sums.odd, sums.shape, arrays)


def energy_is_of_neighbours(model: Model, parameters: Mapping[str, Any]) -> bool:
    """Whether the energies of a model are -J times the sum over nearest neighbours: measured on
    random configurations."""
    shape = tuple(parameters["shape"])
    rows = random_rows(shape)
    energies = model.energies(unpack_spins(rows, (1, *shape)), parameters)
    if energies is None:
        return False
    values = measure(rows, shape, [bond_energy(len(shape))]).values[:, 0]
    return bool(np.allclose(energies, -values * len(shape) * math.prod(shape), atol=1e-6))
