"""Samples of dimers, and rules learned on them, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.geometry import shape_text
from rsmi.models.dimers.rule_measures import COMPONENTS, fixed_filters, summary
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

_SHOWN_CORRELATIONS = 4  # the leading canonical ones


# ---- samples -------------------------------------------------------------------------------------

_MEASURED = {
    "energy": (
        "energy per vertex",
        "minus the plaquettes with two parallel dimers; free on the infinite lattice -1/4",
    ),
    "winding_squared": ("<W^2>", "mean of W_x^2 and W_y^2"),
    "field_fluctuation": ("field |E_q|^2", "per vertex, smallest q across the field"),
    "columnar_order": ("columnar order", "length of 2/N sum of ((-1)^x n_x, (-1)^y n_y)"),
}


def describe_summary(attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
    """Return the averages over a samples file as rows: name, value with its error, remark."""
    shown = {name: text for name, text in _MEASURED.items() if name in numbers}
    rows = [(title, _with_error(numbers, name), text) for name, (title, text) in shown.items()]
    if "noise_agreement" in numbers:
        probability = f"probability {attributes['noise_probability']:g}"
        rows.append(("noise pairs equal", _with_error(numbers, "noise_agreement"), probability))
    if "stiffness" in numbers:
        remark = "1 / (2 pi |E_q|^2); free 1/2, columnar order from 4 on"
        rows.insert(3, ("stiffness g", _with_error(numbers, "stiffness"), remark))
    unit = "stored intervals, independent = 0.5"
    for name, (title, _) in shown.items():
        title = title.removesuffix(" per vertex")
        rows.append((f"tau_int of {title}", _with_error(numbers, f"tau_int_{name}"), unit))
        unit = ""
    return rows


def _with_error(numbers: dict, name: str) -> str:
    return with_error(numbers[name], numbers[f"{name}_error"])


def describe_temperature(attributes: Mapping[str, Any]) -> str:
    """Return T in the unit of the interaction v over k_B, v, and K."""
    coupling = attributes.get("coupling")
    if coupling is None:
        return "unknown"
    if not coupling:
        return "free, all coverings alike"
    return (
        f"T = {attributes['temperature']:.6g}, v = {attributes['interaction']:g}, K = -v/T ="
        f" {coupling:.6g}"
    )


def temperature_label(attributes: Mapping[str, Any]) -> str:
    """Return T in units of |v|/k_B for a figure (TeX)."""
    coupling = attributes.get("coupling")
    if coupling is None:
        return "$T$ unknown"
    if not coupling:
        return "free dimers"
    kind = "aligning" if coupling > 0 else "repelling"
    return f"$T$ = {1 / abs(coupling):.5g} $|v|/k_B$, {kind} dimers"


def contents(cells: int, components: int) -> str:
    """Return the variables of a number of cells: ``16 cells: 32 links, 32 noise spins``."""
    noise = f", {2 * cells} noise spins" if components == 4 else ""
    return f"{cells} cells: {2 * cells} links{noise}"


# ---- rules ---------------------------------------------------------------------------------------


def describe(file: File) -> list[str]:
    """Return lines with the filters of links and of noise, their measures, and the measures of all
    units together."""
    measures = summary(file)["dimers"]
    return [*_filter_lines(file), *_unit_lines(file, measures), *_joint_lines(measures)]


def _filter_lines(file: File) -> list[str]:
    """Return the weights of every unit: x-links beside y-links, and vertices beside faces."""
    a = file.attributes
    lines = [
        "  filters without stars: x = sum over V of filter times +-1, plus bias; rows are x,"
        " columns y; P(h = 1) = 1/(1 + exp(-x))",
        "",
    ]
    for unit, (weights, bias) in enumerate(zip(*fixed_filters(file)), 1):
        layers = dict(zip(COMPONENTS[a["components"]], weights.reshape(-1, *a["block"])))
        lines.append(f"  unit {unit}   bias {bias:z.4f}")
        for pair in (("x-links", "y-links"), ("vertices", "faces")):
            lines += _side_by_side({name: layers[name] for name in pair if name in layers})
        lines.append("")
    return lines


def _side_by_side(layers: dict[str, NDArray[np.float64]]) -> list[str]:
    if not layers:
        return []
    blocks = [
        table([["", *(f"{weight:z.3f}" for weight in row)] for row in layer], indent="")
        for layer in layers.values()
    ]
    widths = [max(map(len, block)) for block in blocks]
    lines = [[f"   {name}" for name in layers], *zip(*blocks)]
    return [
        "  " + "   ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
        for line in lines
    ]


def _unit_lines(file: File, measures: dict) -> list[str]:
    """Return a table with a row for each unit, and what its columns mean."""
    exact = measures["exact"] is not None
    columns = {
        "R2": "R2",
        **({"R2 (cov)": "R2_covariance", "R2 (modes)": "R2_canonical"} if exact else {}),
        "columnar": "R2_columnar",
        "noise": "noise",
    }
    rows = [["", *columns, "direction", *(["rho", "-ln(1-rho^2)/2"] if exact else [])]]
    for unit, row in enumerate(measures["units"], 1):
        known = [_cell(row["correlation"]), _cell(row["information"])] if exact else []
        cells = [_cell(row[name]) for name in columns.values()]
        rows.append([f"unit {unit}", *cells, f"{row['direction']:.1f}", *known])
    notes = _UNIT_NOTES + (_exact_notes(file.attributes["shape"]) if exact else _NOT_EXACT)
    return [*table(rows), "", *fields(notes), ""]


_UNIT_NOTES = (
    (
        "R2",
        "share of the links' squared weights in T_x and T_y, the filters of the electric"
        " field (-1)^(x+y) (n_a - 1/4)",
    ),
    (
        "columnar",
        "the same of the columnar order; noise: share of all squared weights on noise"
        " spins; direction: from T_x to T_y, degrees",
    ),
)
_NOT_EXACT = (
    ("exact", "no exact correlations: they are known for free dimers with periodic boundaries"),
)


def _exact_notes(shape: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    return (
        (
            "exact",
            f"free dimers on the {shape_text(shape)} torus: R2 (cov) by"
            " variance, R2 (modes) in the two leading canonical modes,",
        ),
        (
            "",
            "rho: correlation with the linear function of the environment that predicts x"
            " best; the last column in nats",
        ),
    )


def _joint_lines(measures: dict) -> list[str]:
    """Return the angles between units and the fields in their span, and the most that any filters
    could know of the environment."""
    exact, units = measures["exact"], len(measures["units"])
    lines = []
    if units > 1:
        sources = {"by coefficients": measures, **({"by covariance": exact} if exact else {})}
        lines += [*table(_angle_rows(sources, units)), ""]
    if exact:
        leading = exact["canonical_correlations"][:_SHOWN_CORRELATIONS]
        rows = [("canonical correlations of V and E", "  ".join(map(_cell, leading)))]
        if units > 1:
            information = f"{_cell(exact['information_together'])} nats if Gaussian"
            rows.insert(0, ("all units together", information))
        lines += [*fields(rows), ""]
    return lines


def _angle_rows(sources: dict[str, dict], units: int) -> list[list[str]]:
    pairs = [(i, j) for i in range(units) for j in range(i + 1, units)]
    head = ["", *(f"angle {i + 1}, {j + 1}" for i, j in pairs), "capture of E_x", "E_y"]
    rows = [head]
    for title, source in sources.items():
        angles = [_cell(source["angles"][i][j], 1) for i, j in pairs]
        rows.append([title, *angles, *map(_cell, source["capture"])])
    return rows


def _cell(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:z.{digits}f}"
