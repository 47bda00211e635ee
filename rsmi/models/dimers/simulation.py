"""The dimer model as ``rsmi sample`` simulates it: its streams and its chains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsmi.engine.tasks import Rows, State
from rsmi.models.dimers import coverings as model
from rsmi.models.dimers import loop as dimers_loop
from rsmi.models.dimers import samples
from rsmi.models.dimers import worm as kernel
from rsmi.models.simulation import Simulation

ALGORITHMS = ("worm", "loop")
_CHAINS = 32
# The worms of one chain wait for memory while those of the others step.
_CHAINS_PER_TASK = 4
_WORMS = 1024  # of the pilot that measures how long they are


def default_chains(parameters: dict) -> int:
    """Four to a thread, eight threads."""
    return _CHAINS


def choose_algorithm(coupling: float) -> str:
    """The worm is faster, and knows no interactions."""
    return "loop" if coupling else "worm"


# ---- the simulation ------------------------------------------------------------------------------


@dataclass(frozen=True)
class DimerSimulation(Simulation):
    """Dimers at one state point. The streams depend on everything but the noise."""

    shape: tuple[int, int]
    boundary: str
    coupling: float
    algorithm: str
    seed: int
    interaction: float | None = None
    noise_probability: float | None = None
    noise_pairing: str | None = None
    model = "dimers"
    chains_per_task = _CHAINS_PER_TASK
    needs_pilot = True  # the number of worms in a sweep

    @classmethod
    def of(cls, parameters: dict) -> DimerSimulation:
        """The simulation a request means."""
        optional = {
            name: parameters.get(name)
            for name in ("interaction", "noise_probability", "noise_pairing")
        }
        coupling, algorithm = parameters["coupling"], parameters["algorithm"]
        chosen = choose_algorithm(coupling) if algorithm == "auto" else algorithm
        return cls(
            tuple(parameters["shape"]),
            parameters["boundary"],
            coupling,
            chosen,
            parameters["seed"],
            **optional,
        )

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

    def start(self, *numbers: int | str) -> State:
        """Chains before their first sweep: columns of dimers, their streams, and the keys of their
        noise.

        Aligning dimers at low temperature hardly leave the columnar state they start in: chains
        begin in all of them in turn.
        """
        states = [
            number if self.coupling > 0 and isinstance(number, int) else 0 for number in numbers
        ]
        return {
            "partners": np.stack(
                [model.columns(self.shape, state, self.boundary) for state in states]
            ),
            "rng": np.stack([self.stream(number) for number in numbers]),
            "noise": np.stack([self.stream(f"noise-{number}")[:2] for number in numbers]),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        """``count`` rows, each after so many worms of its chain; the noise of a row is its own."""
        rows = self._worms(state, updates, first, count)
        return {
            "spins": self._with_noise(rows["links"], state["noise"], first),
            "energy": -rows["parallel_pairs"],
        }

    def _worms(self, state: State, worms: int, first: int, count: int) -> Rows:
        rows = {
            "parallel_pairs": np.empty(count, dtype=np.int64),
            "links": np.empty((count, (2 * self.sites + 7) // 8), dtype=np.uint8),
            "steps": np.empty(count, dtype=np.int64),
        }
        if self.algorithm == "loop":
            dimers_loop.sample_chains(
                state["partners"],
                self.coupling,
                state["rng"],
                self.boundary,
                worms,
                first,
                *rows.values(),
            )
        else:
            kernel.sample_chains(
                state["partners"], state["rng"], self.boundary, worms, first, *rows.values()
            )
        return rows

    def _with_noise(self, links: np.ndarray, keys: np.ndarray, first: int) -> np.ndarray:
        if self.noise_probability is None:
            return links
        spins, chains = np.empty((len(links), self.row_bytes), dtype=np.uint8), len(keys)
        for chain, key in enumerate(keys):
            row = (
                chain - first
            ) % chains  # the chain's first, its sample number (first + row) // chains
            own = np.ascontiguousarray(links[row::chains])
            spins[row::chains] = kernel.add_noise(
                own,
                self.shape,
                self.noise_probability,
                self.noise_pairing,
                key,
                (first + row) // chains,
            )
        return spins

    def clusters_per_sweep(self) -> int:
        """Worms that make about N/2 steps: each step lays one dimer."""
        state = self.start("worms")
        self._worms(state, 1, 0, _WORMS // 4)
        steps = self._worms(state, 1, 0, _WORMS)["steps"]
        return max(1, round(self.sites / 2 / float(np.mean(steps))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[np.ndarray]:
        """Energy, winding, field and columnar order (see `coverings.observables`)."""
        packed = self._worms(state, clusters_per_sweep, 0, sweeps)["links"]
        return list(
            samples.observables_of(
                (links for _, links in samples.unpacked(packed, self.shape, 2)), self.boundary
            ).values()
        )

    def attributes(self) -> dict:
        return {
            "model": "dimers",
            "boundary": self.boundary,
            "components": self.components,
            "coupling": self.coupling,
            "temperature": -self.interaction / self.coupling if self.coupling else None,
            "interaction": self.interaction,
            "noise_probability": self.noise_probability,
            "noise_pairing": self.noise_pairing,
        }
