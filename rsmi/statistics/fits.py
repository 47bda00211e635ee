"""Weighted least-squares fits of polynomials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Fit(NamedTuple):
    """A fitted polynomial sum_k coefficients[k] (x - origin)^k.

    Attributes
    ----------
    coefficients : ndarray of float64, (degree + 1,)
    covariance : ndarray of float64, (degree + 1, degree + 1)
        Covariance of the coefficients.
    chi2 : float
        chi^2 of the fit.
    degrees_of_freedom : int
    origin : float
        The mean of the fitted x.
    """

    coefficients: NDArray[np.float64]
    covariance: NDArray[np.float64]
    chi2: float
    degrees_of_freedom: int
    origin: float

    @property
    def errors(self) -> NDArray[np.float64]:
        """Standard errors of the coefficients, float64 (degree + 1,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)), np.float64)

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the value of the polynomial at every x."""
        distance = np.asarray(x, dtype=np.float64) - self.origin
        return np.asarray(np.polynomial.polynomial.polyval(distance, self.coefficients), np.float64)

    def slope(self, x: float) -> tuple[float, float]:
        """Return the derivative at x and its standard error."""
        powers = np.arange(len(self.coefficients))
        gradient = powers * (x - self.origin) ** np.maximum(powers - 1, 0)
        return float(gradient @ self.coefficients), float(
            np.sqrt(gradient @ self.covariance @ gradient)
        )

    def root(self, low: float, high: float) -> tuple[float, float]:
        """Return the root between two points and its standard error to first order.

        Raises
        ------
        ValueError
            Unless there is exactly one root between `low` and `high`, with a slope other than zero.
        """
        roots = np.polynomial.polynomial.polyroots(self.coefficients)
        roots = roots[np.abs(roots.imag) < 1e-12 * max(high - low, 1e-300)].real + self.origin
        inside = roots[(roots >= low) & (roots <= high)]
        if len(inside) != 1:
            raise ValueError(f"the fit has {len(inside)} roots between {low:.8g} and {high:.8g}")
        slope, _ = self.slope(inside[0])
        if slope == 0:
            raise ValueError("the fit touches zero without crossing it")
        powers = (inside[0] - self.origin) ** np.arange(len(self.coefficients))
        return float(inside[0]), float(np.sqrt(powers @ self.covariance @ powers) / abs(slope))


def polynomial_fit(x: ArrayLike, y: ArrayLike, errors: ArrayLike, degree: int = 1) -> Fit:
    """Fit a polynomial to independent points by weighted least squares.

    Parameters
    ----------
    x, y : array_like of float, (n,)
        The points; n must be larger than the degree.
    errors : array_like of float, (n,)
        Standard errors of y, all positive.
    degree : int

    Returns
    -------
    Fit
        The polynomial about the mean of x.

    Raises
    ------
    ValueError
        If there are too few points, an error is not positive, or the points do not determine the
        polynomial.
    """
    x, y, errors = (np.asarray(values, dtype=np.float64) for values in (x, y, errors))
    if len(x) <= degree:
        raise ValueError(f"a polynomial of degree {degree} needs more than {len(x)} points")
    if not np.all(errors > 0):
        raise ValueError("a weighted fit needs a positive error at every point")
    origin = float(x.mean())
    # In units of this width the powers are of order one.
    width = float(np.max(np.abs(x - origin))) or 1.0
    design = np.vander((x - origin) / width, degree + 1, increasing=True) / errors[:, None]
    q, r = np.linalg.qr(design)
    if np.min(np.abs(np.diag(r))) < 1e-12 * np.max(np.abs(r)):
        raise ValueError("the points do not determine the polynomial")
    inverse = np.linalg.inv(r)
    units = width ** -np.arange(degree + 1.0)
    coefficients = units * (inverse @ (q.T @ (y / errors)))
    fit = Fit(
        coefficients,
        np.outer(units, units) * (inverse @ inverse.T),
        0.0,
        len(x) - degree - 1,
        origin,
    )
    return fit._replace(chi2=float(np.sum(((y - fit(x)) / errors) ** 2)))


def scatter_beyond_errors(chi2: Callable[[float], float], freedom: int, largest: float) -> float:
    """Return by how much points scatter about a model beyond their errors.

    The scatter is the number that must be added in quadrature to every error, so that chi^2 equals
    the degrees of freedom.

    Parameters
    ----------
    chi2 : callable
        Maps an added scatter to chi^2 of the best fit; it must decrease.
    freedom : int
        Degrees of freedom.
    largest : float
        An upper bound of the scatter.

    Returns
    -------
    float
        The scatter in the unit of the errors, to 0.1 %; 0 if the errors explain the deviations.
    """
    if chi2(0.0) <= freedom:
        return 0.0
    low, high = largest * 2.0**-30, largest
    while high > 1.001 * low:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if chi2(middle) > freedom else (low, middle)
    return float((low * high) ** 0.5)


def where_slope_vanishes(slope: Callable[[float], float], low: float, high: float) -> float:
    """Return the place of a minimum between two numbers, by bisection of the slope.

    The values of a function determine its minimum to half of the digits of a float only; where its
    slope changes sign is known to nearly all of them.

    Parameters
    ----------
    slope : callable
        The derivative of the function, up to a positive factor.
    low, high : float
        Numbers that enclose one minimum.

    Returns
    -------
    float
        The minimum; one of the two numbers if the slope has the same sign everywhere.
    """
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return middle


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
    term = math.exp(-half) if even else math.exp(-half) * math.sqrt(2 * chi2 / math.pi)
    total = 0.0 if even else math.erfc(math.sqrt(half))
    for k in range(0 if even else 1, freedom - 1, 2):
        total += term
        term *= chi2 / (k + 2)
    return min(1.0, total)
