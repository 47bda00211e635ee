"""The windows (V, E) that a training stage draws from a samples file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.errors import UsageError
from rsmi.information.categorical import HiddenUnits
from rsmi.information.channel import channel_table, spin_states, state_probabilities
from rsmi.information.products import Products, multiply
from rsmi.lattice.blocks import with_neighbours
from rsmi.lattice.columns import Columns
from rsmi.lattice.geometry import Geometry, choose_windows
from rsmi.lattice.symbols import choose_relabellings
from rsmi.models.base import Model, Oracle
from rsmi.samples.reading import allowed_origins, live_block, read_windows
from rsmi.samples.split import Split, split_of
from rsmi.samples.views import SamplesFile
from rsmi.statistics.binning import runs
from rsmi.store import File

_FEWEST_WINDOWS = 1000


@dataclass(frozen=True)
class Windows:
    """Blocks and environments of windows.

    Attributes
    ----------
    blocks : ndarray of int8, (n, n_block) or (n, n_products)
        +-1, or codes 0, ..., q - 1 of variables with q > 2 states.
    environments : ndarray of int8, (n, n_environment)
        As the blocks.
    configurations : ndarray of int64, (n,)
        The number of the configuration that each window was cut from.
    groups : ndarray of int64, (n,), optional
        Labels of what errors take as independent; the configurations by default.
    """

    blocks: NDArray[np.int8]
    environments: NDArray[np.int8]
    configurations: NDArray[np.int64]
    groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if len(self.groups) != len(self.configurations):
            object.__setattr__(self, "groups", self.configurations)

    def __len__(self) -> int:
        return len(self.blocks)

    def take(self, chosen: slice | NDArray[Any]) -> Windows:
        """The windows that a slice, a mask or a list of numbers selects."""
        return Windows(
            self.blocks[chosen],
            self.environments[chosen],
            self.configurations[chosen],
            self.groups[chosen],
        )

    def thinned(self, count: int) -> Windows:
        """At most ``count`` windows, spread evenly over the configurations."""
        step = max(1, -(-len(self) // count))
        return self.take(slice(None, None, step))

    @property
    def runs(self) -> NDArray[np.int64]:
        """Labels (n,) of runs of successive groups, which errors take as independent."""
        return runs(self.groups)

    @property
    def visible(self) -> NDArray[np.int8]:
        """V and E side by side, (n, n_block + n_environment), as the joint machine sees them."""
        return np.ascontiguousarray(np.concatenate([self.blocks, self.environments], axis=1))


@dataclass(frozen=True)
class WindowSet:
    """The windows that are drawn from a samples file; a window holds all components of a site.

    Attributes
    ----------
    source : File
        An open samples file.
    window : Geometry
        Block, buffer and environment.
    count : int
        The number of windows.
    seed : int
        The root seed of the draw.
    products : tuple of tuple of int, optional
        The products of block variables that stand for the block wherever something is learned from
        it; by default the variables stand for themselves.
    environment_features : str, optional
        The name of further variables of the environment that the model makes of it.
    units : HiddenUnits, optional
        Hidden units with several states, or units that act on features of codes; variables are then
        codes 0, ..., q - 1 even if q = 2.
    """

    source: File
    window: Geometry
    count: int
    seed: int
    products: Products | None = None
    environment_features: str | None = None
    units: HiddenUnits | None = None

    @property
    def samples(self) -> SamplesFile:
        """The samples file."""
        return SamplesFile(self.source)

    @cached_property
    def geometry(self) -> Geometry:
        """The geometry of a window, with the components of the samples and the sites of the block
        that carry data.

        Raises
        ------
        UsageError
            If the blocks of the lattice are not alike in their sites with data.
        """
        geometry = replace(self.window, components=self.samples.components)
        if geometry.metric is not None:
            return self._with_metric(geometry)
        geometry = replace(geometry, live=None)
        if not self.samples.has_mask:
            return geometry
        geometry.check(self.samples.shape)
        return replace(geometry, live=live_block(self.samples, geometry.block))

    def _with_metric(self, geometry: Geometry) -> Geometry:
        """The geometry with the neighbours of a site of these samples."""
        samples = self.samples
        if samples.has_mask:
            raise UsageError(
                f"{samples.path}: --metric and lists of sites are for samples without a mask, whose"
                " blocks are whole cells of the mask: give --block NxN, and leave out --metric"
            )
        cell = self.model.unit_cell(samples.attributes)
        return with_neighbours(geometry, None if cell is None else cell.steps)

    def check(self) -> None:
        """Check that the windows can be drawn and learned from.

        Raises
        ------
        UsageError
            If the geometry does not fit the lattice, or if there are too few samples or windows.
        DataError
            If a sample is no configuration of its model.
        """
        samples, geometry = self.samples, self.geometry
        geometry.check(samples.shape)
        if not geometry.n_environment:
            raise UsageError(
                f"{samples.path}: no site of the environment carries data: widen it by"
                " --environment"
            )
        self.model.check_geometry(geometry)
        if geometry.metric is not None and geometry.live is not None:
            self._check_constraints()
        split_of(samples)
        if self.count < _FEWEST_WINDOWS:
            raise UsageError(
                f"--windows {self.count}: at least {_FEWEST_WINDOWS} are needed to learn from and"
                " to hold out"
            )
        self.model.check_configurations(samples.file)

    def _check_constraints(self) -> None:
        """Raise UsageError if the model ties the variables of rectangles together, and does not
        know how those of a list of sites are tied."""
        known = self.model.constraints(self.geometry, self.samples.attributes)
        if known is not None and known.vectors.shape[1] != self.columns[0].n_features:
            raise UsageError(
                f"{self.samples.path}: the variables of {self.model.name} are tied together at the"
                " sites of a rectangle: give --block NxN and no list of sites"
            )

    # ---- the model of the samples ----------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The model that the samples name."""
        return self.samples.model

    @cached_property
    def columns(self) -> tuple[Columns, Columns]:
        """The columns of blocks and of environments: the sites of the geometry, and the components
        that the model describes."""
        components = self.model.components(self.samples.attributes)
        block, environment = self.geometry.block_offsets, self.geometry.environment_offsets
        return (
            Columns.of_components(block, components),
            Columns.of_components(environment, components),
        )

    @property
    def symmetric(self) -> bool:
        """Whether a global flip is a symmetry, so that windows may be flipped and biases tied to
        zero."""
        return self.model.symmetric(self.samples.attributes)

    @property
    def symmetry(self) -> str | None:
        """The group of relabellings of the states by which windows are symmetrised."""
        return self.model.symmetry(self.samples.attributes)

    @cached_property
    def oracle(self) -> Oracle | None:
        """What knows P(V|E) exactly: for original samples of known coupling and a small block."""
        samples, geometry = self.samples, self.geometry
        if geometry.live is not None or geometry.metric is not None:
            return None
        if samples.rg_step or samples.coupling is None:
            return None
        oracle = self.model.known(geometry.dimension, samples.attributes).oracle
        return oracle if oracle is not None and oracle.is_tractable(geometry) else None

    # ---- the draw --------------------------------------------------------------------------------

    @cached_property
    def physics(self) -> dict[str, Any]:
        """The JSON values on which the random numbers for these samples depend."""
        return {"samples": self.samples.origin, "rg_step": self.samples.rg_step}

    @cached_property
    def all(self) -> Windows:
        """Every window, sorted by configuration.

        Raises
        ------
        UsageError
            If all spins of every window are equal.
        """
        samples, key = self.samples, stream_key(self.seed, "windows", self.physics, 0)
        configurations, origins, flips = choose_windows(
            samples.count,
            samples.shape,
            self.count,
            key,
            self.symmetric,
            allowed_origins(samples, self.geometry),
        )
        relabellings = flips
        if samples.states > 2:
            relabellings = choose_relabellings(self.symmetry, samples.states, self.count, key)
        blocks, environments = read_windows(
            samples, self.geometry, configurations, origins, relabellings
        )
        first = blocks[:, :1]
        if (blocks == first).all() and (environments == first).all():
            raise UsageError(
                f"{samples.path}: all spins of every window are equal: there is nothing to learn"
                " from constant samples"
            )
        if self.units is not None and samples.states == 2:
            blocks, environments = np.maximum(blocks, 0), np.maximum(environments, 0)
        groups = self.split.groups[configurations]
        if self.products is not None:
            blocks = multiply(blocks, self.products)
        if self.environment_features is not None:
            environments = self._with_features(environments)
        return Windows(blocks, environments, configurations, groups)

    def _with_features(self, environments: NDArray[np.int8]) -> NDArray[np.int8]:
        """Environments with the further variables in their last columns."""
        name = self.environment_features or ""
        columns = self.model.environment_columns(
            name, self.geometry, self.samples.attributes, environments
        )
        return np.ascontiguousarray(np.concatenate([environments, columns], axis=1))

    # ---- training and held-out windows -----------------------------------------------------------

    @cached_property
    def split(self) -> Split:
        """Which configurations are learned from and which are held out."""
        return split_of(self.samples)

    @cached_property
    def training(self) -> Windows:
        """The windows of the configurations for training."""
        return self.all.take(np.isin(self.all.configurations, self.split.training))

    @cached_property
    def held_out(self) -> Windows:
        """The windows of the held-out configurations."""
        return self.all.take(np.isin(self.all.configurations, self.split.held_out))

    @cached_property
    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """The mean block and the mean environment of the training windows; None where symmetry
        makes them zero. Products have means in any case."""
        training = self.training
        if self.units is not None:
            return None if self.symmetry else self._feature_means(self.units)
        if not self.symmetric:
            return training.blocks.mean(axis=0), training.environments.mean(axis=0)
        if self.products is None:
            return None
        return training.blocks.mean(axis=0), np.zeros(self.n_environment)

    @property
    def n_environment(self) -> int:
        """The number of columns of ``environments``."""
        return self.all.environments.shape[1]

    def _feature_means(self, units: HiddenUnits) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        training = self.training
        return (
            units.of(training.blocks).mean(axis=0),
            units.of(training.environments).mean(axis=0),
        )

    def hidden(self, count: int) -> HiddenUnits:
        """The hidden units: ``count`` units with two states by default."""
        return self.units or HiddenUnits(count)

    @property
    def n_features(self) -> int:
        """The number of columns of ``blocks``: of variables of the block, or of products."""
        return self.geometry.n_block if self.products is None else len(self.products)

    def channel(
        self, filters: NDArray[np.float64], bias: NDArray[np.float64], hard: bool
    ) -> NDArray[np.float64]:
        """The table (2^n_block, 2^hidden) of q(h|v) of filters (hidden, n_features) over all states
        of the block; (q^n_block, states) of variables or units with several states."""
        if self.units is not None:
            return self.units.channel(filters, bias, self.geometry.n_block, hard)
        if self.products is None:
            return channel_table(filters, bias, hard)
        blocks = multiply(spin_states(self.geometry.n_block), self.products)
        return state_probabilities(filters, bias, blocks, hard)

    def exact_windows(self, least: int = 1000, states: int = 1 << 24) -> Windows:
        """Held-out windows for exact averages.

        They have about ``states`` block states in all, so there are fewer windows where a block has
        many states, but at least ``least``.
        """
        of_block = self.samples.states**self.geometry.n_block
        return self.held_out.thinned(max(least, states // of_block))


def stored_geometry(attributes: Mapping[str, Any]) -> Geometry:
    """The geometry in the attributes of a trained file."""
    return Geometry(
        attributes["block"],
        attributes["buffer"],
        attributes["environment"],
        attributes.get("components", 1),
    )
