"""Which configurations are learned from, which are held out, and which of these are independent:
the same for every stage."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.geometry import split_configurations
from rsmi.samples.examination import Examination
from rsmi.samples.examination.stored import of_file
from rsmi.samples.views import SamplesFile

_STRETCHES = 50  # of each chain that drifts, of which every fifth is held out
_RUNS = 40  # groups that errors of held-out averages are taken from, at most
_FEWEST_GROUPS = 8  # with fewer the error itself is not known to 25 %
_PIECE = 8  # autocorrelation times of a piece of a chain: errors come out 6 % too small
_INDEPENDENT = 1.0  # autocorrelation time up to which successive configurations need no groups


@dataclass(frozen=True)
class Split:
    """The numbers of the configurations for training and of those that are held out.

    Attributes
    ----------
    training, held_out : ndarray of int64
        Ascending.
    groups : ndarray of int64, (n,)
        Labels of all configurations. Those with different labels count as independent.
    independent : float
        How many independent configurations the held-out ones are worth, at most.
    """

    training: NDArray[np.int64]
    held_out: NDArray[np.int64]
    groups: NDArray[np.int64]
    independent: float

    @property
    def learned(self) -> float:
        """The fraction of the configurations that is learned from."""
        return len(self.training) / (len(self.training) + len(self.held_out))


def split_of(samples: SamplesFile) -> Split:
    """The split of a samples file.

    Whole chains are held out if there are at least five of them, otherwise the last fifth of every
    chain. If few chains drift, for instance because configurations are sorted, stretches all along
    the chains are held out, so that they represent the whole.

    Raises
    ------
    UsageError
        If there are too few configurations; see `rsmi.lattice.geometry.split_configurations`.
    """
    training, held_out = split_configurations(samples.count, samples.chains)
    examination, chains = of_file(samples.file), min(samples.chains, samples.count)
    if examination.has("drift") and chains < 5 and samples.count >= 5 * _STRETCHES * chains:
        return _split_in_stretches(samples.count, chains, examination)
    groups = _groups(held_out, samples.count, chains, examination)
    return Split(training, held_out, groups, _independent(held_out, examination))


def _independent(held_out: NDArray[np.int64], examination: Examination) -> float:
    return len(held_out) / max(1.0, 2 * examination.tau)


def _split_in_stretches(count: int, chains: int, examination: Examination) -> Split:
    """Hold out every fifth stretch of each chain, from the middle one of five on.

    A group has a piece of every stretch, because the stretches differ by the drift.
    """
    numbers = np.arange(count)
    steps = -(-count // chains)
    position = numbers // chains * _STRETCHES
    held_out = position // steps % 5 == 2
    groups = position % steps * _RUNS // steps
    training, held = numbers[~held_out], numbers[held_out]
    return Split(training, held, groups, _independent(held, examination))


def _groups(
    held_out: NDArray[np.int64], count: int, chains: int, examination: Examination
) -> NDArray[np.int64]:
    """Every configuration by itself if they are independent, else pieces of the held-out chains
    that are long against the autocorrelation time."""
    numbers = np.arange(count)
    if examination.tau_known and examination.tau <= _INDEPENDENT:
        return numbers
    held_chains = np.unique(held_out % chains)
    steps = held_out // chains
    length = int(steps.max() - steps.min()) + 1
    pieces = _pieces(len(held_chains), length, examination)
    chain = np.searchsorted(held_chains, np.minimum(numbers % chains, held_chains[-1]))
    piece = np.maximum(numbers // chains - int(steps.min()), 0) * pieces // length
    return chain * pieces + np.minimum(piece, pieces - 1)


def _pieces(chains: int, steps: int, examination: Examination) -> int:
    """The number of pieces of a held-out chain of so many steps."""
    fewest = math.ceil(_FEWEST_GROUPS / chains)
    if not examination.tau_known:
        return 1 if chains > 1 else min(fewest, steps)
    return min(max(int(steps / (_PIECE * examination.tau)), fewest), steps)


def configurations_needed(samples: SamplesFile, training: int) -> int:
    """The smallest number of configurations, at least those of the file, of which so many are for
    training."""
    return next(
        count
        for count in itertools.count(max(samples.count, training))
        if len(split_configurations(count, samples.chains)[0]) >= training
    )
