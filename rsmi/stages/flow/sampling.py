"""How the chains of one or several ensembles are sampled and measured in flight: the tasks that
``rsmi flow --model`` and ``rsmi spectrum --model`` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, State
from rsmi.errors import DataError
from rsmi.models.chains import Group, Thermalization
from rsmi.models.schedule import Schedule
from rsmi.stages import chains as sampling
from rsmi.stages.cost import Cost, file_cost, seconds_of_alike
from rsmi.stages.flow.ensembles import ChainTask, Ensemble, SampleSums
from rsmi.stages.flow.sums import OF_CHAINS

# Makes what adds up the samples of a group of chains of the ensemble with a number.
MakeSums = Callable[[int, Group], SampleSums]


def planned_schedules(ensembles: Sequence[Ensemble], taus: Sequence[float]) -> list[Schedule]:
    """The schedules that a run would have; runs the pilots.

    Parameters
    ----------
    ensembles : sequence of Ensemble
    taus : sequence of float
        The automatic interval of each ensemble in autocorrelation times.
    """
    return [
        sampling.planned_schedule(one.parameters, one.simulation, interval)
        for one, interval in zip(ensembles, taus)
    ]


def cost(ensembles: Sequence[Ensemble], schedules: Sequence[Schedule], make_sums: MakeSums) -> Cost:
    """What sampling and measuring costs, without the pilots. Chains are measured at their start."""
    return sum(
        (
            _cost(i, one, schedule, make_sums)
            for i, (one, schedule) in enumerate(zip(ensembles, schedules))
        ),
        file_cost(0.0, 0),
    )


def _cost(number: int, ensemble: Ensemble, schedule: Schedule, make_sums: MakeSums) -> Cost:
    simulation, groups = ensemble.simulation, ensemble.groups
    heating = [Thermalization(simulation, schedule, group) for group in groups]
    sums = [make_sums(number, group) for group in groups]
    tasks = [
        ChainTask(
            group.name, ensemble, schedule, group, own, lambda: simulation.start(*groups[0].numbers)
        )
        for group, own in zip(groups, sums)
    ]
    seconds = seconds_of_alike(heating) + seconds_of_alike(tasks, groups[0].count)
    return Cost(seconds, sums[0].stored_bytes)


def measure(
    session: Session, ensembles: Sequence[Ensemble], taus: Sequence[float], make_sums: MakeSums
) -> list[ChainTask]:
    """Run the pilots, thermalize, then run the tasks of the session's shard, one for every group of
    chains, and return them."""
    schedules = [
        sampling.schedule_of(session, one.parameters, one.simulation, prefix(number), interval)
        for number, (one, interval) in enumerate(zip(ensembles, taus))
    ]
    tasks = _tasks(session, ensembles, schedules, make_sums)
    cost = max(
        schedule.interval * ensemble.simulation.sites
        for schedule, ensemble in zip(schedules, ensembles)
    )
    session.run(tasks, "sampling and measuring", "sample", cost)
    return tasks


def _tasks(
    session: Session,
    ensembles: Sequence[Ensemble],
    schedules: Sequence[Schedule],
    make_sums: MakeSums,
) -> list[ChainTask]:
    selected = session.select(
        [(i, group) for i, ensemble in enumerate(ensembles) for group in ensemble.groups],
        sampling.more_streams(session.options.shard, ensembles[0].parameters, len(ensembles)),
    )
    thermalizations = [
        Thermalization(ensembles[i].simulation, schedules[i], group, prefix(i))
        for i, group in selected
    ]
    states = sampling.thermalized(session, thermalizations)
    return [
        ChainTask(
            prefix(i) + group.name,
            ensembles[i],
            schedules[i],
            group,
            make_sums(i, group),
            states[prefix(i), group],
        )
        for i, group in selected
    ]


def prefix(number: int) -> str:
    """How the names of the tasks of an ensemble begin."""
    return f"ensemble-{number:04d}-"


def states_of(
    session: Session, ensembles: Sequence[Ensemble], tasks: Sequence[Named]
) -> list[list[State]]:
    """The states of the groups of chains of every ensemble, without the chains themselves, which
    would fill the memory.

    Raises
    ------
    DataError
        If the schedules of an ensemble differ between shards.
    """
    by_name = {task.name: task for task in tasks}
    states = [
        [_measured(session.state(by_name[prefix(i) + group.name])) for group in ensemble.groups]
        for i, ensemble in enumerate(ensembles)
    ]
    for ensemble, of_groups in zip(ensembles, states):
        _check_schedules(ensemble, of_groups)
    return states


def _measured(state: State) -> State:
    return {name: array for name, array in state.items() if name not in OF_CHAINS}


def _check_schedules(ensemble: Ensemble, states: list[State]) -> None:
    if len({tuple(state["schedule"]) for state in states}) > 1:
        raise DataError(
            f"{ensemble.name}: the pilots of the shards do not agree on thermalization and"
            " interval: give both"
        )
