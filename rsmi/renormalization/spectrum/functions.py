"""Local functions of the spins as sums of products of spins.

The value at a site x is O(x) = constant + sum_j weight_j prod_i s(x + points_ji). A product sits at
x + centre_j, which decides the phase of its Fourier components.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.operators import OPERATORS, SECTORS, Operator, symmetric_copies
from rsmi.renormalization.product_terms import ProductTerm

Point = tuple[int, ...]


@dataclass(frozen=True)
class Product:
    """One product of spins of a local function.

    Attributes
    ----------
    weight : float
    points : tuple of tuple of int
        The offset of each spin along every axis; sorted and distinct.
    centre : tuple of float
        Where the product sits relative to x.
    """

    weight: float
    points: tuple[Point, ...]
    centre: tuple[float, ...]


@dataclass(frozen=True)
class LocalFunction:
    """A local function of the spins.

    Attributes
    ----------
    name : str
    products : tuple of Product
    constant : float
    """

    name: str
    products: tuple[Product, ...]
    constant: float = 0.0

    @property
    def dimension(self) -> int:
        """The number of axes."""
        return len(self.products[0].centre)

    @property
    def parity(self) -> str:
        """``even`` or ``odd`` under a flip of all spins, ``mixed`` if it is neither."""
        numbers = {len(one.points) % 2 for one in self.products}
        if numbers == {1} and self.constant == 0:
            return "odd"
        return "even" if 1 not in numbers else "mixed"

    def renamed(self, name: str) -> LocalFunction:
        """Return the same function under another name."""
        return replace(self, name=name)


# ---- named functions -----------------------------------------------------------------------------


def function_of_operator(operator: Operator) -> LocalFunction:
    """Return the average of an operator over its symmetric copies, each at its own centre."""
    copies = symmetric_copies(operator)
    return LocalFunction(
        operator.name,
        tuple(Product(1 / len(copies), points, _middle(points)) for points in copies),
    )


def named_functions(dimension: int) -> dict[str, LocalFunction]:
    """Return the operators of `rsmi.renormalization.operators` as functions, by name, and ``bond
    energy``."""
    functions = {
        operator.name: function_of_operator(operator)
        for sector in SECTORS
        for operator in OPERATORS[dimension][sector]
    }
    return {"bond energy": bond_energy(dimension), **functions}


def magnetization(dimension: int) -> LocalFunction:
    """Return the spin itself."""
    return function_of_operator(OPERATORS[dimension]["odd"][0])


def bond_energy(dimension: int, name: str = "bond energy") -> LocalFunction:
    """Return the product of nearest neighbours, averaged over the axes: -1/d times the energy per
    site in J of the Ising model."""
    return function_of_operator(OPERATORS[dimension]["even"][0]).renamed(name)


def _middle(points: Iterable[Point]) -> tuple[float, ...]:
    ends = np.array(list(points))
    return tuple(((ends.min(axis=0) + ends.max(axis=0)) / 2).tolist())


# ---- functions of a block ------------------------------------------------------------------------


def function_of_terms(
    name: str, terms: Sequence[ProductTerm], block: Sequence[int]
) -> LocalFunction:
    """Return a sum of products of the spins of a block; its centre is that of the block.

    Parameters
    ----------
    name : str
    terms : sequence of ProductTerm
        The terms without sites make the constant.
    block : sequence of int
        Sites of the block along each axis.

    Raises
    ------
    ValueError
        If there are no products.
    """
    centre = tuple((sites - 1) / 2 for sites in block)
    products = [
        Product(term.coefficient, tuple(sorted(term.points(block))), centre)
        for term in terms
        if term.sites
    ]
    if not products:
        raise ValueError("is the same number for all spins")
    constant = sum(term.coefficient for term in terms if not term.sites)
    return LocalFunction(name, tuple(products), constant)


# ---- symmetry ------------------------------------------------------------------------------------


def symmetrized(function: LocalFunction) -> LocalFunction:
    """Return the average of a function over the symmetries of the hypercubic lattice about each
    product's centre. A single orientation also couples to operators with spin, such as the stress
    tensor."""
    dimension = function.dimension
    images = [
        (axes, np.array(signs))
        for axes in permutations(range(dimension))
        for signs in product((1, -1), repeat=dimension)
    ]
    weights: dict[tuple[tuple[Point, ...], tuple[float, ...]], float] = defaultdict(float)
    for one in function.products:
        for axes, signs in images:
            weights[_image(one, axes, signs)] += one.weight / len(images)
    return replace(
        function,
        products=tuple(Product(w, *place) for place, w in sorted(weights.items()) if w),
    )


def _image(
    one: Product, axes: tuple[int, ...], signs: NDArray[np.int64]
) -> tuple[tuple[Point, ...], tuple[float, ...]]:
    """Return points and centre of the image of a product, moved so that all offsets are >= 0 and
    the smallest one along each axis is 0."""
    centre = np.array(one.centre)
    relative = (np.array(one.points) - centre)[:, axes] * signs
    corner = relative.min(axis=0)
    points = np.rint(relative - corner).astype(np.int64)
    return tuple(sorted(map(tuple, points.tolist()))), tuple((-corner).tolist())
