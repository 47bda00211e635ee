"""What every model has in common when it is simulated: the schedule, its pilot run, and the tasks
that make the rows."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.store import File

log = logging.getLogger("rsmi")

TAUS_BETWEEN_STORED = 2.0  # tau_int from one stored sample to the next

_PILOT_SWEEPS = 4096  # at first, fewer on large lattices
_PILOT_UPDATES = (
    1 << 30
)  # site updates in all, about: the pilot's length never depends on the clock


class Simulation(Protocol):
    """A model and the algorithm that samples it.

    Some algorithms are faster on several independent chains at once: ``together`` is how many
    chains one task advances. The rows of a task are made by its chains in turn; where the chains
    cannot but step at once, ``in_step`` is true, and the rows of the last step that are not asked
    for yet are in the state.
    """

    shape: tuple[int, ...]
    algorithm: str
    together: int
    in_step: bool
    row_bytes: int
    pilot_sweeps: tuple[int, int]  # to begin with, and at most; never from the clock
    needs_pilot: bool  # even when nothing is left to auto
    cut_at_rows: bool  # a chain goes on the same after a row only, not after any sweep

    @property
    def sites(self) -> int: ...

    def as_in(self, file: File) -> Simulation:
        """The simulation that made a file of the same request, whatever this version would take for
        it: what extends the file."""

    def start(self, *numbers: int | str) -> State:
        """The state of the chains of these streams before their first sweep."""

    def advance(
        self, state: State, interval: int, first: int, count: int, clusters_per_sweep: int
    ) -> Rows:
        """``count`` rows, the first of them row ``first``, each after ``interval`` sweeps of the
        chain that makes it."""

    def clusters_per_sweep(self) -> int:
        """Clusters or worms that are about one update a site, found by a pilot where the algorithm
        counts in them; else 1."""

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[np.ndarray]:
        """The quantities that decide how long to wait between samples, at equal distances over so
        many sweeps: (rows,) of one chain or (chains, rows)."""

    def attributes(self) -> dict:
        """What a samples file says of the model."""


@dataclass(frozen=True)
class Schedule:
    """How a simulation is stored: sweeps to forget, sweeps between samples, clusters or worms to a
    sweep."""

    thermalization: int
    interval: int
    clusters_per_sweep: int


@dataclass(frozen=True)
class Group:
    """The chains that one task advances: ``numbers`` of ``chains`` in all."""

    first: int
    count: int
    chains: int

    @property
    def name(self) -> str:
        """Name of the group's task and of its state in the file."""
        return f"chain-{self.first:04d}"

    @property
    def numbers(self) -> range:
        """Of its chains."""
        return range(self.first, self.first + self.count)

    def rows(self, samples: int) -> int:
        """Of the first ``samples`` samples, how many are of this group: sample i is of chain i mod
        chains."""
        return sum(
            max(0, (samples - chain + self.chains - 1) // self.chains) for chain in self.numbers
        )

    def samples(self, start: int, stop: int) -> np.ndarray:
        """The samples that its rows ``start:stop`` are."""
        row = np.arange(start, stop)
        return row // self.count * self.chains + self.first + row % self.count


def groups(chains: int, together: int, samples: int) -> list[Group]:
    """The groups that ``samples`` samples need."""
    return [
        Group(first, min(together, chains - first), chains)
        for first in range(0, min(chains, samples), together)
    ]


@dataclass
class Thermalization:
    """The task of forgetting the start state: its rows hold nothing, its final state starts the
    chains."""

    simulation: Simulation
    schedule: Schedule
    group: Group
    prefix: str = ""  # of the name, where a stage has several simulations

    @property
    def name(self) -> str:
        return f"{self.prefix}thermalization-{self.group.first:04d}"

    @property
    def total(self) -> int:
        return self.schedule.thermalization

    def begin(self):
        return 0, self.simulation.start(*self.group.numbers)

    def advance(self, state: State, start: int, count: int) -> Rows:
        interval, rows = (1, count) if self.simulation.cut_at_rows else (count, 1)
        self.simulation.advance(
            state, interval, 0, rows * self.group.count, self.schedule.clusters_per_sweep
        )
        return {}


@dataclass
class Chain:
    """The task of one group of chains: a row is one stored sample; ``before`` reads the state
    before the first."""

    simulation: Simulation
    schedule: Schedule
    group: Group
    total: int
    first: int
    before: Callable[[], State]

    @property
    def name(self) -> str:
        return self.group.name

    def begin(self):
        return self.first, self.before()

    def advance(self, state: State, start: int, count: int) -> Rows:
        rows = self.simulation.advance(
            state, self.schedule.interval, start, count, self.schedule.clusters_per_sweep
        )
        return {name: rows[name] for name in ("spins", "energy")}


def stored_state(file: File, simulation: Simulation, group: Group) -> State:
    """Where the chains of a group are in a samples file.

    Raises
    ------
    DataError
        If it is no state of this simulation.
    """
    state, like = file.state(group.name), simulation.start(*group.numbers)
    if {name: (array.shape, array.dtype) for name, array in state.items()} != {
        name: (array.shape, array.dtype) for name, array in like.items()
    }:
        raise DataError(f"{file.path}: the state of {group.name} is not one of such chains")
    return state


# ---- the pilot -----------------------------------------------------------------------------------


def pilot(simulation: Simulation) -> State:
    """Autocorrelation times from a run on a stream of its own, doubled until all its chains
    together are 2000 times as long as they are, and each of them 20 times.

    Returns
    -------
    dict
        ``tau`` (the largest integrated time of the simulation's series, sweeps),
        ``clusters_per_sweep``, ``sweeps`` made.
    """
    clusters = simulation.clusters_per_sweep()
    state = simulation.start("pilot")
    sweeps, limit = simulation.pilot_sweeps
    simulation.advance(state, sweeps, 0, 1, clusters)
    while True:
        found = [np.atleast_2d(series) for series in simulation.series(state, sweeps, clusters)]
        chains, rows = found[0].shape
        tau = max(integrated_autocorrelation_time(series)[0] for series in found) * (sweeps / rows)
        if sweeps >= max(20, 2000 / chains) * tau or 2 * sweeps > limit:
            break
        sweeps *= 2
    if sweeps < 20 * tau:
        log.warning(
            "the pilot of %d sweeps is short against tau_int = %.0f: give --thermalization and"
            " --interval, or take a cluster algorithm",
            sweeps,
            tau,
        )
    return {
        "tau": np.float64(tau),
        "clusters_per_sweep": np.int64(clusters),
        "sweeps": np.int64(sweeps),
    }


def pilot_sweeps(sites: int, faster: int = 1) -> tuple[int, int]:
    """Sweeps of a pilot of one chain, or of one that makes more updates at the same cost: to begin
    with an eighth of its budget, between 64 and 4096, and at most."""
    most = _PILOT_UPDATES * faster // sites
    return max(64, min(_PILOT_SWEEPS, most // 8)), most


def schedule_from(
    parameters: dict, found: State | None, taus: float = TAUS_BETWEEN_STORED
) -> Schedule:
    """Fill in what is auto: an interval of two tau_int leaves tau_int <= .66 intervals, twenty
    forget the start."""
    thermalization, interval = parameters["thermalization"], parameters["interval"]
    tau = float(found["tau"]) if found else 0.0
    return Schedule(
        thermalization=(
            max(100, math.ceil(20 * tau)) if thermalization == "auto" else thermalization
        ),
        interval=max(1, math.ceil(taus * tau)) if interval == "auto" else interval,
        clusters_per_sweep=int(found["clusters_per_sweep"]) if found else 1,
    )
