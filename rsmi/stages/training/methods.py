"""The methods by which ``rsmi train-lambda`` finds coarse variables, each with several restarts.

`Ascent` maximises an objective of block and environment. `Explanation` (total correlation) and
`Likelihood` (the hidden units of a Boltzmann machine, as in Mehta & Schwab, arXiv:1410.3831) know
only the block. Of their restarts the one with the best value of their own objective is kept, so
that the environment has no influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State, Task, restoring
from rsmi.errors import Failure
from rsmi.information import correlation_explanation
from rsmi.information.correlation_explanation import BlockTable
from rsmi.information.gaussian import gaussian_critic
from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair
from rsmi.information.training import advance, filters_of, initial_state
from rsmi.samples.views import MachinesFile
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.theta import BATCH, MachineSchedule, MachineTraining, monitored_windows

_ITERATIONS = 10  # iterations of the fixed point in one row
_ROWS = 30

Key = NDArray[np.uint64]


class LinearRule(NamedTuple):
    """Filters (n_hidden, n_block) and biases (n_hidden,) that act on blocks of +-1."""

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
    def block_alone(self) -> bool:
        """Whether the method knows only the block."""

    @property
    def batch(self) -> int:
        """The number of windows of one step."""

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> Sequence[Restart]:
        """One restart for every key."""

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """The steps of a training and their size."""


def _restart_name(number: int) -> str:
    return f"restart-{number:02d}"


# ---- objectives of block and environment ---------------------------------------------------------


@dataclass
class AscentRestart:
    """Stochastic ascent: a row is one epoch of minibatches."""

    number: int
    problem: LambdaProblem
    settings: LambdaSettings
    key: Key

    @property
    def name(self) -> str:
        """The name of the task."""
        return _restart_name(self.number)

    @property
    def total(self) -> int:
        """The number of epochs."""
        return -(-self.settings.total_steps // self.settings.steps_per_epoch)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The number of steps done at the end of each epoch."""
        return np.minimum(
            np.arange(1, self.total + 1) * self.settings.steps_per_epoch, self.settings.total_steps
        )

    def begin(self) -> tuple[int, State]:
        """Random filters."""
        return 0, initial_state(
            self.problem.blocks.shape[1],
            self.problem.environments.shape[1],
            self.key,
            self.settings,
        )

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Train for ``count`` epochs."""
        with restoring(state):
            rows = [self._epoch(state, epoch) for epoch in range(start + 1, start + count + 1)]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _epoch(self, state: State, epoch: int) -> Rows:
        try:
            return advance(state, self.problem, self.settings, 1)
        except FloatingPointError as error:
            advice = (
                "the machines' energies are too large: train theta again with a smaller"
                " --learning-rate"
                if self.problem.theta
                else "change --seed or --windows"
            )
            raise Failure(
                f"restart {self.number}: the training diverged in epoch {epoch} of {self.total}"
                f" ({error}): {advice}"
            ) from error

    def rule(self, state: State) -> LinearRule:
        """The rule that a state has reached."""
        means = self.problem.means
        block_mean = None if means is None else means[0]
        return LinearRule(
            *filters_of(state, self.settings, self.problem.blocks.shape[1], block_mean)
        )


@dataclass(frozen=True)
class Ascent:
    """An objective of block and environment: proxy, logsum, enumerate or decoder."""

    settings: LambdaSettings
    machines: MachinesFile | None
    block_alone = False

    @property
    def objective(self) -> str:
        """The name of what is maximised."""
        return self.settings.objective

    @property
    def estimator(self) -> str | None:
        """The estimator of the proxy; None for the other objectives."""
        return self.settings.estimator if self.objective == "proxy" else None

    @property
    def hidden(self) -> int:
        """The number of hidden units."""
        return self.settings.n_hidden

    @property
    def bias(self) -> str:
        """``zero`` or ``free``."""
        return self.settings.bias

    @property
    def batch(self) -> int:
        """The number of windows of one step."""
        return self.settings.batch

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> list[AscentRestart]:
        """One restart for every key."""
        problem = self._problem(windows)
        return [
            AscentRestart(number, problem, self.settings, key) for number, key in enumerate(keys)
        ]

    def _problem(self, windows: WindowSet) -> LambdaProblem:
        blocks, environments = windows.training.blocks, windows.training.environments
        gaussian = self.settings.method == "gaussian"
        return LambdaProblem(
            blocks,
            environments,
            theta=None if self.machines is None else _theta_pair(self.machines),
            means=windows.means,
            critic=gaussian_critic(blocks, environments) if gaussian else None,
        )

    def plan(self, windows: WindowSet) -> dict[str, Any]:
        """The steps of a training and their size."""
        return {
            "steps": self.settings.total_steps,
            "batch": self.batch,
            "learning_rate": self.settings.learning_rate,
        }


def _theta_pair(machines: MachinesFile) -> ThetaPair:
    return ThetaPair(*machines.machine("joint"), *machines.machine("block"))


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
        return _restart_name(self.number)

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
                _restart_name(number),
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
