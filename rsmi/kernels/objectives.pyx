"""RSMI objectives and the training of Lambda (csrc/learning/lambda.c)."""

from libc.stdint cimport int8_t, int64_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport check_status, require

cdef extern from "learning/features.h":
    ctypedef struct feature_table:
        int64_t states, width
        const double *values
    int64_t feature_count(const feature_table *f, int64_t sites) nogil

cdef extern from "learning/window_table.h":
    ctypedef struct theta_pair:
        int64_t n_block, n_environment, n_hidden, n_marginal_hidden
        const double *weights
        const double *visible_bias
        const double *hidden_bias
        const double *marginal_weights
        const double *marginal_visible_bias
        const double *marginal_hidden_bias
        int64_t states
    ctypedef struct window_table:
        int64_t n_windows, n_block, n_environment
        const int8_t *blocks
        const int8_t *environments
        const theta_pair *theta
        const double *block_mean
        const double *environment_mean
        const double *critic
        feature_table features

cdef extern from "learning/lambda.h":
    enum:
        LAMBDA_PAIRS
        LAMBDA_CHAINS
        LAMBDA_LOG_SUM
        LAMBDA_ENUMERATE
        LAMBDA_DECODER
        LAMBDA_GAUSSIAN
    ctypedef struct lambda_settings:
        int64_t objective, n_hidden, batch, total_steps, steps_per_epoch
        int64_t n_chains, n_sweeps, decoder_units
        int64_t adam, free_bias, distinct_blocks
        double learning_rate, decoder_learning_rate
        int64_t states, tied
    ctypedef struct lambda_state:
        double *parameters
        double *first_moment
        double *second_moment
        int8_t *chains
        uint64_t *rng
        int64_t *step
    int64_t lambda_filters(const lambda_settings *settings) nogil
    int64_t lambda_filter_length(
        const lambda_settings *settings, const window_table *windows) nogil
    int64_t lambda_size(const lambda_settings *settings, const window_table *windows) nogil
    int lambda_evaluate(
        const window_table *windows, const lambda_settings *settings, lambda_state *state,
        double *value, double *gradient) nogil
    int lambda_train(
        const window_table *windows, const lambda_settings *settings, lambda_state *state,
        int64_t epochs, double *objective, double *filters, double *bias) nogil

cdef extern from "learning/enumerate.h":
    enum:
        ENUMERATE_LARGEST_BLOCK
    int c_enumerate_information "enumerate_information"(
        const double *posterior, int64_t n_environments, int64_t n_block, int64_t n_hidden,
        int softmax, const feature_table *features, const double *filters, const double *bias,
        double *value, double *filters_gradient, double *bias_gradient) nogil
    int64_t block_states(const feature_table *features, int64_t n_block) nogil

cdef extern from "learning/pairs.h":
    int pair_log_cosh_table(
        int64_t n_rows, int64_t n_columns, int64_t n_hidden, const double *rows,
        const double *columns, int64_t repeats, double *out) nogil

cdef extern from "learning/state_pairs.h":
    int state_pair_table(
        int64_t states, int64_t n_rows, int64_t n_columns, int64_t n_units, const double *rows,
        const double *columns, double *out) nogil

OBJECTIVES = {
    "pairs": LAMBDA_PAIRS,
    "mcmc": LAMBDA_CHAINS,
    "logsum": LAMBDA_LOG_SUM,
    "enumerate": LAMBDA_ENUMERATE,
    "decoder": LAMBDA_DECODER,
    "gaussian": LAMBDA_GAUSSIAN,
}


