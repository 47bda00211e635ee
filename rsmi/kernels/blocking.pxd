"""A block rule as the kernels take it, for the wrappers of blocking and of operators."""

from libc.stdint cimport int64_t, uint64_t

cdef extern from "blocking/block_rule.h":
    ctypedef struct block_rule:
        int64_t block[3]
        int64_t n_hidden
        const double *filters
        const double *bias
        int hard
        int64_t components
        int64_t n_products
        const uint64_t *products

cdef block_rule rule_of(
    const int64_t[::1] shape, const int64_t[::1] block, const double[:, ::1] filters,
    const double[::1] bias, bint hard, const uint64_t[::1] products, int64_t components) except *
