"""Writing: a file appears under its final name only when it is complete, checked and on the
disk."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

import rsmi
from rsmi.errors import Failure
from rsmi.store import schema
from rsmi.store.digest import canonical_json, content_digest, file_uuid

_CHUNK_BYTES = 1 << 20
LAYOUT = {"libver": ("v110", "v110")}  # HDF5 1.10 (2016) and later: its metadata carry checksums


class Writer:
    """Fills an open file; handed to the stage by :func:`publish`."""

    def __init__(self, handle: h5py.File):
        self._handle = handle

    def dataset(self, path: str, shape: tuple[int, ...], dtype: str, **storage) -> h5py.Dataset:
        """Create an empty dataset, checksummed and chunked by rows, to be filled by slices;
        ``storage`` as in :func:`create_dataset`."""
        return create_dataset(self._handle, path, shape, dtype, **storage)

    def write(self, path: str, array, **storage) -> None:
        """Store a whole array; ``storage`` as in :func:`create_dataset`."""
        array = np.asarray(array)
        create_dataset(self._handle, path, array.shape, array.dtype, **storage)[...] = array

    def state(self, task: str, state: dict[str, np.ndarray]) -> None:
        """Keep a task's checkpoint, so that the file can be extended."""
        for name, array in state.items():
            self.write(f"/state/{task}/{name}", array)


def create_dataset(
    handle: h5py.File, path: str, shape: tuple[int, ...], dtype, compress: bool = False
) -> h5py.Dataset:
    """A dataset with a checksum; scalars and empty arrays cannot have one. ``compress``: for large
    arrays of small numbers."""
    if not shape or 0 in shape:
        return handle.create_dataset(path, shape=shape, dtype=dtype)
    row_bytes = max(1, np.dtype(dtype).itemsize * int(np.prod(shape[1:], dtype=np.int64)))
    rows = min(shape[0], max(1, _CHUNK_BYTES // row_bytes))
    filters = {"compression": "gzip", "shuffle": True} if compress else {}
    return handle.create_dataset(
        path, shape=shape, dtype=dtype, chunks=(rows, *shape[1:]), fletcher32=True, **filters
    )


class _Disk(io.FileIO):
    """A file that hides a failing disk from HDF5, which would crash, and keeps the error for us."""

    def __init__(self, path: Path):
        super().__init__(path, "w+")
        self.error: OSError | None = None

    def try_room(self, size: int) -> None:
        """Try whether there is room, before any work is spent on a file that would not fit."""
        try:
            os.posix_fallocate(self.fileno(), 0, size + size // 32 + (1 << 16))
            self.truncate(0)
        except OSError as error:
            if error.errno not in (
                errno.EOPNOTSUPP,
                errno.EINVAL,
                errno.ENOSYS,
            ):  # a file system without the call: try writing
                raise

    def write(self, content) -> int:
        view = memoryview(content).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += super().write(view[done:])
            except OSError as error:
                self.error = error
        return len(view)

    def close(self) -> None:
        """Sync and close; raises what went wrong on the way."""
        failed, self.error = self.error, None
        if not self.closed and failed is None:
            os.fsync(self.fileno())
        super().close()
        if failed is not None:
            raise failed


def publish(
    path: Path,
    temporary: Path,
    kind: str,
    header: dict,
    attributes: dict,
    ancestors: list[dict],
    run: dict,
    fill,
    expected_bytes: int,
) -> str:
    """Write ``temporary``, sync it, rename it to ``path``; returns the content digest.

    Parameters
    ----------
    header : dict
        command, parameters, parameters_digest, inputs (see SCHEMA.md).
    attributes, run : dict
        The kind's own attributes; the volatile facts. None values are left out.
    fill : callable(Writer)
        Stores the datasets.
    expected_bytes : int
        Tried before HDF5 starts, so that a full disk is noticed early.
    """
    with disk_errors(path):
        try:
            with _Disk(temporary) as disk:
                disk.try_room(expected_bytes)
                with h5py.File(disk, "w", **LAYOUT) as handle:
                    _write_attributes(handle, kind, header, attributes)
                    fill(Writer(handle))
                    _write_provenance(handle, ancestors, run)
                    digest = content_digest(handle)
                    write_text(handle, "digest", digest)
                    write_text(handle, "uuid", file_uuid(digest))
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    return digest


def _write_attributes(handle: h5py.File, kind: str, header: dict, attributes: dict) -> None:
    common = {
        "format": schema.FORMAT,
        "kind": kind,
        "format_version": schema.FORMAT_VERSION,
        "software": f"rsmi {rsmi.__version__}",
        **header,
    }
    for attribute in schema.COMMON_ATTRIBUTES + schema.KINDS[kind].attributes:
        value = common.get(attribute.name, attributes.get(attribute.name))
        if value is not None:
            _ENCODERS[attribute.type](handle, attribute.name, value)
        elif attribute.required and attribute.name not in _KNOWN_LAST:
            raise KeyError(f"{kind} files need the attribute {attribute.name}")
    unknown = set(attributes) - {a.name for a in schema.KINDS[kind].attributes}
    if unknown:
        raise KeyError(f"attributes missing from the schema of {kind}: {sorted(unknown)}")


def write_text(handle: h5py.Group, name: str, text: str) -> None:
    """A text attribute of fixed length: HDF5 keeps texts of variable length where no checksum
    guards them."""
    content = text.encode()
    handle.attrs.create(name, content, dtype=h5py.string_dtype("utf-8", max(1, len(content))))


def _write_number(handle: h5py.Group, name: str, value, dtype=np.int64) -> None:
    handle.attrs[name] = np.asarray(value, dtype=dtype)


_KNOWN_LAST = ("digest", "uuid")
_ENCODERS = {
    "text": write_text,
    "json": lambda handle, name, value: write_text(handle, name, canonical_json(value)),
    "integer": _write_number,
    "number": functools.partial(_write_number, dtype=np.float64),
    "integers": _write_number,
    "flag": _write_number,
}


def _write_provenance(handle: h5py.File, ancestors: list[dict], run: dict) -> None:
    handle.create_dataset("/provenance/ancestors", data=np.bytes_(canonical_json(ancestors)))
    group = handle.create_group("/provenance/run")
    for name, value in (
        run | {"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version}
    ).items():
        write_text(group, name, value if isinstance(value, str) else json.dumps(value))


@contextmanager
def disk_errors(path: Path):
    """Turn what the operating system (or HDF5 on its behalf) refuses into one sentence."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        code = error.errno if isinstance(error, OSError) and error.errno else _errno_in(str(error))
        if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            limit = "file size limit reached" if code == errno.EFBIG else "disk full"
            raise Failure(
                f"{path}: {limit}; what is done so far is kept: make room and run the same command"
                " again"
            ) from error
        if code in (errno.ENOENT, errno.ENOTEMPTY):  # gone, or being emptied by somebody
            raise Failure(
                f"{path}: the folder was removed while its output was being made"
            ) from error
        if code:
            raise Failure(f"{path}: cannot be written ({os.strerror(code)})") from error
        raise


def _errno_in(message: str) -> int | None:
    found = re.search(r"errno = (\d+)", message)
    return int(found.group(1)) if found else None


def sync_folder(path: Path) -> None:
    """Force a folder's entries (a rename) to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
