"""The figure of a flow: one number along the flow, and the couplings of the coarse systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.figures.layout import name_panel
from rsmi.figures.style import (
    GREY,
    REFERENCE,
    integer_steps,
    marker,
    note,
    state_label,
    temperature_colour,
    wrapped,
)
from rsmi.models.base import Known
from rsmi.renormalization.couplings import NAMES
from rsmi.reports.exponent import has_thermometer
from rsmi.reports.flow import (
    flow_quantity,
    lattice_sizes,
    model_text,
    next_to_critical,
    rule_text,
)
from rsmi.samples.files import known_of
from rsmi.stages.flow import summary as flow_stage
from rsmi.store import File

# The couplings in the words of papers.
_WORDS = {
    "nn": "nearest neighbours",
    "nnn": "next-nearest",
    "third": "third-nearest",
    "four-spin": "four spins",
}
Label = Callable[[dict], str]
_BESIDE: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}


def draw(file: File) -> Figure:
    """The effective coupling along the flow, one line per temperature, and the couplings of the
    coarse systems at the temperature next to T_c.

    Where there is no effective coupling, the first panel shows the nearest-neighbour correlations.
    Open symbols are of lattices that operators wrap around.
    """
    known, label = known_of(file), _labels(file)
    entries = flow_stage.summary(file)["flows"]
    stored = all(entry["interactions"] is not None for entry in entries)
    figure = Figure(figsize=(9.2 if stored else 5.4, 3.6), layout="constrained")
    axes, *others = figure.subplots(1, 1 + stored, squeeze=False)[0]
    _draw_flows(axes, entries, known, file.attributes.get("states", 2), label)
    wraps = any(row["wraps"] for entry in entries for row in entry["steps"])
    if len(entries) > 1 or not stored or wraps:
        axes.legend(**_BESIDE)
    name_panel("flow", axes)
    name_panel("couplings", *others)
    for panel in others:
        _draw_interactions(panel, next_to_critical(entries, known), label)
    figure.suptitle(f"{model_text(file)};  rule {rule_text(file.attributes)}")
    return figure


def draw_several(files: Sequence[File]) -> Figure:
    """The effective couplings along several flows of one model, one line per flow and temperature.

    Raises
    ------
    UsageError
        If the flows are of different models.
    """
    systems = sorted({model_text(file) for file in files})
    if len(systems) > 1:
        raise UsageError(
            f"the flows are of different models ({', '.join(systems)}): draw each by itself"
        )
    rules = [rule_text(file.attributes) for file in files]
    entries = [
        entry | {"label": _labels(file)(entry) + (f", {rule}" if len(set(rules)) > 1 else "")}
        for file, rule in zip(files, rules)
        for entry in flow_stage.summary(file)["flows"]
    ]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    name_panel("flow", axes)
    states = files[0].attributes.get("states", 2)
    by_rule = len({entry["coupling"] for entry in entries}) == 1
    _draw_flows(axes, entries, known_of(files[0]), states, itemgetter("label"), by_rule)
    axes.legend(**_BESIDE)
    title = systems[0] if len(set(rules)) > 1 else f"{systems[0]};  rule {rules[0]}"
    figure.suptitle(title)
    return figure


def _labels(file: File) -> Label:
    """The function that writes the state point of an entry of a flow."""
    return lambda entry: state_label(file, entry["steps"][0]["shape"], entry["coupling"])


# ---- one number along the flow -------------------------------------------------------------------


def _draw_flows(
    axes: Axes,
    entries: Sequence[dict],
    known: Known,
    states: int,
    label: Label,
    by_number: bool = False,
) -> None:
    """One line for every temperature; those of unknown temperature have no effective coupling. The
    colour tells the temperature, or ``by_number`` the line."""
    flows = [
        entry for entry in entries if known.thermometer is None or entry["coupling"] is not None
    ]
    sizes = {lattice_sizes(entry) for entry in flows}
    if has_thermometer(known):
        axes.axhline(1, **REFERENCE)
    for number, entry in enumerate(sorted(flows, key=lambda entry: entry["temperature"] or 0.0)):
        size = f", $L$ = {lattice_sizes(entry)[0]}" if len(sizes) > 1 else ""
        _draw_flow(axes, entry, known, number, label(entry) + size, by_number)
    _explain_open(axes, (row for entry in flows for row in entry["steps"]))
    axes.set(xlabel="coarse-graining step $n$", ylabel=_quantity(known, states))
    integer_steps(axes)
    if not flows:
        note(axes, "the temperatures of the samples are unknown:\nno effective couplings")
    if len(sizes) == 1:
        _draw_sizes(axes, next(iter(sizes)))


def _quantity(known: Known, states: int) -> str:
    if known.thermometer is None:
        product = "s_i s_j" if states == 2 else r"\delta(s_i, s_j)"
        return rf"$-\sum {product}$ of nearest neighbours, per site"
    return "effective coupling $K_n" + (" / K_c$" if known.critical_coupling else "$")


def _draw_flow(
    axes: Axes, entry: dict, known: Known, number: int, label: str, by_number: bool
) -> None:
    key, unit, _ = flow_quantity(known)
    rows = [row for row in entry["steps"] if row[key] is not None]
    value, error = (
        np.array([row[name] or 0.0 for row in rows]) / unit for name in (key, f"{key}_error")
    )
    colour = f"C{number % 7}"
    critical = None if by_number else known.critical_coupling
    if critical is not None and entry["coupling"] is not None:
        colour = temperature_colour(critical.value / entry["coupling"])
    _draw_by_step(axes, rows, value, error, colour, marker(number), label)


def _draw_by_step(
    axes: Axes,
    rows: Sequence[dict],
    value: NDArray[np.float64],
    error: NDArray[np.float64],
    colour: str,
    symbol: str,
    label: str,
) -> None:
    """Values with errors by step; open symbols where operators wrap around the lattice."""
    step = np.array([row["step"] for row in rows])
    open_ = np.array([row["wraps"] for row in rows], dtype=bool)
    axes.errorbar(step, value, error, color=colour, marker=symbol, label=label, zorder=3)
    axes.plot(
        step[open_],
        value[open_],
        linestyle="none",
        color="white",
        markeredgecolor=colour,
        marker=symbol,
        zorder=4,
    )


def _explain_open(axes: Axes, rows: Iterable[dict]) -> None:
    """Say in the legend what open symbols mean, where there are some."""
    if any(row["wraps"] for row in rows):
        look: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": "white"}
        axes.plot(
            [], [], label="open: operators wrap\naround the lattice", markeredgecolor=GREY, **look
        )


def _draw_sizes(axes: Axes, sizes: tuple[str, ...]) -> None:
    """The sizes of the lattices as a second axis at the top."""
    top = axes.secondary_xaxis("top")
    top.set_xticks(range(len(sizes)), sizes)
    top.set_xlabel("lattice size $L_n$")
    top.spines[:].set_visible(False)
    top.tick_params(length=0)


# ---- the couplings of the coarse systems ---------------------------------------------------------


def _draw_interactions(axes: Axes, entry: dict, label: Label) -> None:
    """The couplings of all operators by step at one temperature."""
    rows = [
        row
        for row in entry["interactions"]
        if row["operators"] == [*NAMES] and row["values"] is not None
    ]
    axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    for number, name in enumerate(NAMES):
        value = np.array([row["values"][number] for row in rows])
        error = np.array([row["errors"][number] if row["errors"] else 0.0 for row in rows])
        _draw_by_step(axes, rows, value, error, f"C{number}", marker(number), _WORDS[name])
    if rows:
        axes.legend(**_BESIDE)
    else:
        note(axes, wrapped(entry["interactions"][0]["reason"], 40))
    axes.set(xlabel="coarse-graining step $n$", ylabel=r"couplings $K_\alpha$ of the coarse system")
    axes.set_title(label(entry))
    integer_steps(axes)
