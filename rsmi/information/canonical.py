"""Canonical correlations of two sets of variables, computed from their covariances.

Pairs of linear functions, one of V and one of E, have unit variance, are correlated as strongly as
possible and are uncorrelated with the other pairs (H. Hotelling, Biometrika 28, 321 (1936)). For
Gaussian variables I(V:E) is the sum of -ln(1 - rho^2)/2 over the pairs. Covariances may be singular
(conserved quantities, gauge freedom): directions whose variance is below ``CUT`` times the largest
are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

CUT = 1e-9
SAMPLE_CUT = 1e-6  # of covariances of samples, whose null directions have rounding errors
_ROWS_AT_ONCE = 1 << 16  # as floating-point numbers


class Moments(NamedTuple):
    """Covariances of two sets of variables.

    Attributes
    ----------
    block : ndarray of float64, (n_block, n_block)
    environment : ndarray of float64, (n_environment, n_environment)
    between : ndarray of float64, (n_block, n_environment)
    """

    block: NDArray[np.float64]
    environment: NDArray[np.float64]
    between: NDArray[np.float64]


def sample_moments(
    blocks: NDArray[np.integer],
    environments: NDArray[np.integer],
    means: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Moments:
    """Return the covariances of samples in double precision.

    Parameters
    ----------
    blocks : ndarray of int, (n, n_block)
    environments : ndarray of int, (n, n_environment)
    means : (ndarray, ndarray), optional
        What is subtracted from both; None for variables whose averages vanish by symmetry.
    """
    size = blocks.shape[1] + environments.shape[1]
    total = np.zeros((size, size))
    for first in range(0, len(blocks), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        both = np.concatenate([blocks[rows], environments[rows]], axis=1, dtype=np.float64)
        if means is not None:
            both -= np.concatenate(means)
        total += both.T @ both
    total /= len(blocks)
    inside, outside = slice(0, blocks.shape[1]), slice(blocks.shape[1], None)
    return Moments(total[inside, inside], total[outside, outside], total[inside, outside])


class Canonical(NamedTuple):
    """Canonical correlations in descending order, and their modes.

    Attributes
    ----------
    correlations : ndarray of float64, (k,)
    block_modes : ndarray of float64, (k, n_block)
        Coefficients of the linear functions of V, which have unit variance.
    environment_modes : ndarray of float64, (k, n_environment)
        The same for E.
    """

    correlations: NDArray[np.float64]
    block_modes: NDArray[np.float64]
    environment_modes: NDArray[np.float64]


def whitening(covariance: NDArray[np.float64], cut: float = CUT) -> NDArray[np.float64]:
    """Return a matrix that turns variables into independent ones of unit variance.

    Parameters
    ----------
    covariance : ndarray of float64, (n, n)
        Covariance C of the variables.
    cut : float
        Directions with a smaller share of the largest variance are left out.

    Returns
    -------
    ndarray of float64, (rank, n)
        W with W C W^T = 1.
    """
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > cut * variances[-1]
    return (directions[:, kept] / np.sqrt(variances[kept])).T


def canonical_correlations(
    block: NDArray[np.float64],
    environment: NDArray[np.float64],
    between: NDArray[np.float64],
    cut: float = CUT,
) -> Canonical:
    """Return the canonical correlations of V and E.

    Parameters
    ----------
    block : ndarray of float64, (n_block, n_block)
        Covariance within V; it may be singular.
    environment : ndarray of float64, (n_environment, n_environment)
        Covariance within E; it may be singular.
    between : ndarray of float64, (n_block, n_environment)
        Covariances between V and E.
    cut : float
        See `whitening`.

    Returns
    -------
    Canonical
        As many pairs as the smaller rank of the two.
    """
    first, second = whitening(block, cut), whitening(environment, cut)
    left, correlations, right = np.linalg.svd(first @ between @ second.T, full_matrices=False)
    return Canonical(correlations, left.T @ first, right @ second)


def readout_correlations(
    filters: ArrayLike,
    block: NDArray[np.float64],
    environment: NDArray[np.float64],
    between: NDArray[np.float64],
    cut: float = CUT,
) -> NDArray[np.float64]:
    """Return the canonical correlations of some linear functions of V with E.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, n_block)
        Coefficients of the linear functions.
    block, environment, between, cut
        As for `canonical_correlations`.

    Returns
    -------
    ndarray of float64, (rank of the filters,)
        In descending order. For one filter this is its correlation with the linear function of E
        that predicts it best. The array is empty if no filter varies.
    """
    filters = np.atleast_2d(np.asarray(filters, np.float64))
    within = filters @ block @ filters.T
    if not (np.diagonal(within) > 0).any():
        return np.zeros(0)
    return canonical_correlations(within, environment, filters @ between, cut).correlations


def rotation_to_modes(
    filters: NDArray[np.float64], moments: Moments, cut: float = SAMPLE_CUT
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mixtures of several linear functions of V that are canonical with E.

    Coarse variables that were learned together are any mixture of the same functions. The mixtures
    that this function returns are uncorrelated with one another, and the first one is predicted by
    E best.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, n_block)
    moments : Moments
    cut : float
        See `whitening`.

    Returns
    -------
    correlations : ndarray of float64, (rank,)
        In descending order.
    rotation : ndarray of float64, (rank, n_hidden)
        ``rotation @ filters`` are the mixtures, which have unit variance.
    """
    within = filters @ moments.block @ filters.T
    found = canonical_correlations(within, moments.environment, filters @ moments.between, cut)
    return found.correlations, found.block_modes


