"""Spin operators in one, two and three dimensions, and their lattice sums.

An operator is a product of spins summed over all translations and all symmetries of the hypercubic
lattice (permutations and reflections of the axes). Even operators do not change when all spins
flip, and odd ones change sign. Operators are ordered by range, the largest distance between two of
their spins, and within one range by the number of spins. "The first k operators" is therefore a
sensible truncation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import permutations, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import operators as kernel
from rsmi.renormalization.rules import three_axes

SECTORS = ("even", "odd")


class Operator(NamedTuple):
    """A product of spins.

    Attributes
    ----------
    name : str
    points : tuple of tuple of int
        One copy of the operator as offsets >= 0 along every axis, the slowest axis first. The
        symmetries of the lattice give the other copies.
    """

    name: str
    points: tuple[tuple[int, ...], ...]


def _chain(name: str, *points: int) -> Operator:
    return Operator(name, tuple((point,) for point in points))


CHAIN = {
    "even": (
        _chain("nearest neighbours (1)", 0, 1),
        _chain("pair (2)", 0, 2),
        _chain("pair (3)", 0, 3),
        _chain("four in a row", 0, 1, 2, 3),
        _chain("pair (4)", 0, 4),
        _chain("three and one (0,1,2,4)", 0, 1, 2, 4),
        _chain("two and two (0,1,3,4)", 0, 1, 3, 4),
    ),
    "odd": (
        _chain("magnetization", 0),
        _chain("three in a row", 0, 1, 2),
        _chain("two and one (0,1,3)", 0, 1, 3),
        _chain("two and one (0,1,4)", 0, 1, 4),
        _chain("every second of five (0,2,4)", 0, 2, 4),
    ),
}
SQUARE = {
    "even": (
        Operator("nearest neighbours (1,0)", ((0, 0), (0, 1))),
        Operator("next-nearest neighbours (1,1)", ((0, 0), (1, 1))),
        Operator("plaquette", ((0, 0), (0, 1), (1, 0), (1, 1))),
        Operator("pair (2,0)", ((0, 0), (0, 2))),
        Operator("T", ((0, 0), (0, 1), (0, 2), (1, 1))),
        Operator("diamond", ((0, 1), (1, 0), (1, 2), (2, 1))),
        Operator("pair (2,1)", ((0, 0), (1, 2))),
        Operator("zigzag", ((0, 0), (0, 1), (1, 1), (1, 2))),
        Operator("corners of the 2x1 rectangle", ((0, 0), (0, 2), (1, 0), (1, 2))),
        Operator("pair (2,2)", ((0, 0), (2, 2))),
    ),
    "odd": (
        Operator("magnetization", ((0, 0),)),
        Operator("corner", ((0, 0), (0, 1), (1, 0))),
        Operator("line of three", ((0, 0), (0, 1), (0, 2))),
        Operator("V of two diagonals", ((0, 0), (1, 1), (0, 2))),
        Operator("knight triple", ((0, 0), (0, 1), (1, 2))),
        Operator("three corners of the 2x2 square", ((0, 0), (0, 2), (2, 0))),
    ),
}
CUBIC = {
    "even": (
        Operator("nearest neighbours (1,0,0)", ((0, 0, 0), (0, 0, 1))),
        Operator("next-nearest neighbours (1,1,0)", ((0, 0, 0), (0, 1, 1))),
        Operator("plaquette", ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))),
        Operator(
            "corner of a cube and its three neighbours",
            ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)),
        ),
        Operator("tetrahedron", ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))),
        Operator("third neighbours (1,1,1)", ((0, 0, 0), (1, 1, 1))),
        Operator("diagonal rectangle of a cube", ((0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1))),
        Operator("pair (2,0,0)", ((0, 0, 0), (0, 0, 2))),
        Operator("pair (2,1,0)", ((0, 0, 0), (0, 1, 2))),
        Operator("pair (2,1,1)", ((0, 0, 0), (1, 1, 2))),
    ),
    "odd": (
        Operator("magnetization", ((0, 0, 0),)),
        Operator("corner", ((0, 0, 0), (0, 0, 1), (0, 1, 0))),
        Operator("triangle of face diagonals", ((0, 0, 1), (0, 1, 0), (1, 0, 0))),
        Operator("edge and diagonal of a cube", ((0, 0, 0), (0, 0, 1), (1, 1, 1))),
        Operator("line of three", ((0, 0, 0), (0, 0, 1), (0, 0, 2))),
        Operator("V of two diagonals", ((0, 0, 0), (0, 1, 1), (0, 0, 2))),
    ),
}
OPERATORS: dict[int, dict[str, tuple[Operator, ...]]] = {1: CHAIN, 2: SQUARE, 3: CUBIC}


def symmetric_copies(operator: Operator) -> list[tuple[tuple[int, ...], ...]]:
    """Return the distinct images of an operator under permutations and reflections of the axes, up
    to translations. Images and points are sorted."""
    points = np.array(operator.points)
    images: set[tuple[tuple[int, ...], ...]] = set()
    for axes in permutations(range(points.shape[1])):
        for signs in product((1, -1), repeat=len(axes)):
            image = points[:, axes] * signs
            images.add(tuple(sorted(map(tuple, (image - image.min(axis=0)).tolist()))))
    return sorted(images)


class OperatorTerms(NamedTuple):
    """The terms of all operators in the form that the kernel takes.

    Attributes
    ----------
    terms : ndarray of int32, (n_terms, 4, 3)
        Offsets of the points of every copy; -1 where it has fewer than four.
    owner : ndarray of int32, (n_terms,)
        The operator of each term, first all even, then all odd operators.
    copies : ndarray of int64, (n_operators,)
        Number of copies of each operator.
    """

    terms: NDArray[np.int32]
    owner: NDArray[np.int32]
    copies: NDArray[np.int64]


@cache
def operator_terms(dimension: int) -> OperatorTerms:
    """Return the terms of all operators.

    Raises
    ------
    ValueError
        Unless the dimension is one, two or three.
    """
    if dimension not in OPERATORS:
        raise ValueError(f"operators are known in one to three dimensions, not in {dimension}")
    images = [
        symmetric_copies(operator)
        for sector in SECTORS
        for operator in OPERATORS[dimension][sector]
    ]
    owner = [index for index, copies in enumerate(images) for _ in copies]
    terms = np.full((len(owner), 4, 3), -1, dtype=np.int32)
    for term, points in zip(terms, (points for copies in images for points in copies)):
        term[: len(points)] = [three_axes(point, 0) for point in points]
    return OperatorTerms(
        terms, np.array(owner, dtype=np.int32), np.array([len(copies) for copies in images])
    )


def smallest_size(dimension: int) -> int:
    """Return the number of sites along an axis below which an operator coincides with another one
    through the boundary: twice the largest offset (8 in one dimension, 4 in two and three)."""
    return 2 * int(operator_terms(dimension).terms.max())


def wraps(shape: Sequence[int]) -> bool:
    """Return whether operators wrap around a lattice, so that they are no longer independent of one
    another."""
    return min(shape) < smallest_size(len(shape))


def operator_sums(
    rows: NDArray[np.uint8], shape: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lattice sums of all operators in every configuration.

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each of its 1 to 3 axes.

    Returns
    -------
    even : ndarray of int64, (n, n_even)
        In the order of `OPERATORS`: 7, 10 and 10 operators in one, two and three dimensions.
    odd : ndarray of int64, (n, n_odd)
        5, 6 and 6 operators.
    """
    terms, owner, copies = operator_terms(len(shape))
    sums = kernel.operator_sums(
        np.ascontiguousarray(rows, dtype=np.uint8), three_axes(shape), terms, owner, len(copies)
    )
    n_even = len(OPERATORS[len(shape)]["even"])
    return np.ascontiguousarray(sums[:, :n_even]), np.ascontiguousarray(sums[:, n_even:])
