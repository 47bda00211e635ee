"""The Ising chain as the kernels take it, for the wrappers of plain and of bit-sliced chains."""

from libc.stdint cimport int64_t

cdef extern from "models/ising/ising_chain.h":
    enum:
        ISING_METROPOLIS
        ISING_HEAT_BATH
        ISING_SWENDSEN_WANG
        ISING_WOLFF
    ctypedef struct ising_chain:
        int64_t depth, height, width
        double coupling
        int algorithm
        int64_t clusters_per_sweep

cdef ising_chain chain_of(shape, coupling, algorithm, clusters_per_sweep) except *
