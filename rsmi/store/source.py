"""Files of other programs, as sources of configurations.

A source returns rows of numbers as they are in the file; `rsmi.stages.import_` interprets them. A
file may be far larger than the memory: rows are read and never mapped, because mapped pages count
as used memory, and archives and texts are read as streams. Nothing is unpickled. A size in a header
is not believed before the file is seen to have it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from rsmi.errors import DataError, Failure, RsmiError, UsageError, shortage
from rsmi.store.import_conversions import records


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Report any error while a file of another program is read as a DataError."""
    try:
        yield
    except RsmiError:
        raise
    except Exception as error:  # numpy, zipfile and h5py raise many kinds of errors
        if lacking := shortage(error):
            raise Failure(f"{path}: cannot be read: {lacking}") from error
        detail = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{path}: damaged or no plain array of numbers ({detail})") from error


class Source(ABC):
    """A file of another program, read as an array (n, ...) of numbers.

    It can be an input of a request, like a file of rsmi. A subclass calls `_accept` with the type
    and the shape of the array, and it reads rows in `_read`.

    Attributes
    ----------
    path : Path
    attributes : dict
    dataset : str, optional
        The name of the array in the file, if the file can hold several.
    depth : int
        The number of leading axes along which a part of the array is read without the rest, from
        the first number on to the last.
    inputs : tuple of Source
        The files that the array is made of, one after another: most often itself.
    remarks : sequence of str
        What a user should know of how the file is read: whole sentences.
    """

    attributes: dict[str, Any] = {"command": "source"}
    dataset: str | None = None
    depth = 1
    remarks: Sequence[str] = ()
    _dtype: np.dtype[Any]
    _shape: tuple[int, ...]

    def __init__(self, path: Path):
        self.path = path
        self._opened: BinaryIO = path.open("rb")
        self._stream: IO[bytes] = self._opened
        self.inputs: tuple[Source, ...] = (self,)
        self._stamp = _stamp(self._opened)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 digest of all bytes of the file, in hexadecimal digits."""
        with self.path.open("rb") as stream:
            self._require(_stamp(stream))
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def parameters(self) -> dict[str, Any]:
        """The size of the file and the name of the array: what identifies the array, with the
        digest."""
        return {"bytes": self._stamp[0]} | ({"dataset": self.dataset} if self.dataset else {})

    def ancestors(self) -> list[dict]:
        """The ancestors of a file of another program are not known."""
        return []

    def require_unchanged(self) -> None:
        """Check that the file did not change since it was opened; a removed file can still be read.

        Raises
        ------
        Failure
            If it changed.
        """
        self._require(_stamp(self._opened))

    def _require(self, stamp: tuple[int, int, int]) -> None:
        if stamp != self._stamp:
            raise Failure(f"{self.path}: was changed while it was being imported")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape (n, ...) of the array; the first axis counts configurations."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        return self._dtype

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop`` as they are in the file; bool becomes uint8."""
        with reading(self.path):
            return self._read(start, stop)

    def box(self, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
        """The part of the array between the bounds (first, end) along every axis."""
        with reading(self.path):
            return self._read_box(bounds)

    def _read_box(self, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
        rows = self._read(*bounds[0])
        return rows[(slice(None), *(slice(*bound) for bound in bounds[1:]))]

    def place(self, row: int) -> tuple[Path, int]:
        """The file of a row, and the number of the row there."""
        return self.path, row

    @abstractmethod
    def _read(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop``, one of ``shape[1:]`` for each configuration."""

    def _accept(self, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        """Check the type and the shape of the array, and keep them."""
        name = f"{self.path}: {self.dataset}" if self.dataset else str(self.path)
        if dtype.hasobject:
            raise DataError(
                f"{name}: holds Python objects, which are never unpickled: save plain numbers"
            )
        if dtype.names is not None or dtype.subdtype is not None:
            raise DataError(f"{name}: holds {records(dtype, *self._expression())}")
        if dtype.kind not in "iufb":
            raise DataError(
                f"{name}: holds {dtype}, where integers, bool or real numbers are needed"
            )
        if not shape or min(shape) < 1:
            raise DataError(f"{name}: is empty (shape {list(shape)})")
        if math.prod(shape[1:]) >= 1 << 31:
            raise DataError(
                f"{name}: a configuration of shape {list(shape[1:])} has 2^31 sites or more"
            )
        self._dtype = np.dtype(np.uint8) if dtype.kind == "b" else dtype
        self._shape = tuple(int(size) for size in shape)

    def _expression(self) -> tuple[str, ...]:
        """The array as a Python expression, and the modules that it needs beside numpy."""
        array = f"numpy.load({json.dumps(str(self.path))})"
        return (f"{array}[{json.dumps(self.dataset)}]" if self.dataset else array,)


EVERY_AXIS = 1 << 30  # the depth of an array of which any part can be read in any order


def _stamp(stream: BinaryIO) -> tuple[int, int, int]:
    """Size, time of the last change, and number of a file: they show whether it changed."""
    facts = os.fstat(stream.fileno())
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def pick(path: Path, name: str | None, arrays: Sequence[str]) -> str:
    """The array of a file that ``--dataset`` names, or the only one in the file.

    Raises
    ------
    UsageError
        If there is no array of this name, or if there are several and none is named.
    DataError
        If there is no array at all.
    """
    if not arrays:
        raise DataError(f"{path}: holds no array")
    shown = ", ".join(arrays[:10]) + (" ..." if len(arrays) > 10 else "")
    if name is None and len(arrays) > 1:
        raise UsageError(f"{path}: holds {len(arrays)} arrays: choose by --dataset one of {shown}")
    if name is not None and name not in arrays:
        raise UsageError(f"{path}: has no {name}: --dataset is one of {shown}")
    return arrays[0] if name is None else name
