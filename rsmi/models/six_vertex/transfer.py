"""Exact averages of the six-vertex model on small tori, by the transfer matrix.

A row of n vertices takes the n arrows b below it to the n arrows t above it. By the ice rule the
arrows between the vertices of the row are the partial sums of b - t, up to the first of them. They
are +-1 only if the places where b and t differ alternate in sign. A vertex is a c vertex where they
differ: the matrix element is c^k for k differences, for which one first arrow is possible, and 2
for b = t, for which both are. See E. H. Lieb, Phys. Rev. 162, 162 (1967).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDEST = 8  # vertices of a row


@dataclass(frozen=True)
class Averages:
    """Exact averages of a lattice of n x m vertices.

    Attributes
    ----------
    log_weight : float
        The logarithm of the sum of all weights, per vertex.
    flux_squared : float
        <W^2> along y, through the n links between two rows.
    c_vertices : float
        Per vertex.
    """

    log_weight: float
    flux_squared: float
    c_vertices: float


@functools.cache
def _differences(width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flux of every row of arrows, and the number of differences of every two rows, -1
    if their signs do not alternate."""
    arrows = 2 * (np.arange(1 << width)[:, None] >> np.arange(width) & 1) - 1
    difference = (arrows[:, None] - arrows[None]) // 2
    partial = difference.cumsum(axis=2)
    alternate = (partial.max(axis=2) - partial.min(axis=2) <= 1) & (partial[..., -1] == 0)
    return arrows.sum(axis=1), np.where(alternate, np.abs(difference).sum(axis=2), -1)


@functools.lru_cache(maxsize=32)
def averages(shape: tuple[int, int], weight: float) -> Averages:
    """Return the exact averages of a torus with rows of n = shape[0] vertices.

    Raises
    ------
    ValueError
        If the rows are longer than `WIDEST`.
    """
    width, rows = shape
    if not 2 <= width <= WIDEST:
        raise ValueError(f"rows of 2 to {WIDEST} vertices are summed, not of {width}")
    flux, count = _differences(width)
    matrix = np.where(count > 0, float(weight) ** count, 0.0) + 2 * np.eye(len(flux))
    levels, states = np.linalg.eigh(matrix)
    scaled = levels / levels[-1]
    total = float(np.sum(scaled**rows))
    diagonal = states**2 @ scaled**rows
    derivative = np.where(count > 0, matrix * count, 0.0)
    changes = np.sum(states * (derivative @ states), axis=0) / levels[-1]
    return Averages(
        float(np.log(levels[-1]) + np.log(total) / rows) / width,
        float(flux**2 @ diagonal) / total,
        float(scaled ** (rows - 1) @ changes) / total / width,
    )


def torus(shape: Sequence[int], weight: float) -> dict[str, float]:
    """Return the exact ``flux_squared``, the mean over both directions, and ``c_vertices`` of a
    torus, as far as its sides allow."""
    known: dict[str, float] = {}
    directions = [side for side in (tuple(shape), tuple(shape)[::-1]) if side[0] <= WIDEST]
    if directions:
        known["c_vertices"] = averages(directions[0], weight).c_vertices
    if len(directions) == 2:
        squares = [averages(side, weight).flux_squared for side in directions]
        known["flux_squared"] = sum(squares) / 2
    return known
