"""Sums over the states of a few Ising spins by eliminating one spin after the other.

A product of bond weights exp(K s s') is summed over one spin at a time: the factors that contain
the spin are multiplied to one table over its neighbours, and the spin is summed out of this table.
The spin that leaves the smallest table goes first. The cost is therefore set by the widest table
on the way and not by the number of spins (R. Dechter, Artificial Intelligence 113, 41 (1999),
"bucket elimination"). On strips and small tori the method amounts to a transfer matrix.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import reduce
from heapq import heapify, heappop, heappush
from math import prod

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError

LARGEST_TABLE = 24  # spins of the widest table, which takes 128 MiB

_Factor = tuple[tuple[int, ...], NDArray[np.float64]]  # spins, descending, and their table


def torus_bonds(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return the nearest-neighbour bonds of a periodic lattice as pairs of row-major site numbers.
    Along an axis of two sites every pair has two bonds."""
    sites = np.arange(prod(shape)).reshape(shape)
    return [
        pair
        for axis in range(len(shape))
        for pair in zip(sites.ravel().tolist(), np.roll(sites, -1, axis).ravel().tolist())
    ]


def marginal_weights(
    bonds: Iterable[tuple[Hashable, Hashable]], kept: Sequence[Hashable], coupling: float
) -> NDArray[np.float64]:
    """Return the weight of every state of some spins, summed over all other spins.

    Parameters
    ----------
    bonds : iterable of (site, site)
        Sites are any hashable labels; a pair may occur several times.
    kept : sequence of site
        The spins whose states are kept.
    coupling : float
        K = J/(k_B T), of either sign.

    Returns
    -------
    ndarray of float64, (2^len(kept),)
        Weights that sum to 1. Bit k of the number of a state is 1 where spin ``kept[k]`` is +1.

    Raises
    ------
    UsageError
        If a table would have more than `LARGEST_TABLE` spins.
    """
    bonds = [(a, b) for a, b in bonds if a != b]  # a bond of a spin with itself is constant
    rank = {site: k for k, site in enumerate(kept)}
    for bond in bonds:
        for site in bond:
            rank.setdefault(site, len(rank))
    weights = np.exp(coupling * np.array([[1.0, -1.0], [-1.0, 1.0]]) - abs(coupling))
    factors = [(tuple(sorted((rank[a], rank[b]), reverse=True)), weights) for a, b in bonds]
    for spin in elimination_order([spins for spins, _ in factors], len(kept), len(rank)):
        touched = [factor for factor in factors if spin in factor[0]]
        factors = [factor for factor in factors if spin not in factor[0]]
        spins, table = _product(touched)
        table = table.sum(axis=spins.index(spin))
        factors.append((tuple(s for s in spins if s != spin), table / table.max()))
    spins, table = _product(
        [(tuple(reversed(range(len(kept)))), np.ones((2,) * len(kept))), *factors]
    )
    return table.reshape(-1) / table.sum()


def elimination_order(factors: Iterable[Iterable[int]], first: int, stop: int) -> list[int]:
    """Return the order in which the spins first, ..., stop - 1 are summed out, the smallest table
    first.

    Parameters
    ----------
    factors : iterable of tuple of int
        The spins that each factor couples.
    first, stop : int
        The range of the spins; those below `first` are kept.

    Raises
    ------
    UsageError
        If a table would have more than `LARGEST_TABLE` spins.
    """
    if first > LARGEST_TABLE:
        raise UsageError(_too_wide(first))
    neighbours: dict[int, set[int]] = {spin: set() for spin in range(stop)}
    for spins in factors:
        for spin in spins:
            neighbours[spin] |= set(spins)
    order: list[int] = []
    done: set[int] = set()
    queue = [(len(neighbours[spin]), spin) for spin in range(first, stop)]
    heapify(queue)
    while queue:
        width, spin = heappop(queue)
        if spin in done or width != len(neighbours[spin]):
            continue  # the entry is outdated
        if width > LARGEST_TABLE:
            raise UsageError(_too_wide(width))
        done.add(spin)
        order.append(spin)
        for other in neighbours[spin] - {spin}:
            neighbours[other] = (neighbours[other] | neighbours[spin]) - {spin}
            if other >= first:
                heappush(queue, (len(neighbours[other]), other))
    return order


def _too_wide(spins: int) -> str:
    return (
        f"the sum over all states needs a table of 2^{spins} numbers, and at most 2^{LARGEST_TABLE}"
        " are possible"
    )


def _product(factors: list[_Factor]) -> _Factor:
    """Return the spins (descending) and the table of a product of factors."""
    spins = tuple(sorted(set().union(*(spins for spins, _ in factors)), reverse=True))
    spread = (
        table.reshape([2 if spin in present else 1 for spin in spins])
        for present, table in sorted(factors, key=lambda factor: len(factor[0]))
    )
    return spins, reduce(np.multiply, spread)
