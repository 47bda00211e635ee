"""Coarse-graining of packed configurations (csrc/blocking/blocking.c)."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "blocking/blocking.h":
    int c_coarse_grain "coarse_grain"(
        const uint8_t *rows, int64_t n_samples, const int64_t *shape, const block_rule *rule,
        const uint64_t *key, const uint64_t *samples, uint8_t *coarse) nogil


cdef block_rule rule_of(
        const int64_t[::1] shape, const int64_t[::1] block, const double[:, ::1] filters,
        const double[::1] bias, bint hard, const uint64_t[::1] products,
        int64_t components) except *:
    """The C rule of arrays that outlive it, if it fits the lattice; components are for products."""
    if (shape.shape[0] != 3 or block.shape[0] != 3 or np.any(np.asarray(block) < 1)
            or np.any(np.mod(shape, block))):
        raise ValueError("the block must divide the lattice on every axis")
    if products is None:
        components = filters.shape[1] // np.prod(block)
    expected = components * np.prod(block) if products is None else products.shape[0]
    if (filters.shape[0] < 1 or filters.shape[1] < 1 or filters.shape[1] != expected
            or components < 1 or bias.shape[0] != filters.shape[0]):
        raise ValueError(
            "filters must be (n_hidden, components * sites of the block), or (n_hidden, products),"
            " and bias (n_hidden,)")
    cdef block_rule rule
    rule.block[0], rule.block[1], rule.block[2] = block[0], block[1], block[2]
    rule.n_hidden, rule.hard = filters.shape[0], hard
    rule.components = components
    rule.filters, rule.bias = &filters[0, 0], &bias[0]
    rule.n_products, rule.products = 0, NULL
    if products is not None:
        rule.n_products, rule.products = products.shape[0], &products[0]
    return rule


def coarse_grain(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int64_t[::1] block,
        const double[:, ::1] filters, const double[::1] bias, bint hard, const uint64_t[::1] key,
        const uint64_t[::1] samples, const uint64_t[::1] products=None, int64_t components=1):
    """Draw the coarse configurations of packed rows.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(components * sites / 8))
        Packed arrays (components, *shape), bit 1 = spin +1.
    shape, block : ndarray of int64, shape (3,)
        Sites of the lattice and of a block on each axis; absent leading axes are 1.
    filters : ndarray of float64, shape (n_hidden, components * sites of the block)
        With products (n_hidden, n_products).
    bias : ndarray of float64, shape (n_hidden,)
    hard : bool
        Take the sign of the field of a hidden unit instead of drawing it.
    key : ndarray of uint64, shape (2,)
        Key of the random bits of this step.
    samples : ndarray of uint64, shape (n,)
        Number of each row in the whole data set.
    products : ndarray of uint64, shape (n_products,), optional
        Bit i is 1 if spin i of the block is a factor.
    components : int
        With products, the number of spins of a site; otherwise it follows from the filters.

    Returns
    -------
    ndarray of uint8, shape (n, ceil(n_hidden * coarse sites / 8))
        Packed arrays (n_hidden, *coarse shape).

    Raises
    ------
    ValueError
        If the arrays do not fit together or the block does not divide the lattice.
    """
    cdef block_rule rule = rule_of(shape, block, filters, bias, hard, products, components)
    cdef int64_t n = rows.shape[0], n_sites = np.prod(shape), n_hidden = filters.shape[0]
    if (rows.shape[1] != (rule.components * n_sites + 7) // 8 or samples.shape[0] != n
            or key.shape[0] != 2):
        raise ValueError(
            "rows must be (n, ceil(components * sites / 8)), samples (n,) and key (2,)")
    n_bytes = (n_hidden * (n_sites // np.prod(block)) + 7) // 8
    coarse = np.zeros((n, n_bytes), dtype=np.uint8)
    cdef uint8_t[:, ::1] out = coarse
    if n == 0:
        return coarse
    cdef int status
    with nogil:
        status = c_coarse_grain(
            &rows[0, 0], n, &shape[0], &rule, &key[0], &samples[0], &out[0, 0])
    check_status(status)
    return coarse
