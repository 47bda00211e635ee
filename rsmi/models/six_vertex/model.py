"""The answers of the six-vertex model to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.canonical import canonical_correlations
from rsmi.information.gauge import Constraints
from rsmi.lattice.geometry import Geometry
from rsmi.models.base import Component, Known, KnownOperator, Model, Option
from rsmi.models.drawing import Drawing
from rsmi.models.six_vertex import (
    arrows,
    kasteleyn,
    known,
    parameters,
    samples,
    simulation,
    stars,
    transfer,
)

if TYPE_CHECKING:
    from rsmi.store import File

_HELP = """Arrows on the links of the square lattice. As many arrows enter a vertex as leave it, the
ice rule, which leaves six vertices. The four whose arrows go straight on along both axes or turn
have the weight 1. Those of the other two, with opposite arrows on opposite links, have the weight
c: --weight from 0 to 2, or --delta = 1 - c^2/2. Square ice, --ice, is c = 1; c = sqrt(2) is the
free-fermion point, and at c = 2 the arrows are about to order. There is no temperature. The stored
energy is minus the number of c vertices.

A directed loop turns arrows along its way and never turns back; no loop is cut. A sweep is a fixed
number of loops, which pass about as many vertices as the lattice has. Eight chains share a
thread."""


class SixVertex(Model):
    """Weight c^n of n c vertices, a = b = 1; energy E = -n."""

    name = "six-vertex"
    title = "six-vertex model with a = b = 1, square ice among it"
    help = _HELP
    examples = (
        (
            "square ice on 32x32 vertices",
            "rsmi sample --model six-vertex --ice --size 32 --samples 20000 -o ice.h5",
        ),
        (
            "close to the order of c vertices",
            "rsmi sample --model six-vertex --weight 1.8 --size 32 --samples 20000 -o c18.h5",
        ),
    )
    algorithms = simulation.ALGORITHMS
    flips = True
    importable = True
    environment_features = ("heights",)
    options = (
        Option(
            "weight", "number", "Weight c of a c vertex, from 0 to 2; others have 1.", metavar="C"
        ),
        Option("delta", "number", "Delta = 1 - c^2/2, instead of the weight.", metavar="DELTA"),
        Option("ice", "flag", "Square ice: c = 1."),
    )

    def parameters(self, request: Mapping[str, Any]) -> dict:
        return parameters.parameters(request)

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.LoopSimulation:
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
        raise UsageError(
            "--temperature and --coupling: the six-vertex model has a weight and no temperature;"
            " leave both out"
        )

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        arrows.check_shape(shape, where)

    def check_file(self, file: File) -> None:
        samples.check_file(file)

    def check_configurations(self, file: File) -> None:
        samples.check_configurations(file)

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray[np.int64] | None:
        """Minus the number of c vertices of the torus."""
        if attributes.get("boundary", "periodic") != "periodic" or configurations.shape[1] != 2:
            return None
        return -arrows.c_vertices(configurations).sum(axis=(1, 2), dtype=np.int64)

    def components(self, attributes: Mapping[str, Any]) -> tuple[Component, ...]:
        if attributes.get("components", 2) != 2 or attributes.get("rg_step", 0):
            return super().components(attributes)
        return tuple(map(Component, arrows.COMPONENTS))

    def constraints(
        self, geometry: Geometry, attributes: Mapping[str, Any] | None = None
    ) -> Constraints | None:
        """The ice rule at the vertices whose four arrows all belong to the block."""
        if geometry.components != 2 or (attributes or {}).get("rg_step", 0):
            return super().constraints(geometry, attributes)
        return stars.star_constraints(geometry)

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> Mapping[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """The field, whose scaling dimension is 1, and the staggered polarization."""
        if attributes.get("components", 2) != 2 or attributes.get("rg_step", 0):
            return super().fields(attributes)
        along = {f"{x}-field": functools.partial(arrows.field, i) for i, x in enumerate("xy")}
        return {**along, "staggered": arrows.staggered_field}

    def environment_columns(
        self,
        name: str,
        geometry: Geometry,
        attributes: Mapping[str, Any],
        environments: NDArray[np.int8],
    ) -> NDArray[np.int8]:
        """Bits of the mean height of the environment modulo 2."""
        if name not in self.environment_features:
            return super().environment_columns(name, geometry, attributes, environments)
        return stars.height_columns(geometry, environments)

    def templates(
        self, geometry: Geometry, attributes: Mapping[str, Any]
    ) -> Mapping[str, NDArray[np.float64]]:
        """The mean field of a block along x and y, and its mean staggered polarization."""
        if geometry.components != 2 or attributes.get("rg_step", 0):
            return {}
        return stars.templates(geometry)

    def known_fields(self, attributes: Mapping[str, Any]) -> Mapping[str, KnownOperator]:
        operators = {one.name: one for one in self.known(2, attributes).operators.get("odd", ())}
        names = {"x-field": "field", "y-field": "field", "staggered": "staggered polarization"}
        return {field: operators[name] for field, name in names.items() if name in operators}

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        return known.known(dimension, samples.weight_of(attributes or {}))

    def exact_energy(self, attributes: Mapping[str, Any]) -> float | None:
        """Minus the exact number of c vertices per vertex, on lattices with a short side."""
        weight, shape = samples.weight_of(attributes), attributes["shape"]
        if weight is None or len(shape) != 2:
            return None
        found = transfer.torus(shape, weight).get("c_vertices")
        return None if found is None else -found

    def canonical_correlations(
        self, geometry: Geometry, attributes: Mapping[str, Any]
    ) -> NDArray[np.float64] | None:
        """At the free-fermion point, from the exact covariances of the arrows."""
        moments = kasteleyn.exact_moments(geometry, attributes)
        return None if moments is None else canonical_correlations(*moments).correlations

    def summary(self, file: File) -> dict:
        return samples.summary(file)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        return samples.describe_summary(attributes, numbers)

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        weight = samples.weight_of(attributes)
        if weight is None:
            return "weight of c vertices unknown"
        return f"weight of c vertices {weight:.6g}, Delta = {known.delta_of(weight):.6g}"

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        weight = samples.weight_of(attributes)
        return "$c$ unknown" if weight is None else f"$c$ = {weight:.5g}"

    def describe_sites(self, sites: int, components: int) -> str:
        return f"{sites} vertices: {components * sites} arrows"

    def drawing(self) -> Drawing:
        from rsmi.models.six_vertex import figure

        return figure
