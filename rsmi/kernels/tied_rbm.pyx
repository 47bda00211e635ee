"""Contrastive divergence of machines tied to the symmetry of their states
(csrc/learning/tied_rbm.c)."""

from libc.stdint cimport int8_t, int64_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status, require

cdef extern from "learning/features.h":
    ctypedef struct feature_table:
        int64_t states, width
        const double *values

cdef extern from "learning/tied_rbm.h":
    ctypedef struct tied_rbm:
        int64_t n_visible, n_hidden
        double *weights
        double *momentum
        uint64_t *rng
        int8_t *chains
    ctypedef struct tied_rbm_schedule:
        int64_t batch_size, n_gibbs
        double learning_rate, momentum
        int64_t first_batch, total_batches
    int tied_rbm_train_epoch(
        const tied_rbm *machine, const feature_table *features, const int8_t *visible,
        int64_t n_windows, const tied_rbm_schedule *schedule,
        double *reconstruction_error) nogil


def train_epoch(
        dict state, const double[:, ::1] features, const int8_t[:, ::1] visible, *,
        int64_t batch_size, int64_t n_gibbs, double learning_rate, double momentum,
        int64_t first_batch, int64_t total_batches):
    """Train for one epoch.

    Parameters
    ----------
    state : dict
        weights and weights_momentum, float64 (n_visible, n_hidden); rng, uint64 (4,); and for
        persistent contrastive divergence chains, int8 (batch_size, n_visible). Updated.
    features : ndarray of float64, shape (q, width)
        Features of the q states of a unit.
    visible : ndarray of int8, shape (n_windows, n_visible)
        Windows of codes 0, ..., q - 1.
    batch_size : int
        Windows in a batch.
    n_gibbs : int
        Gibbs steps per update, at least 1.
    learning_rate, momentum : float
        The learning rate is that of the first batch; it falls linearly to 5 % of it.
    first_batch, total_batches : int
        Where this epoch lies in the training.

    Returns
    -------
    float
        The fraction of visible units that the chains changed (NaN with persistent chains).

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    FloatingPointError
        If a weight is no longer finite.
    """
    cdef double[:, ::1] weights = state["weights"]
    cdef double[:, ::1] steps = state["weights_momentum"]
    cdef uint64_t[::1] rng = state["rng"]
    cdef int8_t[:, ::1] chains
    cdef int64_t n_windows = visible.shape[0]
    cdef double error = 0
    require(weights.shape[0] > 0 and weights.shape[1] > 0,
            "a Boltzmann machine needs at least one visible and one hidden unit")
    require(steps.shape[0] == weights.shape[0] and steps.shape[1] == weights.shape[1],
            "weights and their momentum must have the same shape")
    require(rng.shape[0] == 4, "the random state must be four words")
    require(visible.shape[1] == weights.shape[0], "windows must have the sites of the machine")
    require(0 < batch_size <= n_windows, "a batch must be drawn from at least as many windows")
    require(features.shape[0] > 1 and features.shape[1] > 0, "there must be features of states")
    require(np.min(visible) >= 0 and np.max(visible) < features.shape[0],
            f"the codes of {features.shape[0]} states must be below that number")
    cdef tied_rbm machine = tied_rbm(
        weights.shape[0], weights.shape[1], &weights[0, 0], &steps[0, 0], &rng[0], NULL)
    if "chains" in state:
        chains = state["chains"]
        require(chains.shape[0] == batch_size and chains.shape[1] == weights.shape[0],
                "there must be one chain per window of a batch")
        require(np.min(chains) >= 0 and np.max(chains) < features.shape[0],
                "the chains must have the codes of the states")
        machine.chains = &chains[0, 0]
    cdef feature_table table = feature_table(
        features.shape[0], features.shape[1], &features[0, 0])
    cdef tied_rbm_schedule schedule = tied_rbm_schedule(
        batch_size, n_gibbs, learning_rate, momentum, first_batch, total_batches)
    with nogil:
        status = tied_rbm_train_epoch(
            &machine, &table, &visible[0, 0], n_windows, &schedule, &error)
    check_status(status)
    return error
