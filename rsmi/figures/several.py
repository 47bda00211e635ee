"""The figure of several results of one kind: the values to quote against what varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rsmi.errors import UsageError
from rsmi.figures.layout import name_panel
from rsmi.figures.style import GREY, wrapped
from rsmi.reports.rows import Row, rows_of
from rsmi.samples.files import known_of
from rsmi.store import File

# The panels of a kind: a quantity of its rows (see `rsmi.reports.rows`) with the label of the axis.
QUANTITIES: Mapping[str, Mapping[str, str]] = {
    "exponent": {"y_t": "$y_t$", "y_h": "$y_h$"},
    "crossing": {"T_c": "$T_c$ ($J/k_B$)", "nu": r"$\nu$"},
    "spectrum": {"delta": r"$\Delta$"},
    "theta": {
        "pseudo_log_likelihood": "held-out pseudo-log-likelihood\n(nats per window)",
        "kl": r"KL$(P(V|E)\,\|\,$machine$)$ (nats)",
    },
}
# What may vary, and the label of an axis of numbers; the first that varies is on the axis.
_VARIABLES: Mapping[str, str] = {
    "model": "",
    "states": "states $q$",
    "c": "weight $c$ of c vertices",
    "interaction": "interaction",
    "temperature": "$T$ ($J/k_B$)",
    "coupling": "$K$",
    "buffer": "buffer (sites)",
    "hidden": "hidden units",
    "size": "lattice size $L$",
    "environment": "environment (sites)",
    "epochs": "epochs",
    "windows": "windows",
    "omega": r"$\omega$",
    "seed": "seed",
    "shape": "",
    "sizes": "",
    "block": "",
    "rule": "",
}
_WORDS = {
    "model": "{}",
    "shape": "{}",
    "rule": "{}",
    "sizes": "$L$ = {}",
    "size": "$L$ = {}",
    "temperature": "$T$ = {} $J/k_B$",
    "block": "block {}",
}
# What follows from the others where these are of different models or sizes.
_FOLLOWS = ("temperature", "coupling", "omega", "shape", "sizes")


def draw(files: Sequence[File]) -> Figure:
    """A panel for every quantity that all files have, with error bars; short lines are exact
    values.

    Raises
    ------
    UsageError
        If the files differ in nothing that is known.
    """
    rows = [row | _exact(file, row) for file in files for row in rows_of(file)]
    varying = [name for name in _VARIABLES if len({row.get(name) for row in rows}) > 1]
    if not varying:
        raise UsageError(
            "the files differ neither in temperature nor in size, rule, model or seed: there is no"
            " axis to draw them on"
        )
    panels = _panels(files[0].kind, rows)
    figure = Figure(figsize=(0.6 + 3.1 * len(panels), 3.3), layout="constrained")
    for axes, (name, label, shown) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels
    ):
        name_panel(label[0], axes)
        _draw_quantity(axes, shown, name, varying)
        axes.set_ylabel(label[1])
    figure.suptitle(wrapped(", ".join(_common(rows)), 30 * len(panels) + 10))
    return figure


def _panels(kind: str, rows: Sequence[Row]) -> list[tuple[str, tuple[str, str], list[Row]]]:
    """The quantity, the name and the label of each panel, and its rows."""
    panels = []
    for name, label in QUANTITIES[kind].items():
        sectors = list(dict.fromkeys(row.get("sector") for row in rows))
        for sector in sectors:
            shown = [row for row in rows if row.get("sector") == sector]
            if any(row.get(name) is not None for row in shown):
                title = label if sector is None else f"{label} of {sector} functions"
                panels.append((name, (sector or name, title), shown))
    if not panels:
        raise UsageError("none of the files has a value to draw: see 'rsmi info'")
    return panels


def _exact(file: File, row: Row) -> Row:
    """The known values of the system of a file, under the names of the quantities."""
    if file.kind == "spectrum":
        return {"exact_delta": row.get("exact")}
    if file.kind == "exponent":
        known = known_of(file)
        return {f"exact_{name}": known.exponent(name) for name in ("y_t", "y_h")}
    return {}


def _draw_quantity(axes: Axes, rows: Sequence[Row], name: str, varying: Sequence[str]) -> None:
    first = varying[0]
    numbers = [row.get(first) for row in rows]
    on_axis = all(isinstance(one, (int, float)) for one in numbers)
    own = [one for one in varying[1:] if not _follows(rows, first, one)]
    others = own if on_axis else []
    texts = [_words(row, [first, *own]) for row in rows]
    places: list[Any] = (
        numbers if on_axis else [list(dict.fromkeys(texts)).index(text) for text in texts]
    )
    series: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        if row.get(name) is not None:
            series.setdefault(_words(row, others), []).append(place)
    for number, (label, members) in enumerate(series.items()):
        axes.errorbar(
            [places[one] for one in members],
            [rows[one][name] for one in members],
            [rows[one].get(f"{name}_error") or 0.0 for one in members],
            color=f"C{number % 7}",
            marker="osD^vP*"[number % 7],
            linestyle="none",
            label=label or "measured",
        )
    exact = [
        (place, row[f"exact_{name}"])
        for place, row in zip(places, rows)
        if row.get(f"exact_{name}") is not None
    ]
    if exact:
        axes.plot(
            *zip(*exact),
            linestyle="none",
            marker="_",
            markersize=16,
            color=GREY,
            label="exact or known",
            zorder=1,
        )
    _finish(axes, first, on_axis, texts)


def _follows(rows: Sequence[Row], first: str, name: str) -> bool:
    """Whether a variable has one value for each of the first, and need not be said."""
    pairs = {(row.get(first), row.get(name)) for row in rows}
    return name in _FOLLOWS and len(pairs) == len({row.get(first) for row in rows})


def _finish(axes: Axes, first: str, on_axis: bool, texts: Sequence[str]) -> None:
    if on_axis:
        axes.set_xlabel(_VARIABLES[first] or first)
        if first in ("buffer", "hidden", "size", "environment", "epochs", "states", "seed"):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        names = list(dict.fromkeys(texts))
        axes.set_xticks(
            range(len(names)),
            [wrapped(one, 24) for one in names],
            rotation=30,
            ha="right",
            fontsize=7,
        )
        axes.set_xlim(-0.6, len(names) - 0.4)
    axes.margins(x=0.1)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.legend(loc="best", fontsize=7)


def _words(row: Row, names: Sequence[str]) -> str:
    """The values of a row that varies from others, in words."""
    return ", ".join(
        _WORDS.get(name, f"{name} {{}}").format(_number(row[name]))
        for name in names
        if row.get(name) is not None
    )


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _common(rows: Sequence[Row]) -> list[str]:
    """What all files have in common, in words."""
    names = [
        name
        for name in ("model", "rule", "temperature", "size", "sizes", "block", "buffer")
        if len({row.get(name) for row in rows}) == 1 and rows[0].get(name) is not None
    ]
    return [_words(rows[0], [name]) for name in names]
