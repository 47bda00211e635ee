"""Coverings of the square lattice by interacting dimers (see csrc/dimers_loop.h)."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

import math

import numpy as np

from rsmi.models.dimers.worm cimport check_chains, covering_error, describe, dimer_lattice
from rsmi.kernels.status cimport check_status

cdef extern from "models/dimers/dimers_loop.h":
    int64_t dimer_loop_workspace(const dimer_lattice *lattice)
    int dimer_loop_sample(const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms, int64_t first, int64_t count,
                          int8_t *partners, uint64_t *rng, uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs, int64_t *steps) nogil
    void dimer_loop_scatter(const int *parallel, double coupling, double *probability)
    const double DIMER_LOOP_LEAST_COUPLING


def least_coupling(shape, boundary):
    """The strongest repulsion at which worms close: -10, and 0 on ladders (open, two wide)."""
    return 0.0 if boundary == "open" and min(shape) == 2 else DIMER_LOOP_LEAST_COUPLING


def sample_chains(partners, double coupling, rng, boundary, int64_t worms, int64_t first, int64_t[::1] parallel_pairs_out,
                  uint8_t[:, ::1] links_out, int64_t[::1] steps_out):
    """Rows of interacting dimers from independent chains in turn: row j of the output is made by chain (first + j) mod chains.

    Parameters
    ----------
    partners : ndarray of int8, shape (chains, Lx, Ly)
        Direction of each vertex's partner: 0 next x, 1 next y, 2 previous x, 3 previous y; updated.
    coupling : float
        K of the weight exp(K N), N the number of plaquettes with two parallel dimers; of either sign, 0 for free dimers, at least
        ``least_coupling(shape, boundary)``.
    rng : ndarray of uint64, shape (chains, 4)
        States of xoshiro256++; updated.
    boundary : {"periodic", "open"}
    worms : int
        Worms before each row, at least 1.
    first : int
        Rows these chains have made so far.
    parallel_pairs_out : ndarray of int64, shape (count,)
        Plaquettes with two parallel dimers.
    links_out : ndarray of uint8, shape (count, ceil(2 Lx Ly / 8))
        Packed (2, Lx, Ly): x-link and y-link of every vertex, 1 = dimer.
    steps_out : ndarray of int64, shape (count,)
        Steps the worms took.

    Raises
    ------
    ValueError
        If the lattice is none, partners are no covering, or the coupling cannot be.
    """
    check_chains(partners, rng, worms, first, parallel_pairs_out, links_out, steps_out)
    cdef dimer_lattice lattice = describe(partners.shape[1:], boundary)
    cdef int64_t chains = len(partners), count = len(links_out)
    if not math.isfinite(coupling):
        raise ValueError(f"the coupling of dimers must be finite, not {coupling:g}")
    if coupling < least_coupling(partners.shape[1:], boundary):
        raise ValueError(f"the coupling {coupling:g} repels too much, worms would hardly close: at least {least_coupling(partners.shape[1:], boundary):g}")
    cdef int8_t[:, :, ::1] directions = partners
    cdef uint64_t[:, ::1] state = rng
    cdef uint64_t[::1] workspace = np.empty(dimer_loop_workspace(&lattice), dtype=np.uint64)
    cdef int status
    if count == 0:
        return
    with nogil:
        status = dimer_loop_sample(&lattice, coupling, chains, worms, first, count, &directions[0, 0, 0], &state[0, 0], &workspace[0],
                                   &links_out[0, 0], &parallel_pairs_out[0], &steps_out[0])
    if status == -2:
        raise covering_error(partners, boundary)
    check_status(status)


def scatter(parallel, double coupling):
    """Probabilities (4,) that the head of a worm goes on through link k of its vertex, having come by link 0.

    parallel : four integers, the parallel neighbours (0, 1, 2) that a dimer on link k would have; 3: there is no link k.
    """
    cdef int[4] counts
    cdef double[::1] probability = np.empty(4)
    if len(parallel) != 4 or not all(0 <= count <= 3 for count in parallel) or parallel[0] == 3:
        raise ValueError("parallel must be four numbers of 0 to 3, the first below 3")
    counts = parallel
    dimer_loop_scatter(counts, coupling, &probability[0])
    return np.asarray(probability)
