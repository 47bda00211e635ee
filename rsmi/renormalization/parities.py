"""Sectors of lattices with several components whose flips are symmetries one by one.

If the flip of all spins of one component alone is a symmetry, an operator belongs to a sector by
its parity in every component: s1 s2 is even under the common flip, but odd in each component, and
mixes with no energy. The transformation of couplings falls into one block for every sector.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.component_operators import ComponentOperator, component_operators
from rsmi.renormalization.operators import SECTORS


class ParitySector(NamedTuple):
    """The operators of one parity.

    Attributes
    ----------
    parity : tuple of {"even", "odd"}
        In every component.
    common : {"even", "odd"}
        The sector under the flip of all components, in whose arrays the operators are.
    numbers : tuple of int
        The numbers of the operators among those of ``common``.
    names : tuple of str
        The names of the operators.
    """

    parity: tuple[str, ...]
    common: str
    numbers: tuple[int, ...]
    names: tuple[str, ...]

    @property
    def is_even(self) -> bool:
        """Whether the operators are even in every component, so that their means do not vanish."""
        return "odd" not in self.parity

    def sums(self, sums: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the sums of a flow for these operators alone.

        Parameters
        ----------
        sums : mapping of str to ndarray
            In the layout of `rsmi.renormalization.level_sums.empty_sums`.

        Returns
        -------
        dict of ndarray
            ``counts``, and ``even_sums``, ``even_products``, ``even_cross``, or the same of
            ``odd`` if the means vanish.
        """
        name, chosen = "even" if self.is_even else "odd", np.array(self.numbers)
        found = {f"{name}_sums": sums[f"{self.common}_sums"][..., chosen]}
        for part in ("products", "cross"):
            found[f"{name}_{part}"] = sums[f"{self.common}_{part}"][..., chosen[:, None], chosen]
        return found | {"counts": sums["counts"]}


@cache
def parity_sectors(dimension: int, components: int) -> tuple[ParitySector, ...]:
    """Return the sectors that have operators, from those that are odd in no component to those that
    are odd in all.

    Raises
    ------
    ValueError
        As `rsmi.renormalization.component_operators.component_operators`.
    """
    operators = component_operators(dimension, components)
    found = []
    for common in SECTORS:
        own = [operator for operator in operators if operator.sector == common]
        parities = [parity_of(operator, components) for operator in own]
        for parity in dict.fromkeys(parities):
            numbers = tuple(i for i, other in enumerate(parities) if other == parity)
            names = tuple(own[i].name for i in numbers)
            found.append(ParitySector(parity, common, numbers, names))
    return tuple(sorted(found, key=lambda one: (one.parity.count("odd"), one.parity[::-1])))


def parity_of(operator: ComponentOperator, components: int) -> tuple[str, ...]:
    """Return the parity of an operator in every component."""
    planes = operator.terms[0, :, 0]
    spins = np.bincount(np.array(operator.components)[planes[planes >= 0]], minlength=components)
    return tuple(SECTORS[count % 2] for count in spins.tolist())
