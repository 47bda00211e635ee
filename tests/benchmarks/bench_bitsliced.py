"""Flips per nanosecond of the bit-sliced Ising sampler by every path of this machine, beside the scalar kernel in the same run."""

import numpy as np
from timing import seconds

from rsmi.kernels import ising
from rsmi.kernels.ising_bitsliced import REPLICAS, measure, pack, paths, seed, sweep, unpack

KC, KC_CUBE = np.log1p(np.sqrt(2)) / 2, 0.221654626
CASES = [
    ("metropolis", "strip", (128, 128), KC),
    ("heat-bath", "strip", (128, 128), KC),
    ("metropolis", "strip", (1024, 1024), KC),
    ("heat-bath", "strip", (1024, 1024), KC),
    ("heat-bath", "strip", (128, 128, 128), KC_CUBE),
    ("heat-bath", "replicas", (16, 16), KC),
    ("heat-bath", "replicas", (64, 64), KC),
]
FLIPS = {"avx512": 1.6e9, "avx2": 5e8, "sse2": 2.5e8, "portable": 2e8}  # of one measurement


def scalar_rate(algorithm):
    """Flips per ns of the scalar kernel, L=128."""
    spins, rng = np.ones((128, 128), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    ising.sweep(spins, KC, rng, algorithm, 200)
    return 500 * spins.size / seconds(lambda: ising.sweep(spins, KC, rng, algorithm, 500)) * 1e-9


def cold_start(layout, shape):
    sites = int(np.prod(shape))
    ones = np.packbits(np.ones((1 if layout == "strip" else REPLICAS, sites), dtype=bool), axis=1, bitorder="little")
    return unpack(ones, shape, layout), ones


def rate(algorithm, layout, shape, coupling, path):
    spins, rows = cold_start(layout, shape)
    generators = seed(np.arange(1, 5, dtype=np.uint64), 1)
    flips = np.prod(shape) * len(rows)
    sweeps = int(FLIPS[path] / flips) + 1

    def work():
        sweep(spins, generators, shape, coupling, algorithm, layout, sweeps, path)

    work()
    return sweeps * flips / seconds(work) * 1e-9


def readout(layout, shape):
    """Nanoseconds per spin of a measurement and of packing."""
    spins, packed = cold_start(layout, shape)
    energy, magnetization = np.empty(len(packed), dtype=np.int64), np.empty(len(packed), dtype=np.int64)
    sites = np.prod(shape) * len(packed)
    repeats = int(2e7 / sites) + 1
    measuring = seconds(lambda: [measure(spins, shape, layout, energy, magnetization) for _ in range(repeats)])
    packing = seconds(lambda: [pack(spins, shape, layout, packed) for _ in range(repeats)])
    return measuring / repeats / sites * 1e9, packing / repeats / sites * 1e9


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement."""
    baseline = {algorithm: scalar_rate(algorithm) for algorithm in ("metropolis", "heat-bath")}
    rows = [(f"baseline: scalar {algorithm} 128x128", value, "flips/ns") for algorithm, value in baseline.items()]
    for path in paths():
        for algorithm, layout, shape, coupling in CASES:
            value = rate(algorithm, layout, shape, coupling, path)
            rows.append((f"{path} {algorithm} {layout} {'x'.join(map(str, shape))}", value, f"flips/ns ({value / baseline[algorithm]:.0f} x scalar)"))
    for layout, shape in (("strip", (1024, 1024)), ("replicas", (64, 64))):
        for what, value in zip(("energy and magnetization", "packed rows"), readout(layout, shape), strict=True):
            rows.append((f"{what}, {layout} {'x'.join(map(str, shape))}", value, "ns/spin"))
    return rows


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:8.3g} {unit}")
