"""What given readouts of a block know of its environment, and how the figures of this folder are
saved."""

import numpy as np
from matplotlib import rc_context

from rsmi.engine.keys import stream_key
from rsmi.figures.files import STYLE
from rsmi.information.decoder import DecoderBound, decoder_bound, fit_decoder
from rsmi.samples.windows import WindowSet

STEPS = 2000  # of the fit of a decoder


def information(
    windows: WindowSet, filters: np.ndarray, shuffled: bool = False, steps: int | None = None
) -> DecoderBound:
    """Held-out decoder bound of I(H:E), nats, of the signs of filters (hidden, variables of V)
    acting on V less its mean.

    ``shuffled``: with the environments of other configurations. The truth is then zero, and what is
    found what the fit of the decoder costs, as many parameters on as many windows.
    """
    training, held_out, (block_mean, environment_mean) = (
        windows.training,
        windows.held_out,
        windows.means,
    )
    bias = -(filters @ block_mean)
    bias[np.abs(bias) < 0.02 * np.abs(filters).sum(axis=1)] = (
        0  # zero by symmetry: the mean is that of a sample
    )
    key = stream_key(
        0, "readouts", {"digest": windows.source.digest, "buffer": windows.geometry.buffer}, 0
    )
    inside, outside = (
        _shuffled(part.environments) if shuffled else part.environments
        for part in (training, held_out)
    )
    decoder = fit_decoder(
        filters,
        bias,
        True,
        training.blocks,
        inside,
        key,
        environment_mean=environment_mean,
        steps=steps or STEPS,
    )
    return decoder_bound(
        decoder, filters, bias, True, held_out.blocks, outside, held_out.configurations
    )


def _shuffled(environments: np.ndarray) -> np.ndarray:
    """Those of windows half the data away."""
    return np.ascontiguousarray(np.roll(environments, len(environments) // 2, axis=0))


def save(draw, output: str) -> None:
    """Draw a figure in the style of ``rsmi plot`` and write it."""
    with rc_context(STYLE):
        draw().savefig(output, metadata={"Software": None})
