"""Titles of figures: the state point, the lattice and the window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rsmi import models
from rsmi.lattice.geometry import shape_text


def geometry_title(attributes: Mapping[str, Any]) -> str:
    """Temperature, lattice and window of a theta or lambda file, one line, for a figure."""
    a = attributes
    label, block = models.of(a).temperature_label(a), shape_text(a["block"])
    return (
        f"{label},  $L$ = {a['shape'][0]},  block {block}, buffer {a['buffer']}, environment"
        f" {a['environment']}"
    )
