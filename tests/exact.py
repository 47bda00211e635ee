"""Exact answers by brute-force enumeration, for the tests alone: slow, obvious, independent of the package."""


# --- Ising lattices ---------------------------------------------------------------------------------------------------

import numpy as np


def ising_states(shape):
    """All configurations of a small lattice, row k having spin +1 at site i where bit i of k is 1, and their energies -sum over bonds."""
    sites = int(np.prod(shape))
    bits = np.arange(2**sites)[:, None] >> np.arange(sites) & 1
    states = (2 * bits - 1).astype(np.int8).reshape(-1, *shape)
    axes = [axis for axis, size in enumerate(shape, start=1) if size > 1]
    energies = -sum((states * np.roll(states, -1, axis)).reshape(len(states), -1).sum(axis=1, dtype=np.int64) for axis in axes)
    return states, energies
