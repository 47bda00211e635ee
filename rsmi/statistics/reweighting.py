"""Averages at any coupling from samples at several couplings: multi-histogram reweighting.

Ensemble f has n_f samples at the coupling K_f, with weights exp(-K_f E). Together the ensembles
estimate the density of states

    g(E) = N(E) / sum_f n_f exp(F_f - K_f E),    exp(-F_f) = sum_E g(E) exp(-K_f E),

where N(E) counts the samples of all ensembles at energy E (Ferrenberg & Swendsen, Phys. Rev. Lett.
63, 1195 (1989)). The free energies F_f are the minimum of a convex function (Shirts & Chodera, J.
Chem. Phys. 129, 124105 (2008)), which Newton's method finds. Energies are integers (in J): the
histogram is exact, not binned, and the cost does not grow with the number of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.errors import UsageError

# Least overlap of the energies at neighbouring couplings, that of two Gaussians 4.7 standard
# deviations apart.
LEAST_OVERLAP = 0.02
_ITERATIONS = 100


class Histogram(NamedTuple):
    """Samples of several ensembles, counted by energy.

    Attributes
    ----------
    couplings : ndarray of float64, (ensembles,)
        K = J/(k_B T) of each ensemble, ascending.
    energies : ndarray of int64, (levels,)
        Total energies in J, ascending.
    counts : ndarray of float64, (ensembles, levels)
        Number of samples of each ensemble at each energy.
    sums : ndarray of float64, (levels, observables)
        Sums of the observables over the samples of all ensembles at each energy.
    """

    couplings: NDArray[np.float64]
    energies: NDArray[np.int64]
    counts: NDArray[np.float64]
    sums: NDArray[np.float64]

    def without(self, other: Histogram) -> Histogram:
        """Return the histogram without the samples of another one, which are a subset of these;
        both have the same ensembles and levels."""
        return self._replace(counts=self.counts - other.counts, sums=self.sums - other.sums)


def histogram(
    couplings: ArrayLike,
    energies: Sequence[NDArray[np.int64]],
    observables: Sequence[NDArray[np.float64]],
    levels: NDArray[np.int64] | None = None,
) -> Histogram:
    """Count the samples of several ensembles by energy.

    Parameters
    ----------
    couplings : array_like of float, (ensembles,)
        K of each ensemble, in any order.
    energies : sequence of ndarray of int64, (n_f,)
        Total energies in J of the samples of each ensemble.
    observables : sequence of ndarray of float64, (n_f, observables)
    levels : ndarray of int64, (levels,), optional
        Ascending energies at which to count; by default all that occur.
    """
    order = np.argsort(couplings, kind="stable")
    levels = np.unique(np.concatenate(energies)) if levels is None else levels
    counts = np.zeros((len(order), len(levels)))
    sums = np.zeros((len(levels), observables[0].shape[1]))
    for row, ensemble in enumerate(order):
        place = np.searchsorted(levels, energies[ensemble])
        counts[row] = np.bincount(place, minlength=len(levels))
        for column in range(sums.shape[1]):
            sums[:, column] += np.bincount(place, observables[ensemble][:, column], len(levels))
    return Histogram(np.asarray(couplings, dtype=np.float64)[order], levels, counts, sums)


def neighbour_differences(data: Histogram) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare the ensembles at neighbouring couplings.

    Returns
    -------
    differences : ndarray of float64, (ensembles - 1,)
        F_(f+1) - F_f by Bennett's acceptance ratio.
    overlaps : ndarray of float64, (ensembles - 1,)
        Overlap sum_E 2 p q / (p + q) of the two energy distributions: 1 if they are equal, 0 if
        they have no energy in common.
    """
    pairs = [_acceptance_ratio(data, f) for f in range(len(data.couplings) - 1)]
    differences, overlaps = np.reshape(pairs, (-1, 2)).T
    return differences, overlaps


def _acceptance_ratio(data: Histogram, f: int) -> tuple[float, float]:
    """Return F_(f+1) - F_f and the overlap, with equal weight for both ensembles; the root comes
    from bisection (Bennett, J. Comput. Phys. 22, 245 (1976))."""
    exponent = (data.couplings[f + 1] - data.couplings[f]) * data.energies
    here, there = (counts / counts.sum() for counts in data.counts[f : f + 2])
    low, high = exponent.min() - 1.0, exponent.max() + 1.0
    while high - low > 1e-12 * max(abs(low), abs(high), 1.0):
        middle = (low + high) / 2
        # probability that a sample belongs to ensemble f + 1
        from_here = 1 / (1 + np.exp(np.clip(exponent - middle, -700, 700)))
        mistaken = here @ from_here, there @ (1 - from_here)
        low, high = (low, middle) if mistaken[0] > mistaken[1] else (middle, high)
        if middle in (low, high) and not low < (low + high) / 2 < high:
            break
    return (low + high) / 2, float(mistaken[0] + mistaken[1])


