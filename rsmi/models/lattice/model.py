"""The answers of models on lattices to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.unit_cell import UnitCell
from rsmi.models.base import Component, Known, Model, Option, Order
from rsmi.models.lattice import (
    critical,
    enumeration,
    exact,
    model_file,
    orders,
    parameters,
    report,
    samples,
    schema,
    simulation,
    tempering,
)
from rsmi.models.lattice.clusters import ALGORITHMS
from rsmi.models.lattice.definition import Definition

if TYPE_CHECKING:
    from rsmi.models.simulation import Simulation
    from rsmi.store import File

_HELP = """Binary variables on a lattice that a short file describes: spins with any bonds and a
field, or particles with hard cores and attraction. --model FILE.toml reads such a file, and
--model-schema shows one; the named ones are files of the same kind that come with the program. The
content of the file is the identity of the samples, not its place.

Heat bath updates 512 chains at once if --chains is a multiple of 512, as it is by default, and if a
site has at most 64 combinations of neighbours that are up; else one spin at a time. The pilot run
also measures the Fourier modes that order first. Swendsen-Wang and Wolff flip clusters of spins,
with bonds of any range and either sign; they help near the critical point of lattices that are not
frustrated. With auto it is heat bath.

With --temper T1,T2,..., lattices at all these temperatures make a ladder (parallel tempering).
After every second sweep, lattices at neighbouring temperatures exchange their configurations, with
the probability that keeps the distribution at every temperature exact. So lattices that are stuck
at a low temperature are renewed at a high one, which helps where systems are frustrated or have
several ordered states. --chains counts ladders, --samples the configurations at each temperature.
There is one file for each temperature: {T} in the name of -o stands for it as it is written. Each
file holds the ladder and the rates of exchange, which 'rsmi info' shows; rates below some 10 % ask
for more temperatures between. The files of one ladder are not independent of each other. Unfinished
work lies beside the file of the lowest temperature, and shards are merged for each temperature.

