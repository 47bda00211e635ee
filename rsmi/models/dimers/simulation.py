"""How the dimer model is sampled: chains of worms or loops, and the noise on their samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.models.dimers import coverings, loop, samples, worm
from rsmi.models.simulation import Simulation

ALGORITHMS = ("worm", "loop")
CHAINS = 32  # by default: four to a thread, eight threads
_CHAINS_PER_TASK = 4  # the worms of one chain wait for memory while those of the others step
_PILOT_WORMS = 1024  # of which the mean length is measured


def simulation_of(parameters: Mapping[str, Any]) -> DimerSimulation:
    """Return the simulation of checked parameters, with the algorithm chosen: the worm is faster,
    and cannot have an interaction."""
    coupling, algorithm = parameters["coupling"], parameters["algorithm"]
    if algorithm == "auto":
        algorithm = "loop" if coupling else "worm"
    return DimerSimulation(
        tuple(parameters["shape"]),
        parameters["boundary"],
        coupling,
        algorithm,
        parameters["seed"],
        parameters.get("interaction"),
        parameters.get("noise_probability"),
        parameters.get("noise_pairing"),
    )


@dataclass(frozen=True)
class DimerSimulation(Simulation):
    """Dimers at one state point. The streams depend on everything but the noise."""

    shape: tuple[int, ...]
    boundary: str
    coupling: float
    algorithm: str
    seed: int
    interaction: float | None = None
    noise_probability: float | None = None
    noise_pairing: str | None = None
    model = "dimers"
    chains_per_task = _CHAINS_PER_TASK
    needs_pilot = True  # for the number of worms in a sweep

    @property
    def physics(self) -> dict:
        return super().physics | {"boundary": self.boundary}

    @property
    def resumable_only_between_rows(self) -> bool:
        """The worm drops what is left of a random number's digits at the end of a row."""
        return self.algorithm == "worm"

    @property
    def components(self) -> int:
        return 2 if self.noise_probability is None else 4

    def attributes(self) -> dict:
        return {
            "model": self.model,
            "boundary": self.boundary,
            "components": self.components,
            "coupling": self.coupling,
            "temperature": self._temperature(),
            "interaction": self.interaction,
            "noise_probability": self.noise_probability,
            "noise_pairing": self.noise_pairing,
        }

    def _temperature(self) -> float | None:
        """T in the unit of the interaction over k_B; None for free dimers."""
        if self.interaction is None or self.coupling == 0:
            return None
        return -self.interaction / self.coupling

    # ---- chains ----------------------------------------------------------------------------------

    def start(self, *numbers: int | str) -> State:
        """Columns of dimers, the streams of the worms, and the keys of the noise.

        At low temperature aligning dimers hardly leave the columnar state in which they start:
        there the chains begin in all columnar states in turn.
        """
        states = [
            number if self.coupling > 0 and isinstance(number, int) else 0 for number in numbers
        ]
        columns = [coverings.columns(self.shape, state, self.boundary) for state in states]
        return {
            "partners": np.stack(columns),
            "rng": np.stack([self.stream(number) for number in numbers]),
            "noise": np.stack([self.stream(f"noise-{number}")[:2] for number in numbers]),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        """Make rows, each after so many worms of its chain. Every row has noise of its own."""
        rows = self._worms(state, updates, first, count)
        return {
            "spins": self._with_noise(rows["links"], state["noise"], first),
            "energy": -rows["parallel_pairs"],
        }

    def _worms(self, state: State, worms: int, first: int, count: int) -> Rows:
        pairs, steps = np.empty((2, count), dtype=np.int64)
        links = np.empty((count, (2 * self.sites + 7) // 8), dtype=np.uint8)
        chains, after = (state["rng"], self.boundary, worms, first), (pairs, links, steps)
        if self.algorithm == "loop":
            loop.sample_chains(state["partners"], self.coupling, *chains, *after)
        else:
            worm.sample_chains(state["partners"], *chains, *after)
        return {"parallel_pairs": pairs, "links": links, "steps": steps}

    def _with_noise(
        self, links: NDArray[np.uint8], keys: NDArray[np.uint64], first: int
    ) -> NDArray[np.uint8]:
        """Return packed configurations with the noise spins; ``keys`` has one row for each chain,
        and ``first`` is the number of the first row."""
        if self.noise_probability is None or self.noise_pairing is None:
            return links
        spins, chains = np.empty((len(links), self.row_bytes), dtype=np.uint8), len(keys)
        for chain, key in enumerate(keys):
            begin = (chain - first) % chains  # the first of these rows that belongs to the chain
            spins[begin::chains] = worm.add_noise(
                np.ascontiguousarray(links[begin::chains]),
                self.shape,
                self.noise_probability,
                self.noise_pairing,
                key,
                (first + begin) // chains,
            )
        return spins

    # ---- the pilot run ---------------------------------------------------------------------------

    def clusters_per_sweep(self) -> int:
        """Return the number of worms that make N/2 steps on average; each step lays one dimer."""
        state = self.start("worms")
        self._worms(state, 1, 0, _PILOT_WORMS // 4)
        steps = self._worms(state, 1, 0, _PILOT_WORMS)["steps"]
        return max(1, round(self.sites / 2 / float(np.mean(steps))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        """Return energy, winding, field and columnar order (see `coverings.observables`)."""
        packed = self._worms(state, clusters_per_sweep, 0, sweeps)["links"]
        return list(samples.observables_of_links(packed, self.shape, self.boundary).values())
