"""Autocorrelation functions and integrated autocorrelation times of Markov chains."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Window in units of tau; the truncation bias of an exponential decay is exp(-WINDOW).
WINDOW = 6.0
_FFT_NUMBERS = 1 << 18  # transformed at once: 2 MiB


def as_chains(series: ArrayLike) -> NDArray[np.float64]:
    """Return one series or several as a two-dimensional array.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)

    Returns
    -------
    ndarray of float64, (chains, steps)

    Raises
    ------
    ValueError
        If the series is empty or has more than two axes.
    """
    chains = np.atleast_2d(np.asarray(series, dtype=np.float64))
    if chains.ndim != 2 or chains.size == 0:
        raise ValueError("a series is (steps,) or (chains, steps) and not empty")
    return chains


def autocovariance(series: ArrayLike) -> NDArray[np.float64]:
    """Return the autocovariance of a series about the mean of all chains.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)

    Returns
    -------
    ndarray of float64, (steps,)
        The autocovariance at the lags 0, ..., steps - 1, averaged over the chains.
    """
    chains = as_chains(series)
    steps = chains.shape[1]
    padded = 1 << (2 * steps - 1).bit_length()
    spectrum, mean = np.zeros(padded // 2 + 1), chains.mean()
    at_once = max(1, _FFT_NUMBERS // padded)
    for start in range(0, len(chains), at_once):
        transform = np.fft.rfft(chains[start : start + at_once] - mean, padded)
        # The chains are added one after another, so that sums round alike for any `at_once`.
        power = np.concatenate([spectrum[np.newaxis], transform.real**2 + transform.imag**2])
        spectrum = np.add.reduce(power, axis=0)
    return np.fft.irfft(spectrum, padded)[:steps] / (len(chains) * np.arange(steps, 0, -1))


def integrated_autocorrelation_time(series: ArrayLike) -> tuple[float, float]:
    """Return the integrated autocorrelation time tau = 1/2 + sum_t rho(t) and its error.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)
        Independent chains that have one common mean.

    Returns
    -------
    tau, error : float
        In steps. Independent data have tau = 1/2. A constant series contains no information about
        tau; the result is then 0.5 with the error nan.

    Notes
    -----
    The sum runs over the smallest window W >= 6 tau(W) (Madras & Sokal, J. Stat. Phys. 50, 109
    (1988)), but over no more than half a chain. The fluctuation of the mean itself is corrected
    for to first order (Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 49).
    """
    chains = as_chains(series)
    covariance = autocovariance(chains)[: max(chains.shape[1] // 2, 1)]
    if covariance[0] <= 1e-24 * np.max(np.abs(chains)) ** 2:  # a constant
        return 0.5, float("nan")
    running = np.cumsum(covariance) / covariance[0] - 0.5
    wide_enough = np.flatnonzero(np.arange(len(running)) >= WINDOW * running)
    window = int(wide_enough[0]) if len(wide_enough) else len(running) - 1
    tau = max(running[window] * (1 + (2 * window + 1) / chains.size), 1 / chains.size)
    return float(tau), float(tau * np.sqrt(2 * (2 * window + 1) / chains.size))
