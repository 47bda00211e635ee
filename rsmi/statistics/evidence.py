"""How strongly correlated data speak against an expected value."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.statistics.autocorrelation import as_chains, integrated_autocorrelation_time

STEPS_PER_TAU = 20  # a chain must be as many autocorrelation times long for its time to be known
SAMPLES_PER_TAU = 100  # and all chains together as many
MANY_CHAINS = 32  # the spread of the means of so many chains gives the time by itself
_PIECES, _PIECE = 16, 2048  # steps of long chains, on which a short time is measured
_SAMPLES_OF_SHORT_CHAIN = 2  # effective samples of a chain whose time is unknown, at most


class Correlation(NamedTuple):
    """An integrated autocorrelation time in steps, and whether it is known.

    Where it is not known, ``tau`` is a lower bound: the chains are too short to show more.
    """

    tau: float
    known: bool

    def effective(self, chains: int, steps: int) -> float:
        """The number of independent samples that all steps of all chains are worth, at most."""
        count = chains * steps / max(1.0, 2 * self.tau)
        return count if self.known else min(count, float(_SAMPLES_OF_SHORT_CHAIN * chains))


def correlation(series: ArrayLike) -> Correlation:
    """Measure an autocorrelation time, and never take a short chain for an independent one.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)

    Returns
    -------
    Correlation
        The time of a constant series is never known.

    Notes
    -----
    With at least 32 chains, the variance of their means is 2 tau / steps times the variance of
    single values, however short they are. The time of fewer chains is known if each is at least 20
    times as long, and all together at least 100 times.
    """
    chains = as_chains(series)
    count, steps = chains.shape
    within, error = _within(chains)
    if math.isnan(error):  # a constant
        return Correlation(steps / 2, False)
    if count >= MANY_CHAINS:
        between = steps * chains.mean(axis=1).var(ddof=1) / (2 * chains.var())
        return Correlation(max(within if steps >= 4 else 0.5, float(between)), True)
    known = steps >= STEPS_PER_TAU * within and count * steps >= SAMPLES_PER_TAU * within
    return Correlation(within, known)


def _within(chains: NDArray[np.float64]) -> tuple[float, float]:
    """The autocorrelation time within the chains; on pieces of a few long chains, if it is short
    against these."""
    steps = chains.shape[1]
    if len(chains) < MANY_CHAINS and steps >= 4 * _PIECES * _PIECE:
        starts = np.arange(_PIECES) * steps // _PIECES
        pieces = np.concatenate([chains[:, start : start + _PIECE] for start in starts])
        tau, error = integrated_autocorrelation_time(pieces)
        if tau < _PIECE / SAMPLES_PER_TAU:
            return tau, error
    return integrated_autocorrelation_time(chains)


def deviation(series: ArrayLike, expected: float) -> float:
    """Return how far the mean of a series is from its expected value, in standard errors.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)
    expected : float

    Returns
    -------
    float
        Expressed as the deviation of a Gaussian variable, so that few effective samples never
        speak strongly; 0 for a constant series, which has no error.
    """
    chains = as_chains(series)
    effective = correlation(chains).effective(*chains.shape)
    spread = float(chains.std())
    if not spread > 0 or effective <= 1:
        return 0.0
    error = spread / math.sqrt(effective - 1)  # the spread is about the mean of the data
    return gaussian_equivalent((float(chains.mean()) - expected) / error, effective - 1)


def gaussian_equivalent(t: float, freedom: float) -> float:
    """Return the deviation of a Gaussian variable that is as improbable as one of Student's t.

    Parameters
    ----------
    t : float
    freedom : float
        Degrees of freedom, not necessarily a whole number.

    Notes
    -----
    D. L. Wallace, Ann. Math. Stat. 30, 1124 (1959).
    """
    size = math.sqrt(freedom * math.log1p(t * t / freedom))
    return math.copysign(size * (8 * freedom + 1) / (8 * freedom + 3), t)
