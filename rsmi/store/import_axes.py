"""What the axes of an array are: their names, and what is selected along them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rsmi.errors import UsageError

LATTICE = ("z", "y", "x")
ROWS = ("chain", "n")
_NAME = re.compile(r"[a-z][a-z_]*|[A-Z]|1")

Bounds = tuple[int, int]


@dataclass(frozen=True)
class Axes:
    """The names of the axes of an array, slowest first, and what is selected.

    ``n`` counts configurations, ``chain`` chains, ``c`` the components of a site; ``z``, ``y``,
    ``x`` are the lattice, or ``site`` is all of it; ``1`` is an axis of length 1. Of any other axis
    one index is selected.

    Attributes
    ----------
    names : tuple of str
    selected : dict
        Name to the text of an index or a range: ``{"t": "3", "n": "100:"}``.
    """

    names: tuple[str, ...]
    selected: dict[str, str]

    @classmethod
    def parse(cls, text: str, selections: Sequence[str] = ()) -> Axes:
        """Read the values of ``--axes`` and ``--select``.

        Raises
        ------
        UsageError
            If a name is missing, unknown, or there twice.
        """
        names = tuple(name.strip() for name in text.split(","))
        selected = dict(_selection(one) for several in selections for one in several.split(","))
        several = [name for name in names if name != "1"]
        unique = len(set(several)) == len(several)
        if not unique or not all(map(_NAME.fullmatch, names)) or "n" not in names:
            raise UsageError(
                f"--axes {text}: names every axis once, slowest first: n (configurations), chain, c"
                " (components), z, y, x or site (the lattice), 1 (an axis of length 1); of any"
                " other axis, such as t, --select takes one index"
            )
        axes = cls(names, selected)
        axes._check(text)
        return axes

    def _check(self, text: str) -> None:
        lattice = [name for name in LATTICE if name in self.names]
        flat = "site" in self.names
        if flat == bool(lattice) or tuple(lattice) != LATTICE[3 - len(lattice) :]:
            raise UsageError(f"--axes {text}: the lattice is x, or y and x, or z, y and x, or site")
        for name in self.selected:
            if name not in self.names:
                raise UsageError(f"--select {name}: --axes {text} has no such axis")
        for name in self.others:
            if self.selected.get(name, ":").find(":") >= 0:
                raise UsageError(f"--axes {text}: choose an index of {name} by --select {name}=0")

    @property
    def others(self) -> list[str]:
        """The axes of which one index is selected."""
        return [name for name in self.names if name not in (*LATTICE, *ROWS, "site", "c", "1")]

    @property
    def rows(self) -> list[int]:
        """The positions of the axes that count configurations: ``n``, and ``chain`` if it is
        there."""
        return [axis for axis, name in enumerate(self.names) if name in ROWS]

    @property
    def content(self) -> list[int]:
        """The positions of the component, if there is one, and of the lattice, slowest first."""
        order = ("c", "site", *LATTICE)
        return [self.names.index(name) for name in order if name in self.names]

    def bounds(self, path: Path, shape: Sequence[int]) -> list[Bounds]:
        """The part (first, end) of every axis of an array that is read.

        Raises
        ------
        UsageError
            If the array has other axes, or not what is selected.
        """
        if len(shape) != len(self.names):
            raise UsageError(
                f"--axes {','.join(self.names)}: {path} has {len(shape)} axes: shape {list(shape)}"
            )
        for name, size in zip(self.names, shape):
            if name == "1" and size != 1:
                raise UsageError(f"--axes: an axis of {path} that is called 1 has length {size}")
        return [self._bound(name, size) for name, size in zip(self.names, shape)]

    def _bound(self, name: str, size: int) -> Bounds:
        text = self.selected.get(name, ":")
        first, colon, end = text.partition(":")
        if colon:
            bounds = slice(_whole(first), _whole(end)).indices(size)[:2]
        else:
            index = range(size)[int(text)] if -size <= int(text) < size else size
            bounds = index, index + 1
        if not 0 <= bounds[0] < bounds[1] <= size:
            raise UsageError(
                f"--select {name}={text}: the axis has {size} entries, 0 to {size - 1}"
            )
        return bounds


def columns_of(text: str) -> slice:
    """The columns that ``--columns`` means: a range counted from 0, such as ``1:`` or ``2:66``.

    Raises
    ------
    UsageError
        If the text is no such range.
    """
    if not re.fullmatch(r"(-?\d{1,9})?:(-?\d{1,9})?", text):
        raise UsageError(
            f"--columns {text}: a range counted from 0, such as 1: (all but the first), :-1 (all"
            " but the last) or 2:66"
        )
    first, _, end = text.partition(":")
    return slice(_whole(first), _whole(end))


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _selection(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*(\w+)\s*=\s*(-?\d{1,9}|(?:-?\d{1,9})?:(?:-?\d{1,9})?)\s*", text)
    if not match:
        raise UsageError(f"--select {text}: an axis and an index or a range: t=3, or n=100:")
    return match[1], match[2]


def plain_axes(dimension: int) -> str:
    """The names of the axes of an array (n, \\*lattice)."""
    return ",".join(("n", *LATTICE[3 - dimension :]))
