"""The request of ``rsmi crossing``: the samples files, checked against one another."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.samples.checks import require_single_component
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.crossing import FEWEST_BLOCKS, Crossing, known_couplings
from rsmi.stages.flow.source import refuse_equal_streams
from rsmi.statistics.binning import binned_error
from rsmi.statistics.reweighting import Reweighting, histogram
from rsmi.statistics.summary import separate_chains

_ERRORS = 5  # by which the energy may rise with K


@contextlib.contextmanager
def prepare(paths: list[Path]) -> Iterator[Crossing]:
    """Open the inputs and check that they fit one another.

    Raises
    ------
    UsageError
        If there is only one size, or only one temperature of a size; if a coupling or the energies
        are unknown; if all energies are equal; or if the energies of neighbouring temperatures do
        not overlap.
    """
    with contextlib.ExitStack() as stack:
        sources = tuple(stack.enter_context(open_samples(path)) for path in paths)
        for source in sources:
            _check_source(source, sources[0])
        refuse_equal_streams(sources)
        work = Crossing(sources)
        _check_sizes(work)
        for shape, numbers in work.by_size().items():
            _check_temperatures(shape, [sources[number] for number in numbers])
        yield work


def _check_source(source: SamplesFile, first: SamplesFile) -> None:
    require_single_component(source)
    if source.coupling is None:
        raise UsageError(
            f"{source.path}: the temperature of the samples is unknown; reweighting needs it"
        )
    if not source.has_energy:
        raise UsageError(
            f"{source.path}: holds no energies; reweighting needs that of every sample"
        )
    if source.count < FEWEST_BLOCKS:
        raise UsageError(
            f"{source.path}: {source.count} samples are too few: at least {FEWEST_BLOCKS} are"
            " needed for an error"
        )
    for name, ours, theirs in (
        ("model", source.model_name, first.model_name),
        ("rg_step", source.rg_step, first.rg_step),
        ("states", source.states, first.states),
    ):
        if ours != theirs:
            raise UsageError(
                f"{source.path}: {name} {ours}, {first.path} has {theirs}: sizes of one system are"
                " compared"
            )


def _check_sizes(work: Crossing) -> None:
    shapes = list(work.by_size())
    if len(shapes) < 2:
        raise UsageError(
            f"all samples are of {shape_text(shapes[0])}: a crossing takes two lattice sizes at"
            " least"
        )
    smallest = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(smallest) or any(
            side * smallest[0] != shape[0] * other for side, other in zip(shape, smallest)
        ):
            raise UsageError(
                f"{shape_text(smallest)} and {shape_text(shape)} are not of one form: their curves"
                " do not cross at T_c"
            )


def _check_temperatures(shape: tuple[int, ...], sources: list[SamplesFile]) -> None:
    couplings = known_couplings(sources)
    if len({f"{coupling:.10g}" for coupling in couplings}) < 2:
        raise UsageError(
            f"{shape_text(shape)}: has one temperature only; a crossing needs two or more of every"
            " size, on either side of T_c"
        )
    energies = [source.energies() for source in sources]
    if len(np.unique(np.concatenate(energies))) < 2:
        raise UsageError(
            f"{shape_text(shape)}: all samples have one energy; there is nothing to reweight in"
            " constant samples"
        )
    _refuse_rising_energies(shape, sources)
    try:
        Reweighting(histogram(couplings, energies, [np.zeros((len(e), 0)) for e in energies]))
    except UsageError as error:
        raise UsageError(f"{shape_text(shape)}: {error}") from error


def _refuse_rising_energies(shape: tuple[int, ...], sources: list[SamplesFile]) -> None:
    """Raise DataError if the energy rises with K, which is impossible: -d<E>/dK is a variance."""
    ordered = sorted(sources, key=lambda source: source.coupling or 0.0)
    for one, other in itertools.pairwise(ordered):
        (mean, error), (next_mean, next_error) = _energy(one), _energy(other)
        if one.coupling == other.coupling:
            continue
        if next_mean - mean > _ERRORS * math.hypot(error, next_error):
            raise DataError(
                f"{shape_text(shape)}: the energy rises with K, which is impossible: it is"
                f" {mean:.6g} J at K = {one.coupling:.6g} ({one.path}), but {next_mean:.6g} J at"
                f" K = {other.coupling:.6g} ({other.path}): check the temperatures of the files"
            )


def _energy(source: SamplesFile) -> tuple[float, float]:
    return binned_error(separate_chains(source.energies(), source.chains))
