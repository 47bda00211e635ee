"""Typed views of open files: what a file of one kind holds, by name and with its type.

A view wraps a `rsmi.store.File` whose kind is known. Attributes and datasets of the format are
looked up by their text only here; SCHEMA.md says what each of them means.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.engine.keys import origin
from rsmi.errors import DataError
from rsmi.information import products
from rsmi.information.categorical import HiddenUnits
from rsmi.information.products import Products
from rsmi.information.tied_rbm import TiedRBM
from rsmi.lattice import waves
from rsmi.lattice.geometry import Geometry, smallest_cell
from rsmi.lattice.packed import unpack_mask, unpack_states
from rsmi.models.base import Known, Model
from rsmi.renormalization.categorical_rules import CategoricalRule
from rsmi.renormalization.rules import Rule
from rsmi.samples.files import known_of, model_of, open_file
from rsmi.store import File

BLOCK_COVARIANCE = "/provenance/block_covariance"
ROTATION = "/provenance/rotation"
ROTATION_CORRELATIONS = "/provenance/rotation_correlations"


@dataclass(frozen=True)
class FileView:
    """An open file of a known kind.

    Attributes
    ----------
    file : File
        The open file; it must stay open as long as the view is used.
    """

    file: File

    @property
    def path(self) -> Path:
        """The path under which the file was opened."""
        return self.file.path

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The root attributes as Python values, as a `rsmi.models.base.Model` reads them."""
        return self.file.attributes


