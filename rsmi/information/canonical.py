"""Canonical correlations of two sets of variables from their covariances.

H. Hotelling, Biometrika 28, 321 (1936): pairs of linear functions, one of V and one of E, of unit
variance, correlated as strongly as possible and with none of the other pairs. For Gaussian
variables I(V:E) is the sum of -ln(1 - rho^2)/2 over the pairs. Covariances may be singular
(conserved quantities, gauge freedom): directions whose variance is below ``CUT`` times the largest
are left out.
"""

from typing import NamedTuple

import numpy as np

CUT = 1e-9


class Canonical(NamedTuple):
    """Canonical correlations, falling, and their modes: rows of coefficients that give unit
    variance."""

    correlations: np.ndarray  # (k,) float64
    block_modes: np.ndarray  # (k, n_block) float64
    environment_modes: np.ndarray  # (k, n_environment) float64


def whitening(covariance, cut=CUT):
    """Rows that turn variables of this covariance into independent ones of unit variance.

    Parameters
    ----------
    covariance : ndarray of float64, (n, n)
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


def canonical_correlations(block, environment, between, cut=CUT):
    """Canonical correlations of V and E.

    Parameters
    ----------
    block, environment : ndarray of float64, (n_block, n_block), (n_environment, n_environment)
        Covariances within V and within E, possibly singular.
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


def readout_correlations(filters, block, environment, between, cut=CUT):
    """Canonical correlations of the linear functions ``filters`` of V with E.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, n_block)
    block, environment, between
        As in `canonical_correlations`.

    Returns
    -------
    ndarray of float64, (rank of the filters,)
        Falling. For one filter, its correlation with the linear function of E that predicts it
        best; empty if nothing varies.
    """
    filters = np.atleast_2d(filters)
    within = filters @ block @ filters.T
    if not (np.diagonal(within) > 0).any():
        return np.zeros(0)
    return canonical_correlations(within, environment, filters @ between, cut).correlations


def gaussian_information(correlations):
    """Sum of -ln(1 - rho^2)/2 in nats: the mutual information of Gaussian variables with these
    canonical correlations."""
    return float(information_of_each(correlations).sum())


def information_of_each(correlations):
    """-ln(1 - rho^2)/2 in nats; infinite where rho^2 exceeds 1 - 1e-9, which is rounding of
    singular covariances."""
    squares = np.asarray(correlations, float) ** 2
    with np.errstate(divide="ignore"):
        return -0.5 * np.log1p(-np.where(squares > 1 - CUT, 1.0, squares))
