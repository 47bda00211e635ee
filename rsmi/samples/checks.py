"""What a command may ask of a samples file, and which of its sites carry data."""

from __future__ import annotations

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice.geometry import block_mask, shape_text
from rsmi.lattice.packed import unpack_mask
from rsmi.store import File


def require_single_component(file: File) -> None:
    """Refuse samples with several components per site."""
    if file.attributes["components"] != 1:
        raise UsageError(
            f"{file.path}: has {file.attributes['components']} components per site; this command"
            " needs one"
        )


def require_full(file: File, why: str) -> None:
    """Refuse samples of a lattice of which only some sites carry data."""
    if "/mask" in file:
        raise UsageError(
            f"{file.path}: only some of its sites carry data, but {why} all of them; coarse-grain"
            " it first, which gives a full lattice"
        )


def lattice_mask(file: File) -> np.ndarray | None:
    """Which sites of a samples file carry data, bool of the lattice's shape; None if all do."""
    if "/mask" not in file:
        return None
    return unpack_mask(file.read("/mask"), file.attributes["shape"])


def live_block(file: File, block: tuple[int, ...]) -> tuple[bool, ...] | None:
    """Which sites of every block carry data; None if all do.

    Raises
    ------
    UsageError
        Where blocks are not alike, or have no data at all.
    """
    mask = lattice_mask(file)
    if mask is None:
        return None
    live = block_mask(mask, block)
    if live is None:
        raise UsageError(
            f"{file.path}: blocks of {shape_text(block)} that tile the lattice are not alike in"
            " which of their sites carry data, so that no one rule fits them all: the block must"
            " be a period of the mask (random dilution has none)"
        )
    if not any(live):
        raise UsageError(f"{file.path}: no site of a block of {shape_text(block)} carries data")
    return live


def require_periodic(file: File, why: str) -> None:
    """Refuse samples of a lattice with open boundaries."""
    if file.attributes["boundary"] != "periodic":
        raise UsageError(f"{file.path}: a lattice with open boundaries, but {why} a periodic one")
