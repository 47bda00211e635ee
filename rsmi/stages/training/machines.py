"""The task that trains a Boltzmann machine by contrastive divergence, epoch by epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State, restoring
from rsmi.errors import Failure
from rsmi.information import tied_rbm
from rsmi.information.rbm import RBM, initial_state, train_epochs
from rsmi.information.tied_rbm import TiedRBM

BATCH = 100
MOMENTUM = 0.5
_OF = {"joint": "(V, E)", "block": "V"}
# A training has diverged if the machine predicts a variable from the others so many times worse
# than equal probabilities of its states do, in log-likelihood.
_WORSE_THAN_CHANCE = 2.0


@dataclass(frozen=True)
class MachineSchedule:
    """How both machines are trained."""

    hidden: int
    cd_steps: int
    persistent: bool
    epochs: int
    learning_rate: float


@dataclass
class MachineTraining:
    """The task of one machine: a row is one epoch of contrastive divergence."""

    name: str
    visible: NDArray[np.int8]
    monitored: NDArray[np.int8]
    hidden: int
    schedule: MachineSchedule
    symmetric: bool
    key: NDArray[np.uint64]

    @property
    def of(self) -> str:
        """The variables that the machine models, for messages."""
        return _OF[self.name]

    @property
    def total(self) -> int:
        """The number of epochs."""
        return self.schedule.epochs

    def begin(self) -> tuple[int, State]:
        """A machine with random weights."""
        mean = None if self.symmetric else self.visible.mean(axis=0)
        return 0, initial_state(
            self.visible.shape[1],
            self.hidden,
            self.key,
            visible_mean=mean,
            persistent=self.schedule.persistent,
            batch_size=BATCH,
        )

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Train for ``count`` epochs."""
        with restoring(state):
            rows = [self._epoch(state, epoch) for epoch in range(start + 1, start + count + 1)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _epoch(self, state: State, epoch: int) -> dict[str, Any]:
        """One row: the epochs are counted from 1."""
        errors = self._train(state)
        likelihood = float(self.machine(state).pseudo_log_likelihood(self.monitored).mean())
        self._check(likelihood, epoch)
        return {"reconstruction_error": errors, "pseudo_log_likelihood": likelihood}

    def _train(self, state: State) -> float:
        """Train for one epoch; return the reconstruction error."""
        try:
            row = self._train_epoch(state)
        except FloatingPointError as error:
            raise Failure(f"the machine of {self.of}: {error}") from error
        return float(row["reconstruction_error"][0])

    def _train_epoch(self, state: State) -> Rows:
        schedule = self.schedule
        return train_epochs(
            state,
            self.visible,
            epochs_total=schedule.epochs,
            count=1,
            batch_size=BATCH,
            n_gibbs=schedule.cd_steps,
            learning_rate=schedule.learning_rate,
            momentum=MOMENTUM,
            symmetric=self.symmetric,
            persistent=schedule.persistent,
        )

    def machine(self, state: State) -> RBM | TiedRBM:
        """The machine that a state has reached."""
        return RBM.from_state(state)

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return 2

    def _check(self, likelihood: float, epoch: int) -> None:
        """Raise Failure if the training has diverged."""
        chance, schedule = -self.visible.shape[1] * math.log(self.states), self.schedule
        if not likelihood > _WORSE_THAN_CHANCE * chance:
            fair = "fair coins" if self.states == 2 else "equal probabilities"
            raise Failure(
                f"the machine of {self.of}: the training diverged in epoch {epoch} of"
                f" {schedule.epochs} (pseudo-log-likelihood {likelihood:.1f}, {chance:.1f} for"
                f" {fair}): lower --learning-rate, which is {schedule.learning_rate:g}"
            )


@dataclass
class TiedTraining(MachineTraining):
    """The task of a machine whose weights are tied to the symmetry of the states."""

    features: NDArray[np.float64]

    def begin(self) -> tuple[int, State]:
        """A machine with random weights."""
        return 0, tied_rbm.initial_state(
            self.visible.shape[1],
            self.hidden,
            self.key,
            chains=BATCH if self.schedule.persistent else 0,
            states=self.states,
        )

    def _train_epoch(self, state: State) -> Rows:
        schedule = self.schedule
        return tied_rbm.train_epochs(
            state,
            self.visible,
            self.features,
            epochs_total=schedule.epochs,
            count=1,
            batch_size=BATCH,
            n_gibbs=schedule.cd_steps,
            learning_rate=schedule.learning_rate,
            momentum=MOMENTUM,
        )

    def machine(self, state: State) -> TiedRBM:
        """The machine that a state has reached."""
        return TiedRBM(state["weights"], self.features)

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return len(self.features)
