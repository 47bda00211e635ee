"""Choosing and cutting windows: see csrc/windows.c."""

import numpy as np

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

from rsmi.kernels.status cimport check_status


cdef extern from "blocking/windows.h" nogil:
    int c_choose "choose_windows"(const uint64_t *key, int64_t n_configurations, const int64_t *shape, int dimension,
                                  int symmetric, int64_t n_windows, int64_t *configurations, int64_t *origins, int8_t *flips)
    int c_extract "extract_windows"(const uint8_t *packed, int64_t n_configurations, int64_t row_bytes, const int64_t *shape,
                                    int dimension, const int64_t *offsets, int64_t n_sites, const int64_t *configurations,
                                    const int64_t *origins, const int8_t *flips, int64_t n_windows, int8_t *windows)


def choose_windows(const uint64_t[::1] key, int64_t n_configurations, const int64_t[::1] shape, int64_t count, bint symmetric):
    """Return configurations int64 (count,), origins int64 (count, d) and flips int8 (count,)."""
    if key.shape[0] < 2 or n_configurations < 1 or count < 0 or shape.shape[0] < 1 or min(shape) < 1:
        raise ValueError("windows need a key of two words, at least one configuration and a lattice")
    configurations = np.empty(count, np.int64)
    origins = np.empty((count, shape.shape[0]), np.int64)
    flips = np.empty(count, np.int8)
    cdef int64_t[::1] configuration_view = configurations
    cdef int64_t[:, ::1] origin_view = origins
    cdef int8_t[::1] flip_view = flips
    cdef int status = 0
    if count:
        with nogil:
            status = c_choose(&key[0], n_configurations, &shape[0], <int>shape.shape[0], symmetric, count,
                              &configuration_view[0], &origin_view[0, 0], &flip_view[0])
    check_status(status)
    return configurations, origins, flips


def extract_windows(const uint8_t[:, ::1] packed, const int64_t[::1] shape, const int64_t[:, ::1] offsets,
                    const int64_t[::1] configurations, const int64_t[:, ::1] origins, const int8_t[::1] flips):
    """Return spins int8 (windows, sites) at origin + offset; offsets must lie in 0 .. shape-1."""
    cdef int64_t dimension = shape.shape[0], n_sites = offsets.shape[0], n_windows = configurations.shape[0]
    if offsets.shape[1] != dimension or origins.shape[1] != dimension:
        raise ValueError(f"offsets and origins must have {dimension} coordinates, as the lattice")
    if origins.shape[0] != n_windows or flips.shape[0] != n_windows:
        raise ValueError("configurations, origins and flips must have the same length")
    windows = np.empty((n_windows, n_sites), np.int8)
    cdef int8_t[:, ::1] window_view = windows
    cdef int status = 0
    if n_windows and n_sites and packed.shape[0]:
        with nogil:
            status = c_extract(&packed[0, 0], packed.shape[0], packed.shape[1], &shape[0], <int>dimension, &offsets[0, 0],
                               n_sites, &configurations[0], &origins[0, 0], &flips[0], n_windows, &window_view[0, 0])
    elif n_windows and n_sites:
        raise ValueError("windows need at least one configuration")
    check_status(status)
    return windows
