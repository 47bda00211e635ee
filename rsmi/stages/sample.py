"""``rsmi sample``: configurations of a lattice model from independent chains."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rsmi import models
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import RowReader
from rsmi.engine.tasks import Named, State
from rsmi.models.chains import Chain, Group, Thermalization, groups, stored_state
from rsmi.models.schedule import Schedule
from rsmi.models.simulation import Simulation
from rsmi.samples import exchanges
from rsmi.samples.attributes import stored_attributes
from rsmi.samples.examination.stored import of_file, report, write
from rsmi.samples.files import check_model
from rsmi.samples.subject import subject
from rsmi.samples.views import SamplesFile
from rsmi.stages.chains import (
    more_streams,
    parameters_of,
    planned_schedule,
    schedule_of,
    simulation_of,
    thermalized,
)
from rsmi.stages.cost import Cost, file_cost, samples_bytes, timed
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.store import File, Writer

log = logging.getLogger("rsmi")

_BYTES_AT_ONCE = 1 << 25  # of configurations copied or interleaved
_STATE = 700  # bytes of a dataset beside its data
_TRIAL_UPDATES = 1 << 25  # site updates by which a plan measures the speed


# ---- the request ---------------------------------------------------------------------------------


def request(**options: Any) -> Request:
    """The file that the options define, see `rsmi.stages.chains.parameters_of`."""
    return Request("sample", "samples", parameters_of(**options), grows="samples")


# ---- the run -------------------------------------------------------------------------------------


def run(request: Request, output: Path, options: RunOptions) -> None:
    """Make the samples file, resume it, or extend it.

    Raises
    ------
    RsmiError
        See :class:`rsmi.engine.session.Session`.
    """
    with Session(output, request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        simulation = simulation_of(session.request.parameters)
        if session.base is not None:
            check_model(session.base)
            simulation = simulation.from_file(session.base)
        schedule = schedule_for(session, simulation)
        chains = _chains(session, simulation, schedule)
        session.run(
            chains,
            f"sampling {simulation.algorithm}",
            "sample",
            schedule.interval * simulation.sites,
        )
        _publish(session, simulation, schedule, chains)


def schedule_for(session: Session, simulation: Simulation) -> Schedule:
    """The schedule: that of the file to extend, if there is one."""
    if session.base is not None:
        stored = session.base.attributes
        return Schedule(stored["thermalization"], stored["interval"], stored["clusters_per_sweep"])
    return schedule_of(session, session.request.parameters, simulation)


def _chains(session: Session, simulation: Simulation, schedule: Schedule) -> list[Chain]:
    """The tasks of the session's shard, or all of them."""
    samples = session.request.parameters["samples"]
    present = 0 if session.base is None else session.base.parameters["samples"]
    selected = session.select(
        _groups(session, simulation),
        more_streams(session.options.shard, session.request.parameters),
    )
    states = fresh_states(session, simulation, schedule, selected, present)
    if session.base is not None:
        for group in selected:
            stored = functools.partial(stored_state, session.base, simulation, group)
            states.setdefault(group, stored)
    return [
        Chain(simulation, schedule, group, group.rows(samples), group.rows(present), states[group])
        for group in selected
    ]


def _groups(session: Session, simulation: Simulation) -> list[Group]:
    parameters = session.request.parameters
    return groups(parameters["chains"], simulation.chains_per_task, parameters["samples"])


def fresh_states(
    session: Session,
    simulation: Simulation,
    schedule: Schedule,
    selected: Sequence[Group],
    present: int,
) -> dict[Group, Callable[[], State]]:
    """Thermalize the groups that none of the first ``present`` samples belong to.

    Returns
    -------
    dict
        What reads the states of these groups before their first row.
    """
    new = [group for group in selected if not group.rows(present)]
    fresh = thermalized(session, [Thermalization(simulation, schedule, group) for group in new])
    return {group: fresh["", group] for group in new}


# ---- the file ------------------------------------------------------------------------------------


def _publish(
    session: Session, simulation: Simulation, schedule: Schedule, chains: Sequence[Chain]
) -> None:
    attributes = attributes_of(session.request, simulation, schedule)
    if session.options.shard is not None:
        session.publish_shard(attributes, chains)
    else:
        of_chains = [chain.group for chain in chains]
        made = contents(session, simulation, of_chains, session.base, attributes)
        session.publish(attributes, *made)


