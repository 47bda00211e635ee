"""Spin operators of lattices with several components per site, in one and two dimensions.

An operator is a product of spins of one component, or of several components, summed over all
translations and all symmetries of the lattice. They are ordered by range and, within one range, by
the number of spins, as those of one component (`rsmi.renormalization.operators`).

The sums come from the kernel for one component. A product of several components at successive
planes of a lattice whose first axis numbers these components is summed by the kernel over all
cyclic shifts of the planes. For two components this adds s_a(x) s_b(x + r) and s_b(x) s_a(x + r),
which is the sum over r and -r. Products that a shift maps onto themselves are counted several
times, and their sums are divided by this number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import operators as kernel
from rsmi.lattice.packed import pack_spins, unpack_bits
from rsmi.renormalization.operators import OPERATORS, SECTORS, Operator, symmetric_copies
from rsmi.renormalization.rules import three_axes

# How many operators of one component, the first ones, are used by dimension.
_WITHIN = {1: {"even": 2, "odd": 2}, 2: {"even": 3, "odd": 3}}
_OFFSETS = {1: ((0,), (1,), (2,)), 2: ((0, 0), (1, 0), (1, 1))}  # between two components
MOST_COMPONENTS = 4


class ComponentOperator(NamedTuple):
    """A product of spins of some components.

    Attributes
    ----------
    name : str
        Such as s1s2(1,0): a spin of component 1 and one of component 2 at this distance.
    sector : {"even", "odd"}
    range : float
        The largest distance between two of the spins.
    components : tuple of int
        The components, counted from 0, in the order of the planes.
    terms : ndarray of int32, (n_terms, 4, 3)
        The points of every term as (plane, y, x); -1 where it has fewer than four.
    multiplicity : int
        How many times the kernel counts every product.
    """

    name: str
    sector: str
    range: float
    components: tuple[int, ...]
    terms: NDArray[np.int32]
    multiplicity: int = 1


@cache
def component_operators(dimension: int, components: int) -> tuple[ComponentOperator, ...]:
    """Return all operators, the even ones first, each sector ordered by range.

    Raises
    ------
    ValueError
        Unless there are one or two dimensions and two to `MOST_COMPONENTS` components.
    """
    if dimension not in _WITHIN or not 2 <= components <= MOST_COMPONENTS:
        raise ValueError(
            f"operators of several components are known in one and two dimensions for 2 to"
            f" {MOST_COMPONENTS} components, not for {components} in {dimension} dimensions"
        )
    found = [
        *(one for a in range(components) for one in _within(dimension, a)),
        *(one for pair in combinations(range(components), 2) for one in _between(dimension, pair)),
        *(
            _on_site(dimension, chosen)
            for size in range(3, components + 1)
            for chosen in combinations(range(components), size)
        ),
    ]
    order = {sector: number for number, sector in enumerate(SECTORS)}
    return tuple(sorted(found, key=lambda one: (order[one.sector], one.range, _spins(one))))


def _spins(operator: ComponentOperator) -> int:
    return int((operator.terms[0, :, 0] >= 0).sum())


def _within(dimension: int, component: int) -> Iterator[ComponentOperator]:
    """The operators of one component."""
    for sector, count in _WITHIN[dimension].items():
        for operator in OPERATORS[dimension][sector][:count]:
            terms = [[(0, *point) for point in copy] for copy in symmetric_copies(operator)]
            name = _name(operator, f"s{component + 1}")
            yield _operator(name, sector, (component,), terms)


def _name(operator: Operator, spin: str) -> str:
    if len(operator.points) == 1:
        return spin
    if len(operator.points) == 2:
        offset = sorted(np.ptp(np.array(operator.points), axis=0).tolist(), reverse=True)
        return f"{2 * spin}({','.join(map(str, offset))})"
    return f"{operator.name} of {spin}"


def _between(dimension: int, pair: tuple[int, int]) -> Iterator[ComponentOperator]:
    """The products of two components: pairs of spins, and both spins of two neighbours."""
    spins = "".join(f"s{a + 1}" for a in pair)
    origin = (0,) * dimension
    for offset in _OFFSETS[dimension]:
        name = f"{spins}({','.join(map(str, offset))})"
        copies = _directed_copies(offset)
        terms = [[(0, *start), (1, *end)] for start, end in copies]
        yield _operator(name, "even", pair, terms, 1 if any(offset) else 2)
    bonds = symmetric_copies(Operator("", (origin, (1, *origin[1:]))))
    terms = [[(plane, *point) for point in bond for plane in (0, 1)] for bond in bonds]
    nearest = ",".join(map(str, (1, *origin[1:])))
    yield _operator(f"{2 * spins}({nearest})", "even", pair, terms, 2)


def _directed_copies(offset: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of points at all images of an offset, one of r and -r: the kernel adds the other."""
    copies = symmetric_copies(Operator("", ((0,) * len(offset), offset)))
    return [(copy[0], copy[-1]) for copy in copies]


