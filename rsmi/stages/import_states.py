"""How ``rsmi import`` reads numbers as the states of variables with more than two states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import pack_states
from rsmi.lattice.symbols import DIHEDRAL, FLIP, MOST_STATES
from rsmi.models.base import SYMMETRY_NAMES
from rsmi.stages.import_reading import NUMBERS_AT_ONCE, VALUES, Energies, shown
from rsmi.store.source import Source


def state_values(values: str, states: int | None) -> tuple[float, ...] | None:
    """The numbers that stand for the states 0, 1, ..., in this order; None for two states.

    Parameters
    ----------
    values : str
        The value of --values: ``auto`` for the numbers 0, ..., q - 1, or the numbers themselves.
    states : int, optional
        The value of --states.

    Raises
    ------
    UsageError
        If the numbers are not numbers, not different, or not as many as the states.
    """
    numbers = _numbers(values)
    if (states or len(numbers)) == 2 or (states is None and not numbers):
        return None
    count = states or len(numbers)
    if not numbers and values == "auto":
        return tuple(range(count))
    if not numbers or len(numbers) != count:
        raise UsageError(
            f"--values {values}: --states {count} needs {count} numbers, that of state 0 first;"
            f" without --values they are 0 to {count - 1}"
        )
    if len(set(numbers)) < count:
        raise UsageError(f"--values {values}: two states have the same number")
    if count > MOST_STATES:
        raise UsageError(
            f"--values {values}: a variable has at most {MOST_STATES} states, not {count}"
        )
    return numbers


def _numbers(values: str) -> tuple[float, ...]:
    """The numbers of --values; none if it names what it means."""
    if values in VALUES or "," not in values:
        return ()
    try:
        numbers = tuple(map(float, values.split(",")))
    except ValueError:
        numbers = (math.nan,)
    if not all(map(math.isfinite, numbers)):
        raise UsageError(f"--values {values}: write the numbers of the states, such as 1,2,3")
    return numbers


def check_symmetry(symmetry: str | None, states: int) -> None:
    """Raise UsageError unless variables with so many states can have the symmetry."""
    if symmetry is None or (symmetry == FLIP) == (states == 2):
        return
    cure = f"take --symmetric {FLIP}" if states == 2 else f"take permutations or {DIHEDRAL}"
    raise UsageError(
        f"--symmetric {symmetry}: variables with {states} states have no"
        f" {SYMMETRY_NAMES[symmetry].removeprefix('a ')}: {cure}"
        if symmetry == FLIP
        else f"--symmetric {symmetry}: of two states there is only the flip: {cure}"
    )


@dataclass
class StatesTask:
    """The task of reading a source of variables with q > 2 states.

    Attributes
    ----------
    shape : tuple of int
        Components and lattice of one configuration.
    values : tuple of float
        The numbers that stand for the states 0, ..., q - 1.
    """

    source: Source
    shape: tuple[int, ...]
    values: tuple[float, ...]
    energies: Energies | None
    name = "rows"

    @property
    def total(self) -> int:
        """The number of configurations."""
        return self.source.shape[0]

    def begin(self) -> tuple[int, State]:
        """No state."""
        return 0, {}

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Read ``count`` configurations."""
        step = max(1, NUMBERS_AT_ONCE // math.prod(self.shape))
        pieces = [
            self._read(begin, min(begin + step, start + count))
            for begin in range(start, start + count, step)
        ]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def _read(self, start: int, stop: int) -> Rows:
        numbers = self.source.rows(start, stop).reshape(stop - start, *self.shape)
        codes = np.full(numbers.shape, -1, dtype=np.int8)
        for code, value in enumerate(self.values):
            codes[numbers == value] = code
        if codes.min(initial=0) < 0:
            raise DataError(self._unknown_number(numbers, codes, start))
        rows = {"spins": pack_states(codes, len(self.values))}
        return rows if self.energies is None else rows | {"energy": self.energies(codes)}

    def _unknown_number(self, numbers: NDArray[Any], codes: NDArray[np.int8], start: int) -> str:
        """The message about the first number that stands for no state."""
        place = np.unravel_index(int(np.argmin(codes)), codes.shape)
        site = ", ".join(str(int(x)) for x in place[2 if self.shape[0] == 1 else 1 :])
        path, row = self.source.place(start + int(place[0]))
        meant = ", ".join(f"{value:g}" for value in self.values)
        return (
            f"{path}: holds {shown(numbers[place])} at configuration {row}, site ({site}), counted"
            f" from 0: the {len(self.values)} states are {meant}; --states and --values choose"
            " others"
        )
