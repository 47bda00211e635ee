"""What a command may require of a samples file, and which sites of its blocks carry data."""

from __future__ import annotations

from rsmi.errors import UsageError
from rsmi.lattice.geometry import block_mask, shape_text
from rsmi.samples.views import SamplesFile


def require_single_component(samples: SamplesFile) -> None:
    """Raise UsageError for samples with several components per site."""
    if samples.components != 1:
        raise UsageError(
            f"{samples.path}: has {samples.components} components per site; this command needs one"
        )


def require_full(samples: SamplesFile, why: str) -> None:
    """Raise UsageError for a lattice of which only some sites carry data; ``why`` is the part of
    the sentence before "all of them"."""
    if samples.has_mask:
        raise UsageError(
            f"{samples.path}: only some of its sites carry data, but {why} all of them;"
            " coarse-grain it first, which gives a full lattice"
        )


def live_block(samples: SamplesFile, block: tuple[int, ...]) -> tuple[bool, ...] | None:
    """Which sites of every block carry data; None if all do.

    Raises
    ------
    UsageError
        If the blocks that tile the lattice differ in their sites with data, or have none.
    """
    mask = samples.mask
    if mask is None:
        return None
    live = block_mask(mask, block)
    if live is None:
        raise UsageError(
            f"{samples.path}: blocks of {shape_text(block)} that tile the lattice are not alike in"
            " which of their sites carry data, so that no one rule fits them all: the block must"
            " be a period of the mask (random dilution has none)"
        )
    if not any(live):
        raise UsageError(f"{samples.path}: no site of a block of {shape_text(block)} carries data")
    return live


def require_periodic(samples: SamplesFile, why: str) -> None:
    """Raise UsageError for a lattice with open boundaries; ``why`` is the part of the sentence
    before "a periodic one"."""
    if not samples.periodic:
        raise UsageError(
            f"{samples.path}: a lattice with open boundaries, but {why} a periodic one"
        )
