"""``rsmi sample``: configurations of a lattice model from independent chains."""

from __future__ import annotations

import functools
import logging
import time
from pathlib import Path

import numpy as np

from rsmi import models
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.models.chains import Chain, Group, Thermalization, groups, stored_state
from rsmi.models.schedule import Schedule, pilot, schedule_from
from rsmi.models.simulation import Simulation
from rsmi.samples.attributes import stored_attributes
from rsmi.samples.files import check_model
from rsmi.stages.chains import (
    more_streams,
    needs_pilot,
    parameters_of,
    schedule_of,
    simulation_of,
    thermalized,
)
from rsmi.store import File

log = logging.getLogger("rsmi")

_ROWS_AT_ONCE = 1 << 25  # bytes assembled at a time


# ---- the request ---------------------------------------------------------------------------------


def request(*, chains: int | None, **rest) -> Request:
    """Check the parameters and name the file they define; None stands for auto, or for what a model
    has no use for."""
    parameters = parameters_of(chains=chains, **rest)
    return Request("sample", "samples", parameters, grows="samples")


# ---- the run -------------------------------------------------------------------------------------


def run(asked: Request, output: Path, options: RunOptions) -> None:
    """Make the samples file, resume it, or extend it.

    Raises
    ------
    RsmiError
        See :class:`rsmi.engine.session.Session`.
    """
    with Session(output, asked, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        simulation = simulation_of(session.request.parameters)
        if session.base is not None:
            check_model(session.base)
            simulation = simulation.from_file(session.base)
        schedule = _schedule(session, simulation)
        chains = _chains(session, simulation, schedule)
        session.run(
            chains,
            f"sampling {simulation.algorithm}",
            "sample",
            schedule.interval * simulation.sites,
        )
        _publish(session, simulation, schedule, chains)


def _schedule(session: Session, simulation: Simulation) -> Schedule:
    if session.base is not None:
        stored = session.base.attributes
        return Schedule(stored["thermalization"], stored["interval"], stored["clusters_per_sweep"])
    return schedule_of(session, session.request.parameters, simulation)


def _chains(session: Session, simulation: Simulation, schedule: Schedule) -> list[Chain]:
    samples, count = session.request.parameters["samples"], session.request.parameters["chains"]
    present = session.base.parameters["samples"] if session.base is not None else 0
    wanted = session.select(
        groups(count, simulation.chains_per_task, samples),
        more_streams(session.options.shard, session.request.parameters),
    )
    fresh = thermalized(
        session,
        [
            Thermalization(simulation, schedule, group)
            for group in wanted
            if not group.rows(present)
        ],
    )
    before = {
        group: (
            fresh.get(("", group))
            or functools.partial(stored_state, session.base, simulation, group)
        )
        for group in wanted
    }
    return [
        Chain(simulation, schedule, group, group.rows(samples), group.rows(present), before[group])
        for group in wanted
    ]


def _publish(
    session: Session, simulation: Simulation, schedule: Schedule, chains: list[Chain]
) -> None:
    attributes = {
        **stored_attributes(simulation.attributes()),
        "shape": simulation.shape,
        "original_shape": simulation.shape,
        "rg_step": 0,
        "scale_factor": 1.0,
        "chains": session.request.parameters["chains"],
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "clusters_per_sweep": schedule.clusters_per_sweep,
    }
    if session.options.shard is not None:
        session.publish_shard(attributes, chains)
    else:
        session.publish(
            attributes,
            *_contents(session, simulation, [chain.group for chain in chains], session.base),
        )


def join(session: Session, shard: File):
    """How to store the rows of all chains, which the shards of the session have; ``shard`` is one
    of them."""
    parameters, simulation = (
        session.request.parameters,
        simulation_of(session.request.parameters).from_file(shard),
    )
    return _contents(
        session,
        simulation,
        groups(parameters["chains"], simulation.chains_per_task, parameters["samples"]),
        None,
    )


def _contents(session: Session, simulation: Simulation, groups: list[Group], base: File | None):
    """How to store the rows of all groups, and the bytes it takes."""
    energy_type = models.get(session.request.parameters["model"]).energy_type
    samples, width = session.request.parameters["samples"], simulation.row_bytes

    def fill(writer):
        stored = {
            "spins": writer.dataset("/spins", (samples, width), "uint8"),
            "energy": writer.dataset("/energy", (samples,), energy_type),
        }
        _interleave(session, groups, stored, _copy_base(base, stored), samples)
        for group in groups:
            writer.state(group.name, session.state(group))

    state_bytes = sum(array.nbytes + 4096 for array in session.state(groups[0]).values())
    return fill, samples * (width + 8) + len(groups) * state_bytes


def _copy_base(base: File | None, stored: dict) -> int:
    if base is None:
        return 0
    present, step = base.shape("/spins")[0], max(1, _ROWS_AT_ONCE // base.shape("/spins")[1])
    for start in range(0, present, step):
        for name, dataset in stored.items():
            dataset[start : min(present, start + step)] = base.read(
                f"/{name}", start, min(present, start + step)
            )
    return present


def _interleave(
    session: Session, groups: list[Group], stored: dict, first: int, samples: int
) -> None:
    """Write samples ``first:samples``: sample i is step i // count of chain i mod count."""
    readers = [(group, session.rows(group)) for group in groups]
    step = max(1, _ROWS_AT_ONCE // stored["spins"].shape[1])
    for begin in range(first, samples, step):
        end = min(begin + step, samples)
        for name, dataset in stored.items():
            block = np.zeros((end - begin, *dataset.shape[1:]), dataset.dtype)
            for group, reader in readers:
                a, b = group.rows(begin), group.rows(end)
                if a < b:
                    block[group.samples(a, b) - begin] = reader.read(name, a, b)
            dataset[begin:end] = block


# ---- what it says --------------------------------------------------------------------------------


def plan(asked: Request) -> dict:
    """What a run would do and cost; runs the pilot, writes nothing."""
    parameters, simulation = asked.parameters, simulation_of(asked.parameters)
    schedule = schedule_from(
        parameters, pilot(simulation) if needs_pilot(parameters, simulation) else None
    )
    samples = parameters["samples"]
    at_once = simulation.chains_per_task if simulation.lockstep else 1
    wanted = groups(parameters["chains"], simulation.chains_per_task, samples)
    rows = sum(-(-group.rows(samples) // at_once) for group in wanted) * at_once
    sweeps = (
        sum(group.count for group in wanted) * schedule.thermalization + rows * schedule.interval
    )
    state = simulation.start("pilot")
    before, trial = time.process_time(), max(1, (1 << 25) // (simulation.sites * at_once))
    simulation.advance(state, trial * schedule.clusters_per_sweep, 0, 1)
    seconds = (time.process_time() - before) / (trial * at_once) * sweeps
    return {
        **parameters,
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "streams": len(wanted),
        "sweeps": sweeps,
        "cpu_seconds": round(seconds, 2),
        "bytes": samples * (simulation.row_bytes + 8),
    }


def summary(file: File) -> dict:
    """The averages of a samples file with errors: what the model measures, see
    `rsmi.models.base.Model.summary`."""
    numbers = models.of(file.attributes).summary(file)
    return {"file": str(file.path), "samples": file.shape("/spins")[0], **numbers}
