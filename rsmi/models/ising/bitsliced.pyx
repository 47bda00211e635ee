"""Bit-sliced Metropolis and heat bath of the Ising model
(csrc/models/ising/bitsliced/ising_bitsliced.h)."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.models.ising import chain as ising

from rsmi.kernels.instructions cimport path_numbers, path_supported, supported_paths
from rsmi.kernels.status cimport check_status
from rsmi.models.ising.chain cimport chain_of, ising_chain

cdef extern from "models/ising/bitsliced/ising_bitsliced_layout.h":
    enum:
        BITSLICED_STRIP
        BITSLICED_REPLICAS
        BITSLICED_BITS
    ctypedef struct bitsliced_chain:
        ising_chain ising
        int layout, path
        int64_t blocks
    ctypedef struct bitsliced_shape:
        int64_t layers, rows, columns
    bitsliced_shape bitsliced_shape_of(const bitsliced_chain *chain)
    void bitsliced_renew_halo(
        const bitsliced_chain *chain, int sublattice, uint64_t *spins) nogil

cdef extern from "models/ising/bitsliced/ising_bitsliced_rows.h":
    void bitsliced_pack(
        const bitsliced_chain *chain, const uint64_t *spins, uint8_t *packed) nogil
    void bitsliced_unpack(
        const bitsliced_chain *chain, const uint8_t *packed, uint64_t *spins) nogil
    void bitsliced_measure(
        const bitsliced_chain *chain, const uint64_t *spins, int64_t *energy,
        int64_t *magnetization) nogil

cdef extern from "models/ising/bitsliced/ising_bitsliced.h":
    int bitsliced_check(const bitsliced_chain *chain)
    void bitsliced_seed(const uint64_t *rng, int64_t blocks, uint64_t *generators)
    int bitsliced_sweep(
        const bitsliced_chain *chain, int64_t sweeps, uint64_t *spins,
        uint64_t *generators) nogil
    int bitsliced_sample(
        const bitsliced_chain *chain, int64_t interval, int64_t count, uint64_t *spins,
        uint64_t *generators, uint8_t *packed, int64_t *energy, int64_t *magnetization) nogil
    void bitsliced_update(
        const bitsliced_chain *chain, int sublattice, int64_t block, uint64_t *spins,
        uint64_t *generators) nogil

ALGORITHMS = ("metropolis", "heat-bath")
LAYOUTS = {"strip": BITSLICED_STRIP, "replicas": BITSLICED_REPLICAS}
REPLICAS = BITSLICED_BITS
_PATHS = path_numbers()


def paths():
    """Return the names of the instruction sets that this machine runs, the widest first.

    All of them give the same bits.
    """
    return supported_paths()


def fits_strip(shape):
    """Return whether a lattice of this shape can be a strip.

    A strip has two or three even axes, the first a multiple of 16 and the last of 128.
    """
    axes = [size for size in shape if size > 1]
    return (len(axes) > 1 and axes[0] % 16 == 0 and axes[len(axes) - 1] % 128 == 0
            and all(size % 2 == 0 for size in axes))


def check(shape, coupling, algorithm, layout):
    """Raise ValueError with one sentence if there is no such chain.

    Parameters
    ----------
    shape : tuple of int
        Sites on each axis.
    coupling : float
        K = J / (k_B T).
    algorithm : str
        One of ALGORITHMS.
    layout : str
        One of LAYOUTS.

    Raises
    ------
    ValueError
        If the algorithm or the layout is unknown, or the lattice does not fit them.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"unknown algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    if layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}: choose one of {', '.join(LAYOUTS)}")
    ising.check(shape, coupling, algorithm)
    if layout == "strip" and not fits_strip(shape):
        raise ValueError(
            f"a strip needs a first axis that is a multiple of 16 and a last one of 128, not "
            f"{'x'.join(map(str, shape))}: use replicas")


cdef bitsliced_chain describe(
        shape, coupling, algorithm, layout, blocks=1, path="auto") except *:
    """The C chain, after `check`."""
    check(shape, coupling, algorithm, layout)
    if path not in _PATHS or not path_supported(_PATHS[path]):
        raise ValueError(f"this machine has no path {path!r}: it runs {', '.join(paths())}")
    cdef bitsliced_chain chain
    chain.ising = chain_of(shape, coupling, algorithm, 1)
    chain.layout = LAYOUTS[layout]
    chain.path = _PATHS[path]
    chain.blocks = blocks
    check_status(bitsliced_check(&chain))
    return chain


