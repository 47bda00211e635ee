"""Means and errors of correlated data by binning."""

from math import ceil

import numpy as np

from rsmi.statistics.autocorrelation import as_chains, integrated_autocorrelation_time

LENGTH = 16.0  # of a bin in units of tau: errors come out low by about 1 / (2 LENGTH)
FEWEST_BINS = 16
MANY_CHAINS = 64


def bin_length(tau: float, chains: int, steps: int) -> int:
    """Length of bins for data of autocorrelation time `tau`; shorter where there would be fewer
    than 16 of them, a whole chain where there would be but one in each and there are many."""
    most = max(steps // max(ceil(FEWEST_BINS / chains), 1), 1)
    length = min(max(ceil(LENGTH * tau), 1) if tau > 0.5 else ceil(LENGTH / 2), most)
    return steps if chains >= MANY_CHAINS and steps < 2 * length else length


def bin_means(series, length: int) -> np.ndarray:
    """Means of the bins of all chains, (bins,); the steps left over are the first of each chain."""
    chains = as_chains(series)
    count = chains.shape[1] // length
    return chains[:, chains.shape[1] - count * length :].reshape(-1, length).mean(axis=1)


def binned_error(series, tau: float | None = None) -> tuple[float, float]:
    """Mean of a correlated series and its error, from bins of about 16 autocorrelation times.

    Parameters
    ----------
    series : (steps,) or (chains, steps)
    tau : integrated autocorrelation time in steps, measured on the series if None

    Returns
    -------
    (mean, error); the error is nan with fewer than two bins
    """
    chains = as_chains(series)
    if tau is None:
        tau, _ = integrated_autocorrelation_time(chains)
    means = bin_means(chains, bin_length(tau, *chains.shape))
    if len(means) < 2:
        return float(chains.mean()), float("nan")
    return float(chains.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def runs(groups, most: int = 40) -> np.ndarray:
    """Labels 0, 1, ... (n,) int64 of at most `most` runs of successive groups, about equally many
    groups in each.

    Configurations that follow one another in a chain are correlated; runs of them, each long
    against the autocorrelation time, are not.

    Parameters
    ----------
    groups : (n,) int, number of the configuration each value is from; successive in a chain means
    successive in number
    """
    present, position = np.unique(groups, return_inverse=True)
    return position * min(most, len(present)) // len(present)


def merged_blocks(count: int, length: float, needed: float, fewest: int) -> np.ndarray:
    """Labels 0, 1, ... (count,) int64 that merge neighbouring blocks into longer ones.

    Parameters
    ----------
    count : blocks there are
    length : of the shortest of them, in any unit
    needed : length in that unit that each merged block shall have; where that would leave less than
    `fewest`, there are `fewest`
    """
    merged = count // max(ceil(needed / length), 1)
    return runs(np.arange(count), min(max(merged, fewest), count))


def grouped_mean(values, groups) -> tuple[float, float]:
    """Mean of all values and its standard error, groups of any sizes taken as independent.

    Parameters
    ----------
    values : (n,) float
    groups : (n,) int, the group of each value

    Returns
    -------
    (mean, error); the error is nan with fewer than two groups
    """
    values = np.asarray(values, dtype=np.float64)
    label = np.unique(groups, return_inverse=True)[1]
    n_groups, mean = int(label.max()) + 1, values.mean()
    if n_groups < 2:
        return float(mean), float("nan")
    deviation = np.bincount(label, values - mean)
    return float(mean), float(
        np.sqrt((deviation**2).sum() * n_groups / (n_groups - 1)) / len(values)
    )
