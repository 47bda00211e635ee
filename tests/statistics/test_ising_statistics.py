"""The Ising samplers draw from the Boltzmann distribution: exact energies, and every state of small
lattices."""

from functools import cache

import numpy as np
import pytest
from exact import chi2_score
from pseudo_likelihood import SITES, shift_of_coupling

from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.chain import ALGORITHMS, sample_chain, sweep
from rsmi.models.ising.facts import critical_coupling, ring_energy

KC = critical_coupling(2)
BINS = 50


def in_slices(
    shape, coupling, algorithm, interval, count, clusters_per_sweep=1, seed=1, at_once=1 << 16
):
    """Packed rows and energies of one chain from a cold start, after 500 sweeps, slice after
    slice."""
    spins = np.ones(shape, dtype=np.int8)
    rng = np.random.SeedSequence(seed).generate_state(4, np.uint64)
    sweep(spins, coupling, rng, algorithm, 500, clusters_per_sweep)
    for start in range(0, count, at_once):
        rows = min(at_once, count - start)
        packed = np.empty((rows, (spins.size + 7) // 8), dtype=np.uint8)
        energy, magnetization = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
        sample_chain(
            spins,
            coupling,
            rng,
            algorithm,
            interval,
            rows,
            clusters_per_sweep,
            packed,
            energy,
            magnetization,
        )
        yield packed, energy


def sample(*arguments, **options):
    """All of it at once."""
    return tuple(map(np.concatenate, zip(*in_slices(*arguments, **options), strict=True)))


def rows_and_energies(shape, *arguments, **options):
    """The first packed rows, as many as `shift_of_coupling` needs, and the energies of any number
    of samples."""
    rows, energies = [], []
    for packed, energy in in_slices(shape, *arguments, **options):
        rows.append(packed[: max(0, SITES // np.prod(shape) - sum(map(len, rows)))])
        energies.append(energy)
    return np.concatenate(rows), np.concatenate(energies)


def energies_of(*arguments, **options):
    """Of any number of samples: the rows are forgotten."""
    return np.concatenate([energy for _, energy in in_slices(*arguments, **options)])


def binned_mean(values):
    """Mean and its error from bins much longer than the autocorrelation time."""
    bins = values[: len(values) // BINS * BINS].reshape(BINS, -1).mean(axis=1)
    return bins.mean(), bins.std(ddof=1) / np.sqrt(BINS)


def energy_per_site(shape, coupling, algorithm, interval, count, clusters_per_sweep=1):
    energies = energies_of(shape, coupling, algorithm, interval, count, clusters_per_sweep)
    return binned_mean(energies / np.prod(shape))


def z_score(estimate, exact):
    mean, error = estimate
    return (mean - exact) / error


# Algorithm, size, coupling in units of K_c, interval, samples, clusters per sweep.
ENERGY_CASES = [
    ("metropolis", 16, 0.8, 3, 75_000, 1),
    ("metropolis", 8, 1.0, 5, 275_000, 1),
    ("metropolis", 16, 1.2, 3, 38_000, 1),
    ("heat-bath", 16, 0.8, 5, 75_000, 1),
    ("heat-bath", 8, 1.0, 10, 360_000, 1),
    ("heat-bath", 16, 1.2, 5, 25_000, 1),
    ("swendsen-wang", 32, 0.8, 2, 20_000, 1),
    ("swendsen-wang", 128, 1.0, 4, 6_300, 1),
    ("swendsen-wang", 32, 1.2, 2, 15_000, 1),
    ("wolff", 16, 0.8, 1, 115_000, 10),
    ("wolff", 8, 1.0, 1, 375_000, 3),
    ("wolff", 16, 1.2, 1, 30_000, 2),
]
LARGE_ENERGY_CASES = [
    ("metropolis", 64, 0.9, 10, 250_000, 1),
    ("metropolis", 64, 1.1, 10, 150_000, 1),
    ("heat-bath", 64, 0.9, 10, 400_000, 1),
    ("heat-bath", 64, 1.1, 10, 250_000, 1),
    ("swendsen-wang", 64, 0.9, 3, 600_000, 1),
    ("swendsen-wang", 64, 1.0, 5, 600_000, 1),
    ("swendsen-wang", 64, 1.1, 3, 300_000, 1),
    ("wolff", 64, 0.9, 1, 400_000, 60),
    ("wolff", 64, 1.0, 1, 600_000, 10),
    ("wolff", 64, 1.1, 1, 300_000, 3),
    *(
        ("swendsen-wang", 32, factor, 3, 2_400_000, 1)
        for factor in (0.8, 0.9, 0.95, 1.05, 1.1, 1.2)
    ),
    *(
        ("wolff", 32, factor, 1, 1_600_000, clusters)
        for factor, clusters in ((0.8, 40), (0.9, 20), (0.95, 10), (1.05, 3), (1.1, 2), (1.2, 2))
    ),
]


def check_coupling(rows, shape, coupling):
    """The configurations show the coupling: one that is off by 0.3 % is noticed."""
    shift, error = shift_of_coupling(rows, shape, coupling)
    assert error < 7.5e-4
    assert abs(shift) < 4 * error


def check_energy_and_specific_heat(algorithm, size, factor, interval, count, clusters, error):
    shape, coupling = (size, size), factor * KC
    exact = kaufman.energy(shape, coupling)
    rows, energies = rows_and_energies(shape, coupling, algorithm, interval, count, clusters)
    check_coupling(rows, shape, coupling)
    energies = energies / size**2
    estimate = binned_mean(energies)
    assert estimate[1] < error
    assert abs(z_score(estimate, exact)) < 4
    assert (
        abs(
            z_score(
                binned_mean((energies - exact) ** 2 * size**2),
                kaufman.energy_variance(shape, coupling),
            )
        )
        < 4
    )


@pytest.mark.parametrize("case", ENERGY_CASES, ids=str)
def test_energy_and_specific_heat_of_the_torus(case):
    """At T_c and on both sides (a frozen kernel can look right at one temperature). Catches a
    coupling off by 0.3 %."""
    check_energy_and_specific_heat(*case, error=6.6e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE_ENERGY_CASES, ids=str)
def test_energy_and_specific_heat_of_a_large_torus(case):
    """As above at ten times less variance. Not local at T_c, where they need thousands of sweeps
    for an independent sample."""
    check_energy_and_specific_heat(*case, error=1e-4)


@pytest.mark.slow
def test_energy_and_specific_heat_to_five_digits():
    """At T_c, for which Swendsen-Wang is there; half an hour. The other temperatures and the heat
    bath: test_bitsliced_statistics.py."""
    check_energy_and_specific_heat("swendsen-wang", 128, 1.0, 4, 10_000_000, 1, error=2e-5)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_energy_test_notices_a_wrong_coupling(algorithm):
    """Companion: sampled 3 % off, the energy misses the exact one by many errors; sampled 0.6 %
    off, the configurations show another coupling."""
    shape = (16, 16)
    estimate = energy_per_site(shape, 0.97 * KC, algorithm, 2, 30_000, 3)
    assert abs(z_score(estimate, kaufman.energy(shape, KC))) > 10
    rows, _ = sample(shape, 0.994 * KC, algorithm, 2, 60_000, 3)
    shift, error = shift_of_coupling(rows, shape, KC)
    assert shift < -5 * error
    assert abs(shift + 0.006) < 4 * error


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_energy_of_rectangle_ring_and_cube(algorithm):
    """Catches axes taken for one another and bonds of the third axis missing."""
    cases = [
        ((8, 20), 0.4, kaufman.energy((8, 20), 0.4)),
        ((24,), 0.7, ring_energy(24, 0.7)),
        (
            (4, 4, 4),
            0.221654626,
            -1.2932279409,
        ),  # transfer matrix over the 65,536 states of a layer
    ]
    for shape, coupling, exact in cases:
        estimate = energy_per_site(shape, coupling, algorithm, 5, 40_000, 3)
        assert estimate[1] < 4e-3
        assert abs(z_score(estimate, exact)) < 4


@cache
def states_visited(shape, coupling, algorithm, interval, count):
    packed, _ = sample(shape, coupling, algorithm, interval, count, clusters_per_sweep=5)
    return packed.view("<u2").ravel()


# Intervals of several autocorrelation times: chi2 wants independent samples.
CHI2_CASES = [
    ((4, 4), 0.3, "metropolis", 15),
    ((4, 4), 0.3, "heat-bath", 15),
    ((4, 4), 0.3, "swendsen-wang", 5),
    ((4, 4), 0.3, "wolff", 3),
    ((2, 2, 4), 0.15, "metropolis", 15),
    ((2, 2, 4), 0.15, "swendsen-wang", 5),
]


@pytest.mark.parametrize(("shape", "coupling", "algorithm", "interval"), CHI2_CASES, ids=str)
def test_every_state_has_its_boltzmann_weight(shape, coupling, algorithm, interval):
    """Catches what energies do not: a direction, a sublattice or a sign treated unlike the
    others."""
    count = 250_000
    visited = states_visited(shape, coupling, algorithm, interval, count)
    assert abs(chi2_score(shape, coupling, count, visited)) < 4


def test_chi2_notices_a_wrong_coupling():
    """Companion: the same samples against a coupling 3 % off."""
    visited = states_visited((4, 4), 0.3, "heat-bath", 15, 250_000)
    assert chi2_score((4, 4), 0.3 * 1.03, 250_000, visited) > 20


def test_chi2_notices_a_preferred_sign():
    """Companion: one ground state in four replaced by its mirror image, which no energy shows."""
    visited = states_visited((4, 4), 0.3, "swendsen-wang", 5, 250_000).copy()
    visited[np.flatnonzero(visited == 0)[::4]] = 0xFFFF
    assert chi2_score((4, 4), 0.3, 250_000, visited) > 4
