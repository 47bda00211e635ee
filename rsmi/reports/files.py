"""``rsmi info``: what a file says, as text for a physicist or as one JSON object, and what it is
made of."""

from __future__ import annotations

import math

import numpy as np

from rsmi import models
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.spins import live_sites
from rsmi.reports import flow as flow_info
from rsmi.stages import crossing, exponent, merge, sample
from rsmi.stages.flow import from_files
from rsmi.stages.training import rules, theta
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File, as_data_error, canonical_json
from rsmi.store.schema import KINDS

_STAGES = {
    "samples": sample,
    "theta": theta,
    "lambda": rules,
    "flow": from_files,
    "exponent": exponent,
    "crossing": crossing,
}
_STAGES |= dict.fromkeys(("samples-shard", "flow-shard"), merge)


def summary(file: File) -> dict:
    """The numbers of a file: the summary of the stage that made it, and the file's ``kind``."""
    with as_data_error(file.path):
        return {"kind": file.kind, **_STAGES[file.kind].summary(file)}


def describe(file: File) -> str:
    """The same numbers as text: T in J/k_B, energies in J, information in nats, values as
    1.0033(70)."""
    with as_data_error(file.path):
        title = f"{file.path}: {file.kind}, {KINDS[file.kind].meaning}"
        return "\n".join([title, "", *_DESCRIPTIONS[file.kind](file), ""])


# ---- the parts of a file -------------------------------------------------------------------------


def tree(file: File) -> dict:
    """What a file is made of: attributes, parameters, ancestors (oldest first), datasets, and the
    run that wrote it."""
    return {
        "file": str(file.path),
        "kind": file.kind,
        "format_version": list(file.attributes["format_version"]),
        "software": file.attributes["software"],
        "digest": file.digest,
        "uuid": file.attributes["uuid"],
        "command": file.attributes["command"],
        "parameters": file.parameters,
        "inputs": file.attributes["inputs"],
        "attributes": file.own_attributes,
        "ancestors": file.ancestors(),
        "datasets": {
            name: {"shape": list(shape), "dtype": dtype}
            for name, (shape, dtype) in file.datasets().items()
        },
        "run": file.run_facts(),
    }


def tree_text(file: File) -> str:
    """:func:`tree` as text."""
    parts = tree(file)
    plain = [
        (name, _plain(parts[name]))
        for name in ("kind", "format_version", "software", "digest", "uuid", "command")
    ]
    ancestors = [
        (entry["command"], entry["digest"][:12], _plain(entry["parameters"]))
        for entry in parts["ancestors"]
    ]
    datasets = [
        (name, entry["dtype"], " x ".join(map(str, entry["shape"])) or "scalar")
        for name, entry in parts["datasets"].items()
    ]
    sections = {
        "parameters": [(name, _plain(value)) for name, value in parts["parameters"].items()],
        "attributes": [(name, _plain(value)) for name, value in parts["attributes"].items()],
        "ancestors, oldest first": ancestors or [("none",)],
        "datasets": datasets,
        "run": list(parts["run"].items()),
    }
    lines = [str(file.path), *fields(plain)]
    for title, rows in sections.items():
        lines += ["", title, *fields(rows)]
    return "\n".join([*lines, ""])


def _plain(value) -> str:
    return value if isinstance(value, str) else canonical_json(value)


# ---- samples -------------------------------------------------------------------------------------


def _describe_samples(file: File) -> list[str]:
    attributes, numbers = file.attributes, summary(file)
    origin = [
        (name, text)
        for name, text in (
            ("lattice", _lattice(attributes) + _live(file)),
            ("temperature", _temperature(attributes)),
            ("sampled by", _algorithm(attributes)),
        )
        if text
    ]
    if attributes["rg_step"]:
        origin.append(
            (
                "coarse-grained",
                (
                    f"{attributes['rg_step']} step{'s' * (attributes['rg_step'] > 1)} from"
                    f" {shape_text(attributes['original_shape'])}, lengths divided by"
                    f" {attributes['scale_factor']:g}"
                ),
            )
        )
    model = models.of(attributes)
    measured = model.describe_summary(attributes, numbers)
    return [*fields([("configurations", str(numbers["samples"])), *origin]), "", *fields(measured)]


def _live(file: File) -> str:
    """How many sites carry data, if not all."""
    return (
        f", {live_sites(file)} of {math.prod(file.attributes['shape'])} sites with data"
        if "/mask" in file
        else ""
    )


def _lattice(attributes: dict) -> str:
    model, boundary = models.of(attributes), attributes.get("boundary", "periodic")
    return (
        f"{shape_text(attributes['shape'])} {model.describe_lattice(attributes)}, {boundary}"
        f"{model.describe_components(attributes)}"
    )


def _temperature(attributes: dict) -> str:
    return models.of(attributes).describe_temperature(attributes)


def _algorithm(attributes: dict) -> str:
    names = ("thermalization", "interval")
    chains = f"{attributes['chains']} chain{'s' * (attributes['chains'] > 1)}"
    parts = [
        attributes.get("algorithm"),
        chains,
        *(f"{name} {attributes[name]} sweeps" for name in names if name in attributes),
    ]
    return ", ".join(part for part in parts if part)


# ---- theta and lambda ----------------------------------------------------------------------------


