"""Configurations that other programs wrote: NPY, NPZ, CSV and packed bits
(`rsmi.store.import_hdf5` has HDF5).

A source hands out rows of numbers as they are in the file; what they mean is the stage's business.
A file may be far larger than the memory: rows are read with plain reads, never mapped (mapped pages
count as memory in use), an archive's member and a text are streamed. Nothing is unpickled, and no
size that a header claims is believed before the file is seen to have it.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import stat
import warnings
import zipfile
from functools import cached_property
from pathlib import Path

import numpy as np

from rsmi.errors import DataError, Failure, RsmiError, UsageError
from rsmi.lattice.packed import BitOrder, unpack_bits

FORMATS = ("npy", "npz", "csv", "hdf5", "bits")
LONGEST_LINE = 1 << 26  # bytes of one configuration as text
_BYTES_AT_ONCE = 1 << 20
_WHOLE_MEMBER = (
    1 << 26
)  # bytes of a compressed member that may be held, where it cannot be read in order
_MAX_DEFLATION = 1100  # deflate reaches 1032

_MAGIC = {b"\x93NUMPY": "npy", b"PK\x03\x04": "npz", b"\x89HDF\r\n\x1a\n": "hdf5"}
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_SUFFIXES = {".csv": "csv", ".txt": "csv", ".dat": "csv", ".bits": "bits", ".bin": "bits"}


def identify(path: Path) -> str:
    """One of `FORMATS`, by the first bytes of the file, else by its name.

    Raises
    ------
    UsageError, DataError
        If there is no such file, or it is compressed, or nothing tells what it is.
    """
    head = _head(path)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            return name
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise DataError(f"{path}: compressed by {name}, which is not read: decompress it first")
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(
            f"{path}: neither NPY, NPZ nor HDF5, and the name does not end in"
            f" {', '.join(_SUFFIXES)}: say what it is by --format"
        )
    return _SUFFIXES[path.suffix.lower()]


def identify_as(path: Path, format: str) -> None:
    """Refuse a file that plainly is not what ``--format`` says."""
    head = _head(path)
    found = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
    binary = format in _MAGIC.values()
    if found != format and (binary or (found and format == "csv")):
        raise DataError(
            f"{path}: not {format.upper()}" + (f" but {found.upper()}" if found else "")
        )


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


@contextlib.contextmanager
def reading(path: Path):
    """Turn what reading another program's file may raise into one sentence."""
    try:
        yield
    except RsmiError:
        raise
    except Exception as error:  # numpy's, zipfile's and h5py's parsers raise a dozen kinds
        detail = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{path}: damaged or no plain array of numbers ({detail})") from error


