"""Spin operators in one, two and three dimensions, and their exact sums along a
renormalization-group flow.

An operator is a product of spins summed over all translations and all symmetries of the hypercubic
lattice (permutations and reflections of the axes). Even operators do not change when all spins
flip, odd ones change sign. They are ordered by range, the largest distance between two of their
spins, and within one range by the number of spins, so that "the first k operators" is a sensible
truncation.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations, product
from math import prod
from typing import NamedTuple

import numpy as np

from rsmi.kernels import operators as kernel
from rsmi.renormalization.rules import Rule, coarse_grain, level_shapes, sample_numbers, three_axes

SECTORS = ("even", "odd")
CHUNK, WIDE_CHUNK = 4096, 64
WORD, HALF = 32, 16  # bits
TOGETHER = (
    128,
    1 << 16,
)  # samples from which on, and sites up to which, 512 samples side by side are faster than a few


class Operator(NamedTuple):
    """`points`: one copy, as offsets >= 0 along every axis, slowest first; the symmetries of the
    lattice give the others."""

    name: str
    points: tuple[tuple[int, ...], ...]


def _chain(name, *points) -> Operator:
    return Operator(name, tuple((point,) for point in points))


CHAIN = {
    "even": (
        _chain("nearest neighbours (1)", 0, 1),
        _chain("pair (2)", 0, 2),
        _chain("pair (3)", 0, 3),
        _chain("four in a row", 0, 1, 2, 3),
        _chain("pair (4)", 0, 4),
        _chain("three and one (0,1,2,4)", 0, 1, 2, 4),
        _chain("two and two (0,1,3,4)", 0, 1, 3, 4),
    ),
    "odd": (
        _chain("magnetization", 0),
        _chain("three in a row", 0, 1, 2),
        _chain("two and one (0,1,3)", 0, 1, 3),
        _chain("two and one (0,1,4)", 0, 1, 4),
        _chain("every second of five (0,2,4)", 0, 2, 4),
    ),
}
SQUARE = {
    "even": (
        Operator("nearest neighbours (1,0)", ((0, 0), (0, 1))),
        Operator("next-nearest neighbours (1,1)", ((0, 0), (1, 1))),
        Operator("plaquette", ((0, 0), (0, 1), (1, 0), (1, 1))),
        Operator("pair (2,0)", ((0, 0), (0, 2))),
        Operator("T", ((0, 0), (0, 1), (0, 2), (1, 1))),
        Operator("diamond", ((0, 1), (1, 0), (1, 2), (2, 1))),
        Operator("pair (2,1)", ((0, 0), (1, 2))),
        Operator("zigzag", ((0, 0), (0, 1), (1, 1), (1, 2))),
        Operator("corners of the 2x1 rectangle", ((0, 0), (0, 2), (1, 0), (1, 2))),
        Operator("pair (2,2)", ((0, 0), (2, 2))),
    ),
    "odd": (
        Operator("magnetization", ((0, 0),)),
        Operator("corner", ((0, 0), (0, 1), (1, 0))),
        Operator("line of three", ((0, 0), (0, 1), (0, 2))),
        Operator("V of two diagonals", ((0, 0), (1, 1), (0, 2))),
        Operator("knight triple", ((0, 0), (0, 1), (1, 2))),
        Operator("three corners of the 2x2 square", ((0, 0), (0, 2), (2, 0))),
    ),
}
CUBIC = {
    "even": (
        Operator("nearest neighbours (1,0,0)", ((0, 0, 0), (0, 0, 1))),
        Operator("next-nearest neighbours (1,1,0)", ((0, 0, 0), (0, 1, 1))),
        Operator("plaquette", ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))),
        Operator(
            "corner of a cube and its three neighbours",
            ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)),
        ),
        Operator("tetrahedron", ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))),
        Operator("third neighbours (1,1,1)", ((0, 0, 0), (1, 1, 1))),
        Operator("diagonal rectangle of a cube", ((0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1))),
        Operator("pair (2,0,0)", ((0, 0, 0), (0, 0, 2))),
        Operator("pair (2,1,0)", ((0, 0, 0), (0, 1, 2))),
        Operator("pair (2,1,1)", ((0, 0, 0), (1, 1, 2))),
    ),
    "odd": (
        Operator("magnetization", ((0, 0, 0),)),
        Operator("corner", ((0, 0, 0), (0, 0, 1), (0, 1, 0))),
        Operator("triangle of face diagonals", ((0, 0, 1), (0, 1, 0), (1, 0, 0))),
        Operator("edge and diagonal of a cube", ((0, 0, 0), (0, 0, 1), (1, 1, 1))),
        Operator("line of three", ((0, 0, 0), (0, 0, 1), (0, 0, 2))),
        Operator("V of two diagonals", ((0, 0, 0), (0, 1, 1), (0, 0, 2))),
    ),
}
OPERATORS = {1: CHAIN, 2: SQUARE, 3: CUBIC}


def symmetric_copies(operator: Operator) -> list[tuple[tuple[int, ...], ...]]:
    """The distinct images of an operator under permutations and reflections of the axes, up to
    translations, each sorted."""
    points = np.array(operator.points)
    images = set()
    for axes in permutations(range(points.shape[1])):
        for signs in product((1, -1), repeat=len(axes)):
            image = points[:, axes] * signs
            images.add(tuple(sorted(map(tuple, (image - image.min(axis=0)).tolist()))))
    return sorted(images)


class Table(NamedTuple):
    """What the kernel sums: `terms` (n_terms, 4, 3) int32, offsets of the points of every copy, -1
    where it has fewer; `owner` (n_terms,) int32, the operator of each term, even then odd; `copies`
    (operators,), their numbers.
    """

    terms: np.ndarray
    owner: np.ndarray
    copies: np.ndarray


@cache
def table(dimension: int) -> Table:
    """The terms of all operators in one to three dimensions; ValueError elsewhere."""
    if dimension not in OPERATORS:
        raise ValueError(f"operators are known in one to three dimensions, not in {dimension}")
    images = [
        symmetric_copies(operator)
        for sector in SECTORS
        for operator in OPERATORS[dimension][sector]
    ]
    owner = [index for index, copies in enumerate(images) for _ in copies]
    terms = np.full((len(owner), 4, 3), -1, dtype=np.int32)
    for term, points in zip(terms, (points for copies in images for points in copies)):
        term[: len(points)] = [three_axes(point, 0) for point in points]
    return Table(
        terms, np.array(owner, dtype=np.int32), np.array([len(copies) for copies in images])
    )


def smallest_size(dimension: int) -> int:
    """Sites along an axis below which an operator coincides with another through the boundary:
    twice the largest offset (8 in one dimension, 4 in two and three)."""
    return 2 * int(table(dimension).terms.max())


def wraps(shape) -> bool:
    """Whether operators wrap around a lattice, so that they are no longer independent of one
    another."""
    return min(shape) < smallest_size(len(shape))


def operator_sums(rows, shape) -> tuple[np.ndarray, np.ndarray]:
    """Lattice sums of the operators in every configuration.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape`, 1 to
    3 axes

    Returns
    -------
    even : (n, n_even) int64, in the order of `OPERATORS`: 7, 10, 10 in one, two, three dimensions
    odd : (n, n_odd) int64: 5, 6, 6
    """
    terms, owner, copies = table(len(shape))
    sums = kernel.operator_sums(
        np.ascontiguousarray(rows, dtype=np.uint8), three_axes(shape), terms, owner, len(copies)
    )
    n_even = len(OPERATORS[len(shape)]["even"])
    return np.ascontiguousarray(sums[:, :n_even]), np.ascontiguousarray(sums[:, n_even:])


def largest_block(shape, largest_energy: int = 0) -> int:
    """Number of samples of which the sums of products are sure to fit into int64."""
    largest = max(prod(shape) * int(table(len(shape)).copies.max()), abs(int(largest_energy)))
    return (2**63 - 1) // largest**2


def carried(words) -> np.ndarray:
    """Wide sums with the low word in 0 .. 2^32 - 1, so that equal ones have equal words."""
    return np.stack(
        [words[..., 0] & ((1 << WORD) - 1), words[..., 1] + (words[..., 0] >> WORD)], axis=-1
    )


def as_floats(words) -> np.ndarray:
    """The values of wide sums, rounded."""
    return words[..., 1] * 2.0**WORD + words[..., 0]


def empty_sums(
    n_blocks: int, steps: int, dimension: int = 2, wide: bool = False
) -> dict[str, np.ndarray]:
    """The zero of `measure_levels`: int64 arrays that add up over parts of a data set. Wide sums,
    for more than `largest_block`, have a last axis of two words: low + 2^32 high.

    With levels n = 0 .. steps, lattice sums S^n and the original energy E, summed over the samples
    of a block: counts, energy_sum (E), energy_squared (E^2): (blocks,); with k even operators,
    even_sums (S_a^n) and even_energy (S_a^n E): (blocks, levels, k); even_products (S_a^n S_b^n):
    (blocks, levels, k, k); even_cross (S_a^n S_b^(n-1), entry n-1): (blocks, steps, k, k); and
    odd_sums, odd_products, odd_cross with the odd operators.
    """
    shapes = {
        "counts": (),
        "energy_sum": (),
        "energy_squared": (),
        "even_energy": (steps + 1, len(OPERATORS[dimension]["even"])),
    }
    for sector, operators in OPERATORS[dimension].items():
        k = len(operators)
        shapes[f"{sector}_sums"] = (steps + 1, k)
        shapes[f"{sector}_products"] = (steps + 1, k, k)
        shapes[f"{sector}_cross"] = (steps, k, k)
    return {
        name: np.zeros((n_blocks, *shape, *(2,) * wide), dtype=np.int64)
        for name, shape in shapes.items()
    }


def occupied(sums) -> dict[str, np.ndarray]:
    """The sums without blocks that received no sample."""
    return {name: array[sums["counts"] > 0] for name, array in sums.items()}


def measure_levels(
    rows,
    shape,
    rule: Rule,
    steps: int,
    keys,
    energies,
    samples=0,
    blocks=0,
    n_blocks: int | None = None,
    observe=None,
    wide=False,
):
    """Operators of every configuration before and after each of `steps` steps of blocking, summed
    per block of samples.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape`, 1 to
    3 axes
    rule : Rule with one hidden unit
    keys : (steps, 2) uint64, key of the random bits of each step
    energies : (n,) int64, original energy of each configuration in J
    samples : (n,) uint64 or int, number of each row in the data set (`coarse_grain`)
    blocks : (n,) int64 or int, the block each row is summed into
    n_blocks : number of blocks, by default the largest number in `blocks` plus one
    observe : called as observe(level, rows, shape, blocks) with the configurations of every level,
    some samples at a time
    wide : bool, whether the sums have two words and so no limit

    Returns
    -------
    dict of int64 arrays, the layout of `empty_sums`

    Raises
    ------
    ValueError
        Rules with several hidden units, blocks that do not tile the lattice, or more samples in a
        block than int64 can be sure to hold and that are not wide.
    """
    shapes = level_shapes(shape, rule.block, steps)
    if rule.n_hidden != 1:
        raise ValueError(f"operators need a rule with one hidden unit, not {rule.n_hidden}")
    keys = np.ascontiguousarray(keys, dtype=np.uint64).reshape(-1, 2)
    if len(keys) != steps:
        raise ValueError(f"{steps} steps need as many keys, not {len(keys)}")
    energies = np.ascontiguousarray(energies, dtype=np.int64)
    samples = sample_numbers(samples, len(rows))
    blocks = np.ascontiguousarray(np.broadcast_to(np.asarray(blocks, dtype=np.int64), len(rows)))
    if not wide:
        _refuse_overflow(shape, energies, blocks)
    if n_blocks is None:
        n_blocks = int(blocks.max(initial=0)) + 1
    products = [
        np.zeros((n_blocks, steps + 1, len(kinds), 2 + 2 * len(kinds)), dtype=np.int64)
        for kinds in OPERATORS[len(shape)].values()
    ]
    sums, chunk = (
        empty_sums(n_blocks, steps, len(shape), True) if wide else {},
        (WIDE_CHUNK if wide else CHUNK),
    )
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        found = _level_sums(
            np.ascontiguousarray(rows[part], dtype=np.uint8),
            shapes,
            rule,
            keys,
            samples[part],
            blocks[part],
            observe,
        )
        if wide:
            _add_wide(sums, found, energies[part], blocks[part])
        else:
            kernel.accumulate_levels(found, energies[part], blocks[part], *products)
    return sums if wide else _named(products, energies, blocks, n_blocks)


def _level_sums(rows, shapes, rule, keys, samples, blocks, observe) -> np.ndarray:
    """Sums (levels, n, operators) of all operators: of many samples at once where a kernel does it,
    else level by level; the same integers."""
    terms, owner, copies = table(len(shapes[0]))
    together = None
    if len(shapes) > 1 and len(rows) >= TOGETHER[0] and prod(shapes[0]) <= TOGETHER[1]:
        extents = three_axes(shapes[0]), three_axes(rule.block)
        together = kernel.level_sums(
            rows,
            *extents,
            rule.filters,
            rule.bias,
            rule.hard,
            keys,
            samples,
            terms,
            owner,
            len(copies),
        )
    if together is not None and observe is None:
        return together
    found = []
    for level, shape in enumerate(shapes):
        if level:
            rows = coarse_grain(rows, shapes[level - 1], rule, keys[level - 1], samples)
        if observe is not None:
            observe(level, rows, shape, blocks)
        if together is None:
            found.append(kernel.operator_sums(rows, three_axes(shape), terms, owner, len(copies)))
    return np.stack(found) if together is None else together


def _named(products, energies, blocks, n_blocks) -> dict[str, np.ndarray]:
    """The layout of `empty_sums` from what the kernel adds up, (n_blocks, levels, k, 2 + 2 k) of
    each sector."""
    energy_sum, energy_squared = np.zeros((2, n_blocks), dtype=np.int64)
    np.add.at(energy_sum, blocks, energies)
    np.add.at(energy_squared, blocks, energies**2)
    sums = {
        "counts": np.bincount(blocks, minlength=n_blocks),
        "energy_sum": energy_sum,
        "energy_squared": energy_squared,
    }
    sums["even_energy"] = products[0][..., 1].copy()
    for sector, found in zip(SECTORS, products):
        k = found.shape[2]
        parts = {
            "sums": found[..., 0],
            "products": found[..., 2 : 2 + k],
            "cross": found[:, 1:, :, 2 + k :],
        }
        sums |= {f"{sector}_{name}": np.ascontiguousarray(part) for name, part in parts.items()}
    return sums


def _add_wide(sums, found, energies, blocks) -> None:
    """Add the sums of operators (levels, n, operators) of at most WIDE_CHUNK samples to wide
    ones."""
    n_even = sums["even_sums"].shape[2]
    for block in np.unique(blocks):
        own = {name: array[block] for name, array in sums.items()}
        chosen = blocks == block
        energy, levels = energies[chosen, None], found[:, chosen]
        one = np.ones_like(energy)
        for name, left, right in (
            ("counts", one, one),
            ("energy_sum", one, energy),
            ("energy_squared", energy, energy),
        ):
            _add_products(own[name][None, None], left, right)
        for n, level in enumerate(levels):
            for sector, kinds in zip(SECTORS, (slice(n_even), slice(n_even, None))):
                left = level[:, kinds]
                _add_products(own[f"{sector}_sums"][n][:, None], left, one)
                _add_products(own[f"{sector}_products"][n], left, left)
                if n:
                    _add_products(own[f"{sector}_cross"][n - 1], left, levels[n - 1][:, kinds])
                if sector == "even":
                    _add_products(own["even_energy"][n][:, None], left, energy)


def _add_products(words, left, right) -> None:
    """Add left (n, p)^T right (n, q) to wide sums (p, q, 2): those with the low 16 bits of the
    right, and with what is above, fit into a word."""
    fine, coarse = left.T @ (right & ((1 << HALF) - 1)), left.T @ (right >> HALF)
    words[..., 0] += fine + ((coarse & ((1 << HALF) - 1)) << HALF)
    words[..., 1] += coarse >> HALF
    words[...] = carried(words)


def _refuse_overflow(shape, energies, blocks):
    limit = largest_block(shape, max(int(energies.max(initial=0)), -int(energies.min(initial=0))))
    if len(blocks) and np.bincount(blocks).max() > limit:
        raise ValueError(
            f"more than {limit} samples in a block could overflow 64-bit sums; use more blocks"
        )
