"""Cutting windows out of stored configurations, and where a block may begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import (
    Geometry,
    block_mask,
    cell_origins,
    extract_windows,
    possible_origins,
    shape_text,
)
from rsmi.lattice.symbols import extract_codes
from rsmi.samples.views import SamplesFile

_BYTES_AT_ONCE = 1 << 26  # of configurations read


def read_windows(
    samples: SamplesFile,
    geometry: Geometry,
    configurations: NDArray[np.int64],
    origins: NDArray[np.int64],
    relabellings: NDArray[np.int8],
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Cut blocks and environments out of the configurations of a file.

    The configurations are read a few at a time, because a file may be larger than the memory.

    Parameters
    ----------
    samples : SamplesFile
    geometry : Geometry
    configurations : ndarray of int64, (n,)
        The number of the configuration of each window, in ascending order.
    origins : ndarray of int64, (n, dimension)
    relabellings : ndarray of int8, (n,) or (n, states)
        The flips of `rsmi.lattice.geometry.extract_windows`; of variables with more than two states
        what `rsmi.lattice.symbols.extract_codes` takes.

    Returns
    -------
    blocks, environments : ndarray of int8, (n, n_block) and (n, n_environment)
        +-1, or codes 0, ..., q - 1 of variables with q > 2 states.

    Raises
    ------
    DataError
        If the bits of a variable are the code of no state.
    """
    step = max(1, _BYTES_AT_ONCE // samples.row_bytes)
    pieces = []
    for first in range(0, samples.count, step):
        own = slice(*np.searchsorted(configurations, [first, first + step]))
        if own.start < own.stop:
            rows = samples.spins(first, first + step)
            chosen = configurations[own] - first, origins[own], relabellings[own]
            pieces.append(_cut(samples, geometry, rows, *chosen))
    blocks, environments = zip(*pieces)
    return np.concatenate(blocks), np.concatenate(environments)


def _cut(
    samples: SamplesFile,
    geometry: Geometry,
    rows: NDArray[np.uint8],
    configurations: NDArray[np.int64],
    origins: NDArray[np.int64],
    relabellings: NDArray[np.int8],
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Blocks and environments of some rows of the file."""
    shape, states = samples.shape, samples.states
    if states == 2:
        return extract_windows(rows, shape, geometry, configurations, origins, relabellings)
    try:
        return extract_codes(rows, shape, geometry, states, configurations, origins, relabellings)
    except ValueError as error:
        raise DataError(f"{samples.path}: /spins: {error}") from error


def allowed_origins(samples: SamplesFile, geometry: Geometry) -> NDArray[np.int64] | None:
    """The sites at which a block may begin, (n, dimension); None for every site."""
    origins = samples.model.origins(samples.shape, geometry, samples.periodic)
    if origins is not None:
        return origins
    if samples.cell is not None:
        return cell_origins(samples.shape, samples.cell)
    return None if samples.periodic else possible_origins(samples.shape, geometry, False)


def live_block(samples: SamplesFile, block: tuple[int, ...]) -> tuple[bool, ...] | None:
    """Which sites of every block carry data; None if all do.

    Raises
    ------
    UsageError
        If the blocks that tile the lattice differ in their sites with data, or have none.
    """
    mask, cell = samples.mask, samples.cell
    if mask is None or cell is None:
        return None
    live = block_mask(mask, block)
    if live is None:
        raise UsageError(
            f"{samples.path}: blocks of {shape_text(block)} that tile the lattice are not alike in"
            " which of their sites carry data, so that no one rule fits them all: the block must"
            " be a period of the mask (random dilution has none)"
        )
    if any(sites % period for sites, period in zip(block, cell)):
        raise UsageError(
            f"{samples.path}: a block of {shape_text(block)} is not made of whole cells of"
            f" {shape_text(cell)}, the cell of the mask"
        )
    if not any(live):
        raise UsageError(f"{samples.path}: no site of a block of {shape_text(block)} carries data")
    return live
