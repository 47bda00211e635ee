"""Boltzmann machines of units with q states, whose weights are tied to the symmetry of the states.

    P(x, h) ~ exp(sum_ij weights[i, j] f(x_i) . f(h_j))

where f(a) are the features of the state a (`rsmi.information.categorical`), for visible and hidden
units alike. Summed over the hidden units, ``-F(x) = sum_j log sum_b exp(sum_i weights[i, j] f(x_i)
. f(b))``. A relabelling of all states that keeps the products f(a) . f(b) does not change P(x). No
unit has a field, which would prefer a state. With two states this is a machine of units +-1 without
biases. The generalisation is that of the Theta-machine of Koch-Janusz & Ringel, Nature Physics 14,
578 (2018), to more than two states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.categorical import block_codes
from rsmi.information.decoder import keyed_generator
from rsmi.information.rbm import CHUNK, INITIAL_STANDARD_DEVIATION
from rsmi.kernels import tied_rbm as kernel
from rsmi.kernels.objectives import pair_log_sums

MOST_BLOCK_STATES = 1 << 16  # of a block whose states are tabulated

State = dict[str, NDArray[Any]]


def initial_state(
    n_visible: int,
    n_hidden: int,
    rng_key: NDArray[np.uint64],
    *,
    chains: int = 0,
    states: int = 2,
) -> State:
    """Return the start of a training: small normal weights (standard deviation 0.01).

    Parameters
    ----------
    n_visible, n_hidden : int
        Numbers of units, at least one of each.
    rng_key : ndarray of uint64, (4,)
        State of a xoshiro256++ generator, not all zero. It is copied.
    chains : int
        Number of persistent chains, one for each window of a batch; 0 for plain contrastive
        divergence.
    states : int
        Number of states of a unit, from which chains are drawn.

    Returns
    -------
    dict of arrays
        ``weights`` and ``weights_momentum`` float64 (n_visible, n_hidden), ``rng`` uint64 (4,),
        ``epoch`` int64 (), and with `chains` ``chains`` int8 (chains, n_visible): everything that
        training needs to continue with the same bits.

    Raises
    ------
    ValueError
        If the key or a number is impossible.
    """
    if n_visible < 1 or n_hidden < 1 or chains < 0:
        raise ValueError("visible and hidden units must be at least one")
    key = np.array(rng_key, dtype=np.uint64)
    generator = keyed_generator(key)
    state: State = {
        "weights": generator.normal(0.0, INITIAL_STANDARD_DEVIATION, (n_visible, n_hidden)),
        "weights_momentum": np.zeros((n_visible, n_hidden)),
        "rng": key,
        "epoch": np.zeros((), np.int64),
    }
    if chains:
        state["chains"] = generator.integers(0, states, (chains, n_visible), np.int8)
    return state


def train_epochs(
    state: State,
    visible: NDArray[np.int8],
    features: NDArray[np.float64],
    *,
    epochs_total: int,
    count: int,
    batch_size: int = 100,
    n_gibbs: int = 5,
    learning_rate: float = 0.2,
    momentum: float = 0.5,
) -> dict[str, NDArray[Any]]:
    """Train for at most `count` more of `epochs_total` epochs, and update the state in place.

    The method is CD-`n_gibbs`, or its persistent form if the state has chains; see
    `rsmi.information.rbm.train_epochs`. Ten epochs, or three and then seven, give the same bits.

    Parameters
    ----------
    state : dict of arrays
        From `initial_state`, or read from a checkpoint.
    visible : ndarray of int8, (n_windows, n_visible)
        Windows of codes 0, ..., q - 1, C-contiguous.
    features : ndarray of float64, (q, n)
        Features of the states.
    epochs_total, count : int
        Length of the whole training, and the number of epochs to train now.
    batch_size, n_gibbs : int
        Windows of one batch, and Gibbs steps.
    learning_rate, momentum : float
        The learning rate falls linearly to 5 % of its start.

    Returns
    -------
    dict of arrays, one entry for each epoch
        ``epoch`` (int64, from 1), ``reconstruction_error`` (float64, the fraction of the visible
        units that the Gibbs steps change; nan if persistent).

    Raises
    ------
    FloatingPointError
        If the weights overflowed. The message names the epoch.
    ValueError
        If a number is below 1 or the arrays do not fit together.
    """
    if n_gibbs < 1 or epochs_total < 1 or batch_size < 1:
        raise ValueError("Gibbs steps, epochs and the batch size must be at least one")
    done, n_batches = int(state["epoch"]), len(visible) // batch_size
    epochs = np.arange(done, min(done + count, epochs_total))
    errors = np.empty(len(epochs))
    for row, epoch in enumerate(epochs.tolist()):
        try:
            errors[row] = kernel.train_epoch(
                state,
                np.ascontiguousarray(features),
                visible,
                batch_size=batch_size,
                n_gibbs=n_gibbs,
                learning_rate=learning_rate,
                momentum=momentum,
                first_batch=epoch * n_batches,
                total_batches=epochs_total * n_batches,
            )
        except FloatingPointError:
            raise FloatingPointError(
                f"the training diverged in epoch {epoch + 1} of {epochs_total}: lower the learning"
                " rate"
            ) from None
        state["epoch"][...] = epoch + 1
    return {"epoch": epochs + 1, "reconstruction_error": errors}


@dataclass(frozen=True)
class TiedRBM:
    """A trained tied machine.

    Parameters
    ----------
    weights : array_like of float, (n_visible, n_hidden)
    features : array_like of float, (q, n)
        Both are stored as float64.

    Notes
    -----
    Methods about environments take the sites of the block to be the first visible units. The state
    of a block has the number sum_i code_i q^i.
    """

    weights: NDArray[np.float64]
    features: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("weights", "features"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))

    @property
    def states(self) -> int:
        """Number of states of a unit."""
        return len(self.features)

    def feature_weights(self) -> NDArray[np.float64]:
        """Return the weights that act on features and give the fields of all states of the hidden
        units, (n_visible * n, n_hidden * q)."""
        whole = np.einsum("ij,ba->iajb", self.weights, self.features)
        return whole.reshape(whole.shape[0] * whole.shape[1], -1)

    def fields(self, codes: NDArray[Any], first: int = 0) -> NDArray[np.float64]:
        """Return the part of the hidden fields that comes from the units `first`, `first` + 1, ...

        Parameters
        ----------
        codes : ndarray of int, (n, n_units)

        Returns
        -------
        ndarray of float64, (n_hidden, q, n)
        """
        weights = self.weights[first : first + codes.shape[1]]
        return np.einsum(
            "nia,ij,ba->jbn", self.features[codes], weights, self.features, optimize=True
        )

    def free_energy(self, visible: ArrayLike) -> NDArray[np.float64]:
        """Return F(x) of windows of codes (n, n_visible): (n,), in nats, without log Z."""
        return -log_sums(self.fields(np.asarray(visible))).sum(axis=0)

    def pseudo_log_likelihood(self, visible: ArrayLike) -> NDArray[np.float64]:
        """Return the exact pseudo-log-likelihood sum_i log P(x_i | all other units) of windows.

        Parameters
        ----------
        visible : array_like of int, (n, n_visible)
            Codes 0, ..., q - 1.

        Returns
        -------
        ndarray of float64, (n,)
            In nats. Besag, The Statistician 24, 179 (1975).
        """
        visible = np.asarray(visible)
        rows = max(1, CHUNK // (self.weights.shape[1] * self.states**2))
        parts = np.arange(rows, len(visible), rows)
        return np.concatenate([self._pseudo(part) for part in np.split(visible, parts)])

    def _pseudo(self, visible: NDArray[Any]) -> NDArray[np.float64]:
        """The pseudo-log-likelihood of a few windows: unit i is given every state b in turn."""
        fields, rows = self.fields(visible), np.arange(len(visible))
        overlaps = self.features @ self.features.T
        total = np.zeros(len(visible))
        for i, codes in enumerate(visible.T):
            change = overlaps[:, np.newaxis] - overlaps[codes]  # (b, n, h)
            moved = fields[:, :, :, np.newaxis] + np.einsum("j,bnh->jhnb", self.weights[i], change)
            log_weights = log_sums(moved).sum(axis=0)  # (n, b)
            total += log_weights[rows, codes] - log_sums(log_weights.T[np.newaxis])[0]
        return total

    def conditional_block(self, environments: ArrayLike) -> NDArray[np.float64]:
        """Return P(V | E) for every state of the block.

        Parameters
        ----------
        environments : array_like of int, (n, n_environment)
            Codes; the block has the remaining sites, with at most 2^16 states.

        Returns
        -------
        ndarray of float64, (n, q^n_block)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If the block has no sites or too many states.
        """
        environments = np.asarray(environments)
        n_block = len(self.weights) - environments.shape[1]
        if n_block < 1 or self.states**n_block > MOST_BLOCK_STATES:
            raise ValueError(
                f"a table over all block states needs 1 to {MOST_BLOCK_STATES} of them, not"
                f" {self.states}^{n_block}"
            )
        columns = self.fields(block_codes(self.states, n_block))
        rows = self.fields(environments, n_block)
        table = pair_log_sums(np.ascontiguousarray(rows), np.ascontiguousarray(columns))
        table -= table.max(axis=1, keepdims=True)
        np.exp(table, out=table)
        table /= table.sum(axis=1, keepdims=True)
        return table


def log_sums(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log sum_b exp(x[:, b]), without overflow."""
    largest = x.max(axis=1)
    return largest + np.log(np.exp(x - largest[:, np.newaxis]).sum(axis=1))
