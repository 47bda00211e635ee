"""Random bits that are hashes: `csrc/base/random.h` for arrays of numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix64(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (G. L. Steele et al., OOPSLA 2014), a bijection of words."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def keyed_bits(key: ArrayLike, sample: ArrayLike, site: int) -> NDArray[np.uint64]:
    """Return 64 random bits for every sample, which depend only on the arguments.

    Parameters
    ----------
    key : array_like of uint64
        At least two words, of which the first two are used.
    sample : array_like of int, (n,)
    site : int

    Returns
    -------
    ndarray of uint64, (n,)
        The bits of ``keyed_bits`` in the C core.
    """
    first, second = np.asarray(key, dtype=np.uint64)[:2, np.newaxis]
    number = np.asarray(sample).astype(np.uint64) + np.uint64(1)
    other = second ^ (np.full(1, site + 1, np.uint64) * _GOLDEN)
    return mix64(mix64(first + number * _GOLDEN) + other)
