"""``rsmi train-theta``: restricted Boltzmann machines of (V, E) and of V, by contrastive
divergence."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rsmi.engine.keys import stream_key
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Rows, State, restoring
from rsmi.errors import Failure, UsageError
from rsmi.information.entropy import kl_block_given_environment
from rsmi.information.rbm import RBM, initial_state, train_epochs
from rsmi.lattice.geometry import Geometry
from rsmi.samples.windows import (
    Windows,
    WindowSet,
    geometry_attributes,
    lattice_attributes,
    write_mask,
)
from rsmi.statistics.binning import grouped_mean
from rsmi.store import File

log = logging.getLogger("rsmi")

BATCH = 100
MOMENTUM = 0.5
_OF = {"joint": "(V, E)", "block": "V"}
_WORSE_THAN_COINS = (
    2.0  # how much worse than fair coins a machine may predict a spin from the others
)
_MONITORED = 10_000  # held-out windows that the pseudo-likelihood is measured on
_WINDOWS_PER_UNIT = 10  # at least: so many spins of the data for each weight
_LARGE_BLOCK = 9  # sites beyond which the machine is larger and the learning rate smaller


@dataclass(frozen=True)
class Schedule:
    """How both machines are trained."""

    hidden: int
    cd_steps: int
    persistent: bool
    epochs: int
    learning_rate: float


@dataclass
class Training:
    """The task of one machine: a row is one epoch."""

    name: str
    visible: np.ndarray
    monitored: np.ndarray
    hidden: int
    schedule: Schedule
    symmetric: bool
    key: np.ndarray

    @property
    def of(self) -> str:
        """What the machine is of, for messages."""
        return _OF[self.name]

    @property
    def total(self) -> int:
        return self.schedule.epochs

    def begin(self):
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
        with restoring(state):
            rows = [self._epoch(state, epoch) for epoch in range(start + 1, start + count + 1)]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def _epoch(self, state: State, epoch: int) -> dict:
        schedule = self.schedule
        try:
            row = train_epochs(
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
        except FloatingPointError as error:
            raise Failure(f"the machine of {self.of}: {error}") from error
        likelihood = float(RBM.from_state(state).pseudo_log_likelihood(self.monitored).mean())
        if not likelihood > -_WORSE_THAN_COINS * self.visible.shape[1] * math.log(2):
            raise Failure(
                f"the machine of {self.of}: the training diverged in epoch {epoch} of"
                f" {schedule.epochs} (pseudo-log-likelihood {likelihood:.1f},"
                f" {-self.visible.shape[1] * math.log(2):.1f} for fair coins): lower"
                f" --learning-rate, which is {schedule.learning_rate:g}"
            )
        return {
            "reconstruction_error": float(row["reconstruction_error"][0]),
            "pseudo_log_likelihood": likelihood,
        }


@dataclass(frozen=True)
class ThetaTraining:
    """A checked request and everything needed to run it."""

    windows: WindowSet
    schedule: Schedule
    seed: int

    @property
    def request(self) -> Request:
        geometry, schedule = self.windows.geometry, self.schedule
        parameters = {
            "block": list(geometry.block),
            "buffer": geometry.buffer,
            "environment": geometry.environment,
            "windows": self.windows.count,
            "hidden": schedule.hidden,
            "cd_steps": schedule.cd_steps,
            "persistent": schedule.persistent,
            "epochs": schedule.epochs,
            "learning_rate": schedule.learning_rate,
            "seed": self.seed,
        }
        return Request("train-theta", "theta", parameters, (self.windows.source,))

    @property
    def block_hidden(self) -> int:
        """Hidden units of the machine of V alone: twice its sites describe its correlations
        amply."""
        return min(self.schedule.hidden, 2 * self.windows.geometry.n_block)

    def tasks(self) -> list[Training]:
        training, monitored, symmetric = (
            self.windows.training,
            monitored_windows(self.windows),
            self.windows.symmetric,
        )
        joint = Training(
            "joint",
            training.visible,
            monitored.visible,
            self.schedule.hidden,
            self.schedule,
            symmetric,
            self._key("joint"),
        )
        block = Training(
            "block",
            training.blocks,
            monitored.blocks,
            self.block_hidden,
            self.schedule,
            symmetric,
            self._key("block"),
        )
        return [joint, block]

    def _key(self, machine: str) -> np.ndarray:
        return stream_key(self.seed, "train-theta", self.windows.physics | {"machine": machine}, 0)


def prepare(
    source: File, geometry: Geometry, *, windows: int, seed: int, **settings
) -> ThetaTraining:
    """Check a request; ``settings`` are fields of the Schedule, None for the default of model and
    block."""
    chosen = WindowSet(source, geometry, windows, seed)
    schedule = replace(
        default_schedule(chosen),
        **{name: value for name, value in settings.items() if value is not None},
    )
    if not 0 < schedule.learning_rate < 10:
        raise UsageError(f"--learning-rate {schedule.learning_rate}: must be positive (about .05)")
    chosen.check()
    chosen.require(
        max(10 * BATCH, _WINDOWS_PER_UNIT * schedule.hidden),
        f"a machine with {schedule.hidden} hidden units",
    )
    return ThetaTraining(chosen, schedule, seed)


def monitored_windows(windows: WindowSet) -> Windows:
    """The held-out windows that the pseudo-likelihood is measured on."""
    settings = windows.model.checked_training("train-theta", windows.geometry)
    return windows.held_out.thinned(settings.get("monitored", _MONITORED))


def default_schedule(windows: WindowSet) -> Schedule:
    """What is enough for most models and the block, changed by what the model says of itself."""
    large = windows.geometry.n_block > _LARGE_BLOCK
    settings = {
        "hidden": 32 if large else 20,
        "cd_steps": 5,
        "persistent": False,
        "epochs": 10,
        "learning_rate": 0.03 if large else 0.05,
    }
    own = windows.model.checked_training("train-theta", windows.geometry)
    return Schedule(**settings | {name: own[name] for name in settings if name in own})


def run(work: ThetaTraining, output: Path, options: RunOptions) -> None:
    """Train, or resume."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        for sentence in work.windows.cautions():
            log.warning("%s: %s", output, sentence)
        tasks = work.tasks()
        session.run(tasks, "training", "epoch")
        _publish(session, work, tasks)


