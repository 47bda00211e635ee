"""Where the sites of a lattice lie in space: a Bravais lattice with a basis.

Configurations are stored in arrays with one axis for each lattice vector. Everything that learns
needs neighbours in the array only; distances, drawings and names of wave vectors need positions.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NEAR = 3  # cells along every axis among which the nearest sites are looked for
_RELATIVE = 1e-6  # distances that differ less are equal


@dataclass(frozen=True)
class UnitCell:
    """The cell whose repetition is the lattice.

    Attributes
    ----------
    vectors : tuple of tuple of float
        The lattice vectors, (d, d): the displacement of one step along each axis of an array.
    positions : tuple of tuple of float
        Position of every component in the cell, (components, d), in fractions of the vectors.
    """

    vectors: tuple[tuple[float, ...], ...]
    positions: tuple[tuple[float, ...], ...]

    def points(self, cells: ArrayLike) -> NDArray[np.float64]:
        """Return where the components of cells (n, d) lie, (components, n, d)."""
        fractions = np.asarray(cells)[np.newaxis] + np.array(self.positions)[:, np.newaxis]
        return fractions @ np.array(self.vectors)

    @cached_property
    def spacing(self) -> float:
        """The distance of the nearest two sites."""
        return float(self._distances[self._distances > 0].min())

    @cached_property
    def steps(self) -> NDArray[np.int64]:
        """The displacements (n, d) that lead from a cell to the nearest ones: of one component, to
        the nearest neighbours of a site."""
        distances = self._distances[0, 0]
        nearest = distances[distances > 0].min()
        return self._cells[(distances > 0) & (distances < nearest * (1 + _RELATIVE))]

    @cached_property
    def _cells(self) -> NDArray[np.int64]:
        axes = (range(-_NEAR, _NEAR + 1) for _ in self.vectors)
        return np.array(list(itertools.product(*axes)))

    @cached_property
    def _distances(self) -> NDArray[np.float64]:
        """Distances from every component of one cell to every component of the cells around it."""
        points = self.points(self._cells)
        origin = self.points(np.zeros((1, len(self.vectors))))
        return np.linalg.norm(points[np.newaxis] - origin[:, np.newaxis], axis=3)


# The neighbours of a site of the triangular lattice lie at +-(1, 0), +-(0, 1), +-(1, 1).
TRIANGULAR = UnitCell(((1.0, 0.0), (-0.5, 0.75**0.5)), ((0.0, 0.0),))
