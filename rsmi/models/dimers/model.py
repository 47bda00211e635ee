"""The dimer model's answers to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.canonical import canonical_correlations
from rsmi.information.gauge import Constraints
from rsmi.lattice.geometry import Geometry, even_origins, shape_text
from rsmi.models.base import Component, Known, KnownOperator, KnownValue, Model, Option
from rsmi.models.dimers import (
    coverings,
    parameters,
    report,
    rule_measures,
    samples,
    simulation,
    stars,
)
from rsmi.models.drawing import Drawing

if TYPE_CHECKING:
    from rsmi.store import File

_COULOMB_PHASE = "Fradkin, Huse, Moessner, Oganesyan & Sondhi, Phys. Rev. B 69, 224415 (2004)"
_WINDOWS_PER_VARIABLE = 300  # with half as many, filters keep one to two per cent of noise
_HELP = """Dimers cover the square lattice: every vertex has exactly one. Without a temperature all
coverings are equally likely. With a temperature every plaquette with two parallel dimers has the
energy v of --interaction, which aligns them if it is negative; --temperature is then in the unit of
v over k_B, and K = -v/(k_B T). The worm algorithm samples dimers without interaction, the loop
algorithm all.

Chains start in columns of dimers. A sweep is a fixed number of worms, which lay about half a dimer
per vertex. Four chains share a thread.

