"""The correlator thermometer: the temperature of blocked configurations, and nu and T_c from it.

The effective coupling K_n after n steps is that of the nearest-neighbour Ising model which has the
blocked energy on a lattice of the blocked size: e(K_n; L/b^n) = -2 <nearest neighbours per bond>_n,
with the exact energy of the torus (Koch-Janusz & Ringel, arXiv:1704.06279; Kaufman, Phys. Rev. 76,
1232 (1949)). At the critical point dK_n/dK = b^(n/nu).

This is an approximation, because the blocked system also has next-nearest-neighbour and four-spin
couplings, and one coupling stands for all of them. It shifts nu upwards by 1 to 2 % at L = 64 to
128 with the majority rule, and by less on larger lattices. It also makes K_n at T_c differ from K_c
(0.994, 0.992 and 0.990 of it for the majority rule and n = 1, 2, 3), so T_c is where K_n and
K_(n+1) cross as functions of K.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, prod
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.renormalization.level_sums import occupied
from rsmi.renormalization.operators import wraps
from rsmi.statistics.fits import Fit, polynomial_fit
from rsmi.statistics.jackknife import Jackknife, jackknife, jackknife_error

DRIFT = 0.05  # a larger relative fall of K_n at T_c is no correction to scaling
NEIGHBOURS = 2  # temperatures that are used on either side of a crossing

Sums = Mapping[str, NDArray[Any]]
Shape = Sequence[int]
Estimate = dict[str, Any]
Column = NDArray[np.float64]


class ExactEnergy(Protocol):
    """The exact energy of finite periodic lattices, as a measure of the coupling."""

    def coupling_from_energy(self, energy_per_site: float, shape: Shape) -> float:
        """K at which a lattice has this energy per site in J; ValueError if there is none."""

    def energy_variance(self, shape: Shape, coupling: float) -> float:
        """-de/dK per site, in J."""


class EffectiveCouplings(NamedTuple):
    """The effective couplings at one temperature.

    Where no ferromagnet has the blocked energy, K_n and its slope are NaN.

    Attributes
    ----------
    energy : Jackknife, (levels,)
        The energy per site of the blocked lattices, in J.
    coupling : Jackknife, (levels,)
        K_n.
    slope : Jackknife, (levels,)
        dK_n/dK.
    """

    energy: Jackknife
    coupling: Jackknife
    slope: Jackknife


def effective_couplings(
    sums: Sums, shapes: Sequence[Shape], exact: ExactEnergy | None = None
) -> EffectiveCouplings:
    """K_n and, from the fluctuations with the original energy, its slope.

    The slope is dK_n/dK = cov(S_nn^n, E) / (N_n de/dK(K_n)).

    Parameters
    ----------
    sums : mapping of str to ndarray, (blocks, ...)
        The arrays of `rsmi.renormalization.level_sums.empty_sums`.
    shapes : sequence of sequence of int
        The shapes of the lattice at levels 0, ..., steps.
    exact : ExactEnergy, optional
        The exact energy of the model; without it K_n and its slope are NaN.
    """
    needed = ("counts", "energy_sum", "even_sums", "even_energy")
    sums = {name: array for name, array in occupied(sums).items() if name in needed}
    sites = np.array([prod(shape) for shape in shapes])
    energies, _ = _blocked_energy(_total(sums), sites)
    couplings = np.array(
        [_coupling(energy, shape, exact) for energy, shape in zip(energies, shapes)]
    )
    slopes = np.array(
        [_energy_slope(coupling, shape, exact) for coupling, shape in zip(couplings, shapes)]
    )

    def estimate(totals: Sums) -> NDArray[np.float64]:
        energy, response = _blocked_energy(totals, sites)
        # Exact for all data, and of first order in the change that one block makes.
        coupling = couplings + (energy - energies) / slopes
        local = [_energy_slope(k, shape, exact) for k, shape in zip(coupling, shapes)]
        return np.stack([energy, coupling, response / np.array(local)])

    value, error, replicas = jackknife(estimate, sums)
    return EffectiveCouplings(*(Jackknife(value[i], error[i], replicas[:, i]) for i in range(3)))


def flow_rows(effective: EffectiveCouplings, shapes: Sequence[Shape]) -> list[dict[str, Any]]:
    """The flow at one temperature, one row for every level.

    A row has ``step``, ``size``, ``coupling_eff``, ``coupling_eff_error``, ``energy_nn`` and
    ``energy_nn_error``, which are None where they are undefined.
    """
    return [
        {
            "step": step,
            "size": shape[0],
            "coupling_eff": _number(effective.coupling.value[step]),
            "coupling_eff_error": _number(effective.coupling.error[step]),
            "energy_nn": _number(effective.energy.value[step]),
            "energy_nn_error": _number(effective.energy.error[step]),
        }
        for step, shape in enumerate(shapes)
    ]


def exponent_from_slope(slope: float, error: float, step: int, scale_factor: float) -> Estimate:
    """nu = n log b / log(dK_n/dK).

    Parameters
    ----------
    slope, error : float
        dK_n/dK and its error.
    step : int
        n.
    scale_factor : float
        b.

    Returns
    -------
    dict
        ``step``, ``value``, ``error`` and ``reason``. The value is None if the coupling does not
        grow; the reason then says so.
    """
    if np.isnan(slope):
        return _result(step, reason="the effective coupling is not defined")
    if slope <= 1:
        return _result(
            step, reason="the effective coupling does not flow away from its critical value"
        )
    nu = step * log(scale_factor) / log(slope)
    return _result(step, nu, nu * error / (slope * log(slope)))


def exponent_by_fluctuations(
    effective: EffectiveCouplings, step: int, scale_factor: float
) -> Estimate:
    """nu from the slope that fluctuations give at one temperature, which should be critical.

    See `exponent_from_slope` for the result.
    """
    return exponent_from_slope(
        float(effective.slope.value[step]), float(effective.slope.error[step]), step, scale_factor
    )


def exponent_by_differences(
    couplings: ArrayLike,
    flows: Sequence[EffectiveCouplings],
    step: int,
    scale_factor: float,
    critical_coupling: float,
) -> Estimate:
    """nu from K_n at several temperatures.

    The slope at the critical coupling is that of a polynomial through the neighbouring points.

    Parameters
    ----------
    couplings : array_like of float, (temperatures,)
        The original coupling K of each temperature.
    flows : sequence of EffectiveCouplings
        Those of each temperature, from independent data.
    step : int
        n.
    scale_factor : float
        b.
    critical_coupling : float
        K_c.

    Returns
    -------
    dict
        See `exponent_from_slope`.
    """
    points, values, errors = _usable(
        couplings,
        [flow.coupling.value[step] for flow in flows],
        [flow.coupling.error[step] for flow in flows],
    )
    near = _neighbours(points, int(np.searchsorted(points, critical_coupling)))
    if len(points[near]) < 2:
        return _result(step, reason="it takes two temperatures near the critical one")
    try:
        slope, error = _fit(points[near], values[near], errors[near]).slope(critical_coupling)
    except ValueError as problem:
        return _result(step, reason=str(problem))
    return exponent_from_slope(slope, error, step, scale_factor)


def critical_temperature(
    couplings: ArrayLike, flows: Sequence[EffectiveCouplings], step: int
) -> Estimate:
    """T_c = 1/K where K_(step+1) and K_step cross.

    A parabola (a line through fewer than three points) is fitted to the difference D = K_(step+1) -
    K_step at the two temperatures next to its change of sign on either side. The error is that of
    the fit, with the jackknife errors of D, because K_n and K_(n+1) are measured on the same
    configurations.

    Parameters
    ----------
    couplings : array_like of float, (temperatures,)
        The original coupling K of each temperature.
    flows : sequence of EffectiveCouplings
        Those of each temperature, from independent data.
    step : int

    Returns
    -------
    dict
        ``step``, ``value`` in J/k_B, ``error`` and ``reason``. The value is None if there is no
        crossing; the reason then says why.
    """
    if any(len(flow.coupling.value) < step + 2 for flow in flows):
        return _result(
            step, reason=f"the crossing of steps {step} and {step + 1} needs {step + 1} steps"
        )
    points, differences, errors = _usable(
        couplings,
        [flow.coupling.value[step + 1] - flow.coupling.value[step] for flow in flows],
        [_error_of_difference(flow.coupling.replicas, step) for flow in flows],
    )
    if len(points) < 2:
        return _result(step, reason="a crossing takes at least two temperatures")
    split = _change_of_sign(differences / errors)
    if split in (0, len(points)):
        return _result(step, reason="the effective couplings do not cross between the temperatures")
    near = _neighbours(points, split)
    try:
        root, error = _fit(points[near], differences[near], errors[near]).root(
            float(points[near][0]), float(points[near][-1])
        )
    except ValueError as problem:
        return _result(step, reason=str(problem))
    return _result(step, 1 / root, error / root**2)


def drift(
    effective: EffectiveCouplings,
    shapes: Sequence[Shape],
    hard: bool,
    known: bool = True,
    doubt: str = "",
) -> str | None:
    """A sentence if K_n falls at the critical point, where it should settle.

    A soft rule that is too weak adds noise at every step and flows to infinite temperature.
    Decimation in two and three dimensions does so too. Such a rule has no fixed point and no
    exponent.

    Parameters
    ----------
    effective : EffectiveCouplings
    shapes : sequence of sequence of int
        The shapes of the lattice at the levels.
    hard : bool
        Whether the rule is deterministic.
    known : bool
        Whether K_n is known. In three dimensions it is not, and the nearest-neighbour correlation
        takes its place.
    doubt : str
        Why the samples may be the reason for a fall: a clause. The rule is not blamed then.

    Returns
    -------
    str or None
        None if it falls by less than `DRIFT`, or by less than three of its errors, from step 1 to
        the last step whose lattice is large enough for the operators.
    """
    flow, name = effective.coupling, "effective coupling"
    if not known:
        flow, name = effective.energy, "nearest-neighbour correlation"
    last = sum(not wraps(shape) for shape in shapes) - 1
    if last < 2 or not np.isfinite(flow.value[[1, last]]).all():
        return None
    first, end = np.abs(flow.value[[1, last]])
    if end > (1 - DRIFT) * first or first - end < 3 * _error_between(flow.replicas, 1, last):
        return None
    return (
        f"the {name} at T_c falls by {100 * (1 - end / first):.1f} % from step 1 to step {last}:"
        f" {_consequence(hard, doubt)}"
    )


def _consequence(hard: bool, doubt: str) -> str:
    """What a fall of K_n at T_c means."""
    if doubt:
        return f"this says nothing about the rule, because {doubt}"
    if hard:
        return "this rule has no fixed point, and no exponents"
    return "the rule is too soft to have a fixed point; use --hard"


def _error_between(replicas: NDArray[np.float64], first: int, last: int) -> float:
    """The error of the difference of two levels; 0 without replicas."""
    if len(replicas) < 2:
        return 0.0
    return float(jackknife_error(replicas[:, last] - replicas[:, first]))


def _total(sums: Sums) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(array, dtype=np.float64).sum(axis=0) for name, array in sums.items()}


def _blocked_energy(totals: Sums, sites: NDArray[np.int64]) -> tuple[Column, Column]:
    """The energy per site at every level, and its derivative by the original coupling."""
    count = totals["counts"]
    neighbours = totals["even_sums"][:, 0] / count
    covariance = totals["even_energy"][:, 0] / count - neighbours * totals["energy_sum"] / count
    return -neighbours / sites, covariance / sites


def _coupling(energy: float, shape: Shape, exact: ExactEnergy | None) -> float:
    try:
        return exact.coupling_from_energy(energy, shape) if exact else np.nan
    except ValueError:
        return np.nan


def _energy_slope(coupling: float, shape: Shape, exact: ExactEnergy | None) -> float:
    try:
        return -exact.energy_variance(shape, coupling) if exact else np.nan
    except ValueError:
        return np.nan


def _error_of_difference(replicas: NDArray[np.float64], step: int) -> float:
    if not len(replicas):
        return np.nan
    return float(jackknife_error(replicas[:, step + 1] - replicas[:, step]))


def _usable(
    couplings: ArrayLike, values: Sequence[float], errors: Sequence[float]
) -> tuple[Column, Column, Column]:
    """The points in order of the coupling, without those that have no value or no error."""
    table = np.array([couplings, values, errors], dtype=np.float64)
    table = table[:, np.isfinite(table).all(axis=0)]
    table = table[:, table[2] > 0]
    points, sorted_values, sorted_errors = table[:, np.argsort(table[0], kind="stable")]
    return points, sorted_values, sorted_errors


def _change_of_sign(significance: Column) -> int:
    """Where a sequence changes from negative to positive numbers: the numbers of the wrong sign
    have the smallest sum."""
    wrong_before = np.concatenate(([0.0], np.cumsum(np.maximum(significance, 0))))
    wrong_after = np.concatenate((np.cumsum(np.maximum(-significance, 0)[::-1])[::-1], [0.0]))
    return int(np.argmin(wrong_before + wrong_after))


def _neighbours(couplings: Column, split: int) -> slice:
    return slice(max(split - NEIGHBOURS, 0), min(split + NEIGHBOURS, len(couplings)))


def _fit(couplings: Column, values: Column, errors: Column) -> Fit:
    """A parabola, or a line through two points; ValueError if points coincide."""
    return polynomial_fit(couplings, values, errors, min(2, len(couplings) - 1))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _result(
    step: int,
    value: float | None = None,
    error: float | None = None,
    reason: str | None = None,
) -> Estimate:
    if value is not None and (error is None or not np.isfinite(error)):
        error, reason = None, "an error needs at least two blocks of samples"
    return {"step": step, "value": value, "error": error, "reason": reason}
