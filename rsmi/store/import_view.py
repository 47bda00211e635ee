"""Arrays of other programs, seen as configurations (n, \\*components, \\*lattice)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.store.import_axes import Axes, Bounds
from rsmi.store.source import EVERY_AXIS, Source

_LARGEST_HELD = 1 << 26  # bytes of an array that may be held in memory


class View(Source):
    """A source that reads another one."""

    def __init__(self, source: Source, shape: tuple[int, ...]):
        self.source = source
        self.path, self.dataset, self.remarks = source.path, source.dataset, source.remarks
        self.inputs = (self,)
        self._accept(source.dtype, shape)

    def close(self) -> None:
        """Close the source."""
        self.source.close()

    @cached_property
    def digest(self) -> str:
        """The digest of the file."""
        return self.source.digest

    @property
    def parameters(self) -> dict[str, Any]:
        """What identifies the array, with the digest."""
        return self.source.parameters

    def require_unchanged(self) -> None:
        """Check that the file did not change since it was opened."""
        self.source.require_unchanged()


class Reshaped(View):
    """Flat configurations as arrays of a shape."""

    def __init__(self, source: Source, shape: tuple[int, ...]):
        super().__init__(source, (source.shape[0], *shape))

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self.source.rows(start, stop).reshape(stop - start, *self._shape[1:])


class Held(View):
    """A whole array in memory, because its file can only be read from its beginning on."""

    depth = EVERY_AXIS

    def __init__(self, source: Source):
        size = math.prod(source.shape) * source.dtype.itemsize
        if size > _LARGEST_HELD:
            raise DataError(
                f"{source.path}: its configurations do not follow one another, and a file of this"
                " kind is read from its beginning on: save the array by numpy.save"
            )
        super().__init__(source, source.shape)
        self._array = source.rows(0, source.shape[0])

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self._array[start:stop]

    def _read_box(self, bounds: Sequence[Bounds]) -> np.ndarray:
        return self._array[tuple(slice(*bound) for bound in bounds)]


class Arranged(View):
    """An array whose axes are named, as configurations (n, \\*components, \\*lattice).

    Where there is an axis of chains, the configurations of all chains are counted in the order in
    which they are in the array.

    Attributes
    ----------
    chains : int
        The length of the axis ``chain``; 1 if there is none.
    sequential : bool
        Whether the configurations of one chain follow one another.
    """

    def __init__(self, source: Source, axes: Axes):
        self._axes, self._bounds = axes, axes.bounds(source.path, source.shape)
        sizes = [end - first for first, end in self._bounds]
        rows = math.prod(sizes[axis] for axis in axes.rows)
        if not self._is_forward(source):
            source = Held(source)
        super().__init__(source, (rows, *(sizes[axis] for axis in axes.content)))
        self.chains = sizes[axes.names.index("chain")] if "chain" in axes.names else 1
        self.sequential = self.chains > 1 and axes.names[axes.rows[0]] == "chain"
        self._inner = sizes[axes.rows[-1]] if len(axes.rows) > 1 else rows

    @property
    def parameters(self) -> dict[str, Any]:
        """What identifies the array, with the digest: also what is selected."""
        selected = self._axes.selected
        return self.source.parameters | ({"select": selected} if selected else {})

    def _is_forward(self, source: Source) -> bool:
        """Whether the parts of the array that are read follow one another in the file."""
        whole = [bounds == (0, size) for bounds, size in zip(self._bounds, source.shape)]
        divided = {axis for axis, all in enumerate(whole) if not all} | set(self._axes.rows)
        divided -= {axis for axis, size in enumerate(source.shape) if size == 1}
        last = max(divided, default=0)
        before = {axis for axis in range(last) if source.shape[axis] > 1}
        return source.depth == EVERY_AXIS or (last < source.depth and before <= divided)

    def _read(self, start: int, stop: int) -> np.ndarray:
        order = [*self._axes.rows, *self._axes.content]
        order += [axis for axis in range(len(self._bounds)) if axis not in order]
        boxes = [
            self.source.box(bounds).transpose(order).reshape(-1, *self._shape[1:])
            for bounds in self._boxes(start, stop)
        ]
        return np.concatenate(boxes) if len(boxes) > 1 else boxes[0]

    def _boxes(self, start: int, stop: int) -> Iterator[list[Bounds]]:
        """The bounds of the boxes that make up the configurations ``start:stop``."""
        outer_axis, inner_axis = self._axes.rows[0], self._axes.rows[-1]
        while start < stop:
            outer, inner = divmod(start, self._inner)
            whole = (stop - start) // self._inner if inner == 0 else 0
            count = whole * self._inner or min(stop - start, self._inner - inner)
            bounds = list(self._bounds)
            if outer_axis != inner_axis:
                first = self._bounds[outer_axis][0] + outer
                bounds[outer_axis] = (first, first + max(1, whole))
            first = self._bounds[inner_axis][0] + inner
            bounds[inner_axis] = (first, first + (self._inner if whole else count))
            yield bounds
            start += count


class Joined(View):
    """Several sources, one after the other."""

    def __init__(self, sources: Sequence[Source]):
        first = sources[0]
        for source in sources[1:]:
            if source.shape != first.shape:
                raise UsageError(
                    f"{_name(source)} is of shape {list(source.shape)} and {_name(first)} of"
                    f" {list(first.shape)}: files are joined as chains of equal length (--axes and"
                    " --select n=0:N shorten them)"
                )
        super().__init__(first, (len(sources) * first.shape[0], *first.shape[1:]))
        self.sources = self.inputs = tuple(sources)
        self.remarks = [remark for source in sources for remark in source.remarks]

    def close(self) -> None:
        """Close all sources."""
        for source in self.sources:
            source.close()

    def require_unchanged(self) -> None:
        """Check that no file changed since it was opened."""
        for source in self.sources:
            source.require_unchanged()

    def place(self, row: int) -> tuple[Path, int]:
        """The file of a row, and the number of the row there."""
        number, row = divmod(row, self.source.shape[0])
        return self.sources[number].place(row)

    def _read(self, start: int, stop: int) -> np.ndarray:
        length, parts = self.source.shape[0], []
        while start < stop:
            number, row = divmod(start, length)
            count = min(stop - start, length - row)
            parts.append(self.sources[number].rows(row, row + count))
            start += count
        return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _name(source: Source) -> str:
    return f"{source.path}: {source.dataset}" if source.dataset else str(source.path)
