"""The groups of a spectrum file: joined by size, and long enough for the errors."""

from __future__ import annotations

import numpy as np

from rsmi.lattice.geometry import shape_text
from rsmi.renormalization.spectrum.group_sums import GroupSums, concatenate
from rsmi.samples.flow_ensembles import FEWEST_BLOCKS, LONG_BLOCK
from rsmi.stages.spectrum.sums import merged
from rsmi.statistics.binning import merged_blocks
from rsmi.store import File

SizeSums = dict[tuple[int, ...], GroupSums]


def size_sums(file: File, sums: list[GroupSums]) -> tuple[SizeSums, list[str]]:
    """Join the sums of all files of one size.

    Successive groups of one chain are merged until they are `LONG_BLOCK` autocorrelation times
    long.

    Returns
    -------
    dict
        The sums of every lattice, smallest first.
    list of str
        A sentence for every file whose groups are too short although they were merged.
    """
    by_shape: dict[tuple[int, ...], list[GroupSums]] = {}
    short = []
    for number, one in enumerate(sums):
        long, sentence = _long_groups(file, number, one)
        by_shape.setdefault(one.shape, []).append(long)
        short += [sentence] if sentence else []
    ordered = sorted(by_shape.items(), key=lambda item: np.prod(item[0]))
    return {shape: concatenate(parts) for shape, parts in ordered}, short


def _long_groups(file: File, number: int, sums: GroupSums) -> tuple[GroupSums, str]:
    whole, tau, error = (
        float(file.read(f"/files/{name}")[number])
        for name in ("whole_chains", "tau_int", "tau_int_error")
    )
    if whole or not tau - error > 0.5:  # independent within the error, or constant
        return sums, ""
    count, needed = sums.arrays["count"], LONG_BLOCK * tau
    labels = merged_blocks(len(count), float(count.min()), needed, FEWEST_BLOCKS)
    long = merged(sums, labels)
    shortest = float(long.arrays["count"].min())
    if shortest >= needed or not tau - error > 1:
        return long, ""
    return long, (
        f"{shape_text(sums.shape)}: tau_int = {tau:.1f} stored intervals, and a block of the"
        f" jackknife has {shortest:.1f}: the errors are too small; sample more, or with a longer"
        " --interval"
    )
