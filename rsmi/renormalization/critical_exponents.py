"""The exponents that people quote, from the eigenvalues y_t and y_h of the renormalization group.

    nu = 1/y_t          alpha = 2 - d/y_t
    eta = d + 2 - 2 y_h     delta = y_h / (d - y_h)
    beta = (d - y_h)/y_t    gamma = (2 y_h - d)/y_t

y_t = d - Delta_epsilon and y_h = d - Delta_sigma in terms of scaling dimensions. The relations
assume hyperscaling, which holds below the upper critical dimension.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

EXPONENTS = ("nu", "eta", "beta", "gamma", "delta", "alpha")


class Exponent(NamedTuple):
    """A critical exponent with its standard error, to first order in the errors of y_t and y_h."""

    value: float
    error: float


def quoted_exponents(
    dimension: int,
    y_t: float | None = None,
    y_h: float | None = None,
    errors: tuple[float, float] = (0.0, 0.0),
    correlation: float = 0.0,
) -> dict[str, Exponent]:
    """Return the exponents that follow from y_t and y_h, in the order of `EXPONENTS`.

    Parameters
    ----------
    dimension : int
        d.
    y_t, y_h : float, optional
        Without one of them the exponents that need it are left out.
    errors : (float, float)
        Standard errors of y_t and y_h.
    correlation : float
        Correlation coefficient of the two errors; 0 if they come from independent fits.

    Returns
    -------
    dict of str to Exponent
        Exponents whose denominator vanishes are left out too.
    """
    spread = np.array(errors, dtype=np.float64)
    covariance = np.outer(spread, spread) * np.array([[1, correlation], [correlation, 1]])
    exponents = {}
    if y_t:
        exponents["nu"] = _exponent(1 / y_t, (-1 / y_t**2, 0), covariance)
        exponents["alpha"] = _exponent(2 - dimension / y_t, (dimension / y_t**2, 0), covariance)
    if y_h is not None:
        exponents["eta"] = _exponent(dimension + 2 - 2 * y_h, (0, -2), covariance)
        if (delta_sigma := dimension - y_h) != 0:
            slope = dimension / delta_sigma**2
            exponents["delta"] = _exponent(y_h / delta_sigma, (0, slope), covariance)
    if y_t and y_h is not None:
        beta, gamma = (dimension - y_h) / y_t, (2 * y_h - dimension) / y_t
        exponents["beta"] = _exponent(beta, (-beta / y_t, -1 / y_t), covariance)
        exponents["gamma"] = _exponent(gamma, (-gamma / y_t, 2 / y_t), covariance)
    return {name: exponents[name] for name in EXPONENTS if name in exponents}


def exponents_of_dimensions(
    dimension: int,
    delta_epsilon: float | None = None,
    delta_sigma: float | None = None,
    errors: tuple[float, float] = (0.0, 0.0),
    correlation: float = 0.0,
) -> dict[str, Exponent]:
    """Return what `quoted_exponents` does, from the scaling dimensions and their errors."""
    y_t = None if delta_epsilon is None else dimension - delta_epsilon
    y_h = None if delta_sigma is None else dimension - delta_sigma
    return quoted_exponents(dimension, y_t, y_h, errors, correlation)


def _exponent(value: float, gradient: ArrayLike, covariance: np.ndarray) -> Exponent:
    slopes = np.asarray(gradient, dtype=np.float64)
    return Exponent(float(value), float(np.sqrt(slopes @ covariance @ slopes)))
