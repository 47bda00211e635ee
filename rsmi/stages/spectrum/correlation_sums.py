"""Sums for the correlation functions of one lattice, as the state of a task, and their storage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization.spectrum.correlations import ARRAYS, CorrelationSums
from rsmi.renormalization.spectrum.spreads import Operator
from rsmi.stages.joined import Contents
from rsmi.stages.spectrum.chosen import ChosenFunctions
from rsmi.stages.spectrum.labels import joint_label, labelled
from rsmi.stages.spectrum.sums import Grouping
from rsmi.store import File, Writer

_SITES_AT_ONCE = 1 << 19  # of all functions together that are transformed, to bound the memory
_OVERHEAD = 1 << 16  # bytes of a file beside its sums
_PREFIX = "sums-"
_BY_DISTANCE = ("axis", "diagonal", "factor")


@dataclass(frozen=True)
class CorrelationAccumulator:
    """What measures the correlations of samples of one lattice and adds them to the sums of their
    groups.

    Attributes
    ----------
    grouping : Grouping
    shape : tuple of int
    components : int
        The number of binary variables of a site.
    functions : ChosenFunctions
    """

    grouping: Grouping
    shape: tuple[int, ...]
    components: int
    functions: ChosenFunctions

    @property
    def _names(self) -> list[str]:
        return [one.name for one in self.functions.sites]

    def begin(self) -> State:
        """The sums of no samples."""
        sums = CorrelationSums.empty(self.grouping.count, self._names, self.shape)
        return {f"{_PREFIX}{name}": array for name, array in sums.arrays.items()}

    @property
    def stored_bytes(self) -> int:
        """The bytes that the sums of all groups take in a file."""
        return sum(array.nbytes for array in self.begin().values())

    def add(
        self,
        state: State,
        spins: NDArray[np.uint8],
        energies: NDArray[Any],
        samples: NDArray[np.int64],
    ) -> None:
        """Add packed configurations (n, row_bytes) with their numbers (n,) to the sums."""
        sums = _from_state(state, self._names, self.shape)
        step = max(1, _SITES_AT_ONCE // (math.prod(self.shape) * len(self._names)))
        for first in range(0, len(spins), step):
            part = slice(first, first + step)
            configurations = unpack_spins(spins[part], (self.components, *self.shape))
            fields = [one.at_sites(configurations) for one in self.functions.sites]
            sums.add(np.stack(fields, axis=1), self.grouping.of(samples[part]))


def _from_state(state: State, names: Sequence[str], shape: Sequence[int]) -> CorrelationSums:
    arrays = {name: state[f"{_PREFIX}{name}"] for name in ARRAYS}
    return CorrelationSums(tuple(names), tuple(shape), arrays)


# ---- the layout of correlation files -------------------------------------------------------------


def attributes(functions: ChosenFunctions) -> dict[str, Any]:
    """The attributes that name the functions, and say which of them belong together."""
    return {
        "functions": [one.function.name for one in functions.chosen],
        "sectors": [one.sector for one in functions.chosen],
        "operators": [
            {
                "functions": list(one.functions),
                "wave": list(map(str, one.wave)),
                "block": list(one.block),
            }
            for one in functions.operators
        ],
    }


def operators(file: File) -> dict[str, Operator]:
    """The operators of a correlation file, by what people call them."""
    names = labelled(file, file.attributes["functions"])
    return {
        joint_label([names[number] for number in one["functions"]]): Operator(
            tuple(one["functions"]), tuple(map(Fraction, one["wave"])), tuple(one["block"])
        )
        for one in file.attributes["operators"]
    }


def from_state(state: State, named: Mapping[str, Any], shape: Sequence[int]) -> CorrelationSums:
    """The sums of a task's state; ``named`` are the `attributes`."""
    return _from_state(state, named["functions"], shape)


def joined(parts: Sequence[CorrelationSums]) -> CorrelationSums:
    """The sums of the same groups over several tasks, each of which has some of the samples."""
    first = parts[0]
    arrays = {name: np.add.reduce([part.arrays[name] for part in parts]) for name in ARRAYS}
    return CorrelationSums(first.functions, first.shape, arrays)


def merged(sums: CorrelationSums, labels: NDArray[np.int64]) -> CorrelationSums:
    """The sums over successive groups that have the labels 0, 1, ..."""
    starts = np.searchsorted(labels, np.arange(labels[-1] + 1))
    arrays = {name: np.add.reduceat(array, starts, axis=0) for name, array in sums.arrays.items()}
    return CorrelationSums(sums.functions, sums.shape, arrays)


def concatenated(parts: Sequence[CorrelationSums]) -> CorrelationSums:
    """The sums of all groups of several files of one lattice."""
    first = parts[0]
    arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in ARRAYS}
    return CorrelationSums(first.functions, first.shape, arrays)


def contents(sums: Sequence[CorrelationSums], others: Rows) -> Contents:
    """What stores sums and other datasets, and about how many bytes they take.

    Sums by distance have the length of the largest lattice, and zeros beyond half of a side.
    """
    owner = np.repeat(np.arange(len(sums)), [len(one.arrays["count"]) for one in sums])
    length = max(one.arrays["axis"].shape[-1] for one in sums)

    def fill(writer: Writer) -> None:
        for path, array in others.items():
            writer.write(path, array)
        writer.write("/groups/file", owner.astype(np.int64))
        for name in ARRAYS:
            arrays = [_padded(name, one.arrays[name], length) for one in sums]
            writer.write(f"/groups/{name}", np.concatenate(arrays))

    groups = sum(array.nbytes for one in sums for array in one.arrays.values())
    return fill, groups + _OVERHEAD


def _padded(name: str, array: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if name not in _BY_DISTANCE:
        return array
    missing = length - array.shape[-1]
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, missing)])


def read(file: File) -> list[CorrelationSums]:
    """The sums of every file or lattice behind a correlation file."""
    owner, names = file.read("/groups/file"), labelled(file, file.attributes["functions"])
    arrays = {name: file.read(f"/groups/{name}") for name in ARRAYS}
    found = []
    for number, shape in enumerate(file.read("/files/shape").tolist()):
        own = {name: array[owner == number] for name, array in arrays.items()}
        length = min(shape) // 2 + 1
        own |= {name: own[name][..., :length] for name in _BY_DISTANCE}
        found.append(CorrelationSums(names, tuple(shape), own))
    return found
