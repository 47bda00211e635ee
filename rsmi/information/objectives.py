"""The RSMI objectives: estimates or bounds of I(H:E) with explicit gradients in the filters and
biases.

Koch-Janusz & Ringel, Nature Physics 14, 578 (2018). Theta is known through two Boltzmann machines,
one of (V, E), one of V; f(v, e) = -F_VE(v, e) + F_V(v) is their log-ratio up to terms of e alone.

================
===========================================================================================================
``proxy``         eq. 14, the first cumulant, evaluated by ``pairs`` (blocks of the data sample V
given h) or by
                  ``mcmc`` (eq. 15: Gibbs chains of V at every h), or with the critic of correlated
                  Gaussian variables in place of f by ``gaussian`` (pairs; needs no Theta). Its
                  maximum is right; **its value is not a mutual information** and must never be
                  printed as one.
``logsum``        eq. 12, without the Jensen step. ``enumerate``     exact sum over the block's
2^n_block states (at most 16 sites) under P_Theta(V|e). ``decoder``       variational lower bound
<log r(h|e) - log <r(h|e)>>, whose decoder r climbs its likelihood; needs no Theta.
================
===========================================================================================================

``proxy`` by pairs and ``logsum`` are biased with eight units on blocks of ten and more sites: a
minibatch's own blocks are then the samples of V given h, fewer than two for each of 256 states. The
rules that they learn on 5x2 blocks at T_c keep .943 and 1.021 nats of I(V:E) = 1.133, that of
``decoder`` 1.087; on 3x3, where all blocks that occur are the samples, 1.017, 1.010 and 1.017 of
1.017 (exact; ``make -C data/estimators``).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import objectives as kernel

OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
ESTIMATORS = ("pairs", "mcmc", "gaussian")


class ThetaPair(NamedTuple):
    """Two Boltzmann machines with +-1 units, -F(x) = visible_bias.x + sum_k log 2cosh(hidden_bias_k
    + (x W)_k); float64."""

    weights: NDArray[
        np.float64
    ]  # of (V, E): (n_block + n_environment, n_hidden), block sites first
    visible_bias: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]
    block_weights: NDArray[np.float64]  # of V alone: (n_block, n_block_hidden)
    block_visible_bias: NDArray[np.float64]
    block_hidden_bias: NDArray[np.float64]


@dataclass(frozen=True)
class LambdaProblem:
    """Training windows, int8 +-1 C-contiguous, and what the objective needs to know of them.

    Where a variable's mean is not zero by symmetry, training goes better with x_j = filters[j] . (v
    - <v>) + bias[j], and so for a decoder's fields: filters and bias are then those of centred
    windows.
    """

    blocks: NDArray[np.int8]  # (n_windows, n_block)
    environments: NDArray[np.int8]  # (n_windows, n_environment)
    theta: ThetaPair | None = None  # proxy by pairs or mcmc, logsum, enumerate
    means: tuple[NDArray[np.float64], NDArray[np.float64]] | None = (
        None  # (n_block,), (n_environment,); None: zero
    )
    critic: NDArray[np.float64] | None = (
        None  # (n_block, n_environment), proxy by gaussian: `rsmi.information.gaussian`
    )

    def kernel_windows(self) -> kernel.Windows:
        theta = (
            None
            if self.theta is None
            else tuple(np.ascontiguousarray(x, float) for x in self.theta)
        )
        return kernel.Windows(
            np.ascontiguousarray(self.blocks),
            np.ascontiguousarray(self.environments),
            theta,
            self.means,
            self.critic,
        )


@dataclass(frozen=True)
class LambdaSettings:
    """How an objective is evaluated and ascended; `default_settings` in `rsmi.information.training`
    chooses the numbers."""

    objective: str = "proxy"
    estimator: str = "pairs"
    n_hidden: int = 1
    bias: str = "zero"  # or "free"
    batch: int = 200
    total_steps: int = 600
    steps_per_epoch: int = 20
    learning_rate: float = 0.05
    optimizer: str = "adam"  # or "sgd"
    # samples of V given h: all blocks that occur, else the minibatch's own; pairs and logsum only
    distinct_blocks: bool = False
    initial_width: float = 0.1  # standard deviation of the initial filters
    n_chains: int = 50  # per state h, mcmc only
    n_sweeps: int = 3  # Gibbs sweeps of the chains per step, mcmc only
    decoder_units: int = 0  # tanh units of the decoder beside its linear part, decoder only
    decoder_learning_rate: float = 0.02

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
    def method(self) -> str:
        """The kernel's name of the objective."""
        return self.estimator if self.objective == "proxy" else self.objective


class ObjectiveValue(NamedTuple):
    """Value in nats (up to a constant for ``proxy``) and gradients."""

    value: float
    filters_gradient: NDArray[np.float64]  # (n_hidden, n_block)
    bias_gradient: NDArray[np.float64]  # (n_hidden,)
    decoder_gradient: NDArray[
        np.float64
    ]  # of the decoder's mean log-likelihood, not of value; empty for other objectives


def evaluate_objective(
    problem: LambdaProblem,
    settings: LambdaSettings,
    filters: NDArray,
    bias: NDArray,
    *,
    decoder: NDArray | None = None,
    chains: NDArray[np.int8] | None = None,
    rng: NDArray[np.uint64] | None = None,
) -> ObjectiveValue:
    """Value and gradient of an objective with all windows of the problem as one minibatch.

    Parameters
    ----------
    filters, bias : (n_hidden, n_block), (n_hidden,) float64
    decoder : (n,) float64, decoder objective only
        The decoder's parameters (order: csrc/decoder.h), `rsmi.kernels.decoder.parameter_count` of
        them.
    chains : (2^n_hidden, n_block, n_chains) int8, mcmc only
        Blocks +-1, advanced in place.
    rng : (4,) uint64, mcmc only
        xoshiro256++ state, advanced in place.
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


def enumerate_objective(posterior: NDArray, filters: NDArray, bias: NDArray) -> ObjectiveValue:
    """I(H:E) of the soft channel from a given table of P(V|e), and its gradient.

    Parameters
    ----------
    posterior : (n_environments, 2^n_block) float64
        P(V|e_i), rows summing to one; bit i of the column index is site i (1 = up). The
        environments count equally; with the exact P(V|e) the value is the exact mutual information
        of these environments.
    filters, bias : (n_hidden, n_block), (n_hidden,) float64
    """
    arrays = (np.ascontiguousarray(x, float) for x in (posterior, filters, bias))
    return ObjectiveValue(*kernel.enumerate_information(*arrays), np.zeros(0))
