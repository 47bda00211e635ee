"""P(V | ring) of the Ising model by transfer matrices (csrc/models/ising/transfer.c)."""

from libc.stdint cimport int8_t, int64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "models/ising/transfer.h":
    enum:
        TRANSFER_MAX_BLOCK
        TRANSFER_MAX_WIDTH
    ctypedef struct transfer_window:
        int rows, columns, buffer
        double coupling
    int transfer_ring_size(transfer_window window) nogil
    int transfer_block_weights(
        const int8_t *rings, int64_t n, transfer_window window, double *weights) nogil
    int transfer_block_averages(
        const int8_t *rings, int64_t n, transfer_window window, const double *functions,
        int64_t n_functions, double *averages, double *entropy, double *marginal) nogil

MAX_BLOCK = TRANSFER_MAX_BLOCK
MAX_WIDTH = TRANSFER_MAX_WIDTH


cdef transfer_window _window(rows, columns, buffer, coupling, int64_t ring_size) except *:
    """The C window, if the rings fit it."""
    cdef transfer_window window = transfer_window(rows, columns, buffer, coupling)
    if (rows < 1 or columns < 1 or buffer < 0 or rows * columns > MAX_BLOCK
            or columns + 2 * buffer > MAX_WIDTH):
        raise ValueError(
            f"the block may have at most {MAX_BLOCK} sites, and columns + 2 buffer be at most "
            f"{MAX_WIDTH}")
    if ring_size != transfer_ring_size(window):
        raise ValueError(f"a ring has {transfer_ring_size(window)} spins here, not {ring_size}")
    return window


def block_weights(const int8_t[:, ::1] rings, rows, columns, buffer, double coupling):
    """Compute the weights of all block states for given rings.

    Parameters
    ----------
    rings : ndarray of int8, shape (n, ring size)
        Spins +1 or -1: above (columns + 2 buffer), below, left (rows + 2 buffer), right.
    rows, columns : int
        Sites of the block on each axis.
    buffer : int
        Width of the buffer, which is summed over.
    coupling : float
        K = J / (k_B T).

    Returns
    -------
    ndarray of float64, shape (n, 2**(rows * columns))
        Weights without normalisation, which can be compared between rings.

    Raises
    ------
    ValueError
        If the block is too large or the rings have another size.
    """
    cdef transfer_window window = _window(rows, columns, buffer, coupling, rings.shape[1])
    weights = np.empty((rings.shape[0], 1 << (rows * columns)))
    cdef double[:, ::1] weight_view = weights
    cdef int status = 0
    if rings.shape[0]:
        with nogil:
            status = transfer_block_weights(
                &rings[0, 0], rings.shape[0], window, &weight_view[0, 0])
    check_status(status)
    return weights


def block_averages(
        const int8_t[:, ::1] rings, rows, columns, buffer, double coupling,
        const double[:, ::1] functions, bint with_entropy):
    """Average functions of the block state under P(V | ring).

    Parameters
    ----------
    rings, rows, columns, buffer, coupling
        As in `block_weights`.
    functions : ndarray of float64, shape (2**(rows * columns), n_functions)
    with_entropy : bool

    Returns
    -------
    averages : ndarray of float64, shape (n, n_functions)
    entropy : ndarray of float64, shape (n,)
        Of P(V | ring), in nats; only ``with_entropy``.
    marginal : ndarray of float64, shape (2**(rows * columns),)
        Mean of P(V | ring) over the rings; only ``with_entropy``.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    FloatingPointError
        If all weights of a ring underflow.
    """
    cdef transfer_window window = _window(rows, columns, buffer, coupling, rings.shape[1])
    if functions.shape[0] != 1 << (rows * columns) or functions.shape[1] < 1:
        raise ValueError(
            f"the functions need one row for each of the {1 << (rows * columns)} block states")
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
            status = transfer_block_averages(
                &rings[0, 0], rings.shape[0], window, &functions[0, 0], functions.shape[1],
                &average_view[0, 0], entropy_pointer, marginal_pointer)
    check_status(status)
    if not with_entropy:
        return averages
    return averages, entropy, marginal / max(rings.shape[0], 1)
