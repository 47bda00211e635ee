"""The Ising samplers follow their slow twins bit for bit, measure what they should, and refuse what
they cannot do."""

import numpy as np
import pytest
from exact import ising_states
from hypothesis import given, settings
from hypothesis import strategies as st
from ising_twin import ising_local, ising_swendsen_wang, ising_wolff, toss_together
from random_twin import xoshiro_next

from rsmi.models.ising.chain import (
    ALGORITHMS,
    CLUSTER_ALGORITHMS,
    check,
    measure,
    sample_chain,
    sweep,
)

LOCAL_ALGORITHMS = tuple(name for name in ALGORITHMS if name not in CLUSTER_ALGORITHMS)
EVEN_SHAPES = [
    (2,),
    (10,),
    (2, 2),
    (6, 4),
    (2, 8),
    (4, 2),
    (6, 8),
    (4, 4, 4),
    (2, 4, 6),
    (6, 2, 2),
    (6, 6, 8),
]
OTHER_SHAPES = [(3,), (5, 7), (3, 64), (3, 65), (2, 130), (3, 2, 5), (2, 3, 66)]


def start(shape, seed):
    generator = np.random.default_rng(seed)
    spins = generator.choice(np.array([-1, 1], dtype=np.int8), size=shape)
    return spins, generator.integers(0, 2**64, size=4, dtype=np.uint64)


def twin(spins, coupling, rng, algorithm, sweeps, clusters_per_sweep=1):
    state = [int(word) for word in rng]
    if algorithm == "swendsen-wang":
        ising_swendsen_wang(spins, coupling, state, sweeps)
    elif algorithm == "wolff":
        ising_wolff(spins, coupling, state, sweeps * clusters_per_sweep)
    else:
        ising_local(spins, coupling, state, algorithm, sweeps)
    rng[:] = np.array(state, dtype=np.uint64)


def assert_same_trajectory(shape, coupling, algorithm, seed, sweeps=3, clusters_per_sweep=2):
    spins, rng = start(shape, seed)
    expected, expected_rng = spins.copy(), rng.copy()
    for _ in range(sweeps):
        sweep(spins, coupling, rng, algorithm, 2, clusters_per_sweep)
        twin(expected, coupling, expected_rng, algorithm, 2, clusters_per_sweep)
        np.testing.assert_array_equal(spins, expected)
        np.testing.assert_array_equal(rng, expected_rng)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("shape", EVEN_SHAPES, ids=str)
def test_twin(shape, algorithm):
    for seed, coupling in enumerate([0.0, 0.2, 0.44, 1.0, 30.0]):
        assert_same_trajectory(shape, coupling, algorithm, seed)


@pytest.mark.parametrize("algorithm", CLUSTER_ALGORITHMS)
@pytest.mark.parametrize("shape", OTHER_SHAPES, ids=str)
def test_twin_of_clusters_at_any_size(shape, algorithm):
    """Rows that fill a word, spill into the next, or leave odd remainders."""
    for seed, coupling in enumerate([0.3, 0.6]):
        assert_same_trajectory(shape, coupling, algorithm, seed)


@pytest.mark.parametrize(
    ("shape", "coupling"),
    [((200, 10), 0.44), ((30, 130), 0.44), ((3, 300), 0.9), ((9, 8, 70), 0.22), ((400,), 1.5)],
    ids=str,
)
def test_twin_of_clusters_that_wind(shape, coupling):
    """Near T_c on lattices of many rows: unions that fill several batches, and chains of parents
    longer than their three steps."""
    for seed in range(3):
        assert_same_trajectory(shape, coupling, "swendsen-wang", seed, sweeps=2)


@pytest.mark.parametrize("algorithm", LOCAL_ALGORITHMS)
def test_twin_of_an_antiferromagnet(algorithm):
    assert_same_trajectory((6, 8), -0.5, algorithm, seed=3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    shape=st.lists(st.integers(1, 4).map(lambda half: 2 * half), min_size=1, max_size=3),
    coupling=st.floats(0, 3),
    algorithm=st.sampled_from(ALGORITHMS),
    seed=st.integers(0, 2**32),
)
def test_twin_of_any_even_shape(shape, coupling, algorithm, seed):
    assert_same_trajectory(tuple(shape), coupling, algorithm, seed, sweeps=1)


def test_absent_axes_may_be_spelled_out():
    flat, rng = start((6,), 1)
    padded, padded_rng = flat.reshape(1, 1, 6).copy(), rng.copy()
    for algorithm in ALGORITHMS:
        sweep(flat, 0.4, rng, algorithm, 3)
        sweep(padded, 0.4, padded_rng, algorithm, 3)
        np.testing.assert_array_equal(flat, padded.ravel())
    assert measure(flat) == measure(padded)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_many_sweeps_are_sweeps_in_turn(algorithm):
    together, rng = start((8, 6), 5)
    apart, apart_rng = together.copy(), rng.copy()
    sweep(together, 0.4, rng, algorithm, 7, 3)
    for _ in range(7):
        sweep(apart, 0.4, apart_rng, algorithm, 1, 3)
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_array_equal(rng, apart_rng)


@pytest.mark.parametrize("threshold", [0, 1, 2**63, 2**63 + 1, 2**64 - 1, 0x123456789ABCDEF0])
def test_tossing_lanes_is_comparing_numbers(threshold):
    """A lane is kept exactly if the 64-bit number made of its bits of successive draws, highest
    first, lies below the threshold."""
    state = [1, 2, 3, threshold + 1]
    replay = list(state)
    kept = toss_together(range(64), threshold, state)
    words = [xoshiro_next(replay) for _ in range(64)]
    for lane in range(64):
        number = sum((word >> lane & 1) << (63 - k) for k, word in enumerate(words))
        assert (lane in kept) == (number < threshold)


