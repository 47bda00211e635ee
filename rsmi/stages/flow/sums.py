"""Sums of operators over the samples of one ensemble, in blocks for the jackknife.

The sums are the state of a task, which grows sample by sample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import State
from rsmi.errors import DataError
from rsmi.renormalization import couplings, level_sums
from rsmi.renormalization.state_blocking import AnyRule
from rsmi.samples.flow_ensembles import SUMS
from rsmi.statistics.binning import runs

# The arrays of a state that only continue the chains. They are nearly all of its size, and they are
# not needed at the end.
_COMPRESSION = 8  # of histograms, most bins of which are empty
OF_CHAINS = ("spins", "rng", "generators")
_BLOCKS = 64  # the most blocks of samples of an ensemble
_POWERS_OF_ENERGY = {"energy_sum": 1, "even_energy": 1, "energy_squared": 2}
# The most groups of successive blocks; histograms of local energies are stored by group.
_GROUPS = 32
# Energies that are no integers are summed in fixed point. One of 64 J a site has 34 bits, so that
# the sums are correct up to 256 J a site: see `rsmi.renormalization.level_sums` on the words.
_LARGEST_ENERGY, _ENERGY_BITS = 64, 34
_LARGEST_WORD = 1 << 36


@dataclass(frozen=True)
class Division:
    """How the samples of an ensemble are divided into jackknife blocks.

    A block holds whole chains if there are at least as many chains as blocks: chains are
    independent. Otherwise it holds successive samples, cut where all chains have made the same
    number of steps, so that blocks are alike.

    Attributes
    ----------
    samples, chains, blocks : int
        The numbers of samples, chains and blocks.
    wide : bool
        Whether sums over a block may exceed 64 bits.
    fraction_bits : int
        The number of bits behind the point for energies that are no integers, which are summed in
        fixed point; 0 for integers.
    """

    samples: int
    chains: int
    blocks: int
    wide: bool = False
    fraction_bits: int = 0

    def numbers(self) -> NDArray[np.int64]:
        """The fields for a state, int64 (4,); (5,) for energies in fixed point."""
        return np.array(astuple(self) if self.fraction_bits else astuple(self)[:-1])

    def in_words(self, energies: NDArray) -> NDArray[np.int64]:
        """Return energies as int64: those that are no integers in fixed point, rounded.

        Raises
        ------
        DataError
            If an energy is not finite or too large, beyond 256 J a site.
        """
        if energies.dtype.kind != "f":
            return energies
        words = np.rint(energies * 2.0**self.fraction_bits)
        if not (np.abs(words) <= _LARGEST_WORD).all():
            raise DataError(
                "energies of more than 256 J a site cannot be summed: change the unit J"
            )
        return words.astype(np.int64)

    @property
    def by_chains(self) -> bool:
        """Whether a block holds whole chains."""
        return self.blocks <= self.chains <= self.samples

    @cached_property
    def _edges(self) -> NDArray[np.int64]:
        """The first sample of each block of successive samples, and the number of samples."""
        unit = self.chains if self.samples >= 2 * self.blocks * self.chains else 1
        return np.array(
            [self.samples // unit * i // self.blocks * unit for i in range(self.blocks)]
            + [self.samples]
        )

    def of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """The block of each sample, int64 (n,)."""
        if self.by_chains:
            return samples % self.chains * self.blocks // self.chains
        return np.searchsorted(self._edges, samples, side="right") - 1

    def spanned(self, samples: NDArray[np.int64]) -> tuple[int, int]:
        """The first block that contains any of these samples, and the block after the last one."""
        blocks = self.of(samples)
        return int(blocks.min()), int(blocks.max()) + 1

    @property
    def groups(self) -> NDArray[np.int64]:
        """The group of each block, int64 (blocks,)."""
        return runs(np.arange(self.blocks), _GROUPS)


def divide(
    samples: int,
    chains: int,
    shape: tuple[int, ...],
    original: tuple[int, ...],
    energy_type: str = "int64",
    components: int = 1,
    states: int = 2,
) -> Division:
    """The division of the samples of an ensemble.

    Parameters
    ----------
    samples, chains : int
    shape, original : tuple of int
        The lattice of the samples, and the one that was sampled before any coarse-graining.
    energy_type : {"int64", "float64"}
        The dtype of the energies. Energies that are no integers are summed in fixed point; the
        number of bits behind the point leaves room for `_LARGEST_ENERGY` per site.
    """
    blocks = min(samples, _BLOCKS)
    if energy_type == "int64":
        energy = len(original) * math.prod(original)
        largest = level_sums.largest_block(shape, energy, components, states)
        return Division(samples, chains, blocks, 2 * samples > blocks * largest)
    sites = math.prod(original)
    bits = max(0, _ENERGY_BITS - math.ceil(math.log2(_LARGEST_ENERGY * sites)))
    return Division(samples, chains, blocks, True, bits)


@dataclass(frozen=True)
class Accumulator:
    """What adds up the operators of samples in the blocks ``first:last`` of an ensemble.

    Attributes
    ----------
    division : Division
    shape : tuple of int
        The lattice of the samples.
    rules : tuple of Rule
        The rule of every step.
    keys : ndarray of uint64, (steps, 2)
        The keys of the random bits of each step, see `rsmi.stages.rule_option.blocking_keys`.
    first, last : int
    local_energies_every : int
        The number of steps of the chains from one measurement of local energies to the next.
    """

    division: Division
    shape: tuple[int, ...]
    rules: tuple[AnyRule, ...]
    keys: NDArray[np.uint64]
    first: int
    last: int
    local_energies_every: int = 1

    @property
    def steps(self) -> int:
        """The number of coarse-graining steps."""
        return len(self.keys)

    @property
    def components(self) -> int:
        """The number of components per site."""
        return self.rules[0].components

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return self.rules[0].states

    @property
    def has_local_energies(self) -> bool:
        """Whether local energies are measured: those of one component of two states."""
        return self.components == 1 and self.states == 2

    def begin(self) -> State:
        """The sums of no samples."""
        groups = self._groups[-1] + 1
        sums = level_sums.empty_sums(
            self.last - self.first,
            self.steps,
            len(self.shape),
            self.division.wide,
            self.components,
            self.states,
        )
        bins = couplings.number_of_bins(len(self.shape)) if self.has_local_energies else 0
        return {
            "division": self.division.numbers(),
            "blocks": np.array([self.first, self.last]),
            **{f"sums-{name}": array for name, array in sums.items()},
            "neighbourhoods": np.zeros((self.steps + 1, groups, bins), np.int64),
            "neighbourhoods-samples": np.zeros(groups, np.int64),
        }

    @property
    def stored_bytes(self) -> int:
        """About the bytes that the sums of all blocks take in a file, where histograms are
        compressed."""
        share = self.division.blocks / (self.last - self.first)
        return round(
            share
            * sum(
                array.nbytes / (_COMPRESSION if name.startswith("neighbourhoods") else 1)
                for name, array in self.begin().items()
            )
        )

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        """The group of each block, counted from the group of the first block."""
        own = self.division.groups[self.first : self.last]
        return own - own[0]

    def add(
        self,
        state: State,
        spins: NDArray[np.uint8],
        energies: NDArray[Any],
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
            The numbers of the samples; these decide which of them are measured with local energies.
        """
        observed = samples // self.division.chains % self.local_energies_every == 0
        cuts = [0, *np.flatnonzero(np.diff(observed)) + 1, len(samples)]
        for part in map(slice, cuts[:-1], cuts[1:]):
            self._add(state, spins[part], energies[part], samples[part], observed[part.start])

    def _add(
        self,
        state: State,
        spins: NDArray[np.uint8],
        energies: NDArray[Any],
        samples: NDArray[np.int64],
        observe: bool,
    ) -> None:
        block = self.division.of(samples) - self.first
        first, last = int(block.min()), int(block.max()) + 1

        def count_neighbourhoods(
            level: int,
            rows: NDArray[np.uint8],
            shape: Sequence[int],
            blocks: NDArray[np.int64],
        ) -> None:
            couplings.add_histograms(
                rows, shape, self._groups[blocks + first], state["neighbourhoods"][level]
            )

        added = level_sums.measure_levels(
            spins,
            self.shape,
            self.rules,
            self.steps,
            self.keys,
            self.division.in_words(energies),
            samples.astype(np.uint64),
            block - first,
            last - first,
            count_neighbourhoods if observe and self.has_local_energies else None,
            self.division.wide,
        )
        for name, array in added.items():
            sums = state[f"sums-{name}"][first:last]
            sums += array
            if self.division.wide:
                sums[...] = level_sums.carried(sums)
        if observe:
            np.add.at(state["neighbourhoods-samples"], self._groups[block], 1)


