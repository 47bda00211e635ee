"""The attributes of samples: which of a model's own go under their own name into a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsmi.store.schema import KINDS

_NAMED = {attribute.name for attribute in KINDS["samples"].attributes}
# What is handed on from samples to the files that are made of them.
LATTICE = (
    "model",
    "model_parameters",
    "symmetry",
    "shape",
    "coupling",
    "temperature",
    "interaction",
    "noise_probability",
    "noise_pairing",
    "rg_step",
    "scale_factor",
)


def stored_attributes(attributes: Mapping[str, Any]) -> dict:
    """What a simulation says of itself, as the attributes of a file: those that the format does not
    name are together in ``model_parameters``."""
    own = {
        name: value
        for name, value in attributes.items()
        if name not in _NAMED and value is not None
    }
    named = {name: value for name, value in attributes.items() if name in _NAMED}
    return named | ({"model_parameters": own} if own else {})
