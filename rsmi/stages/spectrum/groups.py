"""The groups of a file of sums: joined by size, and long enough for the errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.geometry import shape_text
from rsmi.renormalization.spectrum.correlations import CorrelationSums
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.samples.flow_ensembles import FEWEST_BLOCKS, LONG_BLOCK
from rsmi.statistics.binning import merged_blocks
from rsmi.store import File

Sums = TypeVar("Sums", GroupSums, CorrelationSums)


def sums_by_size(
    file: File,
    sums: Sequence[Sums],
    merge: Callable[[Sums, NDArray[np.int64]], Sums],
    join: Callable[[Sequence[Sums]], Sums],
) -> tuple[dict[tuple[int, ...], Sums], list[str]]:
    """Join the sums of all files of one size.

    Successive groups of one chain are merged until they are `LONG_BLOCK` autocorrelation times
    long.

    Parameters
    ----------
    file : File
    sums : sequence
        The sums of every file or lattice.
    merge : callable
        Returns the sums over successive groups that have the labels 0, 1, ...
    join : callable
        Returns the sums of the groups of several files.

    Returns
    -------
    dict
        The sums of every lattice, smallest first.
    list of str
        A sentence for every file whose groups are too short although they were merged.
    """
    by_shape: dict[tuple[int, ...], list[Sums]] = {}
    short = []
    for number, one in enumerate(sums):
        labels, sentence = _long_groups(file, number, one.arrays["count"], one.shape)
        by_shape.setdefault(one.shape, []).append(merge(one, labels))
        short += [sentence] if sentence else []
    ordered = sorted(by_shape.items(), key=lambda item: np.prod(item[0]))
    return {shape: join(parts) for shape, parts in ordered}, short


def _long_groups(
    file: File, number: int, count: NDArray[np.float64], shape: Sequence[int]
) -> tuple[NDArray[np.int64], str]:
    """Labels of groups that are to be merged, and a sentence if the result is too short."""
    whole, tau, error = (
        float(file.read(f"/files/{name}")[number])
        for name in ("whole_chains", "tau_int", "tau_int_error")
    )
    if whole or not tau - error > 0.5:  # independent within the error, or constant
        return np.arange(len(count)), ""
    needed = LONG_BLOCK * tau
    labels = merged_blocks(len(count), float(count.min()), needed, FEWEST_BLOCKS)
    shortest = float(np.bincount(labels, count).min())
    if shortest >= needed or not tau - error > 1:
        return labels, ""
    return labels, (
        f"{shape_text(shape)}: tau_int = {tau:.1f} stored intervals, and a block of the jackknife"
        f" has {shortest:.1f}: the errors are too small; sample more, or with a longer --interval"
    )
