"""Parallel tempering: one lattice at several temperatures, which exchange configurations.

A *ladder* has one configuration at each of its temperatures, which are its *rungs*, the coldest
first. After every second sweep neighbouring rungs may exchange their configurations, in turn those
of the pairs 0-1, 2-3, ... and 1-2, 3-4, .... An exchange is accepted with the probability

    min(1, exp((K_i - K_j) (E_i - E_j))),

which leaves the product of the distributions of all rungs as it is (K. Hukushima, K. Nemoto, J.
Phys. Soc. Jpn. 65, 1604 (1996)). A configuration makes a *round trip* when it has come from the
hottest rung to the coldest and back.

The state of a ladder has arrays with one entry for each rung, and the arrays `SHARED` of all rungs
together. The rows have arrays ``spins-0``, ``energy-0`` and so on, one for each rung.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError
from rsmi.models import streams
from rsmi.models.chains import Chain, Group
from rsmi.models.simulation import Simulation
from rsmi.store import File

SHARED = ("sweeps", "exchange_rng", "attempted", "accepted", "round_trips")
_COUNTED = ("attempted", "accepted", "round_trips")
EXCHANGE_SWEEPS = 2  # from one attempt to exchange to the next
_PILOT_ROWS = 1 << 18  # the most measurements of all ladders of a state in a pilot run
_FROM_HOT, _FROM_COLD = 1, 2  # the end of the ladder at which a configuration was last


@dataclass(frozen=True)
class Ladder(Simulation):
    """Several simulations of one lattice, which differ in their coupling alone.

    A subclass says how configurations are kept while the ladder advances: one *bundle* for each
    rung, with the configurations of all ladders of the state.

    Attributes
    ----------
    rungs : tuple of Simulation
        The coldest first.
    """

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int
    rungs: tuple[Simulation, ...]

    # ---- what a subclass must do -----------------------------------------------------------------

    @abstractmethod
    def first(self, rung: int, *numbers: int | str) -> State:
        """Return the arrays of the state of one rung before its first sweep."""

    @abstractmethod
    def opened(self, state: State, rung: int) -> Any:
        """Return the bundle of a rung from a state."""

    @abstractmethod
    def closed(self, state: State, rung: int, bundle: Any) -> None:
        """Store a bundle in the state."""

    @abstractmethod
    def sweep(self, state: State, rung: int, bundle: Any, sweeps: int) -> None:
        """Make sweeps of all configurations of a rung in place."""

    @abstractmethod
    def energies(self, rung: int, bundle: Any) -> NDArray[np.float64]:
        """Return the energies (ladders,) in J that the coupling multiplies."""

    @abstractmethod
    def exchange(self, one: Any, other: Any, mask: NDArray[np.bool_]) -> None:
        """Interchange the configurations of two rungs in the ladders of a mask (ladders,)."""

    @abstractmethod
    def rows(self, rung: int, bundle: Any) -> Rows:
        """Return the configurations of a rung as rows, one for each ladder."""

    @abstractmethod
    def measured(self, rung: int, bundle: Any) -> list[NDArray[np.float64]]:
        """Return what a pilot run measures of a rung, (ladders,) each."""

    def __getstate__(self) -> dict[str, Any]:
        """Only the fields are pickled, without what was derived from them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    # ---- the simulation --------------------------------------------------------------------------

    @property
    def couplings(self) -> NDArray[np.float64]:
        """K (rungs,), the largest first."""
        return np.array([rung.coupling for rung in self.rungs])

    @property
    def temperatures(self) -> NDArray[np.float64]:
        """T (rungs,) in J/k_B, the lowest first."""
        return 1 / self.couplings

    @property
    def physics(self) -> dict:
        return self.rungs[0].physics | {"ladder": [rung.coupling for rung in self.rungs]}

    def key(self, rung: int, number: int | str) -> NDArray[np.uint64]:
        """Return the key (4,) of the random numbers of one rung."""
        return streams.stream_key(self.seed, {**self.physics, "rung": rung}, number)

    def start(self, *numbers: int | str) -> State:
        states = [self.first(rung, *numbers) for rung in range(len(self.rungs))]
        ladders, pairs = self.chains_per_task, len(self.rungs) - 1
        return {name: np.stack([one[name] for one in states]) for name in states[0]} | {
            "label": np.zeros((pairs + 1, ladders), dtype=np.uint8),
            "sweeps": np.zeros(1, dtype=np.int64),
            "exchange_rng": streams.generator_state(self.stream(numbers[0])),
            "attempted": np.zeros((ladders, pairs), dtype=np.int64),
            "accepted": np.zeros((ladders, pairs), dtype=np.int64),
            "round_trips": np.zeros(ladders, dtype=np.int64),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        """Make rows. An update is a sweep of every rung."""
        ladders, bundles = self.chains_per_task, self._opened(state)
        present = min(count, -first % ladders)  # rows of the step that is made already
        parts = []
        if present:
            step = self._step(bundles)
            parts.append({n: a[first % ladders :][:present] for n, a in step.items()})
        for _ in range(-(-(count - present) // ladders)):
            self._update(state, bundles, updates)
            parts.append(self._step(bundles))
        self._closed(state, bundles)
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {name: array[:count] for name, array in joined.items()}

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        """Return the series of all rungs, (ladders, rows) each."""
        interval = max(1, sweeps * self.chains_per_task // _PILOT_ROWS)
        bundles = self._opened(state)
        measured = []
        for _ in range(sweeps // interval):
            self._update(state, bundles, interval)
            measured.append([s for k, b in enumerate(bundles) for s in self.measured(k, b)])
        self._closed(state, bundles)
        return [np.array(series).T for series in zip(*measured)]

    def _opened(self, state: State) -> list[Any]:
        return [self.opened(state, rung) for rung in range(len(self.rungs))]

    def _closed(self, state: State, bundles: Sequence[Any]) -> None:
        for rung, bundle in enumerate(bundles):
            self.closed(state, rung, bundle)

    def _step(self, bundles: Sequence[Any]) -> Rows:
        """The rows of all rungs as they are."""
        return {
            row_name(name, rung): array
            for rung, bundle in enumerate(bundles)
            for name, array in self.rows(rung, bundle).items()
        }

    def _update(self, state: State, bundles: Sequence[Any], updates: int) -> None:
        with streams.generator(state["exchange_rng"]) as random:
            while updates:
                number = int(state["sweeps"][0])
                sweeps = min(updates, EXCHANGE_SWEEPS - number % EXCHANGE_SWEEPS)
                for rung, bundle in enumerate(bundles):
                    self.sweep(state, rung, bundle, sweeps)
                if (number + sweeps) % EXCHANGE_SWEEPS == 0:
                    self._exchange(state, bundles, random, number // EXCHANGE_SWEEPS)
                state["sweeps"] += sweeps
                updates -= sweeps

    def _exchange(
        self, state: State, bundles: Sequence[Any], random: np.random.Generator, number: int
    ) -> None:
        """Attempt to exchange the configurations of every other pair of neighbouring rungs."""
        pairs = pairs_of(number, len(bundles))
        energies = np.stack([self.energies(rung, bundle) for rung, bundle in enumerate(bundles)])
        probability = acceptance(self.couplings, energies, pairs)
        accepted = random.random(probability.shape) < probability
        for pair, mask in zip(pairs, accepted):
            if mask.any():
                self.exchange(bundles[pair], bundles[pair + 1], mask)
        count_exchanges(state, pairs, accepted)


# ---- exchanges -----------------------------------------------------------------------------------


def pairs_of(number: int, rungs: int) -> NDArray[np.int64]:
    """Return the colder rungs of the pairs of an attempt: even and odd ones in turn."""
    first = number % 2 if rungs > 2 else 0
    return np.arange(first, rungs - 1, 2)


def acceptance(
    couplings: NDArray[np.float64], energies: NDArray[np.float64], pairs: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability (pairs, ladders) that configurations are exchanged.

    Parameters
    ----------
    couplings : ndarray of float64, (rungs,)
        K.
    energies : ndarray of float64, (rungs, ladders)
        In J.
    pairs : ndarray of int64
        The colder rung of each pair.
    """
    steps = (couplings[pairs] - couplings[pairs + 1])[:, np.newaxis]
    return np.exp(np.minimum(steps * (energies[pairs] - energies[pairs + 1]), 0.0))


def count_exchanges(state: State, pairs: NDArray[np.int64], accepted: NDArray[np.bool_]) -> None:
    """Count the exchanges (pairs, ladders) of an attempt and the round trips in a state."""
    label = state["label"]
    for pair, mask in zip(pairs, accepted):
        cold, hot = label[pair].copy(), label[pair + 1]
        label[pair] = np.where(mask, hot, cold)
        label[pair + 1] = np.where(mask, cold, hot)
    state["attempted"][:, pairs] += 1
    state["accepted"][:, pairs] += accepted.T
    label[0][label[0] == _FROM_HOT] = _FROM_COLD
    state["round_trips"] += label[-1] == _FROM_COLD
    label[-1] = _FROM_HOT


def row_name(name: str, rung: int) -> str:
    """Return the name of an array of rows of one rung."""
    return f"{name}-{rung}"


# ---- states and tasks ----------------------------------------------------------------------------


def rung_state(state: State, rung: int) -> State:
    """Return the part of a state that the file of one rung keeps."""
    return {name: array if name in SHARED else array[rung] for name, array in state.items()}


def joined_state(states: Sequence[State]) -> State:
    """Return the state whose parts the files of all rungs keep."""
    return {
        name: array if name in SHARED else np.stack([state[name] for state in states])
        for name, array in states[0].items()
    }


def stored_state(files: Sequence[File], simulation: Ladder, group: Group) -> State:
    """Read where the ladders of a group are at the end of the files of all rungs.

    Raises
    ------
    DataError
        If the files hold no state of this ladder.
    """
    like = simulation.start(*group.numbers)
    states = [file.state(group.name) for file in files]
    for rung, (file, state) in enumerate(zip(files, states)):
        expected = {n: (a.shape, a.dtype) for n, a in rung_state(like, rung).items()}
        if {n: (a.shape, a.dtype) for n, a in state.items()} != expected:
            raise DataError(f"{file.path}: the state of {group.name} is not one of such a ladder")
        if any(not np.array_equal(state[name], states[0][name]) for name in SHARED):
            raise DataError(f"{file.path}: is of another ladder than {files[0].path}")
    return joined_state(states)


@dataclass
class LadderChain(Chain):
    """The task that samples one group of ladders: each of its rows is a stored sample of every
    rung. Exchanges are counted from its first row on."""

    def begin(self) -> tuple[int, State]:
        first, state = super().begin()
        if not first:
            state = state | {name: np.zeros_like(state[name]) for name in _COUNTED}
        return first, state

    def advance(self, state: State, start: int, count: int) -> Rows:
        return self.simulation.advance(state, self.schedule.updates, start, count)
