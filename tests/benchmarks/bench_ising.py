"""Nanoseconds per attempted flip, spin and flipped spin of the Ising samplers, beside a plain numpy Metropolis in the same run."""

import numpy as np
from timing import seconds

from rsmi.kernels.ising import ALGORITHMS, sweep

CRITICAL_COUPLING = np.log1p(np.sqrt(2)) / 2


def numpy_metropolis(spins, coupling, generator, sweeps):
    """Checkerboard Metropolis on whole arrays: the code one would write without a kernel."""
    colour = np.indices(spins.shape).sum(axis=0) % 2
    for _ in range(sweeps):
        for parity in (0, 1):
            field = sum(np.roll(spins, shift, axis) for shift in (1, -1) for axis in (0, 1))
            flip = (generator.random(spins.shape) < np.exp(-2 * coupling * spins * field)) & (colour == parity)
            spins[flip] *= -1


def flipped_per_cluster(spins, rng, clusters=200):
    """Mean number of spins a Wolff cluster flips, counted one cluster at a time."""
    flipped = 0
    for _ in range(clusters):
        before = spins.copy()
        sweep(spins, CRITICAL_COUPLING, rng, "wolff", 1)
        flipped += np.count_nonzero(before != spins)
    return flipped / clusters


def wolff_nanoseconds(size):
    """Per flipped spin; the same clusters are grown twice, once to count the spins they flip and once for the clock."""
    spins, rng = np.ones((size, size), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    sweep(spins, CRITICAL_COUPLING, rng, "wolff", 500)
    start, state = spins.copy(), rng.copy()
    flipped = 200 * flipped_per_cluster(start, state)

    def again():
        replay, stream = spins.copy(), rng.copy()
        sweep(replay, CRITICAL_COUPLING, stream, "wolff", 200)

    return seconds(again) / flipped * 1e9


def kernel_nanoseconds(algorithm, size):
    spins, rng = np.ones((size, size), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    sweep(spins, CRITICAL_COUPLING, rng, algorithm, 200)
    sweeps = 12_000_000 // spins.size
    return seconds(lambda: sweep(spins, CRITICAL_COUPLING, rng, algorithm, sweeps)) / (sweeps * spins.size) * 1e9


def baseline_nanoseconds(size):
    spins, generator = np.ones((size, size), dtype=np.int8), np.random.default_rng(1)
    sweeps = 1_000_000 // spins.size
    return seconds(lambda: numpy_metropolis(spins, CRITICAL_COUPLING, generator, sweeps)) / (sweeps * spins.size) * 1e9


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement, at T_c on square lattices."""
    units = dict(zip(ALGORITHMS, ("ns/flip", "ns/flip", "ns/spin", "ns/flipped spin"), strict=True))
    rows = []
    for size in (64, 128):
        rows.append((f"baseline: numpy checkerboard Metropolis L={size}", baseline_nanoseconds(size), "ns/flip"))
        for algorithm in ALGORITHMS:
            value = wolff_nanoseconds(size) if algorithm == "wolff" else kernel_nanoseconds(algorithm, size)
            rows.append((f"{algorithm} L={size}", value, units[algorithm]))
    return rows


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:8.2f} {unit}")
