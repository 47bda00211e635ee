"""Scaling dimensions of all quantities, and the headline of each sector.

Every quantity is fitted alone, in three ways: all sizes with a correction L^-omega, the same
without the smallest size, and the pair of the two largest sizes without a correction. The first fit
is quoted. Two sizes leave only the pair: there is no extrapolation.

The headline of the odd sector is the smeared antipodal sum of a function if modes are measured,
else its m^2. The headline of the even sector is X24, or X12 if there are only two sizes. These
rules were chosen on samples of the two-dimensional Ising model that no later result contains, and
they do not depend on the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rsmi.renormalization.spectrum.fits import (
    Extrapolation,
    SizeValues,
    extrapolate,
    extrapolate_free,
)
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.quantities import (
    LARGEST_DEVIATION,
    Estimates,
    ExactAverage,
    Quantity,
    estimates,
)

# The exponents omega of corrections by dimension: the default, and the one whose comparison with it
# gives the systematic error. The second is that of the contact term of <m^2>, d - 2 Delta_sigma of
# the Ising model.
OMEGAS: dict[int, tuple[float, float]] = {2: (2.0, 1.75), 3: (0.83, 1.96)}
LARGEST_RELATIVE_ERROR = 0.25  # of a quantity of which a logarithm is taken
UNLIKELY = 1e-3  # probability of chi^2 below which a fit is doubted
LARGEST_DRIFT = 0.02  # change of Delta per unit of ln L that is remarked if it is significant

Omega = float | Literal["free"] | None


class SizeData(NamedTuple):
    """What was measured at one size.

    Attributes
    ----------
    length : int
        L.
    sums : GroupSums
    exact : ExactAverage, optional
    """

    length: int
    sums: GroupSums
    exact: ExactAverage | None = None


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
        Half the range of the first two fits over two exponents of the correction; None for a pair.
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


class Spectrum(NamedTuple):
    """The result of an analysis.

    Attributes
    ----------
    lengths : tuple of int
    estimates : tuple of Estimates
        Of every size.
    dimensions : tuple of Dimension
        Of every quantity.
    omega : float or "free" or None
        The exponent of corrections.
    remarks : tuple of str
        What a reader should know: sentences.
    """

    lengths: tuple[int, ...]
    estimates: tuple[Estimates, ...]
    dimensions: tuple[Dimension, ...]
    omega: Omega
    remarks: tuple[str, ...]

    def of(self, kind: str, function: str) -> Dimension | None:
        """Return the dimension that a kind of quantity of a function gives; None without one."""
        for dimension in self.dimensions:
            if (dimension.quantity.kind, dimension.quantity.function) == (kind, function):
                return dimension
        return None

    def headline(self, function: str) -> Dimension | None:
        """Return the dimension of a function by the rules of the module's docstring."""
        own = [one for one in self.dimensions if one.quantity.function == function]
        if not own:
            return None
        if own[0].quantity.sector == "odd":
            return self.of("A", function) or self.of("m2", function)
        kind = "X24" if len(self.lengths) > 2 else "X12"
        return self.of(kind, function) or self.of("E01", function)


def spectrum_of(sizes: Sequence[SizeData], omega: Omega = None, probe: int = 0) -> Spectrum:
    """Extrapolate the scaling dimensions of all functions.

    Parameters
    ----------
    sizes : sequence of SizeData
        At least two different sizes, with the same functions.
    omega : float or "free", optional
        The exponent of corrections; by default that of `OMEGAS`, or 2.
    probe : int
        The odd function of the responses, by its number.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, the functions differ, or omega cannot be free.
    """
    sizes = sorted(sizes, key=lambda size: size.length)
    lengths = tuple(size.length for size in sizes)
    if len(set(lengths)) < 2 or len(set(lengths)) < len(lengths):
        raise ValueError("a scaling dimension needs two or more different sizes")
    if len({(size.sums.even, size.sums.odd, size.sums.orbits > 0) for size in sizes}) > 1:
        raise ValueError("all sizes need the same functions")
    dimension = len(sizes[0].sums.shape)
    chosen = OMEGAS.get(dimension, (2.0, 1.75))[0] if omega is None else omega
    measured = tuple(estimates(size.sums, probe, size.exact) for size in sizes)
    found = tuple(
        _dimension(quantity, number, lengths, measured, dimension, chosen)
        for number, quantity in enumerate(measured[0].quantities)
    )
    return Spectrum(lengths, measured, found, chosen, _remarks(lengths, measured, found))


