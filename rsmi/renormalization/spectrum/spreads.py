"""How much structure factors differ between the wave vectors next to that of an order, which tells
the scaling dimension of scalars and of components of currents alike.

One or several local functions O_k of blocks follow an order with the wave vector Q. Their structure
factors

    S_kl(n) = <O_k(q) O_l(q)*>_c / N,   q = Q + 2 pi n / L,

at the 3^d places n with components -1, 0 and 1 are a power L^(d - 2 Delta) of the lattice's side,
with a matrix that depends on n, and a contact term. Three things are removed:

- a block of b sites smears every order by its window, prod_i sin(b q_i / 2) / (b sin(q_i / 2)) with
  q = 2 pi n / L. S is divided by its square;
- what is then the same at all n, the contact term: the mean over n is subtracted;
- the scale and the mixture of the functions. S is whitened by their covariances <O_k O_l>_c at one
  site, and the Frobenius norm is taken over k and l. The components of a current, whose S is
  proportional to 1 - q_k q_l / q^2, have no trace that depends on n.

What is left is the *spread*, the root of the mean over n of the squared norms. It does not depend
on which mixtures of the same functions were chosen, and needs no decision whether they are a scalar
or a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import Wave

_CUT = 1e-6  # of the largest covariance: combinations of functions that vary less are left out


@dataclass(frozen=True)
class Operator:
    """Functions that are measured as one scaling operator.

    Attributes
    ----------
    functions : tuple of int
        Numbers of the functions: the units of one rule that follow orders with one wave vector, or
        a single function.
    wave : tuple of Fraction
        The wave vector Q, in fractions of 2 pi. The values of the functions are multiplied by
        exp(-i Q.x), so that the order is uniform in them.
    block : tuple of int
        Sites of the block along each axis.
    """

    functions: tuple[int, ...]
    wave: Wave
    block: tuple[int, ...]


def places(dimension: int) -> NDArray[np.int64]:
    """Return the numbers n of the waves next to the origin, (3^d, d)."""
    return np.array(list(product((0, 1, -1), repeat=dimension)))


def window(block: Sequence[int], side: int) -> NDArray[np.float64]:
    """Return the squared window of a block at all `places`, (3^d,), of a lattice with equal sides.

    Raises
    ------
    ValueError
        If the lattice is not longer than the block along each axis: the window vanishes.
    """
    if side <= max(block):
        raise ValueError("it is not longer than the block")
    half = np.pi / side
    first = [np.sin(sites * half) / (sites * np.sin(half)) for sites in block]
    return np.prod(np.where(places(len(block)) != 0, first, 1.0), axis=1) ** 2


def whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what whitens functions with a covariance (k, k): a matrix (r, k), r <= k.

    Combinations that hardly vary are left out: two units may be the same function.
    """
    values, vectors = np.linalg.eigh(covariance)
    kept = values > _CUT * max(values[-1], 0.0)
    return (vectors[:, kept] / np.sqrt(values[kept])).T


def spread(
    factors: NDArray[np.float64], squared_window: NDArray[np.float64], white: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the spread of structure factors.

    Parameters
    ----------
    factors : ndarray of float64, (..., k, k, 3^d)
        S_kl(n), in the order of `places`.
    squared_window : ndarray of float64, (3^d,)
    white : ndarray of float64, (r, k)

    Returns
    -------
    ndarray of float64, (...)
    """
    rotated = np.einsum("ak,...kln,bl->...abn", white, factors / squared_window, white)
    rotated -= rotated.mean(axis=-1, keepdims=True)
    return np.sqrt((rotated**2).sum(axis=(-3, -2)).mean(axis=-1))
