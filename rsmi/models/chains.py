"""The independent chains of a simulation, and the tasks that advance them.

Sample i of a run belongs to chain i mod n of n chains. One task advances one *group* of chains: as
many as the simulation advances at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import DataError
from rsmi.models.schedule import Schedule
from rsmi.models.simulation import Simulation
from rsmi.store import File


@dataclass(frozen=True)
class Group:
    """The chains that one task advances.

    Attributes
    ----------
    first : int
        Number of its first chain.
    count : int
        Number of its chains, which follow each other.
    chains : int
        Number of all chains of the run.
    """

    first: int
    count: int
    chains: int

    @property
    def name(self) -> str:
        """Name of the group's task, and of its state in the file."""
        return f"chain-{self.first:04d}"

    @property
    def numbers(self) -> range:
        """Numbers of its chains."""
        return range(self.first, self.first + self.count)

    def rows(self, samples: int) -> int:
        """Return how many of the first ``samples`` samples belong to this group."""
        return sum(
            max(0, (samples - chain + self.chains - 1) // self.chains) for chain in self.numbers
        )

    def samples(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the numbers of the samples that are rows ``start:stop`` of the group."""
        row = np.arange(start, stop)
        return row // self.count * self.chains + self.first + row % self.count


def groups(chains: int, chains_per_task: int, samples: int) -> list[Group]:
    """Return the groups that are needed for so many samples."""
    return [
        Group(first, min(chains_per_task, chains - first), chains)
        for first in range(0, min(chains, samples), chains_per_task)
    ]


@dataclass
class Thermalization:
    """The task that lets a group of chains forget their start. Its rows are empty, and its final
    state is where the chains begin.

    Attributes
    ----------
    prefix : str
        Begins the name of the task if a stage has several simulations.
    """

    simulation: Simulation
    schedule: Schedule
    group: Group
    prefix: str = ""

    @property
    def name(self) -> str:
        return f"{self.prefix}thermalization-{self.group.first:04d}"

    @property
    def total(self) -> int:
        return self.schedule.thermalization

    def begin(self) -> tuple[int, State]:
        return 0, self.simulation.start(*self.group.numbers)

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Make ``count`` sweeps of every chain.

        They are the updates before one row, or ``count`` rows of one sweep each if the simulation
        may only be interrupted between rows.
        """
        one_by_one = self.simulation.resumable_only_between_rows
        sweeps, rows = (1, count) if one_by_one else (count, 1)
        updates = sweeps * self.schedule.clusters_per_sweep
        self.simulation.advance(state, updates, 0, rows * self.group.count)
        return {}


@dataclass
class Chain:
    """The task that samples one group of chains: each of its rows is one stored sample.

    Attributes
    ----------
    total : int
        Number of all rows.
    first : int
        Number of the first row that is to be made.
    before : callable
        Reads the state before this row.
    """

    simulation: Simulation
    schedule: Schedule
    group: Group
    total: int
    first: int
    before: Callable[[], State]

    @property
    def name(self) -> str:
        return self.group.name

    def begin(self) -> tuple[int, State]:
        return self.first, self.before()

    def advance(self, state: State, start: int, count: int) -> Rows:
        rows = self.simulation.advance(state, self.schedule.updates, start, count)
        return {name: rows[name] for name in ("spins", "energy")}


def stored_state(file: File, simulation: Simulation, group: Group) -> State:
    """Read where the chains of a group are at the end of a samples file.

    Raises
    ------
    DataError
        If it is no state of this simulation.
    """
    state, like = file.state(group.name), simulation.start(*group.numbers)
    if _layout(state) != _layout(like):
        raise DataError(f"{file.path}: the state of {group.name} is not one of such chains")
    return state


def _layout(state: State) -> dict[str, tuple]:
    return {name: (array.shape, array.dtype) for name, array in state.items()}
