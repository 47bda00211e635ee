"""Markov chains of the nearest-neighbour Ising model (csrc/models/ising/ising.h)."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

import math

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "models/ising/ising.h":
    int64_t ising_workspace(const ising_chain *chain)
    int ising_sweep(
        const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t *rng,
        uint64_t *workspace) nogil
    int ising_sample(
        const ising_chain *chain, int64_t interval, int64_t count, int8_t *spins, uint64_t *rng,
        uint64_t *workspace, uint8_t *packed, int64_t *energy, int64_t *magnetization) nogil
    int64_t ising_energy(const ising_chain *chain, const int8_t *spins) nogil
    int64_t ising_magnetization(const ising_chain *chain, const int8_t *spins) nogil

_NUMBERS = {
    "metropolis": ISING_METROPOLIS,
    "heat-bath": ISING_HEAT_BATH,
    "swendsen-wang": ISING_SWENDSEN_WANG,
    "wolff": ISING_WOLFF,
}
ALGORITHMS = tuple(_NUMBERS)
CLUSTER_ALGORITHMS = ("swendsen-wang", "wolff")


cdef int8_t[::1] flat(spins):
    """The lattice as one row of memory, after checks that keep the kernels inside their arrays."""
    if not isinstance(spins, np.ndarray) or spins.dtype != np.int8 or not spins.flags.c_contiguous:
        raise ValueError("spins must be a C-contiguous int8 array")
    if not 1 <= spins.ndim <= 3 or spins.size == 0:
        raise ValueError(f"spins must have one to three axes of size >= 2, not shape {spins.shape}")
    if not np.all(np.abs(spins) == 1):
        raise ValueError("spins must be +1 or -1")
    return spins.reshape(-1)


cdef uint64_t[::1] stream(rng):
    """The state of a generator, after a check."""
    if (not isinstance(rng, np.ndarray) or rng.dtype != np.uint64 or rng.shape != (4,)
            or not rng.any()):
        raise ValueError("rng must be a uint64 array of 4 words, not all zero")
    return rng


def check(shape, coupling, algorithm, clusters_per_sweep=1):
    """Raise ValueError with one sentence if there is no such chain.

    Parameters
    ----------
    shape : tuple of int
        Sites on each axis.
    coupling : float
        K = J / (k_B T).
    algorithm : str
        One of ALGORITHMS.
    clusters_per_sweep : int
        Wolff clusters in one sweep.

    Raises
    ------
    ValueError
        If the algorithm is unknown, or if a size, the coupling or clusters_per_sweep is
        outside its range.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"unknown algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    if not math.isfinite(coupling) or (coupling < 0 and algorithm in CLUSTER_ALGORITHMS):
        raise ValueError(
            f"{algorithm} cannot use the coupling {coupling:g}: it must be finite, and not "
            f"negative for clusters")
    if clusters_per_sweep < 1:
        raise ValueError(f"clusters_per_sweep must be at least 1, not {clusters_per_sweep}")
    padded = (1,) * (3 - len(shape)) + tuple(shape)
    first = next((axis for axis, size in enumerate(padded[:2]) if size != 1), 2)
    for size in padded[first:]:
        if size < 2:
            raise ValueError(
                f"every axis needs a size of at least 2, but the lattice is "
                f"{'x'.join(map(str, shape))}")
        if size % 2 and algorithm not in CLUSTER_ALGORITHMS:
            raise ValueError(
                f"{algorithm} updates in checkerboard order and needs even sizes, but one axis "
                f"has size {size}")
    if math.prod(shape) >= 2**31:
        raise ValueError(
            f"a lattice of {math.prod(shape)} sites is too large: the limit is 2^31 - 1")


cdef ising_chain chain_of(shape, coupling, algorithm, clusters_per_sweep) except *:
    """The C chain on a lattice of this shape, after `check`."""
    check(shape, coupling, algorithm, clusters_per_sweep)
    cdef ising_chain chain
    chain.depth, chain.height, chain.width = (1,) * (3 - len(shape)) + tuple(shape)
    chain.coupling = coupling
    chain.algorithm = _NUMBERS[algorithm]
    chain.clusters_per_sweep = clusters_per_sweep
    return chain


