"""The correlator thermometer: the temperature of blocked configurations, nu and T_c from its flow.

The effective coupling K_n after n steps is that of the nearest-neighbour Ising model which has the
blocked energy on a lattice of the blocked size: e(K_n; L/b^n) = -2 <nearest neighbours per bond>_n,
with the exact energy of the torus (Koch-Janusz & Ringel, arXiv:1704.06279; Kaufman, Phys. Rev. 76,
1232 (1949)). At the critical point dK_n/dK = b^(n/nu).

One coupling stands for all: the blocked system also has next-nearest and four-spin couplings. That
biases nu upwards, by 1 to 2 % at L = 64 .. 128 with the majority rule, less on larger lattices; and
K_n at T_c is not K_c (majority: 0.994, 0.992, 0.990 of it for n = 1, 2, 3), so T_c is read from the
crossing of K_n and K_(n+1) as functions of K.
"""

from math import log, prod
from typing import NamedTuple

import numpy as np

from rsmi.renormalization.level_sums import occupied
from rsmi.renormalization.operators import wraps
from rsmi.statistics.fits import polynomial_fit
from rsmi.statistics.jackknife import Jackknife, jackknife, jackknife_error

DRIFT = 0.05  # a relative fall of K_n at T_c beyond this is no correction to scaling
NEIGHBOURS = 2  # temperatures used on either side of a crossing


class EffectiveCouplings(NamedTuple):
    """At one temperature, (levels,) each: the energy per site in J of the blocked lattices, K_n and
    dK_n/dK. Where the blocked energy is that of no ferromagnet, K_n and its slope are nan."""

    energy: Jackknife
    coupling: Jackknife
    slope: Jackknife


