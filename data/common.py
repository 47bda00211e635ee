"""What the examples share: running commands, random keys, held-out bounds, and the look of figures.

The scripts use the command line and the public Python interface only: `rsmi.lattice`,
`rsmi.information`, `rsmi.renormalization`, `rsmi.statistics`, `rsmi.models` and `rsmi.samples`.
This module imports none of them before a function needs it, so that a table of the numbers of
files can be printed by a Python without the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from rsmi.information.decoder import DecoderBound
    from rsmi.samples.windows import Windows, WindowSet

_ENTRIES = 1 << 23  # the most windows times states of H at once
# -P: the installed rsmi, not sources that lie in the working folder.
_MODULE = f"{shlex.quote(sys.executable)} -P -m rsmi"

# ---- commands ------------------------------------------------------------------------------------


def rsmi(*words: object) -> dict:
    """Run a command of ``rsmi`` and return its answer as JSON.

    The environment variable RSMI may name the program; by default the package of this Python runs.
    """
    program = shlex.split(os.environ.get("RSMI", _MODULE))
    line = [*program, *map(str, words), "--json", "--quiet"]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def info(path: str | Path, *words: str) -> dict:
    """The numbers of a file, from ``rsmi info``."""
    return rsmi("info", path, *words)


def made(output: Path, *words: object) -> Path:
    """The path of a file, which is made unless it exists."""
    if not output.exists():
        rsmi(*words, "--force", "-o", output)
    return output


def exact_information(answer: Mapping[str, Any]) -> tuple[float, float]:
    """I(H:E) of a rule and its error, in nats, from what ``rsmi exact --json`` says of the rule."""
    name = f"mutual_information_exact_{'hard' if answer['hard'] else 'soft'}"
    return answer[name], answer[f"{name}_error"]


# ---- numbers -------------------------------------------------------------------------------------


def stream_key(seed: int, name: str, physics: Mapping[str, Any], number: int) -> np.ndarray:
    """A key of random numbers, uint64 of shape (4,): the digest of what names the stream."""
    import numpy as np

    words = ["rsmi", seed, name, physics, number]
    text = json.dumps(words, sort_keys=True, separators=(",", ":"))
    return np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u8").astype(np.uint64)


def held_out_bound(
    windows: WindowSet,
    filters: np.ndarray,
    bias: np.ndarray,
    key: np.ndarray,
    shuffled: bool = False,
    **settings: Any,
) -> DecoderBound:
    """The decoder bound of I(H:E) of a hard rule, in nats, on held-out windows.

    Parameters
    ----------
    windows : WindowSet
    filters, bias : ndarray, (hidden, variables of V) and (hidden,)
    key : ndarray of uint64, (4,)
        The key of the random numbers of the fit.
    shuffled : bool
        Whether the environments are those of other configurations. I(H:E) is then zero, and the
        bound shows what it costs to fit so many parameters to so many windows.
    **settings
        Further settings of `rsmi.information.decoder.fit_decoder`.
    """
    from rsmi.information.decoder import decoder_bound, fit_decoder

    held_out, rule = windows.held_out.thinned(_ENTRIES >> len(filters)), (filters, bias, True)
    training, means = windows.training, windows.means
    decoder = fit_decoder(
        *rule,
        training.blocks,
        _environments(training, shuffled),
        key,
        environment_mean=None if means is None else means[1],
        **settings,
    )
    outside = _environments(held_out, shuffled)
    return decoder_bound(decoder, *rule, held_out.blocks, outside, held_out.configurations)


def _environments(windows: Windows, shuffled: bool) -> np.ndarray:
    """The environments, or those of windows half the data away."""
    import numpy as np

    if not shuffled:
        return windows.environments
    return np.ascontiguousarray(np.roll(windows.environments, len(windows) // 2, axis=0))


# ---- figures -------------------------------------------------------------------------------------


def save(draw: Callable[[], Any], output: str, **settings: Any) -> None:
    """Draw a figure in the style of ``rsmi plot`` and write it; ``settings`` are of savefig."""
    from matplotlib import style

    with style.context("rsmi.figures.rsmi"):
        draw().savefig(output, metadata={"Software": None}, **settings)
