"""The bit-sliced Ising sampler: the same bits by every path and from its slow twin, conversions, measurements, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import BitslicedIsing

from rsmi.kernels import ising
from rsmi.kernels.ising_bitsliced import ALGORITHMS, REPLICAS, check, fits_strip, measure, pack, paths, renew_halo, seed, sweep, unpack, update

STRIPS = [(16, 128), (32, 256), (16, 2, 128), (32, 6, 256), (16, 4, 128)]
LATTICES = [(2,), (10,), (36,), (2, 2), (4, 4), (6, 4), (2, 10), (14, 6), (16, 18), (2, 2, 2), (4, 6, 2), (2, 4, 6), (6, 2, 4)]
CHAINS = [("strip", shape) for shape in STRIPS] + [("replicas", shape) for shape in LATTICES]


def start(layout, shape, seed_number=1, blocks=1):
    """Random configurations (lattices, *shape), their spins in the sampler, and its random state."""
    generator = np.random.default_rng(seed_number)
    configurations = generator.choice(np.array([-1, 1], dtype=np.int8), size=(1 if layout == "strip" else REPLICAS, *shape))
    rng = generator.integers(0, 2**64, size=4, dtype=np.uint64)
    return configurations, unpack(packed_rows(configurations), shape, layout), seed(rng, blocks), rng


def packed_rows(configurations):
    return np.packbits(configurations.reshape(len(configurations), -1) > 0, axis=1, bitorder="little")


def configurations_of(spins, layout, shape):
    packed = np.empty((1 if layout == "strip" else REPLICAS, (int(np.prod(shape)) + 7) // 8), dtype=np.uint8)
    pack(spins, shape, layout, packed)
    bits = np.unpackbits(packed, axis=1, bitorder="little", count=int(np.prod(shape)))
    return (2 * bits.astype(np.int8) - 1).reshape(-1, *shape)


def assert_same_trajectory(layout, shape, coupling, algorithm, blocks=1, path="auto", draws=(8, 16), sweeps=2):
    configurations, spins, generators, rng = start(layout, shape, blocks=blocks)
    twin = BitslicedIsing(configurations, coupling, algorithm, [int(word) for word in rng], blocks, *draws)
    for _ in range(sweeps):
        sweep(spins, generators, shape, coupling, algorithm, layout, 1, path)
        twin.sweep(1)
        np.testing.assert_array_equal(configurations_of(spins, layout, shape), twin.spins)
        np.testing.assert_array_equal(generators, twin.generators())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("layout", "shape"), CHAINS, ids=str)
def test_twin(layout, shape, algorithm):
    for coupling, blocks in [(0.0, 1), (0.3, 3), (-0.2, 2)]:
        assert_same_trajectory(layout, shape, coupling, algorithm, blocks)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("layout", "shape"), CHAINS, ids=str)
def test_twin_under_stress(layout, shape, algorithm):
    """With 3 and 6 draws nearly every batch has clashes and spins that never met a tail."""
    assert_same_trajectory(layout, shape, 0.25, algorithm, blocks=2, path="stress", draws=(3, 6))
