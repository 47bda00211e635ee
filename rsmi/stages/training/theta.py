"""``rsmi train-theta``: restricted Boltzmann machines of (V, E) and of V, by contrastive
divergence."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import State
from rsmi.errors import UsageError
from rsmi.information.entropy import kl_block_given_environment
from rsmi.information.rbm import RBM
from rsmi.information.tied_rbm import TiedRBM
from rsmi.lattice.blocks import block_of
from rsmi.models.base import Oracle
from rsmi.samples.checks import cautions, require_windows
from rsmi.samples.examination.stored import warn
from rsmi.samples.subject import subject
from rsmi.samples.trained import (
    geometry_attributes,
    lattice_attributes,
    metric_parameters,
    write_mask,
)
from rsmi.samples.views import MachinesFile
from rsmi.samples.windows import Windows, WindowSet
from rsmi.stages.cost import Cost, file_cost, seconds_of, seconds_of_size, timed
from rsmi.stages.training.machines import BATCH, MachineSchedule, MachineTraining, TiedTraining
from rsmi.statistics.binning import grouped_mean
from rsmi.store import File, Writer

log = logging.getLogger("rsmi")

_MONITORED = 10_000  # held-out windows on which the pseudo-likelihood is measured
_STORED = ("weights", "visible_bias", "hidden_bias")  # of a machine, as float32
_EXACT = {"least": 100, "states": 1 << 23}  # windows for exact averages
_TRIALS = (20, 80)  # windows from which the time of exact averages is estimated
_WINDOWS_PER_UNIT = 10  # the least number of windows for each hidden unit
_LARGE_BLOCK = 9  # sites of a block beyond which the defaults are those for large blocks


@dataclass(frozen=True)
class ThetaTraining:
    """A checked request and everything needed to run it."""

    windows: WindowSet
    schedule: MachineSchedule
    seed: int

    @property
    def request(self) -> Request:
        """The file that the command makes."""
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
            **metric_parameters(geometry),
        }
        return Request("train-theta", "theta", parameters, (self.windows.source,))

    @property
    def block_hidden(self) -> int:
        """The number of hidden units of the machine of V.

        Twice as many as sites are more than enough for the correlations of a block.
        """
        return min(self.schedule.hidden, 2 * self.windows.geometry.n_block)

    def tasks(self) -> list[MachineTraining]:
        """The trainings of the machine of (V, E) and of that of V."""
        training, monitored = self.windows.training, monitored_windows(self.windows)
        return [
            self._task("joint", training.visible, monitored.visible, self.schedule.hidden),
            self._task("block", training.blocks, monitored.blocks, self.block_hidden),
        ]

    def _task(
        self, name: str, visible: NDArray[np.int8], monitored: NDArray[np.int8], hidden: int
    ) -> MachineTraining:
        common = (name, visible, monitored, hidden, self.schedule)
        key, features = self._key(name), self.features
        if features is None:
            return MachineTraining(*common, self.windows.symmetric, key)
        return TiedTraining(*common, True, key, features)

    @property
    def features(self) -> NDArray[np.float64] | None:
        """The features of the states of a variable; None for variables +-1."""
        return features_of(self.windows)

    def _key(self, machine: str) -> NDArray[np.uint64]:
        return stream_key(self.seed, "train-theta", self.windows.physics | {"machine": machine}, 0)


def prepare(
    source: File,
    *,
    block: str,
    buffer: int,
    environment: int,
    metric: str | None,
    windows: int,
    seed: int,
    **settings: Any,
) -> ThetaTraining:
    """Check a request.

    Parameters
    ----------
    source : File
        An open samples file.
    block : str
        A shape, or the name of a file of sites.
    buffer, environment : int
    metric : {"square", "lattice"}, optional
    windows, seed : int
        The number of windows, and the root seed.
    **settings
        Fields of `MachineSchedule`; None stands for the default of the model and the block.

    Raises
    ------
    UsageError, DataError
        If the options do not fit one another or the samples.
    """
    geometry = block_of(block, buffer, environment, metric)
    drawn = WindowSet(source, geometry, windows, seed)
    _check_states(drawn)
    schedule = replace(
        default_schedule(drawn),
        **{name: value for name, value in settings.items() if value is not None},
    )
    if not 0 < schedule.learning_rate < 10:
        raise UsageError(f"--learning-rate {schedule.learning_rate}: must be positive (about 0.05)")
    drawn.check()
    require_windows(
        drawn,
        max(10 * BATCH, _WINDOWS_PER_UNIT * schedule.hidden),
        f"a machine with {schedule.hidden} hidden units",
    )
    return ThetaTraining(drawn, schedule, seed)


def _check_states(windows: WindowSet) -> None:
    """Check that variables with several states have what ties the machines."""
    samples = windows.samples
    if samples.states == 2:
        return
    if windows.symmetry is None:
        raise UsageError(
            f"{samples.path}: its variables have {samples.states} states without a known symmetry,"
            " to which the weights of the machines could be tied: import the samples with"
            " --symmetric, or take rsmi train-lambda with --objective decoder, which needs no"
            " machines"
        )
    if windows.geometry.live is not None:
        raise UsageError(
            f"{samples.path}: machines of variables with several states are trained on blocks"
            " whose sites all carry data"
        )


def features_of(windows: WindowSet) -> NDArray[np.float64] | None:
    """The features of the states of a variable; None for variables +-1."""
    samples = windows.samples
    return None if samples.states == 2 else samples.model.state_features(samples.attributes)


def _learning_rate(windows: WindowSet, rate: float) -> float:
    """The learning rate for features, whose products f(a) . f(b) span another range than those of
    +-1 do: weights are larger, and their gradients smaller, by the ratio of the ranges."""
    features = features_of(windows)
    if features is None:
        return rate
    products = features @ features.T
    return rate * float(2.0 / (products.max() - products.min())) ** 2


def monitored_windows(windows: WindowSet) -> Windows:
    """The held-out windows on which the pseudo-likelihood is measured."""
    settings = windows.model.checked_training("train-theta", windows.geometry)
    return windows.held_out.thinned(settings.get("monitored", _MONITORED))


def default_schedule(windows: WindowSet) -> MachineSchedule:
    """The schedule that suits the block, with the settings that the model has of its own."""
    large = windows.geometry.n_block > _LARGE_BLOCK
    settings: dict[str, Any] = {
        "hidden": 32 if large or windows.samples.states > 2 else 20,
        "cd_steps": 5,
        "persistent": False,
        "epochs": 10,
        "learning_rate": _learning_rate(windows, 0.03 if large else 0.05),
    }
    own = windows.model.checked_training("train-theta", windows.geometry)
    return MachineSchedule(**settings | {name: own[name] for name in settings if name in own})


def run(work: ThetaTraining, output: Path, options: RunOptions) -> None:
    """Train, or resume."""
    with Session(output, work.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        warn(work.windows.source)
        for sentence in cautions(work.windows):
            log.warning("%s: %s", output, sentence)
        tasks = work.tasks()
        session.run(tasks, "training", "epoch")
        _publish(session, work, tasks)


def _publish(session: Session, work: ThetaTraining, tasks: list[MachineTraining]) -> None:
    joint, block = tasks
    state, monitored = session.state(joint), monitored_windows(work.windows)
    machine = joint.machine(state)
    likelihood = grouped_mean(machine.pseudo_log_likelihood(monitored.visible), monitored.runs)
    oracle = work.windows.oracle
    kl = (None, None) if oracle is None else divergence(machine, work.windows, oracle)
    attributes = {
        **lattice_attributes(work.windows.samples),
        **geometry_attributes(work.windows.geometry),
        "windows": work.windows.count,
        "symmetric": joint.symmetric,
        "pseudo_log_likelihood": likelihood[0],
        "pseudo_log_likelihood_error": likelihood[1],
        "kl": kl[0],
        "kl_error": kl[1],
    }

    def fill(writer: Writer) -> None:
        write_mask(writer, work.windows.geometry)
        if work.features is not None:
            writer.write("/features", work.features)
        for task in tasks:
            _write_machine(writer, task.name, session.state(task))
        curve = session.rows(joint)
        writer.write("/curve/epoch", np.arange(1, joint.total + 1))
        for name in ("reconstruction_error", "pseudo_log_likelihood"):
            writer.write(f"/curve/{name}", curve.read(name))
        writer.write("/split/held_out", work.windows.split.held_out)

    session.publish(attributes, fill, 1 << 22)


def _write_machine(writer: Writer, name: str, state: State) -> None:
    """Store the weights, and the biases of machines that have them."""
    for part in _STORED:
        if part in state:
            writer.write(f"/{name}/{part}", state[part].astype(np.float32))


def divergence(
    machine: RBM | TiedRBM, windows: WindowSet, oracle: Oracle, most: int | None = None
) -> tuple[float, float]:
    """The mean of KL(P(V|E) || machine) over held-out environments, at most so many, and its error,
    in nats."""
    chosen = windows.exact_windows(**_EXACT)
    chosen = chosen if most is None else chosen.thinned(most)
    step = max(1, (1 << 21) // windows.samples.states**windows.geometry.n_block)
    pieces = [chosen.take(slice(i, i + step)) for i in range(0, len(chosen), step)]
    values = [_divergences(machine, piece, windows, oracle) for piece in pieces]
    return grouped_mean(np.concatenate(values), chosen.runs)


def _divergences(
    machine: RBM | TiedRBM, chosen: Windows, windows: WindowSet, oracle: Oracle
) -> NDArray[np.float64]:
    coupling = windows.samples.coupling
    if coupling is None:
        raise ValueError("an oracle needs a known coupling")
    truth = oracle.block_given_environment(chosen.environments, windows.geometry, coupling)
    return kl_block_given_environment(truth, machine.conditional_block(chosen.environments))


def plan(work: ThetaTraining) -> dict:
    """What a run would do."""
    geometry, schedule = work.windows.geometry, work.schedule
    return {
        **work.request.parameters,
        "visible": geometry.n_block + geometry.n_environment,
        "block_hidden": work.block_hidden,
        "gibbs_steps": schedule.epochs * schedule.cd_steps * work.windows.count,
        **cost(work).plan,
    }


def cost(work: ThetaTraining) -> Cost:
    """What a run costs: the trainings, and the divergence from the exact P(V|E)."""
    tasks, seconds = timed(work.tasks)
    seconds += sum(map(seconds_of, tasks))
    states = [task.begin()[1] for task in tasks]
    if work.windows.oracle is not None:
        machine, oracle, windows = tasks[0].machine(states[0]), work.windows.oracle, work.windows
        chosen = windows.exact_windows(**_EXACT)
        seconds += seconds_of_size(
            lambda count: divergence(machine, windows, oracle, count), len(chosen), _TRIALS
        )
    machines = 4 * sum(state[name].size for state in states for name in _STORED if name in state)
    return file_cost(seconds, machines + work.windows.split.held_out.nbytes)


_QUALITY = ("pseudo_log_likelihood", "pseudo_log_likelihood_error", "kl", "kl_error")


def summary(file: File) -> dict[str, Any]:
    """The quality of the trained machines."""
    machines = MachinesFile(file)
    return {
        "file": str(machines.path),
        **subject(file),
        "block": list(machines.block),
        "buffer": machines.buffer,
        "environment": machines.environment,
        "windows": machines.windows,
        "hidden": machines.hidden,
        "epochs": machines.epochs,
        **{name: machines.attributes.get(name) for name in _QUALITY},
    }
