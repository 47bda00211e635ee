"""What ``rsmi info`` says of correlation functions."""

from __future__ import annotations

from typing import Any

from rsmi.lattice.geometry import shape_text
from rsmi.reports.flow import model_text
from rsmi.reports.spectrum import state_point
from rsmi.stages.spectrum import correlation
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

_MOST_ROWS = 12  # distances of a table, at most
Json = dict[str, Any]


def describe(file: File) -> list[str]:
    """The samples, and for every lattice correlation lengths, powers and C(r) along the axis and
    the diagonal."""
    numbers = correlation.summary(file)
    rows = [
        ("model", model_text(file)),
        state_point(file, numbers),
    ]
    lines = fields(rows)
    if numbers["dimensions"]:
        lines += ["", *table(_dimension_rows(numbers))]
    for lattice in numbers["lattices"]:
        lines += ["", *_lattice_lines(lattice)]
    return [*lines, "", *_notes(numbers)]


def _dimension_rows(numbers: Json) -> list[list[str]]:
    """Delta of every operator by pairs of sizes, and of all sizes with a correction. Lattices that
    are too short for its block are left out."""
    sides = [lattice["shape"][0] for lattice in numbers["lattices"]]
    pairs = [[a, b] for a, b in zip(sides, sides[1:])]
    quality = next((row["quality"] for row in numbers["dimensions"] if row["quality"]), "exact")
    titles = [f"{a}, {b}" for a, b in pairs]
    rows = [["Delta of", "wave", *titles, "all sizes", "chi2", "omega", quality]]
    for row in numbers["dimensions"]:
        found = {tuple(pair["sizes"]): pair for pair in row["pairs"]}
        values = [found.get(tuple(pair), {"delta": None, "error": None}) for pair in pairs]
        extrapolated = row["delta"] if row["systematic"] is not None else None
        rows.append(
            [
                row["function"],
                row["wave_name"] or ", ".join(row["wave"]),
                *(with_error(pair["delta"], pair["error"]) for pair in values),
                with_error(extrapolated, row["error"]),
                "-" if row["chi2"] is None else f"{row['chi2']:.1f}/{row['freedom']}",
                " and ".join(f"{one:.2g}" for one in (row["omega"], row["second_omega"]) if one)
                or "-",
                "-" if row["exact"] is None else f"{row['exact']:.6g}",
            ]
        )
    return rows


def _lattice_lines(lattice: Json) -> list[str]:
    title = (
        f"  {shape_text(lattice['shape'])}: {lattice['samples']} samples in"
        f" {lattice['groups']} groups"
    )
    lines = [title, "", *table(_lengths(lattice))]
    for row in lattice["correlations"]:
        what = "<O(x) O(x + r)> - <O>^2" if row["connected"] else "<O(x) O(x + r)>"
        lines += ["", f"  {row['function']}: C(r) = {what}", "", *table(_distances(row))]
    return lines


def _lengths(lattice: Json) -> list[list[str]]:
    theory = f"2 Delta, {_quality(lattice)}"
    rows = [["function", "xi", "S(0)", "S(1)", "power of r", "distances", theory]]
    for row in lattice["correlations"]:
        power, exact = row["power"], row["exact_power"]
        rows.append(
            [
                row["function"],
                with_error(row["correlation_length"], row["correlation_length_error"]),
                *(
                    with_error(row["structure_factor"][n], row["structure_factor_error"][n])
                    if n < len(row["structure_factor"])
                    else "-"
                    for n in (0, 1)
                ),
                "-" if power is None else with_error(power["value"], power["error"]),
                "-" if power is None else f"{power['from']} to {power['to']}",
                "-" if exact is None else f"{exact:.6g}",
            ]
        )
    return rows


def _quality(lattice: Json) -> str:
    """How the values from theory were obtained: exact, or the method."""
    return next((row["quality"] for row in lattice["correlations"] if row["quality"]), "exact")


def _distances(row: Json) -> list[list[str]]:
    count = len(row["distance"])
    step = -(-count // _MOST_ROWS)
    lines = [["r", "axis", "r", "diagonal"]]
    for place in [*range(min(4, count)), *range(4, count, step)]:
        lines.append(
            [
                str(row["distance"][place]),
                with_error(row["axis"][place], row["axis_error"][place]),
                f"{row['diagonal_distance'][place]:.2f}",
                with_error(row["diagonal"][place], row["diagonal_error"][place]),
            ]
        )
    return lines


def _notes(numbers: Json) -> list[str]:
    return [
        "  xi is the second-moment correlation length in sites, S(n) the structure factor at q ="
        " 2 pi n / L. The power is",
        "  that of C(r) along an axis on this lattice, whose size changes it: scaling dimensions"
        " come from several sizes.",
        *(
            f"  no dimension of {row['function']}: {row['reason']}"
            for row in numbers["dimensions"]
            if row["reason"]
        ),
        *(f"  remark: {remark}" for remark in numbers["remarks"]),
    ]
