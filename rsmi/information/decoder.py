"""The reported mutual information: a variational lower bound on held-out windows.

I(H:E) >= H(H) + <sum_h q(h|v) log r(h|e)> for every decoder r (Barber & Agakov, NIPS 16, 201
(2003)). The decoder is fitted on the training windows. On windows of independent configurations the
bound then holds up to sampling noise, however good or bad the fit is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.information.categorical import HiddenUnits
from rsmi.information.entropy import entropy
from rsmi.kernels import decoder as kernel
from rsmi.statistics.binning import runs

JACKKNIFE_BLOCKS = 40


@dataclass(frozen=True)
class Decoder:
    """A fitted model r(h|e) of the hidden units given the environment.

    log r(h|e) = sum_j s_j (field e)_j + offset(h) - log Z(e) with s_j = 2 h_j - 1: interacting
    spins h in a field that is linear in the environment. Optional tanh units add a nonlinear
    function of e.

    Attributes
    ----------
    parameters : ndarray of float64, (n,)
        In the order of csrc/learning/decoder.h.
    n_units : int
        Number of tanh units.
    n_hidden : int
        Number of hidden units h_j.
    hidden : HiddenUnits, optional
        The hidden units, if they have several states or act on features: then log r(h|e) = (field
        f(e))_h + offset(h) - log Z(e).
    """

    parameters: NDArray[np.float64]
    n_units: int
    n_hidden: int
    hidden: HiddenUnits | None = None

    def log_probabilities(self, environments: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return log r(h|e) of every environment.

        Parameters
        ----------
        environments : ndarray of int8, (n, n_environment)
            Spins +-1.

        Returns
        -------
        ndarray of float64, (n, 2^n_hidden)
        """
        hidden = self.hidden or HiddenUnits(self.n_hidden)
        return kernel.log_probabilities(
            self.parameters,
            np.ascontiguousarray(environments),
            self.n_units,
            self.n_hidden,
            hidden.states,
            hidden.tied,
            hidden.features,
        )


class DecoderBound(NamedTuple):
    """A lower bound of I(H:E) on held-out windows.

    Attributes
    ----------
    value : float
        The bound in nats.
    error : float
        Its standard error in nats.
    entropy : float
        H(H) of the state probabilities averaged over the windows, in nats.
    """

    value: float
    error: float
    entropy: float


def keyed_generator(rng_key: NDArray[np.uint64]) -> np.random.Generator:
    """Return a generator of start values from the key of a stream.

    Parameters
    ----------
    rng_key : ndarray of uint64, (4,)

    Raises
    ------
    ValueError
        If the key is not four words, or all are zero.
    """
    if rng_key.shape != (4,) or not rng_key.any():
        raise ValueError("rng_key must be four 64-bit words, not all zero")
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence([int(word) for word in rng_key]))
    )


def initial_decoder(
    n_environment: int,
    n_units: int,
    n_hidden: int,
    generator: np.random.Generator,
    states: int = 0,
) -> NDArray[np.float64]:
    """Return the parameters of the constant decoder, in the order of csrc/learning/decoder.h.

    The input weights of the tanh units are random, all other parameters are zero. The only hidden
    unit may have several ``states``.
    """
    parameters = np.zeros(kernel.parameter_count(n_environment, n_units, n_hidden, states))
    inputs = parameters[len(parameters) - n_units * (n_environment + 1) :][
        : n_units * n_environment
    ]
    inputs[:] = generator.normal(0.0, n_environment**-0.5, inputs.size)
    return parameters


def fit_decoder(
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    hard: bool,
    blocks: NDArray[np.int8],
    environments: NDArray[np.int8],
    rng_key: NDArray[np.uint64],
    *,
    environment_mean: NDArray[np.float64] | None = None,
    n_units: int = 0,
    steps: int = 1000,
    batch: int = 500,
    learning_rate: float = 0.02,
    hidden: HiddenUnits | None = None,
) -> Decoder:
    """Fit r(h|e) to the channel q(h|v) on training windows by maximum likelihood.

    The fit uses Adam on random minibatches; the parameters are averaged over the second half of the
    steps.

    Parameters
    ----------
    filters, bias, hard
        The channel; see `rsmi.information.channel.unit_probabilities`.
    blocks : ndarray of int8, (n, n_block)
    environments : ndarray of int8, (n, n_environment)
        Training windows, spins +-1.
    rng_key : ndarray of uint64, (4,)
        Key of the random stream of the fit, not all zero. It is not changed.
    environment_mean : ndarray of float64, (n_environment,), optional
        Mean of the environments where it is not zero by symmetry; it is subtracted during the fit.
    n_units : int
        Number of tanh units beside the linear fields. On Ising windows the linear fields are within
        0.002 nats of the exact value (0.005 for eight hidden units), and tanh units only fit noise.
    steps, batch : int
        Number of steps, and of windows in a minibatch.
    learning_rate : float
    hidden : HiddenUnits, optional
        The hidden units, if they have several states or act on features of codes. A tied unit has a
        tied decoder.

    Raises
    ------
    FloatingPointError
        If the fit diverged.
    """
    rng = np.array(rng_key, np.uint64)
    units = hidden or HiddenUnits(len(filters))
    n_environment = units.filter_length(environments.shape[1])
    parameters = np.zeros(n_environment)
    if not units.tied:
        parameters = initial_decoder(
            n_environment, n_units, units.count, keyed_generator(rng), units.states
        )
    targets = units.probabilities(filters, bias, blocks, hard)
    kernel.fit(
        parameters,
        np.ascontiguousarray(environments),
        targets,
        n_units,
        steps,
        batch,
        learning_rate,
        rng,
        environment_mean,
        units.states,
        units.tied,
        units.features,
    )
    if environment_mean is not None:
        _absorb_mean(parameters, environment_mean, n_units, units)
    return Decoder(parameters, n_units, units.count, hidden)


