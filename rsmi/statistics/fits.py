"""Weighted least squares."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Fit(NamedTuple):
    """A polynomial sum_k coefficients[k] (x - origin)^k with the covariance of its coefficients."""

    coefficients: np.ndarray
    covariance: np.ndarray
    chi2: float
    degrees_of_freedom: int
    origin: float

    @property
    def errors(self) -> np.ndarray:
        return np.sqrt(np.diag(self.covariance))

    def __call__(self, x):
        return np.polynomial.polynomial.polyval(
            np.asarray(x, dtype=np.float64) - self.origin, self.coefficients
        )

    def slope(self, x: float) -> tuple[float, float]:
        """Derivative at `x` and its error."""
        powers = np.arange(len(self.coefficients))
        gradient = powers * (x - self.origin) ** np.maximum(powers - 1, 0)
        return float(gradient @ self.coefficients), float(
            np.sqrt(gradient @ self.covariance @ gradient)
        )

    def root(self, low: float, high: float) -> tuple[float, float]:
        """The root between `low` and `high` and its error to first order; ValueError unless there
        is exactly one."""
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


def polynomial_fit(x, y, errors, degree: int = 1) -> Fit:
    """Weighted least-squares polynomial through independent points y +- errors, about the mean of
    x.

    Parameters
    ----------
    x, y, errors : (n,) with n > degree and all errors > 0
    """
    x, y, errors = (np.asarray(values, dtype=np.float64) for values in (x, y, errors))
    if len(x) <= degree:
        raise ValueError(f"a polynomial of degree {degree} needs more than {len(x)} points")
    if not np.all(errors > 0):
        raise ValueError("a weighted fit needs a positive error at every point")
    origin = float(x.mean())
    width = (
        float(np.max(np.abs(x - origin))) or 1.0
    )  # in units of which the powers are of order one
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
    """By how much points scatter about a model beyond their errors: what must be added in
    quadrature to every error for chi^2 to be the degrees of freedom; 0 if nothing.

    Parameters
    ----------
    chi2 : chi^2 of the best fit with that much added, decreasing
    freedom : degrees of freedom
    largest : an upper bound
    """
    if chi2(0.0) <= freedom:
        return 0.0
    low, high = largest * 2.0**-30, largest
    while high > 1.001 * low:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if chi2(middle) > freedom else (low, middle)
    return float((low * high) ** 0.5)
