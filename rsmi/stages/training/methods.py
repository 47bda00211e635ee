"""The ways to coarse variables that ``rsmi train-lambda`` knows, each as tasks from several random
starts.

`Ascent` climbs an objective of block and environment. `Explanation` (total correlation) and
`Likelihood` (a Boltzmann machine's hidden units, as in Mehta & Schwab, arXiv:1410.3831) look at the
block alone; of theirs the start is kept that has the best value of their own objective, so that the
environment has no say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rsmi.engine.tasks import Rows, State, Task, restoring
from rsmi.errors import Failure
from rsmi.information import correlation_explanation
from rsmi.information.correlation_explanation import BlockTable
from rsmi.information.gaussian import gaussian_critic
from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair
from rsmi.information.training import advance, filters_of, initial_state
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.theta import BATCH, Schedule, Training, monitored_windows
from rsmi.store import File

Rule = tuple[np.ndarray, np.ndarray]  # filters (n_hidden, n_block), bias (n_hidden,)

_ITERATIONS = 10  # of the fixed point in a row
_ROWS = 30


class Restart(Task, Protocol):
    """The task of one training; rows have ``objective``, ``filters`` and ``bias``."""

    number: int

    def rule(self, state: State) -> Rule:
        """The rule that a state has reached, as it acts on blocks of +-1."""

    @property
    def steps(self) -> np.ndarray:
        """(total,) int64: steps done at the end of each row."""


class Method(Protocol):
    """How filters are trained."""

    objective: str
    estimator: str | None
    hidden: int
    bias: str
    block_alone: bool  # knows nothing of the environment
    batch: int  # windows of one step

    def restarts(self, windows: WindowSet, keys: list[np.ndarray]) -> list[Restart]:
        """One restart a key."""

    def plan(self, windows: WindowSet) -> dict:
        """Steps and their size."""


# ---- objectives of block and environment ---------------------------------------------------------


@dataclass
class AscentRestart:
    """Stochastic ascent: a row is one epoch of minibatches."""

    number: int
    problem: LambdaProblem
    settings: LambdaSettings
    key: np.ndarray

    @property
    def name(self) -> str:
        return f"restart-{self.number:02d}"

    @property
    def total(self) -> int:
        return -(-self.settings.total_steps // self.settings.steps_per_epoch)

    @property
    def steps(self) -> np.ndarray:
        return np.minimum(
            np.arange(1, self.total + 1) * self.settings.steps_per_epoch, self.settings.total_steps
        )

    def begin(self):
        return 0, initial_state(
            self.problem.blocks.shape[1],
            self.problem.environments.shape[1],
            self.key,
            self.settings,
        )

    def advance(self, state: State, start: int, count: int) -> Rows:
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

    def rule(self, state: State) -> Rule:
        means = self.problem.means
        return filters_of(state, self.settings, self.problem.blocks.shape[1], means and means[0])


@dataclass(frozen=True)
class Ascent:
    """An objective of block and environment: proxy, logsum, enumerate or decoder."""

    settings: LambdaSettings
    theta: File | None
    block_alone = False

    @property
    def objective(self) -> str:
        return self.settings.objective

    @property
    def estimator(self) -> str | None:
        return self.settings.estimator if self.objective == "proxy" else None

    @property
    def hidden(self) -> int:
        return self.settings.n_hidden

    @property
    def bias(self) -> str:
        return self.settings.bias

    @property
    def batch(self) -> int:
        return self.settings.batch

    def restarts(self, windows: WindowSet, keys: list[np.ndarray]) -> list[AscentRestart]:
        training = windows.training
        problem = LambdaProblem(
            training.blocks,
            training.environments,
            theta=_machines(self.theta) if self.theta else None,
            means=windows.means,
            critic=(
                gaussian_critic(training.blocks, training.environments)
                if self.settings.method == "gaussian"
                else None
            ),
        )
        return [
            AscentRestart(number, problem, self.settings, key) for number, key in enumerate(keys)
        ]

    def plan(self, windows: WindowSet) -> dict:
        return {
            "steps": self.settings.total_steps,
            "batch": self.batch,
            "learning_rate": self.settings.learning_rate,
        }


def _machines(theta: File) -> ThetaPair:
    names = (
        "joint/weights",
        "joint/visible_bias",
        "joint/hidden_bias",
        "block/weights",
        "block/visible_bias",
        "block/hidden_bias",
    )
    return ThetaPair(*(theta.read("/" + name).astype(np.float64) for name in names))


# ---- total correlation ---------------------------------------------------------------------------


@dataclass
class ExplanationRestart:
    """Correlation explanation: a row is ten iterations of the fixed point."""

    number: int
    table: BlockTable
    hidden: int
    symmetric: bool
    key: np.ndarray
    total = _ROWS

    @property
    def name(self) -> str:
        return f"restart-{self.number:02d}"

    @property
    def steps(self) -> np.ndarray:
        return _ITERATIONS * np.arange(1, self.total + 1)

    def begin(self):
        return 0, correlation_explanation.initial_state(self.table.n_sites, self.hidden, self.key)

    def advance(self, state: State, start: int, count: int) -> Rows:
        rows = [self._row(state) for _ in range(count)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _row(self, state: State) -> dict:
        objective = correlation_explanation.advance(
            state, self.table, _ITERATIONS, symmetric=self.symmetric
        )
        return {
            "objective": objective,
            "filters": state["filters"].copy(),
            "bias": state["bias"].copy(),
        }

    def rule(self, state: State) -> Rule:
        return state["filters"], state["bias"]


@dataclass(frozen=True)
class Explanation:
    """Total correlation of the block's sites."""

    hidden: int
    bias: str
    objective = "total-correlation"
    estimator = None
    block_alone = True
    batch = BATCH

    def restarts(self, windows: WindowSet, keys: list[np.ndarray]) -> list[ExplanationRestart]:
        table, symmetric = (
            BlockTable.from_samples(windows.training.blocks),
            _tied(windows, self.bias),
        )
        return [
            ExplanationRestart(number, table, self.hidden, symmetric, key)
            for number, key in enumerate(keys)
        ]

    def plan(self, windows: WindowSet) -> dict:
        return {"steps": _ITERATIONS * _ROWS}


