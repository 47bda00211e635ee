"""Block-spin rules and the coarse-graining of configurations by them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from rsmi.kernels import blocking

LARGEST_BLOCK = 64


@dataclass(frozen=True)
class Rule:
    """How the spins of one block decide its coarse spins.

    Coarse spin j of a block with spins v_i = +-1 is +1 with probability sigma(x_j), x_j = sum_i v_i
    filters[j, i] + bias[j] (Koch-Janusz & Ringel, arXiv:1704.06279, eq. 3). A hard rule takes the
    sign of x_j instead, and a fair coin where x_j = 0 (|x_j| <= 1e-9 sum_i |filters[j, i]|).

    Attributes
    ----------
    filters : (n_hidden, n_block) float64, the sites of the block in row-major order
    bias : (n_hidden,) float64
    hard : bool
    block : tuple of int, sites of the block per axis
    """

    filters: np.ndarray
    bias: np.ndarray
    hard: bool
    block: tuple[int, ...]

    def __post_init__(self):
        filters = np.ascontiguousarray(self.filters, dtype=np.float64)
        bias = np.ascontiguousarray(self.bias, dtype=np.float64)
        block = tuple(int(extent) for extent in self.block)
        sites = _sites(block)
        if (
            filters.ndim != 2
            or filters.shape[0] < 1
            or filters.shape[1] != sites
            or bias.shape != filters.shape[:1]
        ):
            raise ValueError(
                f"filters {filters.shape} and bias {bias.shape} do not fit a block of {sites} sites"
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
        return self.filters.shape[0]


def _sites(block) -> int:
    """Sites of a block, checked before anything of that size is made."""
    if not 1 <= len(block) <= 3 or min(block) < 1 or prod(block) > LARGEST_BLOCK:
        raise ValueError(
            f"a block needs 1 to 3 axes and at most {LARGEST_BLOCK} sites, not {block}"
        )
    return prod(block)


def majority(block) -> Rule:
    """The sign of the block's magnetization, ties by a fair coin (Swendsen, PRL 42, 859 (1979))."""
    return Rule(np.ones((1, _sites(block))), np.zeros(1), True, block)


def majority_ties_up(block) -> Rule:
    """The sign of the block's magnetization, ties up: deterministic, but not symmetric under a
    global flip."""
    return Rule(np.ones((1, _sites(block))), np.full(1, 0.5), True, block)


def decimation(block) -> Rule:
    """The first spin of the block survives."""
    filters = np.zeros((1, _sites(block)))
    filters[0, 0] = 1.0
    return Rule(filters, np.zeros(1), True, block)


def staggered(block) -> Rule:
    """The sign of the block's staggered magnetization, ties by a fair coin: the majority rule of
    the antiferromagnet."""
    _sites(block)
    return Rule(
        1.0 - 2.0 * (np.indices(block).sum(axis=0) % 2).reshape(1, -1), np.zeros(1), True, block
    )


NAMED = {
    "majority": majority,
    "decimation": decimation,
    "majority-ties-up": majority_ties_up,
    "staggered": staggered,
}


def rule_of(filters, block, bias=None, hard=False) -> Rule:
    """A rule from numbers as one writes them down.

    Parameters
    ----------
    filters : array of numbers
        One hidden unit in the shape of the block or as a row of its sites in row-major order, or
        several of either.
    block : tuple of int
    bias : (n_hidden,), optional
        Zero by default.
    hard : bool

    Raises
    ------
    ValueError
        Where the numbers do not fit the block, or are not finite real numbers.
    """
    filters, block, sites = np.asarray(filters), tuple(block), _sites(block)
    if filters.dtype.kind not in "biuf":
        raise ValueError(f"a filter needs real numbers, not {filters.dtype}")
    if not {filters.shape, filters.shape[1:]} & {block, (sites,)}:
        raise ValueError(
            f"{'x'.join(map(str, filters.shape)) or 'no'} numbers do not fit a block of"
            f" {'x'.join(map(str, block))}: write one filter in its shape, or one row of {sites}"
            " for each hidden unit"
        )
    filters = filters.reshape(-1, sites).astype(np.float64)
    return Rule(filters, np.zeros(len(filters)) if bias is None else bias, hard, block)


def level_shapes(shape, block, steps: int) -> list[tuple[int, ...]]:
    """Shapes of the lattice after 0, 1, ..., `steps` steps of blocking; ValueError where a block
    does not fit."""
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


def coarse_grain(rows, shape, rule: Rule, key, samples=0) -> np.ndarray:
    """One step of blocking.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8
        Packed configurations (`rsmi.lattice.packed`, bit 1 = spin +1) of a lattice of
        `shape`, 1 to 3 axes.
    key : (2,) uint64
        Key of this step's random bits.
    samples : (n,) uint64 or int
        Number of each row in the whole data set, or that of the first of consecutive rows. The
        draws of a row depend on the key and its number alone, so that parts of a data set give the
        same coarse spins as the whole.

    Returns
    -------
    (n, ceil(n_hidden * coarse_sites / 8)) uint8
        The packed array (n_hidden, \\*coarse_shape).
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
    )


def sample_numbers(samples, n: int) -> np.ndarray:
    """The number of each of `n` rows, from the first one's or as given."""
    if np.ndim(samples) == 0:
        return np.arange(n, dtype=np.uint64) + np.uint64(samples)
    return np.ascontiguousarray(samples, dtype=np.uint64)


def three_axes(extents, missing: int = 1) -> np.ndarray:
    """What belongs to one to three axes as the kernels take it: three int64, leading axes added."""
    return np.array((missing,) * (3 - len(extents)) + tuple(extents), dtype=np.int64)
