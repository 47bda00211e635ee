"""The exponent nu from the collapse of the whole flow on one curve.

Near the fixed point the effective coupling after n steps depends on the temperature through one
variable,

    K_n(K) / K_c = offset_n + P(x),    x = (K/K_c - 1) b^(n/nu),    P(0) = 0,

for all temperatures and steps n >= 1 together (step 0 is the thermometer reading itself). P is a
polynomial. The offset of a step, and of a lattice size if there are several, is the contribution of
the irrelevant couplings. K_n is one number for a system of many couplings, so that the collapse is
not perfect: the points scatter about the curve by more than their statistical errors. This scatter
is measured (with it chi^2 equals the degrees of freedom), it weighs the points, and it enters the
error of nu.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.operators import wraps
from rsmi.statistics.fits import scatter_beyond_errors, where_slope_vanishes
from rsmi.statistics.jackknife import Jackknife, jackknife_covariance

REACH = 0.25  # largest |x| (for nu = 1) of a point; up to there the curve is a cubic
DEGREE = 3
RANGE = (0.25, 4.0)  # values of nu in which the minimum is searched
_STARTS = 33  # points of the scan


class EffectiveFlow(Protocol):
    """The part of `rsmi.renormalization.thermometer.EffectiveCouplings` that a collapse needs."""

    @property
    def coupling(self) -> Jackknife:
        """K_n at the levels 0, ..., steps."""


class _Points(NamedTuple):
    """The points that are fitted.

    Attributes
    ----------
    distance : ndarray of float64, (points,)
        K/K_c - 1.
    step, offset : ndarray of int64, (points,)
        The step, and the number of the offset.
    value, error : ndarray of float64, (points,)
        K_n/K_c and its standard error.
    covariance : ndarray of float64, (points, points)
        Jackknife covariance of the values.
    """

    distance: NDArray[np.float64]
    step: NDArray[np.int64]
    offset: NDArray[np.int64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    covariance: NDArray[np.float64]


def collapse(
    couplings: Sequence[float],
    flows: Sequence[EffectiveFlow],
    shapes: Sequence[Sequence[Sequence[int]]],
    scale_factor: float,
    critical_coupling: float,
) -> dict[str, Any]:
    """Return nu by a least-squares collapse.

    Parameters
    ----------
    couplings : sequence of float
        Original coupling K of each temperature.
    flows : sequence of EffectiveCouplings
        The effective couplings of each temperature, of independent data; see
        `rsmi.renormalization.thermometer.effective_couplings`.
    shapes : sequence of sequence of shapes
        For each temperature, the shapes of the lattice at the levels 0, ..., steps.
    scale_factor : float
        b.
    critical_coupling : float
        K_c.

    Returns
    -------
    dict
        ``value`` (nu), ``error`` (statistical error and scatter together), ``error_statistical``
        (jackknife, with the covariance between steps), ``scatter`` (of K_n/K_c about the curve
        beyond the statistical errors), ``chi2`` (with the statistical errors alone),
        ``degrees_of_freedom``, ``coefficients`` of P, ``points`` (dicts with ``step``, ``size``,
        the first side, ``shape`` if the sides differ, ``x``, ``y`` = K_n/K_c - offset and
        ``error``) and ``reason``. Where there is no collapse, value and error are None and the
        reason says why.
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
            {
                "step": int(n),
                **_size(labels[k][1]),
                "x": float(at),
                "y": float(y),
                "error": float(e),
            }
            for n, k, at, y, e in rows
        ],
        "reason": None,
    }


