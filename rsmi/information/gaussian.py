"""The critic of correlated Gaussian variables: what covariances alone say of a block and its
environment.

F(v, e) = (v - <v>) C_vv^+ C_ve C_ee^+ (e - <e>) is, to first order in the correlations, the
logarithm of P(v, e)/(P(v) P(e)) of Gaussian variables of these covariances, up to terms of v or e
alone.
"""

import numpy as np
from numpy.typing import NDArray

DEPENDENT = 1e-9  # a variable that others determine up to this share of its variance is left out
_ROWS = 1 << 13  # windows at a time


def gaussian_critic(
    blocks: NDArray[np.int8], environments: NDArray[np.int8]
) -> NDArray[np.float64]:
    """The matrix C_vv^+ C_ve C_ee^+ of the covariances of the given windows, (n_block,
    n_environment) float64.

    Parameters
    ----------
    blocks, environments : (n, n_block), (n, n_environment) int8
        Windows, +-1.
    """
    n_block, n = blocks.shape[1], len(blocks)
    sites = n_block + environments.shape[1]
    sums, products = np.zeros(sites), np.zeros((sites, sites))
    for first in range(
        0, n, _ROWS
    ):  # sums of +-1 are exact: no order of evaluation, no library, changes a bit
        rows = np.concatenate(
            [blocks[first : first + _ROWS], environments[first : first + _ROWS]], axis=1
        ).astype(np.float64)
        sums += rows.sum(axis=0)
        products += rows.T @ rows
    covariance = products / n - np.multiply.outer(sums / n, sums / n)
    inverse_block = generalized_inverse(covariance[:n_block, :n_block])
    inverse_environment = generalized_inverse(covariance[n_block:, n_block:])
    left = np.einsum("ij,jk->ik", inverse_block, covariance[:n_block, n_block:])
    return np.einsum(
        "ij,jk->ik", left, inverse_environment
    )  # einsum without optimisation calls no BLAS


def generalized_inverse(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """A symmetric G with C G C = C: the inverse on a largest set of independent variables, zero
    elsewhere.

    On vectors that C allows, G gives the same quadratic form as the pseudo-inverse. By the sweep
    operator with pivots of largest unexplained variance (Goodnight, Am. Stat. 33, 149 (1979)).
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
