"""Configurations of the six-vertex model as arrays of arrows, and their observables.

Arrows are +-1, in arrays of the shape (n, 2, Lx, Ly). ``arrows[:, 0, x, y]`` lies on the link from
the vertex (x, y) to (x + 1, y), and ``arrows[:, 1, x, y]`` on the link to (x, y + 1); +1 points
there. By the ice rule as many arrows enter a vertex as leave it. The lattice is periodic.

The field is the arrows themselves, which no vertex creates or destroys. The flux W through a line
around the torus is their sum along it, the same for all parallel lines. A c vertex has opposite
arrows on opposite links. In a lattice of c vertices alone the arrows alternate: the staggered
polarization measures that order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.waves import staggered_signs
from rsmi.models.six_vertex.loop import LONGEST

COMPONENTS = ("x-arrow", "y-arrow")
_ALL_ALONG, _ALL_AGAINST = 0b0011, 0b1100  # the arrows that leave every vertex


def check_shape(shape: Sequence[int], where: str = "--size") -> None:
    """Raise UsageError unless the lattice has two sides within the limits of the sampler."""
    text = f"{where} {shape_text(shape)}"
    if len(shape) != 2:
        raise UsageError(f"{text}: the six-vertex model lives on lattices of two axes")
    if not 2 <= min(shape) <= max(shape) <= LONGEST:
        raise UsageError(f"{text}: the sides must lie between 2 and {LONGEST}")


def ordered_vertices(shape: Sequence[int], state: int = 0) -> NDArray[np.uint8]:
    """Return parallel arrows, from which chains start: the vertices of `loop.sample_chains`, (Lx,
    Ly), all arrows with an even ``state`` along x and y, with an odd one against them."""
    byte = _ALL_AGAINST if state % 2 else _ALL_ALONG
    return np.full(tuple(shape), byte, dtype=np.uint8)


def divergence(arrows: NDArray[np.integer]) -> NDArray[np.int8]:
    """Return arrows that leave each vertex minus those that enter it, halved, (n, Lx, Ly)."""
    along_x, along_y = arrows[:, 0].astype(np.int8), arrows[:, 1].astype(np.int8)
    entering = np.roll(along_x, 1, axis=1) + np.roll(along_y, 1, axis=2)
    return (along_x + along_y - entering) // 2


def check_ice_rule(arrows: NDArray[np.integer], where: object = "samples", first: int = 0) -> None:
    """Raise DataError unless as many arrows enter every vertex as leave it; ``first`` is the number
    of the first configuration of (n, 2, Lx, Ly), for the message."""
    excess = divergence(arrows)
    wrong = np.argwhere(excess)
    if len(wrong):
        sample, x, y = map(int, wrong[0])
        raise DataError(
            f"{where}: sample {first + sample} violates the ice rule: {2 + excess[tuple(wrong[0])]}"
            f" of four arrows leave the vertex ({x}, {y}); +1 of the first component is expected to"
            " point from (x, y) to (x + 1, y), +1 of the second to (x, y + 1)"
        )


def c_vertices(arrows: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which vertices are c vertices, (n, Lx, Ly)."""
    return arrows[:, 0] != np.roll(arrows[:, 0], 1, axis=1)


def fluxes(arrows: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the flux along x, through a line of links at x = 0, and that along y, (n, 2)."""
    along_x, along_y = arrows[:, 0, 0], arrows[:, 1, :, 0]
    return np.stack([np.sum(line, axis=1, dtype=np.int64) for line in (along_x, along_y)], axis=1)


def staggered_field(arrows: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the staggered polarization (-1)^(x + y) (s_y - s_x)/2 at every vertex, (n, Lx, Ly)."""
    difference = arrows[:, 1].astype(np.float64) - arrows[:, 0]
    return difference * staggered_signs(arrows.shape[2:]) / 2


def field(axis: int, arrows: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the field along one axis, (n, Lx, Ly)."""
    return arrows[:, axis].astype(np.float64)


def observables(arrows: NDArray[np.int8]) -> dict[str, NDArray[np.float64]]:
    """Return the observables of every configuration (n, 2, Lx, Ly) of +-1.

    Returns
    -------
    dict of ndarray of float64, (n,)
        ``c_vertices`` per vertex; ``flux_squared``, the mean of W^2 along x and y;
        ``staggered_polarization_squared``, of its mean over the lattice, at most 1;
        ``field_fluctuation``, \\|E_q\\|^2 per vertex at the smallest q across the field, the mean
        of both directions.
    """
    vertices = math.prod(arrows.shape[2:])
    staggered = staggered_field(arrows).sum(axis=(1, 2)) / vertices
    return {
        "c_vertices": c_vertices(arrows).sum(axis=(1, 2)) / vertices,
        "flux_squared": (fluxes(arrows) ** 2).mean(axis=1),
        "staggered_polarization_squared": staggered**2,
        "field_fluctuation": sum(_fluctuation(arrows, axis) for axis in (0, 1)) / 2,
    }


def _fluctuation(arrows: NDArray[np.int8], axis: int) -> NDArray[np.float64]:
    """Return |E_q|^2 per vertex of the field along one axis, with q along the other."""
    lines = arrows[:, axis].sum(axis=1 + axis, dtype=np.int64)
    wave = np.exp(2j * np.pi * np.arange(lines.shape[1]) / lines.shape[1])
    return np.abs(lines @ wave) ** 2 / math.prod(arrows.shape[2:])