def _size(shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the first side, and the shape if the sides differ."""
    cubic = len(set(shape)) == 1
    return {"size": shape[0]} | ({} if cubic else {"shape": list(shape)})


def _nothing(reason: str) -> dict[str, Any]:
    return {"value": None, "error": None, "reason": reason}


def _points(
    couplings: Sequence[float],
    flows: Sequence[EffectiveFlow],
    shapes: Sequence[Sequence[Sequence[int]]],
    scale: float,
    critical: float,
) -> tuple[_Points, list[tuple[int, tuple[int, ...]]]]:
    """Return the usable points of all temperatures, and the (step, shape) of each offset."""
    rows: list[tuple[float, ...]] = []
    covariances: list[NDArray[np.float64]] = []
    labels: dict[tuple[int, tuple[int, ...]], int] = {}
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
            label = labels.setdefault((n, tuple(levels[n])), len(labels))
            rows.append(
                (
                    distance,
                    n,
                    label,
                    flow.coupling.value[n] / critical,
                    flow.coupling.error[n] / critical,
                )
            )
    covariance, first = np.zeros((len(rows), len(rows))), 0
    for block in covariances:
        covariance[first : first + len(block), first : first + len(block)] = block
        first += len(block)
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return _Points(
        columns[0],
        columns[1].astype(int),
        columns[2].astype(int),
        columns[3],
        columns[4],
        covariance,
    ), list(labels)


def _variable(points: _Points, nu: float, scale: float) -> NDArray[np.float64]:
    return points.distance * scale ** (points.step / nu)


def _design(points: _Points, nu: float, degree: int, scale: float) -> NDArray[np.float64]:
    """Return the design matrix, (points, offsets + degree); at a given nu the model is linear."""
    offsets = points.offset[:, None] == np.arange(points.offset.max() + 1)
    return np.column_stack(
        [offsets, _variable(points, nu, scale)[:, None] ** np.arange(1, degree + 1)]
    )


def _fit(
    points: _Points, weights: NDArray[np.float64], degree: int, scale: float, nu: float
) -> tuple[float, NDArray[np.float64]]:
    """Return chi^2 and the linear parameters at a given nu."""
    design = _design(points, nu, degree, scale)
    solution = np.linalg.lstsq(design * weights[:, None], points.value * weights, rcond=None)
    parameters = np.asarray(solution[0], np.float64)
    return float(np.sum(((design @ parameters - points.value) * weights) ** 2)), parameters


def _slope(
    points: _Points, degree: int, scale: float, nu: float, parameters: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return d K_n/K_c / d ln(nu) of the curve at every point, (points,)."""
    x = _variable(points, nu, scale)
    coefficients, orders = parameters[-degree:], np.arange(1, degree + 1)
    return -(x[:, None] ** orders @ (coefficients * orders)) * points.step * log(scale) / nu


def _best(
    points: _Points, weights: NDArray[np.float64], degree: int, scale: float
) -> tuple[float, float, NDArray[np.float64]]:
    """Return nu, chi^2 and the linear parameters at the minimum, by a scan and a bisection."""

    def slope(at: float) -> float:
        nu = float(np.exp(at))
        parameters = _fit(points, weights, degree, scale, nu)[1]
        deviation = _design(points, nu, degree, scale) @ parameters - points.value
        return float(weights**2 * deviation @ _slope(points, degree, scale, nu, parameters))

    starts = np.linspace(log(RANGE[0]), log(RANGE[1]), _STARTS)
    best = int(np.argmin([_fit(points, weights, degree, scale, np.exp(at))[0] for at in starts]))
    low, high = starts[max(best - 1, 0)], starts[min(best + 1, _STARTS - 1)]
    nu = float(np.exp(where_slope_vanishes(slope, float(low), float(high))))
    return (nu, *_fit(points, weights, degree, scale, nu))


def _response(
    points: _Points,
    weights: NDArray[np.float64],
    degree: int,
    scale: float,
    nu: float,
    parameters: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return d nu / d value of every point, (points,): the row of the pseudo-inverse of the
    linearised model."""
    design = _design(points, nu, degree, scale)
    slope = _slope(points, degree, scale, nu, parameters) / nu
    return np.linalg.pinv(np.column_stack([slope, design]) * weights[:, None])[0] * weights