class Reweighting:
    """Averages of the observables of a `Histogram` as functions of the coupling.

    Parameters
    ----------
    data : Histogram
    start : ndarray of float64, (ensembles,), optional
        Free energies of a similar histogram, from which the iteration starts.

    Attributes
    ----------
    free_energies : ndarray of float64, (ensembles,)
        F_f relative to that of the first ensemble.

    Raises
    ------
    UsageError
        If the energies at neighbouring couplings overlap by less than `LEAST_OVERLAP`, or the free
        energies do not converge.
    """

    def __init__(self, data: Histogram, start: ArrayLike | None = None) -> None:
        if start is None:
            differences, overlaps = neighbour_differences(data)
            _check_overlaps(data.couplings, overlaps)
            start = np.concatenate([[0.0], np.cumsum(differences)])
        self.free_energies = _free_energies(data, start)
        self._energies, self._log_weights = data.energies, -_log_mixture(data, self.free_energies)
        total = data.counts.sum(axis=0)
        sums = np.column_stack([total * data.energies, data.sums])
        # (levels, 1 + 2 (1 + observables))
        self._columns = np.column_stack([total, sums, sums * data.energies[:, None]])

    def averages(self, coupling: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return averages and their derivatives with respect to K.

        Parameters
        ----------
        coupling : array_like of float, (\\*shape)
            K = J/(k_B T).

        Returns
        -------
        means, slopes : ndarray of float64, (\\*shape, 1 + observables)
            <O> and d<O>/dK = <O><E> - <O E>; the first observable is the energy.
        """
        exponent = (
            self._log_weights - np.asarray(coupling, dtype=np.float64)[..., None] * self._energies
        )
        weights = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
        # A product of BLAS would be faster, but its order of summation may vary.
        sums = np.einsum("...l,lc->...c", weights, self._columns)
        means, mixed = np.split(sums[..., 1:] / sums[..., :1], 2, axis=-1)
        return means, means * means[..., :1] - mixed


def _check_overlaps(couplings: NDArray[np.float64], overlaps: NDArray[np.float64]) -> None:
    if len(overlaps) and overlaps.min() < LEAST_OVERLAP:
        f = int(overlaps.argmin())
        hot, cold = 1 / couplings[f], 1 / couplings[f + 1]
        raise UsageError(
            f"the energies at T = {cold:.6g} and T = {hot:.6g} overlap by {100 * overlaps[f]:.2g}"
            " %, too little to reweight: sample a temperature between them"
        )


def _log_mixture(data: Histogram, free_energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log sum_f n_f exp(F_f - K_f E), (levels,)."""
    terms = (
        np.log(data.counts.sum(axis=1))[:, None]
        + free_energies[:, None]
        - data.couplings[:, None] * data.energies
    )
    top = terms.max(axis=0)
    return top + np.log(np.exp(terms - top).sum(axis=0))


def _free_energies(data: Histogram, start: ArrayLike) -> NDArray[np.float64]:
    """Return the minimum of sum_E N(E) log sum_f n_f exp(F_f - K_f E) - sum_f n_f F_f with F_0 = 0,
    by damped Newton steps."""
    sizes, total = data.counts.sum(axis=1), data.counts.sum(axis=0)
    free = np.array(start, dtype=np.float64)

    def objective(trial: NDArray[np.float64]) -> float:
        return total @ _log_mixture(data, trial) - sizes @ trial

    for _ in range(_ITERATIONS):
        share = np.exp(
            np.log(sizes)[:, None]
            + free[:, None]
            - data.couplings[:, None] * data.energies
            - _log_mixture(data, free)
        )
        gradient = share @ total - sizes
        if np.abs(gradient).max() <= 1e-9 * sizes.sum():
            return free
        hessian = np.diag(share @ total) - (share * total) @ share.T
        step = np.concatenate([[0.0], np.linalg.solve(hessian[1:, 1:], gradient[1:])])
        length, value = 1.0, objective(free)
        while length > 1e-6 and objective(free - length * step) > value + 1e-12 * abs(value):
            length /= 2
        free = free - length * step
    raise UsageError(
        "the free energies of the ensembles do not converge: sample more, or closer, temperatures"
    )
