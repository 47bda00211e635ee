"""The figure of exponents: y_t and y_h, and nu and T_c where the model has a thermometer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation, Transform

from rsmi.figures.style import GREY, REFERENCE, marker, state_label, wrapped
from rsmi.lattice.geometry import sides_text
from rsmi.models.base import Known
from rsmi.reports.exponent import EXPONENTS, has_thermometer, theory_word
from rsmi.reports.flow import model_text, rule_text
from rsmi.samples.files import known_of
from rsmi.stages import exponent
from rsmi.statistics.notation import with_error
from rsmi.store import File

_HEIGHTS = (3.2, 5.6, 8.0)  # of figures of one to three rows of panels, inches
_SHIFT = 4.0  # points, by which one series lies beside the next one
_LABELS = {"y_t": "$y_t$", "y_h": "$y_h$"}


def draw(file: File) -> Figure:
    """y_t and y_h by step and number of operators; below them nu and T_c by step and the collapse
    of the flow, where there are such values. Values from theory are dashed, the headline ringed."""
    numbers, known = exponent.summary(file), known_of(file)
    panels = _thermometer_panels(numbers, known)
    collapse = numbers.get("nu_collapse") or {"value": None}
    rows = 1 + bool(panels) + (collapse["value"] is not None)
    figure = Figure(figsize=(6.8, _HEIGHTS[rows - 1]), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    for column, name in enumerate(EXPONENTS):
        axes = figure.add_subplot(grid[0, column], label=name)
        _draw_sequence(axes, numbers, name, known)
    for column, name in enumerate(panels):
        width = slice(None) if len(panels) == 1 else column
        _PANELS[name](figure.add_subplot(grid[1, width], label=name), numbers, known)
    if collapse["value"] is not None:
        _draw_collapse(figure.add_subplot(grid[-1, :], label="collapse"), collapse)
    _legend(figure)
    figure.suptitle(_title(file, numbers))
    return figure


def _title(file: File, numbers: dict) -> str:
    block, temperature = file.attributes["block"], numbers["temperature"]
    coupling = None if temperature is None else 1 / temperature
    shape = numbers["shape"] or [numbers["size"]] * len(block)
    label = state_label(file, shape, coupling)
    return f"{model_text(file)},  {label},  $L$ = {sides_text(shape)}\nrule {rule_text(numbers)}"


def _legend(figure: Figure) -> None:
    """One legend of y_t and y_h for both: the steps, then the theory, then the headline."""
    entries = {
        label: handle
        for axes in figure.axes[:2]
        for handle, label in zip(*axes.get_legend_handles_labels())
    }
    order = sorted(entries, key=lambda label: (not label.startswith("step"), label))
    handles = [entries[label] for label in order]
    figure.legend(handles, order, loc="outside lower center", ncols=len(order), columnspacing=1.4)


# ---- y_t and y_h ---------------------------------------------------------------------------------


def _draw_sequence(axes: Axes, numbers: dict, name: str, known: Known) -> None:
    """One exponent by number of operators, a series per step."""
    rows, headline = numbers[name], numbers["headline"][name]
    theory = known.exponent(name)
    if theory is not None:
        axes.axhline(theory, **REFERENCE, label=theory_word(known))
    steps = sorted({row["step"] for row in rows})
    for number, step in enumerate(steps):
        shift = _SHIFT * (number - (len(steps) - 1) / 2)
        of_step = [row for row in rows if row["step"] == step]
        _draw_points(axes, of_step, "operators", shift, number, f"step {step}")
        if step == headline["step"]:
            _ring(axes, headline["operators"], shift, headline["value"], label="value to quote")
    counts = sorted({row["operators"] for row in rows})
    axes.set(xlabel="number of operators", ylabel=_LABELS[name], xticks=counts)
    axes.set_xlim(counts[0] - 0.6, counts[-1] + 0.6)
    axes.set_title(_result(_LABELS[name], headline))


def _draw_points(
    axes: Axes, rows: Sequence[dict], x: str, shift: float, number: int, label: str | None
) -> None:
    shown = [row for row in rows if row["value"] is not None]
    if shown:
        axes.errorbar(
            [row[x] for row in shown],
            [row["value"] for row in shown],
            [row["error"] or 0.0 for row in shown],
            color=f"C{number}",
            marker=marker(number),
            linestyle="none",
            label=label,
            transform=_beside(axes, shift),
        )
        axes.update_datalim(
            [
                (row[x], row["value"] + sign * (row["error"] or 0.0))
                for row in shown
                for sign in (-1, 1)
            ]
        )
        axes.autoscale_view()


def _beside(axes: Axes, shift: float) -> Transform:
    """Coordinates of the data, so many points to the right: series do not hide one another."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return axes.transData + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans)


