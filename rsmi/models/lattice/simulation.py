"""How a model on a lattice is sampled: one chain at a time, or 512 replicas at once."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.lattice.packed import pack_spins, unpack_bits
from rsmi.models.lattice import clusters, heat_bath, measures, model_file
from rsmi.models.lattice.system import StatePoint
from rsmi.models.simulation import Simulation, magnetizations
from rsmi.store import File

_PLAIN_CHAINS = 8
_REPLICA_CHAINS = 2 * heat_bath.REPLICAS
REPLICA_SITES = 1 << 20  # 512 replicas of a larger lattice take more than 64 MB
_REPLICA_PILOT_UPDATES = 1 << 29  # site updates of each replica in the longest pilot run
_FIRST_SWEEPS = 50  # of all clusters, before chains of single clusters
_SCOUTED_SWEEPS = 200  # spins that are flipped, for each site, to learn the size of clusters
_SCOUTS, _MOST_SCOUTS = 1000, 10_000_000  # clusters, at a time and altogether
_PILOT_ROWS = 512  # the most measurements of a replica in a pilot run


def default_chains(parameters: Mapping[str, Any]) -> int:
    """Return the number of chains if none is given: two groups of replicas if they can sample the
    system, else 8."""
    many = simulation_of({**parameters, "chains": _REPLICA_CHAINS, "seed": 0})
    return _REPLICA_CHAINS if isinstance(many, Replicas) else _PLAIN_CHAINS


def simulation_of(parameters: Mapping[str, Any]) -> LatticeSimulation:
    """Return the simulation of checked parameters, which include ``seed`` and ``chains``."""
    text = json.dumps(parameters["definition"], sort_keys=True)
    algorithm = "heat-bath" if parameters["algorithm"] == "auto" else parameters["algorithm"]
    arguments = (
        tuple(parameters["shape"]),
        parameters.get("coupling", 0.0),
        text,
        parameters["boundary"],
        algorithm,
        parameters["seed"],
    )
    if algorithm in clusters.ALGORITHMS:
        return ClusterChain(*arguments)
    replicas = Replicas(*arguments)
    fits = replicas.sites <= REPLICA_SITES and replicas.point.system.fits_replicas
    divided = parameters["chains"] % heat_bath.REPLICAS == 0
    return replicas if fits and divided else PlainChain(*arguments)


@functools.lru_cache(maxsize=8)
def point_of(text: str, shape: tuple[int, ...], periodic: bool, coupling: float) -> StatePoint:
    """Return the state point of a definition as JSON. The arrays of a few are kept."""
    return StatePoint(model_file.from_json(json.loads(text)), shape, periodic, coupling)


@dataclass(frozen=True)
class LatticeSimulation(Simulation):
    """A model on a lattice at one state point; its subclasses are the layouts of its spins.

    Attributes
    ----------
    definition : str
        The definition as JSON.
    boundary : {"periodic", "open"}
    """

    shape: tuple[int, ...]
    coupling: float
    definition: str
    boundary: str
    algorithm: str
    seed: int
    model = "lattice"
    layout = ""

    @property
    def point(self) -> StatePoint:
        """The state point with the arrays of the kernels."""
        return point_of(self.definition, self.shape, self.boundary == "periodic", self.coupling)

    @property
    def physics(self) -> dict:
        own = {"definition": json.loads(self.definition), "boundary": self.boundary}
        return super().physics | own | {"layout": self.layout}  # K = 0 of hard cores alone

    def attributes(self) -> dict:
        own = {
            "model": self.model,
            "components": self.components,
            "boundary": self.boundary,
            "definition": json.loads(self.definition),
        }
        if not self.point.definition.thermal:
            return own
        return own | {"coupling": self.coupling, "temperature": 1 / self.coupling}

    def from_file(self, file: File) -> LatticeSimulation:
        kind: type[LatticeSimulation] = PlainChain
        if "generator" in file.any_state():
            kind = Replicas
        elif file.attributes["algorithm"] in clusters.ALGORITHMS:
            kind = ClusterChain
        return kind(
            self.shape,
            self.coupling,
            self.definition,
            self.boundary,
            file.attributes["algorithm"],
            self.seed,
        )

    @property
    def components(self) -> int:
        return len(self.point.definition.sites)

    @property
    def sites(self) -> int:
        return self.point.sites

    @property
    def row_bytes(self) -> int:
        return (self.sites + 7) // 8

    @functools.cached_property
    def modes(self) -> list[measures.Mode]:
        """What orders first."""
        return measures.ordering_modes(self.point)

    def _first(self, numbers: tuple[int | str, ...]) -> NDArray[np.bool_]:
        """Whether the sites (chains, sites) are up at the start: occupations are empty, and spins
        point along the field, or up and down by the number of the chain."""
        definition = self.point.definition
        if not definition.spins:
            up = np.zeros(len(numbers), dtype=bool)
        elif definition.field:
            up = np.full(len(numbers), definition.field > 0)
        else:
            up = np.array([isinstance(n, str) or n % 2 == 0 for n in numbers])
        return np.repeat(up[:, np.newaxis], self.sites, axis=1)


class PlainChain(LatticeSimulation):
    """One chain; a state has a byte for each site."""

    layout = "plain"

    def start(self, *numbers: int | str) -> State:
        up = self._first(numbers[:1])[0]
        return {"spins": up.astype(np.uint8), "rng": self.stream(numbers[0])}

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        rows = np.empty((count, self.row_bytes), dtype=np.uint8)
        self._sample(state, updates, rows)
        up = unpack_bits(rows, (self.sites,)) > 0
        return {"spins": rows, "energy": measures.energies_of(self.point, up)}

    def _sample(self, state: State, updates: int, rows: NDArray[np.uint8]) -> None:
        """Fill packed rows, so many updates before each, and change the state."""
        system = self.point.system
        heat_bath.sample_chain(system, state["spins"], state["rng"], updates, rows)

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        rows = self.advance(state, clusters_per_sweep, 0, sweeps)
        up = unpack_bits(rows["spins"], (self.sites,)) > 0
        return [
            rows["energy"],
            np.abs(magnetizations(rows, self.sites)),
            *(mode.of(up) for mode in self.modes),
        ]


class ClusterChain(PlainChain):
    """One chain that flips clusters."""

    layout = "clusters"

    def start(self, *numbers: int | str) -> State:
        """Chains of Wolff begin after some sweeps of all clusters: where few bonds are satisfied,
        as in an antiferromagnet with all spins up, single clusters are single spins."""
        state = super().start(*numbers)
        if self.algorithm == "wolff":
            row, bonds = np.empty((1, self.row_bytes), dtype=np.uint8), self.point.cluster_bonds
            spins, rng = state["spins"], state["rng"]
            clusters.sample_clusters(bonds, spins, rng, "swendsen-wang", _FIRST_SWEEPS, row)
        return state

    def _sample(self, state: State, updates: int, rows: NDArray[np.uint8]) -> None:
        bonds = self.point.cluster_bonds
        clusters.sample_clusters(bonds, state["spins"], state["rng"], self.algorithm, updates, rows)

    @property
    def needs_pilot(self) -> bool:
        return self.algorithm == "wolff"

    def clusters_per_sweep(self) -> int:
        """Wolff clusters that flip about as many spins as there are: as many as a run of them has
        needed."""
        if self.algorithm != "wolff":
            return 1
        state, row = self.start("wolff-clusters"), np.empty((1, self.row_bytes), dtype=np.uint8)
        bonds, number, flipped = self.point.cluster_bonds, 0, 0
        while number < _MOST_SCOUTS and flipped < _SCOUTED_SWEEPS * self.sites:
            flipped += clusters.sample_clusters(
                bonds, state["spins"], state["rng"], "wolff", _SCOUTS, row
            )
            number += _SCOUTS
        return max(1, round(number * self.sites / max(flipped, 1)))


class Replicas(LatticeSimulation):
    """512 lattices, of which the same site is updated at once. A step makes a row of each; the rows
    that are not yet requested are the spins of the state."""

    layout = "replicas"
    chains_per_task = heat_bath.REPLICAS
    lockstep = True

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        return 256, max(256, _REPLICA_PILOT_UPDATES // self.sites)

    def start(self, *numbers: int | str) -> State:
        """Chains of one stream, that of the first of their numbers."""
        first = numbers[0]
        chains = range(first, first + self.chains_per_task) if isinstance(first, int) else None
        up = self._first(tuple(chains or range(self.chains_per_task)))
        return {"spins": pack_spins(up), "generator": heat_bath.seed(self.stream(first))}

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        chains = self.chains_per_task
        present = min(count, -first % chains)  # rows of the step that is made already
        steps = -(-(count - present) // chains)
        parts = [self._step(state)] if present else []
        parts = [{n: a[first % chains :][:present] for n, a in part.items()} for part in parts]
        spins = heat_bath.unpack(state["spins"], self.sites)
        for _ in range(steps):
            sweep_replicas(self.point, state["generator"], spins, updates)
            heat_bath.pack(spins, state["spins"])
            parts.append(self._step(state, spins))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return {name: array[:count] for name, array in joined.items()}

    def _step(self, state: State, spins: NDArray[np.uint64] | None = None) -> Rows:
        """The rows of all replicas as they are."""
        if spins is None:
            spins = heat_bath.unpack(state["spins"], self.sites)
        energy = measures.replica_energies(self.point, spins)
        return {"spins": state["spins"].copy(), "energy": energy}

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        interval = max(1, sweeps // _PILOT_ROWS)
        spins = heat_bath.unpack(state["spins"], self.sites)
        measured = []
        for _ in range(sweeps // interval):
            sweep_replicas(self.point, state["generator"], spins, interval)
            measured.append(measured_replicas(self.point, self.modes, spins))
        heat_bath.pack(spins, state["spins"])
        return [np.array(series).T for series in zip(*measured)]


def sweep_replicas(
    point: StatePoint, generator: NDArray[np.uint64], spins: NDArray[np.uint64], sweeps: int
) -> None:
    """Advance replicas (sites, 8) and the state of their generator in place."""
    aligned = heat_bath.aligned((17, 8))
    aligned[:] = generator
    heat_bath.sweep_replicas(point.system, spins, aligned, sweeps)
    generator[:] = aligned


def measured_replicas(
    point: StatePoint, modes: list[measures.Mode], spins: NDArray[np.uint64]
) -> list[NDArray[np.float64]]:
    """Return what a pilot run measures of replicas (sites, 8), (512,) each."""
    magnetization = np.abs(2.0 * heat_bath.count_up(spins) - point.sites)
    squares = (mode.of_replicas(spins) for mode in modes)
    return [measures.replica_energies(point, spins), magnetization, *squares]