With --noise-probability every vertex and every face also carries a spin that knows nothing of the
dimers; the two spins of a pair are equal with that probability."""


class Dimers(Model):
    """Energy E = v N_parallel of coverings of the square lattice, K = -v/(k_B T)."""

    name = "dimers"
    title = "fully packed dimers on the square lattice"
    help = _HELP
    examples = (
        (
            "dimers buried in noise",
            "rsmi sample --model dimers --size 16 --noise-probability 0.982 --samples 100000 -o"
            " dimers.h5",
        ),
        (
            "dimers that attract each other, close to where they order in columns",
            "rsmi sample --model dimers --size 32 --temperature 0.65 --samples 20000 -o columns.h5",
        ),
    )
    algorithms = simulation.ALGORITHMS
    boundaries = ("periodic", "open")
    environment_features = ("heights",)
    options = (
        Option(
            "interaction",
            "number",
            "Energy of two parallel dimers on a plaquette.",
            metavar="V",
            shown_default="-1 with a --temperature",
        ),
        Option(
            "noise-probability",
            "number",
            "Probability that the two noise spins of a pair are equal.",
            metavar="P",
            shown_default="no noise",
        ),
        Option(
            "noise-pairing",
            "text",
            "A face is paired with the vertex of its cell, or with the one across it.",
            shown_default="cell",
            choices=("cell", "straddling"),
        ),
    )

    def parameters(self, request: Mapping[str, Any]) -> dict:
        return parameters.parameters(**request)

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.DimerSimulation:
        return simulation.simulation_of(parameters)

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return simulation.CHAINS

    def check_file(self, file: File) -> None:
        samples.check_attributes(file)

    def check_configurations(self, file: File) -> None:
        samples.check_coverings(file)

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray[np.int64]:
        """Minus the plaquettes with two parallel dimers: in units of the attraction."""
        links = coverings.links_of(configurations) > 0
        return -coverings.parallel_pairs(links, attributes.get("boundary", "periodic"))

    def components(self, attributes: Mapping[str, Any]) -> tuple[Component, ...]:
        names = rule_measures.COMPONENTS.get(attributes.get("components", 2))
        return super().components(attributes) if names is None else tuple(map(Component, names))

    def check_geometry(self, geometry: Geometry) -> None:
        if any(size % 2 for size in geometry.block):
            raise UsageError(
                f"--block {shape_text(geometry.block)}: blocks of dimers need even sides, or their"
                " tiles would alternate between the sublattices"
            )

    def origins(
        self, shape: Sequence[int], geometry: Geometry, periodic: bool
    ) -> NDArray[np.int64]:
        """The vertices of the even sublattice, on which the electric field has one sign."""
        return even_origins(shape, geometry, periodic)

    def constraints(
        self, geometry: Geometry, attributes: Mapping[str, Any] | None = None
    ) -> Constraints:
        return stars.star_constraints(geometry.block, geometry.components)

    def fields(
        self, attributes: Mapping[str, Any]
    ) -> dict[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """The electric field, whose scaling dimension is 1, and the columnar order, whose dimension
        1/(2g) falls as dimers attract each other."""
        return {
            f"{name}-{what}": functools.partial(values, axis)
            for what, values in (
                ("field", coverings.electric_field),
                ("columns", coverings.column_field),
            )
            for axis, name in enumerate("xy")
        }

    def training(
        self, stage: str, geometry: Geometry, objective: str = "", estimator: str | None = None
    ) -> dict:
        """Correlations of nearby links and of the noise are strong, those of distant links that a
        filter is to find are weak: machines are larger, and chains that start at the data do not
        forget them in a few Gibbs steps. A window tells little of the distant links: batches are
        larger."""
        if stage == "train-theta":
            return {
                "hidden": 200,
                "persistent": True,
                "epochs": 20,
                "learning_rate": 0.02,
                "monitored": 1000,
            }
        by_pairs = objective in ("proxy", "logsum") and estimator != "gaussian"
        return {"batch": 500, "total_steps": 240} if by_pairs else {}

    def cautions(
        self,
        geometry: Geometry,
        shape: Sequence[int],
        windows: int,
        configurations: int,
        learning: float,
    ) -> list[str]:
        variables = geometry.n_block + geometry.n_environment
        needed = _WINDOWS_PER_VARIABLE * variables
        # Half of the cells are on the sublattice on which blocks begin.
        enough = math.ceil(2 * needed / learning / math.prod(shape))
        sentences = []
        if geometry.buffer == 0:
            sentences.append(
                "with --buffer 0 block and environment share vertices, whose one dimer ties them:"
                " the information is that of the border; take 1 or more"
            )
        if windows * learning < needed:
            sentences.append(
                f"--windows {windows} are few for {variables} variables in V and E, noise will"
                f" stay in the filters: {math.ceil(needed / learning)} are better"
            )
        if configurations < enough:
            sentences.append(
                f"{configurations} configurations of {shape_text(shape)} have few different windows"
                f" for {variables} variables in V and E: {enough} are better"
            )
        return sentences

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        """The electric field is a conserved current, and g = 1/2 for free dimers: both it and the
        columnar order have the scaling dimension 1."""
        free = not (attributes or {}).get("coupling")
        field = KnownOperator("E, columns", KnownValue(1.0, "1", _COULOMB_PHASE))
        return Known(
            no_critical_point="dimers are critical down to the temperature at which columns order",
            operators={"any": (field,)} if free else {},
        )

    def environment_columns(
        self,
        name: str,
        geometry: Geometry,
        attributes: Mapping[str, Any],
        environments: NDArray[np.int8],
    ) -> NDArray[np.int8]:
        """Bits of the mean height of the environment modulo 4."""
        if name not in self.environment_features:
            return super().environment_columns(name, geometry, attributes, environments)
        return stars.height_columns(geometry, environments, attributes["components"])

    def canonical_correlations(
        self, geometry: Geometry, attributes: Mapping[str, Any]
    ) -> NDArray[np.float64] | None:
        """Of free dimers, from the exact covariance of links."""
        moments = rule_measures.exact_moments(geometry, attributes)
        return None if moments is None else canonical_correlations(*moments).correlations

    def summary(self, file: File) -> dict:
        return samples.summary(file)

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        return report.describe_summary(attributes, numbers)

    def describe_components(self, attributes: Mapping[str, Any]) -> str:
        pairing = attributes.get("noise_pairing")
        return "" if pairing is None else f", with noise paired {pairing}"

    def describe_temperature(self, attributes: Mapping[str, Any]) -> str:
        return report.describe_temperature(attributes)

    def temperature_label(self, attributes: Mapping[str, Any]) -> str:
        return report.temperature_label(attributes)

    def describe_sites(self, sites: int, components: int) -> str:
        return report.contents(sites, components)

    def rule_summary(self, file: File) -> dict:
        return rule_measures.summary(file)

    def describe_rule(self, file: File) -> list[str] | None:
        return report.describe(file) if rule_measures.is_dimer_rule(file) else None

    def drawing(self) -> Drawing:
        from rsmi.models.dimers import figure

        return figure
