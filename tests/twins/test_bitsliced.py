"""The bit-sliced Ising sampler: the same bits by every path and from its slow twin, conversions,
measurements, refusals."""

import numpy as np
import pytest
from bitsliced_twin import BitslicedIsing
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.models.ising.bitsliced import (
    ALGORITHMS,
    REPLICAS,
    check,
    fits_strip,
    measure,
    pack,
    paths,
    renew_halo,
    sample_chain,
    seed,
    sweep,
    unpack,
    update,
)

STRIPS = [(16, 128), (32, 256), (16, 2, 128), (32, 6, 256), (16, 4, 128)]
LATTICES = [
    (2,),
    (10,),
    (36,),
    (2, 2),
    (4, 4),
    (6, 4),
    (2, 10),
    (14, 6),
    (16, 18),
    (2, 2, 2),
    (4, 6, 2),
    (2, 4, 6),
    (6, 2, 4),
]
CHAINS = [("strip", shape) for shape in STRIPS] + [("replicas", shape) for shape in LATTICES]


def start(layout, shape, seed_number=1, blocks=1):
    """Random configurations (lattices, *shape), their spins in the sampler, and its random
    state."""
    generator = np.random.default_rng(seed_number)
    configurations = generator.choice(
        np.array([-1, 1], dtype=np.int8), size=(1 if layout == "strip" else REPLICAS, *shape)
    )
    rng = generator.integers(0, 2**64, size=4, dtype=np.uint64)
    return (
        configurations,
        unpack(packed_rows(configurations), shape, layout),
        seed(rng, blocks),
        rng,
    )


def packed_rows(configurations):
    return np.packbits(
        configurations.reshape(len(configurations), -1) > 0, axis=1, bitorder="little"
    )


def configurations_of(spins, layout, shape):
    packed = np.empty(
        (1 if layout == "strip" else REPLICAS, (int(np.prod(shape)) + 7) // 8), dtype=np.uint8
    )
    pack(spins, shape, layout, packed)
    bits = np.unpackbits(packed, axis=1, bitorder="little", count=int(np.prod(shape)))
    return (2 * bits.astype(np.int8) - 1).reshape(-1, *shape)


def assert_same_trajectory(
    layout, shape, coupling, algorithm, blocks=1, path="auto", draws=(8, 16), sweeps=2
):
    configurations, spins, generators, rng = start(layout, shape, blocks=blocks)
    twin = BitslicedIsing(
        configurations, coupling, algorithm, [int(word) for word in rng], blocks, *draws
    )
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


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    shape=st.lists(st.integers(1, 5).map(lambda half: 2 * half), min_size=1, max_size=3).map(tuple),
    coupling=st.floats(-1, 3),
    algorithm=st.sampled_from(ALGORITHMS),
    blocks=st.integers(1, 9),
    draws=st.sampled_from([("auto", (8, 16)), ("stress", (3, 6))]),
)
def test_twin_of_any_even_shape(shape, coupling, algorithm, blocks, draws):
    assert_same_trajectory("replicas", shape, coupling, algorithm, blocks, *draws, sweeps=1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("layout", "shape"),
    [*CHAINS, ("strip", (128, 128)), ("strip", (32, 10, 384)), ("replicas", (8, 8))],
    ids=str,
)
def test_every_path_gives_the_same_bits(layout, shape, algorithm):
    """Long enough for hundreds of clashes and spins without a tail; another wide word or another
    order of draws would part here."""
    results = []
    for path in paths():
        _, spins, generators, _ = start(layout, shape, blocks=2)
        sweep(spins, generators, shape, 0.3, algorithm, layout, 40, path)
        results.append((spins, generators))
    assert "portable" in paths()
    for spins, generators in results[1:]:
        np.testing.assert_array_equal(spins, results[0][0])
        np.testing.assert_array_equal(generators, results[0][1])


@pytest.mark.parametrize(("layout", "shape"), CHAINS, ids=str)
def test_conversion_and_measurement(layout, shape):
    """The energies of random configurations by roll and sum; a halo that is stale or from the wrong
    slab would change them."""
    configurations, spins, _, _ = start(layout, shape)
    np.testing.assert_array_equal(configurations_of(spins, layout, shape), configurations)
    energy, magnetization = (
        np.empty(len(configurations), dtype=np.int64),
        np.empty(len(configurations), dtype=np.int64),
    )
    measure(spins, shape, layout, energy, magnetization)
    lattices = configurations.astype(int)
    bonds = sum(lattices * np.roll(lattices, 1, axis) for axis in range(1, lattices.ndim))
    np.testing.assert_array_equal(energy, -bonds.reshape(len(lattices), -1).sum(axis=1))
    np.testing.assert_array_equal(magnetization, lattices.reshape(len(lattices), -1).sum(axis=1))


