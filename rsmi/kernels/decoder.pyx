"""Fit and evaluation of the decoder r(h|e) (csrc/learning/decoder.c)."""

from libc.stdint cimport int8_t, int64_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "learning/decoder.h":
    ctypedef struct decoder_shape:
        int64_t n_environment, n_units, n_hidden
        const double *environment_mean
    ctypedef struct decoder_schedule:
        int64_t steps, batch
        double learning_rate
    int64_t decoder_size(const decoder_shape *shape) nogil
    int decoder_log_probabilities(
        const decoder_shape *shape, const double *parameters, int64_t n_windows,
        const int8_t *environments, double *log_r) nogil
    int decoder_fit(
        const decoder_shape *shape, const decoder_schedule *schedule, int64_t n_windows,
        const int8_t *environments, const double *q, uint64_t *rng, double *parameters) nogil


def parameter_count(int64_t n_environment, int64_t n_units, int64_t n_hidden):
    """Return the length of the parameter vector of the decoder."""
    cdef decoder_shape shape = decoder_shape(n_environment, n_units, n_hidden, NULL)
    return decoder_size(&shape)


def log_probabilities(
        const double[::1] parameters, const int8_t[:, ::1] environments, int64_t n_units,
        int64_t n_hidden):
    """Evaluate log r(h|e).

    Parameters
    ----------
    parameters : ndarray of float64, shape (parameter_count(...),)
    environments : ndarray of int8, shape (n_windows, n_environment)
        Spins +1 or -1.
    n_units : int
        Number of tanh units, possibly 0.
    n_hidden : int

    Returns
    -------
    ndarray of float64, shape (n_windows, 2**n_hidden)
        Logarithms of probabilities, in nats.

    Raises
    ------
    ValueError
        If there is no window or the number of parameters is wrong.
    """
    cdef decoder_shape shape = decoder_shape(environments.shape[1], n_units, n_hidden, NULL)
    if environments.shape[0] == 0 or parameters.shape[0] != decoder_size(&shape):
        raise ValueError(
            f"the decoder has {decoder_size(&shape)} parameters for these environments, not "
            f"{parameters.shape[0]}, or there is no window")
    out = np.empty((environments.shape[0], 1 << n_hidden))
    cdef double[:, ::1] view = out
    cdef int status
    with nogil:
        status = decoder_log_probabilities(
            &shape, &parameters[0], environments.shape[0], &environments[0, 0], &view[0, 0])
    check_status(status)
    return out


def fit(
        double[::1] parameters, const int8_t[:, ::1] environments, const double[:, ::1] targets,
        int64_t n_units, int64_t steps, int64_t batch, double learning_rate, uint64_t[::1] rng,
        const double[::1] environment_mean=None):
    """Fit the decoder to given distributions q(h|v) by maximum likelihood.

    Parameters
    ----------
    parameters : ndarray of float64, shape (parameter_count(...),)
        Updated to the average over the second half of the steps.
    environments : ndarray of int8, shape (n_windows, n_environment)
    targets : ndarray of float64, shape (n_windows, 2**n_hidden)
        The probabilities q(h|v) of every window.
    n_units : int
        Number of tanh units, possibly 0.
    steps, batch : int
        Number of Adam steps, and windows in each step.
    learning_rate : float
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    environment_mean : ndarray of float64, shape (n_environment,), optional
        Subtracted from the environments.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    FloatingPointError
        If the likelihood is no longer finite.
    """
    cdef int64_t n_hidden = int(targets.shape[1]).bit_length() - 1
    cdef decoder_shape shape = decoder_shape(environments.shape[1], n_units, n_hidden, NULL)
    cdef decoder_schedule schedule = decoder_schedule(steps, batch, learning_rate)
    if environments.shape[0] == 0 or environments.shape[0] != targets.shape[0]:
        raise ValueError(
            "environments and targets must have the same number of windows, at least one")
    if environment_mean is not None:
        if environment_mean.shape[0] != environments.shape[1]:
            raise ValueError(f"the mean environment must have {environments.shape[1]} sites")
        shape.environment_mean = &environment_mean[0]
    if (parameters.shape[0] != decoder_size(&shape) or rng.shape[0] != 4 or batch < 1
            or n_units < 0):
        raise ValueError(
            "the decoder's parameters, its generator state or the batch have the wrong size")
    cdef int status
    with nogil:
        status = decoder_fit(
            &shape, &schedule, environments.shape[0], &environments[0, 0], &targets[0, 0],
            &rng[0], &parameters[0])
    check_status(status)
