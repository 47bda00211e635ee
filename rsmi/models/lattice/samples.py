"""Samples of models on lattices in files: their definition, and checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import unpack_bits
from rsmi.models import spins
from rsmi.models.lattice import measures, model_file
from rsmi.models.lattice.definition import Definition
from rsmi.models.lattice.system import StatePoint
from rsmi.store import File

_BITS_AT_ONCE = 1 << 26  # of unpacked variables


def definition_of(attributes: Mapping[str, Any]) -> Definition | None:
    """Return the definition that the attributes of a file hold; None if there is none.

    Raises
    ------
    DataError
        If it defines no model.
    """
    own = attributes.get("model_parameters")
    content = own.get("definition") if isinstance(own, Mapping) else None
    if not isinstance(content, Mapping):
        return None
    try:
        return model_file.from_json(content)
    except UsageError as error:
        raise DataError(f"the definition of the model is wrong: {error}") from error


def point_of(attributes: Mapping[str, Any], shape: tuple[int, ...]) -> StatePoint | None:
    """Return the state point of the attributes of a file on a lattice; None if it is unknown."""
    definition, coupling = definition_of(attributes), attributes.get("coupling")
    if definition is None or len(shape) != definition.dimension:
        return None
    if coupling is None:
        if definition.thermal:
            return None
        coupling = 0.0
    periodic = attributes.get("boundary", "periodic") == "periodic"
    return StatePoint(definition, shape, periodic, coupling)


def check_file(file: File) -> None:
    """Raise DataError if attributes contradict the definition or each other."""
    attributes, path = file.attributes, file.path
    try:
        definition = definition_of(attributes)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if definition is None:
        raise DataError(f"{path}: the definition of the model is missing")
    components = attributes.get("components", 1)
    if file.kind == "samples" and not attributes["rg_step"] and components != len(definition.sites):
        raise DataError(
            f"{path}: a site of the lattice has {components} components, but a cell of"
            f" {definition.name} {len(definition.sites)} sites"
        )
    if not definition.spins and definition.fugacity is None:
        raise DataError(f"{path}: the fugacity of {definition.name} is missing")
    if definition.thermal:
        return spins.check_temperature(file, 1.0)
    if {"coupling", "temperature"} & attributes.keys():
        raise DataError(f"{path}: {definition.name} has no temperature and no coupling")


def check_configurations(file: File) -> None:
    """Raise DataError if two particles of a samples file exclude each other."""
    point = point_of(file.attributes, tuple(file.attributes["shape"]))
    if point is None or not point.definition.exclusions or file.attributes["rg_step"]:
        return
    step, n = max(1, _BITS_AT_ONCE // point.sites), file.shape("/spins")[0]
    for first in range(0, n, step):
        rows = file.read("/spins", first, min(n, first + step))
        wrong = measures.overlaps(point, unpack_bits(rows, (point.sites,)) > 0)
        if wrong.any():
            raise DataError(
                f"{file.path}: configuration {first + int(np.argmax(wrong))} has two particles on"
                " sites that exclude each other"
            )


def null_averages(
    configurations: NDArray[np.int8], attributes: Mapping[str, Any]
) -> dict[str, NDArray[np.float64]]:
    """Return what must vanish on average, (n,) each; see `measures.null_averages`."""
    point = point_of(attributes, configurations.shape[2:])
    if point is None or configurations.shape[1] != len(point.definition.sites):
        return {}
    return measures.null_averages(point, configurations.reshape(len(configurations), -1) > 0)


def energies(
    configurations: NDArray[np.int8], attributes: Mapping[str, Any]
) -> NDArray[np.float64] | None:
    """Return the energies (n,) in J of configurations (n, components, \\*shape)."""
    point = point_of(attributes, configurations.shape[2:])
    if point is None or configurations.shape[1] != len(point.definition.sites):
        return None
    return measures.energies_of(point, configurations.reshape(len(configurations), -1) > 0)
