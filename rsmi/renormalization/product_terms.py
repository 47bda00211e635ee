"""A learned unit as a sum of products of spins: the form in which lattice sums are made.

Every function of n spins +-1 is a sum of coefficients times products of spins, and its sum over all
translations is the same sum of the lattice sums of the products. So the sums of a learned operator
follow from `rsmi.kernels.operators` without cutting a single window. The 2x2 rule "all four spins
are equal", for instance, is (1 + the four nearest and the two next-nearest neighbour pairs + the
plaquette) / 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.rules import Rule

LARGEST_BLOCK = 16  # spins of a block whose states are tabulated
_NEGLIGIBLE = 1e-12  # of the largest coefficient: rounding


class ProductTerm(NamedTuple):
    """A coefficient times a product of spins of a block.

    Attributes
    ----------
    sites : tuple of int
        The spins of the block, ascending; none for the constant. A block holds all sites of the
        first component in row-major order, then those of the next one.
    coefficient : float
    """

    sites: tuple[int, ...]
    coefficient: float

    def points(self, block: Sequence[int]) -> tuple[tuple[int, ...], ...]:
        """Return the sites as offsets from the first site of a block of one component."""
        return tuple(
            tuple(int(one) for one in np.unravel_index(site, tuple(block))) for site in self.sites
        )


def field_terms(rule: Rule, unit: int = 0) -> list[ProductTerm]:
    """Return the field x_j of a unit, which is linear in products for every rule.

    Parameters
    ----------
    rule : Rule
        The field is the same for the soft and for the hard rule.
    unit : int
        The number of the hidden unit, from 0.

    Returns
    -------
    list of ProductTerm
        The constant, which is the bias, stands first; terms of coefficient 0 are left out.
    """
    sets = rule.products or [(site,) for site in range(rule.n_block)]
    terms = [ProductTerm((), float(rule.bias[unit]))]
    terms += [ProductTerm(tuple(one), float(w)) for one, w in zip(sets, rule.filters[unit])]
    return [term for term in terms if term.coefficient]


def expectation_terms(rule: Rule, unit: int = 0) -> list[ProductTerm]:
    """Return the average <s_j|v> = 2 P(h_j = 1|v) - 1 of a unit as a sum of products.

    For a hard rule this is the coarse spin itself, with 0 for a tie.

    Parameters
    ----------
    rule : Rule
        With at most 16 spins in a block.
    unit : int
        The number of the hidden unit, from 0.

    Returns
    -------
    list of ProductTerm
        First the constant, then by the number of factors; terms of negligible coefficient are left
        out.

    Raises
    ------
    ValueError
        If the block has more spins: a sum of products then has too many terms.
    """
    if rule.n_block > LARGEST_BLOCK:
        raise ValueError(
            f"a block of {rule.n_block} spins has too many states: a unit is a sum of products for"
            f" at most {LARGEST_BLOCK} spins"
        )
    states = np.arange(1 << rule.n_hidden)
    up = rule.channel()[:, (states >> unit & 1) == 1].sum(axis=1)
    return terms_of_table(2.0 * up - 1.0)


def terms_of_table(values: NDArray[np.float64]) -> list[ProductTerm]:
    """Return a function of n spins as a sum of products of spins.

    Parameters
    ----------
    values : ndarray of float64, (2^n,)
        The function of every state; bit i of the number of a state is 1 where spin i is +1.

    Returns
    -------
    list of ProductTerm
        First the constant, then by the number of factors; terms of negligible coefficient are left
        out.
    """
    coefficients, count = _transform(values), len(values).bit_length() - 1
    kept = np.flatnonzero(np.abs(coefficients) > _NEGLIGIBLE * np.abs(coefficients).max())
    terms = [
        ProductTerm(tuple(i for i in range(count) if mask >> i & 1), float(coefficients[mask]))
        for mask in kept.tolist()
    ]
    return sorted(terms, key=lambda term: (len(term.sites), term.sites))


def _transform(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the average of the function times the product of every set of spins, (2^n,): the
    Walsh-Hadamard transform."""
    table = np.array(values, np.float64)
    for step in (1 << i for i in range(len(table).bit_length() - 1)):
        low, high = table.reshape(-1, 2, step).transpose(1, 0, 2)
        table = np.stack([high + low, high - low], axis=1).reshape(-1)
    return table / len(table)