def sweep(spins, double coupling, rng, algorithm, int64_t sweeps, int64_t clusters_per_sweep=1):
    """Advance one chain in place.

    Parameters
    ----------
    spins : ndarray of int8, +1 or -1, one to three axes
        The lattice, periodic; updated.
    coupling : float
        K = J / (k_B T); not negative for the cluster algorithms.
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    algorithm : {"metropolis", "heat-bath", "swendsen-wang", "wolff"}
        The first two update in checkerboard order and need even sizes. Metropolis always accepts
        moves of zero cost, except where this is not ergodic (one axis, axes of size 2 or 4,
        K = 0): there it accepts them with probability 1/2.
    sweeps : int
        One sweep is one attempt per site, one Swendsen-Wang step, or ``clusters_per_sweep``
        Wolff clusters.

    Raises
    ------
    ValueError
        If the lattice, the coupling or the algorithm do not fit together.
    """
    cdef int8_t[::1] sites = flat(spins)
    cdef uint64_t[::1] state = stream(rng)
    cdef ising_chain chain = chain_of(spins.shape, coupling, algorithm, clusters_per_sweep)
    cdef uint64_t[::1] workspace = np.empty(ising_workspace(&chain) + 1, dtype=np.uint64)
    cdef int status
    with nogil:
        status = ising_sweep(&chain, sweeps, &sites[0], &state[0], &workspace[0])
    check_status(status)


def sample_chain(
        spins, double coupling, rng, algorithm, int64_t interval, int64_t count,
        int64_t clusters_per_sweep, uint8_t[:, ::1] packed_out, int64_t[::1] energy_out,
        int64_t[::1] magnetization_out):
    """Repeat ``count`` times: ``interval`` sweeps, then store the configuration and measure it.

    Parameters
    ----------
    spins, coupling, rng, algorithm, clusters_per_sweep
        As in `sweep`; spins and rng are left where the chain ends.
    packed_out : ndarray of uint8, shape (count, ceil(sites / 8))
        ``np.packbits(spins > 0, bitorder="little")`` of each configuration.
    energy_out : ndarray of int64, shape (count,)
        Minus the sum of products over all bonds, in J.
    magnetization_out : ndarray of int64, shape (count,)
        Sum of the spins.
    """
    cdef int8_t[::1] sites = flat(spins)
    cdef uint64_t[::1] state = stream(rng)
    cdef ising_chain chain = chain_of(spins.shape, coupling, algorithm, clusters_per_sweep)
    cdef uint64_t[::1] workspace = np.empty(ising_workspace(&chain) + 1, dtype=np.uint64)
    cdef int status
    if (packed_out.shape[0] != count or energy_out.shape[0] != count
            or magnetization_out.shape[0] != count):
        raise ValueError(f"the outputs must have {count} rows")
    if packed_out.shape[1] != (sites.shape[0] + 7) // 8:
        raise ValueError(
            f"a packed row of {sites.shape[0]} sites has {(sites.shape[0] + 7) // 8} bytes, not "
            f"{packed_out.shape[1]}")
    if count == 0:
        return
    with nogil:
        status = ising_sample(
            &chain, interval, count, &sites[0], &state[0], &workspace[0], &packed_out[0, 0],
            &energy_out[0], &magnetization_out[0])
    check_status(status)


def measure(spins):
    """Measure one lattice.

    Parameters
    ----------
    spins : ndarray of int8, +1 or -1, one to three axes

    Returns
    -------
    energy : int
        Minus the sum of products over all bonds, in J.
    magnetization : int
        Sum of the spins.

    Raises
    ------
    ValueError
        If this is no lattice of spins.
    """
    cdef int8_t[::1] sites = flat(spins)
    cdef ising_chain chain = chain_of(spins.shape, 0.0, "swendsen-wang", 1)
    cdef int64_t energy, magnetization
    with nogil:
        energy = ising_energy(&chain, &sites[0])
        magnetization = ising_magnetization(&chain, &sites[0])
    return energy, magnetization
