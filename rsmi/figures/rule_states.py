"""The figure of a learned rule with free filters of variables, or of a hidden unit, with several
states."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rsmi.figures import palette
from rsmi.figures.filters import draw_training, filter_image, heat_map, information
from rsmi.figures.layout import name_panel
from rsmi.figures.style import geometry_title
from rsmi.samples.views import RuleFile

_PANEL = 1.25  # inches


def draw(rule: RuleFile) -> Figure:
    """A row for every coarse state or unit, a column for every state of a site with a frame in the
    colour of the state, and the training of every restart."""
    weights = rule.state_weights(rule.filters)
    rows, columns = weights.shape[:2]
    size = (3.8 + _PANEL * columns, max(3.0, 1.35 * rows + 1.0))
    figure = Figure(figsize=size, layout="constrained")
    widths = [_PANEL * columns + 0.4, 3.4]
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=widths)[0]
    limit = float(np.abs(weights).max()) or 1.0
    grid = left.subplots(rows, columns, squeeze=False)
    found = palette.of_states(columns, rule.model.symmetry(rule.attributes))
    colours = found or colormaps["gray_r"].resampled(columns)
    name = "h =" if rule.units is not None and rule.units.states else "unit"
    for row, panels in enumerate(grid):
        for state, axes in enumerate(panels):
            title = f"sites in state {state}" if row == 0 else ""
            heat_map(axes, filter_image(weights[row, state], rule.block), limit, title)
            axes.title.set_fontsize(8)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=colours(state), linewidth=3)
        first = row if name == "h =" else row + 1
        panels[0].set_ylabel(f"{name} {first}", rotation=0, ha="right", va="center")
    name_panel("filters", *left.axes)
    left.supxlabel(information(rule.file), fontsize=8)

    def image(features: NDArray[np.float64]) -> NDArray[np.float64]:
        of_states = rule.state_weights(features[np.newaxis])[0]
        pictures = [filter_image(one, rule.block) for one in of_states]
        gap = np.full((len(pictures[0]), 1), np.nan)
        return np.concatenate([part for one in pictures for part in (gap, one)][1:], axis=1)

    draw_training(right, rule.file, limit, image)
    figure.suptitle(geometry_title(rule.attributes))
    return figure