@pytest.mark.parametrize("shape", [(3,), (4, 4), (2, 5), (2, 3, 2)], ids=str)
def test_measure_against_enumeration(shape):
    """An energy counting bonds of size-2 axes once, or missing the wrap-around, would differ."""
    states, energies = ising_states(shape)
    for k in range(0, len(states), max(1, len(states) // 500)):
        assert measure(states[k]) == (energies[k], states[k].sum())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("shape", [(2,), (6,), (6, 10), (2, 4, 6), (12, 34)], ids=str)
def test_sample_chain_stores_what_the_chain_visits(shape, algorithm):
    spins, rng = start(shape, 11)
    visited, visited_rng = spins.copy(), rng.copy()
    count, row_bytes = 9, (spins.size + 7) // 8
    packed = np.empty((count, row_bytes), dtype=np.uint8)
    energy, magnetization = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    sample_chain(spins, 0.4, rng, algorithm, 2, count, 3, packed, energy, magnetization)
    for k in range(count):
        sweep(visited, 0.4, visited_rng, algorithm, 2, 3)
        np.testing.assert_array_equal(
            packed[k], np.packbits(visited.ravel() > 0, bitorder="little")
        )
        assert (energy[k], magnetization[k]) == measure(visited)
    np.testing.assert_array_equal(spins, visited)
    np.testing.assert_array_equal(rng, visited_rng)


def test_clusters_at_infinite_coupling_span_the_lattice():
    """With probability-one bonds (up to 2^-64) an ordered lattice stays ordered; a threshold
    wrapped to zero would shatter it."""
    for algorithm in CLUSTER_ALGORITHMS:
        spins, rng = np.ones((6, 70), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
        signs = set()
        for _ in range(20):
            sweep(spins, 1e4, rng, algorithm, 1)
            assert abs(int(spins.sum(dtype=int))) == spins.size
            signs.add(int(spins[0, 0]))
        assert signs == {-1, 1}


@pytest.mark.parametrize("algorithm", LOCAL_ALGORITHMS)
def test_local_algorithms_freeze_at_infinite_coupling(algorithm):
    spins, rng = np.ones((4, 6), dtype=np.int8), np.arange(1, 5, dtype=np.uint64)
    sweep(spins, 1e4, rng, algorithm, 50)
    assert spins.min() == 1
    spins[2, 3] = -1
    sweep(spins, 1e4, rng, algorithm, 1)
    assert spins.min() == 1


@pytest.mark.parametrize("size", [4, 8])
def test_stripes_trap_metropolis_on_large_lattices_alone(size):
    """Two of the four neighbours of every site differ, so that always accepting free moves flips
    whole sublattices for ever. Where such states have weight the kernel must leave them; on larger
    lattices, where they have none, it is Metropolis to the letter.
    """
    stripes = np.where((np.indices((size, size)).sum(axis=0) // 2) % 2, 1, -1).astype(np.int8)
    energies = {}
    for algorithm in LOCAL_ALGORITHMS:
        spins, rng = stripes.copy(), np.arange(1, 5, dtype=np.uint64)
        energies[algorithm] = set()
        for _ in range(200):
            sweep(spins, 0.44, rng, algorithm, 1)
            energies[algorithm].add(measure(spins)[0])
    assert (energies["metropolis"] == {0}) == (size == 8)
    assert len(energies["heat-bath"]) > 5


@pytest.mark.parametrize(
    ("shape", "coupling", "algorithm", "clusters", "sentence"),
    [
        ((8, 7), 0.4, "metropolis", 1, "even sizes, but one axis has size 7"),
        ((3,), 0.4, "heat-bath", 1, "even sizes"),
        ((8, 1), 0.4, "wolff", 1, "at least 2"),
        ((1,), 0.4, "wolff", 1, "at least 2"),
        ((8, 8), -0.1, "wolff", 1, "not negative for clusters"),
        ((8, 8), float("nan"), "heat-bath", 1, "finite"),
        ((8, 8), 0.4, "wolff", 0, "clusters_per_sweep must be at least 1"),
        ((8, 8), 0.4, "kawasaki", 1, "unknown algorithm 'kawasaki'"),
        ((2**16, 2**15), 0.4, "wolff", 1, "too large"),
    ],
)
def test_refused_chains(shape, coupling, algorithm, clusters, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        check(shape, coupling, algorithm, clusters)


def test_refused_arrays():
    spins, rng = start((4, 4), 0)
    calls = [
        ("C-contiguous int8", spins.astype(np.int64), rng),
        ("C-contiguous int8", np.ones((4, 8), dtype=np.int8)[:, ::2], rng),
        (r"\+1 or -1", np.zeros((4, 4), dtype=np.int8), rng),
        ("one to three axes", np.ones((2, 2, 2, 2), dtype=np.int8), rng),
        ("not all zero", spins, np.zeros(4, dtype=np.uint64)),
        ("4 words", spins, np.ones(3, dtype=np.uint64)),
    ]
    for sentence, lattice, state in calls:
        with pytest.raises(ValueError, match=sentence):
            sweep(lattice, 0.4, state, "wolff", 1)
    with pytest.raises(ValueError, match="outside the kernel's range"):
        sweep(spins, 0.4, rng, "wolff", -1)
    rows = (
        np.empty((3, 3), dtype=np.uint8),
        np.empty(3, dtype=np.int64),
        np.empty(3, dtype=np.int64),
    )
    with pytest.raises(ValueError, match="has 2 bytes, not 3"):
        sample_chain(spins, 0.4, rng, "wolff", 1, 3, 1, *rows)
    with pytest.raises(ValueError, match="must have 4 rows"):
        sample_chain(spins, 0.4, rng, "wolff", 1, 4, 1, *rows)
