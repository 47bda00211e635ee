"""The RSMI objectives: estimates or bounds of I(H:E) with explicit gradients in the filters and
biases.

Koch-Janusz & Ringel, Nature Physics 14, 578 (2018). Theta is known through two Boltzmann machines,
one of (V, E) and one of V; f(v, e) = -F_VE(v, e) + F_V(v) is their log-ratio up to terms of e
alone.

``proxy``
    Eq. 14, the first cumulant. It is evaluated by ``pairs`` (blocks of the data sample V given h),
    by ``mcmc`` (eq. 15: Gibbs chains of V at every h), or by ``gaussian`` (pairs with the critic of
    correlated Gaussian variables in place of f, which needs no Theta). Its maximum is right, but
    **its value is not a mutual information** and must never be printed as one.
``logsum``
    Eq. 12, without the Jensen step.
``enumerate``
    The exact sum over the 2^n_block states of the block (at most 16 sites) under P_Theta(V|e).
``decoder``
    The variational lower bound <log r(h|e) - log <r(h|e)>>, whose decoder r climbs its likelihood;
    it needs no Theta.

``proxy`` by pairs and ``logsum`` are biased with eight units on blocks of ten and more sites: the
blocks of a minibatch are then the samples of V given h, fewer than two for each of 256 states. The
rules that they learn on 5x2 blocks at T_c keep 0.943 and 1.021 nats of I(V:E) = 1.133, that of
``decoder`` keeps 1.087. On 3x3 blocks, where all blocks that occur are the samples, they keep
1.017, 1.010 and 1.017 of 1.017 nats (exact; ``make -C data/estimators``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.categorical import HiddenUnits, tied_filters
from rsmi.kernels import objectives as kernel

OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
ESTIMATORS = ("pairs", "mcmc", "gaussian")


class ThetaPair(NamedTuple):
    """Two Boltzmann machines, one of (V, E) and one of V alone.

    -F(x) = visible_bias . x + sum_k log 2cosh(hidden_bias_k + (x W)_k) of units +-1. Of variables
    with q states, sites stand for all their features and hidden units for all their q states, and
    the logarithm is that of the sum over the states: `rsmi.information.tied_rbm`.

    Attributes
    ----------
    weights : ndarray of float64, (n_block + n_environment, n_hidden)
        Weights of the machine of (V, E); the sites of the block come first.
    visible_bias, hidden_bias : ndarray of float64, (n_block + n_environment,), (n_hidden,)
    block_weights : ndarray of float64, (n_block, n_block_hidden)
        Weights of the machine of V.
    block_visible_bias, block_hidden_bias : ndarray of float64, (n_block,), (n_block_hidden,)
    """

    weights: NDArray[np.float64]
    visible_bias: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    block_weights: NDArray[np.float64]
    block_visible_bias: NDArray[np.float64]
    block_hidden_bias: NDArray[np.float64]


@dataclass(frozen=True)
class LambdaProblem:
    """Training windows, and what the objective needs to know about them.

    Where the mean of a variable is not zero by symmetry, training converges faster with x_j =
    filters[j] . (v - <v>) + bias[j], and in the same way for the fields of a decoder. Filters and
    bias then belong to centred windows.

    Attributes
    ----------
    blocks : ndarray of int8, (n_windows, n_block)
        Spins +-1.
    environments : ndarray of int8, (n_windows, n_environment)
        Spins +-1.
    theta : ThetaPair, optional
        For ``proxy`` by pairs or mcmc, ``logsum`` and ``enumerate``.
    means : pair of ndarray of float64, (n_block,) and (n_environment,), optional
        Means of the variables; zero by default.
    critic : ndarray of float64, (n_block, n_environment), optional
        For ``proxy`` by gaussian; see `rsmi.information.gaussian`.
    features : ndarray of float64, (q, n), optional
        The features of the states of a variable; blocks and environments then hold codes 0, ...,
        q - 1. See `rsmi.information.categorical`.
    """

    blocks: NDArray[np.int8]
    environments: NDArray[np.int8]
    theta: ThetaPair | None = None
    means: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    critic: NDArray[np.float64] | None = None
    features: NDArray[np.float64] | None = None

    def kernel_windows(self) -> kernel.Windows:
        """Return the problem in the form that the kernels take."""
        theta = self.theta
        if theta is not None:
            theta = ThetaPair(*(np.ascontiguousarray(x, np.float64) for x in theta))
        return kernel.Windows(
            np.ascontiguousarray(self.blocks),
            np.ascontiguousarray(self.environments),
            theta,
            self.means,
            self.critic,
            self.features,
        )


STEPS_PER_EPOCH = 20  # updates of one row of the curve of a training


@dataclass(frozen=True)
class LambdaSettings:
    """How an objective is evaluated and maximised.

    `rsmi.information.training.default_settings` chooses the numbers.
    """

    objective: str = "proxy"
    estimator: str = "pairs"
    n_hidden: int = 1
    bias: str = "zero"  # or "free"
    batch: int = 200
    total_steps: int = 600
    steps_per_epoch: int = STEPS_PER_EPOCH
    learning_rate: float = 0.05
    optimizer: str = "adam"  # or "sgd"
    # whether all blocks that occur are the samples of V given h, else those of the minibatch;
    # pairs and logsum only
    distinct_blocks: bool = False
    initial_width: float = 0.1  # standard deviation of the initial filters
    n_chains: int = 50  # per state h, mcmc only
    n_sweeps: int = 3  # Gibbs sweeps of the chains per step, mcmc only
    decoder_units: int = 0  # tanh units of the decoder beside its linear part, decoder only
    decoder_learning_rate: float = 0.02
    # states of the only hidden unit, a softmax; 0 for units with two states each; not for mcmc
    # and gaussian
    hidden_states: int = 0
    tied: bool = False  # whether this unit is tied to the symmetry of the states

    def __post_init__(self) -> None:
        choices = {
            "objective": OBJECTIVES,
            "estimator": ESTIMATORS,
            "bias": ("zero", "free"),
            "optimizer": ("adam", "sgd"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )
        if self.hidden_states and (self.n_hidden != 1 or self.method in ("mcmc", "gaussian")):
            raise ValueError(f"{self.method} is not for one hidden unit with several states")
        if not 1 <= self.n_hidden <= 8:
            raise ValueError(f"n_hidden must be between 1 and 8, not {self.n_hidden}")
        if (
            min(self.total_steps, self.steps_per_epoch, self.n_sweeps) < 1
            or min(self.batch, self.n_chains) < 2
            or self.decoder_units < 0
        ):
            raise ValueError(
                "total_steps, steps_per_epoch and n_sweeps must be at least 1, batch and n_chains"
                " at least 2"
            )

    @property
    def n_filters(self) -> int:
        """Number of filters: one for each hidden unit, or for each state of the only one unless
        they are tied."""
        return 1 if self.tied else self.hidden_states or self.n_hidden

    @property
    def method(self) -> str:
        """Name of the objective in the kernels."""
        return self.estimator if self.objective == "proxy" else self.objective


class ObjectiveValue(NamedTuple):
    """An objective and its gradients.

    Attributes
    ----------
    value : float
        In nats; up to a constant for ``proxy``.
    filters_gradient : ndarray of float64, (n_hidden, n_block)
    bias_gradient : ndarray of float64, (n_hidden,)
    decoder_gradient : ndarray of float64, (n,)
        Gradient of the decoder's mean log-likelihood, not of the value; empty for the other
        objectives.
    """

    value: float
    filters_gradient: NDArray[np.float64]
    bias_gradient: NDArray[np.float64]
    decoder_gradient: NDArray[np.float64]


def evaluate_objective(
    problem: LambdaProblem,
    settings: LambdaSettings,
    filters: ArrayLike,
    bias: ArrayLike,
    *,
    decoder: ArrayLike | None = None,
    chains: NDArray[np.int8] | None = None,
    rng: NDArray[np.uint64] | None = None,
) -> ObjectiveValue:
    """Return value and gradient of an objective, with all windows of the problem as one minibatch.

    Parameters
    ----------
    problem : LambdaProblem
    settings : LambdaSettings
    filters : array_like of float, (n_hidden, n_block)
    bias : array_like of float, (n_hidden,)
    decoder : array_like of float, (n,), optional
        For ``decoder`` only: the parameters of the decoder in the order of
        csrc/learning/decoder.h; `rsmi.kernels.decoder.parameter_count` gives their number.
    chains : ndarray of int8, (2^n_hidden, n_block, n_chains), optional
        For mcmc only: blocks of spins +-1, which are advanced in place.
    rng : ndarray of uint64, (4,), optional
        For mcmc only: the state of a xoshiro256++ generator, which is advanced in place.
    """
    filters, bias = np.asarray(filters, float), np.asarray(bias, float)
    decoder = np.zeros(0) if decoder is None else np.asarray(decoder, float)
    parameters = np.concatenate([filters.ravel(), bias, decoder])
    state = {
        "parameters": parameters,
        "moments": np.zeros((2, len(parameters))),
        "chains": np.zeros((0, 0, 0), np.int8) if chains is None else chains,
        "rng": np.ones(4, np.uint64) if rng is None else rng,
        "step": np.zeros(1, np.int64),
    }
    value, gradient = kernel.evaluate(problem.kernel_windows(), settings, state)
    of_filters, of_bias, of_decoder = np.split(gradient, [filters.size, filters.size + bias.size])
    return ObjectiveValue(value, of_filters.reshape(filters.shape), of_bias, of_decoder)


def enumerate_objective(
    posterior: ArrayLike,
    filters: ArrayLike,
    bias: ArrayLike,
    hidden: HiddenUnits | None = None,
) -> ObjectiveValue:
    """Return I(H:E) of the soft channel from a table of P(V|e), and its gradient.

    Parameters
    ----------
    posterior : array_like of float, (n_environments, 2^n_block)
        P(V|e_i), whose rows sum to 1; bit i of the column index is 1 where site i is up. The
        environments count equally. With the exact P(V|e) the value is the exact mutual information
        of these environments.
    filters : array_like of float, (n_hidden, n_block)
    bias : array_like of float, (n_hidden,)
    hidden : HiddenUnits, optional
        Hidden units with several states, or units that act on features of codes; the filters are
        then of their shape, and the posterior has q^n_block columns. Tied filters have no bias.
    """
    table, rows, constants = (np.ascontiguousarray(x, float) for x in (posterior, filters, bias))
    if hidden is None:
        return ObjectiveValue(*kernel.enumerate_information(table, rows, constants), np.zeros(0))
    features, several = hidden.features, hidden.states > 0
    if not hidden.tied or features is None:
        found = kernel.enumerate_information(table, rows, constants, several, features)
        return ObjectiveValue(*found, np.zeros(0))
    free = tied_filters(rows[0], features)
    value, gradient, _ = kernel.enumerate_information(
        table, free, np.zeros(hidden.states), several, features
    )
    by_site = gradient.reshape(hidden.states, -1, features.shape[1])
    tied = np.einsum("hia,ha->i", by_site, features)[np.newaxis]
    return ObjectiveValue(value, tied, np.zeros(1), np.zeros(0))
