"""How ground states are sampled: chains of worms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.models.simulation import Simulation
from rsmi.models.triangular_ground_states import ground_states, samples, worm

ALGORITHMS = ("worm",)
CHAINS = 64  # by default: eight to a thread, eight threads
_CHAINS_PER_TASK = 8  # the worms of one chain wait for memory while those of the others step
_PILOT_WORMS = 1024  # of which the mean length is measured


def simulation_of(parameters: Mapping[str, Any]) -> WormSimulation:
    """Return the simulation of checked parameters."""
    return WormSimulation(tuple(parameters["shape"]), parameters["seed"])


@dataclass(frozen=True)
class WormSimulation(Simulation):
    """Chains of worms. An update is one worm that ends in a state of spins, with all worms before
    it that do not."""

    shape: tuple[int, ...]
    seed: int
    model = "triangular-ground-states"
    algorithm = "worm"
    chains_per_task = _CHAINS_PER_TASK
    needs_pilot = True  # for the number of worms in a sweep
    resumable_only_between_rows = True  # every row draws the sign of its spins

    @property
    def physics(self) -> dict:
        return {"model": self.model, "shape": list(self.shape), "algorithm": self.algorithm}

    def attributes(self) -> dict:
        return {"model": self.model, "boundary": "periodic", "components": self.components}

    # ---- chains ----------------------------------------------------------------------------------

    def start(self, *numbers: int | str) -> State:
        """The three flat states in turn, and the streams of the worms."""
        states = [number if isinstance(number, int) else 0 for number in numbers]
        return {
            "bonds": np.stack([ground_states.flat_bonds(self.shape, state) for state in states]),
            "rng": np.stack([self.stream(number) for number in numbers]),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        spins = self._worms(state, updates, first, count)["spins"]
        return {"spins": spins, "energy": np.full(count, -self.sites, dtype=np.int64)}

    def _worms(self, state: State, worms: int, first: int, count: int) -> Rows:
        steps = np.empty(count, dtype=np.int64)
        spins = np.empty((count, self.row_bytes), dtype=np.uint8)
        worm.sample_chains(state["bonds"], state["rng"], worms, first, spins, steps)
        return {"spins": spins, "steps": steps}

    # ---- the pilot run ---------------------------------------------------------------------------

    def clusters_per_sweep(self) -> int:
        """Return the number of updates that make N steps on average; each step moves one frustrated
        bond."""
        state = self.start("worms")
        self._worms(state, 1, 0, _PILOT_WORMS // 4)
        steps = self._worms(state, 1, 0, _PILOT_WORMS)["steps"]
        return max(1, round(self.sites / float(np.mean(steps))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        """Return the observables of `ground_states.observables`."""
        packed = self._worms(state, clusters_per_sweep, 0, sweeps)["spins"]
        return list(samples.observables_of_rows(packed, self.shape).values())
