"""Sums for scaling dimensions straight from the replica sampler, for tests of the statistics."""

import numpy as np

from rsmi.lattice.packed import pack_mask
from rsmi.models.ising import bitsliced, torus
from rsmi.renormalization.spectrum import functions
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.quantities import exact_bond_energy
from rsmi.renormalization.spectrum.readings import measure

GROUPS, BATCH = 64, 8
CRITICAL = np.log(1 + 2**0.5) / 2


def critical_sums(length, steps, interval, seed, coupling=CRITICAL, modes=False):
    """GroupSums of magnetization and bond energy of steps x 512 configurations of a square
    lattice, after 20 autocorrelation times, about 0.9 L^2 sweeps."""
    shape, numbers = (length, length), np.arange(bitsliced.REPLICAS)
    system = (shape, coupling, "metropolis", "replicas")
    up = pack_mask(np.ones(length**2, bool)) * (1 - numbers[:, None] % 2).astype(np.uint8)
    spins = bitsliced.unpack(up, shape, "replicas")
    generators = bitsliced.seed(np.array([1, seed, length, 7], np.uint64), 1)
    bitsliced.sweep(spins, generators, *system, int(0.9 * length**2))
    sums = GroupSums.empty(GROUPS, ["bond energy"], ["magnetization"], shape, 5 if modes else 0)
    measured = (functions.magnetization(2), functions.bond_energy(2))
    for first in range(0, steps, BATCH):
        batch = min(BATCH, steps - first)
        rows = np.zeros((batch * len(numbers), (length**2 + 7) // 8), np.uint8)
        energies, magnetizations = np.zeros((2, len(rows)), np.int64)
        bitsliced.sample_chain(spins, generators, *system, interval, rows, energies, magnetizations)
        groups = np.tile(numbers * GROUPS // len(numbers), batch)
        if modes:
            values, factors = measure(rows, shape, measured, modes=True)
            sums.add(values[:, 1:], values[:, :1], groups, factors[:, 1:], factors[:, :1])
        else:
            bonds, m = energies / (-2 * length**2), magnetizations / length**2
            sums.add(bonds[:, None], m[:, None], groups)
    return sums


def exact_energy(length, coupling=CRITICAL):
    """The exact bond energy of a square lattice."""
    shape = (length, length)
    return exact_bond_energy(
        torus.energy(shape, coupling), torus.energy_variance(shape, coupling), 2
    )