def _describe_theta(file: File) -> list[str]:
    a, (visible, hidden) = file.attributes, file.shape("/joint/weights")
    sites, block_hidden = file.shape("/block/weights")
    held_out = with_error(a["pseudo_log_likelihood"], a["pseudo_log_likelihood_error"])
    divergence = with_error(a.get("kl"), a.get("kl_error"))
    error = file.read("/curve/reconstruction_error")
    course = (
        f", reconstruction error {error[0]:.4f} to {error[-1]:.4f}"
        if len(error) and np.isfinite(error).all()
        else ""
    )
    return [
        *fields(_window_rows(file)),
        "",
        *fields(
            [
                ("machine of (V, E)", f"{visible} visible, {hidden} hidden units"),
                ("machine of V", f"{sites} visible, {block_hidden} hidden units"),
                ("symmetry", "spin flip, biases zero" if a["symmetric"] else "none imposed"),
                ("training", f"{len(error)} epochs{course}"),
            ]
        ),
        "",
        *fields(
            [
                ("pseudo-log-likelihood", held_out, "nats per window, held out"),
                (
                    "KL(P(V|E) || machine)",
                    divergence,
                    "nats" if "kl" in a else "no exact value here",
                ),
            ]
        ),
    ]


def _window_rows(file: File) -> list[tuple[str, ...]]:
    a, components = file.attributes, file.attributes.get("components", 1)
    live = file.read("/mask") if "/mask" in file else None
    geometry = Geometry(
        a["block"], a["buffer"], a["environment"], live=live if live is None else tuple(live)
    )
    inside, outside = len(geometry.block_offsets), len(geometry.environment_offsets)
    contents = models.of(a).describe_sites
    windows = f"{a['windows']}, {file.shape('/split/held_out')[0]} configurations held out"
    ring = f"ring of width {a['environment']}: {contents(outside, components)}"
    return [
        ("lattice", _lattice(a)),
        ("temperature", _temperature(a)),
        ("block V", f"{shape_text(a['block'])}: {contents(inside, components)}"),
        ("buffer", f"width {a['buffer']}"),
        ("environment E", ring),
        ("windows", windows),
    ]


def _describe_lambda(file: File) -> list[str]:
    a, bound = file.attributes, file.read("/restarts/bound")
    objective = a["objective"] + (f" by {a['estimator']}" if "estimator" in a else "")
    kept = (
        f"{objective}, restart {a['restart'] + 1} of {len(bound)} kept (held-out bounds"
        f" {', '.join(f'{value:.4f}' for value in bound)} nats)"
    )
    filters = models.of(a).describe_rule(file) or _filters(file)
    return [*fields([*_window_rows(file), ("objective", kept)]), "", *filters, *_information(a)]


def _filters(file: File) -> list[str]:
    """The filters in block shape, one after the other."""
    live = file.read("/mask").astype(bool) if "/mask" in file else slice(None)
    lines = [
        "  filters: x = sum over V of filter times spin, plus bias; P(h = 1) = 1/(1 + exp(-x))",
        "",
    ]
    for unit, (weights, bias) in enumerate(zip(file.read("/filters"), file.read("/bias")), 1):
        lines.append(
            f"  unit {unit}   bias {bias:z.4f}   cosine to the uniform filter"
            f" {cosine_to_uniform(weights[live]):.4f}"
        )
        for layer in (
            weights.reshape(-1, *file.attributes["block"][-2:])
            if len(file.attributes["block"]) > 1
            else weights[None, None]
        ):
            lines += [*table([["", *(f"{weight:z.4f}" for weight in row)] for row in layer]), ""]
    return lines


def cosine_to_uniform(weights: np.ndarray) -> float:
    """Cosine of the angle between a filter and the uniform one; 0 for the zero filter."""
    length = float(np.linalg.norm(weights)) * len(weights) ** 0.5
    return float(weights.sum()) / length if length else 0.0


def _information(a: dict) -> list[str]:
    from rsmi.stages.training import rules as train_lambda

    soft, hard = (
        with_error(a[f"mutual_information{rule}"], a[f"mutual_information{rule}_error"])
        for rule in ("", "_hard")
    )
    rows = [
        ["nats", "soft rule", "hard rule"],
        ["I(H:E), held-out bound", soft, hard],
        [
            "I(H:E), exact",
            _four(a.get("mutual_information_exact_soft")),
            with_error(a.get("mutual_information_exact"), a.get("mutual_information_exact_error")),
        ],
        ["H(H)", _four(a["entropy_h"]), _four(a["entropy_h_hard"])],
        ["control: shuffled environments", _four(a["mutual_information_shuffled"]), ""],
        ["I(V:E), exact", _four(a.get("mutual_information_block")), ""],
        [
            "I(H:E)/I(V:E), exact",
            _four(train_lambda.share(a, "_soft")),
            _four(train_lambda.share(a)),
        ],
        *_total_correlation(a),
    ]
    return table(rows)


def _total_correlation(a: dict) -> list[list[str]]:
    """Rows on the correlation within V; none of files before 1.2."""
    if "total_correlation" not in a:
        return []
    explained = {
        "TC(V:H), held out": "total_correlation",
        "  sum over units, held out": "total_correlation_bound",
    }
    rows = [
        [title, with_error(a[name], a[name + "_error"]), ""] for title, name in explained.items()
    ]
    return [*rows, ["TC(V)", _four(a.get("total_correlation_block")), ""]]


def _four(value: float | None) -> str:
    return "-" if value is None else f"{value:z.4f}"


# ---- shards --------------------------------------------------------------------------------------


def _describe_shard(file: File) -> list[str]:
    numbers = summary(file)
    return fields(
        [
            ("shard", numbers["shard"]),
            ("streams", f"{len(numbers['rows'])} of {numbers['streams']}"),
            ("rows", str(sum(numbers["rows"].values()))),
        ]
    )


_DESCRIPTIONS = {
    "samples": _describe_samples,
    "theta": _describe_theta,
    "lambda": _describe_lambda,
    "flow": flow_info.describe_flow,
    "exponent": flow_info.describe_exponent,
    "crossing": flow_info.describe_crossing,
    "samples-shard": _describe_shard,
    "flow-shard": _describe_shard,
}
