"""Figures of the six-vertex model: arrows, and learned filters as arrows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from rsmi.information.gauge import without_constraints
from rsmi.lattice.geometry import Geometry
from rsmi.lattice.waves import staggered_signs
from rsmi.models.drawing import RuleDrawing
from rsmi.models.six_vertex.arrows import c_vertices
from rsmi.models.six_vertex.stars import star_constraints
from rsmi.store import File

CONFIGURATION_WIDTH = 3.2  # inches
_MOST_VERTICES = 24  # of a configuration shown along a side
_LENGTH = 0.86  # of an arrow, in lattice spacings
_ALONG = ((1, 0), (0, 1))  # the links of the two components
# Arrows of the one and of the other order of c vertices.
_COLOURS = np.array(["#0072B2", "#D55E00"])


def draw_configuration(axes: Any, spins: NDArray[np.int8], width: float) -> None:
    """Draw the arrows of a configuration (2, Lx, Ly), x to the right and y up; of a large lattice
    only a corner.

    The two orders of c vertices are opposite to each other. An arrow has the colour of the order to
    which it belongs: one of these is one colour, parallel arrows alternate. Dots are c vertices.
    """
    shape = tuple(min(side, _MOST_VERTICES) for side in spins.shape[1:])
    corner = tuple(map(slice, shape))
    vertices = np.indices(shape).reshape(2, -1).T
    signs = staggered_signs(shape).ravel()
    for component, along in enumerate(_ALONG):
        arrows = spins[component][corner].ravel().astype(float)
        order = arrows * signs * (1 if component else -1) > 0
        colours = _COLOURS[order.astype(int)]
        _draw_arrows(axes, vertices, along, arrows, color=colours)
    dots = vertices[c_vertices(spins[None])[0][corner].ravel()]
    size = (10 * width / shape[0]) ** 2
    axes.scatter(*dots.T, s=size, color="black", linewidths=0, zorder=3)
    axes.set(xlim=(-0.6, shape[0] + 0.1), ylim=(-0.6, shape[1] + 0.1), aspect="equal")


def configuration_key(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the colours of arrows mean, and the dots."""
    names = ("arrow of one order of c vertices", "arrow of the opposite order")
    key: list[dict[str, Any]] = [
        {"color": colour, "linewidth": 2, "label": name} for colour, name in zip(_COLOURS, names)
    ]
    return [*key, {"linestyle": "none", "marker": "o", "color": "black", "label": "c vertex"}]


def _draw_arrows(
    axes: Any,
    vertices: NDArray[np.int64],
    along: tuple[int, int],
    lengths: NDArray[np.float64],
    *values: Any,
    **look: Any,
) -> None:
    """Draw arrows on the links that lead from vertices along one axis; negative ones point back.

    Values are shown by colours."""
    middles, steps = vertices + np.array(along) / 2, np.outer(lengths, along) * _LENGTH
    axes.quiver(
        *middles.T,
        *steps.T,
        *values,
        pivot="middle",
        angles="xy",
        scale_units="xy",
        scale=1,
        units="xy",
        width=0.09,
        headwidth=3.6,
        headlength=4,
        headaxislength=3.4,
        minlength=0,
        **look,
    )


def rule_drawing(file: File) -> RuleDrawing | None:
    """Return how the filters of a lambda file are drawn; None if they do not act on arrows.

    A filter is drawn in the gauge without the ice rule. Every weight is an arrow: it points as the
    arrows of the lattice do in the block that the filter likes best, and its length and its colour
    are the weight.
    """
    a = file.attributes
    if a.get("components") != 2 or a["rg_step"] or "/products" in file or "/mask" in file:
        return None
    geometry = Geometry(a["block"], a["buffer"], a["environment"], a["components"])
    filters = fixed_filters(file.read("/filters"), geometry)
    largest = float(np.abs(filters).max()) or 1.0

    def draw(axes: Any, unit: int, scale: ScalarMappable) -> None:
        draw_unit(axes, filters[unit], geometry, scale, largest)
        axes.set_title(f"unit {unit + 1}")

    return RuleDrawing(
        filters,
        2.6,
        draw,
        lambda weights: _image(fixed_filters(weights[None], geometry)[0], geometry),
        "weight, without gauge freedom",
        "arrows: as in the block with the largest value of the unit; their length is the weight\n",
    )


def fixed_filters(filters: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Return filters (n_hidden, n_block) that are orthogonal to the ice rule and do the same."""
    stars = star_constraints(geometry)
    return without_constraints(filters, np.zeros(len(filters)), stars)[0]


def draw_unit(
    axes: Any,
    weights: NDArray[np.float64],
    geometry: Geometry,
    scale: ScalarMappable,
    largest: float,
) -> None:
    """Draw the filter of one unit as arrows; vertices are small grey dots."""
    vertices = geometry.block_offsets
    axes.scatter(*vertices.T, s=5, color="0.55", linewidths=0)
    for along, layer in zip(_ALONG, weights.reshape(2, -1)):
        _draw_arrows(
            axes, vertices, along, layer / largest, layer, cmap=scale.cmap, norm=scale.norm
        )
    sides = geometry.block
    axes.set(xlim=(-0.35, sides[0] + 0.35), ylim=(-0.35, sides[1] + 0.35), aspect="equal")


def _image(weights: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Return a filter as an image (2 m_y, 2 m_x) of links, rows downwards; NaN elsewhere."""
    canvas = np.full((2 * geometry.block[0], 2 * geometry.block[1]), np.nan)
    for along, layer in zip(_ALONG, weights.reshape(2, -1)):
        places = 2 * geometry.block_offsets + np.array(along)
        canvas[tuple(places.T)] = layer
    return canvas.T[::-1]
