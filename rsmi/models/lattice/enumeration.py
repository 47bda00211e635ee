"""Exact joint distributions of block and environment on small tori."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.lattice import elimination
from rsmi.models.lattice.definition import Definition
from rsmi.models.lattice.system import StatePoint

MOST_VARIABLES = 24  # of block and environment: 2^24 probabilities take 128 MiB
_MOST_ENTRIES = 1 << 31  # of the tables of all sums: about ten seconds
_SMALLEST = 1e-150  # of weights relative to the largest: products of two do not underflow
_ENTRIES_OF_A_STEP = 1 << 13  # that take as long as the rest of a step


class LatticeEnumeration:
    """Exact P(V, E) of a model on a lattice, from sums over the sites that are in neither.

    Parameters
    ----------
    definition : Definition
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition

    def check(self, geometry: Geometry) -> None:
        variables = geometry.n_block + geometry.n_environment
        if variables > MOST_VARIABLES:
            raise UsageError(
                f"{geometry}: block and environment have {geometry.n_block} +"
                f" {geometry.n_environment} variables, whose states are all enumerated: at most"
                f" {MOST_VARIABLES} together; take a smaller block or another buffer"
            )

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64]:
        """Return P(V, E) of all states that occur.

        Raises
        ------
        UsageError
            If the other sites are too many to sum over, or no weight is left of all.
        """
        point = StatePoint(self.definition, tuple(shape), True, coupling)
        block, environment = (
            _sites(point, offsets)
            for offsets in (geometry.block_offsets, geometry.environment_offsets)
        )
        factors = elimination.factors_of(point)
        order = elimination.best_order(factors, elimination.starts_of(point), environment, block)
        cost = order.entries + _ENTRIES_OF_A_STEP * len(order.sites)
        if cost << len(block) > _MOST_ENTRIES:
            raise UsageError(
                f"{geometry} on {shape_text(shape)}: the sum over all sites for each of"
                f" 2^{len(block)} states of the block takes too long; take a smaller lattice or a"
                " smaller block"
            )
        table = _joint(factors, order, block)
        if not table.any():
            raise UsageError(
                "the temperature is so low that weights vanish in floating-point numbers: take a"
                " higher one"
            )
        return table[:, table.any(axis=0)] / table.sum()


def _sites(point: StatePoint, offsets: NDArray[np.int64]) -> list[int]:
    """The sites of all components at places relative to the first site of the block."""
    cells = np.ravel_multi_index(tuple(np.mod(offsets, point.shape).T), point.shape)
    return [
        component * point.cells + cell
        for component in range(len(point.definition.sites))
        for cell in cells.tolist()
    ]


def _joint(
    factors: elimination.Factors, order: elimination.Order, block: Sequence[int]
) -> NDArray[np.float64]:
    """The weights (2^n_block, 2^n_environment), the largest of which is near 1."""
    sums = []
    for state in range(1 << len(block)):
        fixed = {site: state >> place & 1 for place, site in enumerate(block)}
        sums.append(elimination.summed(factors, order, fixed))
    shift = max(logarithm for logarithm, _ in sums)
    if np.isneginf(shift):
        return np.zeros((len(sums), 1))
    table = np.zeros((len(sums), max(len(row) for _, row in sums)))
    for own, (logarithm, row) in zip(table, sums):
        own[:] = row * math.exp(logarithm - shift)  # 0 of states that cannot be
    table[table < _SMALLEST] = 0.0
    return table
