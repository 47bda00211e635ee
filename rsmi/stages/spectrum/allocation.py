"""How many configurations of each size are sampled in flight, and how often.

The error of a scaling dimension comes from all sizes. Small lattices cost little and carry the
largest correction, so that more configurations of them pay. For 8, 12, 16, 24 and 32 sites a side
the factors are 3.1, 1.9, 1.3, 1 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence

FORMULA = "N max(1, 0.9 L_max/L - 0.5)"
_MOST_TAUS = 2.0  # autocorrelation times between samples; more gain nothing
# The size at which one autocorrelation time is best: up to there measuring costs as much as
# sampling. The sweeps of tau grow like L^2.2, so that larger lattices are measured more often.
_ONE_TAU = {1: 24.0, 2: 24.0, 3: 14.0}


def samples_of(size: int, sizes: Sequence[int], samples: int) -> int:
    """Return the number of configurations of one size, if ``samples`` are of the largest one."""
    return round(samples * max(1.0, 0.9 * max(sizes) / size - 0.5))


def taus_of(size: int, dimension: int) -> float:
    """Return the automatic interval between measured configurations, in autocorrelation times."""
    return min(_MOST_TAUS, _ONE_TAU[dimension] / size)
