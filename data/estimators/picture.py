"""Bias of every estimator of I(H:E) against the exact value.

python picture.py CASE.json... optimised.json FIGURE.png        (of estimates.py and optimised.py)
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from table import HEADLINES, WITH_ERRORS, bias, bias_of, sizes, spread, values

from rsmi.models.ising.facts import critical_coupling

COLOURS = {
    "proxy": "#000000",
    "logsum": "#CC79A7",
    "enumerate": "#E69F00",
    "decoder": "#0072B2",
    "decoder, tanh": "#56B4E9",
    "InfoNCE": "#D55E00",
}
MARKERS = {
    "proxy": "v",
    "logsum": "s",
    "enumerate": "D",
    "decoder": "o",
    "decoder, tanh": "^",
    "InfoNCE": "P",
}
LABELS = {
    "proxy": "proxy (an objective, no information)",
    "logsum": "log sum",
    "enumerate": "enumerate",
    "decoder": "decoder, linear",
    "decoder, tanh": "decoder, 16 tanh",
    "InfoNCE": "InfoNCE critic (RSMI-NE)",
}
SAID = (
    ("curve", "its training curve", "0.55"),
    ("fitted", "bound, fitted windows", "#56B4E9"),
    ("held_out", "bound, held out", "#0072B2"),
)
SHOWN = tuple(title for title in HEADLINES if title != "proxy, gaussian")
LINEAR = 0.01  # nats; beyond, logarithmic
TICKS = (-1, -0.1, -0.01, 0, 0.01, 0.1, 1)
CASES = {
    "torus-0.25": "2x2, $K$ = 0.25",
    "torus-0.35": "2x2, $K$ = 0.35",
    "torus-Tc": "2x2, $K_c$",
    "torus-0.5": "2x2, $K$ = 0.5",
    "buffer-0": "no buffer",
    "buffer-2": "buffer 2",
    "block-3x3": "3x3, no buffer",
    "block-4x4": "4x4",
    "decimation": "2x2, decimation",
    "learned": "2x2, learned",
    "copies-2x2": "2x2, 4 units",
    "copies-3x3": "3x3, 8 units",
    "copies-5x2": "5x2, 8 units",
    "chain-0.5-2": "chain of 2, $K$ = 0.5",
    "chain-1-2": "chain of 2, $K$ = 1",
    "chain-1-8": "chain of 8, $K$ = 1",
}


def draw(cases: dict[str, dict], optimised: dict) -> Figure:
    """Above, bias against the number of windows, one panel a coupling; below all cases, the
    winner's curse and the errors."""
    figure = Figure(figsize=(12.5, 8.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1, 1.15])
    scans = {name: case for name, case in cases.items() if len(sizes(case)) > 1}
    panels = above.subplots(1, len(scans), sharey=True, squeeze=False)[0]
    for axes, case in zip(panels, scans.values()):
        draw_scan(axes, case)
    panels[0].set_ylabel(
        "mean estimate less the exact $I(H{:}E)$ (nats)\n"
        f"logarithmic, but linear below {LINEAR:g}"
    )
    note = "filled: held out (machines: fitted)\nopen: on the windows of the fit"
    panels[0].text(
        0.98,
        0.03,
        note,
        transform=panels[0].transAxes,
        ha="right",
        va="bottom",
        fontsize=8,
        color="0.35",
    )
    handles, labels = panels[0].get_legend_handles_labels()
    above.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=6,
        fontsize=9,
        columnspacing=1.2,
        handletextpad=0.3,
    )
    left, middle, right = below.subplots(1, 3, width_ratios=[1.7, 1, 1])
    draw_cases(left, {name: case for name, case in cases.items() if name in CASES})
    draw_curse(middle, optimised)
    draw_errors(right, scans.get("torus-Tc") or next(iter(scans.values())))
    return figure


