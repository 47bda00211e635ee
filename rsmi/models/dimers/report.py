"""What a learned rule of the dimer model looks like: how much of each filter is electric field,
noise, and exactly known correlation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.dimers import filters as dimer_filters
from rsmi.models.dimers import kasteleyn
from rsmi.models.dimers.stars import without_stars
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

COMPONENTS = {2: ("x-links", "y-links"), 4: ("vertices", "x-links", "y-links", "faces")}
_LEADING = 8  # canonical correlations


def is_dimer_rule(file: File) -> bool:
    """Whether a lambda file's filters act on the links of the dimer model."""
    a = file.attributes
    return a["model"] == "dimers" and a.get("components", 1) in COMPONENTS and len(a["block"]) == 2


def fixed_filters(file: File) -> tuple[np.ndarray, np.ndarray]:
    """Filters without stars, and their biases."""
    a = file.attributes
    return without_stars(file.read("/filters"), file.read("/bias"), a["block"], a["components"])


def contents(cells: int, components: int) -> str:
    """The variables of a number of cells: ``16 cells: 32 links, 32 noise spins``."""
    noise = f", {2 * cells} noise spins" if components == 4 else ""
    return f"{cells} cells: {2 * cells} links{noise}"


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
    """The averages over a samples file as rows: name, value with its error, remark."""
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
    """T in units of the interaction, v and K."""
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
    """T in units of the interaction, for a figure (TeX)."""
    coupling = attributes.get("coupling")
    if coupling is None:
        return "$T$ unknown"
    if not coupling:
        return "free dimers"
    kind = "aligning" if coupling > 0 else "repelling"
    return f"$T$ = {1 / abs(coupling):.5g} $|v|/k_B$, {kind} dimers"


# ---- the numbers of a rule ----------------------------------------------------------------------


def summary(file: File) -> dict:
    """{"dimers": the measures of the filters}; empty for other models. Values that do not exist are
    None, angles in degrees."""
    if not is_dimer_rule(file):
        return {}
    a = file.attributes
    shape = dimer_filters.filter_shape(file.read("/filters"), a["block"], a["components"])
    names = {
        "electric": "R2",
        "columnar": "R2_columnar",
        "noise": "noise",
        "direction": "direction",
    }
    found = {
        "units": [
            {title: _number(getattr(shape, name)[unit]) for name, title in names.items()}
            for unit in range(len(shape.noise))
        ],
        "angles": _numbers(shape.angles),
        "capture": _numbers(shape.capture),
        "exact": None,
    }
    readout = _readout(file)
    if readout is not None:
        by_covariance = {
            "electric": "R2_covariance",
            "canonical": "R2_canonical",
            "correlation": "correlation",
            "information": "information",
        }
        for unit, row in enumerate(found["units"]):
            row.update(
                {
                    title: _number(getattr(readout, name)[unit])
                    for name, title in by_covariance.items()
                }
            )
        found["exact"] = {
            "information_together": _number(readout.joint),
            "angles": _numbers(readout.angles),
            "capture": _numbers(readout.capture),
            "canonical_correlations": _numbers(readout.optimum.correlations[:_LEADING]),
        }
    return {"dimers": found}


def _readout(file: File) -> dimer_filters.Readout | None:
    """Measures by the exact covariance, None where it is not known: interacting, coarse-grained or
    open systems."""
    a = file.attributes
    if a.get("coupling") != 0 or a["rg_step"] or a.get("boundary", "periodic") != "periodic":
        return None
    noise = (2 * a.get("noise_probability", 0.5) - 1, a.get("noise_pairing", "cell"))
    covariance = kasteleyn.link_covariance(a["shape"])
    moments = dimer_filters.window_moments(
        covariance, Geometry(a["block"], a["buffer"], a["environment"]), a["components"], *noise
    )
    return dimer_filters.filter_readout(file.read("/filters"), moments, a["block"], a["components"])


def _number(value) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: np.ndarray) -> list:
    return (
        [_numbers(row) for row in values]
        if values.ndim > 1
        else [_number(value) for value in values]
    )