@dataclass(frozen=True)
class LatticeView(FileView):
    """A file of samples of a lattice, or of what was learned from such samples."""

    @property
    def model_name(self) -> str:
        """The name of the model; ``none`` for samples of which nothing is known."""
        return self.attributes["model"]

    @property
    def model_parameters(self) -> dict[str, Any] | None:
        """What else the model says of the state point, by name; None for nothing."""
        return self.attributes.get("model_parameters")

    @property
    def model(self) -> Model:
        """The model that the file names."""
        return models.of(self.attributes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the lattice, slowest axis first."""
        return self.attributes["shape"]

    @property
    def dimension(self) -> int:
        """The number of axes of the lattice."""
        return len(self.shape)

    @property
    def coupling(self) -> float | None:
        """K = J/(k_B T) of the original system; None if it is unknown."""
        return self.attributes.get("coupling")

    @property
    def temperature(self) -> float | None:
        """T in J/k_B of the original system; None if it is unknown or infinite."""
        return self.attributes.get("temperature")

    @property
    def rg_step(self) -> int:
        """The number of coarse-graining steps made so far."""
        return self.attributes["rg_step"]

    @property
    def scale_factor(self) -> float:
        """The linear size of the original lattice in units of this one; 1 before any step."""
        return self.attributes["scale_factor"]

    @property
    def boundary(self) -> str:
        """``periodic`` or ``open``."""
        return self.attributes.get("boundary", "periodic")

    @property
    def periodic(self) -> bool:
        """Whether the boundaries are periodic."""
        return self.boundary == "periodic"

    @property
    def components(self) -> int:
        """The number of variables at a site."""
        return self.attributes.get("components", 1)

    @property
    def states(self) -> int:
        """The number q of states of every variable; 2 means +-1."""
        return self.attributes.get("states", 2)


@dataclass(frozen=True)
class SamplesFile(LatticeView):
    """A file of configurations of a lattice."""

    @property
    def original_shape(self) -> tuple[int, ...]:
        """The shape of the lattice that was sampled; the energies belong to it."""
        return self.attributes["original_shape"]

    @property
    def chains(self) -> int:
        """The number of independent chains; sample i is step i // chains of chain i mod chains."""
        return self.attributes["chains"]

    @property
    def count(self) -> int:
        """The number of configurations."""
        return self.file.shape("/spins")[0]

    @property
    def row_bytes(self) -> int:
        """The number of bytes that one configuration takes."""
        return self.file.shape("/spins")[1]

    def spins(self, start: int | None = None, stop: int | None = None) -> NDArray[np.uint8]:
        """Packed configurations ``start:stop``, (n, row_bytes)."""
        return self.file.read("/spins", start, stop)

    def codes(self, start: int | None = None, stop: int | None = None) -> NDArray[np.uint8]:
        """The states 0, ..., q - 1 in configurations ``start:stop``, (n, components, \\*shape).

        Raises
        ------
        DataError
            If the bits of a variable are the code of no state.
        """
        rows = self.spins(start, stop)
        try:
            return unpack_states(rows, self.states, (self.components, *self.shape))
        except ValueError as error:
            first = "" if not start else f", counted from configuration {start}"
            raise DataError(f"{self.path}: /spins: {error}{first}") from error

    @property
    def has_energy(self) -> bool:
        """Whether the energies of the original configurations are known."""
        return "/energy" in self.file

    @property
    def energy_type(self) -> str:
        """The dtype of the energies; int64 where they are unknown."""
        return self.file.datasets()["/energy"][1] if self.has_energy else "int64"

    def energies(self, start: int | None = None, stop: int | None = None) -> NDArray[Any]:
        """Energies (n,) of the original configurations ``start:stop``, in J."""
        return self.file.read("/energy", start, stop)

    @property
    def has_mask(self) -> bool:
        """Whether only some of the sites carry data."""
        return "/mask" in self.file

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """Which sites carry data, bool of the lattice's shape; None if all do."""
        return unpack_mask(self.file.read("/mask"), self.shape) if self.has_mask else None

    @property
    def cell(self) -> tuple[int, ...] | None:
        """The unit cell of the sites with data; None if all sites carry data."""
        mask = self.mask
        return None if mask is None else self.attributes.get("cell") or smallest_cell(mask)

    @property
    def origin(self) -> str:
        """The digest of the random streams behind the samples, see `rsmi.engine.keys.origin`."""
        return origin(self.file)


@dataclass(frozen=True)
class TrainedView(LatticeView):
    """A file of what was learned from windows (V, E) of samples."""

    @property
    def block(self) -> tuple[int, ...]:
        """The shape of the block V."""
        return self.attributes["block"]

    @property
    def buffer(self) -> int:
        """The width of the buffer around V, in sites."""
        return self.attributes["buffer"]

    @property
    def environment(self) -> int:
        """The width of the environment ring beyond the buffer, in sites."""
        return self.attributes["environment"]

    @property
    def geometry(self) -> Geometry:
        """Block, buffer and environment of a window, all sites of the block included."""
        return Geometry(self.block, self.buffer, self.environment, self.components)

    @property
    def window(self) -> Geometry:
        """Block, buffer and environment of a window, with the sites of a list and the metric."""
        metric = self.attributes.get("metric")
        live = None if metric is None else self.live_sites
        return replace(self.geometry, live=live, metric=metric)

    @property
    def live_sites(self) -> tuple[bool, ...] | None:
        """Which sites of the block carry data, in C order; None if all do."""
        return tuple(map(bool, self.file.read("/mask"))) if "/mask" in self.file else None

    @property
    def windows(self) -> int:
        """The number of windows that were used, for training and held out."""
        return self.attributes["windows"]

    @property
    def held_out(self) -> NDArray[np.int64]:
        """The numbers of the configurations that were kept from training."""
        return self.file.read("/split/held_out")


@dataclass(frozen=True)
class MachinesFile(TrainedView):
    """A theta file: the Boltzmann machines of (V, E) and of V."""

    def machine(self, name: str) -> tuple[NDArray[np.float64], ...]:
        """The machine ``joint`` or ``block``: weights (visible, hidden), visible and hidden
        biases. Of a tied machine, the units are features of the sites and states of the hidden
        units."""
        weights = self.file.read(f"/{name}/weights").astype(np.float64)
        if self.features is not None:
            weights = TiedRBM(weights, self.features).feature_weights()
            return weights, *(np.zeros(units) for units in weights.shape)
        parts = ("visible_bias", "hidden_bias")
        return weights, *(self.file.read(f"/{name}/{part}").astype(np.float64) for part in parts)

    @property
    def features(self) -> NDArray[np.float64] | None:
        """The features (q, n) of the states of the units of tied machines; None for units +-1."""
        return self.file.read("/features") if "/features" in self.file else None

    @property
    def joint_visible(self) -> int:
        """The number of visible units of the machine of (V, E)."""
        return self.file.shape("/joint/weights")[0]

    @property
    def block_visible(self) -> int:
        """The number of visible units of the machine of V."""
        return self.file.shape("/block/weights")[0]

    @property
    def hidden(self) -> int:
        """The number of hidden units of the machine of (V, E)."""
        return self.file.shape("/joint/weights")[1]

    @property
    def epochs(self) -> int:
        """The number of training epochs."""
        return self.file.shape("/curve/epoch")[0]


@dataclass(frozen=True)
class RuleFile(TrainedView):
    """A lambda file: a learned coarse-graining rule."""

    @property
    def sector(self) -> str:
        """The name of the sector of the model. Files that name none have linear filters, which are
        odd if the flip is a symmetry and no unit has a bias."""
        odd = self.model.symmetric(self.attributes) and not self.bias.any()
        return self.attributes.get("sector") or ("odd" if odd else "any")

    @property
    def products(self) -> Products | None:
        """The sites of the block whose spins are multiplied, for every weight of a filter; None for
        linear filters, whose weights belong to the sites."""
        if "/products/sites" not in self.file:
            return None
        return products.from_table(self.file.read("/products/sites"))

    @property
    def units(self) -> HiddenUnits | None:
        """The hidden units, if they have several states or act on features of codes."""
        if "/features" not in self.file:
            return None
        return HiddenUnits(
            1 if "hidden_states" in self.attributes else len(self.bias),
            self.attributes.get("hidden_states", 0),
            self.attributes.get("filter_form") == "tied",
            self.file.read("/features"),
        )

    def state_weights(self, filters: NDArray[np.float64]) -> NDArray[np.float64]:
        """What free filters (..., hidden, features) add to the field of a unit, or of a coarse
        state, for every state of a site: (..., hidden, q, block sites).

        Raises
        ------
        ValueError
            If the filters do not act on features, or are tied.
        """
        units = self.units
        if units is None or units.features is None or units.tied:
            raise ValueError("the filters are those of sites")
        by_site = filters.reshape(*filters.shape[:-1], -1, units.features.shape[1])
        return np.einsum("...ia,qa->...qi", by_site, units.features)

    @property
    def filters(self) -> NDArray[np.float64]:
        """The filters of the rule that was kept: (hidden, block sites), or (hidden, products) if
        there are products."""
        return self.file.read("/filters" if self.products is None else "/products/filters")

    @property
    def modes(self) -> list[list[waves.Mode]]:
        """The largest Fourier modes of linear filters on the sites of the block, by unit and
        component; none of filters of features."""
        if self.units is not None:
            return []
        offsets, filters = self.geometry.block_offsets, self.filters
        live = np.array(self.live_sites or [True] * len(offsets))
        covariances = self._covariances(int(np.count_nonzero(live)))
        thirds = self.model.unit_cell(self.attributes) is not None
        return [
            [
                waves.largest_of_filter(weights[live], offsets[live], covariance, thirds)
                for weights, covariance in zip(unit, covariances)
            ]
            for unit in filters.reshape(-1, self.components, len(offsets))
        ]

    @property
    def block_covariance(self) -> NDArray[np.float64] | None:
        """The covariance of the variables of the block that carry data, component by component;
        None if it is not stored."""
        return self.file.read(BLOCK_COVARIANCE) if BLOCK_COVARIANCE in self.file else None

    def _covariances(self, sites: int) -> list[NDArray[np.float64] | None]:
        """The covariance of every component of the block, (sites, sites); None if it is not
        stored."""
        whole = self.block_covariance
        if whole is None:
            return [None] * self.components
        parts = (slice(first, first + sites) for first in range(0, len(whole), sites))
        return [whole[part, part] for part in parts]

    @property
    def forms(self) -> NDArray[np.float64] | None:
        """The symmetric matrices A (hidden, block sites, block sites) of x = v^T A v + bias; None
        unless all products are pairs."""
        chosen = self.products
        if chosen is None or any(len(one) != 2 for one in chosen):
            return None
        return products.quadratic_form(
            self.filters, chosen, self.components * math.prod(self.block)
        )

    @property
    def site_weights(self) -> NDArray[np.float64] | None:
        """The site weights, (hidden, block sites): the row sums of the symmetric matrices, which
        say how much each site counts in a unit; None without matrices."""
        forms = self.forms
        return None if forms is None else forms.sum(axis=2)

    def rule(self, hard: bool) -> Rule | CategoricalRule:
        """The rule that was kept, soft or hard.

        Raises
        ------
        ValueError
            If the block is too large for a rule.
        """
        if self.units is not None:
            return CategoricalRule(self.units, self.filters, self.bias, hard, self.block)
        return Rule(self.filters, self.bias, hard, self.block, self.components, self.products)

    @property
    def bias(self) -> NDArray[np.float64]:
        """The biases (hidden,) of the rule that was kept."""
        return self.file.read("/bias")

    @property
    def objective(self) -> str:
        """The objective of the training."""
        return self.attributes["objective"]

    @property
    def estimator(self) -> str | None:
        """The estimator of the objective; None where there is no choice."""
        return self.attributes.get("estimator")

    @property
    def restart(self) -> int:
        """The number of the restart that was kept."""
        return self.attributes["restart"]

    @property
    def curve(self) -> NDArray[np.float64]:
        """The objective (rows,) of the restart that was kept, in the course of its training."""
        return self.file.read("/curve/objective")[self.restart]

    @property
    def updates(self) -> int:
        """The number of updates (iterations, minibatches) of one training."""
        return int(self.file.read("/curve/step")[-1:].sum())

    @property
    def explained_by_units(self) -> NDArray[np.float64] | None:
        """The total correlation (hidden,) that each unit explains, in nats; None before 1.2."""
        if "total_correlation" not in self.attributes:
            return None
        return self.file.read("/total_correlation/units")


@dataclass(frozen=True)
class FlowFile(FileView):
    """A flow file: sums of operators along repeated coarse-graining."""

    @property
    def model(self) -> Model:
        """The model whose flow it is, see `rsmi.samples.files.model_of`."""
        return model_of(self.file)

    @property
    def known(self) -> Known:
        """What is known exactly of the system."""
        return known_of(self.file)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """What identifies the rule of every step: its name or digest, and its parameters."""
        return self.attributes.get("rules") or [self.attributes["rule"]] * self.steps

    @property
    def components(self) -> int:
        """The number of components per site."""
        return self.attributes.get("components", 1)

    @property
    def component_flips(self) -> bool:
        """Whether the flip of all spins of one component alone is a symmetry at every level."""
        return self.attributes.get("component_flips", False)

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return self.attributes.get("states", 2)

    @property
    def hard(self) -> bool:
        """Whether every rule was made deterministic."""
        return all(rule["hard"] for rule in self.rules)

    @property
    def block(self) -> tuple[int, ...]:
        """The shape of the block."""
        return self.attributes["block"]

    @property
    def steps(self) -> int:
        """The number of coarse-graining steps."""
        return self.attributes["steps"]

    @property
    def count(self) -> int:
        """The number of ensembles: of input files, or of temperatures that were sampled."""
        return self.file.shape("/files/coupling")[0]

    def has_records(self, name: str) -> bool:
        """Whether ``/files/NAME`` is there; older formats lack some."""
        return f"/files/{name}" in self.file

    def records(self, name: str) -> NDArray[Any]:
        """``/files/NAME``: one row for every ensemble."""
        return self.file.read(f"/files/{name}")

    def blocks(self, name: str) -> NDArray[Any]:
        """``/blocks/NAME``: one row for every block of samples."""
        return self.file.read(f"/blocks/{name}")

    @property
    def has_neighbourhoods(self) -> bool:
        """Whether histograms of local energies are stored; before format 1.1 they are not."""
        return "/neighbourhoods/counts" in self.file

    def neighbourhoods(self, name: str) -> NDArray[Any]:
        """``/neighbourhoods/NAME``."""
        return self.file.read(f"/neighbourhoods/{name}")


@dataclass(frozen=True)
class ResultFile(FileView):
    """An exponent or a crossing file: one answer as JSON, with the curves behind it."""

    @property
    def result(self) -> dict[str, Any]:
        """The whole answer, as ``--json`` prints it."""
        return json.loads(bytes(self.file.read("/result")[()]).decode())


# ---- opening -------------------------------------------------------------------------------------


@contextmanager
def open_samples(path: str | Path) -> Iterator[SamplesFile]:
    """Open a samples file; the errors are those of `rsmi.samples.files.open_file`."""
    with open_file(path, "samples") as file:
        yield SamplesFile(file)


@contextmanager
def open_machines(path: str | Path) -> Iterator[MachinesFile]:
    """Open a theta file; the errors are those of `rsmi.samples.files.open_file`."""
    with open_file(path, "theta") as file:
        yield MachinesFile(file)


@contextmanager
def open_rule(path: str | Path) -> Iterator[RuleFile]:
    """Open a lambda file; the errors are those of `rsmi.samples.files.open_file`."""
    with open_file(path, "lambda") as file:
        yield RuleFile(file)


@contextmanager
def open_flow(path: str | Path) -> Iterator[FlowFile]:
    """Open a flow file; the errors are those of `rsmi.samples.files.open_file`."""
    with open_file(path, "flow") as file:
        yield FlowFile(file)
