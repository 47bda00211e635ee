"""Low modes of local functions and their sums over groups (csrc/blocking/low_modes.c and
group_sums.c)."""

from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "blocking/low_modes.h":
    enum:
        MODE_WAVES
    ctypedef struct local_functions:
        int64_t shape[3]
        int64_t n_products, n_functions, n_modes, n_orbits
        const int32_t *points
        const int64_t *first
        const double *weights
        const int32_t *numbers
        const float *waves
        const int32_t *orbit
        const double *share
    int c_low_modes "low_modes"(
        const local_functions *functions, const uint8_t *rows, int64_t n_samples, double *values,
        double *factors) nogil

cdef extern from "blocking/group_sums.h":
    enum:
        GROUP_POWERS
    ctypedef struct group_sums:
        int64_t n_groups, n_even, n_odd
        double *count
        double *offset
        double *even_sums
        double *odd_sums
        double *cross_sums
    int c_add_to_groups "add_to_groups"(
        const group_sums *sums, const double *even, const double *odd, const int64_t *groups,
        int64_t n_samples) nogil
    int c_add_rows_to_groups "add_rows_to_groups"(
        const double *rows, int64_t width, const int64_t *groups, int64_t n_samples,
        int64_t n_groups, double *sums) nogil


def low_modes(
        const uint8_t[:, ::1] rows, shape, const int32_t[:, ::1] points, const int64_t[::1] first,
        const double[:, :, :, ::1] weights, const int32_t[:, ::1] numbers,
        const float[:, :, ::1] waves, const int32_t[::1] orbit, const double[::1] share,
        int64_t n_orbits):
    """Return the lattice sums and the structure factors of local functions.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(sites / 8))
        Packed configurations, bit 1 = spin +1.
    shape : tuple of int
        Three sides of the lattice; absent leading axes are 1.
    points : ndarray of int32, shape (n_points, 3)
    first : ndarray of int64, shape (n_products + 1,)
        The first point of each product of spins, and the number of points.
    weights : ndarray of float64, shape (n_functions, n_products, n_modes, 2)
        Real and imaginary part of the weight of each product in each mode of each function.
    numbers : ndarray of int32, shape (n_modes, 3)
        The n of every mode; the first one is 0.
    waves : ndarray of float32, shape (3, 5, longest side)
        1, cos, sin of 2 pi x / L and cos, sin of 4 pi x / L along each axis.
    orbit : ndarray of int32, shape (n_modes,)
        The orbit of every mode; that of the first one does not matter.
    share : ndarray of float64, shape (n_modes,)
        The weight of every mode in the average over its orbit.
    n_orbits : int

    Returns
    -------
    values : ndarray of float64, shape (n, n_functions)
        Lattice sums.
    factors : ndarray of float64, shape (n, n_functions, n_orbits)
        Averages of the absolute squares of the modes of every orbit.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or a point, mode or orbit is out of range.
    """
    cdef local_functions f
    cdef int64_t n = rows.shape[0]
    depth, height, width = shape
    f.shape[0], f.shape[1], f.shape[2] = depth, height, width
    f.n_products, f.n_functions = weights.shape[1], weights.shape[0]
    f.n_modes, f.n_orbits = numbers.shape[0], n_orbits
    if (min(shape) < 1 or rows.shape[1] != (depth * height * width + 7) // 8
            or points.shape[1] != 3 or numbers.shape[1] != 3 or f.n_products < 1
            or f.n_functions < 1 or f.n_modes < 1 or n_orbits < 0):
        raise ValueError("rows, points or modes do not fit the lattice")
    if (first.shape[0] != f.n_products + 1 or first[f.n_products] != points.shape[0]
            or np.any(np.diff(first) < 1) or weights.shape[2] != f.n_modes
            or weights.shape[3] != 2 or orbit.shape[0] != f.n_modes
            or share.shape[0] != f.n_modes):
        raise ValueError("products, weights and modes differ in number")
    if waves.shape[0] != 3 or waves.shape[1] != MODE_WAVES or waves.shape[2] != max(shape):
        raise ValueError(f"waves must be (3, {MODE_WAVES}, {max(shape)})")
    f.points, f.first, f.weights = &points[0, 0], &first[0], &weights[0, 0, 0, 0]
    f.numbers, f.waves, f.orbit, f.share = &numbers[0, 0], &waves[0, 0, 0], &orbit[0], &share[0]
    values = np.empty((n, f.n_functions))
    factors = np.empty((n, f.n_functions, n_orbits))
    cdef double[:, ::1] values_out = values
    cdef double[:, :, ::1] factors_out = factors
    if n == 0:
        return values, factors
    cdef int status
    with nogil:
        status = c_low_modes(
            &f, &rows[0, 0], n, &values_out[0, 0],
            &factors_out[0, 0, 0] if n_orbits else NULL)
    check_status(status)
    return values, factors


