"""Slow twins of the kernels of `rsmi.kernels.spectrum`."""

from math import prod

import numpy as np

from rsmi.information.channel import spin_states
from rsmi.renormalization.product_terms import terms_of_table
from rsmi.renormalization.spectrum.functions import function_of_terms
from rsmi.renormalization.spectrum.modes import modes_of

POWERS = (1, 2, 4)


def all_equal():
    """The function that is +1 where all four spins of a 2x2 block are equal and -1 elsewhere."""
    equal = np.abs(spin_states(4).sum(axis=1)) == 4
    return function_of_terms("all equal", terms_of_table(np.where(equal, 1.0, -1.0)), (2, 2))


def readings(spins, function):
    """Average and structure factors (n,) and (n, orbits) of a `LocalFunction`, by a sum over all
    sites and modes, for spins (n, *shape) of +-1."""
    shape, modes = spins.shape[1:], modes_of(spins.ndim - 1)
    sites = np.indices(shape).reshape(len(shape), -1)
    value, amplitude = np.full(len(spins), function.constant), 0
    for one in function.products:
        field = np.prod([moved(spins, point) for point in one.points], axis=0)
        field = field.reshape(len(spins), -1)
        value += one.weight * field.mean(axis=1)
        places = (sites + np.array(one.centre)[:, None]) / np.array(shape)[:, None]
        amplitude = amplitude + one.weight * field @ np.exp(-2j * np.pi * modes.numbers @ places).T
    squares = np.abs(amplitude) ** 2 / prod(shape)
    factors = [squares[:, modes.orbit == k].mean(axis=1) for k in range(len(modes.orbits))]
    return value, np.array(factors).T


def moved(spins, point):
    """The spins at x + point for all x."""
    return np.roll(spins, tuple(-c for c in point), tuple(range(1, spins.ndim)))


def add_to_groups(sums, even, odd, groups):
    """Add configurations to `GroupSums`, one number after the other."""
    a = sums.arrays
    for i, g in enumerate(groups):
        if a["count"][g] == 0:
            a["offset"][g] = even[i]
        a["count"][g] += 1
        size = np.abs(odd[i])
        powers = np.stack([size, size * size, size * size * (size * size)], axis=-1)
        deviation = even[i] - a["offset"][g]
        a["even_sums"][g] += np.stack([deviation, deviation * deviation], axis=-1)
        a["odd_sums"][g] += powers
        a["cross_sums"][g] += deviation[:, None, None] * powers
