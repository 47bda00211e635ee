"""Autocorrelation of Markov chains."""

import numpy as np

WINDOW = 6.0  # in units of tau: the truncation bias of an exponential decay is exp(-WINDOW)


def as_chains(series) -> np.ndarray:
    """(chains, steps) float64 from one series (steps,) or several."""
    chains = np.atleast_2d(np.asarray(series, dtype=np.float64))
    if chains.ndim != 2 or chains.size == 0:
        raise ValueError("a series is (steps,) or (chains, steps) and not empty")
    return chains


def autocovariance(series) -> np.ndarray:
    """Autocovariance (steps,) at lags 0 .. steps - 1, averaged over chains, about the mean of all
    of them."""
    chains = as_chains(series)
    steps = chains.shape[1]
    padded = 1 << (2 * steps - 1).bit_length()
    spectrum = np.zeros(padded // 2 + 1)
    for chain in chains - chains.mean():
        transform = np.fft.rfft(chain, padded)
        spectrum += transform.real**2 + transform.imag**2
    return np.fft.irfft(spectrum, padded)[:steps] / (len(chains) * np.arange(steps, 0, -1))


def integrated_autocorrelation_time(series) -> tuple[float, float]:
    """Integrated autocorrelation time tau = 1/2 + sum_t rho(t), and its error, in steps;
    independent data have 1/2.

    The sum runs over the smallest window W >= 6 tau(W) (Madras & Sokal, J. Stat. Phys. 50, 109
    (1988)), at most half a chain; the mean's own fluctuation is corrected for to first order
    (Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 49).

    Parameters
    ----------
    series : (steps,) or (chains, steps) of independent chains with one common mean

    Returns
    -------
    (tau, error) in steps; a constant series tells nothing: 0.5 with the error nan
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