Of several couplings each is set by --ratio NAME=VALUE in units of J. --antiferromagnetic turns the
sign of all couplings round, and so does a negative --coupling. Hard cores alone have no temperature
but a --fugacity z, and the stored energy is minus the number of particles. With couplings the
energy E of particles includes their chemical potential: the weight is exp(-K E)."""
_ANTIFERROMAGNETIC = Option(
    "antiferromagnetic",
    "flag",
    "Turn the sign of all couplings round.",
)
_RATIO = Option(
    "ratio",
    "text",
    "Coupling of a class of bonds in J; may be repeated.",
    metavar="NAME=VALUE",
    multiple=True,
)
_FIELD = Option("field", "number", "Field in J.", metavar="H", shown_default="of the model")
_FUGACITY = Option(
    "fugacity",
    "text",
    "Fugacity of particles; or zc, or a multiple such as 0.9zc, if the critical one is known.",
    metavar="Z",
    shown_default="of the model",
)


def _options(own: Definition) -> tuple[Option, ...]:
    """The options of a model: those that can change something."""
    signs = (_ANTIFERROMAGNETIC,) if own.couplings else ()
    ratios = (_RATIO,) if len(own.couplings) > 1 else ()
    return *signs, *ratios, _FIELD if own.spins else _FUGACITY


class LatticeModel(Model):
    """Binary variables on a lattice.

    Parameters
    ----------
    own : Definition, optional
        The model of a name or a file. Without it the definition is that of the file or of the
        parameters in question.
    """

    name = "lattice"
    title = "binary variables on a lattice that a model file describes"
    help = _HELP
    examples = (
        (
            "an antiferromagnet on the triangular lattice",
            "rsmi sample --model ising-triangular --antiferromagnetic --size 24 --temperature 1"
            " --samples 20000 -o triangular.h5",
        ),
        (
            "hard hexagons at their critical point",
            "rsmi sample --model hard-hexagons --size 24 --fugacity zc --samples 20000 -o"
            " hexagons.h5",
        ),
        (
            "a frustrated magnet at five temperatures, in files j-1.5.h5, j-1.7.h5 and so on",
            "rsmi sample --model ising-j1j2 --size 16 --temper 1.5,1.7,1.9,2.1,2.3 --samples 2000"
            " -o 'j-{T}.h5'",
        ),
    )
    algorithms = ("heat-bath", *ALGORITHMS)
    boundaries = schema.BOUNDARIES
    energy_type = "float64"
    tempers = True
    file_schema = schema.EXAMPLE

    def __init__(self, own: Definition | None = None) -> None:
        self.definition = own
        if own is not None:
            self.title, self.options = own.title, _options(own)

    def of_file(self, path: Path) -> LatticeModel:
        return LatticeModel(model_file.read(path))

    def parameters(self, request: Mapping[str, Any]) -> dict:
        if self.definition is None:
            raise UsageError("--model lattice: name a model file, or one of the named models")
        return parameters.parameters(self.definition, request)

    def simulation(self, parameters: Mapping[str, Any]) -> Simulation:
        if "ladder" in parameters:
            return tempering.ladder_of(parameters)
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
        if self.definition is None:
            return super().coupling(temperature, coupling, dimension)
        return parameters.state_point(self.definition, temperature, coupling)[1]

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        if self.definition is not None:
            parameters.check_shape(self.definition, shape, where)

    def _definition(self, attributes: Mapping[str, Any] | None) -> Definition | None:
        """The definition that attributes hold, or the model's own."""
        return samples.definition_of(attributes or {}) or self.definition

    # ---- configurations --------------------------------------------------------------------------

    def check_file(self, file: File) -> None:
        samples.check_file(file)

    def check_configurations(self, file: File) -> None:
        samples.check_configurations(file)

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray[np.float64] | None:
        return samples.energies(configurations, attributes)

    def null_averages(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        return samples.null_averages(configurations, attributes)

    def symmetric(self, attributes: Mapping[str, Any]) -> bool:
        own = self._definition(attributes)
        return own is not None and own.spins and own.field == 0

    def components(self, attributes: Mapping[str, Any]) -> tuple[Component, ...]:
        own = self._definition(attributes)
        if own is None or attributes.get("components", 1) != len(own.sites):
            return super().components(attributes)
        return tuple(Component(f"site {name}") for name in own.sites)

    def unit_cell(self, attributes: Mapping[str, Any]) -> UnitCell | None:
        own = self._definition(attributes)
        if own is None or own.dimension != 2 or own.is_square:
            return None
        if attributes.get("components", 1) != len(own.sites):
            return None
        return UnitCell(own.basis, own.positions)

    def order(self, attributes: Mapping[str, Any]) -> Order | None:
        """The order that the couplings prefer; None where the average of the spins in a square
        array is that order, or for blocks."""
        own = self._definition(attributes)
        if own is None or attributes.get("rg_step"):
            return None
        if attributes.get("components", 1) != len(own.sites):
            return None
        order = orders.order_of(own)
        return None if order is None or (order.uniform and own.is_square) else order

    def energy_name(self, attributes: Mapping[str, Any]) -> str:
        """``density`` of hard cores alone, whose energy is minus the number of particles."""
        own = self._definition(attributes)
        return "energy" if own is None or own.thermal else "density"

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> Mapping[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """The sites of a cell, and the parts of the order."""
        order = self.order(attributes)
        return {**super().fields(attributes), **(order.fields() if order else {})}

    # ---- exact values ----------------------------------------------------------------------------

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        own = self._definition(attributes)
        if own is None or own.dimension != dimension:
            return Known(no_critical_point=critical.UNKNOWN)
        if not own.thermal:
            return Known(
                no_critical_point=critical.of_fugacity(own),
                always_critical=critical.at_critical_fugacity(own),
                operators=critical.operators(own),
                enumeration=enumeration.LatticeEnumeration(own),
            )
        return Known(
            critical_coupling=critical.critical_coupling(own),
            no_critical_point=critical.UNKNOWN,
            exponents=critical.exponents(own),
            operators=critical.operators(own),
            enumeration=enumeration.LatticeEnumeration(own),
        )

    def original_sites(self, attributes: Mapping[str, Any]) -> int:
        """Every site of a unit cell counts."""
        own = self._definition(attributes)
        cells = super().original_sites(attributes)
        return cells if own is None else cells * len(own.sites)

    def exact_energy(self, attributes: Mapping[str, Any]) -> float | None:
        """By enumeration or a transfer matrix, on small lattices."""
        if attributes.get("rg_step") or self._definition(attributes) is None:
            return None
        point = samples.point_of(attributes, tuple(attributes["original_shape"]))
        energy = None if point is None else exact.energy(point)
        return None if point is None or energy is None else energy / point.sites

    # ---- numbers and words of a file -------------------------------------------------------------

    def label(self, attributes: Mapping[str, Any]) -> str:
        own = self._definition(attributes)
        return self.name if own is None else own.name

    def summary(self, file: File) -> dict:
        own = self._definition(file.attributes)
        return super().summary(file) if own is None else report.summary(file, own)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        own = self._definition(attributes)
        if own is None:
            return super().describe_summary(attributes, numbers)
        return report.describe_summary(attributes, numbers, own, self.exact_energy(attributes))

    def describe_lattice(self, attributes: Mapping[str, Any]) -> str:
        return self.label(attributes)

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        own = self._definition(attributes)
        if own is None:
            return super().describe_temperature(attributes)
        ratio = self.relative_temperature(attributes)
        return report.describe_state_point(attributes, own, ratio)

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        own = self._definition(attributes)
        if own is None:
            return super().temperature_label(attributes)
        return report.state_point_label(attributes, own, self.relative_temperature(attributes))