@dataclass(frozen=True)
class Sums:
    """The sums of all ensembles.

    Attributes
    ----------
    blocks : dict of ndarray, (blocks, ...)
        The sums over the blocks, by name.
    files : ndarray of int64, (blocks,)
        The number of the ensemble of each block.
    histograms : list of ndarray of int64, (groups, levels, bins)
        The histograms of local energies of each ensemble, for groups of blocks.
    samples : list of ndarray of int64, (groups,)
        The number of samples in each histogram.
    """

    blocks: dict[str, NDArray[Any]]
    files: NDArray[np.int64]
    histograms: list[NDArray[np.int64]]
    samples: list[NDArray[np.int64]]


def joined(states: Sequence[Sequence[State]]) -> Sums:
    """The sums of all ensembles, from the states of the tasks of each."""
    divisions = [Division(*parts[0]["division"].tolist()) for parts in states]
    sums, histograms, samples = zip(*map(_joined, divisions, states))
    blocks = {name: np.concatenate([of_ensemble[name] for of_ensemble in sums]) for name in SUMS}
    files = np.repeat(np.arange(len(divisions)), [division.blocks for division in divisions])
    return Sums(blocks, files, list(histograms), list(samples))


def _joined(
    division: Division, parts: Sequence[State]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64], NDArray[np.int64]]:
    """The sums of one ensemble, its histograms, and the number of samples in each histogram.

    Groups without samples are left out.
    """
    histograms, samples = _joined_histograms(division, parts)
    return _joined_sums(division, parts), histograms[samples > 0], samples[samples > 0]


