"""What ``rsmi sample`` simulates: the simulation, its pilot run, and the tasks that make its rows."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np

from rsmi.kernels import ising as kernel
from rsmi.lattice import ising as model
from rsmi.stages.runner import Rows, State
from rsmi.stages.streams import stream_key
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time

log = logging.getLogger("rsmi")

_PILOT_SWEEPS = 4096  # at first, fewer on large lattices
_PILOT_UPDATES = 1 << 30  # site updates in all, about: the pilot's length never depends on the clock


@dataclass(frozen=True)
class Simulation:
    """What is simulated: everything the streams' keys depend on."""

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int

    @property
    def sites(self) -> int:
        return math.prod(self.shape)

    def key(self, number: int | str) -> np.ndarray:
        """Stream ``number`` of this simulation."""
        physics = {"model": "ising", "shape": list(self.shape), "coupling": self.coupling, "algorithm": self.algorithm}
        return stream_key(self.seed, "sample", physics, number)

    def start(self, number: int | str) -> State:
        """A chain's state before its first sweep: all spins up."""
        return {"spins": np.ones(self.shape, dtype=np.int8), "rng": self.key(number)}

    def advance(self, state: State, interval: int, count: int, clusters_per_sweep: int) -> Rows:
        """``count`` times: ``interval`` sweeps, then one stored row."""
        rows = {
            "spins": np.empty((count, (self.sites + 7) // 8), dtype=np.uint8),
            "energy": np.empty(count, dtype=np.int64),
            "magnetization": np.empty(count, dtype=np.int64),
        }
        kernel.sample_chain(state["spins"], self.coupling, state["rng"], self.algorithm, interval, count, clusters_per_sweep, *rows.values())
        return rows


@dataclass(frozen=True)
class Schedule:
    """How a simulation is stored: sweeps to forget, sweeps between samples, Wolff clusters to a sweep."""

    thermalization: int
    interval: int
    clusters_per_sweep: int


@dataclass
class Thermalization:
    """The task of forgetting the start state: its rows hold nothing, its final state starts the chain."""

    simulation: Simulation
    schedule: Schedule
    chain: int

    @property
    def name(self) -> str:
        return f"thermalization-{self.chain:04d}"

    @property
    def total(self) -> int:
        return self.schedule.thermalization

    def begin(self):
        return 0, self.simulation.start(self.chain)

    def advance(self, state: State, start: int, count: int) -> Rows:
        self.simulation.advance(state, count, 1, self.schedule.clusters_per_sweep)
        return {}


@dataclass
class Chain:
    """The task of one chain: a row is one stored sample."""

    simulation: Simulation
    schedule: Schedule
    chain: int
    total: int
    first: int
    state: State

    @property
    def name(self) -> str:
        return chain_name(self.chain)

    def begin(self):
        return self.first, self.state

    def advance(self, state: State, start: int, count: int) -> Rows:
        rows = self.simulation.advance(state, self.schedule.interval, count, self.schedule.clusters_per_sweep)
        return {name: rows[name] for name in ("spins", "energy")}


def chain_name(chain: int) -> str:
    """Name of a chain's task and of its state in the file."""
    return f"chain-{chain:04d}"


def chain_length(samples: int, chains: int, chain: int) -> int:
    """Samples that chain ``chain`` contributes: sample i is of chain i mod chains."""
    return max(0, (samples - chain + chains - 1) // chains)


def choose_algorithm(shape: tuple[int, ...], coupling: float) -> str:
    """Heat bath well inside the disordered phase, Swendsen-Wang near and below T_c, in 1D and on odd lattices.

    A Swendsen-Wang sweep costs about three heat-bath sweeps; heat bath wins where its autocorrelation time is short.
    """
    if len(shape) == 1 or any(size % 2 for size in shape):
        return "swendsen-wang"
    return "heat-bath" if coupling < 0.8 * model.critical_coupling(len(shape)) else "swendsen-wang"


# ---- the pilot ------------------------------------------------------------------------------------------------------

def pilot(simulation: Simulation) -> State:
    """Autocorrelation times from a run on a stream of its own, doubled until it is 2000 times as long as they are.

    Returns
    -------
    dict
        ``tau`` (the larger of energy's and |m|'s integrated times, sweeps), ``clusters_per_sweep`` (Wolff: about one
        lattice of flipped spins, from <|C|> = N <m^2>), ``sweeps`` made.
    """
    clusters = _clusters_per_sweep(simulation) if simulation.algorithm == "wolff" else 1
    state = simulation.start("pilot")
    sweeps, limit = _pilot_sweeps(simulation), _PILOT_UPDATES // simulation.sites
    simulation.advance(state, sweeps, 1, clusters)
    while True:
        rows = simulation.advance(state, 1, sweeps, clusters)
        tau = max(integrated_autocorrelation_time(series)[0] for series in (rows["energy"], np.abs(rows["magnetization"])))
        if sweeps >= 2000 * tau or 2 * sweeps > limit:
            break
        sweeps *= 2
    if sweeps < 20 * tau:
        log.warning("the pilot of %d sweeps is short against tau_int = %.0f: give --thermalization and --interval, or take a cluster algorithm", sweeps, tau)
    return {"tau": np.float64(tau), "clusters_per_sweep": np.int64(clusters), "sweeps": np.int64(sweeps)}


def _pilot_sweeps(simulation: Simulation) -> int:
    """Sweeps to begin with: an eighth of the pilot's budget, between 64 and 4096."""
    return max(64, min(_PILOT_SWEEPS, _PILOT_UPDATES // (8 * simulation.sites)))


def _clusters_per_sweep(simulation: Simulation) -> int:
    scout = Simulation(simulation.shape, simulation.coupling, "swendsen-wang", simulation.seed)
    state = scout.start("wolff-clusters")
    sweeps = _pilot_sweeps(simulation)
    scout.advance(state, sweeps // 2, 1, 1)
    magnetization = scout.advance(state, 1, sweeps, 1)["magnetization"] / simulation.sites
    return max(1, round(1 / float(np.mean(magnetization**2))))


def schedule_from(parameters: dict, found: State | None) -> Schedule:
    """Fill in what is auto: an interval of two tau_int leaves tau_int <= .66 intervals, twenty forget the start."""
    thermalization, interval = parameters["thermalization"], parameters["interval"]
    tau = float(found["tau"]) if found else 0.0
    return Schedule(
        thermalization=max(100, math.ceil(20 * tau)) if thermalization == "auto" else thermalization,
        interval=max(1, math.ceil(2 * tau)) if interval == "auto" else interval,
        clusters_per_sweep=int(found["clusters_per_sweep"]) if found else 1,
    )
