"""Correlation explanation of binary blocks (csrc/learning/total_correlation.c)."""

from libc.stdint cimport int64_t, uint8_t

from rsmi.kernels.status cimport check_status, require

cdef extern from "learning/total_correlation.h":
    ctypedef struct block_table:
        int64_t n_states, n_sites
        const uint8_t *blocks
        const double *weights
        const double *up
        double n_samples
        int symmetric
    ctypedef struct explanation:
        int64_t n_hidden, iteration
        double *filters
        double *bias
        double *alpha
        double *sharpness
        double *base
        double *explained
    int explain_total_correlation(
        const block_table *table, int64_t iterations, explanation *e) nogil


def explain(
        const uint8_t[:, ::1] blocks, const double[::1] weights, const double[::1] up,
        double n_samples, bint symmetric, dict state, int64_t iterations):
    """Iterate the fixed point of the correlation explanation.

    Parameters
    ----------
    blocks : ndarray of uint8, shape (n_states, ceil(n_sites / 8))
        Packed block states, bit 1 = spin +1, padding 0.
    weights : ndarray of float64, shape (n_states,)
        Positive, of sum 1.
    up : ndarray of float64, shape (n_sites,)
        P(v_i = +1).
    n_samples : float
        Number of samples behind the weights, or infinity if the weights are exact.
    symmetric : bool
        Average every state with its global flip.
    state : dict
        The arrays filters, bias, alpha, sharpness, base, explained and iteration; updated. See
        csrc/learning/total_correlation.h for their meanings.
    iterations : int

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    cdef double[:, ::1] filters = state["filters"], alpha = state["alpha"]
    cdef double[::1] bias = state["bias"], base = state["base"]
    cdef double[::1] explained = state["explained"], sharpness = state["sharpness"]
    cdef int64_t[::1] done = state["iteration"]
    cdef int64_t n_hidden = filters.shape[0], n_sites = filters.shape[1]
    require(n_hidden > 0 and n_sites > 0 and blocks.shape[0] > 0,
            "there must be at least one block state, one site and one hidden unit")
    require(blocks.shape[1] == (n_sites + 7) // 8 and up.shape[0] == n_sites,
            f"packed blocks and means must be those of {n_sites} sites")
    require(weights.shape[0] == blocks.shape[0], "every block state needs one weight")
    require(alpha.shape[0] == n_hidden and alpha.shape[1] == n_sites
            and sharpness.shape[0] == n_sites, "alpha and sharpness must fit the filters")
    require(bias.shape[0] == base.shape[0] == explained.shape[0] == n_hidden
            and done.shape[0] == 1, "bias, base and explained must have one entry a unit")
    require(n_samples >= 1, "n_samples must be at least 1")
    cdef block_table table = block_table(
        blocks.shape[0], n_sites, &blocks[0, 0], &weights[0], &up[0], n_samples, symmetric)
    cdef explanation current = explanation(
        n_hidden, done[0], &filters[0, 0], &bias[0], &alpha[0, 0], &sharpness[0], &base[0],
        &explained[0])
    cdef int status
    with nogil:
        status = explain_total_correlation(&table, iterations, &current)
    done[0] = current.iteration
    check_status(status)