def add_to_groups(
        const double[:, ::1] even, const double[:, ::1] odd, const int64_t[::1] groups,
        double[::1] count, double[:, ::1] offset, double[:, :, ::1] even_sums,
        double[:, :, ::1] odd_sums, double[:, :, :, ::1] cross_sums):
    """Add powers and products of lattice averages to the sums of groups, which are updated.

    Parameters
    ----------
    even, odd : ndarray of float64, shape (n, E) and (n, O)
    groups : ndarray of int64, shape (n,)
    count, offset, even_sums, odd_sums, cross_sums : ndarray of float64
        Of shapes (G,), (G, E), (G, E, 2), (G, O, 3) and (G, E, O, 3); see
        `rsmi.renormalization.spectrum.group_sums`.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a group is out of range.
    """
    cdef group_sums s
    cdef int64_t n = groups.shape[0]
    s.n_groups, s.n_even, s.n_odd = count.shape[0], even.shape[1], odd.shape[1]
    if even.shape[0] != n or odd.shape[0] != n:
        raise ValueError("even, odd and groups must have the same number of configurations")
    shapes = (
        (np.shape(offset), (s.n_groups, s.n_even)),
        (np.shape(even_sums), (s.n_groups, s.n_even, 2)),
        (np.shape(odd_sums), (s.n_groups, s.n_odd, GROUP_POWERS)),
        (np.shape(cross_sums), (s.n_groups, s.n_even, s.n_odd, GROUP_POWERS)))
    for given, needed in shapes:
        if given != needed:
            raise ValueError(f"sums of shape {given} must have the shape {needed}")
    if n == 0 or s.n_groups == 0:
        if n:
            raise ValueError("there is no group")
        return
    cdef double nothing
    s.count = &count[0]
    s.offset = &offset[0, 0] if s.n_even else &nothing
    s.even_sums = &even_sums[0, 0, 0] if s.n_even else &nothing
    s.odd_sums = &odd_sums[0, 0, 0] if s.n_odd else &nothing
    s.cross_sums = &cross_sums[0, 0, 0, 0] if s.n_even and s.n_odd else &nothing
    cdef const double *even_in = &even[0, 0] if s.n_even else &nothing
    cdef const double *odd_in = &odd[0, 0] if s.n_odd else &nothing
    cdef int status
    with nogil:
        status = c_add_to_groups(&s, even_in, odd_in, &groups[0], n)
    check_status(status)


def add_rows_to_groups(
        const double[:, ::1] rows, const int64_t[::1] groups, double[:, ::1] sums):
    """Add rows of numbers to the sums of their groups, one after the other.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, width)
    groups : ndarray of int64, shape (n,)
    sums : ndarray of float64, shape (G, width)
        Updated.

    Raises
    ------
    ValueError
        If the arrays do not fit together or a group is out of range.
    """
    cdef int64_t n = groups.shape[0]
    if rows.shape[0] != n or rows.shape[1] != sums.shape[1]:
        raise ValueError("rows must be (n, width), groups (n,) and sums (groups, width)")
    if n == 0 or rows.shape[1] == 0:
        return
    cdef double nothing
    cdef int status
    with nogil:
        status = c_add_rows_to_groups(
            &rows[0, 0], rows.shape[1], &groups[0], n, sums.shape[0],
            &sums[0, 0] if sums.shape[0] else &nothing)
    check_status(status)