cdef class Windows:
    """The windows of one training set and what is known of them, as C pointers.

    Parameters
    ----------
    blocks, environments : ndarray of int8, shapes (n, n_block) and (n, n_environment)
        Spins +1 or -1.
    theta : tuple of six float64 arrays, optional
        Weights, visible biases and hidden biases of the machine of (V, E), then those of the
        machine of V. With features, visible units are features and hidden units the states of
        units with as many states as a variable has.
    means : tuple of two float64 arrays, optional
        Means of the block and of the environment, by which both are centred.
    critic : ndarray of float64, shape (n_block, n_environment), optional
        The bilinear critic of the Gaussian objective.
    features : ndarray of float64, shape (q, width), optional
        Features of the q states of every variable; blocks and environments then hold codes 0, ...,
        q - 1, and means are those of features.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """

    cdef window_table table
    cdef theta_pair theta
    cdef tuple arrays  # keeps alive what the pointers point to

    def __init__(
            self, const int8_t[:, ::1] blocks, const int8_t[:, ::1] environments, theta=None,
            means=None, critic=None, features=None):
        require(blocks.shape[0] == environments.shape[0] > 0,
                "blocks and environments must have the same number of windows, at least one")
        require(blocks.shape[1] > 0 and environments.shape[1] > 0,
                "block and environment must each have at least one site")
        self.arrays = (blocks, environments)
        self.table = window_table(
            blocks.shape[0], blocks.shape[1], environments.shape[1], &blocks[0, 0],
            &environments[0, 0], NULL, NULL, NULL, NULL, feature_table(0, 0, NULL))
        if features is not None:
            self._set_features(features)
        if theta is not None:
            self._set_theta(*theta)
        if means is not None:
            self._set_means(*means)
        if critic is not None:
            self._set_critic(critic)

    def _set_features(self, const double[:, ::1] values):
        for codes in self.arrays:
            require(np.min(codes) >= 0 and np.max(codes) < values.shape[0],
                    f"the codes of {values.shape[0]} states must be below that number")
        self.arrays += (values,)
        self.table.features = feature_table(values.shape[0], values.shape[1], &values[0, 0])

    def _set_means(self, const double[::1] block, const double[::1] environment):
        cdef feature_table *features = &self.table.features
        require(block.shape[0] == feature_count(features, self.table.n_block)
                and environment.shape[0] == feature_count(features, self.table.n_environment),
                "the means must be those of block and environment")
        self.arrays += (block, environment)
        self.table.block_mean, self.table.environment_mean = &block[0], &environment[0]

    def _set_critic(self, const double[:, ::1] critic):
        require(critic.shape[0] == self.table.n_block
                and critic.shape[1] == self.table.n_environment,
                "the critic must be (n_block, n_environment)")
        self.arrays += (critic,)
        self.table.critic = &critic[0, 0]

    def _set_theta(
            self, const double[:, ::1] weights, const double[::1] visible_bias,
            const double[::1] hidden_bias, const double[:, ::1] block_weights,
            const double[::1] block_visible_bias, const double[::1] block_hidden_bias):
        cdef feature_table *features = &self.table.features
        cdef int64_t n_block = feature_count(features, self.table.n_block)
        cdef int64_t n_sites = n_block + feature_count(features, self.table.n_environment)
        cdef int64_t states = features.states if features.values != NULL else 0
        require(weights.shape[0] == visible_bias.shape[0] == n_sites,
                f"the RBM of (V, E) must have {n_sites} visible units")
        require(block_weights.shape[0] == block_visible_bias.shape[0] == n_block,
                f"the RBM of V must have {n_block} visible units")
        require(weights.shape[1] == hidden_bias.shape[0] > 0,
                "weights and hidden biases of the RBM of (V, E) do not match")
        require(block_weights.shape[1] == block_hidden_bias.shape[0] > 0,
                "weights and hidden biases of the RBM of V do not match")
        require(not states or weights.shape[1] % states == block_weights.shape[1] % states == 0,
                "hidden units of several states must come with all of them")
        self.arrays += (weights, visible_bias, hidden_bias,
                        block_weights, block_visible_bias, block_hidden_bias)
        self.theta = theta_pair(
            n_block, n_sites - n_block, weights.shape[1], block_weights.shape[1],
            &weights[0, 0], &visible_bias[0], &hidden_bias[0], &block_weights[0, 0],
            &block_visible_bias[0], &block_hidden_bias[0], states)
        self.table.theta = &self.theta


cdef lambda_settings _settings(settings, int64_t batch) except *:
    return lambda_settings(
        OBJECTIVES[settings.method], settings.n_hidden, batch, settings.total_steps,
        settings.steps_per_epoch, settings.n_chains, settings.n_sweeps, settings.decoder_units,
        settings.optimizer == "adam", settings.bias == "free", settings.distinct_blocks,
        settings.learning_rate, settings.decoder_learning_rate, settings.hidden_states,
        settings.tied)


