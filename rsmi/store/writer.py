"""Writing: a file appears under its final name only when it is complete and on the disk."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import rsmi
from rsmi import first_look
from rsmi.store.digest import canonical_json, content_digest, datasets_of, file_uuid
from rsmi.store.disk import disk_errors, sync, sync_folder
from rsmi.store.folder import Folder
from rsmi.store.schema import COMMON_ATTRIBUTES, FORMAT, KINDS, OLDEST_WRITTEN

_CHUNK_BYTES = 1 << 20
# The metadata of HDF5 1.10 (2016) and later carry checksums.
LAYOUT: dict[str, Any] = {"libver": ("v110", "v110")}


class Writer:
    """Stores the datasets of a file that is being published (see `publish`)."""

    def __init__(self, handle: h5py.File):
        self._handle = handle

    def dataset(
        self, path: str, shape: tuple[int, ...], dtype: DTypeLike, compress: bool = False
    ) -> h5py.Dataset:
        """Create an empty dataset, to be filled by slices; see `create_dataset`."""
        return create_dataset(self._handle, path, shape, dtype, compress)

    def write(self, path: str, values: ArrayLike, compress: bool = False) -> None:
        """Store a whole array; see `create_dataset`."""
        array = np.asarray(values)
        create_dataset(self._handle, path, array.shape, array.dtype, compress, array)

    def __contains__(self, path: str) -> bool:
        return path in self._handle

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of a dataset that was stored."""
        return self._handle[path].shape

    def read(self, path: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """A dataset that was stored, or its rows ``start:stop``."""
        return np.asarray(self._handle[path][start:stop])

    def attribute(self, name: str, value: Any) -> None:
        """Store an attribute of the kind that depends on what was stored before."""
        kind = self._handle.attrs["kind"].decode()
        types = {one.name: one.type for one in KINDS[kind].attributes}
        _ENCODERS[types[name]](self._handle, name, value)

    def state(self, task: str, state: Mapping[str, np.ndarray]) -> None:
        """Store the state of a task, so that the file can be extended."""
        for name, array in state.items():
            self.write(f"/state/{task}/{name}", array)


def _chunk_rows(rows: int, row_bytes: int) -> int:
    return min(rows, max(1, _CHUNK_BYTES // max(1, row_bytes)))


def stored_bytes(rows: int, row_bytes: int) -> int:
    """The bytes that rows of so many bytes take in a dataset: whole chunks are stored."""
    chunk = _chunk_rows(rows, row_bytes)
    return -(-rows // chunk) * chunk * row_bytes if rows else 0


def create_dataset(
    handle: h5py.File,
    path: str,
    shape: tuple[int, ...],
    dtype: DTypeLike,
    compress: bool = False,
    data: np.ndarray | None = None,
) -> h5py.Dataset:
    """Create a dataset that is chunked by rows and has checksums, and store ``data`` if given.

    Scalars and empty arrays cannot have checksums. ``compress`` is useful for large arrays of small
    numbers.
    """
    settings: dict[str, Any] = {"shape": shape, "dtype": dtype, "data": data}
    if not shape or 0 in shape:
        return handle.create_dataset(path, **settings)
    row_bytes = np.dtype(dtype).itemsize * int(np.prod(shape[1:], dtype=np.int64))
    rows = _chunk_rows(shape[0], row_bytes)
    filters: dict[str, Any] = {"compression": "gzip", "shuffle": True} if compress else {}
    chunks = (rows, *shape[1:])
    return handle.create_dataset(path, chunks=chunks, fletcher32=True, **settings, **filters)


class _Disk(io.FileIO):
    """A file that keeps the errors of the disk until it is closed, because HDF5 would crash on
    them."""

    def __init__(self, folder: Folder, name: str):
        with folder.create(name) as stream:
            super().__init__(os.dup(stream.fileno()), "r+")
        self.error: OSError | None = None

    def try_room(self, size: int) -> None:
        """Check that the disk has room, before any work is spent on a file that does not fit.

        Raises
        ------
        OSError
            If there is no room. A file system or an operating system without the system call is
            not checked.
        """
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self.fileno(), 0, size + size // 32 + (1 << 16))
            self.truncate(0)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += super().write(view[done:])
            except OSError as error:
                self.error = error
        return len(view)

    def close(self) -> None:
        """Sync and close the file.

        Raises
        ------
        OSError
            The first error since the file was opened.
        """
        failed, self.error = self.error, None
        if not self.closed and failed is None:
            sync(self.fileno())
        super().close()
        if failed is not None:
            raise failed


def publish(
    path: Path,
    folder: Folder,
    kind: str,
    header: Mapping[str, Any],
    attributes: Mapping[str, Any],
    ancestors: list[dict],
    run: Mapping[str, Any],
    fill: Callable[[Writer], None],
    expected_bytes: int,
) -> str:
    """Write a file under a temporary name, sync it, and rename it.

    Parameters
    ----------
    path : Path
        The final name.
    folder : Folder
        Where the file grows under a temporary name; it is on the same file system.
    kind : str
        A key of `rsmi.store.schema.KINDS`.
    header : mapping
        The attributes command, parameters, parameters_digest and inputs (see SCHEMA.md).
    attributes : mapping
        The attributes of the kind; those that are None are left out.
    ancestors : list of dict
        The files that this one is made from, oldest first.
    run : mapping
        The facts of the run, which influence no result.
    fill : callable
        Stores the datasets; it is called with a Writer.
    expected_bytes : int
        The approximate size. It is tried before HDF5 starts, so that a full disk is noticed early.

    Returns
    -------
    str
        The content digest.

    Raises
    ------
    Failure
        If the disk fails.
    """
    with disk_errors(path):
        with folder.temporary("final") as temporary:
            with _Disk(folder, temporary) as disk:
                disk.try_room(expected_bytes)
                with h5py.File(disk, "w", **LAYOUT) as handle:
                    root = handle["/"]
                    _write_attributes(root, kind, header, attributes)
                    fill(Writer(handle))
                    datasets = datasets_of(handle)
                    _write_number(root, "format_version", _version_of(root, datasets, kind))
                    _write_provenance(handle, ancestors, run)
                    digest = content_digest(handle, datasets)
                    write_text(root, "digest", digest)
                    write_text(root, "uuid", file_uuid(digest))
            os.replace(temporary, path, src_dir_fd=folder.descriptor)
        sync_folder(path.parent)
    first_look.trust(path)
    return digest


def _write_attributes(
    root: h5py.Group, kind: str, header: Mapping[str, Any], attributes: Mapping[str, Any]
) -> None:
    common = {
        "format": FORMAT,
        "kind": kind,
        "software": f"rsmi {rsmi.__version__}",
        **header,
    }
    for attribute in COMMON_ATTRIBUTES + KINDS[kind].attributes:
        value = common.get(attribute.name, attributes.get(attribute.name))
        if value is not None:
            _ENCODERS[attribute.type](root, attribute.name, value)
        elif attribute.required and attribute.name not in _KNOWN_LAST:
            raise KeyError(f"{kind} files need the attribute {attribute.name}")
    unknown = set(attributes) - {a.name for a in KINDS[kind].attributes}
    if unknown:
        raise KeyError(f"attributes missing from the schema of {kind}: {sorted(unknown)}")


def _version_of(
    root: h5py.Group, datasets: Mapping[str, h5py.Dataset], kind: str
) -> tuple[int, int]:
    """The oldest format version that has everything the file holds."""
    entries, present = KINDS[kind], set(root.attrs)
    versions = [OLDEST_WRITTEN]
    versions += [one.since for one in entries.attributes if one.name in present]
    for one in entries.datasets:
        if one.path in datasets:
            later = dict(one.later).get(str(datasets[one.path].dtype), one.since)
            versions.append(max(one.since, later))
    return max(versions)


def write_text(handle: h5py.Group, name: str, text: str) -> None:
    """Write a text attribute of fixed length.

    HDF5 stores texts of variable length where no checksum guards them.
    """
    content = text.encode()
    handle.attrs.create(name, content, dtype=h5py.string_dtype("utf-8", max(1, len(content))))


def _write_number(
    handle: h5py.Group, name: str, value: ArrayLike, dtype: DTypeLike = np.int64
) -> None:
    handle.attrs[name] = np.asarray(value, dtype=dtype)


_KNOWN_LAST = ("digest", "uuid", "format_version")
_ENCODERS: dict[str, Callable[[h5py.Group, str, Any], None]] = {
    "text": write_text,
    "json": lambda handle, name, value: write_text(handle, name, canonical_json(value)),
    "integer": _write_number,
    "number": functools.partial(_write_number, dtype=np.float64),
    "integers": _write_number,
    "flag": _write_number,
}


def _write_provenance(handle: h5py.File, ancestors: list[dict], run: Mapping[str, Any]) -> None:
    handle.create_dataset("/provenance/ancestors", data=np.bytes_(canonical_json(ancestors)))
    group = handle.create_group("/provenance/run")
    versions = {"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version}
    for name, value in {**run, **versions}.items():
        write_text(group, name, value if isinstance(value, str) else json.dumps(value))
