"""What ``rsmi info`` says of trained machines (theta) and of learned rules (lambda).

Lines on exact values appear only where such values are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.lattice.blocks import with_neighbours
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.reports import canonical, measured
from rsmi.reports.products import describe_products, layers
from rsmi.reports.rule_states import describe_states
from rsmi.reports.samples import lattice, temperature
from rsmi.samples.views import RuleFile
from rsmi.stages.training.rule_numbers import share, still_rising
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File

# ---- windows -------------------------------------------------------------------------------------


def _window_rows(file: File) -> list[tuple[str, ...]]:
    """The lattice, and the window that was cut from it."""
    a = file.attributes
    inside, outside = _sites(file)
    return [
        ("lattice", lattice(a)),
        ("temperature", temperature(a)),
        ("block V", f"{shape_text(a['block'])}: {inside}"),
        ("buffer", f"width {a['buffer']}"),
        ("environment E", f"ring of width {a['environment']}: {outside}"),
        *_metric_row(a),
        (
            "windows",
            f"{a['windows']}; {file.shape('/split/held_out')[0]} configurations are held out",
        ),
    ]


def _metric_row(attributes: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """How distances are measured, if not by square frames around a rectangle."""
    if "metric" not in attributes:
        return []
    steps = {"square": "steps along axes and diagonals", "lattice": "steps to nearest neighbours"}
    return [("distances", f"{steps[attributes['metric']]} from the sites of V")]


def _sites(file: File) -> tuple[str, str]:
    """The variables of the block and of the environment in the words of the model."""
    a = file.attributes
    live = tuple(file.read("/mask")) if "/mask" in file else None
    geometry = Geometry(
        a["block"], a["buffer"], a["environment"], live=live, metric=a.get("metric")
    )
    cell = models.of(a).unit_cell(a)
    geometry = with_neighbours(geometry, None if cell is None else cell.steps)
    describe, components = models.of(a).describe_sites, a.get("components", 1)
    return (
        describe(len(geometry.block_offsets), components),
        describe(len(geometry.environment_offsets), components),
    )


# ---- theta ---------------------------------------------------------------------------------------


def describe_theta(file: File) -> list[str]:
    """The two machines, their training and their quality."""
    return [
        *fields(_window_rows(file)),
        "",
        *fields(_machine_rows(file)),
        "",
        *fields(_quality_rows(file.attributes)),
    ]


def _machine_rows(file: File) -> list[tuple[str, ...]]:
    visible, hidden = file.shape("/joint/weights")
    sites, block_hidden = file.shape("/block/weights")
    return [
        ("machine of (V, E)", f"{visible} visible, {hidden} hidden units"),
        ("machine of V", f"{sites} visible, {block_hidden} hidden units"),
        ("symmetry", _symmetry(file)),
        ("training", _course(file.read("/curve/reconstruction_error"))),
    ]


def _symmetry(file: File) -> str:
    """What the weights and biases are tied to."""
    if "/features" in file:
        states, width = file.shape("/features")
        return f"relabelling of {states} states with {width} features each, no biases"
    return "spin flip, biases zero" if file.attributes["symmetric"] else "none imposed"


def _course(error: NDArray[np.float64]) -> str:
    """The number of epochs, and the first and last reconstruction error where it was measured."""
    epochs = f"{len(error)} epochs"
    if len(error) == 0 or not np.isfinite(error).all():
        return epochs
    return f"{epochs}, reconstruction error {error[0]:.4f} to {error[-1]:.4f}"


def _quality_rows(a: Mapping[str, Any]) -> list[tuple[str, ...]]:
    likelihood = with_error(a["pseudo_log_likelihood"], a["pseudo_log_likelihood_error"])
    rows: list[tuple[str, ...]] = [
        ("pseudo-log-likelihood", likelihood, "nats per window, held out")
    ]
    if "kl" in a:
        divergence = with_error(a["kl"], a.get("kl_error"))
        rows.append(("KL(P(V|E) || machine)", divergence, "nats, from the exact P(V|E)"))
    return rows


# ---- lambda --------------------------------------------------------------------------------------


def describe_lambda(file: File) -> list[str]:
    """The window, the filters, and the information that the rule keeps."""
    rule = RuleFile(file)
    if rule.units is not None:
        filters = describe_states(rule)
    elif rule.products is not None:
        filters = describe_products(rule)
    else:
        filters = rule.model.describe_rule(file) or _filters(rule)
    rows = [*_window_rows(file), ("objective", _objective(file)), *_sector_row(rule)]
    rising = still_rising(rule.objective, rule.curve)
    return [
        *fields(rows),
        "",
        *filters,
        *measured.describe(rule),
        *table(_information_rows(file.attributes)),
        *canonical.describe(file),
        *(["", f"  warning: {rising}"] if rising else []),
    ]


def objective_name(attributes: Mapping[str, Any]) -> str:
    """The objective and its estimator: ``proxy by pairs``."""
    estimator = attributes.get("estimator")
    return attributes["objective"] + (f" by {estimator}" if estimator else "")


def _objective(file: File) -> str:
    bounds = file.read("/restarts/bound")
    shown = ", ".join(f"{value:.4f}" for value in bounds)
    return (
        f"{objective_name(file.attributes)}, restart {file.attributes['restart'] + 1} of"
        f" {len(bounds)} kept (held-out bounds {shown} nats)"
    )


def _sector_row(rule: RuleFile) -> list[tuple[str, ...]]:
    """The sector, if it is not the default, and further variables of the environment."""
    rows = [("sector", rule.sector)] if "sector" in rule.attributes else []
    features = rule.attributes.get("environment_features")
    return rows + ([("features of E", features)] if features else [])


def _filters(rule: RuleFile) -> list[str]:
    """The filters in block shape, one after the other, and the wave vectors of their largest
    Fourier modes."""
    file = rule.file
    live = np.tile(rule.live_sites or [True] * math.prod(rule.block), rule.components)
    lines = [
        "  filters: x = sum over V of filter times spin, plus bias; P(h = 1) = 1/(1 + exp(-x))",
        "",
    ]
    for unit, (weights, bias) in enumerate(zip(file.read("/filters"), file.read("/bias")), 1):
        cosine = cosine_to_uniform(weights[live])
        lines.append(
            f"  unit {unit}   bias {bias:z.4f}   cosine to the uniform filter {cosine:.4f}"
        )
        for mode in rule.modes[unit - 1]:
            lines.append(
                f"           largest Fourier mode {mode}: {mode.share:.3f} of the {mode.measure}"
            )
        for layer in layers(weights, file.attributes["block"]):
            lines += [*table([["", *(f"{weight:z.4f}" for weight in row)] for row in layer]), ""]
    return lines


def cosine_to_uniform(weights: NDArray[np.float64]) -> float:
    """Cosine of the angle between a filter and the uniform one; 0 for the zero filter."""
    length = float(np.linalg.norm(weights)) * len(weights) ** 0.5
    return float(weights.sum()) / length if length else 0.0


def _information_rows(a: dict[str, Any]) -> list[list[str]]:
    """A row for every quantity of the soft and of the hard rule, in nats."""
    bounds = [
        with_error(a[f"mutual_information{rule}"], a[f"mutual_information{rule}_error"])
        for rule in ("", "_hard")
    ]
    return [
        ["nats", "soft rule", "hard rule"],
        ["I(H:E), held-out bound", *bounds],
        *_known_row(
            "I(H:E), exact",
            _four(a.get("mutual_information_exact_soft")),
            with_error(a.get("mutual_information_exact"), a.get("mutual_information_exact_error")),
        ),
        ["H(H)", _four(a["entropy_h"]), _four(a["entropy_h_hard"])],
        ["control: shuffled environments", _four(a["mutual_information_shuffled"]), ""],
        *_known_row("I(V:E), exact", _four(a.get("mutual_information_block")), ""),
        *_known_row("I(H:E)/I(V:E), exact", _four(share(a, "soft")), _four(share(a, "hard"))),
        *_total_correlation_rows(a),
    ]


def _known_row(title: str, soft: str, hard: str) -> list[list[str]]:
    """One row, or none where neither value is known."""
    return [] if {soft, hard} <= {"-", ""} else [[title, soft, hard]]


def _total_correlation_rows(a: Mapping[str, Any]) -> list[list[str]]:
    """Rows on the correlations within V; files before format 1.2 have none."""
    if "total_correlation" not in a:
        return []
    explained, bound = (
        with_error(a[name], a[f"{name}_error"])
        for name in ("total_correlation", "total_correlation_bound")
    )
    return [
        ["TC(V:H), held out", explained, ""],
        ["  sum over units, held out", bound, ""],
        *_known_row("TC(V)", _four(a.get("total_correlation_block")), ""),
    ]


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:z.4f}"
