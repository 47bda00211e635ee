"""Spin operators of the square lattice, and their exact sums along a renormalization-group flow.

An operator is a product of spins summed over all translations, rotations and reflections. Even operators do not change
when all spins flip, odd ones change sign. They are ordered by range, the largest distance between two of their spins, and
within one range by the number of spins, so that "the first k operators" is a sensible truncation.
"""

from math import prod
from typing import NamedTuple

import numpy as np

from rsmi.kernels.operators import accumulate_products
from rsmi.kernels.operators import operator_sums as _operator_sums
from rsmi.renormalization.rules import Rule, coarse_grain, level_shapes, sample_numbers

SMALLEST_SIZE = 4
CHUNK = 1024


class Operator(NamedTuple):
    """`points`: one copy, as (row, column) offsets in a 3 x 3 window; the symmetries of the square give the others."""

    name: str
    points: tuple[tuple[int, int], ...]


EVEN = (
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
)
ODD = (
    Operator("magnetization", ((0, 0),)),
    Operator("corner", ((0, 0), (0, 1), (1, 0))),
    Operator("line of three", ((0, 0), (0, 1), (0, 2))),
    Operator("V of two diagonals", ((0, 0), (1, 1), (0, 2))),
    Operator("knight triple", ((0, 0), (0, 1), (1, 2))),
    Operator("three corners of the 2x2 square", ((0, 0), (0, 2), (2, 0))),
)
SECTORS = {"even": EVEN, "odd": ODD}


def symmetric_copies(operator: Operator) -> list[tuple[tuple[int, int], ...]]:
    """The distinct images of an operator under rotations and reflections, up to translations, each sorted."""
    points = np.array(operator.points)
    images = set()
    for turned in (points, points[:, ::-1]):
        for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            image = turned * signs
            images.add(tuple(sorted(map(tuple, (image - image.min(axis=0)).tolist()))))
    return sorted(images)


def _table():
    """The kernel's terms (n_terms, 4), the operator of each and the number of copies of each operator, even then odd."""
    copies = [symmetric_copies(operator) for operator in EVEN + ODD]
    terms = [[3 * y + x for y, x in term] + [-1] * (4 - len(term)) for images in copies for term in images]
    owner = [index for index, images in enumerate(copies) for _ in images]
    return np.array(terms, dtype=np.int32), np.array(owner, dtype=np.int32), np.array([len(images) for images in copies])


_TERMS, _OWNER, COPIES = _table()


def wraps(shape) -> bool:
    """Whether operators wrap around a lattice: on fewer than 4 sites (2,0) coincides with (1,0) or (0,0) through the
    boundary, so that operators are no longer independent of one another."""
    return min(shape) < SMALLEST_SIZE


def operator_sums(rows, shape) -> tuple[np.ndarray, np.ndarray]:
    """Lattice sums of the operators in every configuration.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape` = (height, width)

    Returns
    -------
    even : (n, 10) int64, in the order of `EVEN`
    odd : (n, 6) int64, in the order of `ODD`
    """
    _require_square_lattice(shape)
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    sums = _operator_sums(rows, shape[0], shape[1], _TERMS, _OWNER, len(COPIES))
    return np.ascontiguousarray(sums[:, : len(EVEN)]), np.ascontiguousarray(sums[:, len(EVEN) :])


def largest_block(shape, largest_energy: int = 0) -> int:
    """Number of samples of which the sums of products are sure to fit into int64."""
    largest = max(prod(shape) * int(COPIES.max()), abs(int(largest_energy)))
    return (2**63 - 1) // largest**2


def empty_sums(n_blocks: int, steps: int) -> dict[str, np.ndarray]:
    """The zero of `measure_levels`: int64 arrays that add up over parts of a data set.

    With levels n = 0 .. steps, lattice sums S^n and the original energy E, summed over the samples of a block:
    counts, energy_sum (E), energy_squared (E^2): (blocks,); even_sums (S_a^n) and even_energy (S_a^n E): (blocks, levels,
    10); even_products (S_a^n S_b^n): (blocks, levels, 10, 10); even_cross (S_a^n S_b^(n-1), entry n-1): (blocks, steps,
    10, 10); and odd_sums, odd_products, odd_cross with 6 operators.
    """
    shapes = {"counts": (), "energy_sum": (), "energy_squared": (), "even_energy": (steps + 1, len(EVEN))}
    for sector, operators in SECTORS.items():
        k = len(operators)
        shapes[f"{sector}_sums"] = (steps + 1, k)
        shapes[f"{sector}_products"] = (steps + 1, k, k)
        shapes[f"{sector}_cross"] = (steps, k, k)
    return {name: np.zeros((n_blocks, *shape), dtype=np.int64) for name, shape in shapes.items()}


