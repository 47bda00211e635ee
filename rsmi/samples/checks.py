"""What a command may require of a samples file, and of the windows that it draws from one."""

from __future__ import annotations

import math

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.samples.split import configurations_needed
from rsmi.samples.views import SamplesFile
from rsmi.samples.windows import WindowSet

_FEW_INDEPENDENT = 50  # held-out configurations: with fewer, errors are uncertain by 15 %


def require_single_component(samples: SamplesFile) -> None:
    """Raise UsageError for samples with several components per site."""
    if samples.components != 1:
        raise UsageError(
            f"{samples.path}: has {samples.components} components per site; this command needs one"
        )


def require_binary(samples: SamplesFile, command: str) -> None:
    """Raise UsageError for samples whose variables have more than two states; ``command`` is what
    does not understand them."""
    if samples.states > 2:
        raise UsageError(
            f"{samples.path}: its variables have {samples.states} states; {command} is for"
            " variables with two states"
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
    samples, split = windows.samples, windows.split
    sentences = windows.model.cautions(
        windows.geometry, samples.shape, windows.count, samples.count, split.learned
    )
    if split.independent < min(_FEW_INDEPENDENT, 0.9 * len(split.held_out)):
        sentences.append(
            f"the {len(split.held_out)} held-out configurations are worth {split.independent:.0f}"
            " independent ones: errors of held-out averages are uncertain, and may be too small:"
            " sample more, or with a longer interval"
        )
    return sentences
