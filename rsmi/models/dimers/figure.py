"""Figures of dimers: coverings, and learned rules, whose filters are drawn on the lattice of the
links and noise spins that they weigh."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray

from rsmi.models.dimers import rule_measures
from rsmi.models.dimers.coverings import links_of
from rsmi.models.dimers.stars import without_stars
from rsmi.models.drawing import RuleDrawing
from rsmi.store import File

_LINKS = {"x-links": (1, 0), "y-links": (0, 1)}
_NOISE = {"vertices": 0.0, "faces": 0.5}  # shift from the vertex of the cell
CONFIGURATION_WIDTH = 3.2  # inches
_HALF_WIDTH = 0.11  # of a link, in lattice spacings
_GAP = 0.13  # between a link and its vertices
_DOT = 42.0  # area of a noise spin in square points
_OUTLINE: dict[str, Any] = {"edgecolors": "0.55", "linewidths": 0.5}
_MOST_VERTICES = 64  # of a covering shown along a side
# Dimers along x from even and from odd x, then along y from even and from odd y.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def draw_configuration(axes: Any, spins: NDArray[np.int8], width: float) -> None:
    """Draw a covering, x to the right and y up, and its noise, where black is +1. Of a large
    lattice only a corner is drawn.

    Every vertex draws its half of the dimer, so that a dimer around the edges appears at both. Each
    of the four columnar states has one colour only.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    spins : ndarray of +-1, (components, Lx, Ly)
    width : float
        Width of the picture in inches.
    """
    shape = tuple(min(size, _MOST_VERTICES) for size in spins.shape[1:])
    spacing, corner = 72 * width / shape[0], tuple(map(slice, shape))  # points between vertices
    here = np.indices(shape).reshape(2, -1).T
    links = links_of(spins[None])[0] > 0
    for axis in (0, 1):
        along = 0.5 * (np.arange(2) == axis)
        for start, sign in ((links[axis], 1), (np.roll(links[axis], 1, axis=axis), -1)):
            ends = here[start[corner].ravel()]
            kind = (np.arange(shape[axis]) + (sign < 0)) % 2  # of the vertex the dimer starts from
            colours = [_COLOURS[2 * axis + kind[end[axis]]] for end in ends]
            axes.add_collection(
                LineCollection(
                    list(np.stack([ends, ends + sign * along], axis=1)),
                    colors=colours,
                    linewidths=0.3 * spacing,
                    capstyle="round",
                )
            )
    if len(spins) == 4:
        for layer, shift in ((spins[0], 0.0), (spins[3], 0.5)):
            axes.scatter(
                *(here + shift).T,
                s=(0.18 * spacing) ** 2,
                c=np.where(layer[corner].ravel() > 0, "black", "white"),
                edgecolors="black",
                linewidths=0.05 * spacing,
                zorder=3,
            )
    axes.set(xlim=(-0.75, shape[0] - 0.25), ylim=(-0.75, shape[1] - 0.25), aspect="equal")


def configuration_key(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the colours of dimers mean, and the dots of noise."""
    names = [f"dimer along {axis} from {kind} {axis}" for axis in "xy" for kind in ("even", "odd")]
    key: list[dict[str, Any]] = [
        {"color": colour, "linewidth": 4, "label": name} for colour, name in zip(_COLOURS, names)
    ]
    if attributes.get("components") == 4:
        dot = {"linestyle": "none", "marker": "o", "markeredgecolor": "black"}
        key += [
            {**dot, "color": colour, "label": f"noise spin {sign}1"}
            for colour, sign in (("black", "+"), ("white", "-"))
        ]
    return key


def rule_drawing(file: File) -> RuleDrawing | None:
    """Return how the filters of a lambda file are drawn; None if they do not act on links.

    Links and noise spins are coloured by weight, and the filters are without stars. The arrow
    points along the field E that the filter measures; its length is the square root of R2.
    """
    if not rule_measures.is_dimer_rule(file):
        return None
    block, components = file.attributes["block"], file.attributes["components"]
    filters, _ = rule_measures.fixed_filters(file)
    measures = rule_measures.summary(file)["dimers"]

    def draw(axes: Any, unit: int, scale: ScalarMappable) -> None:
        draw_unit(axes, filters[unit], block, components, scale)
        _draw_direction(axes, measures["units"][unit])
        axes.set_title(_unit_title(unit, measures["units"][unit], components), fontsize=8)

    return RuleDrawing(
        filters,
        2.6,
        draw,
        lambda weights: _cell_picture(weights, block, components),
        "weight, without gauge freedom",
        _legend(measures),
    )


