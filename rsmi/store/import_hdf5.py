"""Configurations in HDF5 files of other programs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.store.chunks import FILTERS, check_chunks, filters_of
from rsmi.store.digest import read_attribute
from rsmi.store.import_conversions import records
from rsmi.store.import_mcising import Mcising, is_mcising
from rsmi.store.schema import FORMAT
from rsmi.store.source import Source, pick, reading

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
    """One dataset of an HDF5 file; it is read in slabs of whole chunks.

    Attributes
    ----------
    facts : Mcising, optional
        What the file says about its configurations, if mcising has written it.
    """

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
            self._layout()
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
        if data.nbytes > _MAX_EXPANSION * (self.path.stat().st_size + 1):
            raise DataError(f"{name}: claims {data.nbytes:.3g} bytes, more than the file can hold")
        if data.chunks and math.prod(data.chunks) * data.dtype.itemsize > _LARGEST_CHUNK:
            raise DataError(
                f"{name}: has chunks of more than {_LARGEST_CHUNK >> 20} MiB: repack it in smaller"
                " ones (h5repack)"
            )
        if not FILTERS.keys() >= set(filters_of(data)):
            raise DataError(
                f"{name}: compressed otherwise than by gzip, which is not read: repack it (h5repack"
                " -f GZIP=4)"
            )
        check_chunks(data, self.path.stat().st_size)

    def _layout(self) -> None:
        """Choose the rows in a slab: whole chunks, if they fit."""
        row_bytes = max(1, self._data.nbytes // self._shape[0])
        chunk = self._data.chunks[0] if self._data.chunks else 1
        fit = max(1, _SLAB // row_bytes)
        self._step = max(1, fit // chunk) * chunk if chunk <= fit else fit
        self._slab = (0, np.empty((0, *self._shape[1:]), self._dtype))

    def _read(self, start: int, stop: int) -> np.ndarray:
        pieces = []
        while start < stop:
            first, slab = self._slab
            if not first <= start < first + len(slab):
                first = start // self._step * self._step
                slab = np.asarray(self._data[first : first + self._step]).astype(
                    self._dtype, copy=False
                )
                self._slab = first, slab
            piece = slab[start - first : stop - first]
            pieces.append(piece)
            start += len(piece)
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def _datasets(
    group: h5py.Group, path: Path, depth: int = 0, datasets: list[_Listed] | None = None
) -> list[_Listed]:
    """The datasets that can be reached by plain links."""
    datasets = [] if datasets is None else datasets
    for name in group if depth <= _DEEPEST else ():
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
