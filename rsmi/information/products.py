"""Products of a block's variables as the variables of a filter.

A product of variables +-1 is again +-1, so that a filter of products is trained, applied and
measured like a filter of the variables themselves. A filter of all pairs is a quadratic form: x =
sum_{i<j} lambda_ij v_i v_j + b = v^T A v + b with the symmetric matrix A_ij = lambda_ij / 2, whose
diagonal is zero because v_i^2 = 1 belongs to c. A product of an even number of spins is even under
a global flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Products = tuple[tuple[int, ...], ...]  # of each product, the numbers of its variables, ascending


def pairs(count: int) -> Products:
    """Return all pairs of ``count`` variables, in the order (0, 1), (0, 2), ..., (1, 2), ..."""
    return tuple(combinations(range(count), 2))


def in_range(products: Products, offsets: NDArray[np.int64], distance: float) -> Products:
    """Return the products whose variables all lie within a distance of one another.

    Parameters
    ----------
    products : tuple of tuple of int
    offsets : ndarray of int64, (n, d)
        The site of every variable.
    distance : float
        The largest Euclidean distance, in sites.
    """
    apart = np.linalg.norm(offsets[:, np.newaxis] - offsets, axis=2)
    return tuple(one for one in products if apart[np.ix_(one, one)].max() <= distance + 1e-9)


def multiply(windows: NDArray[Any], products: Products) -> NDArray[np.int8]:
    """Return the values of products.

    Parameters
    ----------
    windows : ndarray, (n, n_variables)
        Values +-1.
    products : tuple of tuple of int

    Returns
    -------
    ndarray of int8, (n, n_products)
        Values +-1.
    """
    values = np.empty((len(windows), len(products)), np.int8)
    for column, one in zip(values.T, products):
        column[:] = np.multiply.reduce(windows[:, list(one)], axis=1)
    return values


def table(products: Products) -> NDArray[np.int64]:
    """Return products as an array, (n_products, most factors); -1 stands where a product has fewer
    factors."""
    rows = np.full((len(products), max(map(len, products))), -1, np.int64)
    for row, one in zip(rows, products):
        row[: len(one)] = one
    return rows


def from_table(rows: NDArray[np.int64]) -> Products:
    """Return the products of a `table`."""
    return tuple(tuple(site for site in row if site >= 0) for row in rows.tolist())


def masks(products: Products) -> NDArray[np.uint64]:
    """Return each product of variables below 64 as a word, uint64 (n_products,): bit i is 1 if
    variable i is a factor."""
    return np.array([sum(1 << site for site in one) for one in products], np.uint64)


def quadratic_form(
    weights: NDArray[np.float64], products: Products, count: int
) -> NDArray[np.float64]:
    """Return the symmetric matrices A of filters of pairs, so that sum of weights times products is
    v^T A v.

    Parameters
    ----------
    weights : ndarray of float64, (..., n_products)
    products : tuple of tuple of int
        Pairs.
    count : int
        The number of variables.

    Returns
    -------
    ndarray of float64, (..., count, count)

    Raises
    ------
    ValueError
        If a product is not one of two variables.
    """
    if any(len(one) != 2 for one in products):
        raise ValueError("only a filter of pairs is a quadratic form")
    matrices = np.zeros((*weights.shape[:-1], count, count))
    first, second = np.array(products).T
    matrices[..., first, second] = matrices[..., second, first] = 0.5 * weights
    return matrices


def factors_are_valid(products: Sequence[Sequence[int]], count: int) -> bool:
    """Return whether each product has factors, all different and below ``count``, and no product
    occurs twice."""
    return (
        all(one and min(one) >= 0 and max(one) < count for one in products)
        and all(len(set(one)) == len(one) for one in products)
        and len({frozenset(one) for one in products}) == len(products) > 0
    )