def attributes_of(request: Request, simulation: Simulation, schedule: Schedule) -> dict[str, Any]:
    """The attributes of a samples file."""
    return {
        **stored_attributes(simulation.attributes()),
        "shape": simulation.shape,
        "original_shape": simulation.shape,
        "rg_step": 0,
        "scale_factor": 1.0,
        "chains": request.parameters["chains"],
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "clusters_per_sweep": schedule.clusters_per_sweep,
    }


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the rows of all streams of the session; ``shard`` is one of its shards."""
    simulation = simulation_of(session.request.parameters).from_file(shard)
    of_chains = _groups(session, simulation)
    return contents(session, simulation, of_chains, None, shard.attributes)


class Streams(Protocol):
    """What a session has made of one samples file."""

    @property
    def output(self) -> Path: ...

    @property
    def request(self) -> Request: ...

    def rows(self, task: Named) -> RowReader: ...

    def state(self, task: Named) -> State: ...


def contents(
    session: Streams,
    simulation: Simulation,
    groups: Sequence[Group],
    base: File | None,
    attributes: Mapping[str, Any],
) -> Contents:
    """What stores the samples of ``base`` and the rows of all groups, and about how many bytes
    they take."""
    parameters = session.request.parameters
    energy_type = models.get(parameters["model"]).energy_type
    samples, width = parameters["samples"], simulation.row_bytes

    def fill(writer: Writer) -> None:
        stored = {
            "spins": writer.dataset("/spins", (samples, width), "uint8"),
            "energy": writer.dataset("/energy", (samples,), energy_type),
        }
        present = 0 if base is None else _copy(SamplesFile(base), stored)
        _interleave(session, groups, stored, present, samples)
        for group in groups:
            writer.state(group.name, session.state(group))
        if "ladder" in parameters:
            exchanges.write(writer, parameters["ladder"], [session.state(g) for g in groups])
        report(session.output, write(writer, attributes))

    state_bytes = sum(array.nbytes + 4096 for array in session.state(groups[0]).values())
    return fill, samples * (width + 8) + len(groups) * state_bytes


def _copy(base: SamplesFile, stored: dict[str, Any]) -> int:
    """Copy the samples of the file to extend; return how many there are."""
    step = max(1, _BYTES_AT_ONCE // base.row_bytes)
    for start in range(0, base.count, step):
        stop = min(base.count, start + step)
        stored["spins"][start:stop] = base.spins(start, stop)
        stored["energy"][start:stop] = base.energies(start, stop)
    return base.count


def _interleave(
    session: Streams, groups: Sequence[Group], stored: dict[str, Any], first: int, samples: int
) -> None:
    """Write samples ``first:samples``: sample i is step i // count of chain i mod count."""
    readers = [(group, session.rows(group)) for group in groups]
    step = max(1, _BYTES_AT_ONCE // stored["spins"].shape[1])
    for begin in range(first, samples, step):
        end = min(begin + step, samples)
        for name, dataset in stored.items():
            block = np.zeros((end - begin, *dataset.shape[1:]), dataset.dtype)
            for group, reader in readers:
                start, stop = group.rows(begin), group.rows(end)
                if start < stop:
                    block[group.samples(start, stop) - begin] = reader.read(name, start, stop)
            dataset[begin:end] = block


# ---- what a run would do, and what the file says -------------------------------------------------


def plan(request: Request) -> dict[str, Any]:
    """What a run would do and cost. This runs the pilot, and writes nothing."""
    parameters, simulation = request.parameters, simulation_of(request.parameters)
    schedule, of_pilot = timed(lambda: planned_schedule(parameters, simulation))
    samples = parameters["samples"]
    tasks = groups(parameters["chains"], simulation.chains_per_task, samples)
    sweeps = _sweeps(simulation, schedule, tasks, samples)
    return {
        **parameters,
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "streams": len(tasks),
        "sweeps": sweeps,
        **(Cost(of_pilot, 0) + cost(parameters, simulation, schedule, tasks)).plan,
    }


def cost(
    parameters: Mapping[str, Any],
    simulation: Simulation,
    schedule: Schedule,
    of_chains: Sequence[Group],
) -> Cost:
    """What a run with this schedule costs, without its pilot."""
    samples = parameters["samples"]
    sweeps = _sweeps(simulation, schedule, of_chains, samples)
    state = sum(array.nbytes + _STATE for array in simulation.start(*of_chains[0].numbers).values())
    data = samples_bytes(samples, simulation.row_bytes) + len(of_chains) * state
    return file_cost(_seconds_per_sweep(simulation, schedule) * sweeps, data)


def _sweeps(
    simulation: Simulation, schedule: Schedule, tasks: Sequence[Group], samples: int
) -> int:
    """The number of sweeps of all chains."""
    at_once = _chains_at_once(simulation)
    rows = sum(-(-group.rows(samples) // at_once) for group in tasks) * at_once
    chains = sum(group.count for group in tasks)
    return chains * schedule.thermalization + rows * schedule.interval


def _seconds_per_sweep(simulation: Simulation, schedule: Schedule) -> float:
    """The time of one sweep of one chain, measured."""
    at_once, state = _chains_at_once(simulation), simulation.start("pilot")
    sweeps = max(1, _TRIAL_UPDATES // (simulation.sites * at_once))
    before = time.process_time()
    simulation.advance(state, sweeps * schedule.clusters_per_sweep, 0, 1)
    return (time.process_time() - before) / (sweeps * at_once)


def _chains_at_once(simulation: Simulation) -> int:
    """The number of chains that advance together."""
    return simulation.chains_per_task if simulation.lockstep else 1


def summary(file: File) -> dict[str, Any]:
    """The averages of a samples file with errors, see `rsmi.models.base.Model.summary`."""
    samples = SamplesFile(file)
    numbers = samples.model.summary(file)
    return {
        "file": str(samples.path),
        **subject(file),
        "samples": samples.count,
        **numbers,
        **(exchanges.of_file(file) or {}),
        "examination": of_file(file).as_json(),
    }
