"""Fingerprints of configurations, and a bounded sketch of those of many.

A fingerprint is a number of 64 bits that equal configurations share, and those that a global flip
makes equal. A sketch keeps the fingerprints below a limit, and halves the limit whenever there are
too many of them: configurations that are equal are then kept or left out together, so that the
share of copies in the sketch is that in all samples (A. Z. Broder, Compression and Complexity of
Sequences, 21 (1997)).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.hashing import mix64
from rsmi.lattice.packed import pack_mask

MOST = 1 << 18  # fingerprints that a sketch holds
STORED = 4096  # fingerprints that a file stores
_FACTORS = 0x5EED


def fingerprints(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint64]:
    """Return the fingerprints (n,) of packed configurations (n, bytes) of so many bits."""
    words = _words(rows)
    flip = _words(pack_mask(np.ones(bits, np.bool_))[None])[0]
    first = words[:, :1] & np.uint64(1)
    canonical = words ^ (flip & (np.uint64(0) - first))
    canonical ^= canonical >> np.uint64(31)
    generator = np.random.default_rng(_FACTORS)
    factors = generator.integers(0, 1 << 63, words.shape[1], dtype=np.uint64) * np.uint64(2)
    return mix64(canonical @ (factors + np.uint64(1)))


def _words(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Packed rows as words of 64 bits, filled up with zeros."""
    missing = -rows.shape[1] % 8
    if missing:
        rows = np.pad(rows, ((0, 0), (0, missing)))
    return np.ascontiguousarray(rows).view(np.uint64)


@dataclass
class Sketch:
    """The smallest fingerprints of a set of samples, and where they occur.

    Attributes
    ----------
    prints : ndarray of uint64, (k,)
    numbers : ndarray of int64, (k,)
        Numbers of their configurations.
    limit : int
        All fingerprints below it are kept.
    """

    prints: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    limit: int = 1 << 64
    _repetitions: tuple[NDArray[np.int64], NDArray[np.uint64]] | None = None

    def add(self, start: int, prints: NDArray[np.uint64]) -> None:
        """Add the fingerprints of the configurations from ``start`` on."""
        self._repetitions = None
        numbers = np.arange(start, start + len(prints))
        self.prints = np.concatenate([self.prints, prints])
        self.numbers = np.concatenate([self.numbers, numbers])
        self._cut()
        while len(self.prints) > MOST:
            self.limit //= 2
            self._cut()

    def _cut(self) -> None:
        if self.limit < 1 << 64:
            kept = self.prints < np.uint64(self.limit)
            self.prints, self.numbers = self.prints[kept], self.numbers[kept]

    @property
    def repetitions(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """How far behind its last occurrence every repetition stands, (m,), and the fingerprints
        that are repeated."""
        if self._repetitions is None:
            order = np.lexsort((self.numbers, self.prints))
            prints = self.prints[order]
            same = prints[1:] == prints[:-1]
            self._repetitions = np.diff(self.numbers[order])[same], np.unique(prints[1:][same])
        return self._repetitions

    def smallest(self) -> NDArray[np.uint64]:
        """The smallest different fingerprints, for a file."""
        return np.unique(self.prints)[:STORED]


def shared(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Return the share of configurations of the smaller set that the other set has too.

    Parameters
    ----------
    one, other : ndarray of uint64
        What `Sketch.smallest` returned of two sets of samples, sorted.
    """
    limits = [prints[-1] for prints in (one, other) if len(prints) >= STORED]
    if limits:
        one, other = (prints[prints <= min(limits)] for prints in (one, other))
    fewest = min(len(one), len(other))
    return len(np.intersect1d(one, other)) / fewest if fewest else 0.0
