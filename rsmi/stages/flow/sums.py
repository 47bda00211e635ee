"""Sums of operators over the samples of one ensemble, in blocks for the jackknife, as a state that
grows sample by sample."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np

from rsmi.engine.tasks import State
from rsmi.renormalization import couplings, level_sums
from rsmi.renormalization.rules import Rule
from rsmi.samples.flow_ensembles import SUMS
from rsmi.statistics.binning import runs

OF_CHAINS = (
    "spins",
    "rng",
    "generators",
)  # of a state, what goes on with the chains, and is all of its size: not needed at the end
_BLOCKS = 64  # blocks of samples per ensemble that are stored
# groups of successive blocks of which the larger histograms of local energies are stored
_GROUPS = 32
_LARGEST_ENERGY = 64  # J a site, of energies that are no integers
_ENERGY_BITS = 28  # of such an energy in fixed point: 64 of their squares fit into 63 bits


@dataclass(frozen=True)
class Division:
    """How samples are divided into blocks: into those of successive chains, which are independent,
    where there are as many chains as blocks; else into successive samples, at whole steps of the
    chains so that blocks are alike."""

    samples: int
    chains: int
    blocks: int
    wide: bool = False  # sums over a block may exceed 64 bits
    fraction_bits: int = 0  # of energies that are no integers, which are summed in fixed point

    def numbers(self) -> np.ndarray:
        """The fields, int64 (4,), or (5,) of energies in fixed point, for a state."""
        return np.array(astuple(self) if self.fraction_bits else astuple(self)[:-1])

    @property
    def by_chains(self) -> bool:
        return self.blocks <= self.chains <= self.samples

    @cached_property
    def _edges(self) -> np.ndarray:
        unit = self.chains if self.samples >= 2 * self.blocks * self.chains else 1
        return np.array(
            [self.samples // unit * i // self.blocks * unit for i in range(self.blocks)]
            + [self.samples]
        )

    def of(self, samples: np.ndarray) -> np.ndarray:
        """The block of each sample, int64 (n,)."""
        if self.by_chains:
            return samples % self.chains * self.blocks // self.chains
        return np.searchsorted(self._edges, samples, side="right") - 1

    def spanned(self, samples: np.ndarray) -> tuple[int, int]:
        """The first block that any of these samples is in, and the one after the last."""
        blocks = self.of(samples)
        return int(blocks.min()), int(blocks.max()) + 1

    @property
    def groups(self) -> np.ndarray:
        """The group of each block, int64 (blocks,)."""
        return runs(np.arange(self.blocks), _GROUPS)


def divide(
    samples: int,
    chains: int,
    shape: tuple[int, ...],
    original: tuple[int, ...],
    energy_type: str = "int64",
) -> Division:
    """The division of so many samples of a lattice whose shape was ``original`` before it was
    coarse-grained. Energies that are no integers are summed in fixed point, with so many bits
    behind the point that `_LARGEST_ENERGY` J a site are sure to fit."""
    blocks = min(samples, _BLOCKS)
    if energy_type == "int64":
        largest = level_sums.largest_block(shape, len(original) * math.prod(original))
        return Division(samples, chains, blocks, 2 * samples > blocks * largest)
    sites = math.prod(original)
    bits = max(0, _ENERGY_BITS - math.ceil(math.log2(_LARGEST_ENERGY * sites)))
    return Division(samples, chains, blocks, True, bits)


@dataclass(frozen=True)
class Accumulator:
    """What is summed over some of an ensemble's samples: those of the blocks ``first:last``."""

    division: Division
    shape: tuple[int, ...]
    rule: Rule
    keys: np.ndarray
    first: int
    last: int
    local_energies_every: int = 1  # steps of the chains

    @property
    def steps(self) -> int:
        return len(self.keys)

    def begin(self) -> State:
        """The sums of no samples."""
        groups = self._groups[-1] + 1
        sums = level_sums.empty_sums(
            self.last - self.first, self.steps, len(self.shape), self.division.wide
        )
        return {
            "division": self.division.numbers(),
            "blocks": np.array([self.first, self.last]),
            **{f"sums-{name}": array for name, array in sums.items()},
            "neighbourhoods": np.zeros(
                (self.steps + 1, groups, couplings.number_of_bins(len(self.shape))), np.int64
            ),
            "neighbourhoods-samples": np.zeros(groups, np.int64),
        }

    @cached_property
    def _groups(self) -> np.ndarray:
        own = self.division.groups[self.first : self.last]
        return own - own[0]

    def add(
        self, state: State, spins: np.ndarray, energies: np.ndarray, samples: np.ndarray
    ) -> None:
        """Add packed configurations (n, row_bytes), energies (n,) and numbers (n,) of samples to
        the sums, those of some steps with the local energies."""
        observed = samples // self.division.chains % self.local_energies_every == 0
        cuts = [0, *np.flatnonzero(np.diff(observed)) + 1, len(samples)]
        for part in map(slice, cuts[:-1], cuts[1:]):
            self._add(state, spins[part], energies[part], samples[part], observed[part.start])

    def _add(
        self,
        state: State,
        spins: np.ndarray,
        energies: np.ndarray,
        samples: np.ndarray,
        observe: bool,
    ) -> None:
        block = self.division.of(samples) - self.first
        first, last = int(block.min()), int(block.max()) + 1

        def count_neighbourhoods(level, rows, shape, blocks):
            couplings.add_histograms(
                rows, shape, self._groups[blocks + first], state["neighbourhoods"][level]
            )

        if self.division.fraction_bits:
            energies = np.rint(energies * 2.0**self.division.fraction_bits).astype(np.int64)
        found = level_sums.measure_levels(
            spins,
            self.shape,
            self.rule,
            self.steps,
            self.keys,
            energies,
            samples.astype(np.uint64),
            block - first,
            last - first,
            count_neighbourhoods if observe else None,
            self.division.wide,
        )
        for name, array in found.items():
            sums = state[f"sums-{name}"][first:last]
            sums += array
            if self.division.wide:
                sums[...] = level_sums.carried(sums)
        if observe:
            np.add.at(state["neighbourhoods-samples"], self._groups[block], 1)


