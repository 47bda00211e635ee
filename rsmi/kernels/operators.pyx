from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

from rsmi.kernels.status cimport check_status


cdef extern from "operators.h":
    enum:
        OPERATOR_SPINS
    int c_operator_sums "operator_sums"(const uint8_t *rows, int64_t n_samples, const int64_t *shape, const int32_t *terms,
                                        const int32_t *term_operator, int64_t n_terms, int64_t n_operators,
                                        int64_t *sums) nogil
    int c_accumulate_products "accumulate_products"(const int64_t *left, const int64_t *right, const int64_t *blocks,
                                                    int64_t n_samples, int64_t n_left, int64_t n_right,
                                                    int64_t *products) nogil


def operator_sums(const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int32_t[:, :, ::1] terms,
                  const int32_t[::1] term_operator, int64_t n_operators):
    """Lattice sums (n, n_operators) of packed rows of a lattice of three axes; see csrc/operators.h for the table of terms."""
    cdef int64_t n = rows.shape[0], n_terms = terms.shape[0]
    if shape.shape[0] != 3 or min(shape[0], shape[1], shape[2]) < 1 or rows.shape[1] != (shape[0] * shape[1] * shape[2] + 7) // 8:
        raise ValueError("rows must be (n, ceil(sites / 8)) of a shape of three axes")
    if n_terms < 1 or terms.shape[1] != OPERATOR_SPINS or terms.shape[2] != 3 or term_operator.shape[0] != n_terms:
        raise ValueError("terms must be (n_terms, 4, 3) and term_operator (n_terms,)")
    sums = np.zeros((n, n_operators), dtype=np.int64)
    cdef int64_t[:, ::1] out = sums
    if n == 0:
        return sums
    cdef int status
    with nogil:
        status = c_operator_sums(&rows[0, 0], n, &shape[0], &terms[0, 0, 0], &term_operator[0], n_terms, n_operators, &out[0, 0])
    check_status(status)
    return sums


def accumulate_products(const int64_t[:, ::1] left, const int64_t[:, ::1] right, const int64_t[::1] blocks,
                        int64_t[:, :, ::1] products):
    """Add left[i] (x) right[i] to products[blocks[i]] for every sample i."""
    cdef int64_t n = left.shape[0], p = left.shape[1], q = right.shape[1]
    if right.shape[0] != n or blocks.shape[0] != n or products.shape[1] != p or products.shape[2] != q:
        raise ValueError("left (n, p), right (n, q), blocks (n,) and products (n_blocks, p, q) must agree")
    if n == 0 or p == 0 or q == 0:
        return
    if np.min(blocks) < 0 or np.max(blocks) >= products.shape[0]:
        raise ValueError("a block number is outside the products")
    cdef int status
    with nogil:
        status = c_accumulate_products(&left[0, 0], &right[0, 0], &blocks[0], n, p, q, &products[0, 0, 0])
    check_status(status)
