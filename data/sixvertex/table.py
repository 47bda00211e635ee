"""What a block of arrows knows of its surroundings, against the weight c, and scaling dimensions.

usage: table.py "WEIGHTS" "LEARNED" "BUFFERS" "SCALED"

Reads arrows-C.h5, links-B-C.h5, heights-B-C.h5, canonical-B-C.h5 and spectrum-C.h5 of this folder,
and the exact canonical correlations in ../reference. Prints the tables, and draws shares.png and
dimensions.png.
"""

from __future__ import annotations

import csv
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
Value = tuple[float, float]  # with its statistical error
REFERENCE = "reference/sixvertex_cca.csv"
FIELD, STAGGERED = "field", "staggered"
COLOURS = {FIELD: "tab:blue", STAGGERED: "tab:orange"}


def modes_of(numbers: Json) -> dict[str, Value | None]:
    """The largest correlation, on held-out windows, of a canonical variable that is mainly the
    field, and that of one that is mainly the staggered polarization, with jackknife errors; None
    without such a variable."""
    correlations = numbers["canonical"]["correlations"], numbers["canonical"]["errors"]
    rows = list(zip(numbers["measured"]["units"], *correlations))
    return {
        name: max(((rho, error) for unit, rho, error in rows if unit[name] > 0.5), default=None)
        for name in COLOURS
    }


def exact_modes(buffer: str) -> dict[str, dict[str, Value | None]]:
    """The same of 12x12 vertices, exactly, by weight."""
    found = {}
    lines = (Path(__file__).resolve().parents[1] / REFERENCE).read_text().splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        if row["L"] != "12" or row["buffer"] != buffer:
            continue
        shares = {FIELD: "field_share", STAGGERED: "stag_share"}
        found[row["c"]] = {
            name: max(
                ((float(row[f"rho{i}"]), 0.0) for i in (1, 2, 3) if float(row[f"{of}{i}"]) > 0.5),
                default=None,
            )
            for name, of in shares.items()
        }
    return found


def crossing(found: dict[str, dict[str, Value | None]]) -> Value | None:
    """The weight at which both correlations are equal, by a straight line between two weights, and
    its statistical error: the four correlations are independent."""
    before = None
    for weight, modes in found.items():
        if modes[FIELD] is None or modes[STAGGERED] is None:
            continue
        (field, of_field), (staggered, of_staggered) = modes[FIELD], modes[STAGGERED]
        now = float(weight), staggered - field, math.hypot(of_field, of_staggered)
        if before is not None and before[1] < 0 <= now[1]:
            step, rise = now[0] - before[0], now[1] - before[1]
            error = step / rise**2 * math.hypot(now[1] * before[2], before[1] * now[2])
            return before[0] - before[1] / rise * step, error
        before = now
    return None


def with_error(value: float, error: float, digits: int) -> str:
    """A number with the error of its last digits."""
    return f"{value:.{digits}f}({round(10**digits * error)})"


def print_shares(buffer: str, learned: list[str]) -> tuple[dict, Value | None]:
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
            line += f"  {'-' if value is None else with_error(*value, 3):>9s}"
        print(line)
    place, exact = crossing(found), crossing(exact_modes(buffer))
    where = "-" if place is None else with_error(*place, 3)
    print(f"  the canonical correlations cross at c = {where}")
    if exact is not None:
        print(f"  exactly, on 12x12 vertices, by a line between c = 1.7 and 2: {exact[0]:.2f}")
    return shares, place


