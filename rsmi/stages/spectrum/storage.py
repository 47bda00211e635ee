"""How the sums of a spectrum are stored: the datasets ``/groups/*``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rsmi.engine.tasks import Rows, State
from rsmi.renormalization.spectrum.group_sums import ARRAYS, GroupSums
from rsmi.stages.joined import Contents
from rsmi.stages.spectrum.chosen import SECTORS, ChosenFunctions
from rsmi.stages.spectrum.labels import labelled
from rsmi.store import File, Writer

_OVERHEAD = 1 << 16  # bytes of a file beside its sums
_PREFIX = "sums-"


def contents(sums: Sequence[GroupSums], others: Rows) -> Contents:
    """What stores sums and other datasets, and about how many bytes they take."""
    owner = np.repeat(np.arange(len(sums)), [one.groups for one in sums])

    def fill(writer: Writer) -> None:
        for path, array in others.items():
            writer.write(path, array)
        writer.write("/groups/file", owner.astype(np.int64))
        for name in _stored(sums[0]):
            writer.write(f"/groups/{name}", np.concatenate([one.arrays[name] for one in sums]))

    return fill, sum(array.nbytes for one in sums for array in one.arrays.values()) + _OVERHEAD


def _stored(sums: GroupSums) -> list[str]:
    """The names of the arrays that hold numbers: modes may not be measured."""
    return [name for name in ARRAYS if sums.orbits or not name.endswith("modes")]


def read(file: File) -> list[GroupSums]:
    """The sums of every file or lattice behind a spectrum file."""
    even, odd = (labels_of(file, sector) for sector in ("even", "odd"))
    owner = file.read("/groups/file")
    arrays = {name: file.read(f"/groups/{name}") for name in ARRAYS if f"/groups/{name}" in file}
    for name, names in (("even_modes", even), ("odd_modes", odd)):
        arrays.setdefault(name, np.zeros((len(owner), len(names), 0)))
    return [
        GroupSums.of_arrays(
            even, odd, tuple(shape), {name: array[owner == i] for name, array in arrays.items()}
        )
        for i, shape in enumerate(file.read("/files/shape").tolist())
    ]


def labels_of(file: File, sector: str) -> tuple[str, ...]:
    """What people call the functions of a sector."""
    return labelled(file, file.attributes[f"{sector}_functions"])


def attributes(functions: ChosenFunctions) -> dict[str, Any]:
    """The attributes that name the functions."""
    return {f"{sector}_functions": list(functions.names(sector)) for sector in SECTORS}


def sums_of_state(state: State, named: Mapping[str, Any], shape: Sequence[int]) -> GroupSums:
    """The sums of a task's state; ``named`` are the `attributes`."""
    return from_state(state, (named["even_functions"], named["odd_functions"]), shape)


def as_state(sums: GroupSums) -> State:
    """The arrays of sums as those of a task's state; they share the memory."""
    return {f"{_PREFIX}{name}": array for name, array in sums.arrays.items()}


def from_state(
    state: State, names: tuple[Sequence[str], Sequence[str]], shape: Sequence[int]
) -> GroupSums:
    """The sums of a task's state; ``names`` are those of the even and of the odd functions."""
    arrays = {name: state[f"{_PREFIX}{name}"] for name in ARRAYS}
    return GroupSums.of_arrays(*names, shape, arrays)