cdef class _State:
    """The state dictionary of one restart as C pointers."""

    cdef lambda_state state
    cdef tuple arrays  # keeps alive what the pointers point to

    def __init__(
            self, Windows windows, settings, double[::1] parameters, double[:, ::1] moments,
            int8_t[:, :, ::1] chains, uint64_t[::1] rng, int64_t[::1] step):
        cdef lambda_settings s = _settings(settings, settings.batch)
        cdef int64_t n_block = windows.table.n_block
        require(settings.method in ("decoder", "gaussian") or windows.table.theta != NULL,
                f"the objective {settings.method} needs the machines of Theta")
        require(settings.method != "gaussian" or windows.table.critic != NULL,
                "the Gaussian objective needs a critic")
        cdef bint few = block_states(&windows.table.features, n_block) > 0
        require(not settings.distinct_blocks or few,
                "distinct blocks are listed for at most 2^16 states")
        require(settings.method != "enumerate" or few,
                "only blocks of at most 2^16 states can be enumerated")
        require(windows.table.features.values == NULL or settings.method not in ("mcmc", "gaussian"),
                f"features of several states are not for {settings.method}")
        require(not settings.tied or settings.hidden_states == windows.table.features.states,
                "tied filters need as many coarse states as a variable of the block has")
        cdef int64_t size = lambda_size(&s, &windows.table)
        require(parameters.shape[0] == moments.shape[1] == size and moments.shape[0] == 2,
                f"parameters must have {size} entries, moments (2, {size})")
        require(rng.shape[0] == 4 and step.shape[0] == 1,
                "rng must have 4 words and step one entry")
        shape = (1 << s.n_hidden, n_block, s.n_chains)
        require(s.objective != LAMBDA_CHAINS or np.shape(chains) == shape,
                f"chains must have shape {shape}")
        self.arrays = (parameters, moments, chains, rng, step)
        self.state = lambda_state(
            &parameters[0], &moments[0, 0], &moments[1, 0], NULL, &rng[0], &step[0])
        if chains.size > 0:
            self.state.chains = &chains[0, 0, 0]


def parameter_count(settings, int64_t n_block, int64_t n_environment):
    """Return the length of the parameter vector.

    It holds filters, bias and, for the objective of the decoder, the decoder's parameters, of
    variables +-1 without features.
    """
    cdef lambda_settings s = _settings(settings, settings.batch)
    cdef window_table table = window_table(
        1, n_block, n_environment, NULL, NULL, NULL, NULL, NULL, NULL, feature_table(0, 0, NULL))
    return lambda_size(&s, &table)


def evaluate(Windows windows, settings, state):
    """Evaluate an objective at the minibatch of all windows.

    Parameters
    ----------
    windows : Windows
    settings
        An object with the attributes of ``Settings`` in objectives.pyi.
    state : dict
        parameters float64 (size,), moments float64 (2, size), chains int8 (2**n_hidden, n_block,
        n_chains), rng uint64 (4,), step int64 (1,). The chains are advanced.

    Returns
    -------
    value : float
        In nats.
    gradient : ndarray of float64, shape (size,)

    Raises
    ------
    ValueError
        If windows, settings and state do not fit together.
    """
    cdef lambda_settings s = _settings(settings, windows.table.n_windows)
    cdef _State c_state = _State(windows, settings, **state)
    gradient = np.zeros(len(state["parameters"]))
    cdef double[::1] out = gradient
    cdef double value = 0.0
    cdef int status
    with nogil:
        status = lambda_evaluate(&windows.table, &s, &c_state.state, &value, &out[0])
    check_status(status)
    return value, gradient


def train(Windows windows, settings, state, int64_t epochs):
    """Train one restart.

    Parameters
    ----------
    windows, settings, state
        As in `evaluate`; the state is updated.
    epochs : int

    Returns
    -------
    objective : ndarray of float64, shape (epochs,)
        Mean of each epoch, in nats.
    filters : ndarray of float64, shape (epochs, n_filters, length)
        At the end of each epoch: one for each hidden unit and of the length n_block, or those of a
        hidden unit with several states; see csrc/learning/lambda.h.
    bias : ndarray of float64, shape (epochs, n_filters)
        At the end of each epoch.

    Raises
    ------
    ValueError
        If windows, settings and state do not fit together.
    FloatingPointError
        If a parameter or the objective is no longer finite.
    """
    cdef lambda_settings s = _settings(settings, settings.batch)
    cdef _State c_state = _State(windows, settings, **state)
    cdef int64_t rows = lambda_filters(&s)
    objective, bias = np.empty(epochs), np.empty((epochs, rows))
    filters = np.empty((epochs, rows, lambda_filter_length(&s, &windows.table)))
    cdef double[::1] objective_out = objective
    cdef double[:, :, ::1] filters_out = filters
    cdef double[:, ::1] bias_out = bias
    cdef int status
    if epochs > 0:
        with nogil:
            status = lambda_train(
                &windows.table, &s, &c_state.state, epochs, &objective_out[0],
                &filters_out[0, 0, 0], &bias_out[0, 0])
        check_status(status)
    return objective, filters, bias


