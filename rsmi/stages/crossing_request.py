"""The request of ``rsmi crossing``: the samples files, checked against one another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.samples.checks import require_single_component
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.crossing import FEWEST_BLOCKS, Crossing, known_couplings
from rsmi.stages.flow.source import refuse_equal_streams
from rsmi.statistics.reweighting import Reweighting, histogram


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
    try:
        Reweighting(histogram(couplings, energies, [np.zeros((len(e), 0)) for e in energies]))
    except UsageError as error:
        raise UsageError(f"{shape_text(shape)}: {error}") from error