@dataclass(frozen=True)
class Sums:
    """The sums over the blocks of all ensembles, and the number of the ensemble of each block;
    `histograms` (groups, levels, bins) of every ensemble's groups of blocks and the number of
    samples in each (groups,)."""

    blocks: dict[str, np.ndarray]
    files: np.ndarray
    histograms: list[np.ndarray]
    samples: list[np.ndarray]


def joined(states: list[list[State]]) -> Sums:
    """The sums of every ensemble, from the states of its parts."""
    divisions = [Division(*parts[0]["division"].tolist()) for parts in states]
    sums, histograms, samples = zip(*map(_joined, divisions, states))
    blocks = {name: np.concatenate([of_ensemble[name] for of_ensemble in sums]) for name in SUMS}
    files = np.repeat(np.arange(len(divisions)), [division.blocks for division in divisions])
    return Sums(blocks, files, list(histograms), list(samples))


def _joined(
    division: Division, parts: list[State]
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Sums, histograms and the samples that these are of, without the groups that have none. Wide
    sums are rounded, once all are added."""
    sums = {
        name: np.zeros((division.blocks, *parts[0][f"sums-{name}"].shape[1:]), np.int64)
        for name in SUMS
    }
    levels, _, bins = parts[0]["neighbourhoods"].shape
    histograms, samples = (
        np.zeros((division.groups[-1] + 1, levels, bins), np.int64),
        np.zeros(division.groups[-1] + 1, np.int64),
    )
    for part in parts:
        first, last = part["blocks"]
        for name, array in sums.items():
            array[first:last] += part[f"sums-{name}"]
        own = slice(division.groups[first], division.groups[last - 1] + 1)
        histograms[own] += part["neighbourhoods"].swapaxes(0, 1)
        samples[own] += part["neighbourhoods-samples"]
    if division.wide:
        sums = {
            name: level_sums.as_floats(level_sums.carried(array)) for name, array in sums.items()
        }
        sums["counts"] = sums["counts"].astype(np.int64)
    for name, power in {"energy_sum": 1, "even_energy": 1, "energy_squared": 2}.items():
        if division.fraction_bits:
            sums[name] = sums[name] / 2.0 ** (power * division.fraction_bits)
    return sums, histograms[samples > 0], samples[samples > 0]
