"""How variables with q states are sampled: one chain whose states are bytes."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import count_states
from rsmi.lattice.state_order import squared
from rsmi.models.potts import chain as kernel
from rsmi.models.potts.system import System, potts
from rsmi.models.simulation import Simulation
from rsmi.store import File

CHAINS = 8
_CLUSTERS_AT_ONCE = 64
_SITES_MOVED = 32  # times the sites of the lattice, by which the size of clusters is measured


@dataclass(frozen=True)
class StatesSimulation(Simulation):
    """A periodic lattice of variables with q states; its subclasses say how a bond couples them.

    Attributes
    ----------
    q : int
        The number of states of a site.
    """

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int
    q: int
    energy_type = "float64"
    symmetry: str | None = None

    @property
    @abstractmethod
    def system(self) -> System:
        """The energies of a bond, and the moves of clusters."""

    @property
    def states(self) -> int:
        return self.q

    @property
    def physics(self) -> dict:
        return super().physics | {"states": self.q}

    def from_file(self, file: File) -> StatesSimulation:
        kind, algorithm = type(self), file.attributes["algorithm"]
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return kind(**values | {"algorithm": algorithm})

    def start(self, *numbers: int | str) -> State:
        """All sites in one state, another one in every chain: below T_c local updates keep it."""
        number = numbers[0]
        state = number % self.system.states if isinstance(number, int) else 0
        spins = np.full(self.shape, state, dtype=np.uint8)
        return {"spins": spins, "rng": self.stream(number)}

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        return self._advance(state, updates, count)[0]

    def _advance(self, state: State, updates: int, count: int) -> tuple[Rows, int]:
        """Make rows; also return how many sites the clusters of Wolff's algorithm moved."""
        system, tables = self.system, _tables(self)
        packed = np.empty((count, self.row_bytes), dtype=np.uint8)
        pairs = np.empty((count, len(system.levels)), dtype=np.int64)
        moved = kernel.sample_chain(
            state["spins"],
            tables,
            self.coupling,
            state["rng"],
            self.algorithm,
            updates,
            count,
            packed,
            pairs,
        )
        energies = system.energies_of(pairs).astype(self.energy_type)
        return {"spins": packed, "energy": energies}, moved

    @property
    def needs_pilot(self) -> bool:
        return self.algorithm == "wolff"

    def clusters_per_sweep(self) -> int:
        """Clusters that move about as many sites as there are, from their mean size."""
        if self.algorithm != "wolff":
            return 1
        state = self.start("clusters")
        self._mean_size(state)  # forgets the start
        return max(1, round(self.sites / self._mean_size(state)))

    def _mean_size(self, state: State) -> float:
        moved = clusters = 0
        while moved < _SITES_MOVED * self.sites:
            moved += self._advance(state, _CLUSTERS_AT_ONCE, 1)[1]
            clusters += _CLUSTERS_AT_ONCE
        return moved / clusters

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        rows = self.advance(state, clusters_per_sweep, 0, sweeps)
        counts = count_states(rows["spins"], self.q, (1, *self.shape))[:, 0]
        return [rows["energy"], np.sqrt(squared(counts, self.symmetry))]


@functools.lru_cache(maxsize=8)
def _tables(simulation: StatesSimulation) -> kernel.Tables:
    heat_bath = simulation.algorithm == "heat-bath"
    return simulation.system.tables(simulation.coupling, len(simulation.shape), heat_bath)


def check_shape(shape: Sequence[int], where: str = "--size") -> None:
    """Raise UsageError if there is no such lattice."""
    if min(shape) < 2:
        raise UsageError(f"{where} {shape_text(shape)}: every side must be at least 2")
    if np.prod(shape, dtype=object) >= 1 << 31:
        raise UsageError(f"{where} {shape_text(shape)}: 2^31 sites or more")


@dataclass(frozen=True)
class PottsSimulation(StatesSimulation):
    """The Potts model."""

    model = "potts"
    energy_type = "int64"

    @property
    def system(self) -> System:
        return potts_system(self.q)


potts_system = functools.cache(potts)
