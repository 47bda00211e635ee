"""Coverings of the square lattice by interacting dimers (csrc/models/dimers/dimers_loop.h)."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

import math

import numpy as np

from rsmi.kernels.status cimport RSMI_BAD_VALUE, check_status
from rsmi.models.dimers.worm cimport check_chains, covering_error, describe, dimer_lattice

cdef extern from "models/dimers/dimers_loop.h":
    const double DIMER_LOOP_LEAST_COUPLING
    int64_t dimer_loop_workspace(const dimer_lattice *lattice)
    int dimer_loop_sample(
        const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms,
        int64_t first, int64_t count, int8_t *partners, uint64_t *rng, uint64_t *workspace,
        uint8_t *packed, int64_t *parallel_pairs, int64_t *steps) nogil
    void dimer_loop_scatter(const int *parallel, double coupling, double *probability)


def least_coupling(shape, boundary):
    """Return the least coupling (the strongest repulsion) at which worms close.

    It is -10, and 0 on ladders (open lattices that are two wide).
    """
    return 0.0 if boundary == "open" and min(shape) == 2 else DIMER_LOOP_LEAST_COUPLING


def sample_chains(
        partners, double coupling, rng, boundary, int64_t worms, int64_t first,
        int64_t[::1] parallel_pairs_out, uint8_t[:, ::1] links_out, int64_t[::1] steps_out):
    """Sample rows of interacting dimers from independent chains in turn.

    Row j of the output is made by chain (first + j) mod chains.

    Parameters
    ----------
    partners : ndarray of int8, shape (chains, Lx, Ly)
        Direction of the partner of each vertex: 0 next x, 1 next y, 2 previous x, 3 previous y;
        updated.
    coupling : float
        K of the weight exp(K N), where N is the number of plaquettes with two parallel dimers.
        It has either sign, is 0 for free dimers, and is at least
        ``least_coupling(shape, boundary)``.
    rng : ndarray of uint64, shape (chains, 4)
        States of xoshiro256++; updated.
    boundary : {"periodic", "open"}
    worms : int
        Number of worms before each row, at least 1.
    first : int
        Number of rows that these chains have made so far.
    parallel_pairs_out : ndarray of int64, shape (count,)
        Number of plaquettes with two parallel dimers.
    links_out : ndarray of uint8, shape (count, ceil(2 Lx Ly / 8))
        Packed (2, Lx, Ly): x-link and y-link of every vertex, 1 = dimer.
    steps_out : ndarray of int64, shape (count,)
        Number of steps that the worms took.

    Raises
    ------
    ValueError
        If there is no such lattice, the arrays do not fit it, partners are no covering, or the
        coupling is outside its range.
    """
    check_chains(partners, rng, worms, first, parallel_pairs_out, links_out, steps_out)
    cdef dimer_lattice lattice = describe(partners.shape[1:], boundary)
    cdef int64_t chains = len(partners), count = len(links_out)
    if not math.isfinite(coupling):
        raise ValueError(f"the coupling of dimers must be finite, not {coupling:g}")
    least = least_coupling(partners.shape[1:], boundary)
    if coupling < least:
        raise ValueError(
            f"the coupling {coupling:g} repels too much, worms would hardly close: at least "
            f"{least:g}")
    cdef int8_t[:, :, ::1] directions = partners
    cdef uint64_t[:, ::1] state = rng
    cdef uint64_t[::1] workspace = np.empty(dimer_loop_workspace(&lattice), dtype=np.uint64)
    cdef int status
    if count == 0:
        return
    with nogil:
        status = dimer_loop_sample(
            &lattice, coupling, chains, worms, first, count, &directions[0, 0, 0], &state[0, 0],
            &workspace[0], &links_out[0, 0], &parallel_pairs_out[0], &steps_out[0])
    if status == RSMI_BAD_VALUE:
        raise covering_error(partners, boundary)
    check_status(status)


def scatter(parallel, double coupling):
    """Compute where the head of a worm goes that came through link 0 of its vertex.

    Parameters
    ----------
    parallel : sequence of four int
        The number of parallel neighbours (0, 1, 2) that a dimer on link k would have; 3 if there
        is no link k.
    coupling : float
        K of the weight exp(K N).

    Returns
    -------
    ndarray of float64, shape (4,)
        Probabilities to go on through link k.

    Raises
    ------
    ValueError
        If parallel are no such numbers.
    """
    cdef int[4] counts
    cdef double[::1] probability = np.empty(4)
    if len(parallel) != 4 or not all(0 <= count <= 3 for count in parallel) or parallel[0] == 3:
        raise ValueError("parallel must be four numbers of 0 to 3, the first below 3")
    counts = parallel
    dimer_loop_scatter(counts, coupling, &probability[0])
    return np.asarray(probability)
