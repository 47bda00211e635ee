"""What a block of arrows knows of its surroundings, against the weight c, and scaling dimensions.

usage: table.py "WEIGHTS" "LEARNED" "BUFFERS"

Reads arrows-C.h5, links-B-C.h5, heights-B-C.h5 and canonical-B-C.h5 of this folder. Prints the
tables, and draws shares.png and dimensions.png.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import matplotlib

matplotlib.use("Agg")

from common import info
from matplotlib import pyplot

Json = dict[str, Any]
FIELD, STAGGERED = "field", "staggered"
COLOURS = {FIELD: "tab:blue", STAGGERED: "tab:orange"}


def modes_of(numbers: Json) -> dict[str, float | None]:
    """The largest correlation of a canonical variable that is mainly the field, and that of one
    that is mainly the staggered polarization; None without such a variable."""
    modes = numbers["measured"]["modes"]
    named: dict[str, float | None] = {}
    for name in COLOURS:
        own = [mode["correlation"] for mode in modes if mode[name] > 0.5]
        named[name] = max(own, default=None)
    return named


def crossing(found: dict[str, dict[str, float | None]]) -> float | None:
    """The weight at which both correlations are equal, by a straight line between two weights."""
    before = None
    for weight, modes in found.items():
        if modes[FIELD] is None or modes[STAGGERED] is None:
            continue
        difference = modes[STAGGERED] - modes[FIELD]
        if before is not None and before[1] < 0 <= difference:
            step = before[1] / (before[1] - difference)
            return before[0] + step * (float(weight) - before[0])
        before = float(weight), difference
    return None


def print_shares(buffer: str, learned: list[str]) -> tuple[dict, float | None]:
    """A table of one buffer; returns the shares by kind of environment, and the crossing."""
    print(f"\nbuffer {buffer}{'links alone':>22s}{'with heights':>32s}{'canonical':>25s}")
    print("      c    field  staggered  I(H:E)      field  staggered  I(H:E)      field  staggered")
    shares: dict[str, list[Json]] = {"links": [], "heights": []}
    found = {}
    for weight in learned:
        line = f"{float(weight):7.4f}"
        for kind, rows in shares.items():
            numbers = info(f"{kind}-{buffer}-{weight}.h5")
            unit = numbers["measured"]["units"][0]
            rows.append(unit)
            error = round(1e4 * numbers["mutual_information_hard_error"])
            bound = f"{numbers['mutual_information_hard']:.4f}({error})"
            line += f"    {unit[FIELD]:.3f}      {unit[STAGGERED]:.3f}  {bound:10s}"
        found[weight] = modes_of(info(f"canonical-{buffer}-{weight}.h5"))
        for name in COLOURS:
            value = found[weight][name]
            line += f"  {'-' if value is None else format(value, '.3f'):>9s}"
        print(line)
    place = crossing(found)
    print(f"  the canonical correlations cross at c = {'-' if place is None else f'{place:.2f}'}")
    return shares, place


def draw_shares(panels: dict[str, tuple[dict, float | None]], learned: list[str]) -> None:
    """Shares of the unit against c, a panel for every buffer."""
    figure, axes = pyplot.subplots(1, len(panels), figsize=(11, 3.6), sharey=True)
    weights = [float(weight) for weight in learned]
    for axis, (buffer, (shares, place)) in zip(axes, panels.items()):
        for kind, rows in shares.items():
            style = "o-" if kind == "links" else "s--"
            label = "links alone" if kind == "links" else "with heights"
            for name, colour in COLOURS.items():
                values = [row[name] for row in rows]
                axis.plot(weights, values, style, color=colour, label=f"{name}, {label}", ms=4)
        if place is not None:
            axis.axvline(place, color="grey", lw=1, label="canonical correlations cross")
        axis.set(title=f"buffer {buffer}", xlabel="weight $c$", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("share of the unit's variance")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncol=3, loc="lower center", frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig("shares.png", dpi=130)


def print_dimensions(weights: list[str]) -> None:
    """The dimension of the staggered polarization from the flux, beside the exact one."""
    print("\n      c    <W^2>           K              x_s          exact")
    figure, axis = pyplot.subplots(figsize=(5, 3.6))
    for weight in weights:
        numbers = info(f"arrows-{weight}.h5")
        stiffness, error = numbers["stiffness"], numbers["stiffness_error"]
        flux = f"{numbers['flux_squared']:.4f}({round(1e4 * numbers['flux_squared_error'])})"
        value, exact = math.pi / (4 * stiffness), math.pi / (4 * numbers["stiffness_exact"])
        spread = value * error / stiffness
        own = f"{stiffness:.4f}({round(1e4 * error)})"
        dimension = f"{value:.4f}({round(1e4 * spread)})"
        print(f"{float(weight):7.4f}    {flux:12s}    {own:12s}   {dimension:12s} {exact:.4f}")
        axis.errorbar(float(weight), value, spread, fmt="o", color=COLOURS[STAGGERED], ms=4)
    line = [0.4 + 1.6 * i / 200 for i in range(201)]
    exact_line = [math.pi / (2 * math.acos(1 - c * c / 2)) for c in line]
    axis.plot(line, exact_line, color=COLOURS[STAGGERED], lw=1, label="staggered polarization")
    axis.axhline(1, color=COLOURS[FIELD], lw=1, label="field")
    axis.set(xlabel="weight $c$", ylabel="scaling dimension", ylim=(0, 4.2))
    axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig("dimensions.png", dpi=130)


def main(*lists: str) -> None:
    """Print and draw everything, of weights and buffers separated by blanks."""
    weights, learned, buffers = (words.split() for words in lists)
    print("shares of the variance of one unit, I(H:E) in nats, canonical correlations")
    draw_shares({buffer: print_shares(buffer, learned) for buffer in buffers}, learned)
    print_dimensions(weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
