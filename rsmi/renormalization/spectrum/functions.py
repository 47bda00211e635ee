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
from numpy.typing import ArrayLike, NDArray

from rsmi.information.channel import channel_table, spin_states
from rsmi.renormalization.operators import OPERATORS, SECTORS, Operator, symmetric_copies
from rsmi.renormalization.rules import Rule

Point = tuple[int, ...]
LARGEST_TABLE = 12  # sites of a block whose functions are expanded in products
_NEGLIGIBLE = 1e-12  # weights below this, in units of the largest one, are rounding errors


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


def function_of_table(name: str, table: ArrayLike, block: Sequence[int]) -> LocalFunction:
    """Return the function of a block's state as products of its spins.

    Parameters
    ----------
    name : str
    table : array_like of float, (2^n_block,)
        The value of every state of `rsmi.information.channel.spin_states`.
    block : sequence of int
        Sites of the block along each axis, at most `LARGEST_TABLE` in all.

    Raises
    ------
    ValueError
        If the block is too large or the table does not fit it.

    Notes
    -----
    The weights are the Walsh-Hadamard transform of the table.
    """
    weights, points = np.array(table, dtype=np.float64), spin_sites(block)
    if len(points) > LARGEST_TABLE or weights.shape != (1 << len(points),):
        raise ValueError(
            f"a table of {weights.shape} values does not fit a block of {len(points)} sites, of"
            f" which there may be {LARGEST_TABLE}"
        )
    for i in range(len(points)):
        down, up = np.moveaxis(weights.reshape(-1, 2, 1 << i), 1, 0)
        weights = np.stack([up + down, up - down], axis=1).reshape(-1) / 2
    centre = _middle(points)
    kept = np.flatnonzero(np.abs(weights) > _NEGLIGIBLE * np.abs(weights).max())
    if not kept.any():
        raise ValueError(f"{name}: the value is the same in all states of the block")
    return LocalFunction(
        name,
        tuple(
            Product(float(weights[v]), tuple(p for i, p in enumerate(points) if v >> i & 1), centre)
            for v in kept.tolist()
            if v
        ),
        float(weights[0]) if 0 in kept else 0.0,
    )


def function_of_rule(name: str, rule: Rule, unit: int = 0) -> LocalFunction:
    """Return the expected coarse spin E[h|v] of one hidden unit at every origin of its block.

    Raises
    ------
    ValueError
        If the block is too large; `rsmi.renormalization.spectrum.readouts` has no limit.
    """
    if rule.components != 1:
        raise ValueError(f"a function of the spins needs one component, not {rule.components}")
    if len(spin_sites(rule.block)) > LARGEST_TABLE:
        raise ValueError(f"a block of more than {LARGEST_TABLE} sites has too many products")
    up = channel_table(rule.filters[unit : unit + 1], rule.bias[unit : unit + 1], rule.hard)[:, 1]
    return function_of_table(name, 2 * up - 1, rule.block)


def quadratic_function(
    name: str, matrix: ArrayLike, constant: float, block: Sequence[int]
) -> LocalFunction:
    """Return x = v^T A v + c of the spins v of a block.

    Parameters
    ----------
    name : str
    matrix : array_like of float, (n_block, n_block)
        A; its antisymmetric part does not matter.
    constant : float
        c.
    block : sequence of int
        Sites of the block along each axis, in row-major order in v.
    """
    a, points = np.asarray(matrix, dtype=np.float64), spin_sites(block)
    if a.shape != (len(points),) * 2:
        raise ValueError(f"a matrix of shape {a.shape} does not fit a block of {len(points)} sites")
    pairs = a + a.T
    return LocalFunction(
        name,
        tuple(
            Product(float(pairs[i, j]), (points[i], points[j]), _middle(points))
            for i in range(len(points))
            for j in range(i + 1, len(points))
            if pairs[i, j]
        ),
        float(constant + np.trace(a)),
    )


def spin_sites(block: Sequence[int]) -> list[Point]:
    """Return the sites of a block in row-major order."""
    return list(np.ndindex(*block))


def all_equal(block: Sequence[int], name: str = "all equal") -> LocalFunction:
    """Return the function that is +1 where all spins of a block are equal and -1 elsewhere."""
    magnetizations = spin_states(len(spin_sites(block))).sum(axis=1)
    equal = np.abs(magnetizations) == len(spin_sites(block))
    return function_of_table(name, np.where(equal, 1.0, -1.0), block)


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