def draw_shares(panels: dict[str, tuple[dict, Value | None]], learned: list[str]) -> None:
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
            axis.axvline(place[0], color="grey", lw=1, label="canonical correlations cross")
            axis.axvspan(place[0] - place[1], place[0] + place[1], color="grey", alpha=0.25, lw=0)
        axis.set(title=f"buffer {buffer}", xlabel="weight $c$", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("share of the unit's variance")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncol=3, loc="lower center", frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig("shares.png", dpi=130)


def print_dimensions(weights: list[str]) -> list[tuple[float, Value]]:
    """The dimension of the staggered polarization from the flux, beside the exact one; returns it
    by weight."""
    print("\n      c    <W^2>           K              x_s          exact")
    found = []
    for weight in weights:
        numbers = info(f"arrows-{weight}.h5")
        stiffness, error = numbers["stiffness"], numbers["stiffness_error"]
        value, exact = math.pi / (4 * stiffness), math.pi / (4 * numbers["stiffness_exact"])
        spread = value * error / stiffness
        flux = with_error(numbers["flux_squared"], numbers["flux_squared_error"], 4)
        own, dimension = with_error(stiffness, error, 4), with_error(value, spread, 4)
        print(f"{float(weight):7.4f}    {flux:12s}    {own:12s}   {dimension:12s} {exact:.4f}")
        found.append((float(weight), (value, spread)))
    return found


def print_spectra(scaled: list[str]) -> dict[str, list[Json]]:
    """Dimensions from two-point functions, of named fields and of hidden units; returns the rows by
    weight. Orders with other wave vectors than the two operators have are left out."""
    spectra = {weight: info(f"spectrum-{weight}.h5")["dimensions"] for weight in scaled}
    pairs = [pair["sizes"] for pair in spectra[scaled[0]][0]["pairs"]]
    titles = "".join(f"{f'{a}, {b}':>12s}" for a, b in pairs)
    print(f"\n      c  {'function':36s}{'wave':10s}{titles}{'all sizes':>12s}   exact")
    for weight, rows in spectra.items():
        rows[:] = [row for row in rows if row["exact"] is not None and row["delta"] is not None]
        for row in rows:
            values = [(pair["delta"], pair["error"]) for pair in row["pairs"]]
            values.append((row["delta"], row["error"]))
            line = "".join(f"{with_error(*value, 3):>12s}" for value in values)
            head = f"{float(weight):7.4f}  {named(row):36s}{row['wave_name']:10s}"
            print(f"{head}{line}   {row['exact']:.4f}")
    return spectra


def named(row: Json) -> str:
    """What a function is called in the table: a rule without its weight."""
    kind, *rest = row["function"].split("-3-")
    if not rest:
        return row["function"]
    units = rest[0].partition(" ")[2] or rest[0]
    title = {"links": "learned", "canonical": "canonical"}[kind]
    return f"{title} {units}".replace(", soft", "") if "unit" in units else f"{title} unit"


def draw_dimensions(flux: list[tuple[float, Value]], spectra: dict[str, list[Json]]) -> None:
    """Dimensions against c, with the exact curves: from the flux, and of learned units."""
    figure, axes = pyplot.subplots(1, 2, figsize=(9.5, 3.8))
    line = [0.4 + 1.6 * i / 200 for i in range(201)]
    exact_line = [math.pi / (2 * math.acos(1 - c * c / 2)) for c in line]
    style = {"fmt": "o", "color": COLOURS[STAGGERED], "ms": 4, "label": "from the flux"}
    for axis in axes:
        axis.plot(line, exact_line, color=COLOURS[STAGGERED], lw=1, label="staggered, exact")
        axis.axhline(1, color=COLOURS[FIELD], lw=1, label="field, exact")
        for weight, (value, error) in flux:
            axis.errorbar(weight, value, error, **style)
        axis.set(xlabel="weight $c$", ylabel="scaling dimension", ylim=(0, 4.2))
    kinds = {
        "links": ("one learned unit", "s", -0.012),
        "canonical": ("canonical units", "^", 0.012),
    }
    for weight, rows in spectra.items():
        for row in rows:
            kind = row["function"].split("-3-")[0]
            if kind not in kinds:
                continue
            label, marker, shift = kinds[kind]
            colour = COLOURS[FIELD if row["wave_name"] == "uniform" else STAGGERED]
            place = float(weight) + shift
            style = {"fmt": marker, "color": colour, "mfc": "white", "ms": 5, "label": label}
            axes[1].errorbar(place, row["delta"], row["error"], **style)
    axes[1].set(xlim=(1.37, 1.95), ylim=(0.55, 1.15), title="and of units of buffer 3")
    handles, labels = axes[1].get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    axes[0].legend(unique.values(), unique.keys(), frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig("dimensions.png", dpi=130)


def main(*lists: str) -> None:
    """Print and draw everything, of weights and buffers separated by blanks."""
    weights, learned, buffers, scaled = (words.split() for words in lists)
    print("shares of the variance of one unit, I(H:E) in nats, canonical correlations")
    draw_shares({buffer: print_shares(buffer, learned) for buffer in buffers}, learned)
    draw_dimensions(print_dimensions(weights), print_spectra(scaled))


if __name__ == "__main__":
    main(*sys.argv[1:])
