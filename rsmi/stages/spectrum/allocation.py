"""How many configurations of each size are sampled in flight, and how often.

The error of a scaling dimension comes from all sizes. Small lattices cost little and carry the
largest correction, so that more configurations of them pay. In two dimensions the factors for 8,
12, 16, 24 and 32 sites a side are 3.1, 1.9, 1.3, 1 and 1. In three dimensions corrections fall so
slowly that two of them are fitted, and the time of a configuration grows like L^4.3: the errors of
six sizes from 4 to 24 are smallest for a given time if the factors are (L_max/L)^2.
"""

from __future__ import annotations

from collections.abc import Sequence

_MOST_TAUS = 2.0  # autocorrelation times between samples; more gain nothing
# The size at which one autocorrelation time is best: up to there measuring costs as much as
# sampling. The sweeps of tau grow like L^2.2, so that larger lattices are measured more often. On a
# cubic lattice the responses forget faster than the magnetization, and lattice sums cost three
# sweeps; low modes cost more.
_ONE_TAU = {1: 24.0, 2: 24.0, 3: 6.0}
_ONE_TAU_OF_MODES = {1: 24.0, 2: 24.0, 3: 14.0}


def formula(dimension: int) -> str:
    """Return the formula of `samples_of` as text."""
    return "N (L_max/L)^2" if dimension > 2 else "N max(1, 0.9 L_max/L - 0.5)"


def samples_of(size: int, sizes: Sequence[int], samples: int, dimension: int) -> int:
    """Return the number of configurations of one size, if ``samples`` are of the largest one."""
    ratio = max(sizes) / size
    return round(samples * (ratio**2 if dimension > 2 else max(1.0, 0.9 * ratio - 0.5)))


def taus_of(size: int, dimension: int, modes: bool) -> float:
    """Return the automatic interval between measured configurations, in autocorrelation times."""
    one_tau = _ONE_TAU_OF_MODES if modes else _ONE_TAU
    return min(_MOST_TAUS, one_tau[dimension] / size)
