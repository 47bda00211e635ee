"""The figure of a learned rule: its filters, and the training of every restart."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rsmi import models
from rsmi.figures import sites
from rsmi.figures.layout import RIGID, name_panel
from rsmi.figures.style import geometry_title
from rsmi.lattice.unit_cell import UnitCell
from rsmi.models.drawing import RuleDrawing
from rsmi.reports.training import objective_name
from rsmi.samples.views import RuleFile
from rsmi.statistics.notation import with_error
from rsmi.store import File

_OBJECTIVES = {  # in the words of papers, where these are others
    "decoder": "training: bound of $I(H{:}E)$",
    "likelihood": "training: pseudo-log-likelihood of $V$",
    "total-correlation": "training: $TC(V{:}H)$",
}
_SNAPSHOTS = 6  # pictures of the filters along the training
_SMALLEST_TEXT = 3.5  # points; smaller numbers are left out of a heat map


def draw(file: File) -> Figure:
    """A learned rule with filters of sites, drawn on the lattice of its model, or as heat maps."""
    model = models.of(file.attributes)
    module, cell = model.drawing(), model.unit_cell(file.attributes)
    drawing = module.rule_drawing(file) if module else None
    if drawing is None and cell is not None and len(cell.vectors) == 2:
        drawing = _where_sites_lie(RuleFile(file), cell)
    return _on_the_lattice(file, drawing) if drawing else _asheat_maps(file)


def _where_sites_lie(rule: RuleFile, cell: UnitCell) -> RuleDrawing:
    """Filters on the sites of a lattice that is not square."""
    filters, offsets = rule.filters, rule.geometry.block_offsets
    live = np.array(rule.live_sites or [True] * len(offsets))

    def draw_unit(axes: Axes, unit: int, scale: ScalarMappable) -> None:
        weights = filters[unit].reshape(-1, len(offsets))[:, live]
        sites.draw_filter(axes, cell, offsets[live], weights.ravel(), scale)
        axes.set_title(f"unit {unit + 1}" if len(filters) > 1 else r"filter $\Lambda$")

    def image(weights: np.ndarray) -> np.ndarray:
        return filter_image(weights, rule.block)

    return RuleDrawing(filters, 2.2, draw_unit, image, "weight")


def _on_the_lattice(file: File, drawing: RuleDrawing) -> Figure:
    """Every filter as its model draws it, and the objective of every restart."""
    count, panel = len(drawing.filters), drawing.panel
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    figure = Figure(
        figsize=(3.9 + panel * columns, max(3.4, panel * rows + 0.9)), layout="constrained"
    )
    figure.set_label(RIGID)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[panel * columns + 0.5, 3.4])[
        0
    ]
    limit = float(np.abs(drawing.filters).max()) or 1.0
    scale = ScalarMappable(Normalize(-limit, limit), colormaps["RdBu_r"])
    grid = left.subplots(rows, columns, squeeze=False)
    name_panel("filters", *grid.ravel())
    for unit, axes in enumerate(grid.ravel()):
        axes.set_axis_off()
        if unit < count:
            drawing.draw_unit(axes, unit, scale)
    left.colorbar(scale, ax=grid, shrink=0.6, aspect=25, label=drawing.colour_label)
    left.supxlabel(f"{drawing.legend}{information(file)}", fontsize=8)
    draw_training(right, file, limit, drawing.image)
    figure.suptitle(geometry_title(file.attributes))
    return figure


def _asheat_maps(file: File) -> Figure:
    """The filters as heat maps, and the objective of every restart with snapshots of the kept one's
    filters."""
    block, filters = file.attributes["block"], file.read("/filters")
    images = [filter_image(weights, block) for weights in filters]
    columns = math.ceil(math.sqrt(len(images)))
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(3.6 + 1.5 * columns, max(2.9, 1.6 * rows + 0.9)), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[1.5 * columns + 0.2, 3.6])[0]
    limit = float(np.abs(filters).max()) or 1.0
    grid = left.subplots(rows, columns, squeeze=False).ravel()
    name_panel("filters", *grid)
    for unit, axes in enumerate(grid):
        axes.set_axis_off()
        if unit < len(images):
            heat_map(
                axes,
                images[unit],
                limit,
                f"unit {unit + 1}" if len(images) > 1 else r"filter $\Lambda$",
            )
    left.supxlabel(information(file), fontsize=8)
    draw_training(right, file, limit, lambda weights: filter_image(weights, block))
    figure.suptitle(geometry_title(file.attributes))
    return figure


def filter_image(weights: np.ndarray, block: tuple[int, ...]) -> np.ndarray:
    """A filter in block shape as a 2D array; the layers of a 3D block side by side, NaN between
    them."""
    layers = weights.reshape(-1, *((1, *block)[-2:]))
    gap = np.full((layers.shape[1], 1), np.nan)
    return np.concatenate([part for layer in layers for part in (gap, layer)][1:], axis=1)


def heat_map(axes, image: np.ndarray, limit: float, title: str) -> None:
    """An image with its numbers, if there is room for them; colours go from -limit to limit."""
    axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_title(title)
    size = min(9.0, 34 / max(image.shape))
    if size < _SMALLEST_TEXT:
        return
    for (row, column), weight in np.ndenumerate(image):
        if np.isfinite(weight):
            axes.text(
                column,
                row,
                f"{weight:z.2f}",
                ha="center",
                va="center",
                fontsize=size,
                color="white" if abs(weight) > 0.6 * limit else "black",
            )


def information(file: File) -> str:
    """The information that the rule keeps, with the exact value where it is known (TeX)."""
    a = file.attributes
    exact = (
        "\nhard rule, exact"
        f" {with_error(a['mutual_information_exact'], a.get('mutual_information_exact_error'))}"
        if "mutual_information_exact" in a
        else ""
    )
    soft = with_error(a["mutual_information"], a["mutual_information_error"])
    hard = with_error(a["mutual_information_hard"], a["mutual_information_hard_error"])
    return f"$I(H{{:}}E)$ in nats\nsoft rule {soft}\nhard rule {hard}{exact}"


def draw_training(
    figure, file: File, limit: float, image: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The objective of every restart by step, below pictures of the filters of the kept restart;
    nothing if the filters were found in one step.

    Parameters
    ----------
    figure : Figure or SubFigure
    file : File
        A learned rule.
    limit : float
        The colours of the pictures go from -limit to limit.
    image : callable(weights) -> ndarray
        A filter as a small picture.
    """
    step, objective = file.read("/curve/step"), file.read("/curve/objective")
    if len(step) < 2:
        return
    kept = file.attributes["restart"]
    strip, axes = figure.subplots(2, 1, height_ratios=[1, 3.4], sharex=True)
    name_panel("training", strip, axes)
    for restart, curve in enumerate(objective):
        chosen = restart == kept
        axes.plot(
            step,
            curve,
            color="C0" if chosen else "0.7",
            linewidth=1.6 if chosen else 1,
            zorder=2 + chosen,
            label=f"kept (restart {kept + 1} of {len(objective)})" if chosen else None,
        )
    if len(objective) > 1:
        axes.plot([], [], color="0.7", linewidth=1, label="other restarts")
    axes.set(xlabel="minibatch steps", ylabel=_objective(file))
    axes.legend(loc="lower right", frameon=True, framealpha=1, edgecolor="none")
    strip.set_axis_off()
    strip.set_title("filters of the kept restart", fontsize=8)
    _snapshots(strip, axes, file, step, limit, image)


