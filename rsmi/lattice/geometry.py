"""Where block, buffer and environment lie, and windows of them cut out of stored configurations.

A window is a rectangular *block* (the visible spins V), a *buffer* of spins around it that is
ignored, and around the buffer a frame of spins, the *environment* E (Koch-Janusz & Ringel, Nature
Physics 14, 578 (2018), Fig. 1). Distances are Chebyshev distances, so that buffer and environment
are square frames; boundaries are periodic.
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rsmi.errors import UsageError
from rsmi.kernels import windows as kernel

_BLOCK = re.compile(r"[1-9][0-9]*(x[1-9][0-9]*){0,2}")


def shape_text(shape):
    """Write a shape as the command line does: ``(2, 2)`` becomes ``"2x2"``."""
    return "x".join(str(int(size)) for size in shape)


def parse_block(text):
    """Read a block shape.

    Parameters
    ----------
    text : str
        ``"2"``, ``"2x2"`` or ``"2x2x2"``: one positive size per axis, at most three.

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
        Binary variables per site, all of them in the window: of block and of environment first
        every site of the first component, then of the second.
    live : tuple of bool, optional
        Of every block site, row-major, whether it carries data; the lattice is a repetition of such
        blocks. Block and environment then consist of the sites that do. By default all do.
    """

    block: tuple
    buffer: int
    environment: int
    components: int = 1
    live: tuple | None = None

    def __post_init__(self):
        object.__setattr__(self, "block", tuple(int(size) for size in self.block))
        if self.live is not None:
            object.__setattr__(self, "live", tuple(bool(site) for site in self.live))

    def __str__(self):
        return (
            f"block {shape_text(self.block)}, buffer {self.buffer}, environment {self.environment}"
        )

    @property
    def dimension(self):
        """Number of axes d."""
        return len(self.block)

    @property
    def margin(self):
        """Width of buffer and environment together."""
        return self.buffer + self.environment

    @property
    def window(self):
        """Shape of the smallest box around the environment."""
        return tuple(size + 2 * self.margin for size in self.block)

    @property
    def sites(self):
        """Number of block sites."""
        return int(np.prod(self.block))

    @property
    def n_block(self):
        """Number of variables of the block: its sites with data, times the components."""
        return self.components * len(self.block_offsets)

    @property
    def n_environment(self):
        """Number of variables of the environment."""
        return self.components * len(self.environment_offsets)

    @cached_property
    def block_offsets(self):
        """Block sites with data relative to the block's first site, int64 (n_block, d),
        row-major."""
        return self._offsets_at_distance(0, 0)

    @cached_property
    def environment_offsets(self):
        """Environment sites relative to the block's first site, int64 (n_environment, d), row-major
        over the window."""
        return self._offsets_at_distance(self.buffer + 1, self.margin)

    def _offsets_at_distance(self, nearest, farthest):
        offsets = np.indices(self.window).reshape(self.dimension, -1).T - self.margin
        beyond = np.maximum(-offsets, offsets - np.array(self.block) + 1)
        distance = np.maximum(beyond.max(axis=1), 0)
        chosen = (distance >= nearest) & (distance <= farthest)
        if self.live is not None:
            chosen &= np.reshape(self.live, self.block)[tuple(np.mod(offsets, self.block).T)]
        return np.ascontiguousarray(offsets[chosen])

    def check(self, shape):
        """Refuse a geometry that does not fit on a periodic lattice.

        Parameters
        ----------
        shape : tuple of int
            Sites of the lattice along each axis.

        Raises
        ------
        UsageError
            If the widths are impossible, the numbers of axes differ, or a window would hold a site
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