class Source:
    """A file of another program, seen as an array (n, ...) of numbers. A subclass sets ``_shape``
    and ``_dtype`` and reads.

    Stands among the inputs of a request like a file of ours: ``digest`` is the SHA-256 of its
    bytes.
    """

    attributes = {"command": "source"}
    dataset: str | None = None  # what of the file is read

    def __init__(self, path: Path):
        self.path = path
        self._stream = self._opened = path.open("rb")
        self._stamp = _stamp(self._opened)

    def close(self) -> None:
        self._stream.close()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the whole file, hexadecimal."""
        with self.path.open("rb") as stream:
            self._require(_stamp(stream))
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def parameters(self) -> dict:
        return {"bytes": self._stamp[0]} | ({"dataset": self.dataset} if self.dataset else {})

    def ancestors(self) -> list[dict]:
        """A file of another program says nothing of its own."""
        return []

    def require_unchanged(self) -> None:
        """Raise Failure if the file changed since it was opened; removed, it can still be read."""
        self._require(_stamp(self._opened))

    def _require(self, stamp: tuple) -> None:
        if stamp != self._stamp:
            raise Failure(f"{self.path}: was changed while it was being imported")

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...): the first axis counts configurations."""
        return self._shape

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop`` as they are in the file, bool as uint8."""
        with reading(self.path):
            return self._read(start, stop)

    def _accept(self, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        """Believe type and shape only where they can be what is wanted."""
        name = f"{self.path}: {self.dataset}" if self.dataset else str(self.path)
        if dtype.hasobject:
            raise DataError(
                f"{name}: holds Python objects, which are never unpickled: save plain numbers"
            )
        if dtype.names is not None or dtype.subdtype is not None:
            raise DataError(
                f"{name}: holds records of several fields: save one plain array of spins"
            )
        if dtype.kind not in "iufb":
            raise DataError(
                f"{name}: holds {dtype}, where integers, bool or real numbers are needed"
            )
        if not shape or min(shape) < 1:
            raise DataError(f"{name}: is empty (shape {list(shape)})")
        if math.prod(shape[1:]) >= 1 << 31:
            raise DataError(
                f"{name}: a configuration of shape {list(shape[1:])} has 2^31 sites or more"
            )
        self._dtype, self._shape = (
            np.dtype(np.uint8) if dtype.kind == "b" else dtype,
            tuple(int(size) for size in shape),
        )


def _stamp(stream) -> tuple[int, int, int]:
    facts = os.fstat(stream.fileno())
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


# ---- NPY and NPZ ---------------------------------------------------------------------------------


class NpySource(Source):
    """One array in an NPY file, in the order of C or of Fortran."""

    def __init__(self, path: Path):
        super().__init__(path)
        self._describe(self._stream, self._stamp[0])

    def _describe(self, stream, size: int) -> None:
        """Read the header; the array must fill the rest of ``size`` bytes exactly."""
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
        self._width = math.prod(self._shape[1:])

    def _read(self, start: int, stop: int) -> np.ndarray:
        if not self._fortran:
            return self._numbers(start * self._width, (stop - start) * self._width).reshape(
                stop - start, *self._shape[1:]
            )
        columns = [
            self._numbers(site * self._shape[0] + start, stop - start)
            for site in range(self._width)
        ]
        return np.stack(columns).reshape(*self._shape[:0:-1], stop - start).T

    def _numbers(self, first: int, count: int) -> np.ndarray:
        self._stream.seek(self._offset + first * self._dtype.itemsize)
        content = self._stream.read(count * self._dtype.itemsize)
        return np.frombuffer(content, self._dtype, count)


class NpzSource(NpySource):
    """One member of an NPZ archive, stored or deflated: decompressed as a stream, forwards."""

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
        if self._fortran:
            self._hold(info)

    def _choose(self, member: str | None) -> zipfile.ZipInfo:
        found = {
            info.filename.removesuffix(".npy"): info
            for info in self._archive.infolist()
            if info.filename.endswith(".npy")
        }
        self.dataset = pick(self.path, member and member.removesuffix(".npy"), list(found))
        return found[self.dataset]

    def _hold(self, info: zipfile.ZipInfo) -> None:
        """Fortran order needs jumps, which a stream does not have."""
        if info.file_size > _WHOLE_MEMBER:
            raise DataError(
                f"{self.path}: {self.dataset} is in Fortran order, which an archive cannot be read"
                " in: save it by numpy.save, or in C order"
            )
        with reading(self.path):
            self._stream.seek(0)
            content = self._stream.read()
        self._stream.close()
        self._stream = _Held(content)

    def close(self) -> None:
        self._stream.close()
        self._archive.close()
        if self._archive.fp is not None:
            self._archive.fp.close()


class _Held:
    """Bytes in memory, read like a file."""

    def __init__(self, content: bytes):
        self._content, self._place = content, 0

    def seek(self, place: int) -> None:
        self._place = place

    def read(self, count: int) -> bytes:
        return self._content[self._place : self._place + count]

    def close(self) -> None:
        self._content = b""


def pick(path: Path, wanted: str | None, found: list[str]) -> str:
    """The array that is meant by ``--dataset``, or the only one there is.

    Raises
    ------
    UsageError, DataError
        If there is none, or no such, or several and none is chosen.
    """
    if not found:
        raise DataError(f"{path}: holds no array")
    shown = ", ".join(found[:10]) + (" ..." if len(found) > 10 else "")
    if wanted is None and len(found) > 1:
        raise UsageError(f"{path}: holds {len(found)} arrays: choose by --dataset one of {shown}")
    if wanted is not None and wanted not in found:
        raise UsageError(f"{path}: has no {wanted}: --dataset is one of {shown}")
    return found[0] if wanted is None else wanted


# ---- CSV -----------------------------------------------------------------------------------------


class CsvSource(Source):
    """One configuration a line: numbers with commas or white space between; lines that are empty or
    begin with # do not count."""

    def __init__(self, path: Path):
        super().__init__(path)
        with reading(path):
            self._lines = self._from_the_start()
            number, first = next(self._lines, (0, b""))
            if not first:
                raise DataError(f"{path}: is empty")
            width, count = len(self._parse(number, first)), 1 + sum(1 for _ in self._lines)
        self._accept(np.dtype(np.float64), (count, width))
        self._place, self._lines = 0, self._from_the_start()

    def _from_the_start(self):
        """(line number, text) of every line that counts."""
        self._stream.seek(0)
        number = 0
        while line := self._stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(
                    f"{self.path}: line {number} has more than {LONGEST_LINE >> 20} MiB: one"
                    " configuration a line is read"
                )
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if text and not text.startswith(b"#"):
                yield number, text

    def _read(self, start: int, stop: int) -> np.ndarray:
        if start < self._place:
            self._place, self._lines = 0, self._from_the_start()
        for _ in range(start - self._place):
            next(self._lines)
        found, width = np.empty((stop - start, self._shape[1])), self._shape[1]
        for row in found:
            number, text = next(self._lines)
            numbers = self._parse(number, text)
            if len(numbers) != width:
                raise DataError(
                    f"{self.path}: line {number} has {len(numbers)} numbers, where the lines before"
                    f" have {width}"
                )
            row[:] = numbers
        self._place = stop
        return found

    def _parse(self, number: int, text: bytes) -> np.ndarray:
        separator = "," if b"," in text else " "
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error"
                )  # what numpy before 2.3 says of text that is no number
                return np.fromstring(text, sep=separator)
        except (ValueError, DeprecationWarning):
            words = [
                word.strip() for word in (text.split(b",") if separator == "," else text.split())
            ]
            bad = next((word for word in words if not _is_number(word)), b"")
            shown = bad[:20].decode(errors="replace")
            raise DataError(
                f"{self.path}: line {number}: "
                + (f"{shown!r} is no number" if bad else "a number is missing")
            ) from None


