"""Blocking and operators of variables with several states (csrc/blocking/state_blocks.c and
state_operators.c)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status, require

cdef extern from "blocking/state_blocks.h":
    ctypedef struct state_rule:
        int64_t block[3]
        int64_t states
        int64_t planes
        int64_t coarse_states
        int64_t coarse_planes
        const uint64_t *thresholds
    int c_coarse_grain_states "coarse_grain_states"(
        const uint8_t *rows, int64_t n_samples, const int64_t *shape, const state_rule *rule,
        const uint64_t *key, const uint64_t *samples, uint8_t *coarse) nogil

cdef extern from "blocking/state_operators.h":
    enum:
        STATE_PAIRS
    int c_state_operator_sums "state_operator_sums"(
        const uint8_t *rows, int64_t n_samples, const int64_t *shape, int64_t states,
        const int32_t *pairs, const int32_t *points, const int32_t *owner, int64_t n_terms,
        int64_t n_even, int64_t n_odd, int64_t *even, int64_t *odd) nogil


cdef int64_t planes_of(int64_t states) except -1:
    require(2 <= states <= 256, "a variable has 2 to 256 states")
    return int(states - 1).bit_length()


def coarse_grain_states(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, const int64_t[::1] block,
        int64_t states, const uint64_t[:, ::1] thresholds, const uint64_t[::1] key,
        const uint64_t[::1] samples):
    """Draw the coarse configurations of packed rows of codes by a table of the states of a block.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(planes * sites / 8))
        Packed arrays (planes, *shape) of variables with so many states.
    shape, block : ndarray of int64, shape (3,)
        Sites of the lattice and of a block on each axis; absent leading axes are 1.
    states : int
        At most 16.
    thresholds : ndarray of uint64, shape (states^n_block, coarse states - 1)
        See csrc/blocking/state_blocks.h.
    key : ndarray of uint64, shape (2,)
        Key of the random bits of this step.
    samples : ndarray of uint64, shape (n,)
        Number of each row in the whole data set.

    Returns
    -------
    ndarray of uint8, shape (n, ceil(coarse planes * coarse sites / 8))

    Raises
    ------
    ValueError
        If the arrays do not fit together, or if a code is that of no state.
    """
    cdef state_rule rule
    cdef int64_t n = rows.shape[0]
    require(shape.shape[0] == block.shape[0] == 3 and np.all(np.asarray(block) >= 1)
            and not np.any(np.mod(shape, block)), "the block must divide the lattice on every axis")
    rule.block[0], rule.block[1], rule.block[2] = block[0], block[1], block[2]
    rule.states, rule.planes = states, planes_of(states)
    rule.coarse_states = thresholds.shape[1] + 1
    rule.coarse_planes = planes_of(rule.coarse_states)
    sites, n_block = int(np.prod(shape)), int(np.prod(block))
    require(n_block <= 16 and thresholds.shape[0] == states**n_block,
            "thresholds must be (states^n_block, coarse states - 1) of at most 16 sites")
    require(rows.shape[1] == (rule.planes * sites + 7) // 8 and samples.shape[0] == n
            and key.shape[0] == 2,
            "rows must be (n, ceil(planes * sites / 8)), samples (n,) and key (2,)")
    rule.thresholds = &thresholds[0, 0]
    n_bytes = (rule.coarse_planes * (sites // n_block) + 7) // 8
    coarse = np.zeros((n, n_bytes), dtype=np.uint8)
    cdef uint8_t[:, ::1] out = coarse
    cdef int status
    if n == 0:
        return coarse
    with nogil:
        status = c_coarse_grain_states(
            &rows[0, 0], n, &shape[0], &rule, &key[0], &samples[0], &out[0, 0])
    check_status(status)
    return coarse


def state_operator_sums(
        const uint8_t[:, ::1] rows, const int64_t[::1] shape, int64_t states,
        const int32_t[:, :, ::1] pairs, const int32_t[::1] points, const int32_t[::1] owner,
        int64_t n_even, int64_t n_odd):
    """Sum operators of variables with several states over a square lattice.

    Parameters
    ----------
    rows : ndarray of uint8, shape (n, ceil(planes * sites / 8))
        Packed arrays (planes, *shape).
    shape : ndarray of int64, shape (2,)
        Rows and columns.
    states : int
        At most 16.
    pairs : ndarray of int32, shape (n_terms, 3, 2)
    points, owner : ndarray of int32, shape (n_terms,)
        See csrc/blocking/state_operators.h.
    n_even, n_odd : int
        Number of operators of each sector.

    Returns
    -------
    even : ndarray of int64, shape (n, n_even)
    odd : ndarray of int64, shape (n, states, n_odd)

    Raises
    ------
    ValueError
        If the arrays do not fit together, a term is malformed or a code is that of no state.
    """
    cdef int64_t n = rows.shape[0], n_terms = pairs.shape[0]
    require(shape.shape[0] == 2 and n_even >= 1 and n_odd >= 1 and n_terms >= 1
            and pairs.shape[1] == STATE_PAIRS and pairs.shape[2] == 2
            and points.shape[0] == n_terms and owner.shape[0] == n_terms,
            "pairs must be (n_terms, 3, 2), points and owner (n_terms,), and shape (2,)")
    require(rows.shape[1] == (planes_of(states) * shape[0] * shape[1] + 7) // 8,
            "rows must be (n, ceil(planes * sites / 8))")
    even = np.empty((n, n_even), dtype=np.int64)
    odd = np.empty((n, states, n_odd), dtype=np.int64)
    cdef int64_t[:, ::1] evens = even
    cdef int64_t[:, :, ::1] odds = odd
    cdef int status
    if n == 0:
        return even, odd
    with nogil:
        status = c_state_operator_sums(
            &rows[0, 0], n, &shape[0], states, &pairs[0, 0, 0], &points[0], &owner[0], n_terms,
            n_even, n_odd, &evens[0, 0], &odds[0, 0, 0])
    check_status(status)
    return even, odd
