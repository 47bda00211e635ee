"""Configurations in files of packed bits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from rsmi.errors import DataError
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
