"""How ``rsmi import`` reads numbers as spins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import pack_spins
from rsmi.lattice.symbols import MOST_STATES
from rsmi.store.source import Source

_NEARLY = 0.01  # distance from a spin up to which a number was meant to be one
# The numbers that may mean a spin down, for each choice of --values; 1 is a spin up.
VALUES: dict[str, tuple[float, ...]] = {"auto": (-1, 0), "+-1": (-1,), "0/1": (0,)}
NUMBERS_AT_ONCE = 1 << 20

# Returns the energies (n,) in J of configurations (n, components, *shape) of +-1 or codes.
Energies = Callable[[NDArray[np.int8]], NDArray[Any]]


def spin_values(text: str) -> tuple[tuple[float, ...], float]:
    """The numbers that may mean a spin down, and the number that means a spin up.

    Parameters
    ----------
    text : str
        The value of --values: a key of `VALUES`, or two numbers, down and up, such as ``0,255``.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if text in VALUES:
        return VALUES[text], 1
    try:
        down, up = map(float, text.split(","))
    except ValueError:
        down = up = np.nan
    if not np.isfinite([down, up]).all() or down == up:
        raise UsageError(
            f"--values {text}: auto, +-1, 0/1, or the two numbers of a spin down and a spin up,"
            " such as 0,255, or of more states"
        )
    return (down,), up


@dataclass
class ReadingTask:
    """The task of reading a source from its first configuration to its last.

    A row is one packed configuration. A spin up is 1. A spin down is -1 or 0, the same in the whole
    file: the state keeps the first configuration with each of the two. So nothing is assumed about
    a file that holds only 1.
    """

    source: Source
    shape: tuple[int, ...]
    values: str
    energies: Energies | None
    mask: NDArray[np.bool_] | None = None
    name = "rows"

    @property
    def total(self) -> int:
        """The number of configurations."""
        return self.source.shape[0]

    def begin(self) -> tuple[int, State]:
        """No configuration with -1 or 0 is known."""
        return 0, {"first": np.full(2, -1, dtype=np.int64)}

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Read ``count`` configurations."""
        step = max(1, NUMBERS_AT_ONCE // math.prod(self.shape))
        pieces = [
            self._read(state["first"], begin, min(begin + step, start + count))
            for begin in range(start, start + count, step)
        ]
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def _read(self, first: NDArray[np.int64], start: int, stop: int) -> Rows:
        numbers = self.source.rows(start, stop).reshape(stop - start, *self.shape)
        up = (numbers == spin_values(self.values)[1]) & self._live
        self._check(numbers, up, first, start)
        rows = {"spins": pack_spins(up)}
        if self.energies is None:
            return rows
        configurations = 2 * up[:, np.newaxis].astype(np.int8) - 1
        return rows | {"energy": self.energies(configurations)}

    @property
    def _live(self) -> NDArray[np.bool_] | bool:
        """The sites whose numbers are read; the numbers at sites without data are ignored."""
        return True if self.mask is None else self.mask

    def _check(
        self,
        numbers: NDArray[Any],
        up: NDArray[np.bool_],
        first: NDArray[np.int64],
        start: int,
    ) -> None:
        """Note where -1 and 0 first occur.

        Raises
        ------
        DataError
            If a number is no spin, or if the file holds both -1 and 0.
        """
        known = up | np.logical_not(self._live)
        for index, down in enumerate(spin_values(self.values)[0]):
            found = (numbers == down) & self._live
            known |= found
            if first[index] < 0 and found.any():
                first[index] = start + np.argmax(found.any(axis=tuple(range(1, found.ndim))))
        if not known.all():
            raise DataError(self._unknown_number(numbers, known, start))
        if (first >= 0).all():
            (path, minus), (other, zero) = map(self.source.place, first.tolist())
            there = "" if path == other else f" of {other}"
            raise DataError(
                f"{path}: holds -1 (configuration {minus}) and 0 (configuration {zero}{there}):"
                " spins are +-1 or 0/1 (a lattice with empty sites: see --mask)"
            )

    def _unknown_number(self, numbers: NDArray[Any], known: NDArray[np.bool_], start: int) -> str:
        """The message about the first number that is no spin."""
        place = np.unravel_index(int(np.argmin(known)), known.shape)
        site = ", ".join(str(int(x)) for x in place[1:])
        path, row = self.source.place(start + int(place[0]))
        meant = "+-1 or 0/1" if self.values == "auto" else self.values
        return (
            f"{path}: holds {shown(numbers[place])} at configuration {row}, site ({site}), counted"
            f" from 0: spins are {meant}{_cure(numbers, numbers[place])}"
        )


def shown(value: Any) -> str:
    """A number of an array as text."""
    if np.isnan(value):
        return "NaN"
    short = f"{value:g}"
    exact = value.dtype.kind != "f" or value.dtype.type(short) != value
    return str(value) if exact else short  # the digits that tell 0.9999999 from 1


def _cure(numbers: NDArray[Any], value: Any) -> str:
    """What to do about a number that is a spin but for rounding, or about numbers of two other
    values."""
    if min(abs(float(value) - spin) for spin in (-1, 0, 1)) < _NEARLY:
        return "; it is one but for rounding: round the numbers (numpy.rint) before the import"
    values = np.unique(numbers)
    whole = np.isin(values, range(MOST_STATES)).all()
    if whole and len(values) > 2 and values[-1] > 1:
        count = int(values[-1]) + 1
        return f"; if they are the states of variables with {count} states, say --states {count}"
    if len(values) != 2 or not np.isfinite(values).all():
        return ""
    low, high = map(shown, values)
    return f"; if {low} means down and {high} means up, say --values={low},{high}"
