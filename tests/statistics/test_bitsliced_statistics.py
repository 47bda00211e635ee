"""The bit-sliced sampler draws from the Boltzmann distribution: exact energies, and every state of
small lattices.

Replicas are independent, so that errors are those of 512 time averages. What is tested of the
default path is tested of the one with short ladders too, where clashes and the hash decide a good
part of the spins.
"""

from functools import cache

import numpy as np
import pytest
from conftest import by_default
from exact import chi2_score
from pseudo_likelihood import SITES, shift_of_coupling

from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.bitsliced import ALGORITHMS, REPLICAS, measure, pack, seed, sweep, unpack
from rsmi.models.ising.facts import critical_coupling, ring_energy

KC = critical_coupling(2)
BINS = 64
PATHS = [("auto", 1), ("stress", 0.2)]  # with the share of the samples that its speed allows


def cold_start(shape, layout):
    sites, lattices = int(np.prod(shape)), 1 if layout == "strip" else REPLICAS
    ones = np.packbits(np.ones((lattices, sites), dtype=bool), axis=1, bitorder="little")
    return unpack(ones, shape, layout), seed(np.arange(1, 5, dtype=np.uint64), 2)


def averages(
    layout, shape, coupling, algorithm, thermalization, interval, count, path="auto", around=0.0
):
    """Independent averages, of the replicas or of bins of the strip, (2, n): energy per site; its
    squared deviation, times the sites. Also packed configurations, as many as `shift_of_coupling`
    needs."""
    bins, lattices, sites = (
        (BINS, 1, np.prod(shape)) if layout == "strip" else (1, REPLICAS, np.prod(shape))
    )
    spins, generators = cold_start(shape, layout)
    energy, magnetization = np.empty(lattices, dtype=np.int64), np.empty(lattices, dtype=np.int64)
    result, rows = np.zeros((2, bins, lattices)), []
    sweep(spins, generators, shape, coupling, algorithm, layout, thermalization, path)
    for k in range(bins):
        for _ in range(count // bins):
            sweep(spins, generators, shape, coupling, algorithm, layout, interval, path)
            measure(spins, shape, layout, energy, magnetization)
            result[:, k] += energy / sites, (energy / sites - around) ** 2 * sites
            if len(rows) * lattices * sites < SITES:
                rows.append(np.empty((lattices, (sites + 7) // 8), dtype=np.uint8))
                pack(spins, shape, layout, rows[-1])
    return result.reshape(2, -1) / (count // bins), replica_by_replica(rows)


def replica_by_replica(rows):
    """Packed configurations (n, bytes) of a list of times, those of a replica one after another."""
    return np.stack(rows, axis=1).reshape(-1, rows[0].shape[-1])


def mean_and_error(values):
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def z_score(values, exact):
    mean, error = mean_and_error(values)
    return (mean - exact) / error


# Couplings in units of K_c, and the autocorrelation time of the energy of a large lattice under the
# heat bath, in sweeps, or a little more.
TAU = {0.8: 3, 0.9: 7, 0.95: 30, 1.0: np.inf, 1.05: 12, 1.1: 5, 1.2: 3}


def run_for(layout, shape, factor, error):
    """Thermalization, interval (one tau_int) and samples of each lattice for this error of the
    energy, 20 % less to be sure."""
    tau = int(np.ceil(min(TAU[factor], 3 + 0.055 * np.prod(shape))))
    samples = (
        2.2 * kaufman.energy_variance(shape, factor * KC) / np.prod(shape) / (0.8 * error) ** 2
    )
    if layout == "strip":
        count = int(samples) // BINS * BINS + BINS
    else:
        count = int(samples / REPLICAS) + 2
    return 300 + 20 * tau, tau, count


def layout_of(size):
    return "strip" if size >= 128 else "replicas"


ENERGY_CASES = [
    *(
        ("heat-bath", (size, size), factor)
        for size in (8, 16, 32, 64, 128)
        for factor in TAU
        if (size, factor) != (128, 1.0)
    ),
    *(
        ("metropolis", (size, size), factor)
        for size, factor in ((16, 0.8), (16, 1.0), (16, 1.2), (128, 0.8), (128, 1.2))
    ),
    *((algorithm, shape, 0.9) for algorithm in ALGORITHMS for shape in ((12, 22), (32, 256))),
]
LARGE_ENERGY_CASES = [
    *(("heat-bath", (size, size), factor) for size in (8, 16, 32, 64, 128) for factor in TAU),
    *(("metropolis", (32, 32), factor) for factor in TAU),
    *((algorithm, (1024, 1024), 0.8) for algorithm in ALGORITHMS),
]


def check_coupling(rows, shape, coupling, largest=6e-4):
    """The configurations show the coupling; its error, as a fraction, is not larger."""
    shift, error = shift_of_coupling(rows, shape, coupling)
    assert error < largest
    assert abs(shift) < 4 * error


def check_energy_and_specific_heat(algorithm, shape, factor, error):
    layout, exact = layout_of(shape[-1]), kaufman.energy(shape, factor * KC)
    (values, squares), rows = averages(
        layout, shape, factor * KC, algorithm, *run_for(layout, shape, factor, error), around=exact
    )
    check_coupling(rows, shape, factor * KC)
    assert mean_and_error(values)[1] < error
    assert abs(z_score(values, exact)) < 4
    assert abs(z_score(squares, kaufman.energy_variance(shape, factor * KC))) < 4


# One size of each layout at all temperatures. The other sizes have the same code: by default they
# are sampled at the ends, and 64x64 at T_c, which is far slower than 32x32, only by `-m slow`.
DEFAULT_CASES = [
    case
    for case in ENERGY_CASES
    if case[0] == "metropolis"
    or case[1] in ((8, 8), (32, 32), (128, 128), (12, 22), (32, 256))
    or case[2] in (0.8, 1.2)
]


@pytest.mark.parametrize("case", by_default(DEFAULT_CASES, ENERGY_CASES))
def test_energy_and_specific_heat_of_the_torus(case):
    """At T_c (L=128 in test_ising_statistics.py) and three temperatures on each side: a frozen
    kernel can look right at one. Catches a coupling off by 0.25 %."""
    check_energy_and_specific_heat(*case, error=6e-4)


@pytest.mark.slow
@pytest.mark.parametrize("case", LARGE_ENERGY_CASES, ids=str)
def test_energy_and_specific_heat_to_five_digits(case):
    """Catches a coupling off by 1 in 10,000, and a probability right in its first ten digits only.
    Ten minutes for L=64 at T_c, an hour for 128, seconds otherwise."""
    check_energy_and_specific_heat(*case, error=2e-5)


WRONG_CASES = [
    (size, factor) for size in (16, 128) for factor in TAU if (size, factor) != (128, 1.0)
]
DEFAULT_WRONG_CASES = [(16, 0.8), (16, 1.0), (16, 1.2), (128, 0.9), (128, 1.1)]


@pytest.mark.parametrize("case", by_default(DEFAULT_WRONG_CASES, WRONG_CASES))
def test_a_wrong_coupling_is_noticed(case):
    """Companion: with the effort of the tests above and a coupling 0.5 % off, the configurations
    show another coupling at every temperature; 2 % off, the energy misses the exact one."""
    size, factor = case
    shape, layout, coupling = (size, size), layout_of(size), factor * KC
    effort = run_for(layout, shape, factor, 6e-4)
    _, rows = averages(layout, shape, 0.995 * coupling, "heat-bath", *effort)
    shift, error = shift_of_coupling(rows, shape, coupling)
    assert abs(shift + 0.005) < 4 * error < 0.8 * 0.005
    (values, _), _ = averages(layout, shape, 0.98 * coupling, "heat-bath", *effort)
    assert abs(z_score(values, kaufman.energy(shape, coupling))) > 5


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("path", "effort"), PATHS)
def test_energy_of_ring_cube_and_antiferromagnet(path, effort, algorithm):
    """Catches axes taken for one another, bonds of the third axis missing, and a sign."""
    cases = [
        ((24,), 0.7, ring_energy(24, 0.7), 400),
        (
            (4, 4, 4),
            0.221654626,
            -1.2932279409,
            3800,
        ),  # transfer matrix over the 65,536 states of a layer
        ((8, 8), -0.4, -kaufman.energy((8, 8), 0.4), 1300),
    ]
    for shape, coupling, exact, count in cases:
        (values, _), rows = averages(
            "replicas", shape, coupling, algorithm, 2000, 10, int(count * effort), path
        )
        check_coupling(
            rows, shape, coupling, (1.2e-3 if len(shape) == 1 else 5e-4) / np.sqrt(effort)
        )
        assert mean_and_error(values)[1] < 6e-4 / np.sqrt(effort)
        assert abs(z_score(values, exact)) < 4


# By default both paths and both couplings occur, but not each path at each coupling.
BOX_CASES = [(path, coupling) for path in PATHS for coupling in (0.2, 0.25)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("case", by_default([BOX_CASES[1], BOX_CASES[2]], BOX_CASES))
def test_strip_and_replicas_of_a_box_agree(case, algorithm):
    """In three dimensions, where no energy is known exactly; the box is thin in the middle so that
    its rows wrap in every word."""
    ((path, effort), coupling), shape = case, (16, 4, 128)
    (values, _), rows = averages(
        "strip", shape, coupling, algorithm, 500, 5, int(5000 * effort), path
    )
    check_coupling(rows, shape, coupling, 8e-4 / np.sqrt(effort))
    strip = mean_and_error(values)
    (values, _), rows = averages("replicas", shape, coupling, algorithm, 100, 5, 20, path)
    check_coupling(rows, shape, coupling, 6.5e-4)
    replicas = mean_and_error(values)
    assert strip[1] < (6e-4 if coupling < KC_3D else 12e-4) / np.sqrt(effort)
    assert abs(strip[0] - replicas[0]) < 4 * np.hypot(strip[1], replicas[1])


KC_3D = 0.22165463


@cache
def states_visited(shape, coupling, algorithm, interval, count, path):
    spins, generators = cold_start(shape, "replicas")
    packed = np.empty((count, REPLICAS, 2), dtype=np.uint8)
    sweep(spins, generators, shape, coupling, algorithm, "replicas", 1000, path)
    for k in range(count):
        sweep(spins, generators, shape, coupling, algorithm, "replicas", interval, path)
        pack(spins, shape, "replicas", packed[k])
    return packed.view("<u2").ravel()


CHI2_CASES = [
    ((4, 4), 0.3, 15, "auto"),
    ((4, 4), 0.3, 15, "stress"),
    ((4, 4), KC, 200, "auto"),
    ((2, 2, 4), 0.15, 15, "auto"),
    ((2, 2, 4), 0.15, 15, "stress"),
    ((16,), 0.5, 20, "auto"),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("shape", "coupling", "interval", "path"), CHI2_CASES, ids=str)
def test_every_state_has_its_boltzmann_weight(shape, coupling, interval, path, algorithm):
    """Catches what energies do not: a direction, a sublattice, a replica or a sign treated unlike
    the others."""
    visited = states_visited(shape, coupling, algorithm, interval, 2000, path)
    assert abs(chi2_score(shape, coupling, len(visited), visited)) < 4


def test_chi2_notices_a_wrong_coupling():
    """Companion: the same samples against a coupling 1 % off."""
    visited = states_visited((4, 4), KC, "heat-bath", 200, 2000, "auto")
    assert chi2_score((4, 4), 1.01 * KC, len(visited), visited) > 10


def test_no_correlation_between_replicas():
    """Products of the magnetizations of any two replicas vanish on average; shared random bits
    would show in neighbouring bits or lanes."""
    shape, count = (6, 6), 400
    spins, generators = cold_start(shape, "replicas")
    energy, magnetization = (
        np.empty(REPLICAS, dtype=np.int64),
        np.empty((count, REPLICAS), dtype=np.int64),
    )
    sweep(spins, generators, shape, 0.3, "heat-bath", "replicas", 500)
    for k in range(count):
        sweep(spins, generators, shape, 0.3, "heat-bath", "replicas", 30)
        measure(spins, shape, "replicas", energy, magnetization[k])
    normal = magnetization / magnetization.std(axis=0)
    correlation = (normal.T @ normal / count)[np.triu_indices(REPLICAS, 1)]
    assert abs(correlation.mean()) < 4 / np.sqrt(count * len(correlation))
    assert abs(correlation * np.sqrt(count)).max() < 6
    assert correlation.std() * np.sqrt(count) == pytest.approx(1, abs=0.02)