cdef uint64_t[::1] words_of(array, shape, name):
    """The words of an array of this shape, after a check."""
    if (not isinstance(array, np.ndarray) or array.dtype != np.uint64 or array.shape != shape
            or not array.flags.c_contiguous):
        raise ValueError(f"{name} must be a C-contiguous uint64 array of shape {shape}")
    return array.reshape(-1)


cdef spins_shape(const bitsliced_chain *chain):
    cdef bitsliced_shape inner = bitsliced_shape_of(chain)
    return (2, inner.layers + 2, inner.rows, inner.columns, 8)


cdef uint64_t[::1] generators_of(array):
    if not isinstance(array, np.ndarray) or array.ndim != 3 or len(array) == 0:
        raise ValueError("generators must be a uint64 array of shape (blocks, 17, 8)")
    return words_of(array, (len(array), 17, 8), "generators")


def aligned(shape):
    """Return zeros at an address that is a multiple of 64, on which the kernels are fastest.

    Parameters
    ----------
    shape : tuple of int

    Returns
    -------
    ndarray of uint64
    """
    size = int(np.prod(shape))
    memory = np.zeros(size + 8, dtype=np.uint64)
    skip = -(memory.ctypes.data // 8) % 8
    return memory[skip : skip + size].reshape(shape)


def seed(rng, int64_t blocks):
    """Make the random state of a trajectory.

    Parameters
    ----------
    rng : ndarray of uint64, shape (4,)
        A key, not all zero; read only.
    blocks : int
        Parts of the lattice that have streams of their own (see `update`).

    Returns
    -------
    ndarray of uint64, shape (blocks, 17, 8)

    Raises
    ------
    ValueError
        If there is no block or the key is wrong.
    """
    if blocks < 1:
        raise ValueError(f"a lattice has at least 1 block, not {blocks}")
    if not np.any(rng):
        raise ValueError("rng must not be all zero")
    cdef uint64_t[::1] key = words_of(rng, (4,), "rng")
    generators = aligned((blocks, 17, 8))
    cdef uint64_t[::1] state = generators.reshape(-1)
    bitsliced_seed(&key[0], blocks, &state[0])
    return generators


def unpack(const uint8_t[:, ::1] packed, shape, layout):
    """Convert packed configurations to the spins of the sampler.

    Parameters
    ----------
    packed : ndarray of uint8, shape (1 or 512, ceil(sites / 8))
        ``np.packbits(spins > 0, bitorder="little")`` of one lattice (strip) or of 512 (replicas).
    shape : tuple of int
        Sites on each axis of a lattice.
    layout : {"strip", "replicas"}

    Returns
    -------
    ndarray of uint64, shape (2, layers + 2, rows, columns, 8)
    """
    cdef bitsliced_chain chain = describe(shape, 0.0, "heat-bath", layout)
    check_rows(packed.shape[0], packed.shape[1], shape, layout)
    spins = aligned(spins_shape(&chain))
    cdef uint64_t[::1] words = spins.reshape(-1)
    with nogil:
        bitsliced_unpack(&chain, &packed[0, 0], &words[0])
    return spins


cdef check_rows(int64_t rows, int64_t row_bytes, shape, layout):
    expected = (1 if layout == "strip" else REPLICAS, (int(np.prod(shape)) + 7) // 8)
    if (rows, row_bytes) != expected:
        raise ValueError(
            f"packed configurations must have shape {expected}, not {(rows, row_bytes)}")


def pack(spins, shape, layout, uint8_t[:, ::1] packed_out):
    """Convert spins to packed configurations; this is the inverse of `unpack`.

    Parameters
    ----------
    spins, shape, layout
        As `unpack` returns and takes them.
    packed_out : ndarray of uint8, shape (1 or 512, ceil(sites / 8))
        Filled.
    """
    cdef bitsliced_chain chain = describe(shape, 0.0, "heat-bath", layout)
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    check_rows(packed_out.shape[0], packed_out.shape[1], shape, layout)
    with nogil:
        bitsliced_pack(&chain, &words[0], &packed_out[0, 0])


def measure(spins, shape, layout, int64_t[::1] energy_out, int64_t[::1] magnetization_out):
    """Measure energies and magnetizations.

    Parameters
    ----------
    spins, shape, layout
        As in `pack`.
    energy_out, magnetization_out : ndarray of int64, shape (1,) or (512,)
        Filled with energies in J and with sums of the spins: one value for a strip, 512 values
        for replicas.
    """
    cdef bitsliced_chain chain = describe(shape, 0.0, "heat-bath", layout)
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    lattices = 1 if layout == "strip" else REPLICAS
    if energy_out.shape[0] != lattices or magnetization_out.shape[0] != lattices:
        raise ValueError(f"the outputs must have {lattices} values")
    with nogil:
        bitsliced_measure(&chain, &words[0], &energy_out[0], &magnetization_out[0])


def sweep(
        spins, generators, shape, double coupling, algorithm, layout, int64_t sweeps,
        path="auto"):
    """Advance the lattice or the replicas in place.

    Parameters
    ----------
    spins : ndarray of uint64, shape (2, layers + 2, rows, columns, 8)
        From `unpack`; updated.
    generators : ndarray of uint64, shape (blocks, 17, 8)
        From `seed`; updated. Together with the spins this is the whole state of the chain.
    shape : tuple of int
        Sites on each axis of a lattice: one to three even numbers.
    coupling : float
        K = J / (k_B T).
    algorithm : {"metropolis", "heat-bath"}
        As in `rsmi.models.ising.chain.sweep`.
    layout : {"strip", "replicas"}
        One lattice (see `fits_strip`) or 512 lattices.
    sweeps : int
        Attempts per spin.
    path : {"auto", "avx512", "avx2", "sse2", "portable"}
        Instructions to use; all give the same bits.

    Raises
    ------
    ValueError
        If the lattice, the arrays and the algorithm do not fit together, or the machine lacks
        the instructions.
    """
    cdef uint64_t[::1] streams = generators_of(generators)
    cdef bitsliced_chain chain = describe(shape, coupling, algorithm, layout, len(generators), path)
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    cdef int status
    with nogil:
        status = bitsliced_sweep(&chain, sweeps, &words[0], &streams[0])
    check_status(status)


def sample_chain(
        spins, generators, shape, double coupling, algorithm, layout, int64_t interval,
        uint8_t[:, ::1] packed_out, int64_t[::1] energy_out, int64_t[::1] magnetization_out):
    """Fill the outputs, with ``interval`` sweeps before each row.

    For replicas there are ``interval`` sweeps before each 512 rows, one of every replica.

    Parameters
    ----------
    spins, generators, shape, coupling, algorithm, layout
        As in `sweep`; spins and generators are left where the chain ends.
    packed_out : ndarray of uint8, shape (rows, ceil(sites / 8))
        As in `pack`.
    energy_out, magnetization_out : ndarray of int64, shape (rows,)
        As in `measure`.

    Raises
    ------
    ValueError
        If the lattice, the arrays and the algorithm do not fit together.
    """
    cdef uint64_t[::1] streams = generators_of(generators)
    cdef bitsliced_chain chain = describe(shape, coupling, algorithm, layout, len(generators))
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    cdef int64_t lattices = 1 if layout == "strip" else REPLICAS, rows = packed_out.shape[0]
    cdef int status
    if rows % lattices or energy_out.shape[0] != rows or magnetization_out.shape[0] != rows:
        raise ValueError(
            f"the outputs must have the same number of rows, a multiple of {lattices}")
    check_rows(lattices, packed_out.shape[1], shape, layout)
    if rows == 0:
        return
    with nogil:
        status = bitsliced_sample(
            &chain, interval, rows // lattices, &words[0], &streams[0], &packed_out[0, 0],
            &energy_out[0], &magnetization_out[0])
    check_status(status)


def update(
        spins, generators, shape, double coupling, algorithm, layout, int sublattice,
        int64_t block, path="auto"):
    """Update one block of one sublattice, for threads.

    A sweep is ``update`` of every block of sublattice 0, in any order or at once,
    ``renew_halo`` of it, then the same for sublattice 1.

    Parameters
    ----------
    spins, generators, shape, coupling, algorithm, layout, path
        As in `sweep`.
    sublattice : int
        0 (even) or 1 (odd).
    block : int
        Number of the block, below len(generators).
    """
    cdef uint64_t[::1] streams = generators_of(generators)
    cdef bitsliced_chain chain = describe(shape, coupling, algorithm, layout, len(generators), path)
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    if sublattice not in (0, 1) or not 0 <= block < len(generators):
        raise ValueError(f"no block {block} of sublattice {sublattice}")
    with nogil:
        bitsliced_update(&chain, sublattice, block, &words[0], &streams[0])


def renew_halo(spins, shape, layout, int sublattice):
    """Copy the edges of a sublattice to its halo, where its neighbours read them.

    Parameters
    ----------
    spins, shape, layout, sublattice
        As in `update`.
    """
    cdef bitsliced_chain chain = describe(shape, 0.0, "heat-bath", layout)
    cdef uint64_t[::1] words = words_of(spins, spins_shape(&chain), "spins")
    if sublattice not in (0, 1):
        raise ValueError(f"no sublattice {sublattice}")
    with nogil:
        bitsliced_renew_halo(&chain, sublattice, &words[0])
