"""What a model is: the questions that the rest of the program asks, with neutral answers.

A model is a folder of ``rsmi/models`` (or a package of somebody else's, see `rsmi.models`) that
makes one `Model`. Samples of which nothing is known are of `Model` itself: every answer below holds
for them. A new model overrides what it knows better; no other room of the program ever compares a
model's name.

``attributes`` are always those of a file as Python values (see SCHEMA.md): shape, coupling,
boundary, components, rg_step and so on, together with the model's own (``model_parameters``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.gauge import Constraints
from rsmi.models import spins

if TYPE_CHECKING:
    from rsmi.lattice.geometry import Geometry
    from rsmi.models.simulation import Simulation
    from rsmi.store import File


@dataclass(frozen=True)
class Option:
    """One option of the command line that a model adds to ``rsmi sample``, as data.

    Attributes
    ----------
    name : str
        As it is written, without the dashes: ``noise-probability``.
    type : {"number", "integer", "text"}
        ``text`` with ``choices`` takes one of them only.
    help : str
    default : number, str or None
        What an absent option means; None leaves the choice to the model.
    shown_default : str, optional
        What the help says of the default where it is None.
    """

    name: str
    type: str
    help: str
    metavar: str | None = None
    default: float | int | str | None = None
    shown_default: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def parameter(self) -> str:
        """Its name among the parameters: ``noise_probability``."""
        return self.name.replace("-", "_")


@dataclass(frozen=True)
class KnownValue:
    """A number from theory, how it is written, and where it stands."""

    value: float
    text: str
    source: str
    exact: bool = True


class Thermometer(Protocol):
    """The exact energy of finite lattices as a measure of the coupling (shapes periodic)."""

    def coupling_from_energy(self, energy_per_site: float, shape: Sequence[int]) -> float:
        """K at which the lattice has this energy per site in J; ValueError where there is none."""

    def energy_variance(self, shape: Sequence[int], coupling: float) -> float:
        """-de/dK per site, in J."""


class Oracle(Protocol):
    """Exact conditional distributions P(V|E) of a model at its coupling K."""

    def is_tractable(self, geometry: Geometry) -> bool:
        """Whether P(V|E) can be had for such a block and buffer."""

    def check(self, geometry: Geometry) -> None:
        """Raise UsageError with the reason and the cure where it cannot."""

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64] | None:
        """P(V, E) of all states (2^n_block, environments); None where they are too many."""

    def block_given_environment(
        self, environments: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        """P(V|E) (n, 2^n_block) for environments (n, n_environment) of +-1."""

    def informations(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        coupling: float,
        environments: NDArray[np.int8],
        groups: NDArray[np.int64] | None = None,
    ) -> list:
        """I(H:E), H(H) and I(V:E) of every channel q(h|v), averaged over the environments, with
        errors from the labels ``groups`` (n,) of independent runs."""


@dataclass(frozen=True)
class Known:
    """What is known exactly of a model in one dimension; the neutral answer is: nothing.

    Attributes
    ----------
    critical_coupling : KnownValue, optional
        K_c of the infinite lattice.
    no_critical_point : str
        Why there is no critical coupling, as half a sentence.
    exponents : mapping
        ``y_t``, ``y_h``, ``nu`` of the transition at ``critical_coupling``.
    thermometer : Thermometer, optional
    no_thermometer : str
        Why there is no thermometer.
    oracle : Oracle, optional
    """

    critical_coupling: KnownValue | None = None
    no_critical_point: str = "the critical temperature of this model is unknown"
    exponents: Mapping[str, KnownValue] = field(default_factory=dict)
    thermometer: Thermometer | None = None
    no_thermometer: str = (
        "the effective coupling needs the exact energy of a finite lattice, which is not known for"
        " this model"
    )
    oracle: Oracle | None = None

    @property
    def critical_temperature(self) -> float | None:
        """T_c in J/k_B."""
        return None if self.critical_coupling is None else 1 / self.critical_coupling.value

    def exponent(self, name: str) -> float | None:
        """The value of an exponent, None where it is unknown."""
        known = self.exponents.get(name)
        return None if known is None else known.value


class Model:
    """A lattice model, and samples of no known model.

    Attributes
    ----------
    name : str
        What ``--model`` and the attribute ``model`` of files say.
    title : str
        Half a sentence for the help: "Nearest-neighbour Ising ferromagnet".
    help : str
        A paragraph on what is simulated and how, for ``rsmi sample --help``.
    algorithms : tuple of str
        Names of ``--algorithm`` beside auto.
    options : tuple of Option
        The model's own options of ``rsmi sample``.
    boundaries : tuple of str
        Those that ``--boundary`` may name.
    flips : bool
        Whether a global flip of all +-1 is a symmetry of every configuration's weight.
    energy_type : {"int64", "float64"}
        How energies are stored.
    importable : bool
        Whether a temperature is all that must be known of samples of other programs.
    """

    name: str = "none"
    title: str = "samples of which nothing is known"
    help: str = ""
    algorithms: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    boundaries: tuple[str, ...] = ("periodic",)
    flips: bool = False
    energy_type: str = "int64"
    importable: bool = False

    def __init__(self, name: str | None = None):
        if name is not None:
            self.name = name

    # ---- simulation ------------------------------------------------------------------------------

    def parameters(self, request: Mapping[str, Any]) -> dict:
        """The checked physics as JSON values, the identity of a samples file.

        Parameters
        ----------
        request : mapping
            ``shape``, ``temperature``, ``coupling``, ``algorithm`` and the model's own options,
            None where they are not given.

        Returns
        -------
        dict
            With ``model``, ``shape``, ``algorithm`` and, if there is one, ``coupling``: the K that
            reweighting and thermometers vary. ``couplings`` may hold the ratios of others to it.

        Raises
        ------
        UsageError
            For what cannot be.
        """
        raise UsageError(f"--model {self.name}: nothing is known that could be sampled")

    def simulation(self, parameters: Mapping[str, Any]) -> Simulation:
        """The simulation of checked parameters, with ``seed`` and ``chains`` among them."""
        raise UsageError(f"--model {self.name}: nothing is known that could be sampled")

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        """Independent chains where ``--chains`` is not given; never a matter of the machine."""
        return 8

    def coupling(self, temperature: str | None, coupling: float | None, dimension: int) -> float:
        """K of ``--temperature`` or ``--coupling``, for commands that take nothing else of a model.

        Raises
        ------
        UsageError
            Where the model has no such K.
        """
        raise UsageError(
            "--temperature and --coupling mean nothing to samples of an unknown model: name it by"
            " --model"
        )

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        """Raise UsageError where there is no such lattice; ``where`` begins the sentence."""

    # ---- configurations --------------------------------------------------------------------------

    def check_file(self, file: File) -> None:
        """Raise DataError where the attributes of a file contradict the model or each other."""
        spins.check_temperature(file, 1.0)

    def check_configurations(self, file: File) -> None:
        """Raise DataError where a row of a samples file is no configuration of the model."""

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray | None:
        """Energies (n,) in J of configurations (n, components, *shape) of +-1, None if unknown."""
        return None

    def components(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of the variables at a site, slowest axis of a configuration."""
        return tuple(f"component {i}" for i in range(1, attributes.get("components", 1) + 1))

    # ---- windows and learning --------------------------------------------------------------------

    def check_geometry(self, geometry: Geometry) -> None:
        """Raise UsageError where a block cannot be one of this model."""

    def origins(
        self, shape: Sequence[int], geometry: Geometry, periodic: bool
    ) -> NDArray[np.int64] | None:
        """Where a block may begin, (n, dimension); None for every site."""
        return None

    def constraints(self, geometry: Geometry) -> Constraints | None:
        """What never varies in a block, None if nothing."""
        return None

    def training(
        self, stage: str, geometry: Geometry, objective: str = "", estimator: str | None = None
    ) -> dict:
        """Settings of ``train-theta`` or ``train-lambda`` that differ from the general ones."""
        return {}

    def cautions(
        self,
        geometry: Geometry,
        shape: Sequence[int],
        windows: int,
        configurations: int,
        learning: float,
    ) -> list[str]:
        """Sentences on a training that is about to begin: on so many windows, cut from so many
        configurations of a lattice, of which the fraction ``learning`` is learned from."""
        return []

    # ---- what is known, and how it is written ----------------------------------------------------

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        """Exact values of the system that the attributes describe."""
        return Known()

    def exact_energy(self, attributes: Mapping[str, Any]) -> float | None:
        """Exact energy per site in J of the lattice that was sampled, None if unknown."""
        return None

    def summary(self, file: File) -> dict:
        """Averages over a samples file with errors: the numbers of ``rsmi info --json``."""
        return spins.summary(file)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        """The same as rows of a table: name, value, unit or remark."""
        return spins.describe_summary(attributes, numbers, self.exact_energy(attributes))

    def describe_lattice(self, attributes: Mapping[str, Any]) -> str:
        """What a site carries, after the lattice's shape: ``ising``."""
        return "spins of an unknown model" if self.name == Model.name else self.name

    def describe_components(self, attributes: Mapping[str, Any]) -> str:
        """How many variables a site has, where it is more than one; begins with a comma."""
        components = attributes.get("components", 1)
        return f", {components} components per site" if components > 1 else ""

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        """The state point as a physicist writes it."""
        return spins.describe_temperature(attributes, self.relative_temperature(attributes))

    def relative_temperature(self, attributes: Mapping[str, Any]) -> float | None:
        """T/T_c, None where either is unknown."""
        coupling = attributes.get("coupling")
        critical = self.known(len(attributes["shape"]), attributes).critical_coupling
        return None if coupling is None or critical is None else critical.value / coupling

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        """The state point for a figure (TeX)."""
        return spins.temperature_label(attributes, self.relative_temperature(attributes))

    def describe_sites(self, sites: int, components: int) -> str:
        """The variables on a number of sites of a window: ``16 sites``."""
        return f"{sites * components} sites"

    def rule_summary(self, file: File) -> dict:
        """What the model says of a learned rule, added to the JSON of a lambda file."""
        return {}

    def describe_rule(self, file: File) -> list[str] | None:
        """The filters of a lambda file as text; None for a table of the block's weights."""
        return None

    def drawing(self) -> ModuleType | None:
        """The module that draws configurations and rules (``draw_configuration``, ``draw_rule``);
        None for grids. Imported only for a figure, since it needs matplotlib."""
        return None
