"""What a model is: the questions that the rest of the program asks, with neutral answers.

A model is a subclass of `Model` in a folder of ``rsmi/models``, or in a package of somebody else
(see `rsmi.models`). The answers of `Model` itself hold for samples of which nothing is known. A new
model overrides what it knows better; no other room of the program ever compares a model's name.

Some arguments occur in many methods:

attributes : mapping
    The attributes of a file as Python values (see SCHEMA.md): ``shape``, ``coupling``,
    ``boundary``, ``components``, ``rg_step`` and so on, and the model's own attributes together
    in ``model_parameters``.
geometry : rsmi.lattice.geometry.Geometry
    Block, buffer and environment of a window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.categorical import one_hot_features
from rsmi.information.gauge import Constraints, one_hot_constraints
from rsmi.lattice.columns import Columns, Component
from rsmi.lattice.order import Order, OrderParameter
from rsmi.lattice.state_order import StateOrder
from rsmi.lattice.symbols import DIHEDRAL, FLIP, PERMUTATIONS
from rsmi.lattice.unit_cell import UnitCell
from rsmi.models import order, spins
from rsmi.models.drawing import Drawing
from rsmi.models.known import (
    CodedOracle,
    Enumeration,
    Known,
    KnownOperator,
    KnownValue,
    Oracle,
    Thermometer,
)
from rsmi.models.sectors import ANY, ODD, SECTORS, Sector
from rsmi.models.state_point import resolve_coupling

if TYPE_CHECKING:
    from rsmi.lattice.geometry import Geometry
    from rsmi.models.simulation import Simulation
    from rsmi.store import File

__all__ = [
    "SECTORS",
    "CodedOracle",
    "Component",
    "Enumeration",
    "Known",
    "KnownOperator",
    "KnownValue",
    "Model",
    "Option",
    "Oracle",
    "Order",
    "OrderParameter",
    "Sector",
    "Thermometer",
]

# The settings of training that a model may change: hidden units, epochs and so on of the machines
# of train-theta, and the fields of `rsmi.information.training.LambdaSettings`.
TRAINING_SETTINGS = {
    "train-theta": (
        "hidden",
        "cd_steps",
        "persistent",
        "epochs",
        "learning_rate",
        "monitored",
    ),
    "train-lambda": ("batch", "total_steps", "learning_rate", "distinct_blocks"),
}


SYMMETRY_NAMES = {
    FLIP: "a flip",
    PERMUTATIONS: "permutations of the states",
    DIHEDRAL: "rotations and reflections of the states",
}


@dataclass(frozen=True)
class Option:
    """One option of the command line that a model adds to ``rsmi sample``, as data.

    Attributes
    ----------
    name : str
        The option without its dashes: ``noise-probability``. The model finds its value under the
        name ``noise_probability``.
    type : {"number", "integer", "text", "flag"}
        The value of a flag is whether it is given.
    help : str
        One sentence.
    metavar : str, optional
        What stands for the value in the help.
    default : number, str or None
        The value if the option is absent; None leaves the choice to the model.
    shown_default : str, optional
        What the help says of the default if it is None.
    choices : tuple of str
        The only values of a text, if there are any.
    multiple : bool
        Whether the option may be repeated: its value is then a tuple.
    """

    name: str
    type: str
    help: str
    metavar: str | None = None
    default: float | int | str | None = None
    shown_default: str | None = None
    choices: tuple[str, ...] = ()
    multiple: bool = False


class Model:
    """A lattice model. The class itself stands for samples of an unknown model.

    Attributes
    ----------
    name : str
        The value of ``--model`` and of the attribute ``model`` of files.
    title : str
        A noun phrase for the help: "nearest-neighbour Ising ferromagnet".
    help : str
        Paragraphs for ``rsmi sample --help``: what is simulated and how.
    examples : tuple of (str, str)
        Complete command lines of ``rsmi sample``, each after what it makes.
    algorithms : tuple of str
        The values of ``--algorithm`` beside ``auto``.
    options : tuple of Option
        The model's own options of ``rsmi sample``.
    boundaries : tuple of str
        The values of ``--boundary``, of ``periodic`` and ``open``.
    flips : bool
        Whether a global flip of all variables leaves the weight of every configuration unchanged.
    component_flips : bool
        Whether the flip of all variables of one component alone does so too.
    relabellings : {"permutations", "dihedral"}, optional
        Which relabellings of more than two states leave these weights unchanged, see
        `rsmi.lattice.symbols`.
    sectors : tuple of Sector
        The values of ``--sector`` of ``rsmi train-lambda``: which functions of a block are learned.
    environment_features : tuple of str
        The values of ``--environment-features`` of ``rsmi train-lambda``: further variables of the
        environment.
    energy_type : {"int64", "float64"}
        The type of stored energies.
    importable : bool
        Whether ``rsmi import`` may name the model: a temperature or a coupling, and the shape,
        are then all that describes the samples of another program.
    file_schema : str
        A model file that explains all its keys, if the model reads such files.
    tempers : bool
        Whether there is parallel tempering: `simulation` of parameters with the couplings
        ``ladder``, the largest first, is then a `rsmi.models.ladder.Ladder`.
    """

    name: str = "none"
    title: str = "samples of an unknown model"
    help: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    algorithms: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    boundaries: tuple[str, ...] = ("periodic",)
    flips: bool = False
    component_flips: bool = False
    relabellings: str | None = None
    sectors: tuple[Sector, ...] = SECTORS
    environment_features: tuple[str, ...] = ()
    energy_type: str = "int64"
    importable: bool = False
    file_schema: str = ""
    tempers: bool = False

    def __init__(self, name: str | None = None) -> None:
        if name is not None:
            self.name = name

    def of_file(self, path: Path) -> Model:
        """Return the model that a model file defines.

        Raises
        ------
        UsageError
            If the file defines no model, or this model reads none.
        """
        raise UsageError(f"--model {path}: {self.name} reads no model files")

    # ---- simulation ------------------------------------------------------------------------------

    def parameters(self, request: Mapping[str, Any]) -> dict:
        """Return the checked physics as JSON values: the identity of a samples file.

        Parameters
        ----------
        request : mapping
            ``shape``, ``temperature``, ``coupling``, ``algorithm``, ``boundary`` and the model's
            own options; None for what is not given.

        Returns
        -------
        dict
            With ``model``, ``shape``, ``algorithm`` and, if there is one, ``coupling``: the K that
            reweighting and thermometers vary. ``couplings`` may hold the ratios of others to it.

        Raises
        ------
        UsageError
            If there is no such lattice, state point or algorithm.
        """
        raise UsageError(f"--model {self.name}: nothing is known that could be sampled")

    def simulation(self, parameters: Mapping[str, Any]) -> Simulation:
        """Return the simulation of checked parameters, which include ``seed`` and ``chains``."""
        raise UsageError(f"--model {self.name}: nothing is known that could be sampled")

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        """Return the number of independent chains if ``--chains`` is not given. It may depend on
        the parameters, but not on the machine."""
        return 8

    def coupling(
        self,
        temperature: str | None,
        coupling: float | None,
        dimension: int,
        attributes: Mapping[str, Any] | None = None,
    ) -> float:
        """Return K of ``--temperature`` or ``--coupling``: 1/T for energies in J.

        The attributes are those that decide about T_c, such as the number of ``states``.

        Raises
        ------
        UsageError
            If the model is unknown, or there is no such K.
        """
        if type(self) is Model:
            raise UsageError(
                "--temperature and --coupling mean nothing to samples of an unknown model: name it"
                " by --model"
            )
        known = self.known(dimension, attributes)
        critical = None if known.critical_coupling is None else known.critical_coupling.value
        return resolve_coupling(temperature, coupling, critical, known.no_critical_point)

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        """Raise UsageError if there is no such lattice; ``where`` begins the sentence."""

    # ---- configurations --------------------------------------------------------------------------

    def check_file(self, file: File) -> None:
        """Raise DataError if the attributes of a file contradict the model or each other.

        Coupling and temperature of a known model must agree with K = J/(k_B T). The energies of an
        unknown model may have another unit.
        """
        if type(self) is not Model:
            spins.check_temperature(file, 1.0)

    def check_configurations(self, file: File) -> None:
        """Raise DataError if a row of a samples file is no configuration of the model."""

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray | None:
        """Return the energies (n,) in J of configurations (n, components, \\*shape) of +-1; None
        if they are unknown."""
        return None

    def null_averages(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        """Return quantities (n,) of configurations whose averages vanish exactly if the samples
        are those of the stated model and state point; none if nothing is known.

        Parameters
        ----------
        configurations : ndarray of int8, (n, components, \\*shape)
            Variables +-1.
        attributes : mapping

        Returns
        -------
        dict
            ``conditional`` shows a wrong state point or a wrong order of sites, ``field`` a
            preference of one sign.
        """
        return {}

    def symmetric(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether a global flip of all variables is a symmetry of the system.

        It is one by the definition of the model (``flips``), or because ``rsmi import --symmetric
        flip`` said so; the attribute ``symmetry`` of a file is then ``flip``.
        """
        return self.flips or attributes.get("symmetry") == FLIP

    def symmetry(self, attributes: Mapping[str, Any]) -> str | None:
        """Return the group of global relabellings of the states by which windows are symmetrised,
        one of `rsmi.lattice.symbols.SYMMETRIES`; None if there is none."""
        if self.symmetric(attributes):
            return FLIP
        return self.relabellings or attributes.get("symmetry")

    def check_states(self, states: int, where: str) -> None:
        """Raise UsageError if the model has no variables with so many states; ``where`` begins the
        sentence."""
        if states != 2 and type(self) is not Model:
            raise UsageError(f"{where}: a variable of --model {self.name} has 2 states")

    def components(self, attributes: Mapping[str, Any]) -> tuple[Component, ...]:
        """Return the description of the variables at a site, in the order of a configuration."""
        count, states = attributes.get("components", 1), attributes.get("states", 2)
        return tuple(Component(f"component {i}", states) for i in range(1, count + 1))

    def unit_cell(self, attributes: Mapping[str, Any]) -> UnitCell | None:
        """Return where the sites lie in space, for drawings and distances; None for the square
        lattice and its relatives, whose arrays show it."""
        return None

    # ---- windows and learning --------------------------------------------------------------------

    def check_geometry(self, geometry: Geometry) -> None:
        """Raise UsageError if the model has no such block."""

    def origins(
        self, shape: Sequence[int], geometry: Geometry, periodic: bool
    ) -> NDArray[np.int64] | None:
        """Return the sites at which a block may begin, (n, dimension); None for every site."""
        return None

    def constraints(
        self, geometry: Geometry, attributes: Mapping[str, Any] | None = None
    ) -> Constraints | None:
        """Return the linear combinations of a block's features that never vary; None if there are
        none.

        A binary variable is one feature, +-1. The neutral answer follows from the components: the
        features of a categorical variable sum to zero (see `rsmi.lattice.columns`).
        """
        components = self.components(attributes or {"components": geometry.components})
        return one_hot_constraints(Columns.of_components(geometry.block_offsets, components))

    def state_features(self, attributes: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the features (q, n) of the q > 2 states of a variable, which filters act on; see
        `rsmi.information.categorical`. The neutral answer distinguishes no state."""
        return one_hot_features(attributes["states"])

    def default_sector(self, attributes: Mapping[str, Any]) -> Sector:
        """Return the sector of a training without ``--sector``: odd if the system has a global
        flip, else any. Both are linear in the variables of the block."""
        return ODD if self.symmetric(attributes) else ANY

    def training(
        self, stage: str, geometry: Geometry, objective: str = "", estimator: str | None = None
    ) -> dict[str, Any]:
        """Return the settings of ``train-theta`` or ``train-lambda`` (``stage``) that differ from
        the general ones. `TRAINING_SETTINGS` has the names."""
        return {}

    def checked_training(
        self, stage: str, geometry: Geometry, objective: str = "", estimator: str | None = None
    ) -> dict[str, Any]:
        """Return what `training` does, for the stages.

        Raises
        ------
        TypeError
            If the model names a setting that the stage does not have.
        """
        settings = self.training(stage, geometry, objective, estimator)
        if unknown := settings.keys() - set(TRAINING_SETTINGS[stage]):
            raise TypeError(
                f"{type(self).__name__}.training: {stage} has no setting"
                f" {', '.join(sorted(unknown))}"
            )
        return settings

    def cautions(
        self,
        geometry: Geometry,
        shape: Sequence[int],
        windows: int,
        configurations: int,
        learning: float,
    ) -> list[str]:
        """Return what the user should know before a training, as sentences.

        Parameters
        ----------
        geometry : Geometry
        shape : sequence of int
            The lattice.
        windows : int
            Number of windows, of training and held out.
        configurations : int
            Number of configurations from which they are cut.
        learning : float
            Fraction of the configurations that is for training.
        """
        return []

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> Mapping[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """Return local functions whose correlations and scaling dimensions are measured beside
        those of learned ones, by name.

        Each takes configurations (n, components, \\*shape) of +-1 and returns its values (n,
        \\*shape). The neutral answer has every component itself.
        """
        return spins.component_fields(self.components(attributes))

    def order(self, attributes: Mapping[str, Any]) -> OrderParameter | None:
        """Return the order parameter, whose scaling dimension ``rsmi spectrum`` measures; None if
        it is the average of one spin per site, or if there is none.

        A symmetry must turn the ordered states into one another: a flip of all spins, translations
        of the lattice, or relabellings of more than two states.
        """
        states, symmetry = attributes.get("states", 2), self.symmetry(attributes)
        if states == 2 or symmetry is None or attributes.get("components", 1) > 1:
            return None
        return StateOrder(states, symmetry)

    def other_orders(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the `fields` whose averages a symmetry turns round although it leaves
        the `order` alone: they are measured beside it."""
        return ()

    def energy_name(self, attributes: Mapping[str, Any]) -> str | None:
        """Return the name of minus the energy per site among the functions of a spectrum; None if
        it never varies. It is the coupled function of a system with an `order`."""
        return "energy"

    def known_fields(self, attributes: Mapping[str, Any]) -> Mapping[str, KnownOperator]:
        """Return the scaling operators that the `fields` are, by name, as far as they are known
        where they are not the leading uniform ones of their sector."""
        return {}

    # ---- exact values ----------------------------------------------------------------------------

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        """Return what is known exactly of the model in so many dimensions."""
        return Known()

    def original_sites(self, attributes: Mapping[str, Any]) -> int:
        """Return the number of sites of the sampled lattice, to which energies per site refer: by
        default of the places of the array, whatever the number of components."""
        return math.prod(attributes["original_shape"])

    def exact_energy(self, attributes: Mapping[str, Any]) -> float | None:
        """Return the exact energy per site in J of the sampled lattice; None if it is unknown."""
        return None

    def environment_columns(
        self,
        name: str,
        geometry: Geometry,
        attributes: Mapping[str, Any],
        environments: NDArray[np.int8],
    ) -> NDArray[np.int8]:
        """Return further variables +-1 (n, k), functions of environments (n, n_environment) alone,
        that ``--environment-features`` adds to them; ``name`` is one of the model's own."""
        raise UsageError(f"--environment-features {name}: {self.name} has no such features")

    def templates(
        self, geometry: Geometry, attributes: Mapping[str, Any]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Return functions of a block by which learned filters are described, by name.

        Each is an array (k, n_block): the span of k linear functions of the variables of a block.
        ``attributes`` are those of the samples or of the rule.
        """
        return {}

    def canonical_correlations(
        self, geometry: Geometry, attributes: Mapping[str, Any]
    ) -> NDArray[np.float64] | None:
        """Return the exact canonical correlations of block and environment in descending order
        (`rsmi.information.canonical`); None if they are unknown."""
        return None

    def relative_temperature(self, attributes: Mapping[str, Any]) -> float | None:
        """Return T/T_c; None if either is unknown."""
        coupling = attributes.get("coupling")
        critical = self.known(len(attributes["shape"]), attributes).critical_coupling
        return None if coupling is None or critical is None else critical.value / coupling

    # ---- numbers and words of a file -------------------------------------------------------------

    def summary(self, file: File) -> dict:
        """Return averages over a samples file with their errors, as ``rsmi info --json`` has
        them."""
        if file.attributes.get("states", 2) > 2:
            return order.summary(file, self.symmetry(file.attributes))
        return spins.summary(file)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        """Return the summary as rows of a table: name, value, unit or remark."""
        exact = self.exact_energy(attributes)
        if attributes.get("states", 2) > 2:
            return order.describe_summary(attributes, numbers, exact, self.symmetry(attributes))
        return spins.describe_summary(attributes, numbers, exact)

    def label(self, attributes: Mapping[str, Any]) -> str:
        """Return the name of the system of a file in JSON objects: that of the model, or the one
        that a model file gives."""
        return attributes.get("model", self.name)

    def describe_lattice(self, attributes: Mapping[str, Any]) -> str:
        """Return the noun that follows the lattice's shape: ``ising``."""
        noun, states = self.name, attributes.get("states", 2)
        if self.name == Model.name:
            noun = "spins of an unknown model"
        if states > 2:
            noun = f"{noun} with {states} states"
        symmetry = attributes.get("symmetry")
        return f"{noun}, symmetric under {SYMMETRY_NAMES[symmetry]}" if symmetry else noun

    def describe_components(self, attributes: Mapping[str, Any]) -> str:
        """Return what follows the boundary if a site has several variables, comma included."""
        components = attributes.get("components", 1)
        return f", {components} components per site" if components > 1 else ""

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        """Return the state point as a physicist writes it."""
        return spins.describe_temperature(attributes, self.relative_temperature(attributes))

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        """Return the state point for a figure (TeX)."""
        return spins.temperature_label(attributes, self.relative_temperature(attributes))

    def describe_sites(self, sites: int, components: int) -> str:
        """Return the variables on a number of sites of a window in words: ``16 sites``."""
        return f"{sites * components} sites"

    def rule_summary(self, file: File) -> dict:
        """Return what the model adds to the JSON of a lambda file."""
        return {}

    def describe_rule(self, file: File) -> list[str] | None:
        """Return the filters of a lambda file as text; None for a table of their weights."""
        return None

    def drawing(self) -> Drawing | None:
        """Return the module that draws configurations and rules of the model; None for grids of
        squares, or for sites where `unit_cell` says that they lie. It needs matplotlib, and is
        imported for a figure only."""
        return None
