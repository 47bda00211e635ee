"""The geometry of windows: where block, buffer and environment lie, and how windows are cut out of
stored configurations.

A window is a rectangular *block* (the visible spins V), a *buffer* of spins around it that is
ignored, and around the buffer a frame of spins, the *environment* E (Koch-Janusz & Ringel, Nature
Physics 14, 578 (2018), Fig. 1). Distances are Chebyshev distances, so that buffer and environment
are square frames. Boundaries are periodic.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.errors import UsageError
from rsmi.kernels import windows as kernel

_BLOCK = re.compile(r"[1-9][0-9]*(x[1-9][0-9]*){0,2}")


def shape_text(shape: Iterable[int]) -> str:
    """Return a shape as the command line writes it: ``(2, 2)`` becomes ``"2x2"``."""
    return "x".join(str(int(size)) for size in shape)


def sides_text(shape: Sequence[int]) -> str:
    """Return the sides of a lattice as text, one number if all are equal: ``"8"`` or ``"8x32"``."""
    return str(int(shape[0])) if len(set(shape)) == 1 else shape_text(shape)


def parse_block(text: str) -> tuple[int, ...]:
    """Read the shape of a block.

    Parameters
    ----------
    text : str
        ``"2"``, ``"2x2"`` or ``"2x2x2"``: one positive size for each of at most three axes.

    Returns
    -------
    tuple of int

    Raises
    ------
    UsageError
        If the text is anything else.
    """
    if not _BLOCK.fullmatch(text):
        raise UsageError(f"block {text!r} is not a shape such as 2, 2x2 or 2x2x2")
    return tuple(int(size) for size in text.split("x"))


@dataclass(frozen=True)
class Geometry:
    """The shape of a window.

    Parameters
    ----------
    block : tuple of int
        Sites of the block along each of the d = 1, 2 or 3 axes.
    buffer : int
        Width of the ignored frame around the block, >= 0.
    environment : int
        Width of the environment frame around the buffer, >= 1.
    components : int
        Variables of each site. A window contains all of them: in block and environment all sites
        of the first component come before those of the second.
    live : tuple of bool, optional
        Whether each site of the block carries data, row-major; the lattice is a repetition of such
        blocks. Block and environment then consist of the sites with data. By default all sites
        carry data. With a metric, ``live`` says which sites of the smallest box the block consists
        of, and all sites of the environment carry data.
    metric : {"square", "lattice"}, optional
        How the distance from the nearest site of the block is measured, in steps to the neighbours
        of a site: with diagonals, or to ``neighbours``. By default buffer and environment are
        frames around the box.
    neighbours : tuple of tuple of int
        The displacements to the nearest neighbours of a site, for the metric ``lattice``. No entry
        is larger than 1.
    """

    block: tuple[int, ...]
    buffer: int
    environment: int
    components: int = 1
    live: tuple[bool, ...] | None = None
    metric: str | None = None
    neighbours: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", tuple(int(size) for size in self.block))
        if self.live is not None:
            object.__setattr__(self, "live", tuple(bool(site) for site in self.live))

    def __str__(self) -> str:
        sites = "" if self.metric is None or self.live is None else f"{sum(self.live)} sites of "
        return (
            f"block {sites}{shape_text(self.block)}, buffer {self.buffer}, environment"
            f" {self.environment}"
        )

    @property
    def dimension(self) -> int:
        """Number d of axes."""
        return len(self.block)

    @property
    def margin(self) -> int:
        """Width of buffer and environment together."""
        return self.buffer + self.environment

    @property
    def window(self) -> tuple[int, ...]:
        """Shape of the smallest box around the environment."""
        return tuple(size + 2 * self.margin for size in self.block)

    @property
    def sites(self) -> int:
        """Number of sites of the block, with and without data."""
        return int(np.prod(self.block))

    @property
    def n_block(self) -> int:
        """Number of variables of the block: its sites with data, times the components."""
        return self.components * len(self.block_offsets)

    @property
    def n_environment(self) -> int:
        """Number of variables of the environment."""
        return self.components * len(self.environment_offsets)

    @cached_property
    def block_offsets(self) -> NDArray[np.int64]:
        """Sites of the block with data relative to its first site, int64 (sites with data, d),
        row-major."""
        return self._offsets_at_distance(0, 0)

    @cached_property
    def environment_offsets(self) -> NDArray[np.int64]:
        """Sites of the environment with data relative to the first site of the block, int64 (sites
        with data, d), row-major over the window."""
        if self.metric is not None:
            return self._shell()
        return self._offsets_at_distance(self.buffer + 1, self.margin)

    def _shell(self) -> NDArray[np.int64]:
        """The sites that are reached from the block after more steps than the buffer is wide."""
        steps = self.neighbours
        if self.metric == "square":
            steps = tuple(itertools.product((-1, 0, 1), repeat=self.dimension))
        reached = last = set(map(tuple, self.block_offsets.tolist()))
        shell: set[tuple[int, ...]] = set()
        for distance in range(1, self.margin + 1):
            beside = {tuple(map(sum, zip(site, step))) for site in last for step in steps}
            last = beside - reached
            reached = reached | last
            shell |= last if distance > self.buffer else set()
        return np.array(sorted(shell), dtype=np.int64).reshape(-1, self.dimension)

    def _offsets_at_distance(self, nearest: int, farthest: int) -> NDArray[np.int64]:
        offsets = np.indices(self.window).reshape(self.dimension, -1).T - self.margin
        beyond = np.maximum(-offsets, offsets - np.array(self.block) + 1)
        distance = np.maximum(beyond.max(axis=1), 0)
        chosen = (distance >= nearest) & (distance <= farthest)
        if self.live is not None:
            chosen &= np.reshape(self.live, self.block)[tuple(np.mod(offsets, self.block).T)]
        return np.ascontiguousarray(offsets[chosen])

    def check(self, shape: Sequence[int]) -> None:
        """Refuse a geometry that does not fit on a periodic lattice.

        Parameters
        ----------
        shape : sequence of int
            Sites of the lattice along each axis.

        Raises
        ------
        UsageError
            If a width is impossible, the numbers of axes differ, or a window would contain a site
            twice.
        """
        if self.buffer < 0:
            raise UsageError(f"the buffer must be at least 0 sites wide, not {self.buffer}")
        if self.environment < 1:
            raise UsageError(
                f"the environment must be at least 1 site wide, not {self.environment}"
            )
        block, lattice = shape_text(self.block), shape_text(shape)
        if self.dimension != len(shape):
            raise UsageError(
                f"block {block} has {self.dimension} axes but the lattice {lattice} has"
                f" {len(shape)}"
            )
        if any(sites > size for sites, size in zip(self.block, shape)):
            raise UsageError(f"block {block} is larger than the lattice {lattice}")
        if any(sites > size for sites, size in zip(self.window, shape)):
            raise UsageError(
                f"{self} do not fit: they span {shape_text(self.window)} sites, and the lattice has"
                f" {lattice}"
            )


def split_configurations(
    n_configurations: int, chains: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Separate the configurations for training from those that are held out.

    Stored configuration i belongs to chain i mod `chains`. With at least five chains, the last
    fifth of them (rounded, at least one) is held out whole; otherwise the last fifth of the steps
    of every chain is held out.

    Parameters
    ----------
    n_configurations, chains : int

    Returns
    -------
    training, held_out : ndarray of int64
        Ascending indices of configurations; neither is empty.

    Raises
    ------
    UsageError
        If there are fewer than five configurations.
    """
    if n_configurations < 5:
        raise UsageError(
            f"{n_configurations} configurations are too few to hold some out: at least 5 are needed"
        )
    chains = min(chains, n_configurations)
    index = np.arange(n_configurations)
    if chains >= 5:
        held_out = index % chains >= chains - _fifth(chains)
    else:
        steps = -(-n_configurations // chains)
        held_out = index // chains >= steps - _fifth(steps)
    return index[~held_out], index[held_out]


def _fifth(count: int) -> int:
    return max(1, (2 * count + 5) // 10)


def possible_origins(
    shape: Sequence[int], geometry: Geometry, periodic: bool = True
) -> NDArray[np.int64]:
    """Return the lattice sites where a block may begin.

    Parameters
    ----------
    shape : sequence of int
        Sites of the lattice along each axis.
    geometry : Geometry
    periodic : bool
        If False, only windows that lie inside the lattice are allowed.

    Returns
    -------
    ndarray of int64, (m, d)
        Sites in row-major order.
    """
    margin = 0 if periodic else geometry.margin
    sides = shape if periodic else [size - sites + 1 for size, sites in zip(shape, geometry.window)]
    return np.ascontiguousarray(np.indices(sides).reshape(len(sides), -1).T + margin)


def even_origins(
    shape: Sequence[int], geometry: Geometry, periodic: bool = True
) -> NDArray[np.int64]:
    """Return those of `possible_origins` whose coordinates have an even sum.

    Blocks of the dimer model must begin on one sublattice. The sides of a periodic lattice must be
    even. Parameters and result are those of `possible_origins`.
    """
    origins = possible_origins(shape, geometry, periodic)
    return np.ascontiguousarray(origins[origins.sum(axis=1) % 2 == 0])


def smallest_cell(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the smallest cell whose repetition along the axes is the mask.

    Parameters
    ----------
    mask : ndarray of bool, (\\*shape)
        Whether each site of a periodic lattice carries data.

    Returns
    -------
    tuple of int
        The least period along each axis. Translations that mix the axes may also map the mask onto
        itself, but they interchange sites of the cell, which need not be equivalent: the x-links
        and the y-links of a square lattice are such sites.
    """
    return tuple(
        next(
            period
            for period in range(1, size + 1)
            if size % period == 0 and np.array_equal(np.roll(mask, period, axis), mask)
        )
        for axis, size in enumerate(mask.shape)
    )


def cell_origins(shape: Sequence[int], cell: Sequence[int]) -> NDArray[np.int64]:
    """Return the first sites of all cells of a lattice, (m, d), in row-major order."""
    cells = [size // sites for size, sites in zip(shape, cell)]
    return np.ascontiguousarray(np.indices(cells).reshape(len(cells), -1).T * np.array(cell))


def block_mask(mask: NDArray[np.bool_], block: tuple[int, ...]) -> tuple[bool, ...] | None:
    """Return which sites of a block carry data, where all blocks that tile the lattice are alike.

    Parameters
    ----------
    mask : ndarray of bool, (\\*shape)
        Whether each site of the lattice carries data.
    block : tuple of int

    Returns
    -------
    tuple of bool or None
        Row-major; None where blocks do not tile the lattice or are not alike.
    """
    if len(block) != mask.ndim or any(size % sites for size, sites in zip(mask.shape, block)):
        return None
    cell = mask[tuple(slice(sites) for sites in block)]
    alike = np.array_equal(
        np.tile(cell, [size // sites for size, sites in zip(mask.shape, block)]), mask
    )
    return tuple(cell.ravel().tolist()) if alike else None


def choose_windows(
    n_configurations: int,
    shape: Sequence[int],
    count: int,
    key: ArrayLike,
    symmetric: bool = True,
    allowed: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """Choose windows: configurations evenly, positions and global spin flips at random.

    Every random number is a hash of the key and the number of the window (``keyed_bits`` of
    csrc/base/random.h). The choice therefore depends neither on a library's generator nor on the
    order of evaluation.

    Parameters
    ----------
    n_configurations : int
        Each configuration gets the floor or the ceiling of count / n_configurations windows. If
        there are fewer windows than configurations, one configuration is drawn at random from each
        of `count` equal strata, so that the choice does not follow the period of the chains.
    shape : sequence of int
        Sites of the lattice along each axis.
    count : int
        Number of windows.
    key : array_like of uint64
        At least two words, of which the first two are used.
    symmetric : bool
        Whether a window may be flipped globally, as the symmetry of the model allows.
    allowed : ndarray of int64, (m, d), optional
        Origins to choose from with equal probability; by default all sites.

    Returns
    -------
    configurations : ndarray of int64, (count,)
        Index of the configuration of each window, ascending.
    origins : ndarray of int64, (count, d)
        Lattice site of the first site of the block.
    flips : ndarray of int8, (count,)
        +-1; all are +1 unless `symmetric`.
    """
    sides = np.asarray(shape if allowed is None else (len(allowed),), dtype=np.int64)
    words = np.ascontiguousarray(key, dtype=np.uint64)
    configurations, origins, flips = kernel.choose_windows(
        words, n_configurations, sides, count, symmetric
    )
    return configurations, origins if allowed is None else allowed[origins[:, 0]], flips


def extract_windows(
    packed: NDArray[np.uint8],
    shape: Sequence[int],
    geometry: Geometry,
    configurations: ArrayLike,
    origins: ArrayLike,
    flips: ArrayLike,
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Cut block and environment of every window out of packed configurations.

    Parameters
    ----------
    packed : ndarray of uint8, (n, ceil(components x sites / 8))
        One configuration (components, \\*shape) for each row; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each axis.
    geometry : Geometry
    configurations : array_like of int, (m,)
        Row of each window.
    origins : array_like of int, (m, d)
        Lattice site of the first site of the block.
    flips : array_like of int, (m,)
        +-1, the factor of the whole window.

    Returns
    -------
    blocks : ndarray of int8, (m, n_block)
    environments : ndarray of int8, (m, n_environment)
        Spins +-1.

    Raises
    ------
    UsageError
        If the geometry does not fit on the lattice.
    ValueError
        If an array has the wrong shape, or a window lies outside the configurations or the lattice.
    """
    geometry.check(shape)
    lattice, components = np.asarray(shape, dtype=np.int64), geometry.components
    first = np.ascontiguousarray(origins, dtype=np.int64)
    offsets = [
        np.mod(part, lattice) for part in (geometry.block_offsets, geometry.environment_offsets)
    ]
    if components > 1:  # the component is the slowest axis of a lattice of one dimension more
        lattice = np.concatenate([[components], lattice])
        first = np.insert(first, 0, 0, axis=1)
        offsets = [
            np.insert(
                np.tile(part, (components, 1)),
                0,
                np.repeat(np.arange(components), len(part)),
                axis=1,
            )
            for part in offsets
        ]
    choice = (
        np.ascontiguousarray(configurations, dtype=np.int64),
        first,
        np.ascontiguousarray(flips, dtype=np.int8),
    )
    packed = np.ascontiguousarray(packed)
    blocks, environments = (
        kernel.extract_windows(packed, lattice, part, *choice) for part in offsets
    )
    return blocks, environments
