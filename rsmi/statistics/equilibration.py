"""Drift of Markov chains: whether they have forgotten their start, and when."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.statistics.autocorrelation import as_chains, integrated_autocorrelation_time
from rsmi.statistics.evidence import gaussian_equivalent

STARTS = 32  # candidates for the equilibration time, evenly spread over the first three quarters
_BINS = 2048  # steps at most that the candidates are compared on
_NUMBERS = 1 << 16  # of all chains at most: of more chains, evenly spread ones are compared
_CHAINS_FOR_SPREAD = 16  # with as many chains their spread gives the error
_PARTS = 10  # of a chain, within which autocorrelation is no drift
_LONG_PART = 10  # autocorrelation times that such a part has at least


class Drift(NamedTuple):
    """Difference between the beginning and the end of the chains.

    ``difference`` and ``error`` have the units of the series. ``deviation`` is their ratio,
    expressed as that of a Gaussian variable; it is 0 where the error is unknown.
    """

    difference: float
    error: float
    deviation: float


def drift(series: ArrayLike) -> Drift:
    """Compare the second half of all chains with the first half, and with the first tenth.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)
        At least ten steps.

    Returns
    -------
    Drift
        The comparison with the larger deviation.

    Notes
    -----
    The error comes from the spread of the chains if there are at least 16 of them. Otherwise it
    comes from the autocorrelation within tenths of the chains, about the mean of each: the
    autocorrelation of whole chains would count the drift itself as correlation and hide it. Where a
    tenth is not long against its autocorrelation time, nothing is said.
    """
    chains = as_chains(series)
    steps = chains.shape[1]
    second = chains[:, steps - steps // 2 :]
    found = []
    for length in (steps // 2, max(steps // 10, 1)):
        first = chains[:, :length]
        difference = float(second.mean() - first.mean())
        error, freedom = _error(chains, first, second)
        known = error > 0 and freedom > 0
        deviation = gaussian_equivalent(difference / error, freedom) if known else 0.0
        found.append(Drift(difference, error, deviation))
    return max(found, key=lambda one: abs(one.deviation))


def _error(
    chains: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, float]:
    """The error of the difference of two parts, and its degrees of freedom; 0 if unknown."""
    if len(chains) >= _CHAINS_FOR_SPREAD:
        of_chains = second.mean(axis=1) - first.mean(axis=1)
        return float(of_chains.std(ddof=1) / np.sqrt(len(chains))), len(chains) - 1.0
    length = chains.shape[1] // _PARTS
    tenths = chains[:, : length * _PARTS].reshape(-1, length)
    centred = tenths - tenths.mean(axis=1, keepdims=True)
    tau = max(integrated_autocorrelation_time(centred)[0], 0.5)
    if length < _LONG_PART * tau:
        return 0.0, 0.0
    variance = 2 * tau * float(centred.var()) * (1 / first.size + 1 / second.size)
    return float(np.sqrt(variance)), first.size / (2 * tau) - 1


def equilibration_steps(series: ArrayLike) -> int:
    """Return how many steps to discard so that most effective samples are left.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)

    Returns
    -------
    int
        The start t among 32 candidates at which (steps - t) / (2 tau(t)) is largest, where tau(t)
        is measured on the rest of the chains.

    Notes
    -----
    The rule is that of J. D. Chodera, J. Chem. Theory Comput. 12, 1799 (2016). Long chains are
    averaged over bins first, which changes no autocorrelation time that matters here. Of very many
    chains some are enough to measure it.
    """
    chains = as_chains(series)
    width = -(-chains.shape[1] // _BINS)
    steps = chains.shape[1] // width
    chains = chains[:: -(-len(chains) * steps // _NUMBERS)]
    bins = chains[:, : steps * width].reshape(len(chains), steps, width).mean(axis=2)
    candidates = np.unique(np.linspace(0, 0.75 * steps, STARTS).astype(np.int64))
    best, most = 0, 0.0
    for start in candidates:
        if steps - start <= most:  # independent steps would not be more, and later starts have less
            break
        effective = _effective_steps(bins[:, start:])
        if effective > most:
            best, most = int(start), effective
    return best * width


def _effective_steps(chains: NDArray[np.float64]) -> float:
    tau, _ = integrated_autocorrelation_time(chains)
    return chains.shape[1] / (2 * max(tau, 0.5))
