"""Lattice sums of spin operators and sums of their products (csrc/blocking/operators.c, levels.c
and operator_products.c)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.blocking cimport block_rule, rule_of
from rsmi.kernels.status cimport RSMI_BAD_SHAPE, RSMI_UNSUPPORTED, check_status

cdef extern from "blocking/operators.h":
    enum:
        OPERATOR_SPINS
    int c_operator_sums "operator_sums"(
        const uint8_t *rows, int64_t n_samples, const int64_t *shape, const int32_t *terms,
        const int32_t *term_operator, int64_t n_terms, int64_t n_operators, int64_t *sums) nogil

cdef extern from "blocking/operator_products.h":
    int c_accumulate_levels "accumulate_levels"(
        const int64_t *sums, const int64_t *energies, const int64_t *blocks, int64_t n_levels,
        int64_t n_samples, const int64_t *n_operators, int64_t n_blocks,
        int64_t **products) nogil

cdef extern from "blocking/levels.h":
    int c_level_sums "level_sums"(
        const uint8_t *rows, int64_t n_samples, const int64_t *shape, const block_rule *rule,
        int64_t steps, const uint64_t *keys, const uint64_t *samples, const int32_t *terms,
        const int32_t *term_operator, int64_t n_terms, int64_t n_operators, int64_t *sums) nogil


cdef check_terms(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int32_t[:, :, ::1] terms,
        const int32_t[::1] term_operator):
    """Raise ValueError unless the rows fit the lattice and the table of terms has its shape."""
    if (shape.shape[0] != 3 or min(shape[0], shape[1], shape[2]) < 1
            or rows.shape[1] != (shape[0] * shape[1] * shape[2] + 7) // 8):
        raise ValueError("rows must be (n, ceil(sites / 8)) of a shape of three axes")
    if (terms.shape[0] < 1 or terms.shape[1] != OPERATOR_SPINS or terms.shape[2] != 3
            or term_operator.shape[0] != terms.shape[0]):
        raise ValueError("terms must be (n_terms, 4, 3) and term_operator (n_terms,)")


def operator_sums(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int32_t[:, :, ::1] terms,
        const int32_t[::1] term_operator, int64_t n_operators):
    """Sum spin operators over the lattice.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(sites / 8))
        Packed configurations, bit 1 = spin +1.
    shape : ndarray of int64, shape (3,)
        Sites of the lattice on each axis; absent leading axes are 1.
    terms : ndarray of int32, shape (n_terms, 4, 3)
        Points of the products of spins; see csrc/blocking/operators.h.
    term_operator : ndarray of int32, shape (n_terms,)
        The operator to which each term belongs.
    n_operators : int

    Returns
    -------
    ndarray of int64, shape (n, n_operators)

    Raises
    ------
    ValueError
        If the arrays do not fit together or a term is malformed.
    """
    cdef int64_t n = rows.shape[0], n_terms = terms.shape[0]
    check_terms(rows, shape, terms, term_operator)
    sums = np.zeros((n, n_operators), dtype=np.int64)
    cdef int64_t[:, ::1] out = sums
    if n == 0:
        return sums
    cdef int status
    with nogil:
        status = c_operator_sums(
            &rows[0, 0], n, &shape[0], &terms[0, 0, 0], &term_operator[0], n_terms, n_operators,
            &out[0, 0])
    check_status(status)
    return sums


def level_sums(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int64_t[::1] block,
        const double[:, ::1] filters, const double[::1] bias, bint hard,
        const uint64_t[:, ::1] keys, const uint64_t[::1] samples, const int32_t[:, :, ::1] terms,
        const int32_t[::1] term_operator, int64_t n_operators,
        const uint64_t[::1] products=None):
    """Sum spin operators on every level of repeated blocking by a hard rule of 2x2 blocks.

    Parameters
    ----------
    rows, shape, block, filters, bias, hard, samples, products
        As in `rsmi.kernels.blocking.coarse_grain`.
    keys : ndarray of uint64, shape (steps, 2)
        Key of the random bits of every step.
    terms, term_operator, n_operators
        As in `operator_sums`.

    Returns
    -------
    ndarray of int64, shape (steps + 1, n, n_operators), or None
        None if the lattice or the rule is of another kind than this kernel handles.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a term is malformed.
    """
    cdef int64_t n = rows.shape[0], n_terms = terms.shape[0], steps = keys.shape[0]
    cdef block_rule rule = rule_of(shape, block, filters, bias, hard, products, 1)
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
        status = c_level_sums(
            &rows[0, 0], n, &shape[0], &rule, steps, key, &samples[0], &terms[0, 0, 0],
            &term_operator[0], n_terms, n_operators, &out[0, 0, 0])
    if status == RSMI_UNSUPPORTED or status == RSMI_BAD_SHAPE:
        return None
    check_status(status)
    return sums


def accumulate_levels(
        const int64_t[:, :, ::1] sums, const int64_t[::1] energies, const int64_t[::1] blocks,
        int64_t[:, :, :, ::1] even, int64_t[:, :, :, ::1] odd):
    """Add products of operators to sums over the samples of each block.

    Parameters
    ----------
    sums : ndarray of int64, shape (levels, n, operators)
        The operators of the even sector, then those of the odd one.
    energies : ndarray of int64, shape (n,)
    blocks : ndarray of int64, shape (n,)
        The block of each sample, below n_blocks.
    even, odd : ndarray of int64, shape (n_blocks, levels, k, 2 + 2 k)
        Updated; see csrc/blocking/operator_products.h for the columns.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    cdef int64_t levels = sums.shape[0], n = sums.shape[1]
    cdef int64_t[2] n_operators = [even.shape[2], odd.shape[2]]
    cdef int64_t *targets[2]
    cdef int status
    if (energies.shape[0] != n or blocks.shape[0] != n
            or sums.shape[2] != n_operators[0] + n_operators[1]):
        raise ValueError("sums (levels, n, operators), energies (n,) and blocks (n,) must agree")
    for products in map(np.asarray, (even, odd)):
        if products.shape[:2] != (len(even), levels) or (
                products.shape[3] != 2 + 2 * products.shape[2]):
            raise ValueError("products must be (n_blocks, levels, k, 2 + 2 k)")
    if n == 0 or levels == 0 or n_operators[0] == 0 or n_operators[1] == 0:
        return
    if np.min(blocks) < 0 or np.max(blocks) >= even.shape[0]:
        raise ValueError("a block number is outside the products")
    targets[0], targets[1] = &even[0, 0, 0, 0], &odd[0, 0, 0, 0]
    with nogil:
        status = c_accumulate_levels(
            &sums[0, 0, 0], &energies[0], &blocks[0], levels, n, n_operators, even.shape[0],
            targets)
    check_status(status)
