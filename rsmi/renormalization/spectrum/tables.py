"""Functions of a block with up to 16 sites, tabulated, and the functions of hidden units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.product_terms import (
    LARGEST_BLOCK,
    ProductTerm,
    expectation_terms,
    field_terms,
)
from rsmi.renormalization.rules import Rule
from rsmi.renormalization.spectrum.functions import LocalFunction, function_of_terms, symmetrized
from rsmi.renormalization.spectrum.readings import Function
from rsmi.renormalization.spectrum.readouts import Readout

# Sites up to which the products of a block are so few that their lattice sums are faster than a
# look at every site.
_FEW_SITES = 4


@dataclass(frozen=True)
class Table:
    """A function of the spins of a block.

    Attributes
    ----------
    name : str
    block : tuple of int
        Sites of the block along each axis; the first one is at x.
    values : ndarray of float64, (2^sites,)
        The value of every state; bit i of its number is 1 where spin i, in row-major order, is +1.
    """

    name: str
    block: tuple[int, ...]
    values: NDArray[np.float64]

    def fields(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the values (n, \\*shape) for spins (n, \\*shape) of +-1."""
        up, axes = (spins > 0).astype(np.uint16), tuple(range(1, spins.ndim))
        states = np.zeros_like(up)
        for bit, point in enumerate(np.ndindex(*self.block)):
            states |= np.roll(up, tuple(-step for step in point), axes) << np.uint16(bit)
        return self.values[states]


def function_of_unit(name: str, rule: Rule, unit: int, linear: bool = False) -> Function:
    """Return the function that a hidden unit stands for, averaged over the symmetries.

    Parameters
    ----------
    name : str
    rule : Rule
        Of one component. A hard rule stands for the sign of x, with 0 for a tie, a soft one for the
        expected spin tanh(x/2).
    unit : int
        The number of the hidden unit, from 0.
    linear : bool
        Whether the unit stands for x itself, in units of its largest value.

    Raises
    ------
    ValueError
        If a block of more than 16 sites has a filter of products.
    """
    if linear:
        return _of_terms(name, _scaled(field_terms(rule, unit)), rule.block)
    if rule.n_block <= _FEW_SITES:
        return _of_terms(name, expectation_terms(rule, unit), rule.block)
    if rule.n_block <= LARGEST_BLOCK:
        states = np.arange(1 << rule.n_hidden)
        up = rule.channel()[:, (states >> unit & 1) == 1].sum(axis=1)
        return Table(name, rule.block, _symmetrized_table(2 * up - 1, rule.block))
    if rule.products is not None:
        raise ValueError(f"a filter of products acts on at most {LARGEST_BLOCK} sites")
    return Readout(name, rule, unit)


def _scaled(terms: Sequence[ProductTerm]) -> list[ProductTerm]:
    scale = sum(abs(term.coefficient) for term in terms) or 1.0
    return [term._replace(coefficient=term.coefficient / scale) for term in terms]


def _of_terms(name: str, terms: Sequence[ProductTerm], block: Sequence[int]) -> LocalFunction:
    return symmetrized(function_of_terms(name, terms, block))


def _symmetrized_table(values: NDArray[np.float64], block: tuple[int, ...]) -> NDArray[np.float64]:
    """Average a table over the permutations and reflections of the axes that keep the block."""
    numbers, images = np.arange(len(values)), []
    places = np.arange(math.prod(block)).reshape(block)
    for axes in permutations(range(len(block))):
        if tuple(block[axis] for axis in axes) != block:
            continue
        for steps in product((1, -1), repeat=len(block)):
            image = places.transpose(axes)[tuple(slice(None, None, step) for step in steps)]
            moved = np.zeros_like(numbers)
            for new, old in enumerate(image.reshape(-1).tolist()):
                moved |= (numbers >> old & 1) << new
            images.append(values[moved])
    return np.mean(images, axis=0)
