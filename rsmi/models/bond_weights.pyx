"""P(V | ring) of models with any bond weight (csrc/models/bonds/bond_weights.c)."""

from libc.stdint cimport int8_t, int64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "models/bonds/bond_weights.h":
    ctypedef struct bond_window:
        int rows, columns, buffer, states
    int bond_ring_size(bond_window window) nogil
    int bond_window_fits(bond_window window) nogil
    int bond_block_weights(
        const int8_t *rings, int64_t n, bond_window window, const double *bond,
        double *weights) nogil


def fits(int rows, int columns, int buffer, int states):
    """Return whether the states of block and row are few enough for `block_weights`."""
    return bool(bond_window_fits(bond_window(rows, columns, buffer, states)))


def block_weights(
        const int8_t[:, ::1] rings, int rows, int columns, int buffer,
        const double[:, ::1] bond):
    """Compute the weights of all block states for given rings.

    Parameters
    ----------
    rings : ndarray of int8, shape (n, ring size)
        Codes 0, ..., q - 1: above (columns + 2 buffer), below, left (rows + 2 buffer), right.
    rows, columns : int
        Sites of the block on each axis.
    buffer : int
        Width of the buffer, which is summed over.
    bond : ndarray of float64, shape (q, q)
        Symmetric positive weights exp(-E(a, b) / k_B T) of a bond.

    Returns
    -------
    ndarray of float64, shape (n, q**(rows * columns))
        Weights without normalisation, which can be compared between rings.

    Raises
    ------
    ValueError
        If the block is too large, the rings have another size, or a code is no state.
    """
    cdef bond_window window = bond_window(rows, columns, buffer, bond.shape[0])
    if not bond_window_fits(window):
        raise ValueError("the block, or a row of block and buffer, has too many states")
    if bond.shape[1] != bond.shape[0] or rings.shape[1] != bond_ring_size(window):
        raise ValueError(
            f"a ring has {bond_ring_size(window)} sites here, not {rings.shape[1]}, or the bond "
            "weights are no square matrix")
    weights = np.empty((rings.shape[0], int(bond.shape[0]) ** int(rows * columns)))
    cdef double[:, ::1] weight_view = weights
    cdef int status = 0
    if rings.shape[0]:
        with nogil:
            status = bond_block_weights(
                &rings[0, 0], rings.shape[0], window, &bond[0, 0], &weight_view[0, 0])
    check_status(status)
    return weights
