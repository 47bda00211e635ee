"""Checks of the datasets of a file: links, storage, types and shapes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import DataError
from rsmi.store.attributes import LARGEST
from rsmi.store.chunks import FILTERS, check_chunks, filters_of
from rsmi.store.errors import hdf5_errors
from rsmi.store.schema import PROVENANCE, Dataset, Kind

_MAX_EXPANSION = 2048  # decoded bytes per stored byte, more than deflate can reach
_MAX_OBJECTS = 1 << 16
_MAX_DEPTH = 4


def check_datasets(handle: h5py.File, path: Path, kind: Kind) -> None:
    """Check all links and storage, and the type and shape of every dataset of the kind.

    Raises
    ------
    DataError
        If the file breaks the schema, or if HDF5 could not read it safely.
    """
    with hdf5_errors(path, "damaged structure"):
        _check_links(handle, path)
    axes: dict[str, int] = {}
    for entry in PROVENANCE + kind.datasets:
        with hdf5_errors(path, f"dataset {entry.path} is damaged"):
            _check_dataset(handle, path, entry, axes)


def _check_links(group: h5py.Group, path: Path, depth: int = 0, objects: int = 0) -> int:
    """Refuse links out of the file and cycles of links; returns the number of objects so far."""
    for name in group:
        if depth > _MAX_DEPTH or objects > _MAX_OBJECTS:
            raise DataError(
                f"{path}: nested more deeply, or holding more objects, than an rsmi file does"
            )
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise DataError(
                f"{path}: {group.name}/{name} is a link to elsewhere, which is not followed"
            )
        item = group[name]
        objects += 1
        if isinstance(item, h5py.Group):
            objects = _check_links(item, path, depth + 1, objects)
        elif isinstance(item, h5py.Dataset):
            _check_storage(item, path)
        else:
            raise DataError(f"{path}: {item.name} is neither a group nor a dataset")
    return objects


def _check_storage(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse data in other files, sizes that the file cannot hold, and unknown filters."""
    if dataset.is_virtual or dataset.external:
        raise DataError(
            f"{path}: {dataset.name} takes its data from another file, which is not followed"
        )
    if dataset.dtype.kind not in "iufbS":
        raise DataError(f"{path}: {dataset.name} has type {dataset.dtype}, which rsmi does not use")
    if dataset.nbytes > _MAX_EXPANSION * (path.stat().st_size + 1):
        raise DataError(
            f"{path}: {dataset.name} claims {dataset.nbytes:.3g} bytes, more than the file can hold"
        )
    if dataset.chunks and any(chunk > size for chunk, size in zip(dataset.chunks, dataset.shape)):
        raise DataError(f"{path}: {dataset.name} has chunks that are larger than itself")
    if not FILTERS.keys() >= set(filters_of(dataset)):
        raise DataError(f"{path}: {dataset.name} is compressed in a way that rsmi does not use")
    check_chunks(dataset, path.stat().st_size)


def _check_dataset(handle: h5py.File, path: Path, entry: Dataset, axes: dict[str, int]) -> None:
    """Check one dataset against its entry; ``axes`` collects the lengths of the named axes."""
    if entry.path not in handle:
        if entry.required:
            raise DataError(f"{path}: dataset {entry.path} is missing")
        return
    dataset = handle[entry.path]
    if not isinstance(dataset, h5py.Dataset) or not _has_dtype(dataset, entry.dtype):
        raise DataError(
            f"{path}: {entry.path} must be {entry.dtype}, not"
            f" {getattr(dataset, 'dtype', 'a group')}"
        )
    _check_shape(dataset, path, entry, axes)
    if dataset.dtype.kind == "f":
        values = np.abs(dataset[()], dtype=np.float64)
        if ((values > LARGEST) & (values < np.inf)).any():
            raise DataError(f"{path}: {entry.path} holds numbers beyond any meaning")


def _has_dtype(dataset: h5py.Dataset, dtype: str) -> bool:
    """Whether a dataset has one of the types that the schema allows."""
    if dtype == "bytes":
        return dataset.dtype.kind == "S"
    return str(dataset.dtype) in dtype.split(" or ")


def _check_shape(dataset: h5py.Dataset, path: Path, entry: Dataset, axes: dict[str, int]) -> None:
    if dataset.ndim != len(entry.shape):
        raise DataError(
            f"{path}: {entry.path} must have {len(entry.shape)} axes, not {dataset.ndim}"
        )
    for axis, length in zip(entry.shape, dataset.shape):
        expected = axes.setdefault(axis, length) if isinstance(axis, str) else axis
        if length != expected:
            raise DataError(
                f"{path}: {entry.path} has {length} along '{axis}', where {expected} is expected"
            )
