"""The order parameter of variables with q > 2 states, and the unit vectors that it averages.

- If all states are alike (Potts), the q vectors point to the corners of a regular simplex in q - 1
  dimensions, and m^2 = q/(q - 1) sum_a (n_a/N - 1/q)^2, where n_a of the N sites are in state a.
- On a circle (clock), state a is the angle 2 pi a/q, and there are two components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import count_states
from rsmi.lattice.symbols import DIHEDRAL


def squared(counts: NDArray[np.int64], symmetry: str | None) -> NDArray[np.float64]:
    """Return m^2 per site, (n,), from the number of sites in each state, (n, q)."""
    shares, states = counts / counts.sum(axis=1, keepdims=True), counts.shape[1]
    if symmetry != DIHEDRAL:
        return states / (states - 1) * ((shares - 1 / states) ** 2).sum(axis=1)
    angles = 2 * np.pi * np.arange(states) / states
    return (shares @ np.cos(angles)) ** 2 + (shares @ np.sin(angles)) ** 2


def unit_vectors(states: int, symmetry: str | None) -> NDArray[np.float64]:
    """Return the vectors (q, n) of the states: n = 2 on a circle, and else n = q numbers whose sum
    is zero."""
    if symmetry != DIHEDRAL:
        return (np.eye(states) - 1 / states) * np.sqrt(states / (states - 1))
    angles = 2 * np.pi * np.arange(states) / states
    return np.column_stack([np.cos(angles), np.sin(angles)])


def neighbour_products(vectors: NDArray[np.float64], steps: Sequence[int]) -> NDArray[np.float64]:
    """Return the mean over sites and axes of the scalar products of the vectors (n, \\*shape, c) at
    x and at x + step along the axis, (n,), on a periodic lattice."""
    total = np.zeros(len(vectors))
    for axis, step in enumerate(steps, 1):
        products = np.einsum("...c,...c->...", vectors, np.roll(vectors, -step, axis))
        total += products.reshape(len(vectors), -1).mean(axis=1)
    return total / len(steps)


@dataclass(frozen=True)
class StateOrder:
    """The mean of the unit vectors of all sites, which a relabelling of the states turns.

    Its members are those of `rsmi.lattice.order.OrderParameter`.

    Attributes
    ----------
    states : int
        Number q of states of a site.
    symmetry : str
        One of `rsmi.lattice.symbols.SYMMETRIES`.
    """

    states: int
    symmetry: str
    name: ClassVar[str] = "magnetization"
    uniform: ClassVar[bool] = True

    @property
    def vectors(self) -> NDArray[np.float64]:
        """The unit vectors (q, c) of the states."""
        return unit_vectors(self.states, self.symmetry)

    def check_shape(self, shape: Sequence[int], where: str) -> None:
        """Every lattice has this order."""

    def neighbour_sums(self, codes: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return minus the sum over nearest neighbours of the scalar products of their vectors,
        (n,), of periodic configurations (n, \\*shape): an energy."""
        bonds = (codes.ndim - 1) * codes[0].size
        return -bonds * neighbour_products(self.vectors[codes], (1,) * (codes.ndim - 1))

    def moduli(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.float64]:
        """Return |m| (n,) of packed configurations (n, bytes) of a lattice."""
        counts = count_states(rows, self.states, (1, *shape))[:, 0]
        return np.sqrt(squared(counts, self.symmetry))