def _joined_sums(division: Division, parts: Sequence[State]) -> dict[str, NDArray[Any]]:
    sums: dict[str, NDArray[Any]] = {
        name: np.zeros((division.blocks, *parts[0][f"sums-{name}"].shape[1:]), np.int64)
        for name in SUMS
    }
    for part in parts:
        first, last = part["blocks"]
        for name, array in sums.items():
            array[first:last] += part[f"sums-{name}"]
    if division.wide:  # rounded only after everything was added
        sums = {
            name: level_sums.as_floats(level_sums.carried(array)) for name, array in sums.items()
        }
        sums["counts"] = sums["counts"].astype(np.int64)
    if division.fraction_bits:
        for name, power in _POWERS_OF_ENERGY.items():
            sums[name] = sums[name] / 2.0 ** (power * division.fraction_bits)
    return sums


def _joined_histograms(
    division: Division, parts: Sequence[State]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    levels, _, bins = parts[0]["neighbourhoods"].shape
    groups = division.groups[-1] + 1
    histograms = np.zeros((groups, levels, bins), np.int64)
    samples = np.zeros(groups, np.int64)
    for part in parts:
        first, last = part["blocks"]
        own = slice(division.groups[first], division.groups[last - 1] + 1)
        histograms[own] += part["neighbourhoods"].swapaxes(0, 1)
        samples[own] += part["neighbourhoods-samples"]
    return histograms, samples
