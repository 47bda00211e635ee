"""What a rule knows: the numbers of a lambda file, measured in the same way whatever the rule was
trained for."""

from __future__ import annotations

import numpy as np

from rsmi.information.channel import channel_table
from rsmi.information.decoder import DecoderBound, check_bounds, decoder_bound, fit_decoder
from rsmi.information.total_correlation import held_out_explained, total_correlation
from rsmi.samples.windows import Windows, WindowSet
from rsmi.statistics.binning import grouped_mean

_ENTRIES = 1 << 23  # windows times states h at most
_COUNTED = 9  # block sites up to which block states are counted
_IDLE = 0.1  # largest sum of absolute weights of a unit that hardly looks at its block


def bound(
    windows: WindowSet,
    filters: np.ndarray,
    bias: np.ndarray,
    key: np.ndarray,
    *,
    hard: bool,
    shuffle: bool = False,
) -> DecoderBound:
    """Fit a decoder on the training windows and evaluate the bound of I(H:E) on the held-out
    ones."""
    training, held_out = windows.training, windows.held_out.thinned(_ENTRIES >> len(filters))
    inside, outside = (_environments(part, shuffle) for part in (training, held_out))
    means = windows.means
    decoder = fit_decoder(
        filters, bias, hard, training.blocks, inside, key, environment_mean=means and means[1]
    )
    return decoder_bound(
        decoder, filters, bias, hard, held_out.blocks, outside, held_out.configurations
    )


def _environments(windows: Windows, shuffle: bool) -> np.ndarray:
    """The environments, or those of windows half the data away: of another configuration."""
    return (
        np.ascontiguousarray(np.roll(windows.environments, len(windows) // 2, axis=0))
        if shuffle
        else windows.environments
    )


def bound_attributes(soft: DecoderBound, hard: DecoderBound, shuffled: DecoderBound) -> dict:
    """The bounds as file attributes."""
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
    """What a reader of the bounds must know: sentences."""
    found = [sentence for sentence in (check_bounds(*soft), check_bounds(*hard)) if sentence]
    if shuffled.value > 0.002 + 3 * shuffled.error:
        found.append(
            f"the control with shuffled environments gives {shuffled.value:.4f} nats: the"
            " configurations are not independent"
        )
    return found


def idle_units(filters: np.ndarray) -> list[str]:
    """A sentence on units whose state hardly depends on the block, if there are any."""
    idle = [str(j) for j, weights in enumerate(np.abs(filters).sum(axis=1), 1) if weights < _IDLE]
    if not idle:
        return []
    units = f"unit {idle[0]}" if len(idle) == 1 else f"units {', '.join(idle)}"
    return [
        f"{units} of {len(filters)} found nothing to explain: under --hard their states would mean"
        " nothing"
    ]


def exact_attributes(windows: WindowSet, filters: np.ndarray, bias: np.ndarray) -> dict:
    """I(H:E) by the oracle, as file attributes; empty where there is none."""
    if windows.oracle is None:
        return {}
    chosen, coupling = windows.exact_windows(), windows.source.attributes["coupling"]
    rules = [channel_table(filters, bias, hard) for hard in (True, False)]
    hard, soft = windows.oracle.informations(
        rules, windows.geometry, coupling, chosen.environments, chosen.runs
    )
    return {
        "mutual_information_exact": hard.information,
        "mutual_information_exact_error": hard.error,
        "mutual_information_exact_soft": soft.information,
        "mutual_information_block": hard.block_information,
    }


def explained(
    windows: WindowSet, filters: np.ndarray, bias: np.ndarray
) -> tuple[dict, dict[str, np.ndarray]]:
    """The total correlation within V that the soft rule explains on held-out windows: file
    attributes, and datasets of the units."""
    training, held_out = (
        part.thinned(_ENTRIES >> len(filters)) for part in (windows.training, windows.held_out)
    )
    found = held_out_explained(filters, bias, training.blocks, held_out.blocks)
    together, lower = (
        grouped_mean(values, held_out.runs) for values in (found.joint, found.units.sum(axis=1))
    )
    units = np.array([grouped_mean(values, held_out.runs) for values in found.units.T])
    attributes = {
        "total_correlation": together[0],
        "total_correlation_error": together[1],
        "total_correlation_bound": lower[0],
        "total_correlation_bound_error": lower[1],
        "total_correlation_block": (
            total_correlation(windows.all.blocks) if windows.geometry.n_block <= _COUNTED else None
        ),
    }
    return attributes, {
        "/total_correlation/units": units[:, 0],
        "/total_correlation/units_error": units[:, 1],
    }
