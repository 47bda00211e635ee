"""Samples of models on lattices, in numbers and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import count_ones
from rsmi.models import spins
from rsmi.models.lattice import critical
from rsmi.models.lattice.definition import Definition
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import average_summary, sample_summary
from rsmi.store import File

_ROWS_AT_ONCE = 1 << 16


def summary(file: File, definition: Definition) -> dict[str, float | None]:
    """Return averages of a samples file; of occupations the density too."""
    if file.attributes["rg_step"] or "/mask" in file:
        return spins.summary(file)
    attributes = file.attributes
    sites = math.prod(attributes["shape"]) * attributes["components"]
    up, chains = _up(file), attributes["chains"]
    numbers = sample_summary(
        file.read("/energy"), 2 * up - sites, chains, attributes.get("coupling"), sites
    )
    if definition.spins:
        return numbers
    density = average_summary({"density": up / sites}, chains)
    return {name: density[name] for name in ("density", "density_error")} | numbers


def _up(file: File) -> NDArray[np.int64]:
    """The number (n,) of sites that are up in every configuration."""
    n = file.shape("/spins")[0]
    parts = (
        file.read("/spins", first, min(n, first + _ROWS_AT_ONCE))
        for first in range(0, n, _ROWS_AT_ONCE)
    )
    return np.concatenate([count_ones(rows) for rows in parts])


def describe_summary(
    attributes: Mapping[str, Any],
    numbers: dict,
    definition: Definition,
    exact_energy: float | None,
) -> list[tuple]:
    """Return a `summary` as rows of a table: name, value with its error, unit or remark."""
    rows = spins.describe_summary(attributes, numbers, exact_energy)
    if definition.spins or "density" not in numbers:
        return rows
    density = with_error(numbers["density"], numbers["density_error"])
    energy = rows[0]
    if not definition.thermal:
        energy = (*energy[:2], f"minus the density of particles{energy[2].removeprefix('J')}")
    return [("density", density, "particles per site"), energy, *rows[1:]]


def describe_state_point(
    attributes: Mapping[str, Any], definition: Definition, ratio: float | None
) -> str:
    """Return the state point as a physicist writes it."""
    parts = []
    if definition.thermal:
        parts.append(spins.describe_temperature(attributes, ratio))
    if definition.fugacity is not None:
        parts.append(_described_fugacity(definition))
    if definition.field:
        parts.append(f"h = {definition.field:g} J")
    parts += [f"{name} = {value:g} J" for name, value in definition.couplings.items()]
    return ", ".join(parts)


def _described_fugacity(definition: Definition) -> str:
    known = critical.critical_fugacity(definition)
    text = f"z = {definition.fugacity:.6g}"
    if known is None or definition.fugacity is None:
        return text
    return f"{text}, z/z_c = {definition.fugacity / known.value:.4f}"


def state_point_label(
    attributes: Mapping[str, Any], definition: Definition, ratio: float | None
) -> str:
    """Return the state point for a figure (TeX)."""
    if definition.thermal:
        return spins.temperature_label(attributes, ratio)
    known = critical.critical_fugacity(definition)
    z = definition.fugacity or 1.0
    if known is not None and abs(z / known.value - 1) < 5e-7:
        return "$z$ = $z_c$"
    return f"$z$ = {z:.5g}" if known is None else f"$z$ = {z / known.value:.5g} $z_c$"