def symmetric_scale(axis, setter) -> None:
    """Logarithmic beyond the linear part."""
    setter("symlog", linthresh=LINEAR, linscale=0.8)
    axis.set_major_locator(FixedLocator(TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:+g}" if x else "exact"))


def draw_scan(axes, case: dict) -> None:
    """Filled: held out, or what there is; open: on the windows of the fit."""
    counts = np.array(sizes(case))
    axes.axhline(0, color="0.3", linewidth=1)
    for number, title in enumerate(SHOWN):
        estimator, part = HEADLINES[title]
        again = part == "fitted" and estimator in WITH_ERRORS
        found = np.array([bias_of(case, count, title) for count in counts.tolist()])
        shift = 1.045 ** (number - len(SHOWN) / 2)
        look = (
            {"markersize": 3.5, "linewidth": 0.7, "linestyle": ":", "markerfacecolor": "white"}
            if again
            else {"markersize": 5, "label": LABELS[estimator]}
        )
        axes.errorbar(
            counts * shift,
            *found.T,
            marker=MARKERS[estimator],
            color=COLOURS[estimator],
            elinewidth=0.9,
            **look,
        )
    axes.set_xscale("log")
    axes.set_xlabel("windows, a fifth of them held out")
    symmetric_scale(axes.yaxis, axes.set_yscale)
    axes.set_ylim(-3, 9)
    coupling = (
        "$K_c$"
        if abs(case["coupling"] - critical_coupling(2)) < 1e-9
        else f"$K$ = {case['coupling']:g}"
    )
    axes.set_title(f"{coupling}:  $I(H{{:}}E)$ = {case['mutual_information']:.4f}")


def draw_cases(axes, cases: dict[str, dict]) -> None:
    """Every case at 10,000 windows."""
    axes.axvline(0, color="0.3", linewidth=1)
    ordered = [name for name in CASES if name in cases]
    titles = [title for title in SHOWN if "fitted" not in title and title != "proxy"]
    for row, name in enumerate(ordered):
        if row % 2:
            axes.axhspan(row - 0.5, row + 0.5, color="0.95", zorder=0, linewidth=0)
        for number, title in enumerate(titles):
            estimator, (value, error) = HEADLINES[title][0], bias_of(cases[name], 10_000, title)
            height = row + 0.15 * (number - (len(titles) - 1) / 2)
            axes.errorbar(
                value,
                height,
                xerr=error,
                fmt=MARKERS[estimator],
                color=COLOURS[estimator],
                markersize=4,
                elinewidth=0.9,
            )
    axes.set_yticks(
        range(len(ordered)),
        [f"{CASES[name]}  ({cases[name]['mutual_information']:.3f})" for name in ordered],
    )
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    symmetric_scale(axes.xaxis, axes.set_xscale)
    axes.set_xlim(-0.6, 0.2)
    axes.set_xlabel("mean estimate - exact, nats")
    axes.set_title("10,000 windows: block, rule, buffer  (exact $I$)")


def draw_curse(axes, optimised: dict) -> None:
    """What is said of the decoder's rule, less its exact information."""
    rows = [row for row in optimised["rules"] if row["objective"] == "decoder, best of three"]
    axes.axhline(0, color="0.3", linewidth=1)
    for number, (part, label, colour) in enumerate(SAID):
        found = np.array([bias(np.array(row[part]), np.array(row["exact"])) for row in rows])
        counts = np.array([row["windows"] for row in rows]) * 1.06 ** (number - 1)
        axes.errorbar(
            counts, found[:, 0], found[:, 1], fmt="o-", color=colour, markersize=4.5, label=label
        )
    axes.set_xscale("log")
    axes.set_xlabel("windows")
    axes.set_ylabel("mean estimate less the exact value (nats)")
    axes.legend(loc="lower right")
    axes.set_title("rules learned from the same windows, $K_c$")


def draw_errors(axes, case: dict) -> None:
    """Spread of the held-out values, and the error that the estimator gives."""
    counts = np.array(sizes(case))
    for number, estimator in enumerate(WITH_ERRORS):
        found = np.array(
            [spread(values(case, count, estimator, "held_out")) for count in counts.tolist()]
        )
        own = np.array(
            [
                np.sqrt((values(case, count, estimator, "error") ** 2).mean())
                for count in counts.tolist()
            ]
        )
        axes.errorbar(
            counts * 1.05 ** (number - 1),
            found[:, 0],
            found[:, 1],
            fmt=MARKERS[estimator],
            color=COLOURS[estimator],
            markersize=5,
        )
        axes.plot(counts, own, color=COLOURS[estimator], linestyle="--", linewidth=1.1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("windows")
    axes.set_ylabel("standard deviation, nats")
    axes.set_title("spread (points), own error (dashed), $K_c$")


def main(*words: str) -> None:
    """Draw the figure."""
    cases = {Path(word).stem: json.loads(Path(word).read_text()) for word in words[:-1]}
    optimised = cases.pop("optimised")
    save(lambda: draw(cases, optimised), words[-1], dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
