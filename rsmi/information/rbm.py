"""Restricted Boltzmann machines of +-1 units: training by contrastive divergence, and what a
trained machine says.

``P(x, h) ~ exp(a.x + c.h + x W h)`` with ``x_i, h_k`` in {-1, +1}. Summed over the hidden units,
``P(x) ~ exp(-F(x))``, ``-F(x) = a.x + sum_k log 2cosh(c_k + (xW)_k)``. Where the visible units are
a block V followed by its environment E (the Theta-machine of Koch-Janusz & Ringel, Nature Physics
14, 578 (2018)), the field of a hidden unit is a sum of one part for each, so tables over all block
states cost one addition per hidden unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.information.channel import spin_states
from rsmi.kernels import rbm as kernel
from rsmi.kernels.objectives import pair_log_cosh

MAX_BLOCK = 16  # sites of a block whose states are tabulated
INITIAL_STANDARD_DEVIATION = 0.01  # of the weights
_LARGEST_MEAN = 0.99
CHUNK = 1 << 18  # float64 numbers of a temporary array: stays in the second-level cache

State = dict[str, np.ndarray]


def initial_state(
    n_visible: int,
    n_hidden: int,
    rng_key: NDArray[np.uint64],
    *,
    visible_mean: NDArray[np.float64] | None = None,
    persistent: bool = False,
    batch_size: int = 100,
) -> State:
    """Start of a training: small normal weights (standard deviation .01), zero biases, seeded
    generators.

    Parameters
    ----------
    n_visible, n_hidden : int
        Units, at least one of each.
    rng_key : uint64 (4,)
        xoshiro256++ state, not all zero; copied.
    visible_mean : (n_visible,), optional
        Mean of the data where it is not zero by symmetry: the visible biases start there, at artanh
        of it.
    persistent : bool
        Also draw one chain of fair spins per window of a batch, for persistent contrastive
        divergence.
    batch_size : int
        Number of chains; used with ``persistent`` only.

    Returns
    -------
    dict of arrays
        ``weights`` float32 (n_visible, n_hidden), ``visible_bias`` (n_visible,), ``hidden_bias``
        (n_hidden,), the last steps ``weights_momentum, visible_momentum, hidden_momentum``, ``rng``
        uint64 (4,), ``lanes`` uint32 (4, 64), ``epoch`` int64 (), and with ``persistent``
        ``chains`` int8 (batch_size, n_visible): all that training needs to continue bit for bit.
    """
    key = np.array(rng_key, dtype=np.uint64)
    if key.shape != (4,) or not key.any():
        raise ValueError("the random key must be four 64-bit words, not all zero")
    if n_visible < 1 or n_hidden < 1 or batch_size < 1:
        raise ValueError("visible units, hidden units and the batch size must be at least one")
    shapes = {
        "weights": (n_visible, n_hidden),
        "visible_bias": (n_visible,),
        "hidden_bias": (n_hidden,),
    }
    state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    state |= {
        name.split("_")[0] + "_momentum": np.zeros(shape, np.float32)
        for name, shape in shapes.items()
    }
    if visible_mean is not None:
        state["visible_bias"][...] = np.arctanh(
            np.clip(visible_mean, -_LARGEST_MEAN, _LARGEST_MEAN)
        )
    state |= {
        "rng": key,
        "lanes": np.zeros((4, kernel.LANES), np.uint32),
        "epoch": np.zeros((), np.int64),
    }
    if persistent:
        state["chains"] = np.zeros((batch_size, n_visible), np.int8)
    kernel.initialize(state, INITIAL_STANDARD_DEVIATION)
    return state


def train_epochs(
    state: State,
    visible: NDArray[np.int8],
    *,
    epochs_total: int,
    count: int,
    batch_size: int = 100,
    n_gibbs: int = 5,
    learning_rate: float = 0.05,
    momentum: float = 0.5,
    weight_decay: float = 0.0,
    symmetric: bool = False,
    persistent: bool = False,
) -> dict[str, np.ndarray]:
    """Train for at most ``count`` more epochs of ``epochs_total``, updating ``state`` in place.

    CD-``n_gibbs``, or its persistent form; the statistics use the means of the hidden units. Ten
    epochs, or three and then seven, give the same bits, whatever the threads or the instruction
    set.

    Parameters
    ----------
    state : dict
        From :func:`initial_state`, or read back from a checkpoint.
    visible : int8 (n_windows, n_visible), C-contiguous
        Windows of +-1 spins. Every epoch visits them in a new order; the ``n_windows % batch_size``
        last in it are left out of that epoch.
    epochs_total : int
        Length of the whole training: the learning rate falls linearly from ``learning_rate`` to 5 %
        of it.
    count : int
        Epochs to do now; fewer if the training ends before.
    weight_decay : float
        Penalty ``weight_decay |W|^2 / 2`` on the log-likelihood; biases are free.
    symmetric : bool
        Keep both biases at zero, so that ``P(x) = P(-x)``.
    persistent : bool
        Continue the chains of the last batch instead of starting at the data; needs a persistent
        ``state``.

    Returns
    -------
    dict of float64 arrays, one entry per epoch done
        ``epoch`` (int64, from 1), ``learning_rate`` (at its first batch), ``reconstruction_error``
        (fraction of the visible units changed by the Gibbs steps; NaN if persistent).

    Raises
    ------
    FloatingPointError
        The parameters overflowed; names the epoch. ``state`` is then useless.
    """
    if persistent != ("chains" in state):
        raise ValueError(
            "persistent training needs a state with chains, plain contrastive divergence one"
            " without"
        )
    if n_gibbs < 1 or epochs_total < 1 or batch_size < 1:
        raise ValueError("Gibbs steps, epochs and the batch size must be at least one")
    done, n_batches = int(state["epoch"]), len(visible) // batch_size
    epochs = np.arange(done, min(done + count, epochs_total))
    rates = learning_rate * (1 - 0.95 * epochs / epochs_total)
    errors = np.empty(len(epochs))
    for row, epoch in enumerate(epochs.tolist()):
        try:
            errors[row] = kernel.train_epoch(
                state,
                visible,
                batch_size=batch_size,
                n_gibbs=n_gibbs,
                learning_rate=learning_rate,
                momentum=momentum,
                weight_decay=weight_decay,
                symmetric=symmetric,
                first_batch=epoch * n_batches,
                total_batches=epochs_total * n_batches,
            )
        except FloatingPointError:
            raise FloatingPointError(
                f"the training diverged in epoch {epoch + 1} of {epochs_total}: lower the learning"
                " rate"
            ) from None
        state["epoch"][...] = epoch + 1
    return {"epoch": epochs + 1, "learning_rate": rates, "reconstruction_error": errors}


@dataclass(frozen=True)
class RBM:
    """A trained machine; arrays are held as float64.

    Parameters
    ----------
    weights : (n_visible, n_hidden)
    visible_bias : (n_visible,)
    hidden_bias : (n_hidden,)

    Notes
    -----
    Methods that know blocks and environments take the block's sites to be the first visible units,
    the environment's the rest; a machine on the block alone has environments of shape (n, 0). Block
    state ``index`` has site i up where bit i of ``index`` is set.
    """

    weights: NDArray[np.float64]
    visible_bias: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]

    def __post_init__(self):
        for name in ("weights", "visible_bias", "hidden_bias"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        if self.weights.shape != self.visible_bias.shape + self.hidden_bias.shape:
            raise ValueError("weights must be (visible, hidden) units, with one bias for each unit")

    @classmethod
    def from_state(cls, state: State) -> RBM:
        """The machine a training has reached."""
        return cls(state["weights"], state["visible_bias"], state["hidden_bias"])

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return len(self.visible_bias)

    def free_energy(self, visible: NDArray) -> NDArray[np.float64]:
        """F(x) = -log sum_h exp(a.x + c.h + x W h) of windows (n, n_visible) -> (n,), in nats,
        unnormalised."""
        x = np.asarray(visible, np.float64)
        return -(x @ self.visible_bias) - log_two_cosh(x @ self.weights + self.hidden_bias).sum(
            axis=1
        )

    def pseudo_log_likelihood(self, visible: NDArray) -> NDArray[np.float64]:
        """sum_i log P(x_i | all other units), exact (Besag 1975), of windows (n, n_visible) ->
        (n,), in nats.

        Flipping unit i changes the field of hidden unit k by -2 x_i W_ik.
        """
        visible = np.asarray(visible)
        result = np.empty(len(visible))
        rows = max(1, CHUNK // self.weights.shape[1])
        for start in range(0, len(visible), rows):
            x = visible[start : start + rows].astype(np.float64)
            fields = x @ self.weights + self.hidden_bias
            here = log_two_cosh(fields).sum(axis=1)
            total = np.zeros(len(x))
            for i in range(self.n_visible):
                flipped = log_two_cosh(fields - 2 * x[:, i, None] * self.weights[i]).sum(axis=1)
                log_odds = 2 * self.visible_bias[i] * x[:, i] + here - flipped
                total -= np.logaddexp(0, -log_odds)
            result[start : start + rows] = total
        return result

    def block_fields(self, blocks: NDArray) -> NDArray[np.float64]:
        """The blocks' part of the hidden fields, V W_V: (n, n_block) -> (n, n_hidden)."""
        blocks = np.asarray(blocks, np.float64)
        return blocks @ self.weights[: blocks.shape[1]]

    def environment_fields(self, environments: NDArray) -> NDArray[np.float64]:
        """The environments' part of the hidden fields, E W_E + c: (n, n_environment) -> (n,
        n_hidden)."""
        environments = np.asarray(environments, np.float64)
        return (
            environments @ self.weights[self.n_visible - environments.shape[1] :] + self.hidden_bias
        )

    def log_block_table(self, environments: NDArray) -> NDArray[np.float64]:
        """Unnormalised log P(V, E) = -F(V, E) for every block state: (n, n_environment) -> (n,
        2^n_block), n_block <= 16.

        One constant for the whole table, so rows may be compared; to 5e-6; it needs 8 n 2^n_block
        bytes.
        """
        environments = np.asarray(environments, np.float64)
        n_block = self.n_visible - environments.shape[1]
        if not 0 < n_block <= MAX_BLOCK:
            raise ValueError(
                f"a table over all block states needs 1 to {MAX_BLOCK} block sites, not {n_block}"
            )
        blocks = spin_states(n_block)
        fields = (self.environment_fields(environments), self.block_fields(blocks))
        table = pair_log_cosh(*(np.ascontiguousarray(x.T) for x in fields))
        table += blocks @ self.visible_bias[:n_block]
        table += (environments @ self.visible_bias[n_block:])[:, None]
        return table

    def conditional_block(self, environments: NDArray) -> NDArray[np.float64]:
        """P(V | E) for every block state: (n, n_environment) -> (n, 2^n_block), rows summing to
        one."""
        table = self.log_block_table(environments)
        table -= table.max(axis=1, keepdims=True)
        np.exp(table, out=table)
        table /= table.sum(axis=1, keepdims=True)
        return table


def log_two_cosh(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(2 cosh x), elementwise, without overflow."""
    magnitude = np.abs(x)
    return magnitude + np.log1p(np.exp(-2 * magnitude))