@pytest.mark.parametrize(
    ("layout", "shape"),
    [("strip", (32, 256)), ("strip", (16, 6, 128)), ("replicas", (6, 10)), ("replicas", (14,))],
    ids=str,
)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_blocks_in_any_order_are_a_sweep(layout, shape, algorithm):
    """What threads do: the blocks of a sublattice backwards, its halo, the same for the other; and
    5 sweeps are 2 and 3."""
    _, spins, generators, _ = start(layout, shape, blocks=5)
    parts, parts_generators = spins.copy(), generators.copy()
    sweep(spins, generators, shape, 0.4, algorithm, layout, 2)
    sweep(spins, generators, shape, 0.4, algorithm, layout, 3)
    for _ in range(5):
        for sublattice in (0, 1):
            for block in reversed(range(5)):
                update(parts, parts_generators, shape, 0.4, algorithm, layout, sublattice, block)
            renew_halo(parts, shape, layout, sublattice)
    np.testing.assert_array_equal(parts, spins)
    np.testing.assert_array_equal(parts_generators, generators)


def test_any_alignment_will_do():
    """A checkpoint read from a file may start at any multiple of 8 bytes."""
    _, spins, generators, _ = start("strip", (32, 256))
    memory = np.empty(spins.size + 3, dtype=np.uint64)
    shifted = memory[3:].reshape(spins.shape)
    shifted[:] = spins
    shifted_generators = generators.copy()
    sweep(spins, generators, (32, 256), 0.4, "heat-bath", "strip", 3)
    sweep(shifted, shifted_generators, (32, 256), 0.4, "heat-bath", "strip", 3)
    np.testing.assert_array_equal(shifted, spins)
    np.testing.assert_array_equal(shifted_generators, generators)


def test_seeds_differ():
    """Blocks and keys have streams of their own."""
    many = [
        seed(np.array(key, dtype=np.uint64), 4)
        for key in ([1, 2, 3, 4], [1, 2, 3, 5], [2, 2, 3, 4], [1, 3, 3, 4])
    ]
    words = np.array(many)[:, :, :16].ravel()
    assert len(np.unique(words)) == words.size
    assert not np.array(many)[:, :, 16, 2:].any()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_infinite_coupling_freezes(algorithm):
    for layout, shape in (("strip", (16, 128)), ("replicas", (6, 6))):
        for coupling, pattern in (
            (1e4, np.ones(shape)),
            (-1e4, 1 - 2 * (np.indices(shape).sum(axis=0) % 2)),
        ):
            ground = np.broadcast_to(
                pattern.astype(np.int8), (1 if layout == "strip" else REPLICAS, *shape)
            )
            spins = unpack(packed_rows(ground), shape, layout)
            sweep(
                spins,
                seed(np.arange(1, 5, dtype=np.uint64), 1),
                shape,
                coupling,
                algorithm,
                layout,
                20,
            )
            np.testing.assert_array_equal(configurations_of(spins, layout, shape), ground)


