"""Nanoseconds per attempted flip of the bit-sliced Ising sampler on every instruction set of this
machine, beside the scalar kernel and the Metropolis sampler of mcising, both on one 128x128
lattice."""

import numpy as np
from mcising_times import mcising_nanoseconds
from timing import Row, seconds

from rsmi.models.ising import chain as ising
from rsmi.models.ising.bitsliced import REPLICAS, measure, pack, paths, seed, sweep, unpack

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


def scalar_nanoseconds(algorithm):
    spins, rng = np.ones((128, 128), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    ising.sweep(spins, KC, rng, algorithm, 200)
    return seconds(lambda: ising.sweep(spins, KC, rng, algorithm, 500)) / (500 * spins.size) * 1e9


def cold_start(layout, shape):
    sites = int(np.prod(shape))
    ones = np.packbits(
        np.ones((1 if layout == "strip" else REPLICAS, sites), dtype=bool),
        axis=1,
        bitorder="little",
    )
    return unpack(ones, shape, layout), ones


def nanoseconds(algorithm, layout, shape, coupling, path):
    spins, rows = cold_start(layout, shape)
    generators = seed(np.arange(1, 5, dtype=np.uint64), 1)
    flips = np.prod(shape) * len(rows)
    sweeps = int(FLIPS[path] / flips) + 1

    def work():
        sweep(spins, generators, shape, coupling, algorithm, layout, sweeps, path)

    work()
    return seconds(work) / (sweeps * flips) * 1e9


def readout(layout, shape):
    """Nanoseconds per spin of a measurement and of packing."""
    spins, packed = cold_start(layout, shape)
    energy, magnetization = (
        np.empty(len(packed), dtype=np.int64),
        np.empty(len(packed), dtype=np.int64),
    )
    sites = np.prod(shape) * len(packed)
    repeats = int(2e7 / sites) + 1
    measuring = seconds(
        lambda: [measure(spins, shape, layout, energy, magnetization) for _ in range(repeats)]
    )
    packing = seconds(lambda: [pack(spins, shape, layout, packed) for _ in range(repeats)])
    return measuring / repeats / sites * 1e9, packing / repeats / sites * 1e9


def run() -> list[Row]:
    """Every measurement."""
    scalar = {algorithm: scalar_nanoseconds(algorithm) for algorithm in ("metropolis", "heat-bath")}
    other = mcising_nanoseconds("metropolis", (128, 128), KC)
    rows = [
        Row(f"baseline: scalar {algorithm} 128x128", value, "ns/flip", {"mcising": other / value})
        for algorithm, value in scalar.items()
    ]
    rows.append(Row("baseline: mcising metropolis 128x128", other, "ns/flip"))
    for path in paths():
        for algorithm, layout, shape, coupling in CASES:
            value = nanoseconds(algorithm, layout, shape, coupling, path)
            name = (
                f"{path} {algorithm} {layout} {'x'.join(map(str, shape))}, {1 / value:.3g} flips/ns"
            )
            rows.append(
                Row(
                    name,
                    value,
                    "ns/flip",
                    {"scalar": scalar[algorithm] / value, "mcising": other / value},
                )
            )
    for layout, shape in (("strip", (1024, 1024)), ("replicas", (64, 64))):
        for what, value in zip(
            ("energy and magnetization", "packed rows"), readout(layout, shape), strict=True
        ):
            rows.append(Row(f"{what}, {layout} {'x'.join(map(str, shape))}", value, "ns/spin"))
    return rows
