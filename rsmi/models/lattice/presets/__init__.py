"""Models that are defined in this package: one model file each."""

from __future__ import annotations

import functools
from pathlib import Path

from rsmi.models.lattice import model_file
from rsmi.models.lattice.definition import Definition

_FOLDER = Path(__file__).parent


@functools.cache
def preset(name: str) -> Definition:
    """Return the definition of a preset, such as ``ising-triangular``."""
    return model_file.read(_FOLDER / f"{name}.toml")
