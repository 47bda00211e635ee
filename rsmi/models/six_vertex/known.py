"""What is known exactly of the six-vertex model with a = b = 1 on the infinite lattice, and the
stiffness that the fluctuations of the flux tell.

The heights of the plaquettes change by +-1 across every arrow. On large scales their weight is
exp(-(K/2) integral |grad h|^2), with the stiffness K = arccos(Delta)/2 and Delta = 1 - c^2/2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from rsmi.models.base import Known, KnownOperator, KnownValue

_LIEB = "E. H. Lieb, Phys. Rev. 162, 162 (1967)"
_CURRENT = "a current that is conserved: the ice rule"
_YOUNGBLOOD = "R. Youngblood, J. D. Axe, B. M. McCoy, Phys. Rev. B 21, 5212 (1980)"
_ALCARAZ = "F. C. Alcaraz, M. N. Barber, M. T. Batchelor, Ann. Phys. 182, 280 (1988)"
STAGGERED = (Fraction(1, 2), Fraction(1, 2))
NO_CRITICAL_POINT = "the six-vertex model is critical for every weight c from 0 to 2"
NO_THERMOMETER = "the state point of the six-vertex model is the weight c, not a temperature"
LOGARITHMS_ABOVE = 1.9  # of c: corrections to scaling fall off as the logarithm of the size
_SLOWEST = 0.1  # exponent of a correction that lattices of any size can tell from a constant
_LARGEST_FLUX = 400  # of the sums over fluxes; they converge much earlier
_STIFFNESSES = (1e-4, 10.0)  # between which the stiffness is sought


def delta_of(weight: float) -> float:
    """Return Delta = (a^2 + b^2 - c^2)/(2ab) of a = b = 1."""
    return 1 - weight**2 / 2


def stiffness_of(weight: float) -> float:
    """Return the exact stiffness of the infinite lattice."""
    return math.acos(delta_of(weight)) / 2


def known(dimension: int, weight: float | None) -> Known:
    """Return the scaling operators of the line: the field, whose dimension is 1, and the staggered
    polarization, whose dimension pi/(2 arccos Delta) falls from infinity at c = 0 to 1/2 at c = 2.
    An even operator, which the arrows' reversal leaves as it is, has the same dimension as the
    staggered polarization."""
    if dimension != 2 or weight is None:
        return Known(no_critical_point=NO_CRITICAL_POINT, no_thermometer=NO_THERMOMETER)
    dimension_s = math.pi / (4 * stiffness_of(weight))
    text = f"pi/(2 arccos Delta) = {dimension_s:.6g}"
    staggered = KnownValue(dimension_s, text, _YOUNGBLOOD)
    correction = _correction(dimension_s)
    odd = (
        KnownOperator("field", KnownValue(1.0, "1", _CURRENT)),
        KnownOperator("staggered polarization", staggered, False, STAGGERED, correction),
    )
    even = (KnownOperator("plaquette heights modulo 2", staggered, False, (), correction),)
    return Known(
        no_critical_point=NO_CRITICAL_POINT,
        no_thermometer=NO_THERMOMETER,
        always_critical=True,
        operators={
            "odd": tuple(sorted(odd, key=lambda operator: operator.dimension.value)),
            "even": even,
        },
    )


def _correction(dimension: float) -> KnownValue | None:
    """The exponent 4 x - 2 of the corrections of operators with the dimension x that are periodic
    in the heights. They come from the operator cos(2 pi h), of dimension 4 x, which locks the
    heights at c = 2 and is allowed by all symmetries; corrections L^-2 are everywhere."""
    omega = 4 * dimension - 2
    if not _SLOWEST < omega < 2:
        return None
    return KnownValue(omega, f"4 x - 2 = {omega:.6g}", _ALCARAZ)


def flux_squared(stiffness: float, shape: Sequence[int]) -> float:
    """Return <W^2> of a large torus, the mean over both directions.

    The flux W_x along x tilts the heights by W_x/Ly. Hence its weight is exp(-(K/2) W_x^2 Lx/Ly),
    and it is even or odd as Ly.
    """
    length, height = map(int, shape)
    along_x = _gaussian(stiffness * length / height, height)
    along_y = _gaussian(stiffness * height / length, length)
    return (along_x + along_y) / 2


def _gaussian(strength: float, links: int) -> float:
    """Return <W^2> of the flux through a number of links."""
    squares = np.arange(links % 2, _LARGEST_FLUX, 2, dtype=np.float64) ** 2
    weights = np.where(squares > 0, 2.0, 1.0) * np.exp(-strength * (squares - squares[0]) / 2)
    return float(squares @ weights / weights.sum())


def measured_stiffness(
    measured: float, error: float | None, shape: Sequence[int]
) -> tuple[float | None, float | None]:
    """Return the stiffness at which `flux_squared` has a measured value, and its error.

    Parameters
    ----------
    measured, error : float
        <W^2> and its error, which may be unknown.
    shape : (int, int)

    Returns
    -------
    stiffness, error : float or None
        None where no stiffness belongs to the value: if the flux hardly ever changes.
    """
    low, high = _STIFFNESSES
    if not flux_squared(high, shape) < measured < flux_squared(low, shape):
        return None, None
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if flux_squared(middle, shape) > measured else (low, middle)
    slope = (flux_squared(1.01 * low, shape) - flux_squared(0.99 * low, shape)) / (0.02 * low)
    return low, None if error is None else error / abs(slope)
