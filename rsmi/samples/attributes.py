"""The attributes of a samples file that a simulation provides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsmi.store.schema import KINDS

_NAMED = {attribute.name for attribute in KINDS["samples"].attributes}
# The attributes that a trained file takes over from its samples.
LATTICE = (
    "model",
    "model_parameters",
    "symmetry",
    "states",
    "contradictions",
    "shape",
    "coupling",
    "temperature",
    "interaction",
    "noise_probability",
    "noise_pairing",
    "rg_step",
    "scale_factor",
)


def stored_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a simulation as attributes of a file.

    Those that the format does not name are stored together as ``model_parameters``.
    """
    named = {name: value for name, value in attributes.items() if name in _NAMED}
    own = {
        name: value
        for name, value in attributes.items()
        if name not in _NAMED and value is not None
    }
    return named | ({"model_parameters": own} if own else {})
