"""What ``rsmi sample`` and ``rsmi flow`` share when they sample: the checked parameters, the
schedule, chains that forgot their start."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rsmi.engine.session import Session
from rsmi.engine.tasks import State
from rsmi.errors import UsageError
from rsmi.models.dimers import simulation as dimers
from rsmi.models.dimers.simulation import DimerSimulation
from rsmi.models.ising import simulation as ising
from rsmi.models.ising.simulation import IsingSimulation
from rsmi.models.simulation import (
    TAUS_BETWEEN_STORED,
    Group,
    Schedule,
    Simulation,
    Thermalization,
    pilot,
    schedule_from,
)

log = logging.getLogger("rsmi")

MODELS = {"ising": ising, "dimers": dimers}
_SIMULATIONS = {"ising": IsingSimulation, "dimers": DimerSimulation}


def parameters_of(
    *,
    model: str,
    algorithm: str,
    samples: int,
    chains: int | None,
    thermalization: int | None,
    interval: int | None,
    seed: int,
    **physics,
) -> dict:
    """Checked parameters of what is to be sampled; None stands for auto, or for what a model has no
    use for.

    Raises
    ------
    UsageError
        For what cannot be sampled, or not by this algorithm.
    """
    found = MODELS[model]
    if algorithm not in ("auto", *found.ALGORITHMS):
        raise UsageError(
            f"--algorithm {algorithm}: {model} is sampled by {', '.join(found.ALGORITHMS)}"
        )
    parameters = {
        **found.parameters(algorithm=algorithm, **physics),
        "samples": samples,
        "thermalization": "auto" if thermalization is None else thermalization,
        "interval": "auto" if interval is None else interval,
        "seed": seed,
    }
    return parameters | {"chains": found.default_chains(parameters) if chains is None else chains}


def simulation_of(parameters: dict) -> Simulation:
    """The simulation a request means, its algorithm resolved."""
    return _SIMULATIONS[parameters["model"]].of(parameters)


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
