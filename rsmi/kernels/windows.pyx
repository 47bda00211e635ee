"""Choice and extraction of windows (csrc/blocking/windows.c)."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "blocking/windows.h":
    int c_choose "choose_windows"(
        const uint64_t *key, int64_t n_configurations, const int64_t *shape, int dimension,
        int symmetric, int64_t n_windows, int64_t *configurations, int64_t *origins,
        int8_t *flips) nogil
    int c_extract "extract_windows"(
        const uint8_t *packed, int64_t n_configurations, int64_t row_bytes, const int64_t *shape,
        int dimension, const int64_t *offsets, int64_t n_sites, const int64_t *configurations,
        const int64_t *origins, const int8_t *flips, int64_t n_windows, int8_t *windows) nogil


def choose_windows(
        const uint64_t[::1] key, int64_t n_configurations, const int64_t[::1] shape,
        int64_t count, bint symmetric):
    """Choose windows by a hash of a key and of their numbers.

    Parameters
    ----------
    key : ndarray of uint64, shape (2,) or longer
    n_configurations : int
    shape : ndarray of int64, shape (d,)
        Sites of the lattice on each axis.
    count : int
        Number of windows.
    symmetric : bool
        Flip half of the windows.

    Returns
    -------
    configurations : ndarray of int64, shape (count,)
        Ascending, at even distances.
    origins : ndarray of int64, shape (count, d)
        Uniform.
    flips : ndarray of int8, shape (count,)
        +1 or -1; always +1 unless symmetric.

    Raises
    ------
    ValueError
        If there is no configuration, no lattice or no key.
    """
    if (key.shape[0] < 2 or n_configurations < 1 or count < 0 or shape.shape[0] < 1
            or min(shape) < 1):
        raise ValueError(
            "windows need a key of two words, at least one configuration and a lattice")
    configurations = np.empty(count, np.int64)
    origins = np.empty((count, shape.shape[0]), np.int64)
    flips = np.empty(count, np.int8)
    cdef int64_t[::1] configuration_view = configurations
    cdef int64_t[:, ::1] origin_view = origins
    cdef int8_t[::1] flip_view = flips
    cdef int status = 0
    if count:
        with nogil:
            status = c_choose(
                &key[0], n_configurations, &shape[0], <int>shape.shape[0], symmetric, count,
                &configuration_view[0], &origin_view[0, 0], &flip_view[0])
    check_status(status)
    return configurations, origins, flips


def extract_windows(
        const uint8_t[:, ::1] packed, const int64_t[::1] shape, const int64_t[:, ::1] offsets,
        const int64_t[::1] configurations, const int64_t[:, ::1] origins,
        const int8_t[::1] flips):
    """Cut windows out of packed configurations.

    Parameters
    ----------
    packed : ndarray of uint8, shape (n_configurations, ceil(sites / 8))
        Packed configurations, bit 1 = spin +1.
    shape : ndarray of int64, shape (d,)
        Sites of the lattice on each axis.
    offsets : ndarray of int64, shape (n_sites, d)
        Sites of a window relative to its origin, in 0 .. shape - 1.
    configurations, origins, flips
        As `choose_windows` returns them.

    Returns
    -------
    ndarray of int8, shape (n_windows, n_sites)
        Spins +1 or -1.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a number is outside its range.
    """
    cdef int64_t dimension = shape.shape[0], n_sites = offsets.shape[0]
    cdef int64_t n_windows = configurations.shape[0]
    if offsets.shape[1] != dimension or origins.shape[1] != dimension:
        raise ValueError(f"offsets and origins must have {dimension} coordinates, as the lattice")
    if origins.shape[0] != n_windows or flips.shape[0] != n_windows:
        raise ValueError("configurations, origins and flips must have the same length")
    windows = np.empty((n_windows, n_sites), np.int8)
    cdef int8_t[:, ::1] window_view = windows
    cdef int status = 0
    if n_windows and n_sites and packed.shape[0]:
        with nogil:
            status = c_extract(
                &packed[0, 0], packed.shape[0], packed.shape[1], &shape[0], <int>dimension,
                &offsets[0, 0], n_sites, &configurations[0], &origins[0, 0], &flips[0],
                n_windows, &window_view[0, 0])
    elif n_windows and n_sites:
        raise ValueError("windows need at least one configuration")
    check_status(status)
    return windows
