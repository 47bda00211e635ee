"""What a command may require of a samples file, and of the windows that it draws from one."""

from __future__ import annotations

import math

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.samples.split import configurations_needed, split_of
from rsmi.samples.views import SamplesFile
from rsmi.samples.windows import WindowSet

_FEWEST_WINDOWS = 1000


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


def require_periodic(samples: SamplesFile, why: str) -> None:
    """Raise UsageError for a lattice with open boundaries; ``why`` is the part of the sentence
    before "a periodic one"."""
    if not samples.periodic:
        raise UsageError(
            f"{samples.path}: a lattice with open boundaries, but {why} a periodic one"
        )


# ---- windows -------------------------------------------------------------------------------------


def check_windows(windows: WindowSet) -> None:
    """Check that windows can be drawn and learned from.

    Raises
    ------
    UsageError
        If the geometry does not fit the lattice, or if there are too few samples or windows.
    DataError
        If a sample is no configuration of its model.
    """
    samples, geometry = windows.samples, windows.geometry
    geometry.check(samples.shape)
    if not geometry.n_environment:
        raise UsageError(
            f"{samples.path}: no site of the environment carries data: widen it by --environment"
        )
    windows.model.check_geometry(geometry)
    split_of(samples)
    if windows.count < _FEWEST_WINDOWS:
        raise UsageError(
            f"--windows {windows.count}: at least {_FEWEST_WINDOWS} are needed to learn from and to"
            " hold out"
        )
    windows.model.check_configurations(samples.file)


def require_windows(windows: WindowSet, needed: int, learner: str) -> None:
    """Raise UsageError unless there are so many training windows, and as many disjoint blocks.

    Parameters
    ----------
    windows : WindowSet
    needed : int
        The number of training windows.
    learner : str
        What needs them, for the message.
    """
    samples, learned = windows.samples, windows.split.learned
    if windows.count * learned < needed:
        raise UsageError(
            f"--windows {windows.count}: {learner} needs at least {math.ceil(needed / learned)}, of"
            f" which {needed} to learn from"
        )
    least = -(-needed * windows.geometry.sites // math.prod(samples.shape))
    if len(windows.split.training) < least:
        raise UsageError(
            f"{samples.path}: {samples.count} configurations are too few: {learner} needs {needed}"
            f" blocks that do not overlap: {configurations_needed(samples, least)} configurations"
            f" of {shape_text(samples.shape)}"
        )


def cautions(windows: WindowSet) -> list[str]:
    """Sentences that a reader should know before windows are learned from."""
    samples = windows.samples
    return windows.model.cautions(
        windows.geometry, samples.shape, windows.count, samples.count, windows.split.learned
    )
