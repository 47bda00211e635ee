"""Opening files, which may be damaged or hostile: every file is checked before it is believed."""

from __future__ import annotations

import copyreg
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from rsmi import first_look
from rsmi.errors import DataError, Failure, UsageError, shortage
from rsmi.store.attributes import DECODERS
from rsmi.store.consistency import check_consistency
from rsmi.store.digest import read_attribute
from rsmi.store.errors import hdf5_errors
from rsmi.store.file import File
from rsmi.store.look import exercise_memory, touch_everything
from rsmi.store.schema import FORMAT, FORMAT_VERSION, KINDS
from rsmi.store.unfinished_work import folder_of_parts

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def open_file(path: str | Path, kind: str | None = None) -> Iterator[File]:
    """Open a file of rsmi for reading.

    The content of a small file is compared with its stored digest; `File.verify` does the same for
    samples and shards, which may be larger than the memory.

    Parameters
    ----------
    path : str or Path
    kind : str, optional
        The required kind, a key of `rsmi.store.schema.KINDS`; any kind by default.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If the file is not HDF5, is truncated, is of another kind or of a newer major version,
        breaks its schema, or contradicts itself; or if it is small and was changed after it was
        written.
    """
    path = Path(path)
    _require_signature(path)
    first_look.look(path, lambda path: _rehearse(path, kind))
    handle = _open_hdf5(path)
    try:
        yield _checked(handle, path, kind)
    finally:
        with hdf5_errors(path, "damaged HDF5 file"):  # HDF5 may notice damage only now
            handle.close()


def _rehearse(path: Path, kind: str | None) -> None:
    """Open and close a file as `open_file` does, and go through what it does not read."""
    handle = _open_hdf5(path)
    try:
        if not KINDS[_checked(handle, path, kind).kind].small:
            touch_everything(path)
    finally:
        handle.close()
        exercise_memory()


def _checked(handle: h5py.File, path: Path, kind: str | None) -> File:
    file = File(handle, path, _identify(handle, path, kind))
    with hdf5_errors(path, "inconsistent"):
        check_consistency(file)
    if KINDS[file.kind].small:
        file.verify()
    return file


# ---- files as arguments of tasks in other processes ----------------------------------------------


def _reduce(file: File) -> tuple[Callable[..., File], tuple[Any, ...]]:
    """A file is pickled as its path and its digest, without its content."""
    return _reopen, (str(file.path.absolute()), file.kind, file.digest)


def _reopen(path: str, kind: str, digest: str) -> File:
    """The file that another process has pickled; it is closed when the object is deleted."""
    _require_signature(Path(path))
    file = _checked(_open_hdf5(Path(path)), Path(path), kind)
    if file.digest != digest:
        raise DataError(f"{path}: was replaced by another file while it was being read")
    return file


copyreg.pickle(File, _reduce)


# ---- format and kind -----------------------------------------------------------------------------


def _require_signature(path: Path) -> None:
    if _head(path) != _SIGNATURE:
        raise DataError(f"{path}: not an HDF5 file (a samples file is made by 'rsmi sample')")


def _open_hdf5(path: Path) -> h5py.File:
    with hdf5_errors(path, "truncated or damaged HDF5 file"):
        return h5py.File(path, "r", locking=False)  # a published file never changes


def _head(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file")
        with path.open("rb") as stream:
            return stream.read(len(_SIGNATURE))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path}: {_absence(path)}") from error
    except (OSError, ValueError) as error:  # ValueError: the name contains a null character
        if lacking := shortage(error):
            raise Failure(f"{path}: cannot be read: {lacking}") from error
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error


def _absence(path: Path) -> str:
    folder = folder_of_parts(path)
    if folder.is_dir():
        return f"no such file yet: 'rsmi info {folder}' shows the unfinished work"
    return "no such file"


def _identify(handle: h5py.File, path: Path, kind: str | None) -> str:
    """The kind of a file, after its format and its major version were checked."""
    with hdf5_errors(path, "not a readable rsmi file"):
        _check_format(handle, path)
        stored = DECODERS["text"](read_attribute(handle, "kind"))
        version = DECODERS["integers"](read_attribute(handle, "format_version"))
    _check_version(path, version)
    if stored not in KINDS:
        raise DataError(
            f"{path}: holds {stored[:40]!r}, which is no kind of file this program knows"
        )
    if kind is not None and stored != kind:
        hint = ": join all shards by 'rsmi merge'" if KINDS[stored].whole == kind else ""
        raise DataError(f"{path}: holds {stored}, but {kind} is needed here{hint}")
    return stored


def _check_format(handle: h5py.File, path: Path) -> None:
    expected = FORMAT.encode()
    if "format" not in handle.attrs or read_attribute(handle, "format") != expected:
        raise DataError(
            f"{path}: an HDF5 file, but not written by rsmi (no root attribute format = 'rsmi')"
        )


def _check_version(path: Path, version: tuple[int, ...]) -> None:
    if len(version) != 2:
        raise DataError(f"{path}: format_version must be [major, minor]")
    if version[0] > FORMAT_VERSION[0]:
        raise DataError(
            f"{path}: written in format {version[0]}.{version[1]}, newer than this program reads"
            f" ({FORMAT_VERSION[0]}.x): upgrade rsmi"
        )
