from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.blocking cimport block_rule, rule_of
from rsmi.kernels.status cimport RSMI_BAD_SHAPE, RSMI_UNSUPPORTED, check_status


cdef extern from "blocking/operators.h":
    enum:
        OPERATOR_SPINS
    int c_operator_sums "operator_sums"(const uint8_t *rows, int64_t n_samples, const int64_t *shape, const int32_t *terms,
                                        const int32_t *term_operator, int64_t n_terms, int64_t n_operators,
                                        int64_t *sums) nogil

cdef extern from "blocking/operator_products.h":
    int c_accumulate_levels "accumulate_levels"(const int64_t *sums, const int64_t *energies, const int64_t *blocks, int64_t n_levels,
                                                int64_t n_samples, const int64_t *n_operators, int64_t n_blocks, int64_t **products) nogil

cdef extern from "blocking/levels.h":
    int c_level_sums "level_sums"(const uint8_t *rows, int64_t n_samples, const int64_t *shape, const block_rule *rule, int64_t steps,
                                  const uint64_t *keys, const uint64_t *samples, const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                                  int64_t n_operators, int64_t *sums) nogil


cdef check_terms(const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int32_t[:, :, ::1] terms, const int32_t[::1] term_operator):
    if shape.shape[0] != 3 or min(shape[0], shape[1], shape[2]) < 1 or rows.shape[1] != (shape[0] * shape[1] * shape[2] + 7) // 8:
        raise ValueError("rows must be (n, ceil(sites / 8)) of a shape of three axes")
    if terms.shape[0] < 1 or terms.shape[1] != OPERATOR_SPINS or terms.shape[2] != 3 or term_operator.shape[0] != terms.shape[0]:
        raise ValueError("terms must be (n_terms, 4, 3) and term_operator (n_terms,)")


def operator_sums(const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int32_t[:, :, ::1] terms,
                  const int32_t[::1] term_operator, int64_t n_operators):
    """Lattice sums (n, n_operators) of packed rows of a lattice of three axes; see csrc/operators.h for the table of terms."""
    cdef int64_t n = rows.shape[0], n_terms = terms.shape[0]
    check_terms(rows, shape, terms, term_operator)
    sums = np.zeros((n, n_operators), dtype=np.int64)
    cdef int64_t[:, ::1] out = sums
    if n == 0:
        return sums
    cdef int status
    with nogil:
        status = c_operator_sums(&rows[0, 0], n, &shape[0], &terms[0, 0, 0], &term_operator[0], n_terms, n_operators, &out[0, 0])
    check_status(status)
    return sums


def level_sums(const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int64_t[::1] block, const double[:, ::1] filters,
               const double[::1] bias, bint hard, const uint64_t[:, ::1] keys, const uint64_t[::1] samples, const int32_t[:, :, ::1] terms,
               const int32_t[::1] term_operator, int64_t n_operators):
    """Sums (steps + 1, n, n_operators) on every level of blocking squares by a hard rule, None for another lattice or rule; see csrc/levels.h."""
    cdef int64_t n = rows.shape[0], n_terms = terms.shape[0], steps = keys.shape[0]
    cdef block_rule rule = rule_of(shape, block, filters, bias, hard)
    check_terms(rows, shape, terms, term_operator)
    if samples.shape[0] != n or keys.shape[1] != 2:
        raise ValueError("samples must be (n,) and keys (steps, 2)")
    sums = np.empty((steps + 1, n, n_operators), dtype=np.int64)
    cdef int64_t[:, :, ::1] out = sums
    if n == 0:
        return sums
    cdef int status
    cdef uint64_t none
    cdef const uint64_t *key = &keys[0, 0] if steps else &none
    with nogil:
        status = c_level_sums(&rows[0, 0], n, &shape[0], &rule, steps, key, &samples[0], &terms[0, 0, 0], &term_operator[0], n_terms,
                              n_operators, &out[0, 0, 0])
    if status == RSMI_UNSUPPORTED or status == RSMI_BAD_SHAPE:
        return None
    check_status(status)
    return sums


def accumulate_levels(const int64_t[:, :, ::1] sums, const int64_t[::1] energies, const int64_t[::1] blocks, int64_t[:, :, :, ::1] even,
                      int64_t[:, :, :, ::1] odd):
    """Add the products of sums (levels, n, operators) to even and odd (n_blocks, levels, k, 2 + 2 k); see csrc/operators.h."""
    cdef int64_t levels = sums.shape[0], n = sums.shape[1]
    cdef int64_t[2] n_operators = [even.shape[2], odd.shape[2]]
    cdef int64_t *targets[2]
    cdef int status
    if energies.shape[0] != n or blocks.shape[0] != n or sums.shape[2] != n_operators[0] + n_operators[1]:
        raise ValueError("sums (levels, n, operators), energies (n,) and blocks (n,) must agree")
    if any((*products.shape[:2], products.shape[3]) != (len(even), levels, 2 + 2 * products.shape[2]) for products in map(np.asarray, (even, odd))):
        raise ValueError("products must be (n_blocks, levels, k, 2 + 2 k)")
    if n == 0 or levels == 0 or n_operators[0] == 0 or n_operators[1] == 0:
        return
    if np.min(blocks) < 0 or np.max(blocks) >= even.shape[0]:
        raise ValueError("a block number is outside the products")
    targets[0], targets[1] = &even[0, 0, 0, 0], &odd[0, 0, 0, 0]
    with nogil:
        status = c_accumulate_levels(&sums[0, 0, 0], &energies[0], &blocks[0], levels, n, n_operators, even.shape[0], targets)
    check_status(status)
