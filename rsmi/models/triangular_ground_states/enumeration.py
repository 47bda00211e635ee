"""All ground states of small lattices, row by row, and the joint distributions of their windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.triangular_ground_states.ground_states import frustrated_triangles

MOST_STATES = 1 << 22  # ground states, or entries of a table of block and environment
_LONGEST_ROW = 9  # sites
_MOST_IN_BLOCK = 16  # sites of a block, whose states are enumerated


class GroundStateEnumeration:
    """Exact P(V, E) of ground states, which are equally likely."""

    def check(self, geometry: Geometry) -> None:
        if geometry.n_block > _MOST_IN_BLOCK or geometry.n_environment > 62:
            raise UsageError(
                f"{geometry}: the states of block and environment are enumerated: at most"
                f" {_MOST_IN_BLOCK} sites of the block, and 62 of the environment"
            )

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64]:
        """Return P(V, E) of all states of the environment that occur; there is no coupling.

        Raises
        ------
        UsageError
            If there are more than `MOST_STATES` ground states.
        """
        spins = ground_states(tuple(shape))
        block, environment = (
            _numbers(spins, offsets)
            for offsets in (geometry.block_offsets, geometry.environment_offsets)
        )
        found, column = np.unique(environment, return_inverse=True)
        states = 1 << geometry.n_block
        if states * len(found) > 16 * MOST_STATES:
            raise UsageError(
                f"{geometry}: {states} states of the block and {len(found)} of the environment are"
                " too many for a table; take a smaller block"
            )
        counts = np.bincount(block * len(found) + column, minlength=states * len(found))
        return counts.reshape(states, -1) / len(spins)


def _numbers(spins: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The states (n,) of sites as numbers; bit i is 1 where site i is up."""
    places = tuple(np.mod(offsets, spins.shape[1:]).T)
    return spins[(slice(None), *places)] @ (1 << np.arange(len(offsets)))


def ground_states(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return whether the spins of all ground states are up, (n, Lx, Ly).

    Raises
    ------
    UsageError
        If there are more than `MOST_STATES`.
    """
    too_many = UsageError(
        f"--size {shape_text(shape)}: too many ground states to enumerate; take 6x6 sites or less"
    )
    if shape[1] > _LONGEST_ROW:
        raise too_many
    follows = _successors(shape[1])
    if np.trace(np.linalg.matrix_power(follows.astype(float), shape[0])) > MOST_STATES:
        raise too_many
    rows = np.arange(len(follows))[:, np.newaxis]
    for _ in range(shape[0] - 1):
        state, after = np.nonzero(follows[rows[:, -1]])
        rows = np.concatenate([rows[state], after[:, np.newaxis]], axis=1)
        if len(rows) > 16 * MOST_STATES:
            raise too_many
    rows = rows[follows[rows[:, -1], rows[:, 0]]]
    return (rows[:, :, np.newaxis] >> np.arange(shape[1]) & 1) > 0


def _successors(length: int) -> NDArray[np.bool_]:
    """Whether a row may follow another one, (2^length, 2^length), by their triangles."""
    rows = (np.arange(1 << length)[:, np.newaxis] >> np.arange(length) & 1).astype(np.int8)
    pairs = np.stack(np.broadcast_arrays(rows[:, np.newaxis], rows), axis=2)
    between = frustrated_triangles(pairs.reshape(-1, 2, length))[:, :, 0]
    return ~between.any(axis=(1, 2)).reshape(len(rows), len(rows))