def _objective(file: File) -> str:
    """The label of the objective. The value of the proxy is no information."""
    units = "arbitrary units" if file.attributes["objective"] == "proxy" else "nats"
    name = _OBJECTIVES.get(file.attributes["objective"])
    return f"{name or objective_name(file.attributes)}\n({units})"


def _snapshots(
    strip,
    axes,
    file: File,
    step: np.ndarray,
    limit: float,
    image: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Small pictures of the kept restart's filters above the curve, at the steps they belong to."""
    history = file.read("/curve/filters")[file.attributes["restart"]]
    low, high = float(step[0]), float(step[-1])
    if not high > low:
        return
    for row in _spread_rows(step):
        picture = stack([image(weights) for weights in history[row]])
        middle = 0.05 + 0.9 * (step[row] - low) / (high - low)
        small = strip.inset_axes((middle - 0.065, 0.0, 0.13, 1.0))
        small.imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
        small.set(xticks=[], yticks=[])
        small.spines[:].set(visible=True, color="0.6", linewidth=0.5)
        axes.axvline(step[row], ymin=0.96, color="0.6", linewidth=0.8, zorder=0)
    axes.set_xlim(low - 0.05 / 0.9 * (high - low), high + 0.05 / 0.9 * (high - low))


def _spread_rows(step: np.ndarray) -> list[int]:
    """Rows from the last back to the first, about evenly spread and never so close that their
    pictures touch."""
    rows: list[int] = []
    for target in np.linspace(step[-1], step[0], _SNAPSHOTS):
        row = int(np.argmin(np.abs(step - target)))
        if not rows or step[rows[-1]] - step[row] >= 0.17 * (step[-1] - step[0]):
            rows.append(row)
    return rows


def stack(images: list[np.ndarray]) -> np.ndarray:
    """Images in as square an arrangement as possible, NaN between them."""
    columns = round(math.sqrt(len(images)))
    height, width = images[0].shape
    rows = -(-len(images) // columns)
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        canvas[
            row * (height + 1) : row * (height + 1) + height,
            column * (width + 1) : column * (width + 1) + width,
        ] = image
    return canvas
