"""The Fourier modes of a hypercubic lattice at the smallest wave vectors q = 2 pi n / L.

Modes n and -n have the same structure factor, so that one of each pair is kept. Modes that the
symmetries of the lattice turn into each other form an orbit, over which structure factors are
averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST_MODE = 2
SHORTEST_SIDE = 6  # sites; at fewer, modes n = 2 and -2 are the same or nearly so


class Modes(NamedTuple):
    """The modes 0 < |n|_max <= 2 of one dimension.

    Attributes
    ----------
    numbers : ndarray of int64, (modes, d)
        One of n and -n each: the one whose first component other than 0 is positive.
    orbit : ndarray of int64, (modes,)
        The orbit of each mode.
    orbits : tuple of tuple of int
        The largest n of each orbit, such as (1, 0): sorted by n^2, then by n.
    multiplicity : ndarray of int64, (orbits,)
        Number of modes n of each orbit, n and -n counted both.
    """

    numbers: NDArray[np.int64]
    orbit: NDArray[np.int64]
    orbits: tuple[tuple[int, ...], ...]
    multiplicity: NDArray[np.int64]

    @property
    def antipodal_weights(self) -> NDArray[np.float64]:
        """The weights (orbits,) w_n of the smeared antipodal sum A = S(0) + sum w_n S(n).

        w_n = (-1)^(sum n) exp(-n^2 / 2), times the number of modes. A is the correlation at
        antipodal points, each smeared by a Gaussian of width L / (2 pi).
        """
        squares = np.array([sum(c * c for c in n) for n in self.orbits])
        signs = np.array([(-1) ** sum(n) for n in self.orbits])
        return self.multiplicity * signs * np.exp(-squares / 2)


@cache
def modes_of(dimension: int) -> Modes:
    """Return the modes of a lattice of so many axes."""
    span = range(-LARGEST_MODE, LARGEST_MODE + 1)
    numbers = [n for n in product(span, repeat=dimension) if n > (0,) * dimension]
    numbers.sort(key=lambda n: (sum(c * c for c in n), n))
    of_mode = [tuple(sorted(map(abs, n), reverse=True)) for n in numbers]
    orbits = sorted(set(of_mode), key=lambda n: (sum(c * c for c in n), n))
    orbit = np.array([orbits.index(n) for n in of_mode])
    return Modes(np.array(numbers), orbit, tuple(orbits), 2 * np.bincount(orbit))


def refuse_modes(shape: Sequence[int]) -> str | None:
    """Return why a lattice has no orbits of modes, as a clause, or None if it has."""
    if len(set(shape)) > 1:
        return "its sides differ"
    if min(shape) < SHORTEST_SIDE:
        return f"its sides have fewer than {SHORTEST_SIDE} sites"
    return None
