"""What a method is by which ``rsmi train-lambda`` finds coarse variables.

`rsmi.stages.training.ascent` maximises an objective of block and environment;
`rsmi.stages.training.block_methods` know only the block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import State, Task
from rsmi.samples.windows import WindowSet

Key = NDArray[np.uint64]


class LinearRule(NamedTuple):
    """Filters (n_hidden, n_features) and biases (n_hidden,) that act on blocks of +-1, or on
    products of their variables."""

    filters: NDArray[np.float64]
    bias: NDArray[np.float64]


class Restart(Task, Protocol):
    """The task of one training; its rows have ``objective``, ``filters`` and ``bias``."""

    def rule(self, state: State) -> LinearRule:
        """The rule that a state has reached."""

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of steps done at the end of each row, (total,)."""


class Method(Protocol):
    """How filters are trained."""

    @property
    def objective(self) -> str:
        """The name of what is maximised."""

    @property
    def estimator(self) -> str | None:
        """The name of the estimator; None where the objective has no choice."""

    @property
    def hidden(self) -> int:
        """The number of hidden units."""

    @property
    def bias(self) -> str:
        """``zero`` or ``free``."""

    @property
    def decoder_units(self) -> int:
        """The number of tanh units of the decoder, in the training and in the bounds."""

    @property
    def block_alone(self) -> bool:
        """Whether the method knows only the block."""

    @property
    def batch(self) -> int:
        """The number of windows of one step."""

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> Sequence[Restart]:
        """One restart for every key."""

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """The steps of a training and their size."""


def restart_name(number: int) -> str:
    """The name of the task of one restart."""
    return f"restart-{number:02d}"