def _tied(windows: WindowSet, bias: str) -> bool:
    """Whether biases stay zero: where the model has the symmetry that says so."""
    return windows.symmetric and bias == "zero"


# ---- likelihood ----------------------------------------------------------------------------------


@dataclass
class LikelihoodRestart(Training):
    """Contrastive divergence of a machine of V: a row is one epoch."""

    number: int = 0
    of = "V"

    @property
    def steps(self) -> np.ndarray:
        return len(self.visible) // BATCH * np.arange(1, self.total + 1)

    def _epoch(self, state: State, epoch: int) -> dict:
        row = super()._epoch(state, epoch)
        filters, bias = self.rule(state)
        return {"objective": row["pseudo_log_likelihood"], "filters": filters, "bias": bias}

    def rule(self, state: State) -> Rule:
        """P(h = 1|v) = 1/(1 + exp(-2 (c + W v))) of units +-1."""
        return 2.0 * state["weights"].T.astype(np.float64), 2.0 * state["hidden_bias"].astype(
            np.float64
        )


@dataclass(frozen=True)
class Likelihood:
    """The hidden units of a Boltzmann machine of the block."""

    schedule: Schedule
    bias: str
    objective = "likelihood"
    block_alone = True
    batch = 5 * BATCH

    @property
    def estimator(self) -> str:
        return "pcd" if self.schedule.persistent else "cd"

    @property
    def hidden(self) -> int:
        return self.schedule.hidden

    def restarts(self, windows: WindowSet, keys: list[np.ndarray]) -> list[LikelihoodRestart]:
        visible, monitored, symmetric = (
            windows.training.blocks,
            monitored_windows(windows).blocks,
            _tied(windows, self.bias),
        )
        return [
            LikelihoodRestart(
                f"restart-{number:02d}",
                visible,
                monitored,
                self.hidden,
                self.schedule,
                symmetric,
                key,
                number,
            )
            for number, key in enumerate(keys)
        ]

    def plan(self, windows: WindowSet) -> dict:
        return {
            "epochs": self.schedule.epochs,
            "batch": BATCH,
            "cd_steps": self.schedule.cd_steps,
            "learning_rate": self.schedule.learning_rate,
        }
