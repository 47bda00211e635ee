"""Exact sums of operators and of their products along a renormalization-group flow.

Level n is the lattice after n steps of blocking. All sums are integers, so that they add up over
parts of a data set in any order. A *wide* sum has two words, low + 2^32 high, and cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.kernels import operators as kernel
from rsmi.renormalization.component_operators import component_sums, most_products
from rsmi.renormalization.operators import SECTORS, operator_terms
from rsmi.renormalization.rules import Rule, level_shapes, sample_numbers, three_axes
from rsmi.renormalization.state_blocking import AnyRule, coarse_grain
from rsmi.renormalization.state_operators import (
    in_first_row,
    operator_names,
    rows_of_sample,
    state_sums,
    state_terms,
    vector_rows,
)

CHUNK, WIDE_CHUNK = 4096, 64  # samples in one call of a kernel
WORD, HALF = 32, 16  # bits of a word of a wide sum, and of half a word
# With at least so many samples of at most so many sites, 512 samples side by side are faster than a
# few at a time.
SIDE_BY_SIDE = (128, 1 << 16)

Observer = Callable[[int, NDArray[np.uint8], tuple[int, ...], NDArray[np.int64]], None]


def largest_block(
    shape: Sequence[int], largest_energy: int = 0, components: int = 1, states: int = 2
) -> int:
    """Return the number of samples whose sums of products certainly fit into int64.

    Parameters
    ----------
    shape : sequence of int
        Sites of the lattice along each axis.
    largest_energy : int
        Largest modulus of the energies in J.
    components : int
        Components of a site.
    states : int
        States of a variable.
    """
    if states > 2:  # vectors of q numbers, each at most q times the number of products
        copies = state_terms(states).copies * states
    elif components == 1:
        copies = int(operator_terms(len(shape)).copies.max())
    else:
        copies = most_products(len(shape), components)
    largest = max(prod(shape) * copies, abs(int(largest_energy)))
    return (2**63 - 1) // (largest**2 * rows_of_sample(states))


def carried(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return wide sums, (..., 2), with the low word in 0, ..., 2^32 - 1, so that equal sums have
    equal words."""
    return np.stack(
        [words[..., 0] & ((1 << WORD) - 1), words[..., 1] + (words[..., 0] >> WORD)], axis=-1
    )


