"""Exact answers by brute-force enumeration, for the tests alone: slow, obvious, independent of the package."""

import math

import numpy as np


# --- small periodic Ising lattices ------------------------------------------------------------------------------------


def every_configuration(shape):
    """All configurations (2^N, *shape) of +-1 spins."""
    sites = math.prod(shape)
    bits = np.arange(2**sites)[:, None] >> np.arange(sites) & 1
    return (2 * bits - 1).astype(np.int8).reshape(-1, *shape)


def ising_energies(configurations):
    """Energies of periodic configurations (n, *shape), one forward bond per site and axis."""
    axes = range(1, configurations.ndim)
    bonds = sum(configurations.astype(np.int64) * np.roll(configurations, -1, axis) for axis in axes)
    return -bonds.reshape(len(bonds), -1).sum(axis=1)


def boltzmann(energies, coupling):
    weights = np.exp(-coupling * (energies - energies.min()))
    return weights / weights.sum()
