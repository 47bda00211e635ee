"""Which configurations are learned from and which are held out: the same for every stage."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.geometry import split_configurations
from rsmi.samples.views import SamplesFile


@dataclass(frozen=True)
class Split:
    """The numbers of the configurations for training and of those that are held out."""

    training: NDArray[np.int64]
    held_out: NDArray[np.int64]

    @property
    def learned(self) -> float:
        """The fraction of the configurations that is learned from."""
        return len(self.training) / (len(self.training) + len(self.held_out))


def split_of(samples: SamplesFile) -> Split:
    """The split of a samples file.

    Raises
    ------
    UsageError
        If there are too few configurations; see `rsmi.lattice.geometry.split_configurations`.
    """
    return Split(*split_configurations(samples.count, samples.chains))


def configurations_needed(samples: SamplesFile, training: int) -> int:
    """The smallest number of configurations, at least those of the file, of which so many are for
    training."""
    return next(
        count
        for count in itertools.count(max(samples.count, training))
        if len(split_configurations(count, samples.chains)[0]) >= training
    )
