"""What ``rsmi info`` says of the crossings of lattice sizes."""

from __future__ import annotations

from collections.abc import Iterable

from rsmi import models
from rsmi.lattice.geometry import sides_text
from rsmi.models.base import Known
from rsmi.stages import crossing
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

_QUANTITIES = {
    "binder": "Binder cumulant U = 1 - <m^4>/(3 <m^2>^2)",
    "correlation_ratio": "correlation ratio R = C(L/2)/C(L/4)",
}


def describe(file: File) -> list[str]:
    """T_c and nu, and the crossings of every pair of sizes that they come from."""
    numbers = crossing.summary(file)
    known = known_of_sizes(numbers)
    lines = [*fields(_input_rows(numbers)), "", *fields(result_rows(numbers, known))]
    for name, title in _QUANTITIES.items():
        rows = [row for row in numbers["crossings"] if row["quantity"] == name]
        symbol, critical = title.split(" = ")[0].split()[-1], known.critical_temperature
        lines += ["", f"  {title} at the crossing", "", *_table(numbers, rows, symbol, critical)]
    return [*lines, *_remarks(numbers)]


def known_of_sizes(numbers: dict) -> Known:
    """What is known exactly of the model and dimension that a crossing names."""
    return models.of(numbers).known(numbers["dimension"], numbers)


def size_names(numbers: dict, sizes: Iterable[int]) -> list[str]:
    """The lattices of a crossing whose first sides are given: ``"8x32"``, or ``"8"`` of equal
    sides."""
    shapes = {shape[0]: shape for shape in numbers.get("shapes", [])}
    return [sides_text(shapes.get(size, [size])) for size in sizes]


def _input_rows(numbers: dict) -> list[tuple[str, str]]:
    temperatures = numbers["temperatures"]
    low, high = temperatures[0], temperatures[-1]
    return [
        ("sizes", ", ".join(size_names(numbers, numbers["sizes"]))),
        ("temperatures", f"{len(temperatures)} from {low:.6g} to {high:.6g} J/k_B"),
        (
            "errors",
            f"jackknife over {numbers['blocks']} blocks; they include reweighting, but not the"
            " drift of the crossings with the sizes",
        ),
    ]


def result_rows(numbers: dict, known: Known) -> list[list[str]]:
    critical = known.critical_coupling
    theory = []
    if critical is not None:
        quality = "exact" if critical.exact else "best known"
        theory = [f"{quality} {known.critical_temperature:.6f}, not used"]
    temperature = with_error(numbers["T_c"], numbers["T_c_error"])
    exponent = with_error(numbers["nu"], numbers["nu_error"])
    return [
        ["T_c", temperature, numbers["T_c_reason"] or "J/k_B", *theory],
        ["nu", exponent, "ratio of the slopes"],
    ]


def _table(numbers: dict, rows: list[dict], symbol: str, critical: float | None) -> list[str]:
    """A line per pair of sizes; the distance to T_c only where T_c is known."""
    lines = [["sizes", "T_c", *(["off by"] if critical else []), symbol, "nu"]]
    for row in rows:
        lines.append(
            [
                ", ".join(size_names(numbers, row["sizes"])),
                with_error(row["T_c"], row["T_c_error"]),
                *([_distance(row["T_c"], critical)] if critical else []),
                with_error(row["value"], row["value_error"]),
                with_error(row["nu"], row["nu_error"]),
            ]
        )
    return table(lines)


def _distance(temperature: float | None, critical: float) -> str:
    return "-" if temperature is None else f"{100 * (temperature / critical - 1):+.3f} %"


def _remarks(numbers: dict) -> list[str]:
    reasons = dict.fromkeys(
        f"  -  sizes {', '.join(size_names(numbers, row['sizes']))}: {row['reason']}"
        for row in numbers["crossings"]
        if row["reason"]
    )
    return ["", *reasons] if reasons else []
