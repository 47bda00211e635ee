"""Methods that know only the block: total correlation, and the likelihood of a Boltzmann machine.

The hidden units of a machine are the coarse variables of Mehta & Schwab, arXiv:1410.3831. The
restart with the best value of its own objective is kept, so that the environment has no influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.information import correlation_explanation
from rsmi.information.correlation_explanation import BlockTable
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.machines import BATCH, MachineSchedule, MachineTraining
from rsmi.stages.training.methods import Key, LinearRule, restart_name
from rsmi.stages.training.theta import monitored_windows

_ITERATIONS = 10  # iterations of the fixed point in one row
_ROWS = 30

# ---- total correlation ---------------------------------------------------------------------------


@dataclass
class ExplanationRestart:
    """Correlation explanation: a row is ten iterations of the fixed point."""

    number: int
    table: BlockTable
    hidden: int
    symmetric: bool
    key: Key
    total = _ROWS

    @property
    def name(self) -> str:
        """The name of the task."""
        return restart_name(self.number)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of iterations done at the end of each row."""
        return _ITERATIONS * np.arange(1, self.total + 1)

    def begin(self) -> tuple[int, State]:
        """Random filters."""
        return 0, correlation_explanation.initial_state(self.table.n_sites, self.hidden, self.key)

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Make ``count`` rows."""
        rows = [self._row(state) for _ in range(count)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _row(self, state: State) -> dict[str, Any]:
        objective = correlation_explanation.advance(
            state, self.table, _ITERATIONS, symmetric=self.symmetric
        )
        filters, bias = state["filters"].copy(), state["bias"].copy()
        return {"objective": objective, "filters": filters, "bias": bias}

    def rule(self, state: State) -> LinearRule:
        """The rule that a state has reached."""
        return LinearRule(state["filters"], state["bias"])


@dataclass(frozen=True)
class Explanation:
    """The total correlation of the sites of the block."""

    hidden: int
    bias: str
    objective = "total-correlation"
    estimator = None
    decoder_units = 0
    block_alone = True
    batch = BATCH

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> list[ExplanationRestart]:
        """One restart for every key."""
        table = BlockTable.from_samples(windows.training.blocks)
        symmetric = _tied(windows, self.bias)
        return [
            ExplanationRestart(number, table, self.hidden, symmetric, key)
            for number, key in enumerate(keys)
        ]

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """The number of iterations."""
        return {"steps": _ITERATIONS * _ROWS}


def _tied(windows: WindowSet, bias: str) -> bool:
    """Whether the biases stay zero: they do where the model has the symmetry and none are free."""
    return windows.symmetric and bias == "zero"


# ---- likelihood ----------------------------------------------------------------------------------


@dataclass
class LikelihoodRestart(MachineTraining):
    """Contrastive divergence of a machine of V: a row is one epoch."""

    @property
    def of(self) -> str:
        """The variables that the machine models, for messages."""
        return "V"

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of steps done at the end of each epoch."""
        return len(self.visible) // BATCH * np.arange(1, self.total + 1)

    def _epoch(self, state: State, epoch: int) -> dict[str, Any]:
        row = super()._epoch(state, epoch)
        filters, bias = self.rule(state)
        return {"objective": row["pseudo_log_likelihood"], "filters": filters, "bias": bias}

    def rule(self, state: State) -> LinearRule:
        """The rule of units +-1: P(h = 1|v) = 1/(1 + exp(-2 (c + W v)))."""
        weights, bias = state["weights"].T.astype(np.float64), state["hidden_bias"]
        return LinearRule(2.0 * weights, 2.0 * bias.astype(np.float64))


@dataclass(frozen=True)
class Likelihood:
    """The hidden units of a Boltzmann machine of the block."""

    schedule: MachineSchedule
    bias: str
    objective = "likelihood"
    decoder_units = 0
    block_alone = True
    batch = 5 * BATCH

    @property
    def estimator(self) -> str:
        """``pcd`` for persistent contrastive divergence, else ``cd``."""
        return "pcd" if self.schedule.persistent else "cd"

    @property
    def hidden(self) -> int:
        """The number of hidden units."""
        return self.schedule.hidden

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> list[LikelihoodRestart]:
        """One restart for every key."""
        visible, monitored = windows.training.blocks, monitored_windows(windows).blocks
        symmetric = _tied(windows, self.bias)
        return [
            LikelihoodRestart(
                restart_name(number),
                visible,
                monitored,
                self.hidden,
                self.schedule,
                symmetric,
                key,
            )
            for number, key in enumerate(keys)
        ]

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """The epochs of a training and their steps."""
        return {
            "epochs": self.schedule.epochs,
            "batch": BATCH,
            "cd_steps": self.schedule.cd_steps,
            "learning_rate": self.schedule.learning_rate,
        }