def _on_site(dimension: int, chosen: tuple[int, ...]) -> ComponentOperator:
    """The product of three or more components at one site."""
    origin = (0,) * dimension
    name = "".join(f"s{a + 1}" for a in chosen) + f"({','.join(map(str, origin))})"
    terms = [[(plane, *origin) for plane in range(len(chosen))]]
    return _operator(name, SECTORS[len(chosen) % 2], chosen, terms, len(chosen))


def _operator(
    name: str,
    sector: str,
    components: tuple[int, ...],
    terms: Sequence[Sequence[tuple[int, ...]]],
    multiplicity: int = 1,
) -> ComponentOperator:
    table = np.full((len(terms), 4, 3), -1, np.int32)
    for row, points in zip(table, terms):
        row[: len(points)] = [(plane, *three_axes(place, 0)[1:]) for plane, *place in points]
    places = np.array([place for _, *place in terms[0]])
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    return ComponentOperator(name, sector, float(distances.max()), components, table, multiplicity)


def most_products(dimension: int, components: int) -> int:
    """Return the largest number of products per site in one operator."""
    return max(
        len(one.terms) * len(one.components) for one in component_operators(dimension, components)
    )


def component_sums(
    rows: NDArray[np.uint8], shape: Sequence[int], components: int
) -> NDArray[np.int64]:
    """Return the lattice sums of all operators, int64 (n, operators).

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(components * sites / 8))
        Packed configurations (components, \\*shape).
    shape : sequence of int
        Sites of the periodic lattice along each axis.
    components : int
    """
    operators = component_operators(len(shape), components)
    sums = np.empty((len(rows), len(operators)), np.int64)
    bits = unpack_bits(rows, (components, prod(shape)))
    for chosen in dict.fromkeys(one.components for one in operators):
        numbers = [i for i, one in enumerate(operators) if one.components == chosen]
        own = [operators[i] for i in numbers]
        sums[:, numbers] = _sums_of(pack_spins(bits[:, chosen]), shape, own)
    return sums


def _sums_of(
    rows: NDArray[np.uint8], shape: Sequence[int], operators: Sequence[ComponentOperator]
) -> NDArray[np.int64]:
    """The sums of operators of the same components, from rows of these components alone."""
    owner = np.repeat(np.arange(len(operators)), [len(one.terms) for one in operators])
    extents = np.array([len(operators[0].components), *three_axes(shape)[1:]], np.int64)
    terms = np.concatenate([one.terms for one in operators])
    sums = kernel.operator_sums(rows, extents, terms, owner.astype(np.int32), len(operators))
    return sums // np.array([one.multiplicity for one in operators])


def operator_names(dimension: int, components: int) -> dict[str, list[str]]:
    """Return the names of all operators by sector, for one component or several."""
    if components == 1:
        kinds = OPERATORS[dimension].items()
        return {sector: [operator.name for operator in of_sector] for sector, of_sector in kinds}
    operators = component_operators(dimension, components)
    return {sector: [one.name for one in operators if one.sector == sector] for sector in SECTORS}


def neighbour_operators(dimension: int, components: int) -> list[int]:
    """Return the numbers of the even operators that are nearest neighbours of one component."""
    if components == 1:
        return [0]
    return [
        number
        for number, one in enumerate(component_operators(dimension, components))
        if one.sector == "even" and len(one.components) == one.range == 1 and _spins(one) == 2
    ]
