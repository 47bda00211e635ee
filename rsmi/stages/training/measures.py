"""The numbers of a lambda file: they are measured in the same way for every objective."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rsmi.information.decoder import DecoderBound, check_bounds, decoder_bound, fit_decoder
from rsmi.information.total_correlation import held_out_explained, total_correlation
from rsmi.kernels.decoder import parameter_count
from rsmi.samples.windows import Windows, WindowSet
from rsmi.statistics.binning import grouped_mean

FIT_STEPS = 1000  # of a decoder
_ENTRIES = 1 << 23  # the most windows times states h
_COUNTED = 9  # the most sites of a block whose states are counted
_COST = 0.25  # of a bound, which the fit of its decoder may lose without a warning
_ERRORS = 3  # by which a bound may exceed what it is a bound of
_IDLE = 0.1  # the largest sum of absolute weights of a unit that hardly depends on its block


def bound(
    windows: WindowSet,
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    key: NDArray[np.uint64],
    *,
    hard: bool,
    shuffle: bool = False,
    n_units: int = 0,
    steps: int = FIT_STEPS,
) -> DecoderBound:
    """Fit a decoder on the training windows, and evaluate its bound of I(H:E) on the held-out
    windows.

    Parameters
    ----------
    windows : WindowSet
    filters, bias : ndarray of float64, (hidden, n_block) and (hidden,)
    key : ndarray of uint64, (4,)
        The key of the random numbers of the fit.
    hard : bool
        Whether the rule is made deterministic.
    shuffle : bool
        Whether the environments are those of other configurations, as a control.
    n_units : int
        The number of tanh units of the decoder.
    steps : int
        The number of steps of the fit.
    """
    units = windows.hidden(len(filters))
    training, held_out = windows.training, windows.held_out.thinned(_ENTRIES // units.n_states)
    means = windows.means
    decoder = fit_decoder(
        filters,
        bias,
        hard,
        training.blocks,
        environments_of(training, shuffle),
        key,
        environment_mean=None if means is None else means[1],
        n_units=n_units,
        steps=steps,
        hidden=windows.units,
    )
    return decoder_bound(
        decoder,
        filters,
        bias,
        hard,
        held_out.blocks,
        environments_of(held_out, shuffle),
        held_out.groups,
        windows.units,
    )


def environments_of(windows: Windows, shuffle: bool) -> NDArray[np.int8]:
    """The environments, or those of other configurations: of the windows half the data away."""
    if not shuffle:
        return windows.environments
    return np.ascontiguousarray(np.roll(windows.environments, len(windows) // 2, axis=0))


def bound_attributes(
    soft: DecoderBound, hard: DecoderBound, shuffled: DecoderBound
) -> dict[str, float]:
    """The bounds as attributes of a file."""
    return {
        "mutual_information": soft.value,
        "mutual_information_error": soft.error,
        "mutual_information_hard": hard.value,
        "mutual_information_hard_error": hard.error,
        "mutual_information_shuffled": shuffled.value,
        "entropy_h": soft.entropy,
        "entropy_h_hard": hard.entropy,
    }


def cautions(soft: DecoderBound, hard: DecoderBound, shuffled: DecoderBound) -> list[str]:
    """Sentences that a reader of the bounds must know."""
    sentences = [sentence for sentence in (check_bounds(*soft), check_bounds(*hard)) if sentence]
    if shuffled.value > 0.002 + 3 * shuffled.error:
        sentences.append(
            f"the control with shuffled environments gives {shuffled.value:.4f} nats: the"
            " configurations are not independent, and I(H:E) may be too large by as much: sample"
            " more chains, or with a longer interval"
        )
    return sentences


def cost_of_decoder(windows: WindowSet, n_units: int, soft: DecoderBound, hidden: int) -> list[str]:
    """A sentence if a decoder with tanh units loses much of the information by its fit: p
    parameters and n windows lose about p/2n nats."""
    parameters = parameter_count(windows.n_environment, n_units, hidden)
    count = len(windows.training)
    loss = parameters / (2 * count)
    if not n_units or loss <= _COST * soft.value:
        return []
    return [
        f"the bound {soft.value:.4f} nats is too low by about {loss:.4f}: a decoder of {parameters}"
        f" parameters was fitted to {count} windows: take more --windows, a narrower --environment,"
        " or fewer --decoder-units"
    ]


def idle_units(filters: NDArray[np.float64], several: bool = False) -> list[str]:
    """A sentence about the units whose state hardly depends on the block, if there are any; a unit
    with ``several`` states has a filter for each of them."""
    if several:
        filters = np.abs(filters).sum(axis=0, keepdims=True)
    idle = [str(j) for j, weights in enumerate(np.abs(filters).sum(axis=1), 1) if weights < _IDLE]
    if not idle:
        return []
    units = f"unit {idle[0]}" if len(idle) == 1 else f"units {', '.join(idle)}"
    return [
        f"{units} of {len(filters)} found nothing to explain: under --hard their states would mean"
        " nothing"
    ]


def exact_attributes(
    windows: WindowSet,
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    most: int | None = None,
) -> dict[str, float]:
    """I(H:E) by the oracle as attributes of a file, from at most so many windows; empty where there
    is no oracle."""
    oracle, coupling = windows.oracle, windows.samples.coupling
    if oracle is None or coupling is None:
        return {}
    chosen = windows.exact_windows()
    chosen = chosen if most is None else chosen.thinned(most)
    environments = chosen.environments
    if windows.units is not None and windows.samples.states == 2:
        environments = 2 * environments - 1  # of codes
    channels = [windows.channel(filters, bias, hard) for hard in (True, False)]
    hard, soft = oracle.informations(
        channels, windows.geometry, coupling, environments, chosen.runs
    )
    return {
        "mutual_information_exact": hard.information,
        "mutual_information_exact_error": hard.error,
        "mutual_information_exact_soft": soft.information,
        "mutual_information_block": hard.block_information,
    }


def cautions_beside_exact(
    soft: DecoderBound, hard: DecoderBound, exact: Mapping[str, float]
) -> list[str]:
    """Sentences on bounds that are larger than the exact value or than what the block shares with
    its environment, which no lower bound is.

    Parameters
    ----------
    soft, hard : DecoderBound
    exact : mapping
        What `exact_attributes` returned.
    """
    if not exact:
        return []
    whole = exact["mutual_information_block"]
    compared = (
        ("soft", soft, exact["mutual_information_exact_soft"], 0.0),
        ("hard", hard, exact["mutual_information_exact"], exact["mutual_information_exact_error"]),
    )
    sentences = []
    for name, bound, value, error in compared:
        above = (bound.value - value) / math.hypot(bound.error, error or 0.0)
        if above > _ERRORS:
            more = ", and more than I(V:E)" if bound.value > whole + _ERRORS * bound.error else ""
            sentences.append(
                f"the held-out bound of I(H:E) of the {name} rule, {bound.value:.4f} nats, is"
                f" {above:.0f} errors above the exact value {value:.4f}{more}: a lower bound is"
                " not, so the samples are not those of the stated model and temperature, or the"
                " held-out configurations are not independent"
            )
    return sentences


def explained(
    windows: WindowSet, filters: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[dict[str, float | None], dict[str, NDArray[np.float64]]]:
    """The total correlation within V that the soft rule explains on held-out windows; nothing for
    rules of products or features, which are no linear functions of variables +-1.

    Returns
    -------
    attributes : dict
    datasets : dict
        The values of the single units and their errors, by path.
    """
    if windows.products is not None or windows.units is not None:
        return {}, {}
    training, held_out = (
        part.thinned(_ENTRIES >> len(filters)) for part in (windows.training, windows.held_out)
    )
    correlation = held_out_explained(filters, bias, training.blocks, held_out.blocks)
    joint, joint_error = grouped_mean(correlation.joint, held_out.runs)
    lower, lower_error = grouped_mean(correlation.units.sum(axis=1), held_out.runs)
    units = np.array([grouped_mean(values, held_out.runs) for values in correlation.units.T])
    attributes = {
        "total_correlation": joint,
        "total_correlation_error": joint_error,
        "total_correlation_bound": lower,
        "total_correlation_bound_error": lower_error,
        "total_correlation_block": _block_correlation(windows),
    }
    return attributes, {
        "/total_correlation/units": units[:, 0],
        "/total_correlation/units_error": units[:, 1],
    }


def _block_correlation(windows: WindowSet) -> float | None:
    """The total correlation of all blocks; None where there are too many block states."""
    if windows.geometry.n_block > _COUNTED:
        return None
    return total_correlation(windows.all.blocks)
