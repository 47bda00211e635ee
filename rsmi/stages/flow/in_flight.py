"""``rsmi flow --model``: the flow of configurations that are sampled, measured and forgotten."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows, State
from rsmi.errors import DataError, UsageError
from rsmi.models.chains import Group, Thermalization
from rsmi.models.schedule import Schedule
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.flow.ensembles import ChainTask, Ensemble, ensemble_of, record_of
from rsmi.stages.flow.from_files import choose_for_flow
from rsmi.stages.flow.source import record_table
from rsmi.stages.flow.storage import contents
from rsmi.stages.flow.sums import OF_CHAINS, Accumulator, Sums, joined
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.rule_option import blocking_keys, coarse_shapes
from rsmi.stages.rule_sequence import RuleSequence
from rsmi.store import File

# The automatic interval between measured samples, in autocorrelation times. What y_t is made of
# has a shorter memory than |m| and E, and more samples help as long as measuring is cheap. On
# 64 x 64 at T_c (majority, four steps, 10 operators) 120 s of a core give errors of y_t at step 3
# of 3.5e-4, 2.8e-4, 2.4e-4, 2.3e-4 and 2.2e-4 with 0.55, 0.28, 0.14, 0.07 and 0.03 tau_int; at
# 0.2 tau_int measuring takes less than a quarter of the run.
TAUS_BETWEEN_MEASURED = 0.25
# Steps of the chains from one measurement of local energies to the next: they cost more than
# everything else together.
NEIGHBOURHOODS_EVERY = 32


@dataclass(frozen=True)
class SampledFlow:
    """The flow of samples that are made on the way: a checked request and all it needs.

    The members are those of `rsmi.stages.flow.source.FlowSource`.
    """

    ensembles: tuple[Ensemble, ...]
    chosen: RuleSequence
    seed: int

    @property
    def request(self) -> Request:
        """The file that the flow makes."""
        parameters = {
            **self.chosen.identity,
            "steps": self.chosen.steps,
            "seed": self.seed,
            "sampled": [ensemble.parameters for ensemble in self.ensembles],
        }
        return Request("flow", "flow", parameters, self.chosen.inputs)

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""
        return len(self.ensembles[0].simulation.shape)

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all ensembles."""
        return stored_attributes(self.ensembles[0].simulation.attributes())

    @property
    def contradictions(self) -> Sequence[str]:
        """None: the samples are of the model."""
        return ()

    @property
    def doubts(self) -> Sequence[str]:
        """None: the samples are thermalized at the stated temperature."""
        return ()

    @property
    def names(self) -> list[str]:
        """The temperatures."""
        return [ensemble.name for ensemble in self.ensembles]

    def plan(self) -> dict:
        """What a run would do; runs the pilots."""
        schedules = [
            sampling.planned_schedule(one.parameters, one.simulation, TAUS_BETWEEN_MEASURED)
            for one in self.ensembles
        ]
        return {
            **self.request.parameters,
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
            "samples": sum(ensemble.parameters["samples"] for ensemble in self.ensembles),
            "blocks": sum(ensemble.division.blocks for ensemble in self.ensembles),
        }

    def measure(self, session: Session) -> list[ChainTask]:
        """Run the pilots, thermalize, then run the tasks of the session's shard, one for every
        group of chains."""
        schedules = [
            sampling.schedule_of(
                session,
                ensemble.parameters,
                ensemble.simulation,
                _prefix(number),
                TAUS_BETWEEN_MEASURED,
            )
            for number, ensemble in enumerate(self.ensembles)
        ]
        tasks = self._tasks(session, schedules)
        cost = max(
            schedule.interval * ensemble.simulation.sites
            for schedule, ensemble in zip(schedules, self.ensembles)
        )
        session.run(tasks, "sampling and measuring", "sample", cost)
        return tasks

    def _tasks(self, session: Session, schedules: list[Schedule]) -> list[ChainTask]:
        selected = session.select(
            [(i, group) for i, ensemble in enumerate(self.ensembles) for group in ensemble.groups],
            sampling.more_streams(
                session.options.shard, self.ensembles[0].parameters, len(self.ensembles)
            ),
        )
        thermalizations = [
            Thermalization(self.ensembles[i].simulation, schedules[i], group, _prefix(i))
            for i, group in selected
        ]
        states = sampling.thermalized(session, thermalizations)
        keys = [
            blocking_keys(self.seed, ensemble.origin, 0, self.chosen.steps)
            for ensemble in self.ensembles
        ]
        return [
            ChainTask(
                _prefix(i) + group.name,
                self.ensembles[i],
                schedules[i],
                group,
                self._accumulator(self.ensembles[i], group, keys[i]),
                states[_prefix(i), group],
            )
            for i, group in selected
        ]

    def _accumulator(self, ensemble: Ensemble, group: Group, keys: np.ndarray) -> Accumulator:
        division = ensemble.division
        chains = np.array(group.numbers)
        blocks = division.spanned(chains) if division.by_chains else (0, division.blocks)
        shape, rules = ensemble.simulation.shape, self.chosen.rules
        return Accumulator(division, shape, rules, keys, *blocks, NEIGHBOURHOODS_EVERY)

    def shared(self) -> Rows:
        """The datasets that do not depend on the samples: none."""
        return {}

    def collect(self, session: Session, tasks: Sequence[Named]) -> tuple[Sums, Rows]:
        """The sums of all ensembles, and ``/files/*``."""
        return _collect(session, self.ensembles, tasks)


