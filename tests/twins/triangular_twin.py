"""A slow Python twin of the worms of csrc/models/triangular, on the same random stream. It knows
bonds by their sites, and finds the triangles on both sides of a bond from these."""

from collections.abc import Iterator

import numpy as np
from random_twin import xoshiro_next

UP = ((0, 0), (1, 0), (1, 1))  # the corners of an up triangle, from its site
DOWN = ((0, 0), (0, 1), (1, 1))
BONDS = ((0, 1), (1, 2), (0, 2))  # the corners that the bonds of an up triangle join


def corners(site, kind, shape):
    return [tuple((s + d) % size for s, d, size in zip(site, step, shape)) for step in kind]


def bond(site, number, shape):
    """The two sites of a bond of an up triangle."""
    triangle = corners(site, UP, shape)
    return frozenset(triangle[corner] for corner in BONDS[number])


def triangles_with(ends, kind, shape):
    """The triangles of a kind that have a bond. On lattices of three sites along a side the three
    corners tell bonds apart."""
    return [site for site in np.ndindex(*shape) if ends <= frozenset(corners(site, kind, shape))]


def worm(bonds, rng):
    """One worm in the bonds (Lx, Ly) of one chain, in place; rng a list of four integers. Returns
    its steps."""
    shape, steps = bonds.shape, 0
    number = xoshiro_next(rng) * bonds.size >> 64
    tail = tuple(int(x) for x in np.unravel_index(number, shape))
    lifted = bond(tail, bonds[tail], shape)
    while True:
        (head,) = triangles_with(lifted, DOWN, shape)
        around = {k: (up, k) for up, k in up_triangles_around(head, shape)}
        (back,) = (k for k, (up, _) in around.items() if bond(up, k, shape) == lifted)
        number = [k for k in range(3) if k != back][xoshiro_next(rng) >> 63]
        up, _ = around[number]
        lifted = bond(up, bonds[up], shape)
        bonds[up] = number
        steps += 1
        if up == tail:
            return steps


def up_triangles_around(down, shape) -> Iterator[tuple[tuple[int, int], int]]:
    """The up triangles beside a down triangle, and which of their bonds they share with it."""
    inside = frozenset(corners(down, DOWN, shape))
    for number in range(3):
        for up in np.ndindex(*shape):
            if bond(up, number, shape) <= inside:
                yield up, number


def spins_of(bonds, first):
    """The spins (Lx, Ly) of bonds, 0 and 1, with the first at (0, 0); None if there are none."""
    spins, shape = {(0, 0): int(first)}, bonds.shape
    waiting = [(0, 0)]
    neighbours = {site: [] for site in np.ndindex(*shape)}
    for site in np.ndindex(*shape):
        for number in range(3):
            one, other = bond(site, number, shape)
            for a, b in ((one, other), (other, one)):
                neighbours[a].append((b, int(bonds[site] != number)))
    while waiting:
        site = waiting.pop()
        for other, differs in neighbours[site]:
            if other not in spins:
                spins[other] = spins[site] ^ differs
                waiting.append(other)
            elif spins[other] != spins[site] ^ differs:
                return None
    return np.array([[spins[x, y] for y in range(shape[1])] for x in range(shape[0])])


def row(bonds, rng, worms):
    """The spins of the next row of a chain, and the steps of its worms."""
    steps = 0
    while worms:
        steps += worm(bonds, rng)
        worms -= spins_of(bonds, 0) is not None
    return spins_of(bonds, xoshiro_next(rng) >> 63), steps
