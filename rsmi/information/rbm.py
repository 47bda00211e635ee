"""Restricted Boltzmann machines with units +-1: training by contrastive divergence, and the
distributions that a trained machine describes.

``P(x, h) ~ exp(a.x + c.h + x W h)`` with ``x_i, h_k`` in {-1, +1}. Summed over the hidden units,
``P(x) ~ exp(-F(x))`` with ``-F(x) = a.x + sum_k log 2cosh(c_k + (xW)_k)``. Where the visible units
are a block V followed by its environment E (the Theta-machine of Koch-Janusz & Ringel, Nature
Physics 14, 578 (2018)), the field of a hidden unit is a sum of one part for V and one for E. Tables
over all states of the block therefore cost one addition for each hidden unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.channel import spin_states
from rsmi.kernels import rbm as kernel
from rsmi.kernels.objectives import pair_log_cosh

MAX_BLOCK = 16  # sites of a block whose states are tabulated
INITIAL_STANDARD_DEVIATION = 0.01  # of the initial weights
_LARGEST_MEAN = 0.99
CHUNK = 1 << 18  # float64 numbers of a temporary array: stays in the second-level cache

State = dict[str, NDArray[Any]]


def initial_state(
    n_visible: int,
    n_hidden: int,
    rng_key: NDArray[np.uint64],
    *,
    visible_mean: NDArray[np.float64] | None = None,
    persistent: bool = False,
    batch_size: int = 100,
) -> State:
    """Return the start of a training: small normal weights (standard deviation 0.01), zero biases,
    seeded generators.

    Parameters
    ----------
    n_visible, n_hidden : int
        Numbers of units, at least one of each.
    rng_key : ndarray of uint64, (4,)
        State of a xoshiro256++ generator, not all zero. It is copied.
    visible_mean : ndarray of float64, (n_visible,), optional
        Mean of the data where it is not zero by symmetry. The visible biases start at its artanh.
    persistent : bool
        Whether to draw one chain of fair spins for each window of a batch, for persistent
        contrastive divergence.
    batch_size : int
        Number of chains; used only with `persistent`.

    Returns
    -------
    dict of arrays
        ``weights`` float32 (n_visible, n_hidden), ``visible_bias`` (n_visible,), ``hidden_bias``
        (n_hidden,), the last steps ``weights_momentum``, ``visible_momentum`` and
        ``hidden_momentum``, ``rng`` uint64 (4,), ``lanes`` uint32 (4, 64), ``epoch`` int64 (), and
        with `persistent` ``chains`` int8 (batch_size, n_visible): everything that training needs to
        continue with the same bits.

    Raises
    ------
    ValueError
        If the key or a number is impossible.
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
    state: State = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
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
) -> dict[str, NDArray[Any]]:
    """Train for at most `count` more of `epochs_total` epochs, and update the state in place.

    The method is CD-`n_gibbs` (Hinton, Neural Comput. 14, 1771 (2002)) or its persistent form
    (Tieleman, ICML 25, 1064 (2008)); the statistics use the means of the hidden units. Ten epochs,
    or three and then seven, give the same bits for any number of threads and any instruction set.

    Parameters
    ----------
    state : dict of arrays
        From `initial_state`, or read from a checkpoint.
    visible : ndarray of int8, (n_windows, n_visible)
        Windows of spins +-1, C-contiguous. Every epoch visits them in a new order; the last
        ``n_windows % batch_size`` of this order are left out of the epoch.
    epochs_total : int
        Length of the whole training. The learning rate falls linearly from `learning_rate` to 5 %
        of it.
    count : int
        Number of epochs to train now; fewer if the training ends before.
    batch_size, n_gibbs : int
        Windows of one batch, and Gibbs steps.
    learning_rate, momentum : float
    weight_decay : float
        Strength of the penalty ``weight_decay |W|^2 / 2`` on the log-likelihood; biases have none.
    symmetric : bool
        Whether both biases are kept at zero, so that ``P(x) = P(-x)``.
    persistent : bool
        Whether the chains of the last batch are continued instead of starting at the data; this
        needs a persistent state.

    Returns
    -------
    dict of arrays, one entry for each epoch
        ``epoch`` (int64, from 1), ``learning_rate`` (float64, at the first batch),
        ``reconstruction_error`` (float64, the fraction of the visible units that the Gibbs steps
        change; nan if persistent).

    Raises
    ------
    FloatingPointError
        If the parameters overflowed. The message names the epoch, and the state is then useless.
    ValueError
        If a number is below 1, or the state has chains and `persistent` is False or the reverse.
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
    """A trained machine.

    Parameters
    ----------
    weights : array_like of float, (n_visible, n_hidden)
    visible_bias : array_like of float, (n_visible,)
    hidden_bias : array_like of float, (n_hidden,)
        All are stored as float64.

    Notes
    -----
    Methods about blocks and environments take the sites of the block to be the first visible units,
    and those of the environment to be the rest. A machine of the block alone has environments of
    shape (n, 0). Block state ``index`` has site i up where bit i of ``index`` is 1.
    """

    weights: NDArray[np.float64]
    visible_bias: NDArray[np.float64]
    hidden_bias: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("weights", "visible_bias", "hidden_bias"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        if self.weights.shape != self.visible_bias.shape + self.hidden_bias.shape:
            raise ValueError("weights must be (visible, hidden) units, with one bias for each unit")

    @classmethod
    def from_state(cls, state: State) -> RBM:
        """Return the machine with the parameters of a training state."""
        return cls(state["weights"], state["visible_bias"], state["hidden_bias"])

    @property
    def n_visible(self) -> int:
        """Number of visible units."""
        return len(self.visible_bias)

    def free_energy(self, visible: ArrayLike) -> NDArray[np.float64]:
        """Return F(x) = -log sum_h exp(a.x + c.h + x W h) of windows.

        Parameters
        ----------
        visible : array_like of int, (n, n_visible)
            Spins +-1.

        Returns
        -------
        ndarray of float64, (n,)
            In nats, without the constant log Z.
        """
        x = np.asarray(visible, np.float64)
        return -(x @ self.visible_bias) - log_two_cosh(x @ self.weights + self.hidden_bias).sum(
            axis=1
        )

    def pseudo_log_likelihood(self, visible: ArrayLike) -> NDArray[np.float64]:
        """Return the exact pseudo-log-likelihood sum_i log P(x_i | all other units) of windows.

        Parameters
        ----------
        visible : array_like of int, (n, n_visible)
            Spins +-1.

        Returns
        -------
        ndarray of float64, (n,)
            In nats.

        Notes
        -----
        Besag, The Statistician 24, 179 (1975). A flip of unit i changes the field of hidden unit k
        by -2 x_i W_ik.
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

    def block_fields(self, blocks: ArrayLike) -> NDArray[np.float64]:
        """Return the part V W_V of the hidden fields that comes from the blocks.

        Parameters
        ----------
        blocks : array_like of int, (n, n_block)
            Spins +-1.

        Returns
        -------
        ndarray of float64, (n, n_hidden)
        """
        blocks = np.asarray(blocks, np.float64)
        return blocks @ self.weights[: blocks.shape[1]]

    def environment_fields(self, environments: ArrayLike) -> NDArray[np.float64]:
        """Return the part E W_E + c of the hidden fields: that of the environments and biases.

        Parameters
        ----------
        environments : array_like of int, (n, n_environment)
            Spins +-1.

        Returns
        -------
        ndarray of float64, (n, n_hidden)
        """
        environments = np.asarray(environments, np.float64)
        return (
            environments @ self.weights[self.n_visible - environments.shape[1] :] + self.hidden_bias
        )

    def log_block_table(self, environments: ArrayLike) -> NDArray[np.float64]:
        """Return log P(V, E) = -F(V, E), without log Z, for every state of the block.

        Parameters
        ----------
        environments : array_like of int, (n, n_environment)
            Spins +-1; the block then has n_visible - n_environment <= 16 sites.

        Returns
        -------
        ndarray of float64, (n, 2^n_block)
            In nats, to 5e-6. The missing constant is the same for the whole table, so that rows may
            be compared.

        Raises
        ------
        ValueError
            If the block has no sites or more than 16.
        """
        environments = np.asarray(environments, np.float64)
        n_block = self.n_visible - environments.shape[1]
        if not 0 < n_block <= MAX_BLOCK:
            raise ValueError(
                f"a table over all block states needs 1 to {MAX_BLOCK} block sites, not {n_block}"
            )
        blocks = spin_states(n_block)
        rows, columns = self.environment_fields(environments), self.block_fields(blocks)
        table = pair_log_cosh(np.ascontiguousarray(rows.T), np.ascontiguousarray(columns.T))
        table += blocks @ self.visible_bias[:n_block]
        table += (environments @ self.visible_bias[n_block:])[:, None]
        return table

    def conditional_block(self, environments: ArrayLike) -> NDArray[np.float64]:
        """Return P(V | E) for every state of the block.

        Parameters and errors are those of `log_block_table`.

        Returns
        -------
        ndarray of float64, (n, 2^n_block)
            Rows sum to 1.
        """
        table = self.log_block_table(environments)
        table -= table.max(axis=1, keepdims=True)
        np.exp(table, out=table)
        table /= table.sum(axis=1, keepdims=True)
        return table


def log_two_cosh(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(2 cosh x) elementwise, without overflow."""
    magnitude = np.abs(x)
    return magnitude + np.log1p(np.exp(-2 * magnitude))
