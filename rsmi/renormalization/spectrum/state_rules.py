"""Functions of a learned rule of variables with q states.

Given the block that begins at the site x, the coarse variable has the states a with probabilities
p(a|x), and so the mean vector u(x) = sum_a p(a|x) e_a of the unit vectors e_a of the states. The
average of u is the learned order, and the scalar product of the vectors of two blocks that touch is
the learned energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import unpack_states
from rsmi.lattice.state_order import StateOrder, neighbour_products
from rsmi.renormalization.categorical_rules import CategoricalRule

_SITES_AT_ONCE = 1 << 18  # of configurations, whose vectors are in memory


@dataclass(frozen=True, eq=False)
class OfStateRule:
    """The learned order, or the learned energy.

    Attributes
    ----------
    name : str
    rule : CategoricalRule
        Whose coarse variable has the states of a site.
    order : StateOrder
    odd : bool
        The length of the average vector, and not the products of neighbours.
    """

    name: str
    rule: CategoricalRule
    order: StateOrder
    odd: bool

    @cached_property
    def _vectors(self) -> NDArray[np.float64]:
        """The vectors (states of a block, c)."""
        # einsum calls no BLAS: the same bits at any number of threads
        return np.einsum("ba,ac->bc", self.rule.channel(), self.order.vectors)

    def averages(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.float64]:
        """Return the values (n,) of packed configurations (n, bytes) of a lattice."""
        step = max(1, _SITES_AT_ONCE // int(np.prod(shape)))
        parts = [rows[first : first + step] for first in range(0, len(rows), step)]
        return np.concatenate([self._of_few(part, shape) for part in parts])

    def _of_few(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.float64]:
        codes = unpack_states(rows, self.order.states, (1, *shape))[:, 0]
        vectors = self._vectors[self._blocks(codes)]
        if not self.odd:
            return neighbour_products(vectors, self.rule.block)
        mean = vectors.reshape(len(rows), -1, vectors.shape[-1]).mean(axis=1)
        return np.sqrt((mean**2).sum(axis=1))

    def _blocks(self, codes: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The state of the block that begins at every site, (n, \\*shape)."""
        numbers, axes = np.zeros(codes.shape, np.int32), tuple(range(1, codes.ndim))
        for site, place in enumerate(np.ndindex(self.rule.block)):
            moved = np.roll(codes, tuple(-step for step in place), axes)
            numbers += moved.astype(np.int32) * np.int32(self.order.states**site)
        return numbers
