"""The figure of a crossing: the curves of every size, and T_c by pair of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from rsmi.figures.layout import name_panel
from rsmi.figures.style import REFERENCE, wrapped
from rsmi.models.base import Known
from rsmi.reports.crossing import known_of_sizes, size_names
from rsmi.reports.flow import model_text
from rsmi.stages import crossing
from rsmi.statistics.notation import with_error
from rsmi.store import File

_RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "markeredgewidth": 0.8,
    "zorder": 5,
}
_PANELS = {"binder": "binder", "correlation_ratio": "correlation-ratio"}
_LABELS = {"binder": "Binder cumulant $U$", "correlation_ratio": "$R = C(L/2) / C(L/4)$"}
_OF_TWO_STATES = r" $= 1 - \langle m^4\rangle / 3 \langle m^2\rangle^2$"


def draw(file: File) -> Figure:
    """Binder cumulant and correlation ratio of every size against T with bands of their errors, and
    below them T_c by pair of sizes; a dashed line at T_c where it is known."""
    numbers = crossing.summary(file)
    known, sizes = known_of_sizes(numbers), size_names(numbers, numbers["sizes"])
    figure = Figure(figsize=(6.8, 5.0), layout="constrained")
    above, below = figure.subplots(2, 2, height_ratios=(1.5, 1))
    for column, (name, label) in enumerate(_LABELS.items()):
        rows = [row for row in numbers["crossings"] if row["quantity"] == name]
        _draw_curves(above[column], file, sizes, name, known.critical_temperature)
        _ring(above[column], rows)
        if name == "binder" and numbers.get("states", 2) == 2:
            label += _OF_TWO_STATES
        above[column].set(xlabel="$T$ ($J/k_B$)", ylabel=label)
        _draw_crossings(below[column], numbers, rows, known)
        name_panel(_PANELS[name], above[column])
        name_panel("T_c", below[column])
    above[0].legend(title="$L$")
    figure.suptitle(f"{model_text(file)}:  {_title(numbers)}")
    return figure


def _title(numbers: dict) -> str:
    if numbers["T_c"] is None:
        return wrapped(numbers["T_c_reason"], 80)
    return f"$T_c$ = {with_error(numbers['T_c'], numbers['T_c_error'])} $J/k_B$"


def _draw_curves(
    axes: Axes, file: File, labels: Sequence[str], name: str, critical: float | None
) -> None:
    temperature = 1 / file.read("/curves/coupling")
    for number, label in enumerate(labels):
        value, error = (file.read(f"/curves/{name}{part}")[number] for part in ("", "_error"))
        colour = f"C{number}"
        (line,) = axes.plot(temperature, value, color=colour, label=label)
        low, high = value - error, value + error
        band = axes.fill_between(temperature, low, high, color=colour, alpha=0.3, linewidth=0)
        parts: Any = (line, (), (band,))
        axes.add_container(ErrorbarContainer(parts, has_yerr=True))
    if critical is not None and temperature.min() <= critical <= temperature.max():
        axes.axvline(critical, **REFERENCE)


def _ring(axes: Axes, rows: Sequence[dict]) -> None:
    """Mark the points where curves cross."""
    for row in rows:
        if row["T_c"] is not None:
            axes.plot(row["T_c"], row["value"], linestyle="none", **_RING)


def _draw_crossings(axes: Axes, numbers: dict, rows: Sequence[dict], known: Known) -> None:
    names = [", ".join(size_names(numbers, row["sizes"])) for row in rows]
    if known.critical_coupling is not None:
        label = "exact" if known.critical_coupling.exact else "best known"
        axes.axhline(1 / known.critical_coupling.value, **REFERENCE, label=label)
        axes.legend(loc="best")
    for place, row in enumerate(rows):
        if row["T_c"] is not None:
            axes.errorbar(place, row["T_c"], row["T_c_error"] or 0.0, color="black", marker="o")
    axes.set(xlabel="sizes that cross", ylabel="$T_c$ ($J/k_B$)", xlim=(-0.5, len(rows) - 0.5))
    axes.set_xticks(range(len(rows)), names)
    axes.ticklabel_format(axis="y", useOffset=False)
