"""What ``rsmi sample`` and ``rsmi flow --model`` share: checked parameters, the schedule, and
thermalized chains."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
    **physics: Any,
) -> dict[str, Any]:
    """The checked parameters of what is to be sampled.

    Parameters
    ----------
    model, algorithm, boundary, samples, chains, thermalization, interval, seed
        The options of the command; None stands for auto.
    **physics
        ``shape``, ``temperature``, ``coupling`` and the options of the model; None stands for an
        option that is not given.

    Raises
    ------
    UsageError
        If the model cannot be sampled so.
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


def simulation_of(parameters: Mapping[str, Any]) -> Simulation:
    """The simulation of checked parameters, with its algorithm chosen."""
    return models.get(parameters["model"]).simulation(parameters)


def more_streams(shard: Shard | None, parameters: Mapping[str, Any], ensembles: int = 1) -> str:
    """How a user obtains as many streams as shards, for a message.

    Parameters
    ----------
    shard : Shard or None
        The shard of the run; without one there is nothing to say.
    parameters : mapping
        Checked parameters, see `parameters_of`.
    ensembles : int, optional
        The number of ensembles that are sampled with such parameters.
    """
    if shard is None:
        return ""
    streams = -(-shard.count // ensembles)
    per_stream = simulation_of(parameters).chains_per_task
    more_chains = {**parameters, "chains": streams * per_stream}
    per_stream = simulation_of(more_chains).chains_per_task
    chains, least = streams * per_stream, (streams - 1) * per_stream + 1
    samples = f" and --samples {least} or more" if parameters["samples"] < least else ""
    return f"take --chains {chains}{samples} for {streams * ensembles} streams"


# ---- the schedule --------------------------------------------------------------------------------


def needs_pilot(parameters: Mapping[str, Any], simulation: Simulation) -> bool:
    """Whether the schedule depends on a pilot run."""
    automatic = "auto" in (parameters["thermalization"], parameters["interval"])
    return automatic or simulation.needs_pilot


def schedule_of(
    session: Session,
    parameters: Mapping[str, Any],
    simulation: Simulation,
    prefix: str = "",
    taus: float = TAUS_BETWEEN_STORED,
) -> Schedule:
    """The schedule of a run.

    Parameters
    ----------
    session : Session
        Keeps the result of the pilot run.
    parameters : mapping
    simulation : Simulation
    prefix : str
        How the name of the pilot run begins.
    taus : float
        The automatic interval in autocorrelation times.
    """
    if not needs_pilot(parameters, simulation):
        return schedule_from(parameters, None, taus)
    times = session.once(f"{prefix}pilot-{simulation.algorithm}", lambda: pilot(simulation))
    schedule = schedule_from(parameters, times, taus)
    log.info(
        "%s: tau_int = %s sweeps; thermalization %d, interval %d sweeps",
        simulation.algorithm,
        "unknown" if math.isnan(times["tau"]) else f"{times['tau']:.1f}",
        schedule.thermalization,
        schedule.interval,
    )
    return schedule


def planned_schedule(
    parameters: Mapping[str, Any], simulation: Simulation, taus: float = TAUS_BETWEEN_STORED
) -> Schedule:
    """The schedule that a run would have; the parameters are those of `schedule_of`."""
    times = pilot(simulation) if needs_pilot(parameters, simulation) else None
    return schedule_from(parameters, times, taus)


# ---- thermalization ------------------------------------------------------------------------------


def thermalized(
    session: Session, tasks: Sequence[Thermalization]
) -> dict[tuple[str, Group], Callable[[], State]]:
    """Thermalize chains.

    Returns
    -------
    dict
        Functions that read the states of the chains, by the prefix and the group of their task.
    """
    updates = max((task.group.count * task.simulation.sites for task in tasks), default=0)
    session.run(tasks, "thermalizing", "sweep", updates)
    return {(task.prefix, task.group): session.state_reader(task) for task in tasks}
