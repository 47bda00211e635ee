"""The figure of a rule whose filters act on products of spins: symmetric matrices and site
weights, or the weights of the products."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from rsmi.figures.filters import draw_training, filter_image, heat_map, information
from rsmi.figures.layout import name_panel
from rsmi.figures.style import geometry_title
from rsmi.samples.views import RuleFile

_PANEL = 2.1  # inches of a matrix, and of the site weights beside it
_MOST_UNITS = 4  # units that are drawn
_STRONGEST = 16  # products that are drawn as bars


def draw(rule: RuleFile) -> Figure:
    """The quadratic form of every unit, or the weights of its products, and the training."""
    units = min(len(rule.filters), _MOST_UNITS)
    figure = Figure(
        figsize=(2 * _PANEL + 4.1, max(2.9, (_PANEL + 0.3) * units + 0.9)), layout="constrained"
    )
    parts = figure.subfigures(1, 2, squeeze=False, width_ratios=[2 * _PANEL + 0.4, 3.6])
    left, right = parts[0]
    forms = rule.forms
    if forms is None:
        _draw_weights(left, rule, units)
        limit = float(np.abs(rule.filters).max()) or 1.0
        draw_training(right, rule.file, limit, lambda weights: weights[np.newaxis])
    else:
        _draw_forms(left, rule, forms[:units])
        limit = float(np.abs(forms).max()) or 1.0
        draw_training(right, rule.file, limit, lambda weights: _matrix(rule, weights))
    name_panel("filters", *left.axes)
    left.supxlabel(_caption(rule, units), fontsize=8)
    figure.suptitle(f"{geometry_title(rule.attributes)}, sector {rule.sector}")
    return figure


def _caption(rule: RuleFile, units: int) -> str:
    """The field of a unit and the information that the rule keeps (TeX)."""
    field = r"$x = v^T A v + b$" if rule.forms is not None else r"$x = \sum_p \lambda_p v_p + b$"
    biases = ", ".join(f"{bias:z.2f}" for bias in rule.bias[:units])
    rest = len(rule.filters) - units
    more = f"; {rest} more units are not drawn" if rest else ""
    return f"{field}, bias $b$ = {biases}{more}\n{information(rule.file)}"


def _matrix(rule: RuleFile, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric matrix of the weights of one unit."""
    matrix = np.zeros_like(rule.forms[0]) if rule.forms is not None else np.zeros((1, 1))
    first, second = np.array(rule.products).T
    matrix[first, second] = matrix[second, first] = 0.5 * weights
    return matrix


def _draw_forms(figure: SubFigure, rule: RuleFile, forms: NDArray[np.float64]) -> None:
    """A row for every unit: its matrix, and the site weights, which are the row sums of the matrix,
    in the shape of the block."""
    weights = rule.site_weights
    assert weights is not None
    limits = [float(np.abs(values).max()) or 1.0 for values in (forms, weights)]
    grid = figure.subplots(len(forms), 2, squeeze=False)
    for unit, (matrix_axes, weight_axes) in enumerate(grid):
        name = f"unit {unit + 1}: " if len(rule.filters) > 1 else ""
        heat_map(matrix_axes, forms[unit], limits[0], f"{name}matrix $A$")
        image = filter_image(weights[unit], rule.block)
        heat_map(weight_axes, image, limits[1], r"site weights: row sums of $A$")
        for axes in (matrix_axes, weight_axes):
            axes.set(xticks=[], yticks=[])
        matrix_axes.set(ylabel="site $i$")
        weight_axes.set_frame_on(False)
    grid[-1, 0].set(xlabel="site $k$")


def _draw_weights(figure: SubFigure, rule: RuleFile, units: int) -> None:
    """A row for every unit: its strongest products as bars."""
    products = rule.products or ()
    for unit, axes in enumerate(np.ravel(figure.subplots(units, 1, squeeze=False))):
        order = np.argsort(-np.abs(rule.filters[unit]), kind="stable")[:_STRONGEST]
        _bars(axes, rule.filters[unit][order], [" ".join(map(str, products[i])) for i in order])
        axes.set_title(f"unit {unit + 1}: weights of products of sites")


def _bars(axes: Axes, values: NDArray[np.float64], names: list[str]) -> None:
    places = np.arange(len(values))
    axes.bar(places, values, color=np.where(values < 0, "C0", "C3"))
    axes.axhline(0, color="0.3", linewidth=0.8)
    axes.set_xticks(places, names, rotation=90)
