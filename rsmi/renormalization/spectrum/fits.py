"""Extrapolation of a scaling dimension over lattice sizes by generalized least squares.

The model of quantity i at size L is ln q_i(L) = (p_i + r_i Delta) ln L + a_i + c_i L^-omega, with
one Delta for all quantities of a fit, and if necessary a second correction b_i L^-second. Sizes are
independent; the quantities of one size have a covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.statistics.fits import where_slope_vanishes

FREE_OMEGAS = (0.3, 6.0)  # the range in which a free omega is sought
FEWEST_FOR_FREE_OMEGA = 5


class SizeValues(NamedTuple):
    """The quantities of one size that enter a fit.

    Attributes
    ----------
    length : float
        L.
    values : ndarray of float64, (quantities,)
        ln q_i.
    covariance : ndarray of float64, (quantities, quantities)
    """

    length: float
    values: NDArray[np.float64]
    covariance: NDArray[np.float64]


class Extrapolation(NamedTuple):
    """A fitted scaling dimension.

    Attributes
    ----------
    lengths : tuple of float
        The fitted sizes.
    delta, error : float
        Delta and its standard error.
    chi2 : float
    freedom : int
        Degrees of freedom of chi^2.
    omega : float or None
        The exponent of the correction; None if there is no correction.
    correction : float
        c of the first quantity; 0 without a correction.
    second : float or None
        The exponent of the second correction; None if there is only one.
    second_correction : float
        b of the first quantity; 0 without a second correction.
    """

    lengths: tuple[float, ...]
    delta: float
    error: float
    chi2: float
    freedom: int
    omega: float | None
    correction: float
    second: float | None = None
    second_correction: float = 0.0


def extrapolate(
    sizes: Sequence[SizeValues],
    powers: Sequence[tuple[int, int]],
    omega: float | None,
    second: float | None = None,
) -> Extrapolation:
    """Fit one Delta to quantities of several sizes.

    Parameters
    ----------
    sizes : sequence of SizeValues
    powers : sequence of (int, int)
        (p_i, r_i) of each quantity.
    omega : float or None
        None leaves the correction out.
    second : float, optional
        The exponent of a second correction; only with ``omega``.

    Raises
    ------
    ValueError
        If there are fewer sizes than the fit has parameters for each quantity, or errors vanish.
    """
    exponents = [exponent for exponent in (omega, second) if exponent is not None]
    needed = 2 + len(exponents)
    if len({size.length for size in sizes}) < needed:
        raise ValueError(f"a fit needs {needed} different sizes")
    design, values, weights = _system(sizes, powers, exponents)
    solution, inverse, chi2 = _solve(design, values, weights)
    corrections = [*solution[1 + len(powers) :: len(powers)].tolist(), 0.0, 0.0]
    return Extrapolation(
        tuple(size.length for size in sizes),
        float(solution[0]),
        float(np.sqrt(inverse[0, 0])),
        chi2,
        len(values) - len(solution),
        omega,
        corrections[0],
        second,
        corrections[1],
    )


def extrapolate_free(
    sizes: Sequence[SizeValues], powers: Sequence[tuple[int, int]]
) -> Extrapolation:
    """Fit Delta and omega. The error of Delta contains that of omega.

    Raises
    ------
    ValueError
        If there are fewer than five sizes, or no omega in `FREE_OMEGAS` is best.
    """
    if len(sizes) < FEWEST_FOR_FREE_OMEGA:
        raise ValueError(
            f"a free omega needs {FEWEST_FOR_FREE_OMEGA} sizes, not {len(sizes)}; give a number"
        )
    grid = np.linspace(*FREE_OMEGAS, 115)
    chi2 = [extrapolate(sizes, powers, omega).chi2 for omega in grid]
    best = int(np.argmin(chi2))
    if best in (0, len(grid) - 1):
        raise ValueError("the sizes do not determine omega; give a number")
    omega = where_slope_vanishes(
        lambda omega: _slope_of_omega(sizes, powers, omega)[0],
        float(grid[best - 1]),
        float(grid[best + 1]),
    )
    _, wide, values, weights = _slope_of_omega(sizes, powers, omega)
    _, inverse, _ = _solve(wide, values, weights)
    fixed = extrapolate(sizes, powers, omega)
    return fixed._replace(error=float(np.sqrt(inverse[0, 0])), freedom=fixed.freedom - 1)


def _slope_of_omega(
    sizes: Sequence[SizeValues], powers: Sequence[tuple[int, int]], omega: float
) -> tuple[float, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return half the derivative of chi^2 by omega, and the system of `_system` with a column for
    the derivative of the model by omega."""
    design, values, weights = _system(sizes, powers, [omega])
    solution, _, _ = _solve(design, values, weights)
    corrections = design[:, 1 + len(powers) :] @ solution[1 + len(powers) :]
    column = -np.repeat(np.log([size.length for size in sizes]), len(powers)) * corrections
    slope = float((weights @ (design @ solution - values)) @ (weights @ column))
    return slope, np.column_stack([design, column]), values, weights


def _system(
    sizes: Sequence[SizeValues], powers: Sequence[tuple[int, int]], exponents: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the matrix of the parameters Delta, a_i, c_i, b_i, the values without p_i ln L, and a
    matrix W with W^T W the inverse of the covariance."""
    n = len(powers)
    constant, slope = np.array(powers, dtype=np.float64).T
    design = np.zeros((n * len(sizes), 1 + n + n * len(exponents)))
    values, weights = np.zeros(n * len(sizes)), np.zeros((n * len(sizes),) * 2)
    for i, size in enumerate(sizes):
        row = slice(n * i, n * (i + 1))
        design[row, 0] = slope * np.log(size.length)
        powers_of_size = [1.0, *(size.length**-exponent for exponent in exponents)]
        design[row, 1:] = np.hstack([power * np.eye(n) for power in powers_of_size])
        values[row] = size.values - constant * np.log(size.length)
        weights[row, row] = _whitening(size.covariance)
    return design, values, weights


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    errors = np.sqrt(np.diag(covariance))
    if not np.all(errors > 0) or not np.isfinite(covariance).all():
        raise ValueError("a fit needs a positive error of every quantity")
    factor = np.linalg.cholesky(covariance / np.outer(errors, errors))
    return np.linalg.inv(factor) / errors


def _solve(
    design: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the parameters, their covariance and chi^2."""
    white, target = weights @ design, weights @ values
    scale = np.linalg.norm(white, axis=0)
    q, r = np.linalg.qr(white / scale)
    inverse = np.linalg.inv(r) / scale[:, None]
    solution = inverse @ (q.T @ target)
    return solution, inverse @ inverse.T, float(np.sum((target - white @ solution) ** 2))
