"""Lambda training: stochastic ascent of an RSMI objective, as a resumable state.

One restart is one state dictionary; several restarts are independent states with streams of their
own, and the caller keeps the one with the best held-out decoder bound.
"""

import numpy as np
from numpy.typing import NDArray

from rsmi.information.decoder import initial_decoder, keyed_generator
from rsmi.information.objectives import LambdaProblem, LambdaSettings
from rsmi.kernels import objectives as kernel

DISTINCT_BLOCKS = (
    9  # sites up to which all blocks that occur, at most 512, are the samples of V given h
)
MANY_UNITS = 4  # beyond, most states h are rarer than one in a minibatch


def default_settings(
    objective: str = "proxy", n_hidden: int = 1, n_block: int = 4, **changes
) -> LambdaSettings:
    """Settings that find the optimum reliably on the Ising model.

    600 steps of 200 windows for one hidden unit, 1500 for more. `enumerate`, the least noisy, takes
    400 for one unit: more make the rule harder, and as a hard rule gains a little from sending ties
    one way, the filter less uniform. The decoder learns r(h|e) as well, from batches of 500, and
    takes 2000 steps beyond four units. `proxy` and `logsum` compare a minibatch's environments with
    all blocks that occur where the block has few sites; else with the minibatch's own, which for
    the log sum with several units must be 500: the logarithm of a sum over few windows of the same
    h is biased. With eight units no minibatch is large enough: on 5x2 blocks at T_c their rules
    lose .19 (proxy) and .11 nats (log sum) of I(V:E) = 1.133, the decoder's .05 (``make -C
    data/estimators``).

    A model may know better: `rsmi.models.base.Model.training`.
    """
    by_pairs = objective in ("proxy", "logsum")
    distinct = by_pairs and n_block <= DISTINCT_BLOCKS
    steps = 1500 if n_hidden > 1 else 400 if objective == "enumerate" else 600
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
    n_block: int, n_environment: int, rng_key: NDArray[np.uint64], settings: LambdaSettings
) -> dict[str, np.ndarray]:
    """A new restart.

    Parameters
    ----------
    rng_key : (4,) uint64
        State of the restart's xoshiro256++ stream, not all zero.

    Returns
    -------
    dict
        ``parameters`` (filters, bias, decoder in one vector), ``moments`` (2, n) of Adam,
        ``chains`` (2^n_hidden, n_block, n_chains) int8 of the mcmc estimator (else empty), ``rng``
        (4,) uint64, ``step`` (1,) int64: all that `advance` needs and changes.
    """
    key = np.array(rng_key, np.uint64)
    generator = keyed_generator(key)
    filters = generator.normal(0.0, settings.initial_width, settings.n_hidden * n_block)
    decoder = np.zeros(0)
    if settings.objective == "decoder":
        decoder = initial_decoder(
            n_environment, settings.decoder_units, settings.n_hidden, generator
        )
    parameters = np.concatenate([filters, np.zeros(settings.n_hidden), decoder])
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
    state: dict[str, np.ndarray],
    settings: LambdaSettings,
    n_block: int,
    block_mean: NDArray | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Current filters (n_hidden, n_block) and bias (n_hidden,) of a state, as they act on blocks of
    +-1.

    block_mean : (n_block,) of a problem with means; its bias, that of centred blocks, then takes up
    the mean field.
    """
    n = settings.n_hidden * n_block
    filters, bias = (
        state["parameters"][:n].reshape(settings.n_hidden, n_block).copy(),
        state["parameters"][n : n + settings.n_hidden].copy(),
    )
    return filters, bias if block_mean is None else bias - np.einsum("ji,i->j", filters, block_mean)


def epochs_left(state: dict[str, np.ndarray], settings: LambdaSettings) -> int:
    """Epochs until `settings.total_steps` steps are done."""
    return -(-(settings.total_steps - int(state["step"][0])) // settings.steps_per_epoch)


def advance(
    state: dict[str, np.ndarray],
    problem: LambdaProblem,
    settings: LambdaSettings,
    epochs: int | None = None,
) -> dict[str, np.ndarray]:
    """Train for some epochs (of `settings.steps_per_epoch` steps; default: to the end), changing
    `state` in place.

    n1 epochs followed by n2 leave the same bits as n1 + n2 at once. The rate is constant for the
    first half of `settings.total_steps` and falls linearly to 5 % over the second.

    Returns
    -------
    dict
        One row per epoch: ``objective`` (epochs,), the mean over the epoch's minibatches;
        ``filters`` (epochs, n_hidden, n_block) and ``bias`` (epochs, n_hidden) at its end.

    Raises
    ------
    FloatingPointError
        If a value diverged.
    """
    left = epochs_left(state, settings)
    epochs = left if epochs is None else min(epochs, left)
    objective, filters, bias = kernel.train(problem.kernel_windows(), settings, state, epochs)
    return {"objective": objective, "filters": filters, "bias": bias}
