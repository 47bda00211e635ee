"""Windows (V, E) of a samples file, and which configurations are held out: the same for every training stage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rsmi.errors import UsageError
from rsmi.information import exact
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows, shape_text, split_configurations
from rsmi.stages.rules import require_single_component
from rsmi.stages.streams import stream_key
from rsmi.statistics.binning import runs
from rsmi.store import File

_EXACT = 32_000  # windows at most of an exact average


@dataclass(frozen=True)
class Windows:
    """Blocks (n, |V|) and environments (n, |E|), int8 +-1, with the configuration each was cut from."""

    blocks: np.ndarray
    environments: np.ndarray
    configurations: np.ndarray

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def constant(self) -> bool:
        """Whether every window, block and environment, holds one spin value."""
        up = self.blocks[:, :1]
        return bool((self.blocks == up).all() and (self.environments == up).all())

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
    """The windows that a geometry, a number and a seed choose from a samples file."""

    source: File
    geometry: Geometry
    count: int
    seed: int

    def check(self) -> None:
        """Raise UsageError where the geometry does not fit the lattice or the samples are too few or all alike."""
        require_single_component(self.source)
        self.geometry.check(self.source.attributes["shape"])
        n = self.source.shape("/spins")[0]
        split_configurations(n, self.source.attributes["chains"])
        if self.count < 1000:
            raise UsageError(f"--windows {self.count}: at least 1000 are needed to learn from")

    @property
    def symmetric(self) -> bool:
        """Whether the model is symmetric under a global flip, so that windows may be flipped and biases tied to zero."""
        return self.source.attributes["model"] == "ising"

    @cached_property
    def _split(self) -> tuple[np.ndarray, np.ndarray]:
        return split_configurations(self.source.shape("/spins")[0], self.source.attributes["chains"])

    @property
    def held_out_configurations(self) -> np.ndarray:
        """Indices of the configurations kept from training, int64."""
        return self._split[1]

    @cached_property
    def training(self) -> Windows:
        """``count`` windows of the training configurations."""
        return self._cut(0)

    @cached_property
    def held_out(self) -> Windows:
        """As many windows of the held-out configurations, which are fewer: their errors decide what can be said."""
        return self._cut(1)

    def _cut(self, part: int) -> Windows:
        """Windows of the training (0) or held-out (1) configurations, sorted by configuration."""
        shape, chosen = self.source.attributes["shape"], self._split[part]
        key = stream_key(self.seed, "windows", {"shape": list(shape)}, part)
        configurations, origins, flips = choose_windows(len(chosen), shape, self.count, key, self.symmetric)
        blocks, environments = extract_windows(self.source.read("/spins"), shape, self.geometry, chosen[configurations], origins, flips)
        windows = Windows(blocks, environments, chosen[configurations])
        if windows.constant:
            raise UsageError(f"{self.source.path}: all spins of every window are equal: there is nothing to learn from constant samples")
        return windows

    def require(self, needed: int, reader: str) -> None:
        """Raise UsageError unless there are enough windows, and enough disjoint blocks to cut them from, for what reads them."""
        shape, n = self.source.attributes["shape"], self.source.shape("/spins")[0]
        if self.count < needed:
            raise UsageError(f"--windows {self.count}: {reader} needs at least {needed}")
        disjoint = len(self._split[0]) * math.prod(shape) // self.geometry.n_block
        if disjoint < needed:
            raise UsageError(f"{self.source.path}: {n} configurations are too few: {reader} needs {needed} blocks that do not overlap, about {-(-n * needed // disjoint)} configurations of {shape_text(shape)}")

    @property
    def exactly_solvable(self) -> bool:
        """Whether P(V|E) is known exactly: original samples of the Ising model at known coupling, a small block."""
        attributes = self.source.attributes
        return attributes["model"] == "ising" and attributes["rg_step"] == 0 and "coupling" in attributes and exact.is_tractable(self.geometry)

    def exact_windows(self, least: int = 1000) -> Windows:
        """Held-out windows for exact averages: fewer where a block has many states."""
        return self.held_out.thinned(min(_EXACT, max(least, (1 << 24) // 2**self.geometry.n_block)))


def geometry_attributes(geometry: Geometry) -> dict:
    """A geometry as file attributes."""
    return {"block": geometry.block, "buffer": geometry.buffer, "environment": geometry.environment}


def lattice_attributes(source: File) -> dict:
    """What a trained file remembers of the samples it learned from."""
    return {name: source.attributes.get(name) for name in ("model", "shape", "coupling", "temperature", "rg_step", "scale_factor")}