def _absorb_mean(
    parameters: NDArray[np.float64], mean: NDArray[np.float64], n_units: int, hidden: HiddenUnits
) -> None:
    """Change the parameters of a decoder of e - mean to those of the same decoder of e."""
    n_states, n, fields = hidden.n_states, len(mean), hidden.n_filters
    sizes = np.cumsum([fields * n, n_states, n_states * n_units, n_units * n])
    field, offset, _, inputs, input_bias = np.split(parameters, sizes)
    signs = 2 * (np.arange(n_states)[:, None] >> np.arange(fields) & 1) - 1
    if hidden.states:
        signs = np.eye(n_states, dtype=np.int64)
    offset -= np.einsum("hj,je,e->h", signs, field.reshape(fields, n), mean)
    input_bias -= np.einsum("ue,e->u", inputs.reshape(n_units, n), mean)


def decoder_bound(
    decoder: Decoder,
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    hard: bool,
    blocks: NDArray[np.int8],
    environments: NDArray[np.int8],
    groups: NDArray[np.integer],
    hidden: HiddenUnits | None = None,
) -> DecoderBound:
    """Return the bound on windows to which the decoder was not fitted.

    Parameters
    ----------
    decoder : Decoder
    filters, bias, hard
        The channel; see `rsmi.information.channel.unit_probabilities`.
    blocks : ndarray of int8, (n, n_block)
    environments : ndarray of int8, (n, n_environment)
        Held-out windows, spins +-1. As a control, permute the environments among the windows both
        here and in the fit: the bound is then zero within its error. For a decoder that was fitted
        to true pairs it would be far below zero.
    groups : ndarray of int, (n,)
        Index of the configuration from which each window comes. Consecutive configurations of a
        chain have consecutive indices.
    hidden : HiddenUnits, optional
        As in `fit_decoder`.

    Returns
    -------
    DecoderBound
        The value is not clipped to [0, H(H)]. Its error is a jackknife over at most 40 runs of
        successive configurations.

    Raises
    ------
    ValueError
        If all windows come from one configuration.
    """
    q = (hidden or HiddenUnits(len(filters))).probabilities(filters, bias, blocks, hard)
    likelihood = (q * decoder.log_probabilities(environments)).sum(axis=1)
    sums = _sums_over_blocks(np.column_stack([np.ones(len(q)), likelihood, q]), groups)
    total = sums.sum(axis=0)
    left_out = np.array([_bound(total - one) for one in sums])
    error = np.sqrt((len(sums) - 1) * left_out.var())
    return DecoderBound(_bound(total), float(error), _hidden_entropy(total))


def _bound(sums: NDArray[np.float64]) -> float:
    """Return H(mean q) + mean log-likelihood from the sums of 1, log-likelihood and q."""
    return _hidden_entropy(sums) + float(sums[1] / sums[0])


def _hidden_entropy(sums: NDArray[np.float64]) -> float:
    """Return H(mean q) from the sums of 1, log-likelihood and q. States that no window reaches are
    left out, so that they do not change the order of the summation."""
    mean = sums[2:] / sums[0]
    return float(entropy(mean[mean > 0]))


def _sums_over_blocks(
    rows: NDArray[np.float64], groups: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Sum the rows over each of at most JACKKNIFE_BLOCKS runs of successive groups."""
    label = runs(groups, JACKKNIFE_BLOCKS)
    n_blocks = int(label.max()) + 1
    if n_blocks < 2:
        raise ValueError("an error estimate needs windows from at least two configurations")
    sums = np.zeros((n_blocks, rows.shape[1]))
    np.add.at(sums, label, rows)
    return sums


def check_bounds(value: float, error: float, entropy: float) -> str | None:
    """Return a warning if an estimate lies more than three errors outside [0, H(H)], else None.

    Parameters
    ----------
    value, error, entropy : float
        The estimate of I(H:E), its standard error, and H(H), all in nats.
    """
    if value < -3 * error:
        return (
            f"the mutual information {value:.4f} +- {error:.4f} nats is below zero by more than"
            " three errors: the decoder is badly fitted"
        )
    if value > entropy + 3 * error:
        return (
            f"the mutual information {value:.4f} +- {error:.4f} nats exceeds the entropy"
            f" {entropy:.4f} of H by more than three errors"
        )
    return None
