"""Histograms of local energies (csrc/blocking/neighbourhood.c)."""

from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "blocking/neighbourhood.h":
    enum:
        NEIGHBOURHOOD_OTHERS
    int c_neighbourhood_counts "neighbourhood_counts"(
        const uint8_t *rows, int64_t n_samples, int64_t depth, int64_t height, int64_t width,
        const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
        const int64_t *blocks, int64_t *counts) nogil


def neighbourhood_counts(
        const uint8_t[:, ::1] rows, shape, const int32_t[:, :, ::1] terms,
        const int32_t[::1] term_operator, const int64_t[::1] blocks, int64_t[:, ::1] counts):
    """Add the local energies of packed rows to histograms.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(depth * height * width / 8))
        Packed configurations, bit 1 = spin +1.
    shape : tuple of int
        (depth, height, width) of the lattice.
    terms : ndarray of int32, shape (n_terms, 3, 3)
        Offsets of the other spins of each product; see csrc/blocking/neighbourhood.h.
    term_operator : ndarray of int32, shape (n_terms,)
        The operator to which each term belongs, ascending from 0.
    blocks : ndarray of int64, shape (n,)
        The row of ``counts`` to which each sample is added.
    counts : ndarray of int64, shape (n_blocks, n_bins)
        Updated. There is a bin for every combination of the numbers of products that are -1.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a term is malformed.
    """
    cdef int64_t depth, height, width, n = rows.shape[0], n_terms = terms.shape[0]
    depth, height, width = shape
    if (min(shape) < 1 or rows.shape[1] != (depth * height * width + 7) // 8
            or depth * height * width >= 2**31):
        raise ValueError(
            "rows must be (n, ceil(depth * height * width / 8)), of fewer than 2^31 sites")
    if (n_terms < 1 or terms.shape[1] != NEIGHBOURHOOD_OTHERS or terms.shape[2] != 3
            or term_operator.shape[0] != n_terms):
        raise ValueError("terms must be (n_terms, 3, 3) and term_operator (n_terms,)")
    if counts.shape[1] != np.prod(1 + np.bincount(term_operator)):
        raise ValueError(
            "counts must have a column for every combination of the numbers of products that "
            "are -1")
    if blocks.shape[0] != n or n and (np.min(blocks) < 0 or np.max(blocks) >= counts.shape[0]):
        raise ValueError("blocks must be (n,) rows of counts")
    if n == 0:
        return
    cdef int status
    with nogil:
        status = c_neighbourhood_counts(
            &rows[0, 0], n, depth, height, width, &terms[0, 0, 0], &term_operator[0], n_terms,
            &blocks[0], &counts[0, 0])
    check_status(status)
