"""The scaling dimension that one quantity gives: pairs of sizes, three fits, systematic error and
drift."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rsmi.renormalization.spectrum.fits import (
    FEWEST_FOR_FREE_OMEGA,
    Extrapolation,
    SizeValues,
    extrapolate,
    extrapolate_free,
)
from rsmi.renormalization.spectrum.quantities import Estimates, Quantity

# The exponents omega of corrections by dimension: that of the leading irrelevant operator or
# analytic correction, and that of the contact term of <m^2>, d - 2 Delta_sigma of the Ising model.
# Their comparison gives the systematic error.
LEADING_OMEGA = {2: 2.0, 3: 0.83}
CONTACT_OMEGA = {2: 1.75, 3: 1.96}
# If omega is smaller than 1, corrections of about L^-2 matter beside L^-omega on lattices that can
# be sampled well: its square, the contact term and the anisotropy of the lattice. One term stands
# for all of them. It takes so many sizes that the smallest one can be left out.
LARGEST_SLOW_OMEGA = 1.0
FEWEST_FOR_SECOND = 6
LARGEST_RELATIVE_ERROR = 0.25  # of a quantity of which a logarithm is taken


class PairValue(NamedTuple):
    """Delta of two successive sizes without a correction."""

    lengths: tuple[int, int]
    delta: float
    error: float


class Dimension(NamedTuple):
    """The scaling dimension that one quantity gives.

    Attributes
    ----------
    quantity : Quantity
    pairs : tuple of PairValue
        Of successive sizes.
    fits : tuple of Extrapolation
        All sizes, without the smallest one, the pair of the two largest ones; those for which there
        are enough sizes. The first one is quoted.
    systematic : float or None
        Half the range of the first two fits over two exponents of the last correction; None for a
        pair.
    drift, drift_error : float or None
        Change of Delta per unit of ln L between the last two pairs, with its error.
    refused : str
        Why the quantity gives no dimension, a sentence without a full stop; empty if it does.
    """

    quantity: Quantity
    pairs: tuple[PairValue, ...] = ()
    fits: tuple[Extrapolation, ...] = ()
    systematic: float | None = None
    drift: float | None = None
    drift_error: float | None = None
    refused: str = ""

    @property
    def extrapolated(self) -> bool:
        """Whether the quoted value has a correction."""
        return bool(self.fits) and self.fits[0].omega is not None

    @property
    def delta(self) -> float | None:
        """The quoted value."""
        return self.fits[0].delta if self.fits else None

    @property
    def error(self) -> float | None:
        """The statistical error of the quoted value."""
        return self.fits[0].error if self.fits else None


def leading_omega(dimension: int) -> float:
    """Return the exponent of corrections in so many dimensions if no better one is known."""
    return LEADING_OMEGA.get(dimension, LEADING_OMEGA[2])


def contact_omega(dimension: int, delta: float | None = None) -> float:
    """Return the exponent of the correction that the contact term of <m^2> makes: d - 2 Delta of
    the order, or that of the Ising model if Delta is not known."""
    if delta is not None:
        return round(dimension - 2 * delta, 2)
    return CONTACT_OMEGA.get(dimension, CONTACT_OMEGA[2])


def second_omega(omega: float | str, contact: float, sizes: int) -> float | None:
    """Return the exponent of the second correction; None if there is none.

    Parameters
    ----------
    omega : float or "free"
        The exponent of the first correction.
    contact : float
        That of the contact term.
    sizes : int
        How many sizes there are.
    """
    if isinstance(omega, str) or omega >= LARGEST_SLOW_OMEGA or sizes < FEWEST_FOR_SECOND:
        return None
    return contact


def omega_of(kind: str, leading: float, contact: float) -> float:
    """Return the exponent of the correction of a kind of quantity.

    It is the leading one, or that of the contact term of <m^2> if this is smaller. |m| has no
    contact term to first order, and the other quantities are made without one.
    """
    return min(leading, contact) if kind == "m2" else leading


def dimension_of(
    quantity: Quantity,
    number: int,
    lengths: tuple[int, ...],
    measured: Sequence[Estimates],
    dimension: int,
    omega: float | Literal["free"],
    second: float | None = None,
    contact: float | None = None,
) -> Dimension:
    """Return the scaling dimension of one quantity, by its number in the estimates of all sizes.

    Parameters
    ----------
    quantity : Quantity
    number : int
    lengths : tuple of int
    measured : sequence of Estimates
    dimension : int
        The number of axes d.
    omega : float or "free"
        The exponent of the correction.
    second : float, optional
        The exponent of a second correction.
    contact : float, optional
        That of the contact term of <m^2>, by default that of the Ising model.
    """
    values = [
        SizeValues(
            length,
            one.values[number : number + 1],
            one.covariance[number : number + 1, number : number + 1],
        )
        for length, one in zip(lengths, measured)
    ]
    refused = _refusal(values)
    if refused:
        return Dimension(quantity, refused=refused)
    powers = [quantity.power(dimension)]
    pairs = tuple(_pair(values[i : i + 2], powers) for i in range(len(values) - 1))
    contact = contact or contact_omega(dimension)
    fits = _three_fits(values, powers, omega, second)
    systematic = _systematic(values, powers, fits, (leading_omega(dimension), contact))
    return Dimension(quantity, pairs, fits, systematic, *_drift(pairs, values, powers))


def _refusal(values: Sequence[SizeValues]) -> str:
    """Why a quantity cannot be fitted: it is not clearly different from zero at some size."""
    for size in values:
        error = float(np.sqrt(size.covariance[0, 0]))
        if not np.isfinite(size.values[0]) or not error < LARGEST_RELATIVE_ERROR:
            return f"at L = {size.length} it differs from zero by fewer than 4 errors"
        if error == 0:
            return f"at L = {size.length} it does not vary"
    return ""


def _pair(values: Sequence[SizeValues], powers: Sequence[tuple[int, int]]) -> PairValue:
    fit = extrapolate(values, powers, None)
    return PairValue((int(values[0].length), int(values[1].length)), fit.delta, fit.error)


def _three_fits(
    values: Sequence[SizeValues],
    powers: Sequence[tuple[int, int]],
    omega: float | Literal["free"],
    second: float | None,
) -> tuple[Extrapolation, ...]:
    fits = []
    for chosen in (values, values[1:]):
        if omega == "free":
            if len(chosen) >= FEWEST_FOR_FREE_OMEGA or chosen is values:
                fits.append(extrapolate_free(chosen, powers))
        elif len(chosen) > 2:
            fits.append(extrapolate(chosen, powers, omega, second))
    return (*fits, extrapolate(values[-2:], powers, None))


def _systematic(
    values: Sequence[SizeValues],
    powers: Sequence[tuple[int, int]],
    fits: Sequence[Extrapolation],
    single: tuple[float, float],
) -> float | None:
    """Half the range of the fits with a correction over two exponents of the last correction."""
    corrected = [fit for fit in fits if fit.omega is not None]
    if not corrected:
        return None
    deltas = [fit.delta for fit in corrected] + [
        extrapolate(values[len(values) - len(fit.lengths) :], powers, *exponents).delta
        for fit in corrected
        for exponents in _alternatives(fit, *single)
    ]
    return (max(deltas) - min(deltas)) / 2


def _alternatives(
    fit: Extrapolation, leading: float, contact: float
) -> tuple[tuple[float | None, float | None], ...]:
    """The exponents of both corrections with which a fit is compared: two values of the last. Those
    of the second correction, 2 omega and 3 omega, bracket the terms that it stands for."""
    if fit.second is None or fit.omega is None:
        return (leading, None), (contact, None)
    return (fit.omega, 2 * fit.omega), (fit.omega, 3 * fit.omega)


def _drift(
    pairs: Sequence[PairValue],
    values: Sequence[SizeValues],
    powers: Sequence[tuple[int, int]],
) -> tuple[float | None, float | None]:
    """Change of Delta per ln L between the last two pairs, which have the middle size in common."""
    if len(pairs) < 2:
        return None, None
    logs = np.log([size.length for size in values[-3:]])
    first, last = 1 / np.diff(logs) / powers[0][1]
    weights = np.array([first, -first - last, last])
    span = (logs[2] - logs[0]) / 2
    variances = np.array([size.covariance[0, 0] for size in values[-3:]])
    error = np.sqrt(weights**2 @ variances) / span
    return (pairs[-1].delta - pairs[-2].delta) / float(span), float(error)
