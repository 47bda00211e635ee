"""Configurations in NPY and NPZ files."""

from __future__ import annotations

import io
import itertools
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from rsmi.errors import DataError
from rsmi.store.import_conversions import torch_archive
from rsmi.store.source import EVERY_AXIS, Source, pick, reading

_LARGEST_MEMBER = 1 << 26  # bytes of a compressed array that may be held in memory
_MAX_DEFLATION = 1100  # decoded bytes per stored byte; deflate reaches 1032


class NpySource(Source):
    """One array in an NPY file, in C or Fortran order."""

    depth = EVERY_AXIS

    def __init__(self, path: Path):
        super().__init__(path)
        self._describe(self._stream, self._stamp[0])

    def _describe(self, stream: IO[bytes], size: int) -> None:
        """Read the header. The array must fill the rest of the ``size`` bytes exactly."""
        with reading(self.path):
            version = np.lib.format.read_magic(stream)
            if version not in ((1, 0), (2, 0)):
                raise DataError(
                    f"{self.path}: NPY version {version[0]}.{version[1]}, used for records only;"
                    " save one plain array of spins"
                )
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, self._fortran, dtype = read(stream)
            self._offset = stream.tell()
        self._accept(dtype, shape)
        claimed, there = math.prod(self._shape) * self._dtype.itemsize, size - self._offset
        if claimed != there:
            raise DataError(
                f"{self.path}: the header claims {claimed} bytes of numbers and the file has"
                f" {there}: {'truncated' if there < claimed else 'not one array'}, or damaged"
            )

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self._read_box([(start, stop), *((0, size) for size in self._shape[1:])])

    def _read_box(self, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
        """Read the runs of neighbouring numbers that make up the box."""
        order = slice(None, None, -1 if self._fortran else 1)
        sizes, limits = self._shape[order], tuple(bounds)[order]
        axis = _last_divided(sizes, limits)
        run, (first, end) = math.prod(sizes[axis + 1 :]), limits[axis]
        runs = [
            self._numbers(
                (_flat(index, sizes[:axis]) * sizes[axis] + first) * run, (end - first) * run
            )
            for index in itertools.product(*(range(*limit) for limit in limits[:axis]))
        ]
        box = np.concatenate(runs) if len(runs) > 1 else runs[0]
        box = box.reshape([end - first for first, end in limits])
        return box.T if self._fortran else box

    def _numbers(self, first: int, count: int) -> np.ndarray:
        self._stream.seek(self._offset + first * self._dtype.itemsize)
        content = self._stream.read(count * self._dtype.itemsize)
        return np.frombuffer(content, self._dtype, count)


def _last_divided(sizes: Sequence[int], limits: Sequence[tuple[int, int]]) -> int:
    """The last axis along which the limits leave something out; 0 if there is none."""
    divided = [axis for axis, size in enumerate(sizes) if limits[axis] != (0, size)]
    return max(divided, default=0)


def _flat(index: Sequence[int], sizes: Sequence[int]) -> int:
    """The number of an element of an array in C order."""
    place = 0
    for number, size in zip(index, sizes):
        place = place * size + number
    return place


class NpzSource(NpySource):
    """One array in an NPZ archive, stored or deflated; it is decompressed as a stream."""

    def __init__(self, path: Path, member: str | None):
        Source.__init__(self, path)
        with reading(path):
            self._archive = zipfile.ZipFile(self._stream)
            info = self._choose(member)
            if info.flag_bits & 1 or info.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise DataError(
                    f"{path}: {info.filename} is encrypted or compressed in a way that numpy does"
                    " not use"
                )
            if info.file_size > _MAX_DEFLATION * (info.compress_size + 1):
                raise DataError(
                    f"{path}: {info.filename} claims {info.file_size:.3g} bytes, more than the"
                    " archive can hold"
                )
            self._stream = self._archive.open(info)
        self._describe(self._stream, info.file_size)
        self.depth = len(self._shape)
        if self._fortran:
            self._hold(info)
            self.depth = EVERY_AXIS

    def _choose(self, member: str | None) -> zipfile.ZipInfo:
        members = {
            info.filename.removesuffix(".npy"): info
            for info in self._archive.infolist()
            if info.filename.endswith(".npy")
        }
        names = [info.filename for info in self._archive.infolist()]
        if not members and any(name.endswith("/data.pkl") for name in names):
            raise DataError(f"{self.path}: is {torch_archive(self.path)}")
        if not members:
            shown = ", ".join(names[:10]) or "nothing"
            raise DataError(
                f"{self.path}: holds no array: of NPZ these end in .npy, here is {shown}"
            )
        self.dataset = pick(self.path, member and member.removesuffix(".npy"), list(members))
        return members[self.dataset]

    def _hold(self, info: zipfile.ZipInfo) -> None:
        """Hold an array in Fortran order in memory, because a stream can only be read forwards."""
        if info.file_size > _LARGEST_MEMBER:
            raise DataError(
                f"{self.path}: {self.dataset} is in Fortran order, which an archive cannot be read"
                " in: save it by numpy.save, or in C order"
            )
        with reading(self.path):
            self._stream.seek(0)
            content = self._stream.read()
        self._stream.close()
        self._stream = io.BytesIO(content)

    def close(self) -> None:
        """Close the archive."""
        self._stream.close()
        self._archive.close()
        if self._archive.fp is not None:
            self._archive.fp.close()
