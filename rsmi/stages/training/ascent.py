"""Stochastic ascent of an objective of block and environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State, restoring
from rsmi.errors import Failure
from rsmi.information.canonical import canonical_correlations, sample_moments
from rsmi.information.categorical import HiddenUnits
from rsmi.information.gaussian import gaussian_critic
from rsmi.information.objectives import LambdaProblem, LambdaSettings, ThetaPair
from rsmi.information.training import MANY_VARIABLES, advance, filters_of, initial_state
from rsmi.samples.views import MachinesFile
from rsmi.samples.windows import WindowSet
from rsmi.stages.training.methods import Key, LinearRule, restart_name

START_CUT = 1e-3  # of variances: directions that hardly vary have large coefficients
START_STRENGTH = 3.0  # standard deviation of x at a start from canonical variables


@dataclass
class AscentRestart:
    """Stochastic ascent: a row is one epoch of minibatches.

    It starts at small random filters, or, if ``canonical``, at the canonical variables of block and
    environment.
    """

    number: int
    problem: LambdaProblem
    settings: LambdaSettings
    key: Key
    units: HiddenUnits
    canonical: bool = False

    @property
    def name(self) -> str:
        """The name of the task."""
        return restart_name(self.number)

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
        """The filters at which the training starts."""
        environment = self.units.filter_length(self.problem.environments.shape[1])
        start = self._canonical_filters() if self.canonical else None
        return 0, initial_state(self.length, environment, self.key, self.settings, start)

    @property
    def length(self) -> int:
        """The length of a filter."""
        return self.units.filter_length(self.problem.blocks.shape[1])

    def _canonical_filters(self) -> NDArray[np.float64] | None:
        """The leading canonical variables of the block; None if there are fewer of them than units.

        They are filters of centred blocks, as those of the training are.
        """
        problem = self.problem
        moments = sample_moments(problem.blocks, problem.environments, problem.means)
        modes = canonical_correlations(*moments, cut=START_CUT).block_modes[
            : self.settings.n_hidden
        ]
        return START_STRENGTH * modes if len(modes) == self.settings.n_hidden else None

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
        return LinearRule(*filters_of(state, self.settings, self.length, block_mean))


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
    def decoder_units(self) -> int:
        """The number of tanh units of the decoder."""
        return self.settings.decoder_units

    @property
    def batch(self) -> int:
        """The number of windows of one step."""
        return self.settings.batch

    def restarts(self, windows: WindowSet, keys: Sequence[Key]) -> list[AscentRestart]:
        """One restart for every key. Of large blocks the last one starts at canonical variables:
        random filters grow along the direction of the largest covariance first, which may lead to a
        local maximum."""
        problem, last = self._problem(windows), len(keys) - 1
        linear = windows.products is None and problem.features is None
        canonical = linear and last > 0 and problem.blocks.shape[1] > MANY_VARIABLES
        return [
            AscentRestart(
                number,
                problem,
                self.settings,
                key,
                windows.hidden(self.hidden),
                canonical and number == last,
            )
            for number, key in enumerate(keys)
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
            features=None if windows.units is None else windows.units.features,
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
