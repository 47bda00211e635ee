"""Averages at any coupling from samples at several: multi-histogram reweighting.

Samples of ensembles f at the couplings K_f, n_f of them, with weights exp(-K_f E), estimate the
density of states together,

    g(E) = N(E) / sum_f n_f exp(F_f - K_f E),    exp(-F_f) = sum_E g(E) exp(-K_f E),

N(E) being the samples of all ensembles at energy E (Ferrenberg & Swendsen, Phys. Rev. Lett. 63,
1195 (1989)). The free energies F_f are the minimum of a convex function (Shirts & Chodera, J. Chem.
Phys. 129, 124105 (2008)), found by Newton's method. Energies are integers (in J): the histogram is
exact, not binned, and the cost does not grow with the number of samples.
"""

from typing import NamedTuple

import numpy as np

from rsmi.errors import UsageError

LEAST_OVERLAP = (
    0.02  # of the energies at neighbouring couplings: two Gaussians 4.7 standard deviations apart
)
_ITERATIONS = 100


class Histogram(NamedTuple):
    """Samples by energy: `couplings` (ensembles,) ascending, `energies` (levels,) ascending,
    `counts` (ensembles, levels) and, over all ensembles, `sums` (levels, observables) of the
    observables of the samples at each energy."""

    couplings: np.ndarray
    energies: np.ndarray
    counts: np.ndarray
    sums: np.ndarray

    def without(self, other: "Histogram") -> "Histogram":
        """Less samples that are also in this one; same ensembles and levels."""
        return self._replace(counts=self.counts - other.counts, sums=self.sums - other.sums)


def histogram(couplings, energies, observables, levels=None) -> Histogram:
    """Histogram of several ensembles.

    Parameters
    ----------
    couplings : (ensembles,) in any order
    energies : list of (n_f,) int64, total energies in J
    observables : list of (n_f, observables) float64
    levels : the energies to count at, ascending; by default those that occur
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


def neighbour_differences(data: Histogram) -> tuple[np.ndarray, np.ndarray]:
    """Between neighbouring couplings, (ensembles - 1,) each: F_(f+1) - F_f by Bennett's acceptance
    ratio, and the overlap of the two energy distributions, the integral of 2 p q / (p + q): 1 if
    they agree, 0 if they have nothing in common.
    """
    found = [_acceptance_ratio(data, f) for f in range(len(data.couplings) - 1)]
    return np.array([difference for difference, _ in found]), np.array(
        [overlap for _, overlap in found]
    )


def _acceptance_ratio(data: Histogram, f: int) -> tuple[float, float]:
    """Bennett, J. Comput. Phys. 22, 245 (1976), each ensemble with the same weight; the root by
    bisection."""
    exponent = (data.couplings[f + 1] - data.couplings[f]) * data.energies
    here, there = (counts / counts.sum() for counts in data.counts[f : f + 2])
    low, high = exponent.min() - 1.0, exponent.max() + 1.0
    while high - low > 1e-12 * max(abs(low), abs(high), 1.0):
        middle = (low + high) / 2
        from_here = 1 / (
            1 + np.exp(np.clip(exponent - middle, -700, 700))
        )  # probability that a sample is of ensemble f + 1
        mistaken = here @ from_here, there @ (1 - from_here)
        low, high = (low, middle) if mistaken[0] > mistaken[1] else (middle, high)
        if middle in (low, high) and not low < (low + high) / 2 < high:
            break
    return (low + high) / 2, float(mistaken[0] + mistaken[1])


class Reweighting:
    """Averages of the observables of a `Histogram` as functions of the coupling."""

    def __init__(self, data: Histogram, start=None):
        """Solve for the free energies, from those of a similar histogram if given.

        Raises
        ------
        UsageError
            If the energies of neighbouring couplings have less than `LEAST_OVERLAP` in common.
        """
        if start is None:
            differences, overlaps = neighbour_differences(data)
            _check_overlaps(data.couplings, overlaps)
            start = np.concatenate([[0.0], np.cumsum(differences)])
        self.free_energies = _free_energies(data, start)  # (ensembles,), relative to the first
        self._energies, self._log_weights = data.energies, -_log_mixture(data, self.free_energies)
        total = data.counts.sum(axis=0)
        sums = np.column_stack([total * data.energies, data.sums])
        self._columns = np.column_stack(
            [total, sums, sums * data.energies[:, None]]
        )  # (levels, 1 + 2 (1 + observables))

    def averages(self, coupling) -> tuple[np.ndarray, np.ndarray]:
        """<O> and d<O>/dK = <O><E> - <O E> at couplings of any shape, both (*shape, 1 +
        observables); the first is the energy."""
        exponent = (
            self._log_weights - np.asarray(coupling, dtype=np.float64)[..., None] * self._energies
        )
        weights = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
        sums = np.einsum(
            "...l,lc->...c", weights, self._columns
        )  # not a BLAS product: its order of summation may vary
        means, mixed = np.split(sums[..., 1:] / sums[..., :1], 2, axis=-1)
        return means, means * means[..., :1] - mixed


def _check_overlaps(couplings, overlaps) -> None:
    if len(overlaps) and overlaps.min() < LEAST_OVERLAP:
        f = int(overlaps.argmin())
        hot, cold = 1 / couplings[f], 1 / couplings[f + 1]
        raise UsageError(
            f"the energies at T = {cold:.6g} and T = {hot:.6g} overlap by {100 * overlaps[f]:.2g}"
            " %, too little to reweight: sample a temperature between them"
        )


def _log_mixture(data: Histogram, free_energies) -> np.ndarray:
    """log sum_f n_f exp(F_f - K_f E), (levels,)."""
    terms = (
        np.log(data.counts.sum(axis=1))[:, None]
        + free_energies[:, None]
        - data.couplings[:, None] * data.energies
    )
    top = terms.max(axis=0)
    return top + np.log(np.exp(terms - top).sum(axis=0))


def _free_energies(data: Histogram, start) -> np.ndarray:
    """Minimum of sum_E N(E) log sum_f n_f exp(F_f - K_f E) - sum_f n_f F_f with F_0 = 0, by damped
    Newton steps."""
    sizes, total = data.counts.sum(axis=1), data.counts.sum(axis=0)
    free = np.array(start, dtype=np.float64)

    def objective(trial):
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
