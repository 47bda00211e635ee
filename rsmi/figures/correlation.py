"""The figure of correlation functions: C(r) on double-logarithmic axes, and structure factors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rsmi.figures.layout import name_panel
from rsmi.figures.style import marker, note, state_label
from rsmi.lattice.geometry import sides_text
from rsmi.reports.flow import model_text
from rsmi.stages.spectrum.correlation import summary
from rsmi.statistics.notation import with_error
from rsmi.store import File

_MOST = 4  # functions that are drawn
_DECADES = 200.0  # ratio of the ends of an axis up to which its numbers are not powers of ten
_SHORT = 4.0  # the same, up to which every first digit is written
Json = dict[str, Any]


def draw(file: File) -> Figure:
    """For every function |C(r)| along the axis (filled) and the diagonal (open) with the fitted
    power of the largest lattice, and below it the structure factor."""
    numbers = summary(file)
    names = numbers["functions"][:_MOST]
    figure = Figure(figsize=(max(3.6, 3.2 * len(names)), 5.2), layout="constrained")
    panels = figure.subplots(2, len(names), squeeze=False, height_ratios=(1.6, 1))
    for column, name in enumerate(names):
        sides = [min(lattice["shape"]) for lattice in numbers["lattices"]]
        rows = [lattice["correlations"][column] for lattice in numbers["lattices"]]
        labels = [f"$L$ = {sides_text(lattice['shape'])}" for lattice in numbers["lattices"]]
        _draw_correlations(panels[0, column], rows, labels)
        _draw_factors(panels[1, column], rows, sides)
        panels[0, column].set_title(name)
    name_panel("correlations", *panels[0])
    name_panel("structure-factors", *panels[1])
    panels[0, 0].set_ylabel("$|C(r)|$")
    panels[1, 0].set_ylabel("$S(q)$")
    shape = numbers["lattices"][-1]["shape"]
    state = state_label(file, shape, numbers["coupling"])
    figure.suptitle(f"{model_text(file)},  {state}")
    return figure


def _draw_correlations(axes: Axes, rows: Sequence[Json], labels: Sequence[str]) -> None:
    drawn = False
    for number, (row, label) in enumerate(zip(rows, labels)):
        colour = f"C{number % 7}"
        for direction, filled in (("axis", "full"), ("diagonal", "none")):
            prefix = "" if direction == "axis" else "diagonal_"
            places = _clear(row[direction], row[f"{direction}_error"])
            drawn |= bool(places)
            axes.errorbar(
                [row[f"{prefix}distance"][i] for i in places],
                [abs(row[direction][i]) for i in places],
                [row[f"{direction}_error"][i] or 0.0 for i in places],
                linestyle="none",
                marker=marker(number),
                markersize=3,
                fillstyle=filled,
                color=colour,
                elinewidth=0.7,
                label=label if direction == "axis" else None,
            )
    if not drawn:
        return note(axes, "nothing differs from zero")
    _draw_power(axes, rows[-1])
    _take_logarithms(axes)
    axes.set(xlabel="$r$")
    axes.legend(fontsize=7, title="filled: axis, open: diagonal", title_fontsize=7)


def _clear(values: Sequence[float], errors: Sequence[float | None]) -> list[int]:
    """The distances r > 0 at which a value differs from zero by two errors."""
    return [
        i for i in range(1, len(values)) if values[i] and abs(values[i]) > 2 * (errors[i] or 0.0)
    ]


def _draw_power(axes: Axes, row: Json) -> None:
    """The fitted power, drawn over the distances of the fit, and thinner beyond them."""
    power = row["power"]
    if power is None or power["value"] is None:
        return
    for first, last, width in ((1, row["distance"][-1], 0.6), (power["from"], power["to"], 1.4)):
        ends = [first, last]
        values = [math.exp(power["logarithm"] - power["value"] * math.log(r)) for r in ends]
        label = rf"$r^{{-{with_error(power['value'], power['error'])}}}$" if width > 1 else None
        axes.plot(ends, values, color="black", linewidth=width, zorder=1, label=label)


def _draw_factors(axes: Axes, rows: Sequence[Json], sides: Sequence[int]) -> None:
    drawn = False
    for number, (row, side) in enumerate(zip(rows, sides)):
        places = [i for i in range(1, len(row["mode"])) if row["structure_factor"][i] > 0]
        drawn |= bool(places)
        axes.errorbar(
            [2 * math.pi * i / side for i in places],
            [row["structure_factor"][i] for i in places],
            [row["structure_factor_error"][i] or 0.0 for i in places],
            linestyle="none",
            marker=marker(number),
            markersize=3,
            color=f"C{number % 7}",
            elinewidth=0.7,
        )
    if not drawn:
        return note(axes, "nothing differs from zero")
    _take_logarithms(axes)
    axes.set(xlabel="$q$ along an axis")


def _take_logarithms(axes: Axes) -> None:
    """Make both axes logarithmic, with plain numbers at 1, 2, 5, 10 where there is room."""
    axes.set(xscale="log", yscale="log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if high > _DECADES * low:
            continue
        axis.set_major_locator(LogLocator(subs=_subdivisions(high / low)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def _subdivisions(ratio: float) -> tuple[int, ...]:
    """The first digits of the numbers that are written on an axis."""
    return (1, 2, 5) if ratio > _SHORT else tuple(range(1, 10))
