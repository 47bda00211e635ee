"""P(V | ring) of the Ising model by transfer matrices: see csrc/transfer.c."""

import numpy as np

from libc.stdint cimport int8_t, int64_t

from rsmi.kernels.status cimport check_status


cdef extern from "models/ising/transfer.h" nogil:
    enum:
        TRANSFER_MAX_BLOCK
        TRANSFER_MAX_WIDTH
    ctypedef struct transfer_window:
        int rows, columns, buffer
        double coupling
    int transfer_ring_size(transfer_window window)
    int transfer_block_weights(const int8_t *rings, int64_t n, transfer_window window, double *weights)
    int transfer_block_averages(const int8_t *rings, int64_t n, transfer_window window, const double *functions,
                                int64_t n_functions, double *averages, double *entropy, double *marginal)

MAX_BLOCK = TRANSFER_MAX_BLOCK
MAX_WIDTH = TRANSFER_MAX_WIDTH


cdef transfer_window _window(rows, columns, buffer, coupling, int64_t ring_size) except *:
    cdef transfer_window window = transfer_window(rows, columns, buffer, coupling)
    if rows < 1 or columns < 1 or buffer < 0 or rows * columns > MAX_BLOCK or columns + 2 * buffer > MAX_WIDTH:
        raise ValueError(f"the block may have at most {MAX_BLOCK} sites, and columns + 2 buffer be at most {MAX_WIDTH}")
    if ring_size != transfer_ring_size(window):
        raise ValueError(f"a ring has {transfer_ring_size(window)} spins here, not {ring_size}")
    return window


def block_weights(const int8_t[:, ::1] rings, rows, columns, buffer, double coupling):
    """Return float64 (n, 2^(rows columns)): unnormalised weights of the block states, comparable between rings."""
    cdef transfer_window window = _window(rows, columns, buffer, coupling, rings.shape[1])
    weights = np.empty((rings.shape[0], 1 << (rows * columns)))
    cdef double[:, ::1] weight_view = weights
    cdef int status = 0
    if rings.shape[0]:
        with nogil:
            status = transfer_block_weights(&rings[0, 0], rings.shape[0], window, &weight_view[0, 0])
    check_status(status)
    return weights


def block_averages(const int8_t[:, ::1] rings, rows, columns, buffer, double coupling, const double[:, ::1] functions,
                   bint with_entropy):
    """Return averages (n, n_functions) and, ``with_entropy``, entropies (n,) and the mean block marginal (states,)."""
    cdef transfer_window window = _window(rows, columns, buffer, coupling, rings.shape[1])
    if functions.shape[0] != 1 << (rows * columns) or functions.shape[1] < 1:
        raise ValueError(f"the functions need one row for each of the {1 << (rows * columns)} block states")
    averages = np.empty((rings.shape[0], functions.shape[1]))
    entropy = np.empty(rings.shape[0])
    marginal = np.zeros(functions.shape[0])
    cdef double[:, ::1] average_view = averages
    cdef double[::1] entropy_view = entropy, marginal_view = marginal
    cdef double *entropy_pointer = NULL
    cdef double *marginal_pointer = NULL
    cdef int status = 0
    if rings.shape[0]:
        if with_entropy:
            entropy_pointer, marginal_pointer = &entropy_view[0], &marginal_view[0]
        with nogil:
            status = transfer_block_averages(&rings[0, 0], rings.shape[0], window, &functions[0, 0], functions.shape[1],
                                             &average_view[0, 0], entropy_pointer, marginal_pointer)
    check_status(status)
    return (averages, entropy, marginal / max(rings.shape[0], 1)) if with_entropy else averages
