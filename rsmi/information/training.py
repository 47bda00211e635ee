"""Stochastic ascent of an RSMI objective, as a state that can be resumed.

One restart is one dictionary of arrays. Several restarts are independent states with random streams
of their own, and the caller keeps the one with the best decoder bound on held-out windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.information.decoder import initial_decoder, keyed_generator
from rsmi.information.objectives import LambdaProblem, LambdaSettings
from rsmi.kernels import objectives as kernel

# Sites of a block up to which all blocks that occur, at most 512, are the samples of V given h.
DISTINCT_BLOCKS = 9
MANY_VARIABLES = 16  # with a larger block one unit takes as many steps as several units
MANY_UNITS = 4  # with more hidden units, most states h occur less than once in a minibatch

State = dict[str, NDArray[Any]]


def default_settings(
    objective: str = "proxy", n_hidden: int = 1, n_block: int = 4, **changes: Any
) -> LambdaSettings:
    """The settings that find the optimum reliably on the Ising model.

    One hidden unit takes 600 steps of 200 windows; several units, and one unit of a block of more
    than `MANY_VARIABLES` variables, take 1500 steps. For one unit `enumerate`, which has the least
    noise, takes 400 steps: more steps make the rule harder, and because a hard rule gains a little
    when it sends all ties one way, the filter becomes less uniform. The decoder also learns r(h|e),
    from batches of 500, and takes 2000 steps for more than four units.

    `proxy` and `logsum` compare the environments of a minibatch with blocks. These are all blocks
    that occur, if the block has few sites, and otherwise the blocks of the minibatch. For `logsum`
    with several units the minibatch then has 500 windows, because the logarithm of a sum over few
    windows of the same h is biased. With eight units no minibatch is large enough: on 5x2 blocks at
    T_c their rules lose 0.19 (`proxy`) and 0.11 nats (`logsum`) of I(V:E) = 1.133, and the rule of
    the decoder loses 0.05 (``make -C data/estimators``).

    Parameters
    ----------
    objective : str
    n_hidden, n_block : int
        The numbers of hidden units and of variables of the block.
    **changes
        Fields of `LambdaSettings` that differ, such as those of `rsmi.models.base.Model.training`.
    """
    by_pairs = objective in ("proxy", "logsum")
    distinct = by_pairs and n_block <= DISTINCT_BLOCKS
    many = n_hidden > 1 or n_block > MANY_VARIABLES
    steps = 1500 if many else 400 if objective == "enumerate" else 600
    batch = 200
    if objective == "decoder":
        steps, batch = 2000 if n_hidden > MANY_UNITS else steps, 500
    elif objective == "logsum" and n_hidden > 1 and not distinct:
        batch = 500
    chosen = {
        "batch": batch,
        "total_steps": steps,
        "learning_rate": 0.02 if objective == "decoder" else 0.05,
        "distinct_blocks": distinct,
    }
    return LambdaSettings(objective=objective, n_hidden=n_hidden, **(chosen | changes))


def initial_state(
    n_block: int,
    n_environment: int,
    rng_key: NDArray[np.uint64],
    settings: LambdaSettings,
    filters: NDArray[np.float64] | None = None,
) -> State:
    """The state of a new restart.

    Parameters
    ----------
    n_block, n_environment : int
        The lengths of a filter and of a linear field of the decoder: the numbers of variables of
        the block and of the environment, or of their features unless filters are tied.
    rng_key : ndarray of uint64, (4,)
        The state of the restart's xoshiro256++ stream, not all zero.
    settings : LambdaSettings
    filters : ndarray of float64, (n_hidden, n_block), optional
        Where the training starts; by default at small random filters.

    Returns
    -------
    dict
        Everything that `advance` needs and changes: ``parameters`` (filters, biases and decoder in
        one vector); ``moments`` (2, n) of Adam; ``chains`` (2^n_hidden, n_block, n_chains) int8 of
        the estimator mcmc, else empty; ``rng`` (4,) uint64; ``step`` (1,) int64.
    """
    key = np.array(rng_key, np.uint64)
    generator = keyed_generator(key)
    start = generator.normal(0.0, settings.initial_width, settings.n_filters * n_block)
    if settings.tied:  # of negative weights, the rule of the rarest state is a local maximum
        start = np.abs(start)
    if filters is not None:
        start = np.ravel(filters)
    decoder = np.zeros(0)
    if settings.objective == "decoder" and settings.tied:
        decoder = np.zeros(n_environment)
    elif settings.objective == "decoder":
        decoder = initial_decoder(
            n_environment,
            settings.decoder_units,
            settings.n_hidden,
            generator,
            settings.hidden_states,
        )
    parameters = np.concatenate([start, np.zeros(settings.n_filters), decoder])
    chains = np.zeros((0, 0, 0), np.int8)
    if settings.method == "mcmc":
        chains = generator.integers(
            0, 2, (1 << settings.n_hidden, n_block, settings.n_chains), np.int8
        ) * np.int8(2) - np.int8(1)
    return {
        "parameters": parameters,
        "moments": np.zeros((2, len(parameters))),
        "chains": chains,
        "rng": key,
        "step": np.zeros(1, np.int64),
    }


def filters_of(
    state: State,
    settings: LambdaSettings,
    n_block: int,
    block_mean: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The filters and biases of a state, as they act on blocks of +-1.

    Parameters
    ----------
    state : dict of ndarray
    settings : LambdaSettings
    n_block : int
    block_mean : ndarray of float64, (n_block,), optional
        The mean block of a problem with means. Its biases are those of centred blocks, and the
        mean field is subtracted from them.

    Returns
    -------
    filters, bias : ndarray of float64, (n_filters, n_block) and (n_filters,)
    """
    n = settings.n_filters * n_block
    filters = state["parameters"][:n].reshape(settings.n_filters, n_block).copy()
    bias = state["parameters"][n : n + settings.n_filters].copy()
    if block_mean is None:
        return filters, bias
    return filters, bias - np.einsum("ji,i->j", filters, block_mean)


def epochs_left(state: State, settings: LambdaSettings) -> int:
    """The number of epochs until ``settings.total_steps`` steps are done."""
    return -(-(settings.total_steps - int(state["step"][0])) // settings.steps_per_epoch)


def advance(
    state: State, problem: LambdaProblem, settings: LambdaSettings, epochs: int | None = None
) -> dict[str, NDArray[np.float64]]:
    """Train for some epochs, and change the state in place.

    n1 epochs followed by n2 epochs give the same bits as n1 + n2 epochs at once. The learning rate
    is constant for the first half of ``settings.total_steps``, and falls linearly to 5 % of that
    over the second half.

    Parameters
    ----------
    state : dict of ndarray
    problem : LambdaProblem
    settings : LambdaSettings
    epochs : int, optional
        The number of epochs of ``settings.steps_per_epoch`` steps; all that are left by default.

    Returns
    -------
    dict
        One row for each epoch: ``objective`` (epochs,), the mean over the minibatches of the epoch;
        ``filters`` (epochs, n_filters, n_block) and ``bias`` (epochs, n_filters) at its end.

    Raises
    ------
    FloatingPointError
        If a value diverged.
    """
    left = epochs_left(state, settings)
    epochs = left if epochs is None else min(epochs, left)
    objective, filters, bias = kernel.train(problem.kernel_windows(), settings, state, epochs)
    return {"objective": objective, "filters": filters, "bias": bias}
