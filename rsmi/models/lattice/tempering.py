"""Parallel tempering of models on lattices, one ladder at a time or 512 at once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.packed import pack_spins
from rsmi.models.ladder import Ladder
from rsmi.models.lattice import clusters, heat_bath, measures
from rsmi.models.lattice.simulation import (
    LatticeSimulation,
    PlainChain,
    Replicas,
    measured_replicas,
    simulation_of,
    sweep_replicas,
)
from rsmi.models.lattice.system import StatePoint
from rsmi.store import File


def ladder_of(parameters: Mapping[str, Any]) -> LatticeLadder:
    """Return the ladder of checked parameters, which include the couplings ``ladder``.

    Raises
    ------
    UsageError
        If clusters are asked for.
    """
    if parameters["algorithm"] in clusters.ALGORITHMS:
        raise UsageError(
            f"--algorithm {parameters['algorithm']}: the lattices of --temper are updated by heat"
            " bath"
        )
    rungs = [simulation_of({**parameters, "coupling": k}) for k in parameters["ladder"]]
    return _ladder(tuple(rungs))


def _ladder(rungs: tuple[LatticeSimulation, ...]) -> LatticeLadder:
    kind = ReplicaLadder if all(isinstance(rung, Replicas) for rung in rungs) else PlainLadder
    if kind is PlainLadder:
        rungs = tuple(_as(PlainChain, rung) for rung in rungs)
    first = rungs[0]
    return kind(first.shape, first.coupling, first.algorithm, first.seed, rungs)


def _as(kind: type[LatticeSimulation], rung: LatticeSimulation) -> LatticeSimulation:
    """The same state point in another layout."""
    return kind(
        rung.shape, rung.coupling, rung.definition, rung.boundary, rung.algorithm, rung.seed
    )


@dataclass(frozen=True)
class LatticeLadder(Ladder):
    """Ladders of a model on a lattice; the subclasses are the layouts of the spins."""

    rungs: tuple[LatticeSimulation, ...]
    model = "lattice"

    @property
    def physics(self) -> dict:
        return super().physics | {"layout": f"ladder of {self.rungs[0].layout}"}

    def from_file(self, file: File) -> LatticeLadder:
        kind = Replicas if "generator" in file.any_state() else PlainChain
        return _ladder(tuple(_as(kind, rung) for rung in self.rungs))

    @property
    def components(self) -> int:
        return self.rungs[0].components

    @property
    def sites(self) -> int:
        return self.rungs[0].sites

    @property
    def row_bytes(self) -> int:
        return self.rungs[0].row_bytes

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        shortest, longest = self.rungs[0].pilot_sweeps
        return shortest, max(shortest, longest // len(self.rungs))

    @functools.cached_property
    def points(self) -> tuple[StatePoint, ...]:
        """The state points of all rungs with the arrays of the kernels."""
        return tuple(rung.point for rung in self.rungs)

    @functools.cached_property
    def modes(self) -> list[measures.Mode]:
        """What orders first, which is the same at all temperatures."""
        return self.rungs[0].modes

    @functools.cached_property
    def bare(self) -> StatePoint:
        """A state point without a chemical potential, whose energies the coupling multiplies."""
        point = self.points[0]
        if point.definition.spins:
            return point
        return replace(point, definition=replace(point.definition, fugacity=1.0))

    def closed(self, state: State, rung: int, bundle: NDArray) -> None:
        """Nothing is to be done where the bundle is part of the state."""


class PlainLadder(LatticeLadder):
    """One ladder; a bundle has a byte for each site."""

    def first(self, rung: int, *numbers: int | str) -> State:
        return self.rungs[rung].start(numbers[0]) | {"rng": self.key(rung, numbers[0])}

    def opened(self, state: State, rung: int) -> NDArray[np.uint8]:
        return state["spins"][rung]

    def sweep(self, state: State, rung: int, bundle: NDArray[np.uint8], sweeps: int) -> None:
        row = np.empty((1, self.row_bytes), dtype=np.uint8)
        system = self.points[rung].system
        heat_bath.sample_chain(system, bundle, state["rng"][rung], sweeps, row)

    def energies(self, rung: int, bundle: NDArray[np.uint8]) -> NDArray[np.float64]:
        return measures.energies_of(self.bare, bundle[np.newaxis] > 0)

    def exchange(
        self, one: NDArray[np.uint8], other: NDArray[np.uint8], mask: NDArray[np.bool_]
    ) -> None:
        if mask[0]:
            one[:], other[:] = other.copy(), one.copy()

    def rows(self, rung: int, bundle: NDArray[np.uint8]) -> Rows:
        up = bundle[np.newaxis] > 0
        return {"spins": pack_spins(up), "energy": measures.energies_of(self.points[rung], up)}

    def measured(self, rung: int, bundle: NDArray[np.uint8]) -> list[NDArray[np.float64]]:
        up = bundle[np.newaxis] > 0
        magnetization = np.abs(2.0 * up.sum(axis=1) - self.sites)
        modes = (mode.of(up) for mode in self.modes)
        return [measures.energies_of(self.points[rung], up), magnetization, *modes]


class ReplicaLadder(LatticeLadder):
    """512 ladders; a bundle has the replicas of one rung in each of its words."""

    chains_per_task = heat_bath.REPLICAS
    lockstep = True
    rungs: tuple[Replicas, ...]

    def first(self, rung: int, *numbers: int | str) -> State:
        generator = heat_bath.seed(self.key(rung, numbers[0]))
        return self.rungs[rung].start(*numbers) | {"generator": generator}

    def opened(self, state: State, rung: int) -> NDArray[np.uint64]:
        return heat_bath.unpack(state["spins"][rung], self.sites)

    def closed(self, state: State, rung: int, bundle: NDArray[np.uint64]) -> None:
        heat_bath.pack(bundle, state["spins"][rung])

    def sweep(self, state: State, rung: int, bundle: NDArray[np.uint64], sweeps: int) -> None:
        sweep_replicas(self.points[rung], state["generator"][rung], bundle, sweeps)

    def energies(self, rung: int, bundle: NDArray[np.uint64]) -> NDArray[np.float64]:
        return measures.replica_energies(self.bare, bundle)

    def exchange(
        self, one: NDArray[np.uint64], other: NDArray[np.uint64], mask: NDArray[np.bool_]
    ) -> None:
        heat_bath.exchange(one, other, mask)

    def rows(self, rung: int, bundle: NDArray[np.uint64]) -> Rows:
        packed = np.empty((self.chains_per_task, self.row_bytes), dtype=np.uint8)
        heat_bath.pack(bundle, packed)
        return {
            "spins": packed,
            "energy": measures.replica_energies(self.points[rung], bundle),
        }

    def measured(self, rung: int, bundle: NDArray[np.uint64]) -> list[NDArray[np.float64]]:
        return measured_replicas(self.points[rung], self.modes, bundle)
