"""Fit and evaluation of the decoder r(h|e) (csrc/learning/decoder.c)."""

from libc.stdint cimport int8_t, int64_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "learning/features.h":
    ctypedef struct feature_table:
        int64_t states, width
        const double *values

cdef extern from "learning/decoder.h":
    ctypedef struct decoder_shape:
        int64_t n_environment, n_units, n_hidden
        const double *environment_mean
        int64_t states
        int tied
        feature_table features
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


cdef decoder_shape _shape(
        int64_t sites, int64_t n_units, int64_t n_hidden, int64_t states, bint tied,
        const double[:, ::1] features) except *:
    """The C shape of a decoder; the features must stay alive as long as it is used."""
    cdef feature_table table = feature_table(0, 0, NULL)
    cdef int64_t n_environment = sites
    if features is not None:
        table = feature_table(features.shape[0], features.shape[1], &features[0, 0])
        n_environment = sites * features.shape[1]
    if states < 0 or (states and n_hidden != 1):
        raise ValueError("only a single hidden unit can have several states")
    if tied and (features is None or features.shape[0] != states or n_units):
        raise ValueError("a tied decoder needs features of as many states, and no tanh units")
    return decoder_shape(n_environment, n_units, n_hidden, NULL, states, tied, table)


def _check_codes(environments, features):
    if features is not None and (np.min(environments) < 0 or np.max(environments) >= len(features)):
        raise ValueError(f"the codes of {len(features)} states must be below that number")


def parameter_count(
        int64_t n_environment, int64_t n_units, int64_t n_hidden, int64_t states=0,
        bint tied=False, features=None):
    """Return the length of the parameter vector of the decoder.

    Parameters
    ----------
    n_environment : int
        Number of variables of the environment.
    n_units, n_hidden : int
    states : int
        Number of states of the only hidden unit; 0 for units with two states.
    tied : bool
        Whether the decoder is tied to the symmetry of the states.
    features : ndarray of float64, shape (q, width), optional
        Features of the states of a variable of the environment.
    """
    cdef decoder_shape shape = _shape(n_environment, n_units, n_hidden, states, tied, features)
    return decoder_size(&shape)


def log_probabilities(
        const double[::1] parameters, const int8_t[:, ::1] environments, int64_t n_units,
        int64_t n_hidden, int64_t states=0, bint tied=False, features=None):
    """Evaluate log r(h|e).

    Parameters
    ----------
    parameters : ndarray of float64, shape (parameter_count(...),)
    environments : ndarray of int8, shape (n_windows, n_environment)
        Spins +1 or -1, or codes.
    n_units : int
        Number of tanh units, possibly 0.
    n_hidden : int
    states, tied, features
        As in `parameter_count`.

    Returns
    -------
    ndarray of float64, shape (n_windows, 2**n_hidden) or (n_windows, states)
        Logarithms of probabilities, in nats.

    Raises
    ------
    ValueError
        If there is no window or the number of parameters is wrong.
    """
    cdef decoder_shape shape = _shape(
        environments.shape[1], n_units, n_hidden, states, tied, features)
    if environments.shape[0] == 0 or parameters.shape[0] != decoder_size(&shape):
        raise ValueError(
            f"the decoder has {decoder_size(&shape)} parameters for these environments, not "
            f"{parameters.shape[0]}, or there is no window")
    _check_codes(environments, features)
    out = np.empty((environments.shape[0], states or 1 << n_hidden))
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
        const double[::1] environment_mean=None, int64_t states=0, bint tied=False, features=None):
    """Fit the decoder to given distributions q(h|v) by maximum likelihood.

    Parameters
    ----------
    parameters : ndarray of float64, shape (parameter_count(...),)
        Updated to the average over the second half of the steps.
    environments : ndarray of int8, shape (n_windows, n_environment)
    targets : ndarray of float64, shape (n_windows, 2**n_hidden) or (n_windows, states)
        The probabilities q(h|v) of every window.
    n_units : int
        Number of tanh units, possibly 0.
    steps, batch : int
        Number of Adam steps, and windows in each step.
    learning_rate : float
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    environment_mean : ndarray of float64, shape (n_environment,), optional
        Subtracted from the environments, or from their features.
    states, tied, features
        As in `parameter_count`.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    FloatingPointError
        If the likelihood is no longer finite.
    """
    cdef int64_t n_hidden = 1 if states else int(targets.shape[1]).bit_length() - 1
    cdef decoder_shape shape = _shape(
        environments.shape[1], n_units, n_hidden, states, tied, features)
    cdef decoder_schedule schedule = decoder_schedule(steps, batch, learning_rate)
    if environments.shape[0] == 0 or environments.shape[0] != targets.shape[0]:
        raise ValueError(
            "environments and targets must have the same number of windows, at least one")
    if environment_mean is not None:
        if environment_mean.shape[0] != shape.n_environment:
            raise ValueError(f"the mean environment must have {environments.shape[1]} sites")
        shape.environment_mean = &environment_mean[0]
    if (parameters.shape[0] != decoder_size(&shape) or rng.shape[0] != 4 or batch < 1
            or n_units < 0):
        raise ValueError(
            "the decoder's parameters, its generator state or the batch have the wrong size")
    if states and targets.shape[1] != states:
        raise ValueError(f"the targets must have {states} columns")
    _check_codes(environments, features)
    cdef int status
    with nogil:
        status = decoder_fit(
            &shape, &schedule, environments.shape[0], &environments[0, 0], &targets[0, 0],
            &rng[0], &parameters[0])
    check_status(status)
