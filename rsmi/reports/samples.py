"""What ``rsmi info`` says of samples, and the lines on a lattice that other kinds share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rsmi import models
from rsmi.lattice.geometry import shape_text
from rsmi.models.spins import live_sites
from rsmi.samples.examination.findings import Examination, from_json
from rsmi.stages import sample
from rsmi.statistics.notation import fields, table, with_error
from rsmi.store import File


def describe(file: File) -> list[str]:
    """Where the configurations come from, and those averages over them that can be taken."""
    numbers = sample.summary(file)
    averages = models.of(file.attributes).describe_summary(file.attributes, numbers)
    measured = [row for row in averages if row[1] != "-"]
    return [
        *fields(_origin_rows(file, numbers["samples"])),
        "",
        *([*fields(measured), ""] if measured else []),
        *_exchange_lines(numbers),
        *_examination_lines(from_json(numbers["examination"])),
    ]


def _exchange_lines(numbers: Mapping[str, Any]) -> list[str]:
    """The ladder of which the samples are one temperature, and how often it exchanges."""
    if "exchange_rates" not in numbers:
        return []
    temperatures = ", ".join(f"{one:.6g}" for one in numbers["ladder"])
    trips = with_error(numbers["round_trips"], numbers["round_trips_error"])
    rows = [
        ("parallel tempering", f"T = {temperatures} J/k_B"),
        ("round trips", trips, "from the hottest to the coldest and back, in each ladder"),
    ]
    rates = [
        [" - ".join(f"{one:.6g}" for one in own["temperatures"]), _rate(own)]
        for own in numbers["exchange_rates"]
    ]
    return [*fields(rows), *table([["exchanged", "rate"], *rates], "    "), ""]


def _rate(own: Mapping[str, Any]) -> str:
    return with_error(own["rate"], own["rate_error"])


def _examination_lines(examination: Examination) -> list[str]:
    """What the examination of the samples found: a table, and a line for every finding."""
    about = "at least " if not examination.tau_known else ""
    time = f"{about}{examination.tau:.3g} stored steps" if examination.slowest else "unknown"
    rows = [
        ("largest Fourier mode", ", ".join(examination.order)),
        ("longest tau_int", time, f"of {examination.slowest}" if examination.slowest else ""),
        ("independent samples", f"{examination.effective:.0f}", "at most"),
    ]
    return [*fields(rows), *(f"  {one.level}: {one.sentence}" for one in examination.findings)]


def _origin_rows(file: File, samples: int) -> list[tuple[str, ...]]:
    attributes = file.attributes
    rows = {
        "configurations": str(samples),
        "lattice": lattice(attributes) + _sites_with_data(file),
        "temperature": temperature(attributes),
        "sampled by": _algorithm(attributes),
        "coarse-grained": _coarse_graining(attributes),
    }
    return [(name, text) for name, text in rows.items() if text]


def lattice(attributes: Mapping[str, Any]) -> str:
    """Shape, model, boundary and components: ``64x64 ising, periodic``."""
    model, boundary = models.of(attributes), attributes.get("boundary", "periodic")
    return (
        f"{shape_text(attributes['shape'])} {model.describe_lattice(attributes)}, {boundary}"
        f"{model.describe_components(attributes)}"
    )


def temperature(attributes: Mapping[str, Any]) -> str:
    """The state point in the words of the model."""
    return models.of(attributes).describe_temperature(attributes)


def _sites_with_data(file: File) -> str:
    if "/mask" not in file:
        return ""
    return f", {live_sites(file)} of {math.prod(file.attributes['shape'])} sites with data"


def _algorithm(attributes: Mapping[str, Any]) -> str:
    names = ("thermalization", "interval")
    parts = [
        attributes.get("algorithm"),
        f"{attributes['chains']} chain{'s' * (attributes['chains'] > 1)}",
        *(f"{name} {attributes[name]} sweeps" for name in names if name in attributes),
    ]
    return ", ".join(part for part in parts if part)


def _coarse_graining(attributes: Mapping[str, Any]) -> str:
    steps = attributes["rg_step"]
    if not steps:
        return ""
    return (
        f"{steps} step{'s' * (steps > 1)} from {shape_text(attributes['original_shape'])}, lengths"
        f" divided by {attributes['scale_factor']:g}"
    )
