"""Samples of ground states in files: what is averaged over them, and checks."""

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
from rsmi.models.triangular_ground_states import ground_states, known
from rsmi.statistics.notation import with_error
from rsmi.statistics.summary import average_summary
from rsmi.store import File

_MEASURED = {
    "structure_factor": ("S(K)", "N <|m_K|^2>, K.r = 2 pi (x + y)/3"),
    "tilt": ("tilt", "N sum_a <(n_a - 1/3)^2>, n_a frustrated bonds per site along a"),
}
_TAU_UNIT = "stored intervals; 0.5 if independent"


def observables_of_rows(
    packed: NDArray[np.uint8], shape: tuple[int, ...]
) -> dict[str, NDArray[np.float64]]:
    """Return `ground_states.observables` of packed rows, (n,) each."""
    parts = [
        ground_states.observables(unpack_spins(packed[rows], shape))
        for rows in slices_of_rows(len(packed), math.prod(shape))
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def check_file(file: File) -> None:
    """Raise DataError if the attributes are not those of such a lattice."""
    attributes, path = file.attributes, file.path
    shape = attributes.get("original_shape", attributes["shape"])
    if len(shape) != 2 or any(side % 3 for side in shape):
        raise DataError(
            f"{path}: the triangular lattice has two sides that are multiples of 3, not"
            f" {list(shape)}"
        )
    spins.check_temperature(file, 0.0)
    if file.kind == "samples":
        spins.check_energies(file, -math.prod(shape), 3 * math.prod(shape))


def is_original(attributes: Mapping[str, Any]) -> bool:
    """Return whether samples are ground states themselves, neither coarse-grained nor masked."""
    return not attributes["rg_step"] and attributes["components"] == 1


def check_configurations(file: File) -> None:
    """Raise DataError unless every sample that is not coarse-grained is a ground state."""
    attributes = file.attributes
    if not is_original(attributes) or attributes["boundary"] != "periodic" or "/mask" in file:
        return
    shape = attributes["shape"]
    for rows in slices_of_rows(file.shape("/spins")[0], math.prod(shape)):
        packed = file.read("/spins", rows.start, rows.stop)
        ground_states.check_ground_states(unpack_spins(packed, shape), file.path, rows.start)


def summary(file: File) -> dict[str, float | None]:
    """Return averages over a samples file with their errors: what is averaged of all spins, and
    the structure factor at K, its exact value where it is known, and the tilt."""
    numbers, attributes = spins.summary(file), file.attributes
    if not is_original(attributes) or "/mask" in file:
        return numbers
    packed = file.read("/spins", 0, file.shape("/spins")[0])
    measured = observables_of_rows(packed, attributes["shape"])
    averages = average_summary({name: measured[name] for name in _MEASURED}, attributes["chains"])
    exact = known.structure_factor(attributes["shape"])
    return numbers | averages | {"structure_factor_exact": exact}


def describe_summary(attributes: Mapping[str, Any], numbers: dict) -> list[tuple[str, ...]]:
    """Return the averages over a samples file as rows: name, value with its error, remark."""
    if "structure_factor" not in numbers:
        return spins.describe_summary(attributes, numbers, None)
    exact = numbers["structure_factor_exact"]
    remarks = {name: remark for name, (_, remark) in _MEASURED.items()}
    if exact is not None:
        remarks["structure_factor"] += f"; exact {exact:.6g} on {shape_text(attributes['shape'])}"
    rows: list[tuple[str, ...]] = [("energy per site", "-1", "J, of all ground states")]
    for name, (title, _) in _MEASURED.items():
        rows.append((title, _with_error(numbers, name), remarks[name]))
    rows.append(("|m| per site", _with_error(numbers, "magnetization_abs"), ""))
    for name, (title, _) in _MEASURED.items():
        rows.append((f"tau_int of {title}", _with_error(numbers, f"tau_int_{name}"), _TAU_UNIT))
    return rows


def _with_error(numbers: dict, name: str) -> str:
    return with_error(numbers[name], numbers[f"{name}_error"])