def test_stripes_trap_metropolis_on_large_lattices_alone():
    """Two of the four neighbours of every site differ: free moves alone flip whole sublattices for
    ever. On 4x4 the kernel leaves them."""
    for size in (4, 8):
        stripes = np.where((np.indices((size, size)).sum(axis=0) // 2) % 2, 1, -1).astype(np.int8)
        spins = unpack(
            packed_rows(np.broadcast_to(stripes, (REPLICAS, size, size))), (size, size), "replicas"
        )
        sweep(
            spins,
            seed(np.arange(1, 5, dtype=np.uint64), 1),
            (size, size),
            0.44,
            "metropolis",
            "replicas",
            50,
        )
        energy, magnetization = (
            np.empty(REPLICAS, dtype=np.int64),
            np.empty(REPLICAS, dtype=np.int64),
        )
        measure(spins, (size, size), "replicas", energy, magnetization)
        assert (np.unique(energy).tolist() == [0]) == (size == 8)


@pytest.mark.parametrize(
    ("shape", "coupling", "algorithm", "layout", "sentence"),
    [
        ((8, 7), 0.4, "metropolis", "replicas", "even sizes, but one axis has size 7"),
        (
            (8, 128),
            0.4,
            "heat-bath",
            "strip",
            "multiple of 16 and a last one of 128, not 8x128: use replicas",
        ),
        ((128,), 0.4, "heat-bath", "strip", "use replicas"),
        ((16, 3, 128), 0.4, "heat-bath", "strip", "even sizes"),
        ((8, 8), float("inf"), "heat-bath", "replicas", "finite"),
        ((8, 8), 0.4, "wolff", "replicas", "unknown algorithm 'wolff'"),
        ((8, 8), 0.4, "heat-bath", "rows", "unknown layout 'rows'"),
        ((2**16, 2**16), 0.4, "heat-bath", "strip", "too large"),
    ],
)
def test_refused_chains(shape, coupling, algorithm, layout, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(shape, coupling, algorithm, layout)


def test_refused_arrays():
    _, spins, generators, _ = start("replicas", (4, 6))
    arguments = (4, 6), 0.4, "heat-bath", "replicas"
    with pytest.raises(
        ValueError, match=r"spins must be a C-contiguous uint64 array of shape \(2, 6, 1, 3, 8\)"
    ):
        sweep(spins[:, 1:].copy(), generators, *arguments, 1)
    with pytest.raises(
        ValueError, match=r"generators must be a uint64 array of shape \(blocks, 17, 8\)"
    ):
        sweep(spins, generators[0], *arguments, 1)
    with pytest.raises(ValueError, match=r"generators must be a C-contiguous uint64 array"):
        sweep(spins, generators.astype(np.int64), *arguments, 1)
    with pytest.raises(ValueError, match="no path 'neon': it runs .*portable"):
        sweep(spins, generators, *arguments, 1, "neon")
    with pytest.raises(ValueError, match="outside the kernel's range"):
        sweep(spins, generators, *arguments, -1)
    with pytest.raises(ValueError, match="no block 1"):
        update(spins, generators, *arguments, 0, 1)
    with pytest.raises(ValueError, match=r"must have shape \(512, 3\), not \(1, 3\)"):
        unpack(np.zeros((1, 3), dtype=np.uint8), (4, 6), "replicas")
    with pytest.raises(ValueError, match="must have 512 values"):
        measure(
            spins, (4, 6), "replicas", np.empty(1, dtype=np.int64), np.empty(512, dtype=np.int64)
        )
    with pytest.raises(ValueError, match="must not be all zero"):
        seed(np.zeros(4, dtype=np.uint64), 1)
    with pytest.raises(ValueError, match="at least 1 block"):
        seed(np.ones(4, dtype=np.uint64), 0)


@pytest.mark.parametrize(("layout", "shape"), [("strip", (32, 256)), ("replicas", (6, 4))])
def test_sampling_is_sweeping_packing_and_measuring(layout, shape):
    _, spins, generators, _ = start(layout, shape, blocks=2)
    again, generators_again, lattices = (
        spins.copy(),
        generators.copy(),
        1 if layout == "strip" else REPLICAS,
    )
    rows = [
        np.empty((3 * lattices, *width), dtype)
        for width, dtype in (
            ((int(np.prod(shape)) // 8,), np.uint8),
            ((), np.int64),
            ((), np.int64),
        )
    ]
    sample_chain(spins, generators, shape, 0.3, "heat-bath", layout, 2, *rows)
    for k in range(0, 3 * lattices, lattices):
        packed, *measured = (np.empty_like(part[:lattices]) for part in rows)
        sweep(again, generators_again, shape, 0.3, "heat-bath", layout, 2)
        pack(again, shape, layout, packed)
        measure(again, shape, layout, *measured)
        for expected, found in zip((packed, *measured), rows):
            np.testing.assert_array_equal(found[k : k + lattices], expected)
    np.testing.assert_array_equal(spins, again)
    np.testing.assert_array_equal(generators, generators_again)
    with pytest.raises(ValueError, match="same number of rows, a multiple of"):
        sample_chain(
            spins, generators, shape, 0.3, "heat-bath", layout, 2, rows[0], rows[1][1:], rows[2]
        )
    with pytest.raises(ValueError, match="must have shape"):
        sample_chain(
            spins, generators, shape, 0.3, "heat-bath", layout, 2, rows[0][:, 1:].copy(), *rows[1:]
        )


def test_a_strip_is_known_by_its_sizes():
    assert all(fits_strip(shape) for shape in STRIPS)
    assert not any(
        fits_strip(shape) for shape in [(128,), (64, 64), (8, 128), (16, 3, 128), (128, 96)]
    )
