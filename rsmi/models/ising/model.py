"""The Ising model's answers to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.models import spins
from rsmi.models.base import Known, Model
from rsmi.models.ising import algorithms, facts, known, simulation
from rsmi.models.ising.chain import ALGORITHMS
from rsmi.models.state_point import resolve_coupling

if TYPE_CHECKING:
    from rsmi.store import File

_RING, _SQUARE = (algorithms.SWENDSEN_WANG[dimension] for dimension in (1, 2))
_HELP = f"""The Ising model has the energy -J times the sum of s s' over nearest neighbours.

Heat bath and Metropolis update 512 spins at once, up to 70 times faster than one spin at a time, in
two cases. The first is one lattice with two or three even sides, of which the last is a multiple of
128 and the first a multiple of 16. The second is 512 chains of any other lattice with even sides
and at most 2^20 sites; then --chains must be a multiple of 512, as it is by default. The default of
1024 chains keeps two threads busy: take more if there are more cores, and fewer for a handful of
samples, since each chain has to forget its start. Below T_c these algorithms do not change the sign
of the magnetization; where they update 512 spins at once, every other chain therefore starts with
all spins down.

With --algorithm auto the choice follows measured rates and is the same on every machine. Where 512
spins are updated at once, it is Metropolis, or heat bath for K < 1/(3d) in d dimensions; but
Swendsen-Wang on two-dimensional lattices of sides above {_SQUARE.sides_above} for
{_SQUARE.above:g} < K/K_c < {_SQUARE.below:g}, and on rings of more than {_RING.sides_above} sites
for K > {_RING.above:g}. Elsewhere it is heat bath for K < 0.8 K_c in two and three dimensions, and
Swendsen-Wang otherwise and for odd sides. One sweep of Swendsen-Wang updates all clusters."""


class Ising(Model):
    """Energy E = -J sum of s s' over nearest neighbours, K = J/(k_B T) > 0."""

    name = "ising"
    title = "nearest-neighbour Ising ferromagnet"
    help = _HELP
    examples = (
        (
            "20,000 configurations at the critical point, on every core",
            "rsmi sample --size 64 --temperature Tc --samples 20000 -o samples.h5",
        ),
        (
            "a cube in its ordered phase",
            "rsmi sample --dimension 3 --size 32 --temperature 0.9Tc --samples 2000 -o cube.h5",
        ),
    )
    algorithms = ALGORITHMS
    flips = True
    importable = True

    def parameters(self, request: Mapping[str, Any]) -> dict:
        shape = request["shape"]
        coupling = self.coupling(request["temperature"], request["coupling"], len(shape))
        self.check_shape(shape)
        return simulation.parameters(shape, coupling, request["algorithm"])

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        if min(shape) < 2:
            raise UsageError(
                f"{where} {shape_text(shape)}: every side of the Ising model must be at least 2"
            )

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.IsingSimulation:
        return simulation.simulation_of(parameters)

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return simulation.default_chains(parameters)

    def coupling(
        self,
        temperature: str | None,
        coupling: float | None,
        dimension: int,
        attributes: Mapping[str, Any] | None = None,
    ) -> float:
        critical = facts.CRITICAL_COUPLING.get(dimension)
        return resolve_coupling(temperature, coupling, critical, known.NO_CRITICAL_POINT)

    def check_file(self, file: File) -> None:
        super().check_file(file)
        if file.kind == "samples":
            shape = file.attributes["original_shape"]
            bonds = len(shape) * math.prod(shape)
            spins.check_energies(file, -bonds, bonds)

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray[np.int64] | None:
        """-J sum of s s' on the torus, the only lattice on which all spins tell it."""
        if attributes.get("boundary", "periodic") != "periodic" or configurations.shape[1] != 1:
            return None
        return simulation.energies(configurations[:, 0] > 0)

    def null_averages(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        coupling, periodic = attributes.get("coupling"), attributes.get("boundary", "periodic")
        if coupling is None or periodic != "periodic" or configurations.shape[1] != 1:
            return {}
        return simulation.null_averages(configurations[:, 0], coupling)

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        return known.known(dimension)

    def exact_energy(self, attributes: Mapping[str, Any]) -> float | None:
        shape, coupling = attributes["original_shape"], attributes.get("coupling")
        periodic = attributes.get("boundary", "periodic") == "periodic"
        if coupling is None or not periodic or min(shape) < 2:
            return None
        return facts.exact_energy(shape, coupling)
