"""Delta of the order of all systems: pairs of sizes and their extrapolation, and the distance from
the exact values.

usage: figure.py FILE.h5... FIGURE.png

Every file is of 'rsmi spectrum'.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import info, save
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Json = dict[str, Any]
CLASSES = {
    "1/8, Ising": (1 / 8, "#0072B2"),
    "2/15, three-state Potts": (2 / 15, "#D55E00"),
    "1/4, height field": (1 / 4, "#009E73"),
}
MARKERS = "os^vDPX"
SHIFT = 0.00022  # of the abscissa
ABSCISSA = (-0.001, 0.0205)


def headline(numbers: Json) -> Json:
    """The quoted row of the order."""
    rows = numbers["sequence"]
    return next(row for row in rows if row["quoted"] and row["sector"] == "odd")


def colour_of(numbers: Json) -> str:
    """The colour of the universality class."""
    exact = numbers["headline"]["odd"]["exact"]
    return min(CLASSES.values(), key=lambda one: abs(one[0] - exact))[1]


def place(sizes: list[int], power: float) -> float:
    """The mean of L^-power over ln L: values of pairs lie on a straight line."""
    small, large = sizes
    return (small**-power - large**-power) / (power * math.log(large / small))


def draw_sequences(axes: Axes, files: dict[str, Json], numbers_of: dict[str, int]) -> None:
    """Pairs of sizes, the fit with a correction, and its value for an infinite lattice; systems lie
    a little beside each other."""
    for index, (name, numbers) in enumerate(files.items()):
        row = headline(numbers)
        fit, colour = row["fits"][0], colour_of(numbers)
        shift = SHIFT * (index - (len(files) - 1) / 2)
        places = [place(pair["sizes"], fit["omega"]) for pair in row["pairs"]]
        values = [pair["delta"] for pair in row["pairs"]]
        errors = [pair["error"] for pair in row["pairs"]]
        look = {"color": colour, "marker": MARKERS[numbers_of[name]], "markersize": 4}
        axes.errorbar([x + shift for x in places], values, errors, linestyle="none", **look)
        slope = -fit["correction"] * fit["omega"] / row["power"]["slope"]
        ends = [0.0, max(places)]
        line = [fit["delta"] + slope * x for x in ends]
        axes.plot([x + shift for x in ends], line, color=colour, linewidth=0.7)
        axes.errorbar([shift], [fit["delta"]], [fit["error"]], fillstyle="none", **look)
    for value, colour in CLASSES.values():
        axes.axhline(value, color=colour, linestyle=":", linewidth=0.8)


def draw_left(upper: Axes, lower: Axes, files: dict[str, Json]) -> None:
    """The sequences in two ranges of Delta on one abscissa."""
    numbers_of = {name: number for number, name in enumerate(files)}
    high = {n: one for n, one in files.items() if one["headline"]["odd"]["exact"] > 0.2}
    draw_sequences(upper, high, numbers_of)
    draw_sequences(lower, {n: one for n, one in files.items() if n not in high}, numbers_of)
    upper.set(ylim=(0.2455, 0.2525), xlim=ABSCISSA)
    upper.tick_params(bottom=False, labelbottom=False)
    lower.set_xticks([0, 0.005, 0.01, 0.015, 0.02])
    lower.set(
        ylim=(0.1165, 0.1455), xlim=ABSCISSA, xlabel=r"$L^{-\omega}$, mean over a pair of sizes"
    )
    lower.set_ylabel(r"$\Delta$ from $\langle m^2\rangle$")
    upper.spines["bottom"].set_visible(False)


def draw_distances(axes: Axes, files: dict[str, Json]) -> None:
    """Extrapolated minus exact: statistical errors, and with the systematic one, thick."""
    for number, numbers in enumerate(files.values()):
        row, height = headline(numbers), len(files) - number
        distance = 1000 * (row["delta"] - numbers["headline"]["odd"]["exact"])
        colour, error = colour_of(numbers), 1000 * row["error"]
        total = math.hypot(error, 1000 * row["systematic"])
        axes.errorbar([distance], [height], xerr=[total], color=colour, elinewidth=4, alpha=0.3)
        axes.errorbar([distance], [height], xerr=[error], color=colour, marker=MARKERS[number])
    axes.axvline(0, color="0.5", linewidth=0.8)
    axes.set_yticks(range(len(files), 0, -1), list(files), fontsize=8)
    axes.set(
        xlabel=r"$\Delta$ minus the exact value, in units of 0.001", ylim=(0.4, len(files) + 2.4)
    )
    for text, (_, colour) in CLASSES.items():
        axes.plot([], [], color=colour, label=text)
    axes.legend(fontsize=7, loc="upper left", title=r"exact $\Delta$", title_fontsize=7)


def draw(files: dict[str, Json]) -> Figure:
    """All panels."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.1, 1])
    draw_left(*left.subplots(2, 1, height_ratios=[1, 2.6]), files)
    draw_distances(right.subplots(), files)
    return figure


def main(*paths: str) -> None:
    """Draw the files into the last path."""
    files = {Path(path).stem: info(path) for path in paths[:-1]}
    save(lambda: draw(files), paths[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
