"""The Ising model on the square lattice with next-nearest neighbours and a magnetic field.

The energy is E = -(sum of s s' over nearest neighbours + ratio * sum of s s' over next-nearest
neighbours + field * sum of s) in units of the first coupling J1, and K = J1/(k_B T).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice.packed import pack_spins
from rsmi.models import streams
from rsmi.models.base import Model, Option
from rsmi.models.simulation import Simulation
from rsmi.models.state_point import resolve_coupling


class FieldIsing(Model):
    """The answers that differ from the neutral ones of `rsmi.models.base.Model`."""

    name = "field-ising"
    title = "Ising model with next-nearest neighbours and a magnetic field"
    help = "Heat bath updates one of four sublattices at a time: no neighbours move together."
    algorithms = ("heat-bath",)
    options = (
        Option("ratio", "number", "J2/J1 of next-nearest neighbours.", metavar="R", default=0.0),
        Option("field", "number", "Magnetic field in units of J1.", metavar="H", default=0.0),
    )
    energy_type = "float64"

    def parameters(self, request: Mapping[str, Any]) -> dict:
        shape, couplings = request["shape"], {name: request[name] for name in ("ratio", "field")}
        if len(shape) != 2 or any(side % 2 for side in shape):
            raise UsageError("--size: four sublattices need a lattice with two even sides")
        if not np.isfinite(list(couplings.values())).all():
            raise UsageError("--ratio and --field must be finite")
        unknown = self.known(2).no_critical_point
        coupling = resolve_coupling(request["temperature"], request["coupling"], None, unknown)
        physics = {"model": self.name, "shape": list(shape), "algorithm": "heat-bath"}
        return physics | {"coupling": coupling, "couplings": couplings}

    def simulation(self, parameters: Mapping[str, Any]) -> HeatBath:
        shape, coupling = tuple(parameters["shape"]), parameters["coupling"]
        return HeatBath(shape, coupling, parameters["couplings"], parameters["seed"])

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return 4 * HeatBath.chains_per_task

    def symmetric(self, attributes: Mapping[str, Any]) -> bool:
        return attributes["model_parameters"]["couplings"]["field"] == 0

    def energies(self, configurations: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
        return energies(configurations[:, 0], **attributes["model_parameters"]["couplings"])


@dataclass(frozen=True)
class HeatBath(Simulation):
    """Chains that advance together; a state has their spins and one generator for all of them."""

    shape: tuple[int, int]
    coupling: float
    couplings: dict[str, float]
    seed: int
    model = FieldIsing.name
    algorithm = "heat-bath"
    chains_per_task = 32
    lockstep = True

    @property
    def physics(self) -> dict:
        return super().physics | {"couplings": self.couplings}

    def attributes(self) -> dict:
        return super().attributes() | {"couplings": self.couplings}

    def start(self, *numbers):
        state = {"rng": streams.generator_state(self.stream(numbers[0]))}
        with streams.generator(state["rng"]) as random:
            up = random.integers(0, 2, size=(len(numbers), *self.shape), dtype=np.int8)
        return state | {"spins": 2 * up - 1}

    def advance(self, state, updates, first, count):
        chains, rows = state["spins"], np.empty((count, *self.shape), dtype=np.int8)
        with streams.generator(state["rng"]) as random:
            for i, row in enumerate(rows):
                number = (first + i) % len(chains)
                for _ in range(updates if number == 0 else 0):
                    self._sweep(chains, random)
                row[:] = chains[number]
        return {"spins": pack_spins(rows), "energy": energies(rows, **self.couplings)}

    def _sweep(self, s, random) -> None:
        for x, y in np.ndindex(2, 2):  # the sublattice of the sites (x, y) modulo 2
            beside, diagonal = s[:, 1 - x :: 2, y::2], s[:, 1 - x :: 2, 1 - y :: 2]
            nearest = pairs(beside, x, axis=1) + pairs(s[:, x::2, 1 - y :: 2], y, axis=2)
            next_nearest = pairs(pairs(diagonal, x, axis=1), y, axis=2)
            local_field = nearest + self.couplings["ratio"] * next_nearest + self.couplings["field"]
            probability = (1 + np.tanh(self.coupling * local_field)) / 2  # of +1
            s[:, x::2, y::2] = np.where(random.random(local_field.shape) < probability, 1, -1)


def pairs(spins, offset, axis):
    """Sum the two spins beside each site of a sublattice that begins at ``offset``."""
    return spins + np.roll(spins, 1 - 2 * offset, axis)


def energies(spins: np.ndarray, ratio: float, field: float) -> np.ndarray:
    """Return the energies (n,) in units of J1 of configurations (n, Lx, Ly) of +-1."""
    s = spins.astype(np.int64)
    right = np.roll(s, -1, axis=2)
    nearest = s * (np.roll(s, -1, axis=1) + right)
    next_nearest = s * (np.roll(right, -1, axis=1) + np.roll(s, (-1, 1), axis=(1, 2)))
    bonds, diagonals, total = (terms.sum(axis=(1, 2)) for terms in (nearest, next_nearest, s))
    return -(bonds + ratio * diagonals + field * total)
