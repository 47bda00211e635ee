"""The samplers of q states follow their slow twins bit for bit, count bonds, pack states and refuse
what they cannot do."""

import itertools

import numpy as np
import pytest
from ising_twin import ising_forward
from potts_twin import potts_heat_bath, potts_swendsen_wang, potts_wolff

from rsmi.lattice.packed import unpack_states
from rsmi.models.ashkin_teller.simulation import ashkin_teller_system
from rsmi.models.clock.model import clock_system
from rsmi.models.potts.chain import ALGORITHMS, alias_table, count_pairs, sample_chain
from rsmi.models.potts.system import potts

SYSTEMS = {
    "potts-2": potts(2),
    "potts-3": potts(3),
    "potts-4": potts(4),
    "potts-13": potts(13),
    "clock-5": clock_system(5),
    "clock-6": clock_system(6),
    "ashkin-teller": ashkin_teller_system(0.4),
}
SHAPES = [(7,), (2, 2), (5, 6), (3, 66), (2, 3, 4), (3, 2, 65)]


def start(shape, q, seed):
    generator = np.random.default_rng(seed)
    states = generator.integers(0, q, shape, dtype=np.uint8)
    return states, generator.integers(0, 2**64, size=4, dtype=np.uint64)


def advance(states, system, coupling, rng, algorithm, updates, count=1, heat_bath=True):
    """Rows, pairs and moved sites of a chain."""
    tables = system.tables(coupling, states.ndim, heat_bath)
    planes = (system.states - 1).bit_length()
    rows = np.empty((count, (planes * states.size + 7) // 8), np.uint8)
    pairs = np.empty((count, len(system.levels)), np.int64)
    moved = sample_chain(states, tables, coupling, rng, algorithm, updates, count, rows, pairs)
    return rows, pairs, moved


def twin(states, system, coupling, rng, algorithm, updates, heat_bath):
    """The same by the slow twins."""
    words, moved = [int(word) for word in rng], 0
    weights, alias, moves, choices, bonds, _ = system.tables(
        coupling, states.ndim, heat_bath
    ).arrays
    if algorithm == "swendsen-wang":
        potts_swendsen_wang(states, system.states, coupling, words, updates)
    elif algorithm == "wolff":
        moved = potts_wolff(states, moves, choices, bonds, words, updates)
    else:
        potts_heat_bath(states, weights.tolist(), len(alias) > 0, words, updates)
    rng[:] = np.array(words, dtype=np.uint64)
    return moved


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_twin(name, algorithm):
    """The same states, the same random numbers and the same cluster sizes on lattices of one to
    three axes whose rows fill a word, or do not."""
    system = SYSTEMS[name]
    if algorithm == "swendsen-wang" and not name.startswith("potts"):
        return
    for number, shape in enumerate(SHAPES):
        coupling = 0.4 + 0.3 * number % 1.2
        states, rng = start(shape, system.states, number)
        expected, expected_rng = states.copy(), rng.copy()
        heat_bath = algorithm == "heat-bath" and (number % 2 == 0 or system.states == 4)
        for _ in range(2):
            moved = advance(states, system, coupling, rng, algorithm, 2, heat_bath=heat_bath)[2]
            same = twin(expected, system, coupling, expected_rng, algorithm, 2, heat_bath)
            np.testing.assert_array_equal(states, expected)
            np.testing.assert_array_equal(rng, expected_rng)
            assert moved == same


@pytest.mark.parametrize("shape", [(40, 10), (9, 130), (5, 4, 70)], ids=str)
def test_twin_of_clusters_that_wind(shape):
    """Near the transition on lattices of many rows: unions that fill several batches."""
    for seed, q in enumerate((2, 3, 5, 16)):
        coupling = np.log1p(np.sqrt(q)) if len(shape) == 2 else 0.5
        states, rng = start(shape, q, seed)
        expected, expected_rng = states.copy(), rng.copy()
        advance(states, potts(q), coupling, rng, "swendsen-wang", 3, heat_bath=False)
        twin(expected, potts(q), coupling, expected_rng, "swendsen-wang", 3, False)
        np.testing.assert_array_equal(states, expected)


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_and_pairs(name, shape):
    """A row holds the states, and pairs are those of its bonds, counted one by one."""
    system = SYSTEMS[name]
    states, rng = start(shape, system.states, 4)
    rows, pairs, _ = advance(states, system, 0.5, rng, "wolff", 1, count=3)
    last = unpack_states(rows, system.states, (1, *shape))[-1, 0]
    np.testing.assert_array_equal(last, states)
    flat = states.ravel()
    classes = [
        system.classes[flat[site], flat[other]]
        for forward in ising_forward(shape)
        for site, other in enumerate(forward)
    ]
    np.testing.assert_array_equal(pairs[-1], np.bincount(classes, minlength=len(system.levels)))
    tables = system.tables(0.0, len(shape), False)
    np.testing.assert_array_equal(count_pairs(states[np.newaxis], tables), pairs[-1:])


@pytest.mark.parametrize("name", SYSTEMS)
def test_moves_leave_the_bonds_alone(name):
    """A cluster relies on moves that are exchanges and keep all energies."""
    system = SYSTEMS[name]
    for move in system.moves:
        np.testing.assert_array_equal(move[move], np.arange(system.states))
        np.testing.assert_allclose(system.energies[np.ix_(move, move)], system.energies, atol=1e-14)


def test_alias_tables_are_the_distributions():
    """The probability of each state, summed over the draws that lead to it, to 2^-50."""
    system = clock_system(5)
    weights = np.exp(-0.7 * system.energies)
    table = alias_table(weights, 1).reshape(5, 5, 5)
    for a, b in itertools.product(range(5), repeat=2):
        own = (table[a, b] >> np.uint64(4)).astype(float) / 2.0**60
        found = own + np.bincount((table[a, b] & np.uint64(15)).astype(int), 1 - own, minlength=5)
        expected = weights[a] * weights[b]
        np.testing.assert_allclose(found / 5, expected / expected.sum(), rtol=1e-14)


def test_a_table_that_is_too_large_is_left_out():
    assert len(alias_table(np.ones((16, 16)), 2)) == 16**5
    assert len(alias_table(np.ones((16, 16)), 3)) == 0


def test_refusals():
    system = potts(3)
    tables, rng = system.tables(1.0, 2, False), np.ones(4, np.uint64)
    rows, pairs = np.empty((1, 4), np.uint8), np.empty((1, 2), np.int64)
    good = np.zeros((4, 4), np.uint8)

    def call(states=good, rng=rng, algorithm="swendsen-wang", rows=rows):
        sample_chain(states, tables, 1.0, rng, algorithm, 1, 1, rows, pairs)

    call()
    for message, wrong in {
        "the states are 0 to 2": {"states": good + 3},
        "uint8": {"states": good.astype(int)},
        "size >= 2": {"states": np.zeros((4, 1), np.uint8)},
        "not all zero": {"rng": np.zeros(4, np.uint64)},
        "unknown algorithm": {"algorithm": "metropolis"},
        "a row has 4 bytes": {"rows": np.empty((1, 3), np.uint8)},
    }.items():
        with pytest.raises(ValueError, match=message):
            call(**wrong)
    with pytest.raises(ValueError, match="one to three axes"):
        call(states=np.zeros((2, 2, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="2 to 16 states"):
        potts(17).tables(1.0, 2, False)
