"""What ``rsmi sample`` and ``rsmi flow`` share when they sample: the checked parameters, the
schedule, chains that forgot their start."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rsmi import models
from rsmi.engine.session import Session
from rsmi.engine.shards import Shard
from rsmi.engine.tasks import State
from rsmi.errors import UsageError
from rsmi.models.chains import Group, Thermalization
from rsmi.models.schedule import TAUS_BETWEEN_STORED, Schedule, pilot, schedule_from
from rsmi.models.simulation import Simulation

log = logging.getLogger("rsmi")


def parameters_of(
    *,
    model: str,
    algorithm: str,
    boundary: str,
    samples: int,
    chains: int | None,
    thermalization: int | None,
    interval: int | None,
    seed: int,
    **physics,
) -> dict:
    """Checked parameters of what is to be sampled; None stands for auto, or for an option that is
    not given.

    Raises
    ------
    UsageError
        For what cannot be sampled, or not by this algorithm.
    """
    sampled = models.get(model)
    if algorithm not in ("auto", *sampled.algorithms):
        raise UsageError(
            f"--algorithm {algorithm}: {model} is sampled by {', '.join(sampled.algorithms)}"
        )
    if boundary not in sampled.boundaries:
        raise UsageError(
            f"--boundary {boundary}: the lattice of --model {model} is"
            f" {' or '.join(sampled.boundaries)}"
        )
    request = {"algorithm": algorithm, "boundary": boundary, **physics}
    parameters = {
        **sampled.parameters(request),
        "samples": samples,
        "thermalization": "auto" if thermalization is None else thermalization,
        "interval": "auto" if interval is None else interval,
        "seed": seed,
    }
    return parameters | {"chains": sampled.default_chains(parameters) if chains is None else chains}


def simulation_of(parameters: dict) -> Simulation:
    """The simulation a request means, its algorithm resolved."""
    return models.get(parameters["model"]).simulation(parameters)


def more_streams(shard: Shard | None, parameters: dict, ensembles: int = 1) -> str:
    """How a user obtains as many streams as shards, for a message.

    Parameters
    ----------
    shard : Shard or None
        The shard of the run; without one there is nothing to say.
    parameters : dict
        Checked parameters, see `parameters_of`.
    ensembles : int, optional
        The number of ensembles that are sampled with such parameters.
    """
    if shard is None:
        return ""
    streams = -(-shard.count // ensembles)
    per_stream = simulation_of(parameters).chains_per_task
    per_stream = simulation_of(parameters | {"chains": streams * per_stream}).chains_per_task
    chains, least = streams * per_stream, (streams - 1) * per_stream + 1
    samples = f" and --samples {least} or more" if parameters["samples"] < least else ""
    return f"take --chains {chains}{samples} for {streams * ensembles} streams"


def needs_pilot(parameters: dict, simulation: Simulation) -> bool:
    """Whether something is left to auto that only a pilot run tells."""
    return (
        "auto" in (parameters["thermalization"], parameters["interval"]) or simulation.needs_pilot
    )


def schedule_of(
    session: Session,
    parameters: dict,
    simulation: Simulation,
    prefix: str = "",
    taus: float = TAUS_BETWEEN_STORED,
) -> Schedule:
    """The schedule, from a pilot run where it is left to auto: then ``taus`` autocorrelation times
    are an interval."""
    found = (
        session.once(f"{prefix}pilot-{simulation.algorithm}", lambda: pilot(simulation))
        if needs_pilot(parameters, simulation)
        else None
    )
    schedule = schedule_from(parameters, found, taus)
    if found:
        log.info(
            "%s: tau_int = %.1f sweeps; thermalization %d, interval %d sweeps",
            simulation.algorithm,
            found["tau"],
            schedule.thermalization,
            schedule.interval,
        )
    return schedule


def thermalized(
    session: Session, tasks: list[Thermalization]
) -> dict[tuple[str, Group], Callable[[], State]]:
    """What reads the states of chains that forgot their start, by the prefix and the group of their
    task."""
    sweeps = max((task.group.count * task.simulation.sites for task in tasks), default=0)
    session.run(list(tasks), "thermalizing", "sweep", sweeps)
    return {(task.prefix, task.group): session.state_reader(task) for task in tasks}
