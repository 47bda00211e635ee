"""The critic of correlated Gaussian variables, which follows from the covariances of a block and
its environment alone.

To first order in the correlations, F(v, e) = (v - <v>) C_vv^+ C_ve C_ee^+ (e - <e>) is the
logarithm of P(v, e)/(P(v) P(e)) of Gaussian variables with these covariances, up to terms of v or e
alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A variable is left out if the others determine it up to this share of its variance.
DEPENDENT = 1e-9
_ROWS = 1 << 13  # windows in one temporary array


def gaussian_critic(
    blocks: NDArray[np.int8], environments: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Return the matrix C_vv^+ C_ve C_ee^+ of the covariances of windows.

    Parameters
    ----------
    blocks : ndarray of int8, (n, n_block)
    environments : ndarray of int8, (n, n_environment)
        Windows, spins +-1.

    Returns
    -------
    ndarray of float64, (n_block, n_environment)
    """
    n_block, n = blocks.shape[1], len(blocks)
    sites = n_block + environments.shape[1]
    sums, products = np.zeros(sites), np.zeros((sites, sites))
    # Sums of +-1 are exact, so that neither the order of evaluation nor a library changes a bit.
    for first in range(0, n, _ROWS):
        rows = np.concatenate(
            [blocks[first : first + _ROWS], environments[first : first + _ROWS]], axis=1
        ).astype(np.float64)
        sums += rows.sum(axis=0)
        products += rows.T @ rows
    covariance = products / n - np.multiply.outer(sums / n, sums / n)
    inverse_block = generalized_inverse(covariance[:n_block, :n_block])
    inverse_environment = generalized_inverse(covariance[n_block:, n_block:])
    left = np.einsum("ij,jk->ik", inverse_block, covariance[:n_block, n_block:])
    # einsum without optimisation calls no BLAS
    return np.einsum("ij,jk->ik", left, inverse_environment)


def generalized_inverse(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a symmetric matrix G with C G C = C: the inverse on a largest set of independent
    variables, and zero elsewhere.

    On vectors in the range of C, G gives the same quadratic form as the pseudo-inverse. The sweep
    operator takes pivots of largest unexplained variance (Goodnight, Am. Stat. 33, 149 (1979)).

    Parameters
    ----------
    covariance : ndarray of float64, (n, n)
        Covariance C.

    Returns
    -------
    ndarray of float64, (n, n)
    """
    swept, variance = np.array(covariance, float), np.diagonal(covariance).copy()
    left, kept = np.ones(len(swept), bool), np.zeros(len(swept), bool)
    while left.any():
        unexplained = np.where(left, np.diagonal(swept), -np.inf)
        k = int(np.argmax(unexplained))
        if not unexplained[k] > DEPENDENT * max(variance[k], variance.max() * DEPENDENT):
            break
        column = swept[:, k] / swept[k, k]
        pivot = swept[k, k]
        swept -= np.multiply.outer(column, swept[k])
        swept[k], swept[:, k] = column, column
        swept[k, k] = -1 / pivot
        left[k], kept[k] = False, True
    return np.where(np.multiply.outer(kept, kept), -swept, 0.0)
