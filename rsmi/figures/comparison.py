"""The figure of several rules: their information against what varies between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rsmi import models
from rsmi.errors import UsageError
from rsmi.figures.filters import filter_image, stack
from rsmi.figures.layout import name_panel
from rsmi.figures.style import REFERENCE, integer_steps, marker, wrapped
from rsmi.lattice.geometry import shape_text, sides_text
from rsmi.reports.training import objective_name
from rsmi.samples.views import RuleFile
from rsmi.store import File

_WHOLE = "$I(V:E)$, exact"  # the label of what the whole block knows
_FEWEST = 3  # rules that are worth a figure of a page
_FILTERS = 1.1  # inches of the filters
_MOST_FILTERS = 10  # that are drawn in a row
_LONGEST_LEGEND = 6  # series, beyond which it stands beside the figure


@dataclass(frozen=True)
class Variable:
    """What may vary from one rule to another.

    Attributes
    ----------
    text : callable(attributes) -> str
        Its value in words, for titles and legends.
    number : callable(attributes) -> float, optional
        Its value on the axis, or None where it has none; without it there is no axis.
    label : str
        Of the axis.
    """

    text: Callable[[Mapping[str, Any]], str]
    number: Callable[[Mapping[str, Any]], Any] | None = None
    label: str = ""


# The first that varies is on the axis, and the others tell the series apart.
VARIABLES = (
    Variable(
        lambda a: models.of(a).describe_temperature(a).partition(", ")[0],
        lambda a: a.get("temperature"),
        "$T$ ($J/k_B$)",
    ),
    Variable(lambda a: f"buffer {a['buffer']}", lambda a: a["buffer"], "buffer (sites)"),
    Variable(lambda a: _units(a), lambda a: a["units"], "hidden units"),
    Variable(
        lambda a: f"L = {sides_text(a['shape'])}", lambda a: a["shape"][0], "lattice size $L$"
    ),
    Variable(
        lambda a: f"environment {a['environment']}",
        lambda a: a["environment"],
        "environment (sites)",
    ),
    Variable(
        lambda a: f"block {shape_text(a['block'])}",
        lambda a: math.prod(a["block"]),
        "sites of the block",
    ),
    Variable(lambda a: objective_name(a)),
    Variable(lambda a: f"sector {a.get('sector', 'by default')}"),
    Variable(lambda a: models.of(a).describe_lattice(a)),
)


def _units(a: Mapping[str, Any]) -> str:
    return f"{a['units']} unit{'s' * (a['units'] > 1)}"


def draw(files: Sequence[File]) -> Figure:
    """I(H:E) of the hard rules with error bars, and the exact I(V:E) where it is known, against
    what varies; above it the filters of a few rules that are weights of sites.

    Raises
    ------
    UsageError
        If the rules differ in nothing that has an axis, or are of different systems.
    """
    rules = [_attributes(file) for file in files]
    systems = _systems(rules)
    if len(systems) > 1:
        raise UsageError(
            f"the rules are of different systems ({', '.join(systems)}): draw each by itself"
        )
    axis = axis_of(rules)
    if axis is None:
        raise UsageError(
            "the rules differ neither in temperature nor in buffer, units, size, environment or"
            " block: there is no axis to draw them on"
        )
    series = _series(rules, axis)
    images = _images(files) if len(series) == 1 else []
    figure = Figure(figsize=(5.2, 3.4 + _FILTERS * bool(images)), layout="constrained")
    below: Figure | SubFigure = figure
    if images:
        heights = [_FILTERS, 3.2]
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)[:, 0]
        _draw_filters(above, axis, rules, images)
    axes = below.subplots()
    name_panel("information", axes)
    for number, (name, members) in enumerate(series.items()):
        _draw_series(axes, axis, members, name, number)
    _finish(axes, axis, rules)
    figure.suptitle(wrapped(", ".join(_common(rules)), 78))
    return figure


def _images(files: Sequence[File]) -> list[NDArray[np.float64]]:
    """The filters of every rule as one picture; none if they are many, or no weights of sites."""
    rules = [RuleFile(file) for file in files]
    if len(rules) > _MOST_FILTERS or any(
        rule.products is not None or rule.units is not None or rule.components > 1 for rule in rules
    ):
        return []
    return [
        stack([filter_image(weights, rule.block) for weights in rule.filters]) for rule in rules
    ]


def _draw_filters(
    figure: SubFigure,
    axis: Variable,
    rules: Sequence[dict[str, Any]],
    images: Sequence[NDArray[np.float64]],
) -> None:
    """The filters in the order of the axis, each in colours of its own largest weight."""
    assert axis.number is not None
    values = [axis.number(rule) for rule in rules]
    order = sorted(range(len(rules)), key=values.__getitem__)
    grid = figure.subplots(1, len(rules), squeeze=False)[0]
    name_panel("filters", *grid)
    for axes, place in zip(grid, order):
        limit = float(np.nanmax(np.abs(images[place]))) or 1.0
        axes.imshow(images[place], cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes.set_title(f"{values[place]:.5g}", fontsize=8)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color="0.6", linewidth=0.5)
    figure.suptitle(
        f"filters at {axis.label}; red and blue are weights of opposite signs", fontsize=8
    )


def _attributes(file: File) -> dict[str, Any]:
    return {**file.attributes, "units": file.shape("/filters")[0]}


def axis_of(rules: Sequence[Mapping[str, Any]]) -> Variable | None:
    """The first variable with an axis that varies, of which all rules have a value."""
    for variable in VARIABLES:
        if variable.number is not None:
            values = {variable.number(one) for one in rules}
            if len(values) > 1 and None not in values:
                return variable
    return None


def groups(files: Sequence[File]) -> list[list[File]]:
    """The rules of each system of which several can be drawn together."""
    found: dict[str, list[File]] = {}
    for file in files:
        found.setdefault(_systems([_attributes(file)])[0], []).append(file)
    return [
        group
        for group in found.values()
        if len(group) >= _FEWEST and axis_of([_attributes(file) for file in group]) is not None
    ]


def _systems(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """The models of rules with the dimensions of their lattices, each once."""
    names = (
        f"{models.of(one).describe_lattice(one)} in {len(one['shape'])} dimensions" for one in rules
    )
    return list(dict.fromkeys(names))


def _series(rules: Sequence[dict[str, Any]], axis: Variable) -> dict[str, list[dict[str, Any]]]:
    """The rules that differ in nothing but what is on the axis, by the words that say so."""
    others = [one for one in VARIABLES if one is not axis and _varies(one, rules)]
    series: dict[str, list[dict[str, Any]]] = {}
    for rule in rules:
        series.setdefault(", ".join(one.text(rule) for one in others), []).append(rule)
    return series


def _varies(variable: Variable, rules: Sequence[Mapping[str, Any]]) -> bool:
    return len({variable.text(one) for one in rules}) > 1


def _common(rules: Sequence[dict[str, Any]]) -> list[str]:
    """What all rules have in common, in words, the model first."""
    *others, model = VARIABLES
    shared = [one for one in (model, *others) if not _varies(one, rules)]
    return [one.text(rules[0]) for one in shared if one.number or one is model]


def _draw_series(
    axes: Axes, axis: Variable, rules: list[dict[str, Any]], name: str, number: int
) -> None:
    assert axis.number is not None
    rules = sorted(rules, key=axis.number)
    places = [axis.number(one) for one in rules]
    axes.errorbar(
        places,
        [one["mutual_information_hard"] for one in rules],
        [one["mutual_information_hard_error"] for one in rules],
        marker=marker(number),
        color=f"C{number % 7}",
        label=name or "$I(H{:}E)$, held-out bound",
    )
    whole: list[Any] = [one.get("mutual_information_block") for one in rules]
    if None not in whole:
        own: dict[str, Any] = {"color": f"C{number % 7}", "label": _WHOLE}
        if name:
            own["label"] += f", {name}"
        axes.plot(places, whole, linestyle="--", linewidth=0.8, **own)


def _finish(axes: Axes, axis: Variable, rules: Sequence[dict[str, Any]]) -> None:
    """Labels, the critical temperature, and a legend with the series first, in which one line
    stands for all that are dashed."""
    if any(str(one.get_label()).startswith(f"{_WHOLE}, ") for one in axes.lines):
        axes.plot([], [], **REFERENCE, label=_WHOLE)
    if axis is VARIABLES[0]:
        _mark_critical_temperature(axes, rules)
    else:
        integer_steps(axes)
    axes.set(xlabel=axis.label, ylabel="$I(H:E)$, hard rule (nats)")
    handles, labels = axes.get_legend_handles_labels()
    shown = [place for place, one in enumerate(labels) if not one.startswith(f"{_WHOLE}, ")]
    ordered = sorted(shown, key=lambda place: isinstance(handles[place], Line2D))
    beside = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    axes.legend(
        [handles[place] for place in ordered],
        [labels[place] for place in ordered],
        **beside if len(shown) > _LONGEST_LEGEND else {"loc": "best"},
    )


def _mark_critical_temperature(axes: Axes, rules: Sequence[Mapping[str, Any]]) -> None:
    """A line at T_c, if it is known, the same for all rules, and within the temperatures."""
    known = {models.of(one).known(len(one["shape"]), one).critical_temperature for one in rules}
    low, high = axes.get_xlim()
    critical = known.pop() if len(known) == 1 else None
    if critical is not None and low <= critical <= high:
        axes.axvline(critical, **REFERENCE | {"linestyle": ":"}, label="$T_c$")
