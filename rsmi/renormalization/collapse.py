"""The exponent nu from the collapse of the whole flow on one curve.

Near the fixed point the effective coupling after n steps depends on the temperature through one
variable,

    K_n(K) / K_c = offset_n + P(x),    x = (K/K_c - 1) b^(n/nu),    P(0) = 0,

for all temperatures and steps n >= 1 together (step 0 is the thermometer reading itself). P is a
polynomial; the offset of a step, and of a lattice size if there are several, is what the irrelevant
couplings add. K_n is one number for a system of many couplings, so the collapse is not perfect: the
points scatter about the curve by more than their statistical errors. That scatter is measured (it
is what makes chi^2 equal the degrees of freedom), weighs the points, and enters the error of nu.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np

from rsmi.renormalization.operators import wraps
from rsmi.statistics.fits import scatter_beyond_errors
from rsmi.statistics.jackknife import jackknife_covariance

REACH = 0.25  # |x| for nu = 1 of the points used: the curve is a cubic there
DEGREE = 3
RANGE = (0.25, 4.0)  # of nu
_STARTS = 33


class _Points(NamedTuple):
    """(points,) each: K/K_c - 1, step, number of the offset, K_n/K_c and its error; and the
    jackknife covariance (points, points)."""

    distance: np.ndarray
    step: np.ndarray
    offset: np.ndarray
    value: np.ndarray
    error: np.ndarray
    covariance: np.ndarray


def collapse(couplings, flows, shapes, scale_factor: float, critical_coupling: float) -> dict:
    """nu by least squares.

    Parameters
    ----------
    couplings : original coupling K of each temperature
    flows : the `EffectiveCouplings` of each temperature, of independent data
    shapes : for each temperature, the shapes of the lattice at levels 0 .. steps
    scale_factor : b
    critical_coupling : K_c

    Returns
    -------
    dict
        value (nu), error (statistical and scatter together), error_statistical (jackknife, the
        covariance between steps kept), scatter (of K_n/K_c about the curve beyond the statistical
        errors), chi2 (with the statistical errors alone), degrees_of_freedom, coefficients of P,
        points (list of step, size, x, y = K_n/K_c - offset, error), reason.
    """
    points, labels = _points(couplings, flows, shapes, scale_factor, critical_coupling)
    temperatures = len(np.unique(points.distance))
    if temperatures < 2 or len(np.unique(points.step)) < 2:
        return _nothing(
            "a collapse takes two steps and two temperatures near the critical one, on lattices"
            " that the operators fit"
        )
    degree = min(DEGREE, temperatures - 1)
    freedom = len(points.value) - len(labels) - degree - 1
    if freedom < 1:
        return _nothing(
            f"{len(points.value)} effective couplings near the critical one do not determine a"
            " curve: more temperatures are needed"
        )
    scatter = scatter_beyond_errors(
        lambda s: _best(points, 1 / np.hypot(points.error, s), degree, scale_factor)[1],
        freedom,
        1.0,
    )
    weights = 1 / np.hypot(points.error, scatter)
    nu, chi2, parameters = _best(points, weights, degree, scale_factor)
    if not 1.001 * RANGE[0] < nu < 0.999 * RANGE[1]:
        return _nothing(
            "the effective couplings do not collapse: the flow does not leave the critical point"
        )
    response = _response(points, weights, degree, scale_factor, nu, parameters)
    statistical, systematic = (
        np.sqrt(response @ points.covariance @ response),
        scatter * np.sqrt(response @ response),
    )
    x, (offsets, coefficients) = (
        _variable(points, nu, scale_factor),
        np.split(parameters, [len(labels)]),
    )
    rows = zip(points.step, points.offset, x, points.value - offsets[points.offset], points.error)
    return {
        "value": nu,
        "error": float(np.hypot(statistical, systematic)),
        "error_statistical": float(statistical),
        "scatter": scatter,
        "chi2": _best(points, 1 / points.error, degree, scale_factor)[1],
        "degrees_of_freedom": freedom,
        "coefficients": coefficients.tolist(),
        "points": [
            {"step": int(n), "size": labels[k][1], "x": float(at), "y": float(y), "error": float(e)}
            for n, k, at, y, e in rows
        ],
        "reason": None,
    }


def _nothing(reason: str) -> dict:
    return {"value": None, "error": None, "reason": reason}


def _points(couplings, flows, shapes, scale, critical) -> tuple[_Points, list]:
    """What can be used of every temperature, and the offsets: (step, size)."""
    found, covariances, labels = [], [], {}
    for coupling, flow, levels in zip(couplings, flows, shapes):
        distance = coupling / critical - 1
        steps = [
            n
            for n in range(1, len(levels))
            if not wraps(levels[n])
            and abs(distance) * scale**n <= REACH
            and np.isfinite(flow.coupling.value[n])
            and flow.coupling.error[n] > 0
        ]
        if not steps:
            continue
        covariances.append(
            np.atleast_2d(jackknife_covariance(flow.coupling.replicas[:, steps] / critical))
        )
        for n in steps:
            label = labels.setdefault((n, levels[n][0]), len(labels))
            found.append(
                (
                    distance,
                    n,
                    label,
                    flow.coupling.value[n] / critical,
                    flow.coupling.error[n] / critical,
                )
            )
    covariance, first = np.zeros((len(found), len(found))), 0
    for block in covariances:
        covariance[first : first + len(block), first : first + len(block)] = block
        first += len(block)
    columns = np.array(found, dtype=np.float64).reshape(-1, 5).T
    return _Points(
        columns[0],
        columns[1].astype(int),
        columns[2].astype(int),
        columns[3],
        columns[4],
        covariance,
    ), list(labels)


def _variable(points: _Points, nu: float, scale: float) -> np.ndarray:
    return points.distance * scale ** (points.step / nu)


def _design(points: _Points, nu: float, degree: int, scale: float) -> np.ndarray:
    """(points, offsets + degree): the model is linear but for nu."""
    offsets = points.offset[:, None] == np.arange(points.offset.max() + 1)
    return np.column_stack(
        [offsets, _variable(points, nu, scale)[:, None] ** np.arange(1, degree + 1)]
    )


def _fit(
    points: _Points, weights, degree: int, scale: float, nu: float
) -> tuple[float, np.ndarray]:
    """chi^2 and the linear parameters at a given nu."""
    design = _design(points, nu, degree, scale)
    parameters = np.linalg.lstsq(design * weights[:, None], points.value * weights, rcond=None)[0]
    return float(np.sum(((design @ parameters - points.value) * weights) ** 2)), parameters


def _best(points: _Points, weights, degree: int, scale: float) -> tuple[float, float, np.ndarray]:
    """nu, chi^2 and the linear parameters at the minimum: a scan, then golden sections."""
    starts = np.linspace(log(RANGE[0]), log(RANGE[1]), _STARTS)
    best = int(np.argmin([_fit(points, weights, degree, scale, np.exp(at))[0] for at in starts]))
    low, high, ratio = (
        starts[max(best - 1, 0)],
        starts[min(best + 1, _STARTS - 1)],
        (5**0.5 - 1) / 2,
    )
    while high - low > 1e-8:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if (
            _fit(points, weights, degree, scale, np.exp(left))[0]
            < _fit(points, weights, degree, scale, np.exp(right))[0]
        ):
            high = right
        else:
            low = left
    nu = float(np.exp((low + high) / 2))
    return (nu, *_fit(points, weights, degree, scale, nu))


def _response(
    points: _Points, weights, degree: int, scale: float, nu: float, parameters
) -> np.ndarray:
    """d nu / d value of every point, (points,): the row of the pseudo-inverse of the linearised
    model."""
    design, step = _design(points, nu, degree, scale), 1e-6 * nu
    slope = (
        (_design(points, nu + step, degree, scale) - _design(points, nu - step, degree, scale))
        @ parameters
        / (2 * step)
    )
    return np.linalg.pinv(np.column_stack([slope, design]) * weights[:, None])[0] * weights
