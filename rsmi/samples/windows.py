"""Windows (V, E) of a samples file, and which configurations are held out: the same for every
training stage."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rsmi import models
from rsmi.engine.keys import origin, stream_key
from rsmi.errors import UsageError
from rsmi.lattice.columns import Columns
from rsmi.lattice.geometry import (
    Geometry,
    choose_windows,
    extract_windows,
    invariant_translations,
    possible_origins,
    shape_text,
    split_configurations,
)
from rsmi.models.base import Model, Oracle
from rsmi.samples.attributes import LATTICE
from rsmi.samples.checks import live_block
from rsmi.samples.views import SamplesFile
from rsmi.statistics.binning import runs
from rsmi.store import File

_BYTES_AT_ONCE = 1 << 26  # of configurations read


@dataclass(frozen=True)
class Windows:
    """Blocks (n, |V|) and environments (n, |E|), int8 +-1, with the configuration each was cut
    from."""

    blocks: np.ndarray
    environments: np.ndarray
    configurations: np.ndarray

    def __len__(self) -> int:
        return len(self.blocks)

    def take(self, chosen) -> Windows:
        """A subset."""
        return Windows(self.blocks[chosen], self.environments[chosen], self.configurations[chosen])

    def thinned(self, count: int) -> Windows:
        """At most ``count`` windows, spread evenly over the configurations."""
        step = max(1, -(-len(self) // count))
        return self.take(slice(None, None, step))

    @property
    def runs(self) -> np.ndarray:
        """Labels (n,) of runs of successive configurations: what errors may take as independent."""
        return runs(self.configurations)

    @property
    def visible(self) -> np.ndarray:
        """V and E side by side, as the joint machine sees them."""
        return np.ascontiguousarray(np.concatenate([self.blocks, self.environments], axis=1))


@dataclass(frozen=True)
class WindowSet:
    """The windows that a geometry, a number and a seed choose from a samples file; they hold all
    its components."""

    source: File
    geometry: Geometry
    count: int
    seed: int

    def __post_init__(self):
        object.__setattr__(
            self,
            "geometry",
            replace(self.geometry, components=self.source.attributes["components"], live=None),
        )
        if "/mask" in self.source:
            self.geometry.check(self.source.attributes["shape"])
            object.__setattr__(
                self,
                "geometry",
                replace(
                    self.geometry, live=live_block(SamplesFile(self.source), self.geometry.block)
                ),
            )

    def check(self) -> None:
        """Raise UsageError where the geometry does not fit the lattice or the samples are too few
        or all alike, DataError where samples of dimers are no coverings."""
        self.geometry.check(self.source.attributes["shape"])
        if not self.geometry.n_environment:
            raise UsageError(
                f"{self.source.path}: no site of the environment carries data: widen it by"
                " --environment"
            )
        self.model.check_geometry(self.geometry)
        n = self.source.shape("/spins")[0]
        split_configurations(n, self.source.attributes["chains"])
        if self.count < 1000:
            raise UsageError(
                f"--windows {self.count}: at least 1000 are needed to learn from and to hold out"
            )
        self.model.check_configurations(self.source)

    @property
    def model(self) -> Model:
        """The model that the samples name."""
        return models.of(self.source.attributes)

    @cached_property
    def columns(self) -> tuple[Columns, Columns]:
        """What the columns of blocks and of environments are: the sites of the geometry, and the
        components that the model describes."""
        components = self.model.components(self.source.attributes)
        block, environment = self.geometry.block_offsets, self.geometry.environment_offsets
        return (
            Columns.of_components(block, components),
            Columns.of_components(environment, components),
        )

    @property
    def symmetric(self) -> bool:
        """Whether a global flip is a symmetry, so that windows may be flipped and biases tied to
        zero."""
        return self.model.flips

    @cached_property
    def physics(self) -> dict:
        """What the random numbers drawn for these samples depend on."""
        return {"samples": origin(self.source), "rg_step": self.source.attributes["rg_step"]}

    @cached_property
    def _split(self) -> tuple[np.ndarray, np.ndarray]:
        return split_configurations(
            self.source.shape("/spins")[0], self.source.attributes["chains"]
        )

    @property
    def held_out_configurations(self) -> np.ndarray:
        """Indices of the configurations kept from training, int64."""
        return self._split[1]

    @cached_property
    def all(self) -> Windows:
        """Every window, sorted by configuration."""
        shape, n = self.source.attributes["shape"], self.source.shape("/spins")[0]
        key = stream_key(self.seed, "windows", self.physics, 0)
        configurations, origins, flips = choose_windows(
            n, shape, self.count, key, self.symmetric, self._allowed_origins()
        )
        blocks, environments = extract_stored(
            self.source, self.geometry, configurations, origins, flips
        )
        up = blocks[:, :1]
        if (blocks == up).all() and (environments == up).all():
            raise UsageError(
                f"{self.source.path}: all spins of every window are equal: there is nothing to"
                " learn from constant samples"
            )
        return Windows(blocks, environments, configurations)

    def _allowed_origins(self) -> np.ndarray | None:
        """Where a block may begin; None for every site."""
        shape, periodic = (
            self.source.attributes["shape"],
            self.source.attributes["boundary"] == "periodic",
        )
        origins = self.model.origins(shape, self.geometry, periodic)
        if origins is not None:
            return origins
        mask = SamplesFile(self.source).mask
        if mask is not None:
            return invariant_translations(mask)
        return None if periodic else possible_origins(shape, self.geometry, periodic)

    def require(self, needed: int, reader: str) -> None:
        """Raise UsageError unless there are enough training windows, and enough disjoint blocks to
        cut them from."""
        shape, n = self.source.attributes["shape"], self.source.shape("/spins")[0]
        learning = len(self._split[0]) / n
        if self.count * learning < needed:
            raise UsageError(
                f"--windows {self.count}: {reader} needs at least {math.ceil(needed / learning)},"
                f" of which {needed} to learn from"
            )
        sites, chains = math.prod(shape), self.source.attributes["chains"]
        least = -(-needed * self.geometry.sites // sites)  # configurations to learn from
        if len(self._split[0]) < least:
            wanted = next(
                m
                for m in itertools.count(max(n, least))
                if len(split_configurations(m, chains)[0]) >= least
            )
            raise UsageError(
                f"{self.source.path}: {n} configurations are too few: {reader} needs {needed}"
                f" blocks that do not overlap: {wanted} configurations of {shape_text(shape)}"
            )

    def cautions(self) -> list[str]:
        """What a reader of the result should know beforehand: sentences."""
        n = self.source.shape("/spins")[0]
        learning = len(self._split[0]) / n
        return self.model.cautions(
            self.geometry, self.source.attributes["shape"], self.count, n, learning
        )

    @cached_property
    def training(self) -> Windows:
        """Windows of the training configurations."""
        return self.all.take(np.isin(self.all.configurations, self._split[0]))

    @cached_property
    def means(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Mean block and environment of the training windows, None where symmetry makes them
        zero."""
        training = self.training
        return (
            None
            if self.symmetric
            else (training.blocks.mean(axis=0), training.environments.mean(axis=0))
        )

    @cached_property
    def held_out(self) -> Windows:
        """Windows of the held-out configurations."""
        return self.all.take(np.isin(self.all.configurations, self._split[1]))

    @cached_property
    def oracle(self) -> Oracle | None:
        """Where P(V|E) is known exactly: original samples at a known coupling, a small block."""
        attributes, geometry = self.source.attributes, self.geometry
        if geometry.live is not None or attributes["rg_step"] or "coupling" not in attributes:
            return None
        oracle = self.model.known(geometry.dimension, attributes).oracle
        return oracle if oracle is not None and oracle.is_tractable(geometry) else None

    def exact_windows(self, least: int = 1000, states: int = 1 << 24) -> Windows:
        """Held-out windows for exact averages: about ``states`` block states in all, fewer windows
        where a block has many."""
        return self.held_out.thinned(max(least, states // 2**self.geometry.n_block))


def geometry_attributes(geometry: Geometry) -> dict:
    """A geometry as file attributes."""
    several = geometry.components if geometry.components > 1 else None
    return {
        "block": geometry.block,
        "buffer": geometry.buffer,
        "environment": geometry.environment,
        "components": several,
    }


def whole_block(geometry: Geometry, filters: np.ndarray) -> np.ndarray:
    """Filters (..., n_block) with zeros on the block's sites without data."""
    if geometry.live is None:
        return filters
    found = np.zeros((*filters.shape[:-1], geometry.sites))
    found[..., np.array(geometry.live)] = filters
    return found


def write_mask(writer, geometry: Geometry) -> None:
    """Store which sites of the block carry data, unless all do."""
    if geometry.live is not None:
        writer.write("/mask", np.array(geometry.live, dtype=np.uint8))


def stored_geometry(attributes: dict) -> Geometry:
    """The geometry of a trained file."""
    return Geometry(
        attributes["block"],
        attributes["buffer"],
        attributes["environment"],
        attributes.get("components", 1),
    )


def lattice_attributes(source: File) -> dict:
    """What a trained file remembers of the samples it learned from."""
    boundary = source.attributes["boundary"]
    return {name: source.attributes.get(name) for name in LATTICE} | (
        {"boundary": boundary} if boundary != "periodic" else {}
    )


def extract_stored(
    source: File,
    geometry: Geometry,
    configurations: np.ndarray,
    origins: np.ndarray,
    flips: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """As `extract_windows`, of ``configurations`` (ascending) of a file, a few at a time: it may be
    larger than the memory."""
    n, width = source.shape("/spins")
    step = max(1, _BYTES_AT_ONCE // width)
    pieces = []
    for first in range(0, n, step):
        own = slice(*np.searchsorted(configurations, [first, first + step]))
        if own.start < own.stop:
            packed = source.read("/spins", first, first + step)
            pieces.append(
                extract_windows(
                    packed,
                    source.attributes["shape"],
                    geometry,
                    configurations[own] - first,
                    origins[own],
                    flips[own],
                )
            )
    return tuple(np.concatenate(parts) for parts in zip(*pieces))
