"""Gauge fixing of filters: their overall sign, and combinations of constraints.

A constraint is a linear combination of a block's variables that has the same value in every
configuration, such as the sum of the links around a vertex of a dimer covering, or the sum of the
one-hot columns of a site. Adding a multiple of it to a filter is the same as a change of its bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.columns import Columns


@dataclass(frozen=True)
class Constraints:
    """Linear combinations of a block's variables that never vary.

    Attributes
    ----------
    vectors : ndarray of float64, shape (n, n_block)
        Linearly independent.
    sums : ndarray of float64, shape (n,)
        ``vectors @ v == sums`` for every block v of every configuration.
    """

    vectors: NDArray[np.float64]
    sums: NDArray[np.float64]


def one_hot_constraints(columns: Columns) -> Constraints | None:
    """Return the constraints that follow from the columns of a block alone: the features of every
    categorical column sum to zero. None if all columns are binary."""
    vectors = columns.feature_sums()
    return Constraints(vectors, np.zeros(len(vectors))) if len(vectors) else None


def without_constraints(
    filters: NDArray[np.float64], bias: NDArray[np.float64], constraints: Constraints | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The filters that are orthogonal to all constraints and do the same.

    Parameters
    ----------
    filters : ndarray of float64, shape (..., n_block)
    bias : ndarray of float64, shape (...)
    constraints : Constraints, optional
        None leaves everything as it is.

    Returns
    -------
    filters, bias : ndarray
        Of the same shapes; filter times block plus bias is unchanged on every configuration.
    """
    if constraints is None or not len(constraints.vectors):
        return filters, bias
    vectors, sums = constraints.vectors, constraints.sums
    overlaps = np.einsum("si,...i->s...", vectors, filters).reshape(len(vectors), -1)
    shares = np.linalg.solve(vectors @ vectors.T, overlaps)
    shares = shares.reshape(len(vectors), *filters.shape[:-1])
    weighted = sums.reshape(-1, *[1] * bias.ndim) * shares
    return filters - np.einsum("s...,si->...i", shares, vectors), bias + weighted.sum(axis=0)


def positive(
    filters: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Flip filters such that their sums are positive.

    A filter whose sum vanishes gets a positive first weight. To flip a filter and its bias only
    exchanges the names of the two states of the hidden unit.

    Parameters
    ----------
    filters, bias : ndarray of float64, (hidden, n_block) and (hidden,)

    Returns
    -------
    filters, bias : ndarray of float64
        Of the same shapes.
    signs : ndarray of float64, (hidden,)
        The sign by which each filter was multiplied.
    """
    sums = filters.sum(axis=1)
    vanishing = np.abs(sums) <= 1e-9 * np.abs(filters).sum(axis=1)
    signs = np.where(np.where(vanishing, filters[:, 0], sums) < 0, -1.0, 1.0)
    return filters * signs[:, None], bias * signs + 0.0, signs  # + 0.0 makes 0 of -0