def _ring(axes: Axes, x: float, shift: float, y: float | None, label: str | None = None) -> None:
    """Mark the value to quote."""
    if y is not None:
        axes.plot(
            x,
            y,
            "o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=0.9,
            linestyle="none",
            label=label,
            zorder=5,
            transform=_beside(axes, shift),
        )


def _result(label: str, row: Mapping, units: str = "") -> str:
    """The value with its error, or why there is none."""
    if row["value"] is None:
        return wrapped(f"{label}: {row['reason']}", 44)
    return f"{label} = {with_error(row['value'], row['error'])}{units}"


# ---- nu and T_c ----------------------------------------------------------------------------------


def _thermometer_panels(numbers: dict, known: Known) -> list[str]:
    """Which of nu and T_c have values to show."""
    if not has_thermometer(known):
        return []
    sequences = {"nu": ("nu_sequence", "nu_differences"), "T_c": ("T_c_sequence",)}
    return [
        name
        for name, keys in sequences.items()
        if any(row["value"] is not None for key in keys for row in numbers[key])
    ]


def _draw_nu(axes: Axes, numbers: dict, known: Known) -> None:
    series: dict[str | None, list[dict]] = {
        "from fluctuations": numbers["nu_sequence"],
        "from differences in $T$": numbers["nu_differences"],
    }
    headline = _headline(numbers, "nu")
    _draw_by_step(axes, series, headline, known.exponent("nu"))
    axes.set(xlabel="coarse-graining step $n$", ylabel=r"$\nu$ of one effective coupling")
    axes.legend(loc="best")
    axes.set_title(_result(r"$\nu$ (biased)", headline))


def _draw_critical_temperature(axes: Axes, numbers: dict, known: Known) -> None:
    headline = _headline(numbers, "T_c")
    _draw_by_step(axes, {None: numbers["T_c_sequence"]}, headline, known.critical_temperature)
    axes.set(xlabel="step $n$ of the crossing of $K_n$ and $K_{n+1}$", ylabel="$T_c$ ($J/k_B$)")
    axes.set_title(_result("$T_c$ (biased)", headline, " $J/k_B$"))


_PANELS = {"nu": _draw_nu, "T_c": _draw_critical_temperature}


def _headline(numbers: dict, name: str) -> dict:
    return {
        "step": numbers["headline"]["y_t"]["step"],
        "value": numbers[name],
        "error": numbers[f"{name}_error"],
        "reason": numbers[f"{name}_reason"],
    }


def _draw_by_step(
    axes: Axes,
    series: Mapping[str | None, Sequence[dict]],
    headline: dict,
    theory: float | None,
) -> None:
    """A thermometer's result by step; the headline is one of the first series."""
    if theory is not None:
        axes.axhline(theory, **REFERENCE)
    for number, (name, rows) in enumerate(series.items()):
        shift = _SHIFT * (number - (len(series) - 1) / 2)
        _draw_points(axes, rows, "step", shift, number, name)
        if number == 0:
            _ring(axes, headline["step"], shift, headline["value"])
    steps = sorted({row["step"] for rows in series.values() for row in rows} | {headline["step"]})
    axes.set(xticks=steps, xlim=(steps[0] - 0.35, steps[-1] + 0.35))
    axes.ticklabel_format(axis="y", useOffset=False)


def _lattice(point: dict) -> tuple[int, tuple[int, ...]]:
    """The step of a point of the collapse, and its shape; one number if all sides are equal."""
    return point["step"], tuple(point.get("shape", [point["size"]]))


def _draw_collapse(axes: Axes, row: dict) -> None:
    """Effective couplings of all temperatures and steps on one curve."""
    points = row["points"]
    for number, (step, shape) in enumerate(sorted(set(map(_lattice, points)))):
        chosen = [point for point in points if _lattice(point) == (step, shape)]
        axes.errorbar(
            [p["x"] for p in chosen],
            [p["y"] for p in chosen],
            [p["error"] for p in chosen],
            color=f"C{number}",
            marker=marker(number),
            linestyle="none",
            label=f"step {step}, $L_n$ = {sides_text(shape)}",
            zorder=3,
        )
    x = np.linspace(min(p["x"] for p in points), max(p["x"] for p in points), 101)
    curve = np.polynomial.polynomial.polyval(x, [0.0, *row["coefficients"]])
    axes.plot(x, curve, color=GREY, linewidth=0.8, zorder=1)
    axes.set(xlabel=r"$(K/K_c - 1)\, b^{n/\nu}$", ylabel="$K_n / K_c$ less the offset of the step")
    axes.set_title(rf"$\nu$ = {with_error(row['value'], row['error'])} by the collapse of the flow")
    axes.legend(loc="upper left")
