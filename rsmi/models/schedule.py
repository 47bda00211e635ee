"""How often a simulation stores a sample, and the pilot run, which measures how often that is."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsmi.engine.tasks import State
from rsmi.models.simulation import Simulation
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time

log = logging.getLogger("rsmi")

_CONSTANT_DOUBLINGS = 6  # of a pilot run in which nothing changes
TAUS_BETWEEN_STORED = 2.0  # autocorrelation times from one stored sample to the next


@dataclass(frozen=True)
class Schedule:
    """How many sweeps a chain makes.

    Attributes
    ----------
    thermalization : int
        Sweeps before the first interval, which forget the start.
    interval : int
        Sweeps before each sample.
    clusters_per_sweep : int
        Updates that count as one sweep: clusters or worms; 1 for other algorithms.
    """

    thermalization: int
    interval: int
    clusters_per_sweep: int

    @property
    def thermalization_updates(self) -> int:
        """Updates of a chain before its first interval."""
        return self.thermalization * self.clusters_per_sweep

    @property
    def updates(self) -> int:
        """Updates of a chain before each of its samples."""
        return self.interval * self.clusters_per_sweep


def pilot(simulation: Simulation) -> State:
    """Measure autocorrelation times by a run on a stream of its own.

    The run is doubled until all its chains together are 2000 times as long as the autocorrelation
    time, and each of them 20 times. Series that never change say nothing about their time; then
    the run is doubled up to `_CONSTANT_DOUBLINGS` times, and a warning follows.

    Returns
    -------
    dict of ndarray
        ``tau``: the largest integrated time of the simulation's series, in sweeps, or nan if none
        of them ever changed;
        ``clusters_per_sweep``; ``sweeps``: the length of the run.
    """
    clusters = simulation.clusters_per_sweep()
    state = simulation.start("pilot")
    sweeps, longest = simulation.pilot_sweeps
    longest_constant = min(longest, sweeps << _CONSTANT_DOUBLINGS)
    simulation.advance(state, sweeps * clusters, 0, 1)
    while True:
        measured = [np.atleast_2d(series) for series in simulation.series(state, sweeps, clusters)]
        chains, rows = measured[0].shape
        tau = _longest_time(measured) * (sweeps / rows)
        if sweeps >= max(20, 2000 / chains) * tau:
            break
        if 2 * sweeps > (longest_constant if math.isnan(tau) else longest):
            break
        sweeps *= 2
    if math.isnan(tau):
        log.warning(
            "nothing that is measured ever changed in a pilot of %d sweeps: its autocorrelation"
            " time is unknown, and the samples may all be alike; check the temperature and the"
            " algorithm, or give --thermalization and --interval",
            sweeps,
        )
    if sweeps < 20 * tau:
        log.warning(
            "the pilot of %d sweeps is short against tau_int = %.0f: give --thermalization and"
            " --interval, or take a cluster algorithm",
            sweeps,
            tau,
        )
    return {
        "tau": np.array(tau, dtype=np.float64),
        "clusters_per_sweep": np.array(clusters, dtype=np.int64),
        "sweeps": np.array(sweeps, dtype=np.int64),
    }


def _longest_time(measured: list[np.ndarray]) -> float:
    """The longest integrated time of several series in rows; nan if all of them are constant."""
    times = [integrated_autocorrelation_time(series) for series in measured]
    if all(math.isnan(error) for _, error in times):
        return math.nan
    return max(tau for tau, _ in times)


def schedule_from(
    parameters: Mapping[str, Any], measured: State | None, taus: float = TAUS_BETWEEN_STORED
) -> Schedule:
    """Return the schedule of a request.

    Parameters
    ----------
    parameters : mapping
        ``thermalization`` and ``interval`` in sweeps; either may be ``auto``.
    measured : dict of ndarray, optional
        The result of `pilot`; needed for what is ``auto``.
    taus : float
        An automatic interval in autocorrelation times. Two of them leave an autocorrelation time
        of at most 0.66 intervals; an automatic thermalization has twenty.
    """
    thermalization, interval = parameters["thermalization"], parameters["interval"]
    tau = float(measured["tau"]) if measured else 0.0
    tau = 0.5 if math.isnan(tau) else tau  # the pilot has warned
    return Schedule(
        thermalization=(
            max(100, math.ceil(20 * tau)) if thermalization == "auto" else thermalization
        ),
        interval=max(1, math.ceil(taus * tau)) if interval == "auto" else interval,
        clusters_per_sweep=int(measured["clusters_per_sweep"]) if measured else 1,
    )
