"""Nanoseconds per attempted flip, per spin and per flipped spin of the scalar Ising samplers,
beside a plain numpy Metropolis and the package mcising."""

import numpy as np
from mcising_times import mcising_nanoseconds
from timing import Row, seconds

from rsmi.models.ising.chain import ALGORITHMS, CLUSTER_ALGORITHMS, sweep
from rsmi.models.ising.facts import critical_coupling

THREE_DIMENSIONAL_COUPLING = 0.22165463
SHAPES = ((64, 64), (128, 128), (64, 64, 64))
UNITS = dict(zip(ALGORITHMS, ("ns/flip", "ns/flip", "ns/spin", "ns/flipped spin"), strict=True))


def coupling_of(shape):
    """The critical one."""
    return critical_coupling(2) if len(shape) == 2 else THREE_DIMENSIONAL_COUPLING


def numpy_metropolis(spins, coupling, generator, sweeps):
    """Checkerboard Metropolis on whole arrays: the code one would write without a kernel."""
    colour = np.indices(spins.shape).sum(axis=0) % 2
    for _ in range(sweeps):
        for parity in (0, 1):
            field = sum(
                np.roll(spins, shift, axis) for shift in (1, -1) for axis in range(spins.ndim)
            )
            flip = (generator.random(spins.shape) < np.exp(-2 * coupling * spins * field)) & (
                colour == parity
            )
            spins[flip] *= -1


def flipped_per_cluster(spins, rng, clusters=200):
    """Mean number of spins a Wolff cluster flips, counted one cluster at a time."""
    flipped = 0
    for _ in range(clusters):
        before = spins.copy()
        sweep(spins, coupling_of(spins.shape), rng, "wolff", 1)
        flipped += np.count_nonzero(before != spins)
    return flipped / clusters


def wolff_nanoseconds(shape):
    """Per flipped spin; the same clusters are grown twice, once to count the spins they flip and
    once for the clock."""
    spins, rng = np.ones(shape, dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    sweep(spins, coupling_of(shape), rng, "wolff", 500)
    start, state = spins.copy(), rng.copy()
    flipped = 200 * flipped_per_cluster(start, state)

    def again():
        replay, stream = spins.copy(), rng.copy()
        sweep(replay, coupling_of(shape), stream, "wolff", 200)

    return seconds(again) / flipped * 1e9


def kernel_nanoseconds(algorithm, shape):
    if algorithm == "wolff":
        return wolff_nanoseconds(shape)
    spins, rng = np.ones(shape, dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    sweep(spins, coupling_of(shape), rng, algorithm, 200)
    sweeps = 12_000_000 // spins.size
    return (
        seconds(lambda: sweep(spins, coupling_of(shape), rng, algorithm, sweeps))
        / (sweeps * spins.size)
        * 1e9
    )


def baseline_nanoseconds(shape):
    spins, generator = np.ones(shape, dtype=np.int8), np.random.default_rng(1)
    sweeps = max(1, 1_000_000 // spins.size)
    return (
        seconds(lambda: numpy_metropolis(spins, coupling_of(shape), generator, sweeps))
        / (sweeps * spins.size)
        * 1e9
    )


def run() -> list[Row]:
    """Every measurement, at T_c. The local algorithms are the plain kernels: the baseline of
    bench_bitsliced.py."""
    rows = []
    for shape in SHAPES:
        lattice, coupling = f"{len(shape)}D L={shape[0]}", coupling_of(shape)
        baseline = baseline_nanoseconds(shape)
        rows.append(Row(f"baseline: numpy checkerboard Metropolis {lattice}", baseline, "ns/flip"))
        for algorithm in ALGORITHMS:
            own, ratios = kernel_nanoseconds(algorithm, shape), {}
            if algorithm not in CLUSTER_ALGORITHMS:
                ratios["numpy"] = baseline / own
            if algorithm != "heat-bath":
                other = mcising_nanoseconds(algorithm, shape, coupling)
                rows.append(
                    Row(f"baseline: mcising {algorithm} {lattice}", other, UNITS[algorithm])
                )
                ratios["mcising"] = other / own
            rows.append(Row(f"{algorithm} {lattice}", own, UNITS[algorithm], ratios))
    return rows