def _is_number(word: bytes) -> bool:
    try:
        return len(np.fromstring(word, sep=" ")) == 1
    except (ValueError, DeprecationWarning):
        return False


# ---- packed bits ---------------------------------------------------------------------------------


class BitsSource(Source):
    """Packed bits without a header, every configuration in whole bytes of its own, what is left of
    the last byte 0."""

    def __init__(self, path: Path, lattice: tuple[int, ...], order: BitOrder):
        super().__init__(path)
        self._order, self._sites = order, math.prod(lattice)
        self._bytes = (self._sites + 7) // 8
        count, rest = divmod(self._stamp[0], self._bytes)
        if rest:
            raise DataError(
                f"{path}: {self._stamp[0]} bytes are no whole number of configurations of"
                f" {self._bytes} bytes each ({self._sites} sites)"
            )
        self._accept(np.dtype(np.uint8), (count, *lattice))

    def _read(self, start: int, stop: int) -> np.ndarray:
        self._stream.seek(start * self._bytes)
        packed = np.frombuffer(self._stream.read((stop - start) * self._bytes), np.uint8).reshape(
            stop - start, self._bytes
        )
        bits = unpack_bits(packed, (8 * self._bytes,), self._order)
        rest = bits[:, self._sites :].any(axis=1)
        if rest.any():
            raise DataError(
                f"{self.path}: configuration {start + int(rest.argmax())} has bits beyond its"
                f" {self._sites} sites: is --shape right, and --bit-order?"
            )
        return bits[:, : self._sites].reshape(stop - start, *self._shape[1:])
