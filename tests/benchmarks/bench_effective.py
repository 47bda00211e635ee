"""Effective samples per second of one core at T_c: sweeps per second over 2 tau_int, where tau_int
is that of the energy or of |m|, whichever is larger.

A Wolff sweep has three clusters here. Replicas update 512 lattices at once, the other layouts one.
The scalar kernels use the tau_int of the bit-sliced ones, and the Swendsen-Wang of mcising uses
that of ours, because they realize the same Markov chains.
"""

import numpy as np
from mcising_times import mcising_nanoseconds
from timing import Row, seconds

from rsmi.models.ising import bitsliced as ising_bitsliced
from rsmi.models.ising import chain as ising
from rsmi.models.ising.facts import critical_coupling
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time

KC = critical_coupling(2)
# Size, algorithm, layout, clusters in a sweep, sweeps to forget the start, sweeps between rows,
# rows.
CASES = [
    (64, "metropolis", "replicas", 1, 6_000, 40, 400),
    (64, "heat-bath", "replicas", 1, 15_000, 100, 400),
    (64, "swendsen-wang", "plain", 1, 1_000, 1, 60_000),
    (64, "wolff", "plain", 3, 1_000, 1, 60_000),
    (128, "metropolis", "strip", 1, 20_000, 200, 12_000),
    (128, "heat-bath", "strip", 1, 50_000, 500, 12_000),
    (128, "heat-bath", "replicas", 1, 40_000, 400, 100),
    (128, "swendsen-wang", "plain", 1, 1_000, 1, 30_000),
    (128, "wolff", "plain", 3, 1_000, 1, 30_000),
]


class Plain:
    """A lattice of the plain kernels."""

    lattices = 1

    def __init__(self, size, algorithm, clusters):
        self.algorithm, self.clusters = algorithm, clusters
        self.spins, self.rng = (
            np.ones((size, size), dtype=np.int8),
            np.arange(1, 5, dtype=np.uint64),
        )

    def sweep(self, sweeps):
        ising.sweep(self.spins, KC, self.rng, self.algorithm, sweeps, self.clusters)

    def measure(self):
        return ising.measure(self.spins)


class Bitsliced:
    """A strip or 512 replicas."""

    def __init__(self, size, algorithm, layout):
        self.shape, self.algorithm, self.layout, self.lattices = (
            (size, size),
            algorithm,
            layout,
            1 if layout == "strip" else ising_bitsliced.REPLICAS,
        )
        self.spins = ising_bitsliced.unpack(
            np.full((self.lattices, size * size // 8), 255, dtype=np.uint8), self.shape, layout
        )
        self.generators = ising_bitsliced.seed(np.arange(1, 5, dtype=np.uint64), 1)

    def sweep(self, sweeps):
        ising_bitsliced.sweep(
            self.spins, self.generators, self.shape, KC, self.algorithm, self.layout, sweeps
        )

    def measure(self):
        energy, magnetization = np.empty((2, self.lattices), dtype=np.int64)
        ising_bitsliced.measure(self.spins, self.shape, self.layout, energy, magnetization)
        return energy, magnetization


def autocorrelation_times(lattice, forget, interval, count):
    """Of energy and |m|, in sweeps."""
    series = np.empty((2, lattice.lattices, count))
    lattice.sweep(forget)
    for k in range(count):
        lattice.sweep(interval)
        energy, magnetization = lattice.measure()
        series[0, :, k], series[1, :, k] = energy, np.abs(magnetization)
    return [integrated_autocorrelation_time(quantity)[0] * interval for quantity in series]


def sweep_seconds(lattice, sweeps):
    """CPU time of a sweep of one lattice."""
    return seconds(lambda: lattice.sweep(sweeps)) / sweeps / lattice.lattices


def baseline(size, algorithm):
    """Its name and its CPU time of a sweep, or nothing."""
    if algorithm == "swendsen-wang":
        return {
            "mcising swendsen-wang": (
                mcising_nanoseconds(algorithm, (size, size), KC) * size**2 * 1e-9
            )
        }
    return (
        {f"scalar {algorithm}": sweep_seconds(Plain(size, algorithm, 1), 2**23 // size**2)}
        if algorithm != "wolff"
        else {}
    )


def run() -> list[Row]:
    """Every measurement."""
    rows, named = [], set()
    for size, algorithm, layout, clusters, *times in CASES:
        lattice = (
            Plain(size, algorithm, clusters)
            if layout == "plain"
            else Bitsliced(size, algorithm, layout)
        )
        taus = autocorrelation_times(lattice, *times)
        tau = max(taus)
        own, others = (
            sweep_seconds(
                lattice,
                max(1, (2**24 if layout == "plain" else 2**30) // size**2 // lattice.lattices),
            ),
            baseline(size, algorithm),
        )
        for name, time in others.items():
            if (name, size) not in named:
                rows.append(Row(f"baseline: {name} L={size}", 1 / (2 * tau * time), "samples/s"))
            named.add((name, size))
        name = (
            f"{algorithm} {layout} L={size}, tau_int {taus[0]:.3g} (energy), {taus[1]:.3g} (|m|)"
            " sweeps"
        )
        rows.append(
            Row(
                name,
                1 / (2 * tau * own),
                "samples/s",
                {other: time / own for other, time in others.items()},
            )
        )
    return rows