def draw_unit(
    axes: Any,
    weights: NDArray[np.float64],
    block: tuple[int, int],
    components: int,
    scale: ScalarMappable,
    dot: float = _DOT,
) -> None:
    """Draw the filter of one unit: links, x to the right and y up, and noise spins on vertices and
    faces. Other vertices are small grey dots."""
    of_components = weights.reshape(-1, math.prod(block))
    layers = dict(zip(rule_measures.COMPONENTS[components], of_components))
    colours: dict[str, Any] = {"cmap": scale.cmap, "norm": scale.norm}
    cells = np.indices(block).reshape(2, -1).T
    for name, along in _LINKS.items():
        near, far, side = (
            _GAP * np.array(along),
            (1 - _GAP) * np.array(along),
            _HALF_WIDTH * np.array(along[::-1]),
        )
        axes.add_collection(
            PolyCollection(
                cells[:, None] + np.array([near - side, far - side, far + side, near + side]),
                array=layers[name],
                **colours,
                **_OUTLINE,
            )
        )
        axes.scatter(*(cells + along).T, s=5, color="0.55", linewidths=0)
    axes.scatter(*cells.T, s=5, color="0.55", linewidths=0)
    for name, shift in _NOISE.items():
        if name in layers:
            axes.scatter(*(cells + shift).T, s=dot, c=layers[name], zorder=3, **colours, **_OUTLINE)
    axes.set(xlim=(-0.35, block[0] + 0.35), ylim=(-0.35, block[1] + 0.35), aspect="equal")


def _draw_direction(axes: Any, measures: dict) -> None:
    """Draw the field E of the filter in a unit circle beside the lattice."""
    if measures["R2"] is None:
        return
    dial = axes.inset_axes((1.0, 0.82, 0.18, 0.18))
    turn = np.linspace(0, 2 * np.pi, 73)
    dial.plot(np.cos(turn), np.sin(turn), color="0.6", linewidth=0.7)
    angle, length = math.radians(measures["direction"]), math.sqrt(measures["R2"])
    tip = (length * math.cos(angle), length * math.sin(angle))
    dial.annotate(
        "",
        xy=tip,
        xytext=(0, 0),
        arrowprops={
            "arrowstyle": "-|>",
            "color": "black",
            "linewidth": 1.0,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 7,
        },
    )
    dial.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal")
    dial.set_axis_off()


def _unit_title(unit: int, measures: dict, components: int) -> str:
    if measures["R2"] is None:
        return f"unit {unit + 1}: nothing on links"
    rho = (
        f", $\\rho$ = {measures['correlation']:.3f}"
        if measures.get("correlation") is not None
        else ""
    )
    noise = f", noise {measures['noise']:.3f}" if components == 4 else ""
    return (
        f"unit {unit + 1}: $E$ at ${measures['direction']:.0f}$°{rho}\n$R^2$ ="
        f" {measures['R2']:.3f}{noise}"
    )


def _legend(measures: dict) -> str:
    captured = len(measures["units"]) > 1 and None not in measures["capture"]
    capture = (
        "capture of $E_x$, $E_y$ by all units {:.3f}, {:.3f}\n".format(*measures["capture"])
        if captured
        else ""
    )
    return "arrow: the field $E$ in the filter, of length $R$ in a circle of 1\n" + capture


def _cell_picture(
    weights: NDArray[np.float64], block: tuple[int, int], components: int
) -> NDArray[np.float64]:
    """Return the `cell_image` of a filter without stars."""
    fixed, _ = without_stars(weights[None], np.zeros(1), block, components)
    return cell_image(fixed[0], block, components)


def cell_image(
    weights: NDArray[np.float64], block: tuple[int, int], components: int
) -> NDArray[np.float64]:
    """Return a filter as an image (2 m_y, 2 m_x) of vertices, links and faces, rows downwards; NaN
    where V has no variable."""
    canvas = np.full((2 * block[0], 2 * block[1]), np.nan)
    for name, layer in zip(rule_measures.COMPONENTS[components], weights.reshape(-1, *block)):
        x, y = {"vertices": (0, 0), "x-links": (1, 0), "y-links": (0, 1), "faces": (1, 1)}[name]
        canvas[x::2, y::2] = layer
    return canvas.T[::-1]
