"""Samples of the six-vertex model in files: what is averaged over them, and checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import slices_of_rows, unpack_spins
from rsmi.models import spins
from rsmi.models.six_vertex import arrows, known, loop, transfer
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import average_summary
from rsmi.store import File

_MEASURED = {
    "c_vertices": ("c vertices", "per vertex"),
    "flux_squared": ("<W^2>", "mean of W_x^2 and W_y^2, W the sum of arrows through a line"),
    "staggered_polarization_squared": (
        "staggered polarization squared",
        "of the mean of (-1)^(x + y) (s_y - s_x)/2",
    ),
    "field_fluctuation": ("field |E_q|^2", "per vertex, smallest q across the field"),
}
_TAU_UNIT = "stored intervals; 0.5 if independent"


def weight_of(attributes: Mapping[str, Any]) -> float | None:
    """Return the weight c that the attributes of a file hold; None if it is unknown."""
    own = attributes.get("model_parameters")
    weight = own.get("weight") if isinstance(own, Mapping) else None
    return float(weight) if isinstance(weight, int | float) else None


def is_original(attributes: Mapping[str, Any]) -> bool:
    """Return whether samples are arrows themselves, neither coarse-grained nor masked."""
    return not attributes["rg_step"] and attributes["components"] == 2


# ---- checks --------------------------------------------------------------------------------------


def check_file(file: File) -> None:
    """Raise DataError if the attributes are not those of such a lattice."""
    attributes, path = file.attributes, file.path
    shape = attributes.get("original_shape", attributes["shape"])
    if len(shape) != 2:
        raise DataError(
            f"{path}: the six-vertex model lives on lattices of two axes, not {list(shape)}"
        )
    weight, (least, largest) = weight_of(attributes), loop.WEIGHTS
    if weight is not None and not least <= weight <= largest:
        raise DataError(
            f"{path}: the weight of a c vertex lies from {least:g} to {largest:g}, not at {weight}"
        )
    if {"coupling", "temperature"} & attributes.keys():
        raise DataError(f"{path}: the six-vertex model has a weight, and no temperature")
    if file.kind == "samples":
        if not attributes["rg_step"] and attributes["components"] != 2:
            raise DataError(
                f"{path}: a vertex has 2 arrows of its own, not {attributes['components']}"
            )
        spins.check_energies(file, -math.prod(shape), 0)


def check_configurations(file: File) -> None:
    """Raise DataError unless every sample that is not coarse-grained obeys the ice rule."""
    attributes = file.attributes
    if not is_original(attributes) or attributes["boundary"] != "periodic" or "/mask" in file:
        return
    shape = (2, *attributes["shape"])
    for rows in slices_of_rows(file.shape("/spins")[0], math.prod(shape)):
        packed = file.read("/spins", rows.start, rows.stop)
        arrows.check_ice_rule(unpack_spins(packed, shape), file.path, rows.start)


# ---- averages ------------------------------------------------------------------------------------


def observables_of_rows(
    packed: NDArray[np.uint8], shape: tuple[int, ...]
) -> dict[str, NDArray[np.float64]]:
    """Return `arrows.observables` of packed rows, (n,) each."""
    parts = [
        arrows.observables(unpack_spins(packed[rows], (2, *shape)))
        for rows in slices_of_rows(len(packed), 2 * math.prod(shape))
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def summary(file: File) -> dict[str, float | None]:
    """Return averages over a samples file with their errors: the observables of
    `arrows.observables`, the stiffness that follows from the flux, and exact values: of this
    lattice where its sides are small, and the stiffness of the infinite lattice."""
    attributes = file.attributes
    if not is_original(attributes) or "/mask" in file:
        return spins.summary(file)
    shape, weight = attributes["shape"], weight_of(attributes)
    series = observables_of_rows(file.read("/spins", 0, file.shape("/spins")[0]), shape)
    series = {"energy": -series["c_vertices"], **series}
    numbers = average_summary(series, attributes["chains"])
    flux, error = numbers["flux_squared"], numbers["flux_squared_error"]
    pair = (None, None) if flux is None else known.measured_stiffness(flux, error, shape)
    exact = transfer.torus(shape, weight) if weight else {}
    return numbers | {
        "stiffness": pair[0],
        "stiffness_error": pair[1],
        "stiffness_exact": known.stiffness_of(weight) if weight else None,
        "flux_squared_exact": exact.get("flux_squared"),
        "c_vertices_exact": exact.get("c_vertices"),
    }


def describe_summary(attributes: Mapping[str, Any], numbers: dict) -> list[tuple[str, ...]]:
    """Return the averages over a samples file as rows: name, value with its error, remark."""
    if "flux_squared" not in numbers:
        return spins.describe_summary(attributes, numbers, None)
    where = shape_text(attributes["shape"])
    rows: list[tuple[str, ...]] = []
    for name, (title, remark) in _MEASURED.items():
        exact = numbers.get(f"{name}_exact")
        known_here = "" if exact is None else f"; exact {exact:.6g} on {where}"
        rows.append((title, _with_error(numbers, name), remark + known_here))
    if numbers["stiffness"] is not None:
        exact = f"of the heights, from <W^2>; exact {numbers['stiffness_exact']:.6g}"
        rows.insert(2, ("stiffness", _with_error(numbers, "stiffness"), exact + " for large L"))
    for name, (title, _) in _MEASURED.items():
        rows.append((f"tau_int of {title}", _with_error(numbers, f"tau_int_{name}"), _TAU_UNIT))
    return rows


def _with_error(numbers: dict, name: str) -> str:
    return with_error(numbers[name], numbers[f"{name}_error"])
