"""Block-spin rules, and the coarse-graining of configurations by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information import products as product_variables
from rsmi.information.channel import spin_states, state_probabilities
from rsmi.information.products import Products
from rsmi.kernels import blocking
from rsmi.lattice.geometry import shape_text

LARGEST_BLOCK = 64


@dataclass(frozen=True)
class Rule:
    """How the spins of one block decide its coarse spins, one for each hidden unit.

    Coarse spin j of a block with spins v_i = +-1 is +1 with probability sigma(x_j), where x_j =
    sum_i v_i filters[j, i] + bias[j] (Koch-Janusz & Ringel, arXiv:1704.06279, eq. 3). A hard rule
    takes the sign of x_j instead, and a fair coin where x_j = 0 (|x_j| <= 1e-9 sum_i |filters[j,
    i]|). With ``products`` the sum is over products of spins: x_j = sum_p filters[j, p] prod_{i in
    products[p]} v_i + bias[j], a quadratic form if all are pairs.

    Attributes
    ----------
    filters : ndarray of float64, (n_hidden, n_block) or (n_hidden, n_products)
        n_block = components * sites: all sites of the first component in row-major order, then
        those of the next one.
    bias : ndarray of float64, (n_hidden,)
    hard : bool
    block : tuple of int
        Sites of the block along each axis.
    components : int
        Number of spins of a fine site.
    products : tuple of tuple of int, optional
        The spins of the block whose product each weight belongs to; by default each weight belongs
        to one spin.

    Raises
    ------
    ValueError
        If the numbers do not fit the block or are not finite, or the block is too large.
    """

    filters: NDArray[np.float64]
    bias: NDArray[np.float64]
    hard: bool
    block: tuple[int, ...]
    components: int = 1
    products: Products | None = None

    def __post_init__(self) -> None:
        filters = np.ascontiguousarray(self.filters, dtype=np.float64)
        bias = np.ascontiguousarray(self.bias, dtype=np.float64)
        block = tuple(int(extent) for extent in self.block)
        sites = _sites(block) * self.components
        if sites > LARGEST_BLOCK:
            raise ValueError(f"a block may have at most {LARGEST_BLOCK} spins, not {sites}")
        if self.products is not None and not product_variables.factors_are_valid(
            self.products, sites
        ):
            raise ValueError(f"the products are not different products of {sites} spins")
        if (
            filters.ndim != 2
            or filters.shape[0] < 1
            or filters.shape[1] != (sites if self.products is None else len(self.products))
            or bias.shape != filters.shape[:1]
        ):
            raise ValueError(
                f"filters {filters.shape} and bias {bias.shape} do not fit a block of {sites} spins"
            )
        if not (np.isfinite(filters).all() and np.isfinite(bias).all()):
            raise ValueError("a rule needs finite filters and bias")
        for name, value in (
            ("filters", filters),
            ("bias", bias),
            ("hard", bool(self.hard)),
            ("block", block),
        ):
            object.__setattr__(self, name, value)

    @property
    def n_hidden(self) -> int:
        """Number of coarse spins of a block."""
        return self.filters.shape[0]

    @property
    def n_block(self) -> int:
        """Number of spins of a block."""
        return _sites(self.block) * self.components

    @property
    def masks(self) -> NDArray[np.uint64] | None:
        """The products as words whose bits are the spins of the block; None for a linear rule."""
        return None if self.products is None else product_variables.masks(self.products)

    @property
    def states(self) -> int:
        """Number of states of a variable of a site: 2."""
        return 2

    coarse_states = states

    @property
    def keeps_variables(self) -> bool:
        """Whether the coarse spins are of the same kind as those of the sites: they change their
        sign with the spins of the block if the field is linear, or all its products have an odd
        number of spins."""
        return self.products is None or all(len(one) % 2 for one in self.products)

    @property
    def keeps_components(self) -> bool:
        """Whether every coarse spin comes from the component of its number alone, so that it
        changes its sign with the spins of this component and with no others."""
        if self.products is not None or self.n_hidden != self.components or self.bias.any():
            return False
        by_component = self.filters.reshape(self.n_hidden, self.components, -1)
        return not by_component[~np.eye(self.components, dtype=bool)].any()

    def features(self, blocks: NDArray[Any]) -> NDArray[Any]:
        """Return what the filters act on, (n, n_block) or (n, n_products), for blocks (n, n_block)
        of +-1."""
        if self.products is None:
            return blocks
        return product_variables.multiply(blocks, self.products)

    def channel(self) -> NDArray[np.float64]:
        """Return q(h|v) of all block states, (2^n_block, 2^n_hidden); see
        `rsmi.information.channel.channel_table`."""
        blocks = self.features(spin_states(self.n_block))
        return state_probabilities(self.filters, self.bias, blocks, self.hard)


def _sites(block: Sequence[int]) -> int:
    """Return the number of sites of a block; it is checked before an array of that size is made."""
    if not 1 <= len(block) <= 3 or min(block) < 1 or prod(block) > LARGEST_BLOCK:
        raise ValueError(
            f"a block needs 1 to 3 axes and at most {LARGEST_BLOCK} sites, not {shape_text(block)}"
        )
    return prod(block)


def majority(block: Sequence[int]) -> Rule:
    """Return the rule that takes the sign of the block's magnetization, with a fair coin for ties
    (Swendsen, PRL 42, 859 (1979))."""
    return Rule(np.ones((1, _sites(block))), np.zeros(1), True, tuple(block))


def majority_ties_up(block: Sequence[int]) -> Rule:
    """Return the rule that takes the sign of the block's magnetization, with ties up. It is
    deterministic, but not symmetric under a global flip."""
    return Rule(np.ones((1, _sites(block))), np.full(1, 0.5), True, tuple(block))


def decimation(block: Sequence[int]) -> Rule:
    """Return the rule that keeps the first spin of the block."""
    filters = np.zeros((1, _sites(block)))
    filters[0, 0] = 1.0
    return Rule(filters, np.zeros(1), True, tuple(block))


def staggered(block: Sequence[int]) -> Rule:
    """Return the rule that takes the sign of the block's staggered magnetization, with a fair coin
    for ties. It is the majority rule of the antiferromagnet."""
    _sites(block)
    filters = 1.0 - 2.0 * (np.indices(tuple(block)).sum(axis=0) % 2).reshape(1, -1)
    return Rule(filters, np.zeros(1), True, tuple(block))


NAMED = {
    "majority": majority,
    "decimation": decimation,
    "majority-ties-up": majority_ties_up,
    "staggered": staggered,
    "plurality": majority,  # of two states
}


def of_each_component(rule: Rule, components: int) -> Rule:
    """Return the rule that does with each of several components what a rule of one component
    does."""
    filters = np.zeros((components, rule.n_hidden, components, rule.n_block))
    for own in range(components):
        filters[own, :, own] = rule.filters
    flat = filters.reshape(components * rule.n_hidden, -1)
    bias = np.tile(rule.bias, components)
    return Rule(flat, bias, rule.hard, rule.block, components)


def rule_of(
    filters: ArrayLike, block: Sequence[int], bias: ArrayLike | None = None, hard: bool = False
) -> Rule:
    """Return the rule with given filters.

    Parameters
    ----------
    filters : array_like of float
        One hidden unit in the shape of the block or as a row of its sites in row-major order, or
        several units in one of these forms.
    block : sequence of int
        Sites of the block along each axis.
    bias : array_like of float, (n_hidden,), optional
        Zero by default.
    hard : bool

    Raises
    ------
    ValueError
        If the numbers do not fit the block, or are not finite real numbers.
    """
    numbers, block, sites = np.asarray(filters), tuple(block), _sites(block)
    if numbers.dtype.kind not in "biuf":
        raise ValueError(f"a filter needs real numbers, not {numbers.dtype}")
    if not {numbers.shape, numbers.shape[1:]} & {block, (sites,)}:
        raise ValueError(
            f"{'x'.join(map(str, numbers.shape)) or 'no'} numbers do not fit a block of"
            f" {'x'.join(map(str, block))}: write one filter in its shape, or one row of {sites}"
            " for each hidden unit"
        )
    rows = numbers.reshape(-1, sites).astype(np.float64)
    bias = np.zeros(len(rows)) if bias is None else np.asarray(bias, np.float64)
    return Rule(rows, bias, hard, block)


def level_shapes(shape: Sequence[int], block: Sequence[int], steps: int) -> list[tuple[int, ...]]:
    """Return the shapes of the lattice after 0, 1, ..., `steps` steps of blocking.

    Raises
    ------
    ValueError
        If blocks do not tile the lattice of a step, or the numbers of axes differ.
    """
    shapes = [tuple(int(extent) for extent in shape)]
    if len(block) != len(shapes[0]):
        raise ValueError(f"a block of {len(block)} axes does not fit a lattice of {len(shapes[0])}")
    for step in range(1, steps + 1):
        if any(extent % sites for extent, sites in zip(shapes[-1], block)):
            name = "x".join(map(str, block))
            raise ValueError(
                f"step {step}: blocks of {name} do not tile a lattice of"
                f" {'x'.join(map(str, shapes[-1]))}"
            )
        shapes.append(tuple(extent // sites for extent, sites in zip(shapes[-1], block)))
    return shapes


def coarse_grain(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    rule: Rule,
    key: ArrayLike,
    samples: ArrayLike = 0,
) -> NDArray[np.uint8]:
    """Coarse-grain configurations by one step of blocking.

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(components * sites / 8))
        Packed configurations (components, \\*shape), with the components of the rule; see
        `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the lattice along each of its 1 to 3 axes.
    rule : Rule
    key : array_like of uint64, (2,)
        Key of the random bits of this step.
    samples : array_like of int, (n,) or ()
        Number of each row in the whole data set, or that of the first of consecutive rows. The
        draws of a row depend on the key and its number alone, so that parts of a data set give the
        same coarse spins as the whole.

    Returns
    -------
    ndarray of uint8, (n, ceil(n_hidden * coarse_sites / 8))
        Packed configurations (n_hidden, \\*coarse_shape).

    Raises
    ------
    ValueError
        If blocks do not tile the lattice.
    """
    level_shapes(shape, rule.block, 1)
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    return blocking.coarse_grain(
        rows,
        three_axes(shape),
        three_axes(rule.block),
        rule.filters,
        rule.bias,
        rule.hard,
        np.ascontiguousarray(key, dtype=np.uint64),
        sample_numbers(samples, len(rows)),
        rule.masks,
        rule.components,
    )


def sample_numbers(samples: ArrayLike, n: int) -> NDArray[np.uint64]:
    """Return the numbers of n rows, (n,), from the number of the first row or from all numbers."""
    numbers = np.ascontiguousarray(samples, dtype=np.uint64)
    if np.ndim(samples) == 0:
        return np.arange(n, dtype=np.uint64) + numbers
    return numbers


def three_axes(extents: Sequence[int], missing: int = 1) -> NDArray[np.int64]:
    """Return the extents of one to three axes as the three numbers that the kernels take; leading
    axes have the extent `missing`."""
    return np.array((missing,) * (3 - len(extents)) + tuple(extents), dtype=np.int64)
