"""Seconds and memory of every command against the side of the lattice and the number of
configurations.

python picture.py GROWTH.json FIGURE.png
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib.figure import Figure

COLOURS = {
    "sample metropolis": "#0072B2",
    "sample swendsen-wang": "#D55E00",
    "flow": "#009E73",
    "in-flight": "#CC79A7",
    "coarse-grain": "#E69F00",
    "train-lambda": "#56B4E9",
    "sample": "#0072B2",
}
NAMES = {
    "sample metropolis": "sample, Metropolis (100 sweeps)",
    "sample swendsen-wang": "sample, Swendsen-Wang (2 sweeps)",
    "flow": "flow of a file",
    "in-flight": "flow in flight (1 sweep; by n: 10)",
}
PANELS = {"2D": (2, "two dimensions"), "3D": (3, "three dimensions")}


def draw(rows: list[dict]) -> Figure:
    """Above seconds, below memory; two and three dimensions, and the number of configurations."""
    figure = Figure(figsize=(11.5, 7.2), layout="constrained")
    grid = figure.subplots(2, 3, sharex="col")
    starts = {row["series"].split()[1]: row for row in rows if row["series"].startswith("start")}
    for axes, (end, (dimension, title)) in zip(grid.T, PANELS.items()):
        for name in list(NAMES) + ["coarse-grain"]:
            own = [row for row in rows if row["series"] == f"{name} {end}"]
            start = starts[name.split()[0]]
            seen = [row for row in own if row["cpu"] > 1.1 * start["cpu"]]
            axes[0].plot(
                [row["x"] for row in seen],
                [(row["cpu"] - start["cpu"]) / row["samples"] for row in seen],
                "o-",
                ms=3,
                color=COLOURS[name],
                label=NAMES.get(name, name),
            )
            axes[1].plot(
                [row["x"] for row in own],
                [row["memory"] / 2**20 for row in own],
                "o-",
                ms=3,
                color=COLOURS[name],
            )
        sides = np.array([row["x"] for row in rows if row["series"] == f"flow {end}"], float)
        guide(axes[0], sides, dimension, "L", end)
        axes[0].set_title(f"{title}: CPU seconds of a configuration")
        axes[1].set_title(f"{title}: peak memory, MB")
        axes[1].set_xlabel("side $L$")
    by_number(grid[:, 2], rows)
    grid[0, 0].set_ylabel("processor seconds")
    grid[1, 0].set_ylabel("peak memory (MB)")
    for axes in grid.flat:
        axes.set_xscale("log", base=2 if axes not in grid[:, 2] else 10)
        axes.set_yscale("log")
    for axes, end in zip(grid[1], PANELS):
        sides = [row["x"] for row in rows if row["series"] == f"flow {end}"]
        axes.set_xticks(sides, map(str, sides), fontsize=8)
    for axes in grid[1]:
        axes.set_ylim(30, 2000)
        axes.set_yticks(
            [50, 100, 200, 500, 1000, 2000], ["50", "100", "200", "500", "1000", "2000"]
        )
        axes.minorticks_off()
        axes.axhline(starts["sample"]["memory"] / 2**20, color="0.6", linestyle=":")
        axes.text(
            0.98,
            0.02,
            "dotted: the interpreter and its libraries",
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            fontsize=8,
            color="0.4",
        )
    handles, labels = grid[0, 0].get_legend_handles_labels()
    more = grid[0, 2].lines[-3]
    figure.legend(
        [*handles, more],
        [*labels, "train-lambda, 20,000 windows"],
        loc="outside lower center",
        ncols=3,
    )
    return figure


def guide(axes, x, power, letter, end) -> None:
    """A line of the power on paper below the points."""
    y = (
        min(
            line.get_ydata()[0] / line.get_xdata()[0] ** power
            for line in axes.lines
            if len(line.get_xdata())
        )
        * 0.25
        * x**power
    )
    axes.plot(x, y, "--", color="0.5", lw=1)
    axes.text(x[-2], y[-2] * 0.5, f"${letter}^{power}$", ha="left", va="top", color="0.3")


def by_number(column, rows) -> None:
    """Against the number of configurations: solid lines 64x64, dashed ones 16x16."""
    for name in ("sample", "flow", "in-flight", "coarse-grain", "train-lambda"):
        for side, style in ((64, "o-"), (16, "s--")):
            own = [row for row in rows if row["series"] == f"n: {name} {side}"]
            column[0].plot(
                [row["x"] for row in own],
                [row["cpu"] for row in own],
                style,
                ms=3,
                color=COLOURS[name],
            )
            column[1].plot(
                [row["x"] for row in own],
                [row["memory"] / 2**20 for row in own],
                style,
                ms=3,
                color=COLOURS[name],
            )
    numbers = np.array([1e5, 1e7])
    column[0].plot(numbers, 2e-7 * numbers, "--", color="0.5", lw=1)
    column[0].text(6e6, 0.8, "$n$", color="0.3", va="top")
    column[0].set_title("64x64 (solid), 16x16 (dashed): CPU seconds in all")
    column[1].set_title("64x64 (solid), 16x16 (dashed): peak memory, MB")
    column[1].set_xlabel("configurations $n$")


def main(name: str, output: str) -> None:
    """Draw the figure."""
    rows = json.loads(Path(name).read_text())
    save(lambda: draw(rows), output, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
