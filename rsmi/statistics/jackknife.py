"""Errors of nonlinear functions of averages, by leaving out one block at a time."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np


class Jackknife(NamedTuple):
    """`value` on all data, its `error`, and `replicas` (blocks, *value.shape), each without one
    block."""

    value: np.ndarray
    error: np.ndarray
    replicas: np.ndarray

    def covariance(self) -> np.ndarray:
        """Covariance (k, k) of the components of a value of shape (k,)."""
        return jackknife_covariance(self.replicas)


def jackknife(function: Callable, block_sums: Mapping[str, np.ndarray]) -> Jackknife:
    """Apply `function` to the totals of block sums and estimate its error (Efron & Stein, Ann.
    Stat. 9, 586 (1981)).

    Parameters
    ----------
    function : takes a dict of float64 arrays, `block_sums` summed over the blocks, and returns a
    number or an array block_sums : arrays with one leading axis over blocks; the blocks should be
    much longer than the autocorrelation time

    Returns
    -------
    Jackknife; the error is nan with fewer than two blocks, and where a replica is nan
    """
    sums = {name: np.asarray(array, dtype=np.float64) for name, array in block_sums.items()}
    totals = {name: array.sum(axis=0) for name, array in sums.items()}
    n_blocks = len(next(iter(sums.values())))
    value = np.asarray(function(totals), dtype=np.float64)
    if n_blocks < 2:
        return Jackknife(value, np.full(value.shape, np.nan), np.empty((0, *value.shape)))
    replicas = np.array(
        [function({name: totals[name] - sums[name][b] for name in sums}) for b in range(n_blocks)]
    )
    return Jackknife(value, jackknife_error(replicas), replicas)


def jackknife_error(replicas) -> np.ndarray:
    """Error from delete-one replicas (blocks, ...)."""
    replicas = np.asarray(replicas, dtype=np.float64)
    spread = ((replicas - replicas.mean(axis=0)) ** 2).mean(axis=0)
    return np.sqrt((len(replicas) - 1) * spread)


def jackknife_covariance(replicas) -> np.ndarray:
    """Covariance (k, k) from delete-one replicas (blocks, k)."""
    deviations = np.asarray(replicas, dtype=np.float64) - np.mean(replicas, axis=0)
    return (len(deviations) - 1) * (deviations.T @ deviations) / len(deviations)
