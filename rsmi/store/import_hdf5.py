"""Configurations in HDF5 files of other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.store.chunks import FOREIGN_FILTERS, check_chunks, storage_of
from rsmi.store.digest import read_attribute
from rsmi.store.import_conversions import records
from rsmi.store.import_mcising import Mcising, is_mcising
from rsmi.store.names import raw_link_names
from rsmi.store.schema import FORMAT
from rsmi.store.source import EVERY_AXIS, Source, pick, reading

_SLAB = 1 << 24  # bytes read at a time
_LARGEST_CHUNK = 1 << 27  # bytes that HDF5 decompresses at once
_MAX_EXPANSION = 2048  # decoded bytes per stored byte
_DEEPEST = 8
_MOST_OBJECTS = 1 << 16


class _Listed(NamedTuple):
    """What the list of datasets knows of one of them."""

    name: str
    dtype: np.dtype
    ndim: int


class Hdf5Source(Source):
    """One dataset of an HDF5 file, which may begin with a block of another program; it is read in
    slabs of whole chunks.

    Attributes
    ----------
    facts : Mcising, optional
        What the file says about its configurations, if mcising has written it.
    """

    depth = EVERY_AXIS

    def __init__(self, path: Path, dataset: str | None = None, temperature: float | None = None):
        super().__init__(path)
        self.facts: Mcising | None = None
        with reading(path):
            self._file = h5py.File(path, "r", locking=False, rdcc_nbytes=_SLAB)
        try:
            with reading(path):
                self._refuse_ours()
                if dataset is None and is_mcising(self._file):
                    self.facts = Mcising.of(self._file, path, temperature)
                    dataset = self.facts.dataset
                self.dataset = self._choose(dataset)
                self._data = self._file[self.dataset]
                self._check_storage()
            self._accept(self._data.dtype, self._data.shape)
            self._slabs: _Slabs | None = None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        try:
            with reading(self.path):  # HDF5 may notice damage only now
                self._file.close()
        finally:
            super().close()

    def _refuse_ours(self) -> None:
        if (
            "format" in self._file.attrs
            and self._file.attrs.get_id("format").dtype.kind == "S"
            and read_attribute(self._file, "format") == FORMAT.encode()
        ):
            raise UsageError(f"{self.path}: is a file of rsmi already")

    def _choose(self, name: str | None) -> str:
        """The path of the dataset of this name, or of the only one."""
        if name is not None:
            self._check_links(name)
            if isinstance(self._file.get(name), h5py.Dataset):
                return self._file[name].name
        datasets = _datasets(self._file, self.path)
        arrays = [data.name for data in datasets if data.dtype.kind in "iufb" and data.ndim > 0]
        if not arrays:
            raise DataError(f"{self.path}: holds no dataset of numbers{self._others(datasets)}")
        return pick(self.path, name, arrays)

    def _others(self, datasets: list[_Listed]) -> str:
        """What a file without arrays of numbers holds."""
        for data in datasets:
            if data.dtype.names is not None:
                expression = self._expression_of(data.name)
                return f": {data.name} holds {records(data.dtype, *expression)}"
        shown = ", ".join(f"{data.name} of {_kind(data)}" for data in datasets[:10])
        return f", but {shown}" if shown else ""

    def _expression(self) -> tuple[str, ...]:
        return self._expression_of(self.dataset or "/")

    def _expression_of(self, name: str) -> tuple[str, ...]:
        return f"h5py.File({json.dumps(str(self.path))})[{json.dumps(name)}]", "h5py"

    def _check_links(self, name: str) -> None:
        """Refuse a path that leads out of the file, before it is followed."""
        parts = [part for part in name.split("/") if part]
        for depth in range(len(parts)):
            if isinstance(
                self._file.get("/" + "/".join(parts[: depth + 1]), getlink=True), h5py.ExternalLink
            ):
                raise DataError(
                    f"{self.path}: {name}: takes its data from another file, which is not followed"
                )

    def _check_storage(self) -> None:
        data, name = self._data, f"{self.path}: {self.dataset}"
        if data.is_virtual or data.external or data.file.filename != self._file.filename:
            raise DataError(f"{name}: takes its data from another file, which is not followed")
        if data.size is None or data.ndim == 0:
            raise DataError(f"{name}: is no array")
        storage, size = storage_of(data), self.path.stat().st_size
        if storage.nbytes > _MAX_EXPANSION * (size + 1):
            raise DataError(
                f"{name}: claims {storage.nbytes:.3g} bytes, more than the file can hold"
            )
        if storage.chunks and storage.chunk_bytes > _LARGEST_CHUNK:
            raise DataError(
                f"{name}: has chunks of more than {_LARGEST_CHUNK >> 20} MiB: repack it in smaller"
                " ones (h5repack)"
            )
        if not FOREIGN_FILTERS.keys() >= set(storage.filters):
            raise DataError(
                f"{name}: compressed otherwise than by gzip or LZF, which is not read: repack it"
                " (h5repack -f GZIP=4)"
            )
        check_chunks(data, storage, size)

    def _read(self, start: int, stop: int) -> np.ndarray:
        return self._read_box([(start, stop), *((0, size) for size in self._shape[1:])])

    def _read_box(self, bounds: Sequence[tuple[int, int]]) -> np.ndarray:
        """Cut the box out of slabs, which follow one another along its widest divided axis."""
        axis = _widest_divided(self._shape, bounds)
        across = (*bounds[:axis], *bounds[axis + 1 :])
        if self._slabs is None or (self._slabs.axis, self._slabs.across) != (axis, across):
            self._slabs = _Slabs(self._data, self._dtype, axis, across)
        return self._slabs.between(*bounds[axis])


@dataclass
class _Slabs:
    """Slabs of whole chunks of a dataset along one axis; the last one is kept.

    Attributes
    ----------
    data : h5py.Dataset
    dtype : dtype
    axis : int
    across : tuple of (int, int)
        The bounds along the other axes.
    """

    data: h5py.Dataset
    dtype: np.dtype[Any]
    axis: int
    across: tuple[tuple[int, int], ...]
    first: int = 0
    slab: np.ndarray | None = None

    def between(self, start: int, stop: int) -> np.ndarray:
        """The numbers from ``start`` to ``stop`` along the axis."""
        pieces = []
        while start < stop:
            slab = self._slab_with(start)
            own = [slice(None)] * slab.ndim
            own[self.axis] = slice(start - self.first, stop - self.first)
            pieces.append(slab[tuple(own)])
            start += pieces[-1].shape[self.axis]
        return np.concatenate(pieces, self.axis) if len(pieces) > 1 else pieces[0]

    def _slab_with(self, place: int) -> np.ndarray:
        if self.slab is None or not 0 <= place - self.first < self.slab.shape[self.axis]:
            self.first, self.slab = place // self._step * self._step, None  # one slab at a time
            own = [slice(*bound) for bound in self.across]
            own.insert(self.axis, slice(self.first, self.first + self._step))
            self.slab = np.asarray(self.data[tuple(own)]).astype(self.dtype, copy=False)
        return self.slab

    @cached_property
    def _step(self) -> int:
        """The length of a slab: whole chunks, if they fit."""
        others = math.prod(end - first for first, end in self.across)
        fit = max(1, _SLAB // max(1, others * self.data.dtype.itemsize))
        chunk = self.data.chunks[self.axis] if self.data.chunks else 1
        return max(1, fit // chunk) * chunk if chunk <= fit else fit


def _widest_divided(sizes: Sequence[int], bounds: Sequence[tuple[int, int]]) -> int:
    """The axis of the widest bounds, of those that leave something out; 0 if there is none."""
    divided = [axis for axis, size in enumerate(sizes) if bounds[axis] != (0, size)]
    return max(divided, key=lambda axis: bounds[axis][1] - bounds[axis][0], default=0)


def _datasets(
    group: h5py.Group, path: Path, depth: int = 0, datasets: list[_Listed] | None = None
) -> list[_Listed]:
    """The datasets that can be reached by plain links."""
    datasets = [] if datasets is None else datasets
    for name in raw_link_names(group.id) if depth <= _DEEPEST else ():
        if len(datasets) > _MOST_OBJECTS:
            raise DataError(f"{path}: holds too many objects to list: choose by --dataset")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            _datasets(item, path, depth + 1, datasets)
        elif isinstance(item, h5py.Dataset):
            datasets.append(_Listed(item.name, item.dtype, item.ndim))
    return datasets


def _kind(data: _Listed) -> str:
    """What a dataset that is no array of numbers holds, in words."""
    if data.dtype.kind in "iufb":
        return "one number"
    return "text" if data.dtype.kind in "OSU" else f"type {data.dtype}"
