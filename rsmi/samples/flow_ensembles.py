"""The ensembles of a flow file: sums in jackknife blocks that are long enough for the errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.models.base import Known
from rsmi.renormalization import couplings, level_sums, thermometer
from rsmi.renormalization.component_operators import neighbour_operators
from rsmi.renormalization.parities import ParitySector, parity_sectors
from rsmi.samples.views import FlowFile
from rsmi.statistics.binning import merged_blocks

SUMS = tuple(level_sums.empty_sums(0, 0))  # the names of the sums over blocks
# The length of a block in autocorrelation times: errors are then at most 3 % too small.
LONG_BLOCK = 16
FEWEST_BLOCKS = 8  # of a file: with fewer blocks the error itself is not known to 25 %

Blocks = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FlowEnsemble:
    """The sums of all files at one temperature, in jackknife blocks.

    Attributes
    ----------
    coupling : float or None
        K of the original system; None if it is unknown.
    shapes : list of tuple of int
        The shapes of the lattice at levels 0, 1, ...
    rg_step : int
        The number of coarse-graining steps before the flow.
    has_energy : bool
        Whether the original energies are known.
    sums : dict of ndarray
        The arrays of `rsmi.renormalization.level_sums.empty_sums`, one row for every block.
    short : tuple of str
        A sentence for every file whose blocks are too short although they were merged.
    files : tuple of int
        The numbers of the input files.
    known : Known
        What is known exactly of the model of the flow.
    components : int
        The number of components per site.
    states : int
        The number of states of a variable.
    component_flips : bool
        Whether the flip of each component alone is a symmetry.
    """

    coupling: float | None
    shapes: list[tuple[int, ...]]
    rg_step: int
    has_energy: bool
    sums: Blocks
    short: tuple[str, ...] = ()
    files: tuple[int, ...] = ()
    known: Known = field(default_factory=Known)
    components: int = 1
    states: int = 2
    component_flips: bool = False

    @property
    def parities(self) -> tuple[ParitySector, ...]:
        """The sectors of operators of one parity in every component; none without the symmetry."""
        return parity_sectors(self.dimension, self.components) if self.component_flips else ()

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""
        return len(self.shapes[0])

    @property
    def temperature(self) -> float | None:
        """T in J/k_B; None if it is unknown."""
        return None if self.coupling is None else 1 / self.coupling

    def effective(self) -> thermometer.EffectiveCouplings:
        """The effective couplings and their slopes at every level."""
        return thermometer.effective_couplings(self.neighbours, self.shapes, self.known.thermometer)

    @property
    def neighbours(self) -> Blocks:
        """The sums, of which the first even operator is the sum over nearest neighbours of equal
        components."""
        if self.components == 1:
            return self.sums
        chosen = neighbour_operators(self.dimension, self.components)
        return self.sums | {
            name: self.sums[name][..., chosen].sum(axis=-1, keepdims=True)
            for name in ("even_sums", "even_energy")
        }


def ensembles_of(flow: FlowFile) -> list[FlowEnsemble]:
    """The ensembles of a flow file, hottest first, those of unknown temperature last.

    Files of one lattice and one temperature are one ensemble. Temperatures are equal if their
    couplings agree to ten digits, because 1/T and K may be rounded differently.
    """
    blocks, known = blocks_of_files(flow), flow.known
    return [
        _ensemble(flow, numbers, [blocks[number] for number in numbers], known)
        for numbers in _files_of_ensembles(flow)
    ]


def _files_of_ensembles(flow: FlowFile) -> list[list[int]]:
    """The numbers of the files of every ensemble."""
    groups: dict[tuple, list[int]] = {}
    shapes, original_shapes = flow.records("shape"), flow.records("original_shape")
    rg_steps = flow.records("rg_step")
    for number, coupling in enumerate(flow.records("coupling")):
        unknown = math.isnan(coupling)
        key = (
            math.inf if unknown else float(f"{coupling:.10g}"),
            (*map(int, original_shapes[number]), *map(int, shapes[number])),
            int(rg_steps[number]),
            number if unknown else -1,
        )
        groups.setdefault(key, []).append(number)
    return [numbers for _, numbers in sorted(groups.items())]


def _ensemble(
    flow: FlowFile, numbers: list[int], blocks: list[tuple[Blocks, str | None]], known: Known
) -> FlowEnsemble:
    first = numbers[0]
    coupling = float(flow.records("coupling")[first])
    return FlowEnsemble(
        coupling=None if math.isnan(coupling) else coupling,
        shapes=_level_shapes(flow, first),
        rg_step=int(flow.records("rg_step")[first]),
        has_energy=bool(flow.records("has_energy")[numbers].all()),
        sums={name: np.concatenate([sums[name] for sums, _ in blocks]) for name in SUMS},
        short=tuple(sentence for _, sentence in blocks if sentence),
        files=tuple(numbers),
        known=known,
        components=flow.components,
        states=flow.states,
        component_flips=flow.component_flips,
    )


def _level_shapes(flow: FlowFile, number: int) -> list[tuple[int, ...]]:
    """The shapes of the lattice of one file at levels 0, ..., steps."""
    shapes = [tuple(int(size) for size in flow.records("shape")[number])]
    for _ in range(flow.steps):
        shapes.append(tuple(size // sites for size, sites in zip(shapes[-1], flow.block)))
    return shapes


# ---- blocks --------------------------------------------------------------------------------------


def blocks_of_files(flow: FlowFile) -> list[tuple[Blocks, str | None]]:
    """The sums of every input file in jackknife blocks.

    A block holds whole chains, or at least `LONG_BLOCK` autocorrelation times where the number of
    samples allows it. Files before format 1.1 do not store the autocorrelation time; their blocks
    are those that are stored.

    Returns
    -------
    list of tuple
        For every file its sums, and a sentence if the blocks are too short, else None.
    """
    return _in_long_blocks(flow, flow.blocks("file"), {name: flow.blocks(name) for name in SUMS})


def _in_long_blocks(
    flow: FlowFile, owner: NDArray[np.int64], sums: Blocks
) -> list[tuple[Blocks, str | None]]:
    of_files = [
        {name: array[owner == number] for name, array in sums.items()}
        for number in range(flow.count)
    ]
    return [
        (blocks, None) if _are_final(flow, number) else _long_blocks(flow, number, blocks)
        for number, blocks in enumerate(of_files)
    ]


def _are_final(flow: FlowFile, number: int) -> bool:
    """Whether the stored blocks of a file are whole chains, or nothing is known of their length."""
    if not flow.has_records("tau_int"):
        return True
    return flow.has_records("whole_chains") and bool(flow.records("whole_chains")[number])


def _long_blocks(flow: FlowFile, number: int, sums: Blocks) -> tuple[Blocks, str | None]:
    chains, tau, error = (
        float(flow.records(name)[number]) for name in ("chains", "tau_int", "tau_int_error")
    )
    if not tau - error > 0.5:  # the samples are independent within the error, or constant
        return sums, None
    count, needed = len(sums["counts"]), LONG_BLOCK * tau * chains
    labels = merged_blocks(count, sums["counts"].min(), needed, FEWEST_BLOCKS)
    merged = sums
    if labels[-1] + 1 < count:
        # Sums over a merged block may exceed 64 bits.
        merged = {name: _merge(array, labels, np.float64) for name, array in sums.items()}
    shortest = merged["counts"].min()
    if not (shortest < needed and tau - error > 1):
        return merged, None
    return merged, (
        f"tau_int = {tau:.1f} stored intervals, and a block of the jackknife has"
        f" {shortest / chains:.1f}: the errors are too small; sample more, or with a longer"
        " --interval"
    )


def _merge(
    array: NDArray[Any], labels: NDArray[np.int64], dtype: type | None = None
) -> NDArray[Any]:
    """Sums over the successive rows that have the labels 0, 1, ..."""
    starts = np.searchsorted(labels, np.arange(labels[-1] + 1))
    return np.add.reduceat(array, starts, axis=0, dtype=dtype)


# ---- couplings of all kinds ----------------------------------------------------------------------


def interactions(
    flow: FlowFile, ensembles: Sequence[FlowEnsemble]
) -> list[list[dict[str, Any]] | None]:
    """The couplings of every ensemble (`rsmi.renormalization.couplings.interaction_rows`).

    They are None for files before format 1.1, which have no histograms.
    """
    if not flow.has_neighbourhoods:
        return [None] * len(ensembles)
    owner, energies = flow.neighbourhoods("file"), flow.neighbourhoods("energies")
    arrays = {
        "counts": _samples_spanned(flow, owner),
        "histograms": flow.neighbourhoods("counts"),
    }
    of_files = _in_long_blocks(flow, owner, arrays)
    histograms = [
        np.concatenate([of_files[number][0]["histograms"] for number in ensemble.files])
        for ensemble in ensembles
    ]
    return [
        couplings.interaction_rows(counts, energies, ensemble.shapes)
        for counts, ensemble in zip(histograms, ensembles)
    ]


def _samples_spanned(flow: FlowFile, owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """The number of samples from the first to the last one of each group.

    The histograms may be those of only some steps of the chains.
    """
    counted = flow.neighbourhoods("samples")
    samples_of_files = np.bincount(flow.blocks("file"), flow.blocks("counts"))
    return counted * (samples_of_files / np.bincount(owner, counted))[owner]