def _prefix(number: int) -> str:
    """How the names of the tasks of an ensemble begin."""
    return f"ensemble-{number:04d}-"


# ---- sums ----------------------------------------------------------------------------------------


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    ensembles = tuple(map(ensemble_of, shard.parameters["sampled"]))
    sums, records = _collect(session, ensembles, session.streams)
    return contents(sums, records, len(ensembles[0].simulation.shape))


def _collect(
    session: Session, ensembles: tuple[Ensemble, ...], tasks: Sequence[Named]
) -> tuple[Sums, Rows]:
    """The sums of all ensembles and ``/files/*``, from the states of their groups of chains."""
    by_name = {task.name: task for task in tasks}
    states = [
        [_measured(session.state(by_name[_prefix(i) + group.name])) for group in ensemble.groups]
        for i, ensemble in enumerate(ensembles)
    ]
    for ensemble, of_groups in zip(ensembles, states):
        _check_schedules(ensemble, of_groups)
    return joined(states), record_table(list(map(record_of, ensembles, states)))


def _measured(state: State) -> State:
    """The part of a task's state that its samples have made; the spins of all chains would fill
    the memory."""
    return {name: array for name, array in state.items() if name not in OF_CHAINS}


def _check_schedules(ensemble: Ensemble, states: list[State]) -> None:
    if len({tuple(state["schedule"]) for state in states}) > 1:
        raise DataError(
            f"{ensemble.name}: the pilots of the shards do not agree on thermalization and"
            " interval: give both"
        )


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(
    requests: Sequence[Mapping[str, Any]],
    rules: Sequence[str],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
) -> Iterator[SampledFlow]:
    """Check what is to be sampled, and the rules.

    Parameters
    ----------
    requests : sequence of mapping
        The arguments of `rsmi.stages.chains.parameters_of`, for each temperature.

    Raises
    ------
    UsageError
        For what cannot be sampled or blocked, or if a temperature is given twice.
    """
    ensembles = tuple(ensemble_of(sampling.parameters_of(**request)) for request in requests)
    _refuse_equal_temperatures(ensembles)
    _require_single_component(ensembles[0])
    with contextlib.ExitStack() as stack:
        shape = ensembles[0].simulation.shape
        chosen = choose_for_flow(stack, rules, block, hard, len(shape), bias, steps)
        coarse_shapes(shape, chosen.block, steps)
        yield SampledFlow(ensembles, chosen, seed)


def _refuse_equal_temperatures(ensembles: Sequence[Ensemble]) -> None:
    seen: set[str] = set()
    for ensemble in ensembles:
        if ensemble.name in seen:
            raise UsageError(f"{ensemble.name}: given twice")
        seen.add(ensemble.name)


def _require_single_component(ensemble: Ensemble) -> None:
    components = ensemble.simulation.attributes()["components"]
    if components != 1:
        raise UsageError(
            f"--model {ensemble.parameters['model']}: has {components} components per site;"
            " operators are of one"
        )