def occupied(sums) -> dict[str, np.ndarray]:
    """The sums without blocks that received no sample."""
    return {name: array[sums["counts"] > 0] for name, array in sums.items()}


def measure_levels(rows, shape, rule: Rule, steps: int, keys, energies, samples=0, blocks=0, n_blocks: int | None = None):
    """Operators of every configuration before and after each of `steps` steps of blocking, summed per block of samples.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape` = (height, width)
    rule : Rule with one hidden unit
    keys : (steps, 2) uint64, key of the random bits of each step
    energies : (n,) int64, original energy of each configuration in J
    samples : (n,) uint64 or int, number of each row in the data set (`coarse_grain`)
    blocks : (n,) int64 or int, the block each row is summed into
    n_blocks : number of blocks, by default the largest number in `blocks` plus one

    Returns
    -------
    dict of int64 arrays, the layout of `empty_sums`

    Raises
    ------
    ValueError
        Lattices that are not two-dimensional, rules with several hidden units, blocks that do not tile the lattice,
        or more samples in a block than int64 can be sure to hold.
    """
    shapes = level_shapes(shape, rule.block, steps)
    _require_square_lattice(shape)
    if rule.n_hidden != 1:
        raise ValueError(f"operators need a rule with one hidden unit, not {rule.n_hidden}")
    keys = np.ascontiguousarray(keys, dtype=np.uint64).reshape(-1, 2)
    if len(keys) != steps:
        raise ValueError(f"{steps} steps need as many keys, not {len(keys)}")
    energies = np.ascontiguousarray(energies, dtype=np.int64)
    samples = sample_numbers(samples, len(rows))
    blocks = np.ascontiguousarray(np.broadcast_to(np.asarray(blocks, dtype=np.int64), len(rows)))
    _refuse_overflow(shape, energies, blocks)
    if n_blocks is None:
        n_blocks = int(blocks.max(initial=0)) + 1
    sums = empty_sums(n_blocks, steps)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, start + CHUNK)
        levels = _levels(rows[part], shapes, rule, keys, samples[part])
        _accumulate(sums, levels, energies[part], blocks[part])
    return sums


def _levels(rows, shapes, rule, keys, samples):
    """(even, odd) lattice sums at every level."""
    levels = [operator_sums(rows, shapes[0])]
    for step, key in enumerate(keys):
        rows = coarse_grain(rows, shapes[step], rule, key, samples)
        levels.append(operator_sums(rows, shapes[step + 1]))
    return levels


def _accumulate(sums, levels, energies, blocks):
    one, energy = np.ones((len(energies), 1), dtype=np.int64), energies[:, None]
    _add(sums["counts"], one, one, blocks)
    _add(sums["energy_sum"], energy, one, blocks)
    _add(sums["energy_squared"], energy, energy, blocks)
    for n, level in enumerate(levels):
        _add(sums["even_energy"][:, n], level[0], energy, blocks)
        for index, sector in enumerate(SECTORS):
            _add(sums[f"{sector}_sums"][:, n], level[index], one, blocks)
            _add(sums[f"{sector}_products"][:, n], level[index], level[index], blocks)
            if n:
                _add(sums[f"{sector}_cross"][:, n - 1], level[index], levels[n - 1][index], blocks)


def _add(target, left, right, blocks):
    products = np.zeros((len(target), left.shape[1], right.shape[1]), dtype=np.int64)
    accumulate_products(left, right, blocks, products)
    target += products.reshape(target.shape)


def _require_square_lattice(shape):
    if len(shape) != 2:
        raise ValueError(f"the operators are those of the square lattice, not of {len(shape)} dimensions")


def _refuse_overflow(shape, energies, blocks):
    limit = largest_block(shape, max(int(energies.max(initial=0)), -int(energies.min(initial=0))))
    if len(blocks) and np.bincount(blocks).max() > limit:
        raise ValueError(f"more than {limit} samples in a block could overflow 64-bit sums; use more blocks")