def split_configurations(n_configurations, chains):
    """Separate configurations for training from configurations held out.

    Stored configuration i belongs to chain i mod ``chains``. With at least five chains, the last
    fifth of them (rounded, at least one) is held out whole; otherwise the last fifth of every
    chain's steps.

    Parameters
    ----------
    n_configurations, chains : int

    Returns
    -------
    training, held_out : ndarray of int64
        Indices of configurations, ascending; both non-empty.

    Raises
    ------
    UsageError
        With fewer than five configurations.
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


def _fifth(count):
    return max(1, (2 * count + 5) // 10)


def possible_origins(shape, geometry, periodic=True):
    """Lattice sites where a block may begin.

    Parameters
    ----------
    shape : tuple of int
        Lattice.
    geometry : Geometry
    periodic : bool
        Else only windows that lie inside the lattice are allowed.

    Returns
    -------
    ndarray of int64, (m, d)
        Sites, row-major.
    """
    margin = 0 if periodic else geometry.margin
    sides = shape if periodic else [size - sites + 1 for size, sites in zip(shape, geometry.window)]
    return np.ascontiguousarray(np.indices(sides).reshape(len(sides), -1).T + margin)


def even_origins(shape, geometry, periodic=True):
    """Those of `possible_origins` with an even sum of coordinates: blocks that keep to one
    sublattice, as the dimer model's must.

    Where the lattice is periodic its sides must be even.
    """
    origins = possible_origins(shape, geometry, periodic)
    return np.ascontiguousarray(origins[origins.sum(axis=1) % 2 == 0])


def invariant_translations(mask):
    """Translations of a periodic lattice that map the sites with data onto themselves.

    Parameters
    ----------
    mask : ndarray of bool, (*shape)

    Returns
    -------
    ndarray of int64, (m, d)
        Row-major; the first is zero.
    """
    spectrum = np.fft.fftn(mask.astype(np.float64))
    overlap = np.fft.ifftn(np.abs(spectrum) ** 2).real
    return np.argwhere(overlap > np.count_nonzero(mask) - 0.5)


def block_mask(mask, block):
    """The sites with data of the block at the origin, where all blocks that tile the lattice are
    like it.

    Parameters
    ----------
    mask : ndarray of bool, (*shape)
    block : tuple of int

    Returns
    -------
    tuple of bool, row-major, or None
        None where blocks do not tile the lattice or are not alike.
    """
    if len(block) != mask.ndim or any(size % sites for size, sites in zip(mask.shape, block)):
        return None
    cell = mask[tuple(slice(sites) for sites in block)]
    alike = np.array_equal(
        np.tile(cell, [size // sites for size, sites in zip(mask.shape, block)]), mask
    )
    return tuple(cell.ravel().tolist()) if alike else None


def choose_windows(n_configurations, shape, count, key, symmetric=True, allowed=None):
    """Choose windows: configurations evenly, positions (and global spin flips) at random.

    Every random number is a hash of the key and the window's number (``keyed_bits`` of
    csrc/random.h), so that the choice depends on nothing else: no library's generator, no order of
    evaluation.

    Parameters
    ----------
    n_configurations : int
        Each configuration gets the floor or the ceiling of count / n_configurations windows. Where
        there are fewer windows than configurations, one is drawn at random from each of ``count``
        equal strata, so that the choice does not follow the period of the chains.
    shape : tuple of int
        Lattice.
    count : int
        Number of windows.
    key : ndarray of uint64
        At least two words, of which the first two are used.
    symmetric : bool
        Whether a window may be flipped globally, as the symmetry of the model allows.
    allowed : ndarray of int64, (m, d), optional
        Origins to choose from, with equal probability; by default every site.

    Returns
    -------
    configurations : ndarray of int64, (count,)
        Ascending.
    origins : ndarray of int64, (count, d)
        Lattice site of the block's first site.
    flips : ndarray of int8, (count,)
        +-1, all +1 unless ``symmetric``.
    """
    shape = np.asarray(shape if allowed is None else (len(allowed),), dtype=np.int64)
    key = np.ascontiguousarray(key, dtype=np.uint64)
    configurations, origins, flips = kernel.choose_windows(
        key, n_configurations, shape, count, symmetric
    )
    return configurations, origins if allowed is None else allowed[origins[:, 0]], flips


def extract_windows(packed, shape, geometry, configurations, origins, flips):
    """Cut block and environment of every window out of packed configurations.

    Parameters
    ----------
    packed : ndarray of uint8, (n, ceil(components x sites / 8))
        One configuration (components, *shape) per row, little bit order, bit 1 = spin +1.
    shape : tuple of int
        Lattice, periodic.
    geometry : Geometry
    configurations : ndarray of int, (m,)
        Row of each window.
    origins : ndarray of int, (m, d)
        Lattice site of the block's first site.
    flips : ndarray of int8, (m,)
        +-1, multiplies the whole window.

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
        If an array has the wrong shape or a window lies outside the configurations or the lattice.
    """
    geometry.check(shape)
    lattice, components = np.asarray(shape, dtype=np.int64), geometry.components
    origins = np.ascontiguousarray(origins, dtype=np.int64)
    offsets = [
        np.mod(part, lattice) for part in (geometry.block_offsets, geometry.environment_offsets)
    ]
    if components > 1:  # the component is the slowest axis of a lattice of one dimension more
        lattice = np.concatenate([[components], lattice])
        origins = np.insert(origins, 0, 0, axis=1)
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
        origins,
        np.ascontiguousarray(flips, dtype=np.int8),
    )
    packed = np.ascontiguousarray(packed)
    return tuple(kernel.extract_windows(packed, lattice, part, *choice) for part in offsets)
