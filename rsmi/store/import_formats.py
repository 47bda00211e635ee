"""The formats in which other programs write configurations.

`rsmi.store.import_numpy`, `import_text`, `import_bits` and `import_hdf5` read them.
"""

from __future__ import annotations

import stat
from pathlib import Path

from rsmi.errors import DataError, UsageError
from rsmi.store.import_conversions import foreign_format

FORMATS = ("npy", "npz", "csv", "hdf5", "bits")

_MAGIC = {b"\x93NUMPY": "npy", b"PK\x03\x04": "npz", b"\x89HDF\r\n\x1a\n": "hdf5"}
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_SUFFIXES = {".csv": "csv", ".txt": "csv", ".dat": "csv", ".bits": "bits", ".bin": "bits"}


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
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise DataError(f"{path}: compressed by {name}, which is not read: decompress it first")
    if path.suffix.lower() not in _SUFFIXES:
        foreign = foreign_format(path, head)
        if foreign is not None:
            raise DataError(f"{path}: {foreign}")
        raise UsageError(
            f"{path}: neither NPY, NPZ nor HDF5, and the name does not end in"
            f" {', '.join(_SUFFIXES)}: say what it is by --format"
        )
    return _SUFFIXES[path.suffix.lower()]


def identify_as(path: Path, format: str) -> None:
    """Refuse a file whose first bytes show that it has not the format of ``--format``.

    Raises
    ------
    DataError
        If the format differs.
    """
    head = _head(path)
    actual = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    binary = format in _MAGIC.values()
    if actual != format and (binary or (actual and format == "csv")):
        but = f" but {actual.upper()}" if actual else ""
        raise DataError(f"{path}: not {format.upper()}{but}")


def _head(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file")
        with path.open("rb") as stream:
            return stream.read(8)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error
