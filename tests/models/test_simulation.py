"""The defaults of `Simulation`: a sampler in plain numpy needs `start` and `advance` only."""

import contextlib
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from rsmi.lattice.packed import pack_spins
from rsmi.models import streams
from rsmi.models.chains import Chain, Group, Thermalization
from rsmi.models.schedule import Schedule, pilot
from rsmi.models.simulation import Simulation

SHAPE = (4, 4)


@dataclass(frozen=True)
class FreeSpins(Simulation):
    """Independent spins in a field K: heat bath of one random site at a time."""

    shape: tuple[int, ...] = SHAPE
    coupling: float = 0.3
    algorithm: str = "one-site"
    seed: int = 5
    model = "free"

    def start(self, *numbers):
        (number,) = numbers
        state = streams.generator_state(self.stream(number))
        return {"spins": np.ones(self.shape, dtype=np.int8), "rng": state}

    def advance(self, state, updates, first, count):
        rows = []
        with streams.generator(state["rng"]) as random:
            for _ in range(count):
                for _ in range(updates * self.sites):
                    site = random.integers(self.sites, dtype=np.uint32)
                    up = random.random() < 1 / (1 + np.exp(-2 * self.coupling))
                    state["spins"].flat[site] = 1 if up else -1
                rows.append(state["spins"].copy())
        spins = np.array(rows)
        energy = -spins.reshape(count, -1).sum(axis=1, dtype=np.int64)
        return {"spins": pack_spins(spins), "energy": energy}


def test_neutral_answers():
    free = FreeSpins()
    assert (free.sites, free.components, free.row_bytes) == (16, 1, 2)
    assert (free.chains_per_task, free.lockstep, free.clusters_per_sweep()) == (1, False, 1)
    assert not free.resumable_only_between_rows
    assert not free.needs_pilot
    assert free.from_file(None) is free
    assert free.attributes() == {
        "model": "free",
        "boundary": "periodic",
        "components": 1,
        "coupling": 0.3,
        "temperature": 1 / 0.3,
    }


def test_streams_differ_by_physics_and_number():
    """Two state points, or two chains, with the same numbers would be correlated."""
    keys = {
        tuple(one.stream(number))
        for one in (FreeSpins(), FreeSpins(coupling=0.4), FreeSpins(seed=6), FreeSpins((4, 6)))
        for number in (0, 1, "pilot")
    }
    assert len(keys) == 12


@pytest.mark.parametrize("cuts", [[0, 1, 3, 7], [0, 2, 7], [0, 7]])
def test_cut_anywhere_gives_the_same_rows(cuts):
    """The chain is stopped between any rows, its state pickled as a checkpoint would store it, and
    continued. An odd number of 32-bit draws leaves half a word in the generator, which a state of
    four words would lose."""
    free, group = FreeSpins(), Group(0, 1, 1)
    whole = free.start(0)
    expected = free.advance(whole, 1, 0, 7)
    chain = Chain(free, Schedule(0, 1, 1), group, 7, 0, lambda: free.start(0))
    _, state = chain.begin()
    pieces = []
    for start, stop in zip(cuts, cuts[1:]):
        pieces.append(chain.advance(state, start, stop - start))
        state = pickle.loads(pickle.dumps(state))
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([rows[name] for rows in pieces]), values)
    for name in whole:
        np.testing.assert_array_equal(state[name], whole[name])


def test_thermalization_cut_anywhere():
    free = FreeSpins()
    task = Thermalization(free, Schedule(5, 1, 1), Group(0, 1, 1))
    states = []
    for cuts in ([0, 5], [0, 1, 2, 5]):
        _, state = task.begin()
        for start, stop in zip(cuts, cuts[1:]):
            task.advance(state, start, stop - start)
        states.append(state)
    np.testing.assert_array_equal(states[0]["spins"], states[1]["spins"])
    np.testing.assert_array_equal(states[0]["rng"], states[1]["rng"])


def test_a_failure_keeps_the_state():
    """A task that is repeated after a Failure must draw the same numbers again."""
    state = streams.generator_state(streams.stream_key(0, {}, 0))
    before = state.copy()
    with contextlib.suppress(RuntimeError), streams.generator(state) as random:
        random.random(3)
        raise RuntimeError
    np.testing.assert_array_equal(state, before)


@pytest.mark.parametrize(
    "state",
    [np.zeros(4, np.uint64), np.zeros(6), np.array([1, 1, 1, 1, 2, 0], np.uint64)],
    ids=["four words", "floats", "flag of 2"],
)
def test_a_state_of_something_else_is_refused(state):
    with pytest.raises(ValueError, match="six words"), streams.generator(state):
        pass


def test_pilot_of_free_spins():
    """The autocorrelation time of independent spins, each renewed once per sweep on average, is
    (1 + exp(-1)) / (1 - exp(-1)) / 2 = 1.08 sweeps for energy; a pilot that confused updates and
    rows would be off by factors."""
    measured = pilot(FreeSpins())
    assert 0.8 < measured["tau"] < 1.5
    assert measured["clusters_per_sweep"] == 1