def window_covariance(
    covariance: NDArray[np.float64], first: ArrayLike, second: ArrayLike
) -> NDArray[np.float64]:
    """Return the covariances between two lists of variables of a torus that translations leave
    alone.

    Parameters
    ----------
    covariance : ndarray of float64, (components, components, Lx, Ly)
        ``[a, b, dx, dy]`` is the covariance of component a at (x, y) and b at (x + dx, y + dy).
    first, second : array_like of int, (n, 3), (m, 3)
        Component, x and y of each variable; coordinates are taken modulo the lattice.

    Returns
    -------
    ndarray of float64, (n, m)
    """
    first, second = np.asarray(first)[:, None], np.asarray(second)[None]
    difference = (second[..., 1:] - first[..., 1:]) % np.array(covariance.shape[2:])
    return covariance[first[..., 0], second[..., 0], difference[..., 0], difference[..., 1]]


def explained_shares(
    functions: NDArray[np.float64], basis: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of the variance of each linear function of V that the span of others
    explains.

    Parameters
    ----------
    functions : ndarray of float64, (n, n_block)
    basis : ndarray of float64, (k, n_block)
    covariance : ndarray of float64, (n_block, n_block)

    Returns
    -------
    ndarray of float64, (n,)
        nan for a function that does not vary.
    """
    products = basis @ covariance @ functions.T
    weights = np.linalg.pinv(basis @ covariance @ basis.T, rcond=1e-9, hermitian=True)
    variances = np.einsum("fi,ij,fj->f", functions, covariance, functions)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("if,ij,jf->f", products, weights, products) / variances


def angles_between(
    functions: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the angles between linear functions of V, the arccos of their correlations.

    Parameters
    ----------
    functions : ndarray of float64, (n, n_block)
    covariance : ndarray of float64, (n_block, n_block)

    Returns
    -------
    ndarray of float64, (n, n)
        Degrees in [0, 180]; nan for a function that does not vary.

    Notes
    -----
    Half of the angle is the arctangent of |u - v| / |u + v| for functions u, v of unit variance.
    The arccos itself loses half of the digits of a small angle.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        units = functions / _deviations(functions, covariance)[:, None]
    apart = _deviations(units[:, None] - units, covariance)
    return 2 * np.degrees(np.arctan2(apart, _deviations(units[:, None] + units, covariance)))


def _deviations(
    functions: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviations of functions, (..., n_block) -> (...)."""
    variances = np.einsum("...i,ij,...j->...", functions, covariance, functions)
    return np.sqrt(np.maximum(variances, 0.0))


def gaussian_information(correlations: ArrayLike) -> float:
    """Return the mutual information in nats of Gaussian variables with these canonical
    correlations, the sum of -ln(1 - rho^2)/2."""
    return float(information_of_each(correlations).sum())


def information_of_each(correlations: ArrayLike) -> NDArray[np.float64]:
    """Return -ln(1 - rho^2)/2 in nats for each correlation.

    The value is infinite where rho^2 exceeds 1 - 1e-9, which happens by rounding of singular
    covariances.
    """
    squares = np.asarray(correlations, float) ** 2
    with np.errstate(divide="ignore"):
        return -0.5 * np.log1p(-np.where(squares > 1 - CUT, 1.0, squares))
