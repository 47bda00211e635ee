"""Sites where they lie in space: configurations and filters of lattices that are not square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from numpy.typing import NDArray

from rsmi.lattice.unit_cell import UnitCell

WIDTH = 2.6  # inches of a configuration
_MOST_CELLS = 64  # of a configuration shown along a side
_DIAMETER = 0.92  # of a site, in distances of the nearest sites


def height_over_width(cell: UnitCell, shape: Sequence[int]) -> float:
    """Return the height of the picture of a configuration over its width."""
    sides = [min(side, _MOST_CELLS) for side in shape]
    points = cell.points(np.indices(sides).reshape(2, -1).T).reshape(-1, 2)
    width, height = np.ptp(points, axis=0) + cell.spacing
    return float(height / width)


def draw_configuration(axes: Axes, cell: UnitCell, spins: NDArray[np.int8]) -> None:
    """Draw a configuration (components, Lx, Ly): black is +1, white -1, and sites without data are
    left out. Of a large lattice only a corner is drawn."""
    corner = spins[:, :_MOST_CELLS, :_MOST_CELLS]
    points = cell.points(np.indices(corner.shape[1:]).reshape(2, -1).T).reshape(-1, 2)
    values = corner.ravel()
    shown = values != 0
    colours = np.where(values[shown] > 0, "black", "white")
    _draw_sites(axes, cell, points[shown], facecolors=colours.tolist(), linewidths=0.2)


def draw_filter(
    axes: Axes,
    cell: UnitCell,
    offsets: NDArray[np.int64],
    weights: NDArray[np.float64],
    scale: ScalarMappable,
) -> None:
    """Draw the weights (components * sites,) of a filter on the sites of a block, with numbers."""
    points = cell.points(offsets).reshape(-1, 2)
    shown = {"array": weights, "cmap": scale.cmap, "norm": scale.norm}
    _draw_sites(axes, cell, points, linewidths=0.6, **shown)
    _, largest = scale.get_clim()
    size = min(9.0, 45 / np.sqrt(len(weights)))
    for (x, y), weight in zip(points, weights):
        colour = "white" if abs(weight) > 0.6 * largest else "black"
        axes.text(x, y, f"{weight:.2f}", ha="center", va="center", fontsize=size, color=colour)


def _draw_sites(
    axes: Axes,
    cell: UnitCell,
    points: NDArray[np.float64],
    **look: Any,
) -> None:
    """Circles of a lattice, which nearly touch."""
    size = np.full(len(points), _DIAMETER * cell.spacing)
    axes.add_collection(
        EllipseCollection(
            size,
            size,
            np.zeros(len(points)),
            units="xy",
            offsets=points,
            offset_transform=axes.transData,
            edgecolors="0.55",
            **look,
        )
    )
    low, high = points.min(axis=0) - cell.spacing / 2, points.max(axis=0) + cell.spacing / 2
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
