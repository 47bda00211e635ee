"""The coupling that configurations of the Ising model show in pairs of a spin and its neighbours.

A spin s in the field h, the sum of its neighbours, is up with the probability 1 / (1 + exp(-2Kh)),
so that s h - h tanh(K h) vanishes on average at the coupling K of the Boltzmann distribution
(H. B. Callen, Phys. Lett. 4, 161 (1963)). If the configurations were drawn at K (1 + shift), one
step of Newton's method to the largest pseudo-likelihood (J. Besag, The Statistician 24, 179 (1975))
finds the shift. What one spin does is nearly independent of what another does, and of what it did a
sweep before: with the same configurations the shift is known several times better than by the
energy, whose fluctuations are slow. The energy sees what this does not: states that are each in
equilibrium with their neighbours, but too rare or too frequent as a whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SITES = 25_000_000  # spins that are enough: the error of the shift is then about 5e-4
GROUPS = 64  # of configurations, whose scatter gives the error


def shift_of_coupling(
    rows: NDArray[np.uint8], shape: tuple[int, ...], coupling: float
) -> tuple[float, float]:
    """How far the coupling of packed configurations (n, bytes) of periodic lattices lies above
    ``coupling``, as a fraction of it, and the error of that.

    GROUPS of consecutive configurations are taken to be independent. A remainder at the end is left
    out.
    """
    field = 2 * np.arange(2 * len(shape) + 1) - 2 * len(shape)  # in the direction of the spin
    counts = counts_of_aligned(rows[: len(rows) // (8 * GROUPS) * 8 * GROUPS], shape)
    scores = counts @ (field * (1 - np.tanh(coupling * field)))
    information = counts @ (field / np.cosh(coupling * field)) ** 2
    shifts = scores / information.mean() / coupling
    return shifts.mean(), shifts.std(ddof=1) / np.sqrt(GROUPS)


def counts_of_aligned(rows: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """How many spins of each group have 0, 1, 2 ... neighbours of their own direction, (GROUPS,
    neighbours + 1).

    Eight configurations are counted at once, in binary digits.
    """
    spins = eight_in_a_byte(rows)[: np.prod(shape)].reshape(*shape, -1)
    ones = twos = fours = np.zeros_like(spins)
    for axis in range(len(shape)):
        before = ~(spins ^ np.roll(spins, 1, axis))
        for aligned in (before, np.roll(before, -1, axis)):
            ones, carried = ones ^ aligned, ones & aligned
            twos, carried = twos ^ carried, twos & carried
            fours = fours ^ carried
    three, five, six = ones & twos, ones & fours, twos & fours  # seven are too many
    one, two, three, four, five, six = (
        np.bitwise_count(digit).reshape(np.prod(shape), -1).sum(axis=0, dtype=np.int32)
        for digit in (ones, twos, three, fours, five, six)
    )
    columns = [one - three - five, two - three - six, three, four - five - six, five, six]
    columns.insert(0, 8 * np.prod(shape) - sum(columns))
    counts = np.stack(columns[: 2 * len(shape) + 1], axis=1)
    return counts.reshape(GROUPS, -1, counts.shape[1]).sum(axis=1)


def eight_in_a_byte(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Packed configurations (n, bytes) as (sites, n / 8): a byte holds a site of eight of them."""
    result = np.empty((8 * rows.shape[1], len(rows) // 8), dtype=np.uint8)
    for row in range(0, len(rows), 512):
        for column in range(0, rows.shape[1], 32):  # as much as a cache can hold
            part = rows[row : row + 512, column : column + 32]
            sites = np.ascontiguousarray(np.unpackbits(part, axis=1, bitorder="little").T)
            result[8 * column : 8 * column + 256, row // 8 : row // 8 + 64] = np.packbits(
                sites, axis=1
            )
    return result
