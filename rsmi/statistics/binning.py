"""Means and errors of correlated data by binning."""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.statistics.autocorrelation import as_chains, integrated_autocorrelation_time

# Length of a bin in units of tau; errors come out low by the fraction 1 / (2 LENGTH).
LENGTH = 16.0
FEWEST_BINS = 16
MANY_CHAINS = 64


def bin_length(tau: float, chains: int, steps: int) -> int:
    """Return the number of steps of one bin.

    A bin is about 16 autocorrelation times long. It is shorter where fewer than 16 bins would be
    left, and it is a whole chain where there are at least 64 chains with only one bin in each.

    Parameters
    ----------
    tau : float
        Integrated autocorrelation time in steps.
    chains, steps : int
        Number of chains and length of each.
    """
    most = max(steps // max(ceil(FEWEST_BINS / chains), 1), 1)
    length = min(max(ceil(LENGTH * tau), 1) if tau > 0.5 else ceil(LENGTH / 2), most)
    return steps if chains >= MANY_CHAINS and steps < 2 * length else length


def bin_means(series: ArrayLike, length: int) -> NDArray[np.float64]:
    """Return the means of the bins of all chains.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)
    length : int
        Steps of one bin. Where bins do not fill a chain, its first steps are left out.

    Returns
    -------
    ndarray of float64, (bins,)
    """
    chains = as_chains(series)
    count = chains.shape[1] // length
    return chains[:, chains.shape[1] - count * length :].reshape(-1, length).mean(axis=1)


def binned_error(series: ArrayLike, tau: float | None = None) -> tuple[float, float]:
    """Return the mean of a correlated series and its standard error.

    Parameters
    ----------
    series : array_like of float, (steps,) or (chains, steps)
    tau : float, optional
        Integrated autocorrelation time in steps; by default it is measured on the series.

    Returns
    -------
    mean, error : float
        The error comes from bins of about 16 autocorrelation times; it is nan with fewer than two
        bins.
    """
    chains = as_chains(series)
    if tau is None:
        tau, _ = integrated_autocorrelation_time(chains)
    means = bin_means(chains, bin_length(tau, *chains.shape))
    if len(means) < 2:
        return float(chains.mean()), float("nan")
    return float(chains.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))


def runs(groups: ArrayLike, most: int = 40) -> NDArray[np.int64]:
    """Join successive groups of values to a small number of runs.

    Configurations that follow one another in a chain are correlated. Runs that are long against
    the autocorrelation time are nearly independent.

    Parameters
    ----------
    groups : array_like of int, (n,)
        Number of the configuration from which each value comes. Configurations that follow one
        another in a chain have successive numbers.
    most : int
        Largest number of runs.

    Returns
    -------
    ndarray of int64, (n,)
        Labels 0, 1, ... of the runs; every run has about equally many groups.
    """
    present, position = np.unique(groups, return_inverse=True)
    return position * min(most, len(present)) // len(present)


def merged_blocks(count: int, length: float, needed: float, fewest: int) -> NDArray[np.int64]:
    """Merge neighbouring blocks to longer ones.

    Parameters
    ----------
    count : int
        Number of blocks.
    length : float
        Length of the shortest block, in any unit.
    needed : float
        Length of a merged block in that unit.
    fewest : int
        Number of merged blocks where blocks of the needed length would be fewer.

    Returns
    -------
    ndarray of int64, (count,)
        Labels 0, 1, ... of the merged blocks.
    """
    merged = count // max(ceil(needed / length), 1)
    return runs(np.arange(count), min(max(merged, fewest), count))


def grouped_mean(values: ArrayLike, groups: ArrayLike) -> tuple[float, float]:
    """Return the mean of all values and its standard error, for independent groups of any sizes.

    Parameters
    ----------
    values : array_like of float, (n,)
    groups : array_like of int, (n,)
        The group of each value.

    Returns
    -------
    mean, error : float
        The error is nan with fewer than two groups.
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
