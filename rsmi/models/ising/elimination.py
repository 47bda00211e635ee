"""Sums over the states of a few Ising spins by eliminating one spin after the other.

A product of bond weights exp(K s s') is summed over one spin at a time: the factors that contain
the spin are multiplied into one table over its neighbours, and the spin is summed out of it. The
spin that leaves the smallest table goes first, so that the cost is set by the widest table on the
way, not by the number of spins (R. Dechter, Artificial Intelligence 113, 41 (1999), "bucket
elimination"). On strips and small tori this is the transfer matrix, found by itself.
"""

from heapq import heapify, heappop, heappush
from math import prod

import numpy as np

from rsmi.errors import UsageError

LARGEST_TABLE = 24  # spins of the widest table: 128 MiB


def torus_bonds(shape):
    """Nearest-neighbour bonds of a periodic lattice, a list of pairs of sites (row-major numbers);
    two sites a side share two bonds."""
    sites = np.arange(prod(shape)).reshape(shape)
    return [
        pair
        for axis in range(len(shape))
        for pair in zip(sites.ravel().tolist(), np.roll(sites, -1, axis).ravel().tolist())
    ]


def marginal_weights(bonds, kept, coupling):
    """Weight of every state of some spins, all other spins of the bonds summed over.

    Parameters
    ----------
    bonds : sequence of (site, site)
        Sites are any hashable labels; a pair may come several times.
    kept : sequence of site
    coupling : float
        K = J/(k_B T), of either sign.

    Returns
    -------
    ndarray of float64, (2^len(kept),)
        Bit k of a state is 1 where spin ``kept[k]`` is +1. Normalised to a sum of 1.

    Raises
    ------
    UsageError
        Where a table would have more than `LARGEST_TABLE` spins.
    """
    bonds = [(a, b) for a, b in bonds if a != b]  # a spin is always equal to itself
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


def elimination_order(factors, first, stop):
    """Order in which to sum spins ``first .. stop - 1`` out, the smallest table first.

    Parameters
    ----------
    factors : sequence of tuple of int
        The spins that each factor couples.

    Raises
    ------
    UsageError
        Where a table would have more than `LARGEST_TABLE` spins.
    """
    if first > LARGEST_TABLE:
        raise UsageError(_too_wide(first))
    neighbours = {spin: set() for spin in range(stop)}
    for spins in factors:
        for spin in spins:
            neighbours[spin] |= set(spins)
    order, done = [], set()
    queue = [(len(neighbours[spin]), spin) for spin in range(first, stop)]
    heapify(queue)
    while queue:
        width, spin = heappop(queue)
        if spin in done or width != len(neighbours[spin]):
            continue  # an entry of the past
        if width > LARGEST_TABLE:
            raise UsageError(_too_wide(width))
        done.add(spin)
        order.append(spin)
        for other in neighbours[spin] - {spin}:
            neighbours[other] = (neighbours[other] | neighbours[spin]) - {spin}
            if other >= first:
                heappush(queue, (len(neighbours[other]), other))
    return order


def _too_wide(spins):
    return (
        f"the sum over all states needs a table of 2^{spins} numbers, and at most 2^{LARGEST_TABLE}"
        " are possible"
    )


def _product(factors):
    """Spins (descending) and table of a product of factors."""
    spins = tuple(sorted(set().union(*(spins for spins, _ in factors)), reverse=True))
    table = None
    for own, factor in sorted(factors, key=lambda factor: len(factor[0])):
        spread = factor.reshape([2 if spin in own else 1 for spin in spins])
        table = spread if table is None else table * spread
    return spins, table