def _dimension(
    quantity: Quantity,
    number: int,
    lengths: tuple[int, ...],
    measured: Sequence[Estimates],
    dimension: int,
    omega: float | Literal["free"],
) -> Dimension:
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
    fits = _three_fits(values, powers, omega)
    systematic = _systematic(values, powers, fits, dimension)
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
) -> tuple[Extrapolation, ...]:
    fits = []
    for chosen in (values, values[1:]):
        if omega == "free":
            if len(chosen) > 4 or chosen is values:
                fits.append(extrapolate_free(chosen, powers))
        elif len(chosen) > 2:
            fits.append(extrapolate(chosen, powers, omega))
    return (*fits, extrapolate(values[-2:], powers, None))


def _systematic(
    values: Sequence[SizeValues],
    powers: Sequence[tuple[int, int]],
    fits: Sequence[Extrapolation],
    dimension: int,
) -> float | None:
    """Half the range of the fits with a correction over the exponents of `OMEGAS`."""
    corrected = [fit for fit in fits if fit.omega is not None]
    if not corrected:
        return None
    exponents = {*OMEGAS.get(dimension, (2.0, 1.75))}
    deltas = [fit.delta for fit in corrected] + [
        extrapolate(values[len(values) - len(fit.lengths) :], powers, omega).delta
        for fit in corrected
        for omega in exponents
    ]
    return (max(deltas) - min(deltas)) / 2


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


# ---- remarks -------------------------------------------------------------------------------------


def _remarks(
    lengths: Sequence[int], measured: Sequence[Estimates], found: Sequence[Dimension]
) -> tuple[str, ...]:
    remarks = [
        f"L = {length}: the energy differs from the exact one by {_largest(one):.1f} errors; the"
        " samples are not those of the stated coupling, or are not thermalized"
        for length, one in zip(lengths, measured)
        if len(one.deviations) and not np.abs(one.deviations).max() < LARGEST_DEVIATION
    ]
    for one in found:
        name = f"{one.quantity.kind} of {one.quantity.function}"
        fit = one.fits[0] if one.fits else None
        if fit and fit.freedom and chi2_probability(fit.chi2, fit.freedom) < UNLIKELY:
            remarks.append(
                f"{name}: chi^2 = {fit.chi2:.1f} of {fit.freedom} degrees of freedom; the sizes do"
                " not follow a power of L with one correction: they are too small, or the coupling"
                " is not critical"
            )
        if one.drift is not None and one.drift_error is not None:
            if abs(one.drift) > max(LARGEST_DRIFT, 4 * one.drift_error):
                remarks.append(
                    f"{name}: the dimension changes by {one.drift:+.3f} per unit of ln L; either"
                    " corrections are large or the coupling is not critical"
                )
    return tuple(remarks)


def _largest(one: Estimates) -> float:
    return float(np.abs(one.deviations).max())


def chi2_probability(chi2: float, freedom: int) -> float:
    """Return the probability that chi^2 is at least as large.

    Parameters
    ----------
    chi2 : float
    freedom : int
        Degrees of freedom, at least 1.

    Notes
    -----
    The finite series of the regularized incomplete gamma function.
    """
    half, even = chi2 / 2, freedom % 2 == 0
    term = np.exp(-half) if even else np.exp(-half) * np.sqrt(chi2 / (np.pi / 2))
    total = 0.0 if even else math.erfc(math.sqrt(half))
    for k in range(0 if even else 1, freedom - 1, 2):
        total += term
        term *= chi2 / (k + 2)
    return float(min(1.0, total))
