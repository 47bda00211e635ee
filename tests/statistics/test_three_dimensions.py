"""In three dimensions the exact energy is known of 4x4x4 only (in test_ising_statistics.py and
test_bitsliced_statistics.py, by a transfer matrix). On larger cubes the algorithms, which share no
more than the lattice, must agree: energy and |m| above, at and below K_c.

512 replicas of the bit-sliced heat bath are the standard; the others are compared with them one by
one.
"""

from functools import cache

import numpy as np
import pytest
from conftest import by_default
from pseudo_likelihood import SITES, shift_of_coupling
from test_bitsliced_statistics import cold_start, replica_by_replica
from test_ising_statistics import binned_mean, sample

from rsmi.models.ising import chain as ising
from rsmi.models.ising.bitsliced import REPLICAS, measure, pack, sweep

KC = 0.22165463
COUPLINGS = (0.9 * KC, KC, 1.1 * KC)
LOCAL = ("metropolis", "heat-bath")


@cache
def replicas(shape, coupling, algorithm="heat-bath", path="auto", count=200):
    """(mean, error) of energy per site, |m| and the coupling that shows, from as many samples of
    every replica, 30 sweeps apart."""
    spins, generators = cold_start(shape, "replicas")
    energy, magnetization = np.empty((2, count, REPLICAS), dtype=np.int64)
    rows = []
    sweep(spins, generators, shape, coupling, algorithm, "replicas", 1000, path)
    for k in range(count):
        sweep(spins, generators, shape, coupling, algorithm, "replicas", 30, path)
        measure(spins, shape, "replicas", energy[k], magnetization[k])
        if len(rows) * REPLICAS * np.prod(shape) < SITES:
            rows.append(np.empty((REPLICAS, np.prod(shape) // 8), dtype=np.uint8))
            pack(spins, shape, "replicas", rows[-1])
    return [
        *(
            (x.mean(), x.mean(axis=0).std(ddof=1) / np.sqrt(REPLICAS))
            for x in (energy / np.prod(shape), abs(magnetization) / np.prod(shape))
        ),
        shift_of_coupling(replica_by_replica(rows), shape, coupling),
    ]


def chain(shape, coupling, algorithm, count, seed=1, supposed=None):
    """The same of one chain of the plain kernels, a sample every other sweep; the coupling is
    compared with the ``supposed`` one."""
    packed, energy = sample(
        shape,
        coupling,
        algorithm,
        2,
        count,
        clusters_of(coupling) if algorithm == "wolff" else 1,
        seed,
    )
    magnetization = 2 * np.bitwise_count(packed).sum(axis=1, dtype=np.int64) - np.prod(shape)
    return [
        *(binned_mean(x / np.prod(shape)) for x in (energy, abs(magnetization))),
        shift_of_coupling(packed[: SITES // np.prod(shape)], shape, supposed or coupling),
    ]


def clusters_of(coupling):
    """Wolff clusters that are about a sweep."""
    return 30 if coupling < KC else 6 if coupling == KC else 2


def scores(one, other):
    return [(a[0] - b[0]) / np.hypot(a[1], b[1]) for a, b in zip(one, other, strict=True)]


def check_coupling(shift, error, largest):
    """A coupling is the one that was meant; its error, as a fraction, is not larger."""
    assert error < largest
    assert abs(shift) < 4 * error


# Every algorithm at T_c, where clusters are of all sizes, and at one more temperature.
CUBES = [(algorithm, coupling) for algorithm in ising.ALGORITHMS for coupling in COUPLINGS]
DEFAULT_CUBES = [
    (algorithm, coupling)
    for algorithm, coupling in CUBES
    if coupling == KC or (coupling > KC) == (algorithm in ("heat-bath", "wolff"))
]


@pytest.mark.parametrize("case", by_default(DEFAULT_CUBES, CUBES))
def test_algorithms_agree_on_the_cube(case):
    """L=8, errors of the energy below 0.005; a coupling off by 1 % shows (companion)."""
    algorithm, coupling = case
    found = chain((8, 8, 8), coupling, algorithm, 32_000 if algorithm in LOCAL else 12_000)
    assert found[0][1] < 5e-3
    check_coupling(*found[2], 1.6e-3)
    assert max(map(abs, scores(found, replicas((8, 8, 8), coupling)))) < 4


BITSLICED_CUBES = [
    (algorithm, path, coupling)
    for algorithm, path in (
        ("metropolis", "auto"),
        ("metropolis", "stress"),
        ("heat-bath", "stress"),
    )
    for coupling in COUPLINGS
]
DEFAULT_BITSLICED_CUBES = [
    case
    for case in BITSLICED_CUBES
    if case[1] == "auto"
    or case in (("metropolis", "stress", KC), ("heat-bath", "stress", 0.9 * KC))
]


@pytest.mark.parametrize("case", by_default(DEFAULT_BITSLICED_CUBES, BITSLICED_CUBES))
def test_bitsliced_algorithms_agree_on_the_cube(case):
    """L=8, errors of the energy below 0.001, under stress 0.003; of the coupling 0.1 %."""
    algorithm, path, coupling = case
    found = replicas((8, 8, 8), coupling, algorithm, path, 30 if path == "stress" else 200)
    assert found[0][1] < (3e-3 if path == "stress" else 1e-3)
    check_coupling(*found[2], 1e-3)
    assert max(map(abs, scores(found, replicas((8, 8, 8), coupling)))) < 4


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_wrong_coupling_is_noticed(coupling):
    """Companion: the energy of a chain 2 % off, and the coupling of one that is 1 % off."""
    found = chain((8, 8, 8), 1.02 * coupling, "swendsen-wang", 12_000)
    assert abs(scores(found, replicas((8, 8, 8), coupling))[0]) > 5
    shift, error = chain((8, 8, 8), 1.01 * coupling, "swendsen-wang", 12_000, supposed=coupling)[2]
    assert abs(shift - 0.01) < 4 * error < 0.8 * 0.01


@pytest.mark.slow
@pytest.mark.parametrize("coupling", COUPLINGS)
@pytest.mark.parametrize("algorithm", ising.ALGORITHMS)
def test_algorithms_agree_on_a_larger_cube(algorithm, coupling):
    """L=16, errors of the energy below .0015: catches a coupling off by 1 %."""
    found = chain((16, 16, 16), coupling, algorithm, 600_000 if algorithm in LOCAL else 100_000)
    assert found[0][1] < 1.5e-3
    assert max(map(abs, scores(found, replicas((16, 16, 16), coupling, count=1000)))) < 4