def effective_couplings(sums, shapes, exact=None) -> EffectiveCouplings:
    """K_n and, from the fluctuations with the original energy, dK_n/dK = cov(S_nn^n, E) / (N_n
    de/dK(K_n)).

    Parameters
    ----------
    sums : dict of arrays (blocks, ...), the layout of `level_sums.empty_sums`
    shapes : shapes of the lattice at levels 0 .. steps
    exact : Thermometer, optional
        The exact energy of the model (`rsmi.models.base.Thermometer`); without one K_n and its
        slope are nan.
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

    def estimate(totals):
        energy, response = _blocked_energy(totals, sites)
        coupling = (
            couplings + (energy - energies) / slopes
        )  # exact on all data, first order in what one block changes
        local = [_energy_slope(k, shape, exact) for k, shape in zip(coupling, shapes)]
        return np.stack([energy, coupling, response / np.array(local)])

    value, error, replicas = jackknife(estimate, sums)
    return EffectiveCouplings(*(Jackknife(value[i], error[i], replicas[:, i]) for i in range(3)))


def flow_rows(effective: EffectiveCouplings, shapes) -> list[dict]:
    """The flow of one temperature as {step, size, coupling_eff, coupling_eff_error, energy_nn,
    energy_nn_error}, None where undefined."""
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


def exponent_from_slope(slope: float, error: float, step: int, scale_factor: float) -> dict:
    """nu = n log b / log(dK_n/dK) as {step, value, error, reason}; None with a reason where the
    coupling does not grow."""
    if np.isnan(slope):
        return _result(step, reason="the effective coupling is not defined")
    if slope <= 1:
        return _result(
            step, reason="the effective coupling does not flow away from its critical value"
        )
    nu = step * log(scale_factor) / log(slope)
    return _result(step, nu, nu * error / (slope * log(slope)))


def exponent_by_fluctuations(effective: EffectiveCouplings, step: int, scale_factor: float) -> dict:
    """nu at one temperature, which should be critical, from the slope measured by fluctuations."""
    return exponent_from_slope(
        float(effective.slope.value[step]), float(effective.slope.error[step]), step, scale_factor
    )


def exponent_by_differences(
    couplings, flows, step: int, scale_factor: float, critical_coupling: float
) -> dict:
    """nu from K_n at several temperatures: the slope at `critical_coupling` of a polynomial through
    its neighbours.

    Parameters
    ----------
    couplings : original coupling K of each temperature
    flows : the `EffectiveCouplings` of each temperature, of independent data
    """
    couplings, values, errors = _usable(
        couplings,
        [flow.coupling.value[step] for flow in flows],
        [flow.coupling.error[step] for flow in flows],
    )
    near = _neighbours(couplings, np.searchsorted(couplings, critical_coupling))
    if len(couplings[near]) < 2:
        return _result(step, reason="it takes two temperatures near the critical one")
    try:
        slope, error = _fit(couplings[near], values[near], errors[near]).slope(critical_coupling)
    except ValueError as problem:
        return _result(step, reason=str(problem))
    return exponent_from_slope(slope, error, step, scale_factor)


def critical_temperature(couplings, flows, step: int) -> dict:
    """T_c = 1/K where K_(step+1) and K_step cross, as {step, value, error, reason}.

    A parabola (a line through fewer than three points) is fitted to the difference D = K_(step+1) -
    K_step at the two temperatures next to its change of sign on either side. The error is that of
    the fit, with the jackknife errors of D (K_n and K_(n+1) are measured on the same
    configurations).

    Parameters
    ----------
    couplings : original coupling K of each temperature
    flows : the `EffectiveCouplings` of each temperature, of independent data
    """
    if any(len(flow.coupling.value) < step + 2 for flow in flows):
        return _result(
            step, reason=f"the crossing of steps {step} and {step + 1} needs {step + 1} steps"
        )
    couplings, differences, errors = _usable(
        couplings,
        [flow.coupling.value[step + 1] - flow.coupling.value[step] for flow in flows],
        [_error_of_difference(flow.coupling.replicas, step) for flow in flows],
    )
    if len(couplings) < 2:
        return _result(step, reason="a crossing takes at least two temperatures")
    split = _change_of_sign(differences / errors)
    if split in (0, len(couplings)):
        return _result(step, reason="the effective couplings do not cross between the temperatures")
    near = _neighbours(couplings, split)
    try:
        root, error = _fit(couplings[near], differences[near], errors[near]).root(
            couplings[near][0], couplings[near][-1]
        )
    except ValueError as problem:
        return _result(step, reason=str(problem))
    return _result(step, 1 / root, error / root**2)


def drift(effective: EffectiveCouplings, shapes, hard: bool, known: bool = True) -> str | None:
    """At the critical point K_n must settle; a sentence if it falls by more than `DRIFT` from step
    1 to the last step whose lattice the operators fit on, else None. Where no K_n is ``known``, as
    in three dimensions, the nearest-neighbour correlation stands for it.

    A soft rule of too little strength adds noise at every step and flows to infinite temperature,
    and so does decimation in two and three dimensions: such a rule has no fixed point and no
    exponent.
    """
    flow, name = (
        (effective.coupling.value, "effective coupling")
        if known
        else (-effective.energy.value, "nearest-neighbour correlation")
    )
    values = [value for value, shape in zip(flow, shapes) if not wraps(shape)][1:]
    if (
        len(values) < 2
        or not np.isfinite([values[0], values[-1]]).all()
        or values[-1] > (1 - DRIFT) * values[0]
    ):
        return None
    fall = 100 * (1 - values[-1] / values[0])
    consequence = (
        "this rule has no fixed point, and no exponents"
        if hard
        else "the rule is too soft to have a fixed point; use --hard"
    )
    return (
        f"the {name} at T_c falls by {fall:.1f} % from step 1 to step {len(values)}: {consequence}"
    )


def _total(sums):
    return {name: np.asarray(array, dtype=np.float64).sum(axis=0) for name, array in sums.items()}


def _blocked_energy(totals, sites):
    """Energy per site of every level and its derivative with respect to the original coupling."""
    count = totals["counts"]
    neighbours = totals["even_sums"][:, 0] / count
    covariance = totals["even_energy"][:, 0] / count - neighbours * totals["energy_sum"] / count
    return -neighbours / sites, covariance / sites


def _coupling(energy, shape, exact):
    try:
        return exact.coupling_from_energy(energy, shape) if exact else np.nan
    except ValueError:
        return np.nan


def _energy_slope(coupling, shape, exact):
    try:
        return -exact.energy_variance(shape, coupling) if exact else np.nan
    except ValueError:
        return np.nan


def _error_of_difference(replicas, step):
    return (
        float(jackknife_error(replicas[:, step + 1] - replicas[:, step]))
        if len(replicas)
        else np.nan
    )


def _usable(couplings, values, errors):
    """In order of the coupling, without points that have no value or no error."""
    table = np.array([couplings, values, errors], dtype=np.float64)
    table = table[:, np.isfinite(table).all(axis=0)]
    table = table[:, table[2] > 0]
    return table[:, np.argsort(table[0], kind="stable")]


def _change_of_sign(significance):
    """The split of a sequence into negative and then positive numbers that the fewest and smallest
    contradict."""
    wrong_before = np.concatenate(([0.0], np.cumsum(np.maximum(significance, 0))))
    wrong_after = np.concatenate((np.cumsum(np.maximum(-significance, 0)[::-1])[::-1], [0.0]))
    return int(np.argmin(wrong_before + wrong_after))


def _neighbours(couplings, split):
    return slice(max(split - NEIGHBOURS, 0), min(split + NEIGHBOURS, len(couplings)))


def _fit(couplings, values, errors):
    """A parabola, or a line through two points; ValueError where points coincide."""
    return polynomial_fit(couplings, values, errors, min(2, len(couplings) - 1))


def _number(value):
    return float(value) if np.isfinite(value) else None


def _result(step, value=None, error=None, reason=None):
    if value is not None and not np.isfinite(error):
        error, reason = None, "an error needs at least two blocks of samples"
    return {"step": step, "value": value, "error": error, "reason": reason}
