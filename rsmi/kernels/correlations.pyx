"""Two-spin correlations of packed configurations (csrc/blocking/correlations.c)."""

from libc.stdint cimport int64_t, uint8_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "blocking/correlations.h":
    int c_shifted_products "shifted_products"(
        const uint8_t *rows, int64_t n_samples, int64_t slabs, int64_t length, int64_t shift,
        int64_t *sums) nogil


def shifted_products(const uint8_t[:, ::1] rows, int64_t slabs, int64_t length, int64_t shift):
    """Sum the products of spins at a fixed distance along one axis.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(slabs * length / 8))
        Packed configurations, bit 1 = spin +1.
    slabs : int
        Product of the sizes of the axes before this one.
    length : int
        Sites of a slab: the product of the sizes of this axis and of those after it.
    shift : int
        Distance in sites of the slab, 0 <= shift < length.

    Returns
    -------
    ndarray of int64, shape (n,)
        Sums of s[p] s[p + shift], cyclic within each slab.

    Raises
    ------
    ValueError
        If the arguments do not describe the rows.
    """
    cdef int64_t n = rows.shape[0]
    if slabs < 1 or length < 1 or rows.shape[1] != (slabs * length + 7) // 8:
        raise ValueError("rows must be (n, ceil(slabs * length / 8))")
    sums = np.zeros(n, dtype=np.int64)
    cdef int64_t[::1] out = sums
    if n == 0:
        return sums
    cdef int status
    with nogil:
        status = c_shifted_products(&rows[0, 0], n, slabs, length, shift, &out[0])
    check_status(status)
    return sums
