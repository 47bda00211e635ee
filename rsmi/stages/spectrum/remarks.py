"""What a reader of scaling dimensions must know: sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rsmi.lattice.geometry import shape_text
from rsmi.models.base import Known
from rsmi.renormalization.spectrum.dimensions import SizeData, Spectrum
from rsmi.renormalization.spectrum.quantities import FEWEST_FOR_COVARIANCE
from rsmi.store import File

_SMALL = {1: 8, 2: 4}  # sites a side of the smallest lattice, by the number of corrections
_BLOCKS = 4  # the fewest along a side of the smallest lattice
_FAR = 1e-3  # relative distance from T_c that is remarked


def remarks(
    file: File,
    known: Known,
    spectrum: Spectrum,
    sizes: Sequence[SizeData],
    short: Sequence[str],
) -> list[str]:
    """Return what limits the numbers of a spectrum, the most serious first."""
    return [
        *_distance(file, known),
        *spectrum.remarks,
        *short,
        *_few_groups(spectrum),
        *_no_extrapolation(spectrum),
        *_small_lattices(spectrum, sizes),
        *_large_blocks(file, sizes),
    ]


def _distance(file: File, known: Known) -> list[str]:
    if known.always_critical:
        return []
    coupling = float(file.read("/files/coupling")[0])
    if known.critical_coupling is None:
        return [f"{known.no_critical_point}: scaling dimensions hold only at a critical point"]
    if math.isnan(coupling):
        return [
            "the temperature of the samples is unknown: scaling dimensions hold only at the"
            " critical temperature"
        ]
    ratio = known.critical_coupling.value / coupling
    if abs(ratio - 1) <= _FAR:
        return []
    return [
        f"the samples are at T = {ratio:.6g} T_c: scaling dimensions hold only at the critical"
        " temperature, and here the values drift with the size"
    ]


def _few_groups(spectrum: Spectrum) -> list[str]:
    return [
        f"L = {length}: the errors come from {one.groups} independent groups of samples, and are"
        " uncertain themselves; the exact energy is not used below"
        f" {FEWEST_FOR_COVARIANCE} groups"
        for length, one in zip(spectrum.lengths, spectrum.estimates)
        if one.groups < FEWEST_FOR_COVARIANCE
    ]


def _no_extrapolation(spectrum: Spectrum) -> list[str]:
    if len(spectrum.lengths) > 2:
        return []
    return [
        "two sizes allow no extrapolation: the values are those of the pair, and corrections to"
        " scaling are not in their errors"
    ]


def _small_lattices(spectrum: Spectrum, sizes: Sequence[SizeData]) -> list[str]:
    """Small lattices have corrections that the fits leave out."""
    second = any(fit.second for one in spectrum.dimensions for fit in one.fits)
    count, words = (2, "two exponents do") if second else (1, "one exponent does")
    if sizes[0].length >= _SMALL[count]:
        return []
    return [
        f"L = {sizes[0].length}: {words} not describe the corrections of lattices below"
        f" {_SMALL[count]} sites a side"
    ]


def _large_blocks(file: File, sizes: Sequence[SizeData]) -> list[str]:
    """A function of a block b has corrections of (b/L)^2."""
    side = min(sizes[0].sums.shape)
    blocks = [tuple(one["block"]) for one in file.parameters["functions"] if "block" in one]
    return [
        f"L = {sizes[0].length} has fewer than {_BLOCKS} blocks of {shape_text(block)} a side:"
        " the corrections of functions of such blocks are large"
        for block in dict.fromkeys(blocks)
        if side < _BLOCKS * max(block)
    ]