def as_floats(words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rounded values of wide sums, (..., 2) -> (...)."""
    return words[..., 1].astype(np.float64) * 2.0**WORD + words[..., 0]


def empty_sums(
    n_blocks: int,
    steps: int,
    dimension: int = 2,
    wide: bool = False,
    components: int = 1,
    states: int = 2,
) -> dict[str, NDArray[np.int64]]:
    """Return zeros in the layout of `measure_levels`.

    Parameters
    ----------
    n_blocks : int
        Blocks of samples.
    steps : int
        Steps of blocking; the levels are n = 0, ..., steps.
    dimension : int
    wide : bool
        Whether every sum has two words, in a last axis, for more samples than `largest_block`.
    components : int
        Components of a site, which decide the operators.
    states : int
        States of a variable, which decide them too.

    Returns
    -------
    dict of ndarray of int64
        Sums over the samples of each block, where S^n are the lattice sums at level n, E is the
        original energy, and k operators are even. ``counts``, ``energy_sum`` (E) and
        ``energy_squared`` (E^2): (blocks,). ``even_sums`` (S_a^n) and ``even_energy`` (S_a^n E):
        (blocks, levels, k). ``even_products`` (S_a^n S_b^n): (blocks, levels, k, k).
        ``even_cross`` (S_a^n S_b^(n-1) in entry n-1): (blocks, steps, k, k). ``odd_sums``,
        ``odd_products`` and ``odd_cross``: the same for the odd operators. Odd operators of more
        than two states are vectors (`rsmi.renormalization.state_operators.state_sums`), whose
        products are scalar products, and whose sums over the states vanish.
    """
    shapes: dict[str, tuple[int, ...]] = {
        "counts": (),
        "energy_sum": (),
        "energy_squared": (),
    }
    names = operator_names(dimension, components, states)
    shapes["even_energy"] = (steps + 1, len(names["even"]))
    for sector, of_sector in names.items():
        k = len(of_sector)
        shapes[f"{sector}_sums"] = (steps + 1, k)
        shapes[f"{sector}_products"] = (steps + 1, k, k)
        shapes[f"{sector}_cross"] = (steps, k, k)
    return {
        name: np.zeros((n_blocks, *shape, *(2,) * wide), dtype=np.int64)
        for name, shape in shapes.items()
    }


def occupied(sums: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the sums of the blocks that received at least one sample."""
    return {name: array[sums["counts"] > 0] for name, array in sums.items()}


def measure_levels(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    rule: AnyRule | Sequence[AnyRule],
    steps: int,
    keys: ArrayLike,
    energies: ArrayLike,
    samples: ArrayLike = 0,
    blocks: ArrayLike = 0,
    n_blocks: int | None = None,
    observe: Observer | None = None,
    wide: bool = False,
) -> dict[str, NDArray[np.int64]]:
    """Sum the operators of every configuration before and after each step of blocking.

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each of its 1 to 3 axes.
    rule : Rule or CategoricalRule, or a sequence of them
        With as many hidden units as components, and as many coarse states as states. One rule
        serves all steps; a sequence has one rule for each step, all with blocks of one shape and
        equal components and states.
    steps : int
        Steps of blocking.
    keys : array_like of uint64, (steps, 2)
        Key of the random bits of each step.
    energies : array_like of int, (n,)
        Original energy of each configuration in J.
    samples : array_like of int, (n,) or ()
        Number of each row in the data set, or of the first row; see
        `rsmi.renormalization.rules.coarse_grain`.
    blocks : array_like of int, (n,) or ()
        The block to which each row is added.
    n_blocks : int, optional
        Number of blocks; by default the largest number in `blocks` plus one.
    observe : callable, optional
        It is called as observe(level, rows, shape, blocks) with the configurations of every level,
        some samples at a time.
    wide : bool
        Whether the sums have two words and therefore no limit.

    Returns
    -------
    dict of ndarray of int64
        In the layout of `empty_sums`.

    Raises
    ------
    ValueError
        If a rule has more or fewer hidden units than components, blocks do not tile the lattice,
        there is not one rule for each step, or a block has so many samples that sums which are not
        wide could overflow.
    """
    rules = tuple(rule) if isinstance(rule, Sequence) else (rule,) * steps
    shapes = _shapes(shape, rules, steps)
    keys = np.ascontiguousarray(keys, dtype=np.uint64).reshape(-1, 2)
    if len(keys) != steps:
        raise ValueError(f"{steps} steps need as many keys, not {len(keys)}")
    energies = np.ascontiguousarray(energies, dtype=np.int64)
    numbers = sample_numbers(samples, len(rows))
    blocks = np.ascontiguousarray(np.broadcast_to(np.asarray(blocks, dtype=np.int64), len(rows)))
    components, states = (rules[0].components, rules[0].states) if rules else (1, 2)
    if not wide:
        _refuse_overflow(shape, energies, blocks, components, states)
    if n_blocks is None:
        n_blocks = int(blocks.max(initial=0)) + 1
    products = [
        np.zeros((n_blocks, steps + 1, len(names), 2 + 2 * len(names)), dtype=np.int64)
        for names in operator_names(len(shape), components, states).values()
    ]
    sums = empty_sums(n_blocks, steps, len(shape), True, components, states) if wide else {}
    n_rows = rows_of_sample(states)
    chunk = WIDE_CHUNK if wide else CHUNK
    for start in range(0, len(rows), chunk):
        part = slice(start, start + chunk)
        level_sums = _level_sums(
            np.ascontiguousarray(rows[part], dtype=np.uint8),
            shapes,
            rules,
            keys,
            numbers[part],
            blocks[part],
            observe,
        )
        own_energies, owner = in_first_row(energies[part], n_rows), np.repeat(blocks[part], n_rows)
        if wide:
            ones = in_first_row(np.ones_like(energies[part]), n_rows)
            _add_wide(sums, level_sums, ones, own_energies, owner)
        else:
            kernel.accumulate_levels(level_sums, own_energies, owner, *products)
    return sums if wide else _named(products, energies, blocks, n_blocks)


def _shapes(shape: Sequence[int], rules: tuple[AnyRule, ...], steps: int) -> list[tuple[int, ...]]:
    """The shapes of the lattice at every level, if there is a rule for each step."""
    blocks = {rule.block for rule in rules}
    if len(rules) != steps or len(blocks) > 1:
        raise ValueError(f"{steps} steps need as many rules with one block, not {len(rules)}")
    for rule in rules:
        if not rule.n_hidden == rule.components == rules[0].components:
            raise ValueError(
                "operators need a rule with one hidden unit for each component, not"
                f" {rule.n_hidden} for {rule.components}"
            )
        if not rule.coarse_states == rule.states == rules[0].states:
            raise ValueError(
                "operators need a rule with as many coarse states as states, not"
                f" {rule.coarse_states} for {rule.states}"
            )
    return level_shapes(shape, rules[0].block if rules else (1,) * len(shape), steps)


def _level_sums(
    rows: NDArray[np.uint8],
    shapes: list[tuple[int, ...]],
    rules: tuple[AnyRule, ...],
    keys: NDArray[np.uint64],
    samples: NDArray[np.uint64],
    blocks: NDArray[np.int64],
    observe: Observer | None,
) -> NDArray[np.int64]:
    """Return the sums (levels, n, operators) of all operators: of many samples side by side where a
    kernel does this, else level by level. Both ways give the same integers. Of more than two states
    there are n * states rows, one for each component of the vectors."""
    terms, owner, copies = operator_terms(len(shapes[0]))
    at_once = None
    components, states = (rules[0].components, rules[0].states) if rules else (1, 2)
    rule = rules[0] if components == 1 and len(set(map(id, rules))) == 1 else None
    small = prod(shapes[0]) <= SIDE_BY_SIDE[1]
    if isinstance(rule, Rule) and len(rows) >= SIDE_BY_SIDE[0] and small:
        extents = three_axes(shapes[0]), three_axes(rule.block)
        at_once = kernel.level_sums(
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
            rule.masks,
        )
    if at_once is not None and observe is None:
        return at_once
    sums = []
    for level, shape in enumerate(shapes):
        if level:
            rows = coarse_grain(rows, shapes[level - 1], rules[level - 1], keys[level - 1], samples)
        if observe is not None:
            observe(level, rows, shape, blocks)
        if states > 2:
            sums.append(vector_rows(*state_sums(rows, shape, states)))
        elif components > 1:
            sums.append(component_sums(rows, shape, components))
        elif at_once is None:
            sums.append(kernel.operator_sums(rows, three_axes(shape), terms, owner, len(copies)))
    return np.stack(sums) if at_once is None else at_once


def _named(
    products: list[NDArray[np.int64]],
    energies: NDArray[np.int64],
    blocks: NDArray[np.int64],
    n_blocks: int,
) -> dict[str, NDArray[np.int64]]:
    """Return the layout of `empty_sums` from the sums of the kernel, (n_blocks, levels, k, 2 + 2 k)
    of each sector."""
    energy_sum, energy_squared = np.zeros((2, n_blocks), dtype=np.int64)
    np.add.at(energy_sum, blocks, energies)
    np.add.at(energy_squared, blocks, energies**2)
    sums = {
        "counts": np.bincount(blocks, minlength=n_blocks),
        "energy_sum": energy_sum,
        "energy_squared": energy_squared,
    }
    sums["even_energy"] = products[0][..., 1].copy()
    for sector, totals in zip(SECTORS, products):
        k = totals.shape[2]
        parts = {
            "sums": totals[..., 0],
            "products": totals[..., 2 : 2 + k],
            "cross": totals[:, 1:, :, 2 + k :],
        }
        sums |= {f"{sector}_{name}": np.ascontiguousarray(part) for name, part in parts.items()}
    return sums


def _add_wide(
    sums: dict[str, NDArray[np.int64]],
    level_sums: NDArray[np.int64],
    ones: NDArray[np.int64],
    energies: NDArray[np.int64],
    blocks: NDArray[np.int64],
) -> None:
    """Add the sums of operators, (levels, rows, operators), of at most WIDE_CHUNK samples to wide
    ones; ``ones`` are the numbers of samples that the rows count for."""
    n_even = sums["even_sums"].shape[2]
    for block in np.unique(blocks):
        of_block = {name: array[block] for name, array in sums.items()}
        chosen = blocks == block
        energy, levels = energies[chosen, None], level_sums[:, chosen]
        counted, one = ones[chosen, None], np.ones_like(energy)
        for name, left, right in (
            ("counts", counted, one),
            ("energy_sum", one, energy),
            ("energy_squared", energy, energy),
        ):
            _add_products(of_block[name][None, None], left, right)
        for n, level in enumerate(levels):
            for sector, kinds in zip(SECTORS, (slice(n_even), slice(n_even, None))):
                left = level[:, kinds]
                _add_products(of_block[f"{sector}_sums"][n][:, None], left, one)
                _add_products(of_block[f"{sector}_products"][n], left, left)
                if n:
                    _add_products(of_block[f"{sector}_cross"][n - 1], left, levels[n - 1][:, kinds])
                if sector == "even":
                    _add_products(of_block["even_energy"][n][:, None], left, energy)


def _add_products(
    words: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> None:
    """Add left (n, p)^T right (n, q) to wide sums (p, q, 2). The products with the low 16 bits of
    the right factor, and with its higher bits, each fit into a word."""
    fine, coarse = left.T @ (right & ((1 << HALF) - 1)), left.T @ (right >> HALF)
    words[..., 0] += fine + ((coarse & ((1 << HALF) - 1)) << HALF)
    words[..., 1] += coarse >> HALF
    words[...] = carried(words)


def _refuse_overflow(
    shape: Sequence[int],
    energies: NDArray[np.int64],
    blocks: NDArray[np.int64],
    components: int,
    states: int,
) -> None:
    largest = max(int(energies.max(initial=0)), -int(energies.min(initial=0)))
    limit = largest_block(shape, largest, components, states)
    if len(blocks) and np.bincount(blocks).max() > limit:
        raise ValueError(
            f"more than {limit} samples in a block could overflow 64-bit sums; use more blocks"
        )
