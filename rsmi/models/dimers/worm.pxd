"""The lattice of dimers and the checks that the wrappers of both samplers share."""

from libc.stdint cimport int64_t

cdef extern from "models/dimers/dimers.h":
    ctypedef struct dimer_lattice:
        int64_t rows, columns
        int open

cdef dimer_lattice describe(shape, boundary) except *
cdef int check_chains(
    partners, rng, int64_t worms, int64_t first, parallel_pairs_out, links_out,
    steps_out) except -1
cdef covering_error(partners, boundary)