def enumerate_information(
        const double[:, ::1] posterior, const double[:, ::1] filters, const double[::1] bias,
        bint softmax=False, const double[:, ::1] features=None):
    """Compute I(H:E) of the soft channel from P(V|e), and its gradients.

    Parameters
    ----------
    posterior : ndarray of float64, shape (n_environments, 2**n_block)
        P(V|e_i) of every environment; q**n_block columns with features.
    filters : ndarray of float64, shape (n_hidden, n_block)
        With features of width w, shape (n_hidden, n_block w).
    bias : ndarray of float64, shape (n_hidden,)
    softmax : bool
        Whether the filters are those of the states of one hidden unit.
    features : ndarray of float64, shape (q, w), optional
        Features of the q states of a site.

    Returns
    -------
    value : float
        In nats.
    filters_gradient, bias_gradient : ndarrays of float64
        Of the shapes of filters and bias.

    Raises
    ------
    ValueError
        If the arrays do not fit together or the block has more than 16 sites.
    """
    cdef int64_t n = posterior.shape[0], n_hidden = filters.shape[0], n_block = filters.shape[1]
    cdef feature_table table = feature_table(0, 0, NULL)
    if features is not None:
        table = feature_table(features.shape[0], features.shape[1], &features[0, 0])
        n_block = n_block // features.shape[1]
    require(n > 0 and bias.shape[0] == n_hidden > 0 and n_block > 0
            and feature_count(&table, n_block) == filters.shape[1],
            "filters and bias do not match, or no environment was given")
    require(posterior.shape[1] == block_states(&table, n_block),
            "posterior must have 2^n_block columns, of a block of at most 16 sites")
    filters_gradient = np.empty((n_hidden, filters.shape[1]))
    bias_gradient = np.empty(n_hidden)
    cdef double[:, ::1] filters_out = filters_gradient
    cdef double[::1] bias_out = bias_gradient
    cdef double value = 0.0
    cdef int status
    with nogil:
        status = c_enumerate_information(
            &posterior[0, 0], n, n_block, n_hidden, softmax, &table, &filters[0, 0], &bias[0],
            &value, &filters_out[0, 0], &bias_out[0])
    check_status(status)
    return value, filters_gradient, bias_gradient


def pair_log_cosh(const double[:, ::1] rows, const double[:, ::1] columns, int64_t repeats=1):
    """Compute sum_k log 2cosh(rows[k, i] + columns[k, j]) for all pairs (i, j).

    Parameters
    ----------
    rows, columns : ndarray of float64, shapes (k, n_rows) and (k, n_columns)
    repeats : int
        How often to compute it, for a benchmark.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns)
        With an absolute error below 5e-6.

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    cdef int64_t k = rows.shape[0], n_rows = rows.shape[1], n_columns = columns.shape[1]
    require(k == columns.shape[0] > 0 and n_rows > 0 and n_columns > 0,
            "rows and columns must have the same number of hidden units")
    out = np.empty((n_rows, n_columns))
    cdef double[:, ::1] view = out
    cdef int status
    with nogil:
        status = pair_log_cosh_table(
            n_rows, n_columns, k, &rows[0, 0], &columns[0, 0], repeats, &view[0, 0])
    check_status(status)
    return out


def pair_log_sums(
        const double[:, :, ::1] rows, const double[:, :, ::1] columns):
    """Compute sum_k log sum_b exp(rows[k, b, i] + columns[k, b, j]) for all pairs (i, j).

    Parameters
    ----------
    rows, columns : ndarray of float64, shapes (n_units, states, n_rows) and (..., n_columns)
        In nats.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        If the arrays do not fit together.
    """
    require(rows.shape[0] == columns.shape[0] > 0 and rows.shape[1] == columns.shape[1] > 1,
            "rows and columns must have the same units, of at least two states")
    require(rows.shape[2] > 0 and columns.shape[2] > 0, "there must be rows and columns")
    out = np.empty((rows.shape[2], columns.shape[2]))
    cdef double[:, ::1] table = out
    cdef int status
    with nogil:
        status = state_pair_table(
            rows.shape[1], rows.shape[2], columns.shape[2], rows.shape[0], &rows[0, 0, 0],
            &columns[0, 0, 0], &table[0, 0])
    check_status(status)
    return out
