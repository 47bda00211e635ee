"""What given readouts of a block know of its environment."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import held_out_bound, stream_key

from rsmi.information.decoder import DecoderBound
from rsmi.samples.windows import WindowSet

STEPS = 2000  # of the fit of a decoder


def information(
    windows: WindowSet, filters: np.ndarray, shuffled: bool = False, steps: int | None = None
) -> DecoderBound:
    """Held-out decoder bound of I(H:E), nats, of the signs of filters (hidden, variables of V)
    acting on V less its mean; ``shuffled``: with the environments of other configurations."""
    bias = -(filters @ windows.means[0])
    bias[np.abs(bias) < 0.02 * np.abs(filters).sum(axis=1)] = (
        0  # zero by symmetry: the mean is that of a sample
    )
    physics = {"digest": windows.source.digest, "buffer": windows.geometry.buffer}
    key = stream_key(0, "readouts", physics, 0)
    return held_out_bound(windows, filters, bias, key, shuffled, steps=steps or STEPS)
