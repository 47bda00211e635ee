"""Errors of nonlinear functions of averages, by leaving out one block of the data at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Jackknife(NamedTuple):
    """A function of averages with its jackknife error.

    Attributes
    ----------
    value : ndarray of float64, (\\*shape)
        The function of all data.
    error : ndarray of float64, (\\*shape)
        Its standard error.
    replicas : ndarray of float64, (blocks, \\*shape)
        The function of the data without one of the blocks.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    replicas: NDArray[np.float64]

    def covariance(self) -> NDArray[np.float64]:
        """Return the covariance, (k, k), of the components of a value of shape (k,)."""
        return jackknife_covariance(self.replicas)


def jackknife(
    function: Callable[[dict[str, NDArray[np.float64]]], ArrayLike],
    block_sums: Mapping[str, ArrayLike],
) -> Jackknife:
    """Apply a function to the totals of block sums and estimate its error.

    Parameters
    ----------
    function : callable
        Takes `block_sums` summed over the blocks, as a dict of float64 arrays, and returns a number
        or an array.
    block_sums : mapping of str to array_like of float, (blocks, ...)
        Sums over each block. The blocks should be much longer than the autocorrelation time.

    Returns
    -------
    Jackknife
        The error is nan with fewer than two blocks, and where a replica is nan.

    Notes
    -----
    Efron & Stein, Ann. Stat. 9, 586 (1981).
    """
    totals, *without = leave_one_out(block_sums)
    values = [function(one) for one in (totals, *(without if len(without) > 1 else ()))]
    return jackknife_of(np.array(values, dtype=np.float64))


def leave_one_out(block_sums: Mapping[str, ArrayLike]) -> list[dict[str, NDArray[np.float64]]]:
    """Return the totals of block sums, followed by the totals without each of the blocks.

    Parameters
    ----------
    block_sums : mapping of str to array_like of float, (blocks, ...)
    """
    sums = {name: np.asarray(array, dtype=np.float64) for name, array in block_sums.items()}
    totals = {name: array.sum(axis=0) for name, array in sums.items()}
    n_blocks = len(next(iter(sums.values())))
    without = ({name: totals[name] - sums[name][b] for name in sums} for b in range(n_blocks))
    return [totals, *without]


def jackknife_of(values: NDArray[np.float64]) -> Jackknife:
    """Return the jackknife estimate of a function from its values (1 + blocks, \\*shape) for all
    that `leave_one_out` returns."""
    value, replicas = values[0], values[1:]
    if len(replicas) < 2:
        return Jackknife(value, np.full(value.shape, np.nan), replicas[:0])
    return Jackknife(value, jackknife_error(replicas), replicas)


def jackknife_error(replicas: ArrayLike) -> NDArray[np.float64]:
    """Return the standard error from the values without one block.

    Parameters
    ----------
    replicas : array_like of float, (blocks, \\*shape)

    Returns
    -------
    ndarray of float64, (\\*shape)
    """
    replicas = np.asarray(replicas, dtype=np.float64)
    spread = ((replicas - replicas.mean(axis=0)) ** 2).mean(axis=0)
    return np.sqrt((len(replicas) - 1) * spread)


def jackknife_covariance(replicas: ArrayLike) -> NDArray[np.float64]:
    """Return the covariance from the values without one block.

    Parameters
    ----------
    replicas : array_like of float, (blocks, k)

    Returns
    -------
    ndarray of float64, (k, k)
    """
    replicas = np.asarray(replicas, dtype=np.float64)
    deviations = replicas - replicas.mean(axis=0)
    return (len(deviations) - 1) * (deviations.T @ deviations) / len(deviations)
