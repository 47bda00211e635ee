"""Scaling dimensions of all quantities, and the headline of each sector.

Every quantity is fitted alone, in three ways: all sizes with a correction L^-omega, the same
without the smallest size, and the pair of the two largest sizes without a correction. The first fit
is quoted. Two sizes leave only the pair: there is no extrapolation. Where omega is smaller than 1
and there are six sizes, a second correction of about L^-2 is fitted too: without it, the terms of
this order would be absorbed by Delta.

The exponent omega of <m^2> is that of its contact term where this is the leading correction: its
amplitude is of order one, and d - 2 Delta = 7/4 for Ising models in two dimensions.

The headline of the odd sector is the smeared antipodal sum of a function if modes are measured,
else its m^2. The headline of the even sector is X24, or X12 if there are only two sizes. These
rules were chosen on samples of the two-dimensional Ising model, and do not depend on the data that
are analysed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rsmi.renormalization.spectrum.extrapolations import (
    Dimension,
    contact_omega,
    dimension_of,
    leading_omega,
    omega_of,
    second_omega,
)
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.quantities import (
    LARGEST_DEVIATION,
    TITLES,
    Estimates,
    ExactAverage,
    estimates,
)
from rsmi.statistics.fits import chi2_probability

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


class Spectrum(NamedTuple):
    """The result of an analysis.

    Attributes
    ----------
    lengths : tuple of int
    estimates : tuple of Estimates
        Of every size.
    dimensions : tuple of Dimension
        Of every quantity.
    omega : float or "free"
        The exponent of leading corrections; fits have their own.
    remarks : tuple of str
        What a reader should know: sentences.
    """

    lengths: tuple[int, ...]
    estimates: tuple[Estimates, ...]
    dimensions: tuple[Dimension, ...]
    omega: float | Literal["free"]
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


def spectrum_of(
    sizes: Sequence[SizeData],
    omega: Omega = None,
    probe: int = 0,
    leading: float | None = None,
    contact: float | None = None,
) -> Spectrum:
    """Extrapolate the scaling dimensions of all functions.

    Parameters
    ----------
    sizes : sequence of SizeData
        At least two different sizes, with the same functions.
    omega : float or "free", optional
        The exponent of the corrections of all quantities; by default `extrapolations.omega_of`.
    probe : int
        The odd function of the responses, by its number.
    leading : float, optional
        The exponent of leading corrections, if it is known; by default
        `extrapolations.leading_omega`.
    contact : float, optional
        The exponent of the contact term of <m^2>; by default that of the Ising model.

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
    default = leading_omega(dimension) if leading is None else leading
    contact = contact_omega(dimension) if contact is None else contact
    measured = tuple(estimates(size.sums, probe, size.exact) for size in sizes)
    dimensions = tuple(
        dimension_of(
            quantity,
            number,
            lengths,
            measured,
            dimension,
            omega_of(quantity.kind, default, contact) if omega is None else omega,
            second_omega(default, contact, len(sizes)) if omega is None else None,
            contact,
        )
        for number, quantity in enumerate(measured[0].quantities)
    )
    chosen = default if omega is None else omega
    return Spectrum(lengths, measured, dimensions, chosen, _remarks(lengths, measured, dimensions))


# ---- remarks -------------------------------------------------------------------------------------


def _remarks(
    lengths: Sequence[int], measured: Sequence[Estimates], dimensions: Sequence[Dimension]
) -> tuple[str, ...]:
    remarks = [
        f"L = {length}: the energy differs from the exact one by {_largest(one):.1f} errors; the"
        " samples are not those of the stated coupling, or are not thermalized"
        for length, one in zip(lengths, measured)
        if len(one.deviations) and not np.abs(one.deviations).max() < LARGEST_DEVIATION
    ]
    for one in dimensions:
        name = f"{TITLES[one.quantity.kind]} of {one.quantity.function}"
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