def _publish(session: Session, work: ThetaTraining, tasks: list[Training]) -> None:
    joint, block = tasks
    state, monitored = session.state(joint), monitored_windows(work.windows)
    machine = RBM.from_state(state)
    likelihood = grouped_mean(machine.pseudo_log_likelihood(monitored.visible), monitored.runs)
    kl = (
        divergence_from_exact(machine, work.windows)
        if work.windows.oracle is not None
        else (None, None)
    )
    attributes = {
        **lattice_attributes(work.windows.source),
        **geometry_attributes(work.windows.geometry),
        "windows": work.windows.count,
        "symmetric": work.windows.symmetric,
        "pseudo_log_likelihood": likelihood[0],
        "pseudo_log_likelihood_error": likelihood[1],
        "kl": kl[0],
        "kl_error": kl[1],
    }

    def fill(writer):
        write_mask(writer, work.windows.geometry)
        for task in tasks:
            for name in ("weights", "visible_bias", "hidden_bias"):
                writer.write(f"/{task.name}/{name}", session.state(task)[name])
        curve = session.rows(joint)
        writer.write("/curve/epoch", np.arange(1, joint.total + 1))
        for name in ("reconstruction_error", "pseudo_log_likelihood"):
            writer.write(f"/curve/{name}", curve.read(name))
        writer.write("/split/held_out", work.windows.held_out_configurations)

    session.publish(attributes, fill, 1 << 22)


def divergence_from_exact(machine: RBM, windows: WindowSet) -> tuple[float, float]:
    """Mean KL(P(V|E) || machine) over held-out environments, with its error over runs of
    configurations, nats."""
    chosen, geometry = windows.exact_windows(least=100, states=1 << 23), windows.geometry
    step = max(1, (1 << 21) // 2**geometry.n_block)
    values = np.concatenate(
        [
            _divergences(machine, chosen.take(slice(i, i + step)), windows)
            for i in range(0, len(chosen), step)
        ]
    )
    return grouped_mean(values, chosen.runs)


def _divergences(machine: RBM, chosen: Windows, windows: WindowSet) -> np.ndarray:
    truth = windows.oracle.block_given_environment(
        chosen.environments, windows.geometry, windows.source.attributes["coupling"]
    )
    return kl_block_given_environment(truth, machine.conditional_block(chosen.environments))


def plan(work: ThetaTraining) -> dict:
    """What a run would do."""
    geometry, schedule = work.windows.geometry, work.schedule
    return {
        **work.request.parameters,
        "visible": geometry.n_block + geometry.n_environment,
        "block_hidden": work.block_hidden,
        "gibbs_steps": schedule.epochs * schedule.cd_steps * work.windows.count,
    }


def summary(file: File) -> dict:
    """Quality of the trained machines."""
    attributes = file.attributes
    return {
        "file": str(file.path),
        "block": list(attributes["block"]),
        "buffer": attributes["buffer"],
        "environment": attributes["environment"],
        "hidden": file.shape("/joint/weights")[1],
        "epochs": file.shape("/curve/epoch")[0],
        **{
            name: attributes.get(name)
            for name in (
                "pseudo_log_likelihood",
                "pseudo_log_likelihood_error",
                "kl",
                "kl_error",
            )
        },
    }
