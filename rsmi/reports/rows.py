"""Files of one kind as one table for other programs: what identifies each file, and its numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rsmi.errors import UsageError
from rsmi.foreign_text import printable
from rsmi.lattice.geometry import shape_text
from rsmi.reports import files as reports
from rsmi.reports.flow import rule_text
from rsmi.store import File

# Attributes that identify a file beside its model, its state point and its window.
_IDENTITY = (
    "states",
    "components",
    "boundary",
    "symmetry",
    "noise_probability",
    "rg_step",
    "algorithm",
    "chains",
)
# Numbers of a rule under the names that they had up to version 0.4.0, and its restart.
_OLD_NAMES = {
    "lambda": (
        "mutual_information",
        "mutual_information_error",
        "mutual_information_exact",
        "mutual_information_exact_error",
        "mutual_information_shuffled",
        "mutual_information_share",
        "entropy_h",
        "entropy_h_hard",
        "total_correlation",
        "total_correlation_error",
        "total_correlation_bound",
        "total_correlation_bound_error",
        "restart",
    ),
    "exponent": ("nu", "nu_error", "nu_remark", "T_c", "T_c_error", "T_c_remark"),
}
_ERRORS = ("error", "systematic")
_SHAPES = ("shape", "block", "original_shape")

Row = dict[str, Any]


def csv_of(rows: Sequence[Row]) -> str:
    """Rows as comma-separated values under one line of names.

    Columns in which no file has a value are left out; a value that one file does not have is empty.

    Raises
    ------
    UsageError
        If the rows are of files of several kinds.
    """
    kinds = sorted({row["kind"] for row in rows if "kind" in row})
    if len(kinds) > 1:
        raise UsageError(
            f"one table holds files of one kind, not {' and '.join(kinds)}: make one of each"
        )
    names = list(
        dict.fromkeys(name for row in rows for name, value in row.items() if value is not None)
    )
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def rows_of(file: File) -> Iterator[Row]:
    """The rows of a file: one, or one for each temperature and step of a flow, for each sector of a
    spectrum, and for each lattice and function of correlations.

    Standard errors are under names that end in ``_error``.

    Raises
    ------
    DataError
        If the values of the file contradict each other.
    """
    numbers = reports.summary(file)
    numbers["file"] = printable(str(file.path))
    identity = {
        name: file.attributes[name] for name in _IDENTITY if file.attributes.get(name) is not None
    }
    own = _scalars(file.attributes.get("model_parameters") or {})
    old = _OLD_NAMES.get(file.kind, ())
    scalars = _scalars({name: value for name, value in numbers.items() if name not in old})
    rule = {"rule": rule_text(numbers)} if {"rule", "rules"} & numbers.keys() else {}
    base = scalars | rule | {name: identity[name] for name in identity if name not in scalars}
    base |= {name: value for name, value in own.items() if name not in base}
    for row in _FURTHER.get(file.kind, _one)(numbers):
        yield base | row


def _scalars(values: Mapping[str, Any]) -> Row:
    """The numbers and texts of a mapping; a shape is a text such as 16x16, and of sentences on the
    reasons of other values nothing is left."""
    found: Row = {}
    for name, value in values.items():
        if name in _SHAPES and value is not None:
            found[name] = shape_text(value)
        elif isinstance(value, (int, float, str)) and not name.endswith("reason"):
            found[name] = printable(value) if isinstance(value, str) else value
    return found


# ---- numbers that are not single values ----------------------------------------------------------


def _one(numbers: Mapping[str, Any]) -> Iterator[Row]:
    yield {}


def _of_flow(numbers: Mapping[str, Any]) -> Iterator[Row]:
    for entry in numbers["flows"]:
        for step in entry["steps"]:
            yield _scalars(entry) | _scalars(step)


def _of_exponent(numbers: Mapping[str, Any]) -> Iterator[Row]:
    row: Row = {}
    for name in ("y_t", "y_h"):
        quoted = numbers["headline"][name]
        row |= {name: quoted["value"], f"{name}_error": quoted["error"]}
        row |= {f"{name}_step": quoted["step"], f"{name}_operators": quoted["operators"]}
    for name, one in (numbers["exponents"] or {}).items():
        row |= {name: one["value"], f"{name}_error": one["error"]}
    for name in ("nu", "T_c"):
        if numbers.get(name) is not None:
            row[f"{name}_of_effective_coupling"] = numbers[name]
            row[f"{name}_of_effective_coupling_error"] = numbers[f"{name}_error"]
    yield row


def _of_crossing(numbers: Mapping[str, Any]) -> Iterator[Row]:
    yield {
        "sizes": " ".join(map(str, numbers["sizes"])),
        "temperatures": len(numbers["temperatures"]),
    }


def _of_spectrum(numbers: Mapping[str, Any]) -> Iterator[Row]:
    sizes = {"sizes": " ".join(map(str, numbers["sizes"]))}
    for sector, quoted in numbers["headline"].items():
        errors = {"delta_error": quoted["error"], "delta_systematic": quoted["systematic"]}
        named = {name: value for name, value in quoted.items() if name not in _ERRORS}
        yield sizes | {"sector": sector} | _scalars(named) | errors


def _of_correlation(numbers: Mapping[str, Any]) -> Iterator[Row]:
    for lattice in numbers["lattices"]:
        for function, sector, one in zip(
            numbers["functions"], numbers["sectors"], lattice["correlations"]
        ):
            power = one["power"] or {}
            yield {
                **_scalars(lattice),
                "function": function,
                "sector": sector,
                "power": power.get("value"),
                "power_error": power.get("error"),
                "exact_power": one["exact_power"],
            }


_FURTHER: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Row]]] = {
    "flow": _of_flow,
    "exponent": _of_exponent,
    "crossing": _of_crossing,
    "spectrum": _of_spectrum,
    "correlation": _of_correlation,
}
