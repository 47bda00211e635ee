"""The figure of a spectrum: scaling dimensions of pairs of sizes, and their extrapolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rsmi.figures.layout import name_panel
from rsmi.figures.style import REFERENCE, marker, note
from rsmi.reports.flow import model_text
from rsmi.reports.spectrum import size_names
from rsmi.stages.spectrum.chosen import SECTORS
from rsmi.stages.spectrum.summary import summary
from rsmi.statistics.notation import with_error
from rsmi.store import File

LABELS = {
    "m1": r"$\langle|m|\rangle$",
    "m2": r"$\langle m^2\rangle$",
    "A": "antipodal",
    "X12": "$X_{12}$",
    "X24": "$X_{24}$",
    "E01": "$S(0) - S(1)$",
}
_GREEK = {"sigma": r"\sigma", "epsilon": r"\varepsilon"}
_SHIFT = 0.012  # of the panel, by which one series lies beside the next one
_FREE = 2.0  # the power of L on the abscissa if omega is free
Json = dict[str, Any]


def draw(file: File) -> Figure:
    """Delta of every pair of sizes against L^-omega, sector by sector, with the fit of all sizes
    and its value for an infinite lattice; dashed lines at exact values."""
    numbers = summary(file)
    sectors = [sector for sector in SECTORS if numbers["functions"][sector]]
    figure = Figure(figsize=(3.5 * max(1.3, len(sectors)), 3.4), layout="constrained")
    for axes, sector in zip(figure.subplots(1, len(sectors), squeeze=False)[0], sectors):
        _draw_sector(axes, numbers, sector)
        name_panel(sector, axes)
    figure.suptitle(_title(file, numbers))
    return figure


def _title(file: File, numbers: Json) -> str:
    parts = [model_text(file)]
    if numbers["temperature"] is not None:
        parts.append(f"$T$ = {numbers['temperature']:.6g} $J/k_B$")
    for sector in SECTORS:
        row = numbers["headline"][sector]
        if row["delta"] is not None:
            parts.append(rf"$\Delta$({row['function']}) = {with_error(row['delta'], row['error'])}")
    return ",  ".join(parts)


def _draw_sector(axes: Axes, numbers: Json, sector: str) -> None:
    rows = [row for row in numbers["sequence"] if row["sector"] == sector and row["pairs"]]
    if len(numbers["functions"][sector]) > 1:
        rows = [row for row in rows if row["quoted"]]
    power = _power(numbers)
    shift = _SHIFT * _largest(numbers, power)
    for number, row in enumerate(rows):
        _draw_quantity(axes, row, number, power, shift * (number - (len(rows) - 1) / 2))
    if not rows:
        note(axes, "no quantity differs from zero")
    _draw_exact(axes, numbers["headline"][sector])
    axes.set(xlabel=rf"$L^{{-{power:g}}}$", ylabel=rf"$\Delta$ of {sector} functions")
    axes.set_xlim(left=-0.04 * _largest(numbers, power))
    _name_pairs(axes, numbers, power)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize=7)


def _draw_quantity(axes: Axes, row: Json, number: int, power: float, shift: float) -> None:
    """Pairs of sizes, the fit, and the extrapolated value with its statistical and total error, all
    shifted a little, so that series do not hide one another."""
    colour, filled = f"C{number % 7}", "full" if row["quoted"] else "none"
    places = [_place(pair["sizes"], power) for pair in row["pairs"]]
    axes.errorbar(
        [place + shift for place in places],
        [pair["delta"] for pair in row["pairs"]],
        [pair["error"] for pair in row["pairs"]],
        linestyle="none",
        marker=marker(number),
        fillstyle=filled,
        color=colour,
        label=f"{row['function']}, {LABELS[row['quantity']]}",
    )
    if row["extrapolated"]:
        look = {"color": colour, "fillstyle": filled, "marker": marker(number)}
        _draw_fit(axes, row, max(places), power, shift, look)


def _draw_fit(
    axes: Axes, row: Json, last: float, power: float, shift: float, look: dict[str, Any]
) -> None:
    fit, places = row["fits"][0], [last * i / 50 for i in range(51)]
    curve = [fit["delta"]] * len(places)
    for order in ("", "second_"):
        omega = fit[f"{order}omega"]
        if omega is not None:
            slope = -fit[f"{order}correction"] * omega / row["power"]["slope"]
            curve = [y + slope * place ** (omega / power) for y, place in zip(curve, places)]
    axes.plot(places, curve, color=look["color"], linewidth=0.8)
    total = math.hypot(fit["error"], row["systematic"] or 0.0)
    wide = {"elinewidth": 3, "alpha": 0.3, "capsize": 0, "color": look["color"]}
    axes.errorbar(shift, fit["delta"], total, linestyle="none", **wide)
    axes.errorbar(shift, fit["delta"], fit["error"], **look)


def _draw_exact(axes: Axes, headline: Json) -> None:
    """Dashed lines at the exact dimensions that lie in the panel."""
    low, high = axes.get_ylim()
    for one in headline["operators"][:1]:
        name = one["operator"]
        symbol = rf"$\Delta_{{{_GREEK[name]}}}$" if name in _GREEK else rf"$\Delta$ of {name}"
        label = f"{symbol} = {one['text']}"
        axes.axhline(one["delta"], **REFERENCE, label=label)
        low, high = min(low, one["delta"]), max(high, one["delta"])
    margin = 0.05 * (high - low)
    axes.set_ylim(low - margin, high + margin)


# ---- the abscissa --------------------------------------------------------------------------------


def _power(numbers: Json) -> float:
    omega = numbers["omega"]
    return float(omega) if isinstance(omega, (int, float)) else _FREE


def _place(sizes: Sequence[int], power: float) -> float:
    """The mean of L^-power over ln L between two sizes: with a correction of this power the values
    of pairs lie on a straight line."""
    small, large = sizes
    return (small**-power - large**-power) / (power * math.log(large / small))


def _largest(numbers: Json, power: float) -> float:
    return _place(numbers["sizes"][:2], power)


def _name_pairs(axes: Axes, numbers: Json, power: float) -> None:
    """Name the pairs of sizes above the panel."""
    names, sizes = size_names(numbers), numbers["sizes"]
    pairs = list(zip(sizes, sizes[1:]))
    above = axes.secondary_xaxis("top")
    above.set_xticks(
        [_place(pair, power) for pair in pairs],
        [f"{names[a]}, {names[b]}" for a, b in pairs],
        fontsize=7,
        rotation=40,
        ha="left",
        rotation_mode="anchor",
    )
    above.tick_params(length=2, pad=1)
    above.spines["top"].set_visible(False)
