"""Contrastive divergence training (csrc/learning/rbm.c)."""

from libc.stddef cimport size_t
from libc.stdint cimport int8_t, uint32_t, uint64_t

from rsmi.kernels.status cimport check_status

cdef extern from "learning/rbm.h":
    int RBM_LANES
    int RBM_AUTO, RBM_AVX512, RBM_AVX2, RBM_PORTABLE
    ctypedef struct rbm_state:
        size_t n_visible, n_hidden
        float *weights
        float *visible_bias
        float *hidden_bias
        float *weights_momentum
        float *visible_momentum
        float *hidden_momentum
        uint64_t *rng
        uint32_t *lanes
        int8_t *chains
    ctypedef struct rbm_schedule:
        size_t batch_size, n_gibbs
        double learning_rate, momentum, weight_decay
        int symmetric
        size_t first_batch, total_batches
        int path
    int rbm_has_path(int path) nogil
    int rbm_initialize(
        const rbm_state *state, size_t n_chains, double standard_deviation) nogil
    int rbm_train_epoch(
        const rbm_state *state, const int8_t *visible, size_t n_windows,
        const rbm_schedule *schedule, double *reconstruction_error) nogil

LANES = RBM_LANES
_PATHS = {"auto": RBM_AUTO, "avx512": RBM_AVX512, "avx2": RBM_AVX2, "portable": RBM_PORTABLE}
PATHS = tuple(name for name, number in _PATHS.items() if rbm_has_path(number))


cdef float *_parameters(array, shape) except NULL:
    """The address of a contiguous float32 state array of the given shape."""
    if array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(
            f"a state array has shape {array.shape}, not {shape}, or is not contiguous")
    cdef float[::1] flat = array.reshape(-1)
    return &flat[0]


cdef rbm_state _view(dict state, size_t batch_size) except *:
    """The C view of a state dictionary, after checks of every shape and type."""
    cdef uint64_t[::1] rng = state["rng"]
    cdef uint32_t[:, ::1] lanes = state["lanes"]
    cdef int8_t[:, ::1] chains
    cdef rbm_state view
    n_visible, n_hidden = state["weights"].shape
    if n_visible == 0 or n_hidden == 0:
        raise ValueError(
            "a restricted Boltzmann machine needs at least one visible and one hidden unit")
    if rng.shape[0] != 4 or lanes.shape[0] != 4 or lanes.shape[1] != RBM_LANES:
        raise ValueError(f"the random state must be rng (4,) and lanes (4, {RBM_LANES})")
    view.n_visible, view.n_hidden = n_visible, n_hidden
    view.weights = _parameters(state["weights"], (n_visible, n_hidden))
    view.weights_momentum = _parameters(state["weights_momentum"], (n_visible, n_hidden))
    view.visible_bias = _parameters(state["visible_bias"], (n_visible,))
    view.visible_momentum = _parameters(state["visible_momentum"], (n_visible,))
    view.hidden_bias = _parameters(state["hidden_bias"], (n_hidden,))
    view.hidden_momentum = _parameters(state["hidden_momentum"], (n_hidden,))
    view.rng, view.lanes, view.chains = &rng[0], &lanes[0, 0], NULL
    if "chains" in state:
        chains = state["chains"]
        if (chains.shape[0] == 0 or chains.shape[0] != <Py_ssize_t>batch_size
                or chains.shape[1] != n_visible):
            raise ValueError(
                f"the chains must be ({batch_size}, {n_visible}): one per window of a batch")
        view.chains = &chains[0, 0]
    return view


def initialize(dict state, double standard_deviation):
    """Fill weights, lanes and (if present) chains from ``state["rng"]``.

    Parameters
    ----------
    state : dict
        The arrays of a machine, as `train_epoch` takes them; updated.
    standard_deviation : float
        Of the normal distribution of the weights.

    Raises
    ------
    ValueError
        If an array has the wrong shape.
    """
    cdef size_t n_chains = len(state["chains"]) if "chains" in state else 0
    cdef rbm_state view = _view(state, n_chains)
    with nogil:
        status = rbm_initialize(&view, n_chains, standard_deviation)
    check_status(status)


def train_epoch(
        dict state, const int8_t[:, ::1] visible, *, size_t batch_size, size_t n_gibbs,
        double learning_rate, double momentum, double weight_decay, bint symmetric,
        size_t first_batch, size_t total_batches, str path="auto"):
    """Train for one epoch.

    Parameters
    ----------
    state : dict
        weights and weights_momentum, float32 (n_visible, n_hidden); visible_bias, hidden_bias
        and their momenta, float32; rng, uint64 (4,); lanes, uint32 (4, LANES); and for
        persistent contrastive divergence chains, int8 (batch_size, n_visible). Updated.
    visible : ndarray of int8, shape (n_windows, n_visible)
        Windows of spins +1 or -1.
    batch_size : int
        Windows in a batch.
    n_gibbs : int
        Gibbs steps per update, at least 1.
    learning_rate, momentum, weight_decay : float
        The learning rate is that of the first batch; it falls linearly to 5 % of it.
    symmetric : bool
        Keep both biases as they are.
    first_batch, total_batches : int
        Where this epoch lies in the training.
    path : str
        The instructions to use, one of PATHS; all give the same bits, "auto" is the fastest.

    Returns
    -------
    float
        The fraction of visible units that the chains changed (NaN with persistent chains).

    Raises
    ------
    ValueError
        If the arrays do not fit together or the machine lacks the path.
    FloatingPointError
        If a parameter is no longer finite, or too large.
    """
    if path not in PATHS:
        raise ValueError(f"no path {path!r} on this machine: there are {', '.join(PATHS)}")
    cdef rbm_state view = _view(state, batch_size)
    cdef rbm_schedule schedule = rbm_schedule(
        batch_size, n_gibbs, learning_rate, momentum, weight_decay, symmetric, first_batch,
        total_batches, _PATHS[path])
    cdef size_t n_windows = visible.shape[0]
    cdef double error = 0
    if <size_t>visible.shape[1] != view.n_visible:
        raise ValueError(
            f"windows have {visible.shape[1]} sites, the machine has {view.n_visible} visible "
            f"units")
    if batch_size == 0 or n_windows < batch_size:
        raise ValueError(f"a batch of {batch_size} windows cannot be drawn from {n_windows}")
    with nogil:
        status = rbm_train_epoch(&view, &visible[0, 0], n_windows, &schedule, &error)
    check_status(status)
    return error
