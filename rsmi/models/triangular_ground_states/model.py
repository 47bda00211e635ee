"""The answers of the triangular ground states to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.unit_cell import TRIANGULAR, UnitCell
from rsmi.models.base import Known, Model, Order
from rsmi.models.triangular_ground_states import ground_states, known, samples, simulation

if TYPE_CHECKING:
    from rsmi.store import File

_HELP = """All ground states of the nearest-neighbour Ising antiferromagnet on the triangular
lattice, equally likely. No triangle has three equal spins. The sites (x, y) of the lattice are
stored in a square array; the neighbours of a site are those at (1, 0), (0, 1), (1, 1) and opposite
to them. There is no temperature. The sides are multiples of 3, so that the wave vector K of the
three sublattices fits, K.r = 2 pi (x + y)/3.

A worm moves frustrated bonds, one of every triangle, as dimers of the honeycomb lattice. Worms that
end where no spins belong to the bonds are continued. A sweep is a fixed number of worms, which move
about one bond per site. Eight chains share a thread."""


class TriangularGroundStates(Model):
    """Energy E = J sum of s s' over bonds, J > 0, at its least value -J N."""

    name = "triangular-ground-states"
    title = "ground states of the triangular Ising antiferromagnet"
    help = _HELP
    examples = (
        (
            "ground states on 24x24 sites",
            "rsmi sample --model triangular-ground-states --size 24 --samples 20000 -o ground.h5",
        ),
    )
    algorithms = simulation.ALGORITHMS
    flips = True
    importable = True

    def parameters(self, request: Mapping[str, Any]) -> dict:
        if request["temperature"] is not None or request["coupling"] is not None:
            raise UsageError(
                "--temperature and --coupling: the ground states are those of T = 0; leave both out"
            )
        self.check_shape(request["shape"])
        algorithm = simulation.ALGORITHMS[0]
        return {"model": self.name, "shape": list(request["shape"]), "algorithm": algorithm}

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.WormSimulation:
        return simulation.simulation_of(parameters)

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return simulation.CHAINS

    def coupling(
        self,
        temperature: str | None,
        coupling: float | None,
        dimension: int,
        attributes: Mapping[str, Any] | None = None,
    ) -> float:
        raise UsageError("--temperature and --coupling: ground states have neither; leave both out")

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        ground_states.check_shape(shape, where)

    def check_file(self, file: File) -> None:
        samples.check_file(file)

    def check_configurations(self, file: File) -> None:
        samples.check_configurations(file)

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray[np.int64] | None:
        """J sum of s s' on the torus, the only lattice on which all spins tell it."""
        if attributes.get("boundary", "periodic") != "periodic" or configurations.shape[1] != 1:
            return None
        return ground_states.energies(configurations[:, 0])

    def unit_cell(self, attributes: Mapping[str, Any]) -> UnitCell | None:
        """The triangular lattice, also of blocks, unless they have several variables."""
        return TRIANGULAR if attributes.get("components", 1) == 1 else None

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> Mapping[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """The spin, and the two components of the order at K, whose scaling dimension is 1/4."""
        if attributes.get("components", 1) > 1 or attributes.get("rg_step", 0):
            return super().fields(attributes)
        order = {
            f"order-{component}": functools.partial(ground_states.order_field, component)
            for component in ("cos", "sin")
        }
        return {**super().fields(attributes), **order}

    def order(self, attributes: Mapping[str, Any]) -> Order | None:
        """The order of the three sublattices."""
        if attributes.get("components", 1) > 1 or attributes.get("rg_step", 0):
            return None
        return ground_states.ORDER

    def energy_name(self, attributes: Mapping[str, Any]) -> str | None:
        """None: all ground states have the same energy."""
        return None

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        return known.known(dimension)

    def exact_energy(self, attributes: Mapping[str, Any]) -> float:
        return -1.0

    def summary(self, file: File) -> dict:
        return samples.summary(file)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        return samples.describe_summary(attributes, numbers)

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        return "T = 0, all ground states alike"

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        return "$T$ = 0"
