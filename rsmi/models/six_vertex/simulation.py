"""How the six-vertex model is sampled: chains of directed loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.models.simulation import Simulation
from rsmi.models.six_vertex import arrows, loop, samples

ALGORITHMS = ("loop",)
CHAINS = 64  # by default: eight to a thread, eight threads
_CHAINS_PER_TASK = 8  # the loops of one chain wait for memory while those of the others step
_PILOT_LOOPS = 1024  # of which the mean length is measured


def simulation_of(parameters: Mapping[str, Any]) -> LoopSimulation:
    """Return the simulation of checked parameters."""
    return LoopSimulation(
        tuple(parameters["shape"]), float(parameters["weight"]), parameters["seed"]
    )


@dataclass(frozen=True)
class LoopSimulation(Simulation):
    """Chains of directed loops. An update is one loop."""

    shape: tuple[int, ...]
    weight: float
    seed: int
    model = "six-vertex"
    algorithm = "loop"
    components = 2
    chains_per_task = _CHAINS_PER_TASK
    needs_pilot = True  # for the number of loops in a sweep

    @property
    def physics(self) -> dict:
        return {
            "model": self.model,
            "shape": list(self.shape),
            "weight": self.weight,
            "algorithm": self.algorithm,
        }

    def attributes(self) -> dict:
        return {
            "model": self.model,
            "boundary": "periodic",
            "components": self.components,
            "weight": self.weight,
        }

    # ---- chains ----------------------------------------------------------------------------------

    def start(self, *numbers: int | str) -> State:
        """All arrows along or against the axes in turn, and the streams of the loops."""
        states = [number if isinstance(number, int) else 0 for number in numbers]
        return {
            "vertices": np.stack([arrows.ordered_vertices(self.shape, state) for state in states]),
            "rng": np.stack([self.stream(number) for number in numbers]),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        rows = self._loops(state, updates, first, count)
        return {"spins": rows["spins"], "energy": -rows["c_vertices"]}

    def _loops(self, state: State, loops: int, first: int, count: int) -> Rows:
        found, steps = np.empty((2, count), dtype=np.int64)
        spins = np.empty((count, self.row_bytes), dtype=np.uint8)
        chains = (state["vertices"], self.weight, state["rng"])
        loop.sample_chains(*chains, loops, first, spins, found, steps)
        return {"spins": spins, "c_vertices": found, "steps": steps}

    # ---- the pilot run ---------------------------------------------------------------------------

    def clusters_per_sweep(self) -> int:
        """Return the number of loops that make N steps on average; each step passes a vertex."""
        state = self.start("loops")
        self._loops(state, 1, 0, _PILOT_LOOPS)
        steps = self._loops(state, 1, 0, _PILOT_LOOPS)["steps"]
        return max(1, round(self.sites / float(np.mean(steps))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        """Return the observables of `arrows.observables`."""
        packed = self._loops(state, clusters_per_sweep, 0, sweeps)["spins"]
        return list(samples.observables_of_rows(packed, self.shape).values())
