"""``rsmi flow --model``: the flow of configurations that are sampled, measured and forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

from rsmi import models
from rsmi.engine.keys import origin_of_chains
from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows, State
from rsmi.errors import DataError, UsageError
from rsmi.models.base import Model
from rsmi.models.chains import Group, Thermalization, groups
from rsmi.models.schedule import Schedule, pilot, schedule_from
from rsmi.models.simulation import Simulation, magnetizations
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.flow.from_files import (
    Origin,
    autocorrelation_time,
    choose_single,
    stored,
    stream_identity,
    table,
)
from rsmi.stages.flow.sums import OF_CHAINS, Division, Measuring, Sums, divide, joined
from rsmi.stages.rule_option import ChosenRule, blocking_keys, coarse_shapes
from rsmi.store import File

# tau_int from one measured sample to the next, where it is left to auto. What y_t is made of
# forgets sooner than |m|, and more samples help as long as measuring is cheap: on 64 x 64 at T_c
# (majority, four steps, 10 operators) 120 s of a core give errors of y_t at step 3 of 3.5e-4,
# 2.8e-4, 2.4e-4, 2.3e-4 and 2.2e-4 with .55, .28, .14, .07 and .03 tau_int; at .2 measuring is less
# than a quarter of the run.
# tau_int from one measured sample to the next, where it is left to auto: y_t remembers less than
# |m| and E
TAUS_BETWEEN_MEASURED = 0.25
NEIGHBOURHOODS_EVERY = (
    32  # steps of the chains: local energies cost more than everything else together
)
SERIES = 1 << 17  # samples, the first ones, that tau_int is known from


@dataclass(frozen=True)
class Ensemble:
    """One temperature: what is simulated and how its samples are divided into blocks."""

    parameters: dict
    simulation: Simulation
    division: Division

    @property
    def in_series(self) -> int:
        """Samples, the first ones, whose energies and magnetizations are kept."""
        samples, chains = self.parameters["samples"], self.parameters["chains"]
        return min(samples, max(1, SERIES // chains) * chains)

    @property
    def model(self) -> Model:
        return models.get(self.parameters["model"])

    @property
    def origin(self) -> str:
        return origin_of_chains(self.parameters, self.simulation.algorithm)

    @property
    def groups(self) -> list[Group]:
        """The groups of chains that one task advances each."""
        return groups(
            self.parameters["chains"], self.simulation.chains_per_task, self.parameters["samples"]
        )

    @property
    def name(self) -> str:
        return f"T = {1 / self.parameters['coupling']:.6g}"


@dataclass
class Measurement:
    """The task of one group of chains: a row is one of their samples, and empty; the sums so far
    are part of the state, so that a run may stop at any sample, and however long it is, what it
    keeps does not grow."""

    name: str
    ensemble: Ensemble
    schedule: Schedule
    group: Group
    measuring: Measuring
    thermalized: Callable[[], State]

    @property
    def total(self) -> int:
        return self.group.rows(self.ensemble.parameters["samples"])

    def begin(self):
        series = self.group.rows(self.ensemble.in_series)
        types = {"energy": self.ensemble.model.energy_type, "magnetization": "int64"}
        kept = {f"series-{name}": np.zeros(series, kind) for name, kind in types.items()}
        return 0, {
            **self.thermalized(),
            **self.measuring.begin(),
            "schedule": np.array(astuple(self.schedule)),
            **kept,
        }

    def advance(self, state: State, start: int, count: int) -> Rows:
        simulation = self.ensemble.simulation
        rows = simulation.advance(state, self.schedule.updates, start, count)
        rows["magnetization"] = magnetizations(rows, simulation.sites)
        for name in ("energy", "magnetization"):
            kept = state[f"series-{name}"][start : start + count]
            kept[:] = rows[name][: len(kept)]
        self.measuring.add(
            state, rows["spins"], rows["energy"], self.group.samples(start, start + count)
        )
        return {}


@dataclass(frozen=True)
class SampledFlow:
    """A checked request and everything needed to run it: the samples are made on the way. Used like
    `rsmi.stages.flow.from_files.Flow`."""

    ensembles: tuple[Ensemble, ...]
    chosen: ChosenRule
    steps: int
    seed: int

    @property
    def request(self) -> Request:
        sampled = [ensemble.parameters for ensemble in self.ensembles]
        return Request(
            "flow",
            "flow",
            {
                "rule": self.chosen.identity,
                "steps": self.steps,
                "seed": self.seed,
                "sampled": sampled,
            },
            self.chosen.inputs,
        )

    @property
    def dimension(self) -> int:
        return len(self.ensembles[0].simulation.shape)

    @property
    def system(self) -> dict:
        """The attributes of what is sampled, as far as they are the same for all ensembles."""
        return stored_attributes(self.ensembles[0].simulation.attributes())

    @property
    def names(self) -> list[str]:
        return [ensemble.name for ensemble in self.ensembles]

    def plan(self) -> dict:
        """What a run would do; runs the pilots."""
        schedules = []
        for ensemble in self.ensembles:
            found = (
                pilot(ensemble.simulation)
                if sampling.needs_pilot(ensemble.parameters, ensemble.simulation)
                else None
            )
            schedules.append(schedule_from(ensemble.parameters, found, TAUS_BETWEEN_MEASURED))
        return {
            **self.request.parameters,
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
            "samples": sum(ensemble.parameters["samples"] for ensemble in self.ensembles),
            "blocks": sum(ensemble.division.blocks for ensemble in self.ensembles),
        }

    def measure(self, session: Session) -> list[Measurement]:
        """Pilots, thermalization, then this session's share of the tasks, one for every group of
        chains."""
        schedules = [
            sampling.schedule_of(
                session, e.parameters, e.simulation, _prefix(i), TAUS_BETWEEN_MEASURED
            )
            for i, e in enumerate(self.ensembles)
        ]
        tasks = self._tasks(session, schedules)
        cost = max(
            schedule.interval * ensemble.simulation.sites
            for schedule, ensemble in zip(schedules, self.ensembles)
        )
        session.run(tasks, "sampling and measuring", "sample", cost)
        return tasks

    def _tasks(self, session: Session, schedules: list[Schedule]) -> list[Measurement]:
        wanted = session.select(
            [(i, group) for i, ensemble in enumerate(self.ensembles) for group in ensemble.groups]
        )
        fresh = [
            Thermalization(self.ensembles[i].simulation, schedules[i], group, _prefix(i))
            for i, group in wanted
        ]
        states = sampling.thermalized(session, fresh)
        keys = [
            blocking_keys(self.seed, ensemble.origin, 0, self.steps) for ensemble in self.ensembles
        ]
        return [
            Measurement(
                _prefix(i) + group.name,
                self.ensembles[i],
                schedules[i],
                group,
                self._measuring(self.ensembles[i], group, keys[i]),
                states[_prefix(i), group],
            )
            for i, group in wanted
        ]

    def _measuring(self, ensemble: Ensemble, group: Group, keys: np.ndarray) -> Measuring:
        division = ensemble.division
        blocks = (
            division.spanned(np.array(group.numbers))
            if division.by_chains
            else (0, division.blocks)
        )
        return Measuring(
            division,
            ensemble.simulation.shape,
            self.chosen.rule,
            keys,
            *blocks,
            NEIGHBOURHOODS_EVERY,
        )

    def shared(self) -> Rows:
        """The datasets that no task makes: none."""
        return {}

    def gathered(self, session: Session, tasks: list[Measurement]) -> tuple[Sums, Rows]:
        """What the tasks found, and /files/*, which is made of it too."""
        return gathered(session, self.ensembles, {task.name: task for task in tasks})


def join(session: Session, shard: File):
    """How to store the sums of all streams, which the shards of the session have; ``shard`` is one
    of them."""
    ensembles = tuple(map(_ensemble_of, shard.parameters["sampled"]))
    return stored(
        *gathered(session, ensembles, {stream.name: stream for stream in session.streams}),
        len(ensembles[0].simulation.shape),
    )


def gathered(
    session: Session, ensembles: tuple[Ensemble, ...], tasks: dict[str, Named]
) -> tuple[Sums, Rows]:
    """The sums of all ensembles and /files/*, from the states of the tasks of their groups of
    chains."""
    found = [
        [_found(session.state(tasks[_prefix(i) + group.name])) for group in ensemble.groups]
        for i, ensemble in enumerate(ensembles)
    ]
    for ensemble, states in zip(ensembles, found):
        if len({tuple(state["schedule"]) for state in states}) > 1:
            raise DataError(
                f"{ensemble.name}: the pilots of the shards do not agree on thermalization and"
                " interval: give both"
            )
    return joined(found), table(list(map(_origin, ensembles, found)))


def _found(state: State) -> State:
    """Of the state of a `Measurement`, what is known of its samples: the spins of all chains would
    fill the memory."""
    return {name: array for name, array in state.items() if name not in OF_CHAINS}


def _prefix(number: int) -> str:
    return f"ensemble-{number:04d}-"


def _origin(ensemble: Ensemble, states: list[State]) -> Origin:
    """What the file says of samples that it never saw: the same as of a file of them."""
    simulation, parameters = ensemble.simulation, ensemble.parameters
    types = {"magnetization": "int64", "energy": ensemble.model.energy_type}
    series = {name: np.zeros(ensemble.in_series, kind) for name, kind in types.items()}
    for group, state in zip(ensemble.groups, states):
        for name, values in series.items():
            values[group.samples(0, len(state[f"series-{name}"]))] = state[f"series-{name}"]
    tau = autocorrelation_time(
        [np.abs(series["magnetization"]), series["energy"]], parameters["chains"]
    )
    coupling = parameters["coupling"]
    return Origin(
        coupling,
        1 / coupling,
        simulation.shape,
        simulation.shape,
        0,
        stream_identity(ensemble.origin, 0),
        True,
        parameters["chains"],
        ensemble.division.by_chains,
        *tau,
    )


@contextlib.contextmanager
def prepare(
    asked: list[dict],
    rule: str,
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
):
    """Check what is to be sampled, one entry of ``asked`` for each temperature
    (`rsmi.stages.chains.parameters_of`), and the rule.

    Raises
    ------
    UsageError
        For what cannot be sampled or blocked, or a temperature given twice.
    """
    ensembles = tuple(map(_ensemble, asked))
    seen = set()
    for ensemble in ensembles:
        if ensemble.name in seen:
            raise UsageError(f"{ensemble.name}: given twice")
        seen.add(ensemble.name)
    components = ensembles[0].simulation.attributes()["components"]
    if components != 1:
        raise UsageError(
            f"--model {ensembles[0].parameters['model']}: has {components} components per site;"
            " operators are of one"
        )
    with contextlib.ExitStack() as stack:
        shape = ensembles[0].simulation.shape
        chosen = choose_single(stack, rule, block, hard, len(shape), bias)
        coarse_shapes(shape, chosen.rule, steps)
        yield SampledFlow(ensembles, chosen, steps, seed)


def _ensemble(asked: dict) -> Ensemble:
    return _ensemble_of(sampling.parameters_of(**asked))


def _ensemble_of(parameters: dict) -> Ensemble:
    simulation = sampling.simulation_of(parameters)
    division = divide(
        parameters["samples"],
        parameters["chains"],
        simulation.shape,
        simulation.shape,
        models.get(parameters["model"]).energy_type,
    )
    return Ensemble(parameters, simulation, division)
