"""Sectors: which functions of a block a rule may be, and what a global flip does to them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.products import Products, factors_are_valid, pairs
from rsmi.lattice.columns import Columns

PARITIES = ("odd", "even", "any")


@dataclass(frozen=True)
class Sector:
    """A set of functions of a block.

    Attributes
    ----------
    name : str
        The value of ``--sector``.
    title : str
        A noun phrase for messages: "functions that a global flip does not change".
    parity : {"odd", "even", "any"}
        Whether a global flip changes the sign of the field x of a unit, leaves x as it is, or does
        neither.
    features : callable, optional
        Takes the columns of a block and returns the products of variables +-1 of which the field of
        a unit is a linear combination; by default they are the variables themselves. Their parity
        is that of the sector.
    state_features : callable, optional
        For variables with more than two states: takes the number q of states and returns their
        features (q, n), of which the field of a unit is a linear combination; by default those of
        the model.

    Raises
    ------
    ValueError
        If there is no such parity.
    """

    name: str
    title: str
    parity: str
    features: Callable[[Columns], Products] | None = None
    state_features: Callable[[int], NDArray[np.float64]] | None = None

    def __post_init__(self) -> None:
        if self.parity not in PARITIES:
            raise ValueError(f"sector {self.name}: {self.parity!r} is none of {PARITIES}")

    def products(self, columns: Columns) -> Products | None:
        """Return the products of a block with these columns; None for the variables themselves.

        Raises
        ------
        TypeError
            If the model declares products of another parity, or of variables that a block has not.
        """
        if self.features is None:
            return None
        products = self.features(columns)
        remainders = {"odd": {1}, "even": {0}, "any": {0, 1}}[self.parity]
        if {len(one) % 2 for one in products} - remainders:
            raise TypeError(f"sector {self.name}: a product of its features is not {self.parity}")
        if products and not factors_are_valid(products, len(columns)):
            raise TypeError(f"sector {self.name}: its features are not different products")
        return products


def all_pairs(columns: Columns) -> Products:
    """Return the products of two variables of a block."""
    return pairs(len(columns))


ODD = Sector("odd", "functions whose sign a global flip changes", "odd")
EVEN = Sector("even", "functions that a global flip does not change", "even", all_pairs)
ANY = Sector("any", "functions of any parity", "any")
SECTORS = (ODD, EVEN, ANY)


def sector_named(name: str, sectors: Sequence[Sector]) -> Sector:
    """Return the sector of a name.

    Raises
    ------
    UsageError
        If there is none; the message has all names, and a similar one first.
    """
    names = [sector.name for sector in sectors]
    if name in names:
        return sectors[names.index(name)]
    similar = difflib.get_close_matches(name.lower(), names, 1)
    meant = f"; did you mean {similar[0]}?" if similar else ""
    raise UsageError(
        f"--sector {name}: there is no such sector; this model has {', '.join(names)}{meant}"
    )
