"""Configurations in files without a header: packed bits, and one byte for every spin."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import BitOrder, unpack_bits
from rsmi.store.source import Source


class BitsSource(Source):
    """Packed bits without a header.

    Every configuration begins with a new byte, and the unused bits of its last byte are 0.
    """

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


class BytesSource(Source):
    """One byte for every spin, a signed integer, without a header."""

    def __init__(self, path: Path, lattice: tuple[int, ...]):
        super().__init__(path)
        self._sites = math.prod(lattice)
        count, rest = divmod(self._stamp[0], self._sites)
        if rest:
            raise DataError(
                f"{path}: {self._stamp[0]} bytes are no whole number of configurations of"
                f" {self._sites} sites"
            )
        self._accept(np.dtype(np.int8), (count, *lattice))

    def _read(self, start: int, stop: int) -> np.ndarray:
        self._stream.seek(start * self._sites)
        content = self._stream.read((stop - start) * self._sites)
        return np.frombuffer(content, np.int8).reshape(stop - start, *self._shape[1:])


_BYTES_AT_ONCE = 1 << 20
_FEWEST_BYTES = 64  # of a file that is judged by its bytes


def require_many_byte_values(path: Path) -> None:
    """Refuse a file that its name calls packed bits, but whose bytes have two values only.

    Raises
    ------
    UsageError
        Such a file is one byte for every spin, or packed bits of configurations that are all up or
        all down; ``--format`` chooses.
    """
    found: set[int] = set()
    with path.open("rb") as stream:
        while len(found) <= 2 and (content := stream.read(_BYTES_AT_ONCE)):
            found.update(np.flatnonzero(np.bincount(np.frombuffer(content, np.uint8))).tolist())
    if len(found) == 2 and path.stat().st_size >= _FEWEST_BYTES:
        low, high = sorted(found)
        down, up = np.array([low, high], np.uint8).view(np.int8)
        values = "" if (down, up) in ((1, -1), (0, 1)) else f" --values {down},{up}"
        raise UsageError(
            f"{path}: holds only the bytes {low} and {high}: one byte for every spin (--format"
            f" bytes{values}), or packed bits (--format bits)?"
        )
