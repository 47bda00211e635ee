"""Checks of the datasets of a file: links, storage, types and shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import DataError
from rsmi.store.attributes import LARGEST
from rsmi.store.chunks import FILTERS, Storage, check_chunks, storage_of
from rsmi.store.errors import hdf5_errors
from rsmi.store.names import link_names
from rsmi.store.schema import PROVENANCE, Dataset, Kind

_MAX_EXPANSION = 2048  # decoded bytes per stored byte, more than deflate can reach
# What all datasets together may take beyond what is stored of them: a part that does not depend on
# the size of the file, and a multiple of it. Shards are read in pieces and may be larger.
_FREE_BYTES, _USUAL_EXPANSION = 1 << 26, 16
_LARGEST_CHUNK = 1 << 26  # bytes that are decompressed at once
_BYTES_AT_ONCE = 1 << 24
_MAX_OBJECTS = 1 << 16
_MAX_DEPTH = 4


def check_datasets(handle: h5py.File, path: Path, kind: Kind) -> dict[str, h5py.Dataset]:
    """Check all links and storage, and the type and shape of every dataset of the kind.

    Returns
    -------
    dict
        All datasets of the file, by their absolute path.

    Raises
    ------
    DataError
        If the file breaks the schema, or if HDF5 could not read it safely.
    """
    with hdf5_errors(path, "damaged structure"):
        objects, storages = _walk(handle, path)
    datasets = {name: item for name, item in objects.items() if isinstance(item, h5py.Dataset)}
    with hdf5_errors(path, "damaged storage"):
        _check_total(datasets, storages, path, pieces=bool(kind.whole))
        for name, dataset in datasets.items():
            check_chunks(dataset, storages[name], path.stat().st_size)
    axes: dict[str, int] = {}
    for entry in PROVENANCE + kind.datasets:
        with hdf5_errors(path, f"dataset {entry.path} is damaged"):
            _check_dataset(objects.get(entry.path), path, entry, axes)
    return datasets


def _walk(
    handle: h5py.File, path: Path
) -> tuple[dict[str, h5py.Group | h5py.Dataset], dict[str, Storage]]:
    """All groups and datasets of a file by their path, and how the datasets are stored.

    Links elsewhere and cycles are refused.
    """
    size = path.stat().st_size
    objects: dict[str, h5py.Group | h5py.Dataset] = {}
    storages: dict[str, Storage] = {}
    waiting = [("", handle["/"])]
    while waiting:
        prefix, group = waiting.pop()
        links = group.id.links
        for name in link_names(group.id):
            place, key = f"{prefix}/{name}", name.encode()
            if place.count("/") > _MAX_DEPTH + 1 or len(objects) > _MAX_OBJECTS:
                raise DataError(
                    f"{path}: nested more deeply, or holding more objects, than an rsmi file does"
                )
            if links.get_info(key).type != h5py.h5l.TYPE_HARD:
                raise DataError(f"{path}: {place} is a link to elsewhere, which is not followed")
            item = h5py.h5o.open(group.id, key)
            if isinstance(item, h5py.h5g.GroupID):
                objects[place] = child = h5py.Group(item)
                waiting.append((place, child))
            elif isinstance(item, h5py.h5d.DatasetID):
                objects[place] = dataset = h5py.Dataset(item, readonly=True)
                storages[place] = storage = storage_of(dataset)
                _check_storage(storage, place, path, size)
            else:
                raise DataError(f"{path}: {place} is neither a group nor a dataset")
    return objects, storages


def _check_storage(storage: Storage, name: str, path: Path, size: int) -> None:
    """Refuse data in other files, sizes that the file cannot hold, and unknown filters."""
    if storage.elsewhere:
        raise DataError(f"{path}: {name} takes its data from another file, which is not followed")
    if storage.dtype.kind not in "iufbS":
        raise DataError(f"{path}: {name} has type {storage.dtype}, which rsmi does not use")
    if storage.nbytes > _MAX_EXPANSION * (size + 1):
        raise DataError(
            f"{path}: {name} claims {storage.nbytes:.3g} bytes, more than the file can hold"
        )
    if not storage.chunks:
        return
    if any(chunk > length for chunk, length in zip(storage.chunks, storage.shape)):
        raise DataError(f"{path}: {name} has chunks that are larger than itself")
    if not FILTERS.keys() >= set(storage.filters):
        raise DataError(f"{path}: {name} is compressed in a way that rsmi does not use")
    if storage.compressed and storage.chunk_bytes > _LARGEST_CHUNK:
        raise DataError(f"{path}: {name} has chunks of more than {_LARGEST_CHUNK >> 20} MiB")


def _check_total(
    datasets: dict[str, h5py.Dataset], storages: dict[str, Storage], path: Path, pieces: bool
) -> None:
    """Refuse datasets that take far more memory than the file has bytes."""
    size = path.stat().st_size
    stored = sum(dataset.id.get_storage_size() for dataset in datasets.values())
    decoded = sum(storage.nbytes for storage in storages.values())
    most = _FREE_BYTES + _USUAL_EXPANSION * size
    if stored > size or (decoded - stored > most and not pieces):
        raise DataError(
            f"{path}: claims {decoded:.3g} bytes of data, more than a file of {size} bytes can hold"
        )


def _check_dataset(
    dataset: h5py.Group | h5py.Dataset | None, path: Path, entry: Dataset, axes: dict[str, int]
) -> None:
    """Check one dataset against its entry; ``axes`` collects the lengths of the named axes."""
    if dataset is None:
        if entry.required:
            raise DataError(f"{path}: dataset {entry.path} is missing")
        return
    if not isinstance(dataset, h5py.Dataset) or not _has_dtype(dataset, entry.dtype):
        raise DataError(
            f"{path}: {entry.path} must be {entry.dtype}, not"
            f" {getattr(dataset, 'dtype', 'a group')}"
        )
    _check_shape(dataset, path, entry, axes)
    if dataset.dtype.kind == "f" and any(map(_is_meaningless, _pieces(dataset))):
        raise DataError(f"{path}: {entry.path} holds numbers beyond any meaning")


def _pieces(dataset: h5py.Dataset) -> Iterator[np.ndarray]:
    """The values of a dataset, some rows at a time."""
    if dataset.ndim == 0:
        yield np.asarray(dataset[()])
        return
    row_bytes = math.prod(dataset.shape[1:]) * dataset.dtype.itemsize
    step = max(1, _BYTES_AT_ONCE // max(1, row_bytes))
    for start in range(0, dataset.shape[0], step):
        yield dataset[start : start + step]


def _is_meaningless(values: np.ndarray) -> bool:
    sizes = np.abs(values, dtype=np.float64)
    return bool(((sizes > LARGEST) & (sizes < np.inf)).any())


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