# ---- the same as text ----------------------------------------------------------------------------


def describe(file: File) -> list[str]:
    """Lines: the filters of links and of noise, their measures, and how the units go together."""
    found = summary(file)["dimers"]
    return [*_filter_lines(file), *_measure_lines(file, found), *_together_lines(found)]


def _filter_lines(file: File) -> list[str]:
    """Every unit's weights: x-links beside y-links, and vertices beside faces."""
    a = file.attributes
    lines = [
        (
            "  filters without stars: x = sum over V of filter times +-1, plus bias; rows are x,"
            " columns y; P(h = 1) = 1/(1 + exp(-x))"
        ),
        "",
    ]
    for unit, (weights, bias) in enumerate(zip(*fixed_filters(file)), 1):
        layers = dict(zip(COMPONENTS[a["components"]], weights.reshape(-1, *a["block"])))
        lines.append(f"  unit {unit}   bias {bias:z.4f}")
        for pair in (("x-links", "y-links"), ("vertices", "faces")):
            lines += _side_by_side({name: layers[name] for name in pair if name in layers})
        lines.append("")
    return lines


def _side_by_side(layers: dict[str, np.ndarray]) -> list[str]:
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


def _measure_lines(file: File, found: dict) -> list[str]:
    exact = found["exact"]
    columns = {
        "R2": "R2",
        **({"R2 (cov)": "R2_covariance", "R2 (modes)": "R2_canonical"} if exact else {}),
        "columnar": "R2_columnar",
        "noise": "noise",
    }
    rows = [["", *columns, "direction", *(["rho", "-ln(1-rho^2)/2"] if exact else [])]]
    for unit, row in enumerate(found["units"], 1):
        known = [_cell(row["correlation"]), _cell(row["information"])] if exact else []
        rows.append(
            [
                f"unit {unit}",
                *(_cell(row[name]) for name in columns.values()),
                f"{row['direction']:.1f}",
                *known,
            ]
        )
    notes = [
        (
            "R2",
            (
                "share of the links' squared weights in T_x and T_y, the filters of the electric"
                " field (-1)^(x+y) (n_a - 1/4)"
            ),
        ),
        (
            "columnar",
            (
                "the same of the columnar order; noise: share of all squared weights on noise"
                " spins; direction: from T_x to T_y, degrees"
            ),
        ),
    ]
    if exact:
        notes += [
            (
                "exact",
                (
                    f"free dimers on the {shape_text(file.attributes['shape'])} torus: R2 (cov) by"
                    " variance, R2 (modes) in the two leading canonical modes,"
                ),
            ),
            (
                "",
                (
                    "rho: correlation with the linear function of the environment that predicts x"
                    " best; the last column in nats"
                ),
            ),
        ]
    else:
        notes.append(
            (
                "exact",
                "no exact correlations: they are known for free dimers with periodic boundaries",
            )
        )
    return [*table(rows), "", *fields(notes), ""]


def _together_lines(found: dict) -> list[str]:
    """Angles between units, the fields captured by their span, and the most that any filters could
    know."""
    exact, units = found["exact"], len(found["units"])
    sources = {"by coefficients": found, **({"by covariance": exact} if exact else {})}
    rows = []
    if units > 1:
        pairs = [(i, j) for i in range(units) for j in range(i + 1, units)]
        head = ["", *(f"angle {i + 1}, {j + 1}" for i, j in pairs), "capture of E_x", "E_y"]
        rows = [
            head,
            *(
                [
                    title,
                    *(_cell(source["angles"][i][j], 1) for i, j in pairs),
                    *map(_cell, source["capture"]),
                ]
                for title, source in sources.items()
            ),
        ]
    lines = [*table(rows), ""] if rows else []
    if exact:
        leading = exact["canonical_correlations"][: _LEADING // 2]
        together = (
            [("all units together", f"{_cell(exact['information_together'])} nats if Gaussian")]
            if units > 1
            else []
        )
        lines += fields(
            [*together, ("canonical correlations of V and E", "  ".join(map(_cell, leading)))]
        )
        lines.append("")
    return lines


def _cell(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:z.{digits}f}"
