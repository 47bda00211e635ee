"""The formats in which other programs write configurations.

`rsmi.store.import_numpy`, `import_text`, `import_bits` and `import_hdf5` read them.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from rsmi.errors import DataError, Failure, UsageError, shortage
from rsmi.store.import_conversions import foreign_format
from rsmi.store.import_text import GZIP

FORMATS = ("npy", "npz", "csv", "hdf5", "bits", "bytes")

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAGIC = {b"\x93NUMPY": "npy", b"PK\x03\x04": "npz", _HDF5: "hdf5"}
_COMPRESSED = {
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ\x00": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
}
_SUFFIXES = {".csv": "csv", ".txt": "csv", ".dat": "csv", ".bits": "bits", ".bin": "bits"}
_HEAD = 4096  # bytes that are looked at
_STANDARD_INPUT = "standard-input"
_TEXT = frozenset(b"\t\n\r" + bytes(range(32, 127)))


def identify(path: Path) -> str:
    """The format of a file, one of `FORMATS`: from its first bytes, or else from its name.

    Raises
    ------
    UsageError
        If there is no such file, or if neither its content nor its name shows the format.
    DataError
        If the file is compressed, or if another program must convert it first.
    """
    head = _head(path)
    known = _known(path, head)
    if known is not None:
        return known
    _refuse_compressed(path, head)
    name = path.with_suffix("") if head.startswith(GZIP) else path
    suffix = name.suffix.lower()
    if head.startswith(GZIP) and _SUFFIXES.get(suffix) != "csv" and not _is_text(_inflated(head)):
        raise DataError(
            f"{path}: compressed by gzip, which is read of texts only: decompress it first (gunzip)"
        )
    if head.startswith(GZIP) or (path.name == _STANDARD_INPUT and _is_text(head)):
        return "csv"
    if suffix not in _SUFFIXES:
        foreign = foreign_format(path, head)
        if foreign is not None:
            raise DataError(f"{path}: {foreign}")
        raise UsageError(
            f"{path}: neither NPY, NPZ nor HDF5, and the name does not end in"
            f" {', '.join(_SUFFIXES)}: say what it is by --format"
        )
    return _SUFFIXES[suffix]


def identify_as(path: Path, format: str) -> None:
    """Refuse a file whose first bytes show that it has not the format of ``--format``.

    Raises
    ------
    DataError
        If the format differs.
    """
    actual = _known(path, _head(path))
    binary = format in _MAGIC.values()
    if actual != format and (binary or (actual and format == "csv")):
        but = f" but {actual.upper()}" if actual else ""
        raise DataError(f"{path}: not {format.upper()}{but}")


@contextlib.contextmanager
def standard_input() -> Iterator[Path]:
    """A temporary file with the content of the standard input, as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="rsmi-") as folder:
        path = Path(folder) / _STANDARD_INPUT
        with path.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        yield path


def _known(path: Path, head: bytes) -> str | None:
    """The format that the content shows. HDF5 may begin after a block of another program, whose
    length is a power of two, 512 or more."""
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    with path.open("rb") as stream:
        size, place = path.stat().st_size, 512
        while place < size:
            stream.seek(place)
            if stream.read(len(_HDF5)) == _HDF5:
                return "hdf5"
            place *= 2
    return None


def _refuse_compressed(path: Path, head: bytes) -> None:
    for magic, (name, command) in _COMPRESSED.items():
        if head.startswith(magic):
            raise DataError(
                f"{path}: compressed by {name}, which is not read: decompress it first ({command})"
            )


def _is_text(content: bytes) -> bool:
    return bool(content) and _TEXT.issuperset(content)


def _inflated(head: bytes) -> bytes:
    """The first bytes of a file that begins with ``head`` and is compressed by gzip."""
    with contextlib.suppress(EOFError, OSError, zlib.error):
        return gzip.GzipFile(fileobj=io.BytesIO(head)).read1(_HEAD)
    return b""


def _head(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file")
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        if lacking := shortage(error):
            raise Failure(f"{path}: cannot be read: {lacking}") from error
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error
