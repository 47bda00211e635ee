"""Cluster algorithms for spins on any lattice (csrc/models/lattice/lattice_clusters.h)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status, require

cdef extern from "models/lattice/lattice_clusters.h":
    enum:
        LATTICE_SWENDSEN_WANG
        LATTICE_WOLFF
    ctypedef struct lattice_clusters:
        int64_t sites, groups
        const int64_t *start
        const int32_t *neighbour
        const int32_t *group
        const uint64_t *threshold
        const uint8_t *unlike
        double field
        int algorithm
    int lattice_clusters_check(const lattice_clusters *system) nogil
    int lattice_clusters_sample(
        const lattice_clusters *system, int64_t updates, int64_t count, uint8_t *spins,
        uint64_t *rng, int32_t *workspace, uint8_t *rows, int64_t *flipped) nogil

_NUMBERS = {"swendsen-wang": LATTICE_SWENDSEN_WANG, "wolff": LATTICE_WOLFF}
ALGORITHMS = tuple(_NUMBERS)


cdef class Bonds:
    """The bonds of a lattice as the kernels take them.

    Parameters
    ----------
    start : ndarray of int64, shape (sites + 1,)
        The neighbours of site i are entries ``start[i]:start[i + 1]``; every bond is stored at both
        of its ends.
    neighbours, groups : ndarray of int32
        The other end of every bond, and the group to which it belongs.
    thresholds : ndarray of uint64, shape (groups,)
        1 - exp(-2 |K|) of every group, times 2^64.
    unlike : ndarray of uint8, shape (groups,)
        1 if unlike spins satisfy the bonds of a group, 0 if alike ones do.
    field : float
        K h.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or the field is not finite.
    """

    cdef object arrays
    cdef lattice_clusters system

    def __init__(
            self, const int64_t[::1] start, const int32_t[::1] neighbours,
            const int32_t[::1] groups, const uint64_t[::1] thresholds,
            const uint8_t[::1] unlike, double field):
        cdef int64_t sites = start.shape[0] - 1
        require(
            sites > 0 and neighbours.shape[0] > 0 and start[sites] == neighbours.shape[0]
            and groups.shape[0] == neighbours.shape[0],
            "start must end with the number of neighbours, at least 1")
        require(
            thresholds.shape[0] > 0 and unlike.shape[0] == thresholds.shape[0],
            "every group needs a threshold and a sign")
        self.arrays = (start, neighbours, groups, thresholds, unlike)
        self.system.sites, self.system.groups = sites, thresholds.shape[0]
        self.system.start, self.system.neighbour = &start[0], &neighbours[0]
        self.system.group, self.system.threshold = &groups[0], &thresholds[0]
        self.system.unlike, self.system.field = &unlike[0], field
        check_status(lattice_clusters_check(&self.system))


def sample_clusters(
        Bonds bonds, uint8_t[::1] spins, rng, algorithm, int64_t updates,
        uint8_t[:, ::1] rows_out):
    """Fill the output with packed configurations of one chain, ``updates`` before each.

    Parameters
    ----------
    bonds : Bonds
    spins : ndarray of uint8, shape (sites,)
        0 or 1; updated.
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    algorithm : {"swendsen-wang", "wolff"}
    updates : int
        Sweeps of all clusters, or single clusters.
    rows_out : ndarray of uint8, shape (count, ceil(sites / 8))

    Returns
    -------
    int
        The number of spins that were flipped.

    Raises
    ------
    ValueError
        If the arrays do not fit the lattice.
    """
    cdef int64_t sites = bonds.system.sites, flipped = 0
    cdef int status
    cdef lattice_clusters system = bonds.system
    require(algorithm in _NUMBERS, "the algorithm is swendsen-wang or wolff")
    require(
        isinstance(rng, np.ndarray) and rng.dtype == np.uint64 and rng.shape == (4,),
        "rng must be a uint64 array of 4 words")
    require(spins.shape[0] == sites, "spins need one entry for every site")
    require(not np.any(np.asarray(spins) > 1), "spins must be 0 or 1")
    require(rows_out.shape[1] == (sites + 7) // 8, "a row has one bit for every site")
    system.algorithm = _NUMBERS[algorithm]
    cdef uint64_t[::1] state = rng
    cdef int32_t[::1] workspace = np.empty(2 * sites, dtype=np.int32)
    if rows_out.shape[0] == 0:
        return 0
    with nogil:
        status = lattice_clusters_sample(
            &system, updates, rows_out.shape[0], &spins[0], &state[0], &workspace[0],
            &rows_out[0, 0], &flipped)
    check_status(status)
    return flipped
