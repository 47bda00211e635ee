"""The ensembles of ``rsmi flow --model``: one temperature each, which the run samples itself."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.engine.keys import origin_of_chains
from rsmi.engine.tasks import Rows, State
from rsmi.lattice.packed import count_states
from rsmi.lattice.state_order import squared
from rsmi.models.base import Model
from rsmi.models.chains import Group, groups
from rsmi.models.schedule import Schedule
from rsmi.models.simulation import Simulation, magnetizations
from rsmi.samples.attributes import stored_attributes
from rsmi.stages import chains as sampling
from rsmi.stages.flow.source import EnsembleRecord, autocorrelation_time, stream_identity
from rsmi.stages.flow.sums import Division, divide

SERIES = 1 << 17  # samples, the first ones, that tau_int is measured on


@dataclass(frozen=True)
class Ensemble:
    """One temperature: what is simulated and how its samples are divided into blocks."""

    parameters: dict[str, Any]
    simulation: Simulation
    division: Division

    @property
    def in_series(self) -> int:
        """The number of samples, the first ones, whose energies and magnetizations are kept."""
        samples, chains = self.parameters["samples"], self.parameters["chains"]
        return min(samples, max(1, SERIES // chains) * chains)

    @property
    def model(self) -> Model:
        """The model that is sampled."""
        return models.get(self.parameters["model"])

    @property
    def symmetry(self) -> str | None:
        """The group of relabellings of the states under which the model is symmetric."""
        return self.model.symmetry(stored_attributes(self.simulation.attributes()))

    @property
    def series_types(self) -> dict[str, str]:
        """The dtypes of the series that are kept, by name."""
        return {"energy": self.model.energy_type, "magnetization": "int64"}

    @property
    def origin(self) -> str:
        """The digest of the random streams, see `rsmi.engine.keys.origin`."""
        return origin_of_chains(self.parameters, self.simulation.algorithm)

    @functools.cached_property
    def groups(self) -> list[Group]:
        """The groups of chains; one task advances each of them."""
        return groups(
            self.parameters["chains"], self.simulation.chains_per_task, self.parameters["samples"]
        )

    @property
    def name(self) -> str:
        """The temperature, for messages."""
        coupling = self.parameters.get("coupling")
        if coupling is None:
            return "no temperature"
        return f"T = {1 / coupling:.6g}" if coupling else "K = 0"


def ensemble_of(parameters: Mapping[str, Any]) -> Ensemble:
    """The ensemble of checked parameters, see `rsmi.stages.chains.parameters_of`."""
    simulation = sampling.simulation_of(dict(parameters))
    division = divide(
        parameters["samples"],
        parameters["chains"],
        simulation.shape,
        simulation.shape,
        models.get(parameters["model"]).energy_type,
        states=simulation.states,
    )
    return Ensemble(dict(parameters), simulation, division)


class SampleSums(Protocol):
    """What adds up samples in the state of a task, such as `rsmi.stages.flow.sums.Accumulator`."""

    @property
    def stored_bytes(self) -> int:
        """About the bytes that the sums of all samples take in a file."""

    def begin(self) -> State:
        """The sums of no samples."""

    def add(
        self,
        state: State,
        spins: NDArray[np.uint8],
        energies: NDArray[Any],
        samples: NDArray[np.int64],
    ) -> None:
        """Add packed configurations (n, row_bytes) with their energies (n,) in J and numbers (n,)
        to the sums."""


@dataclass
class ChainTask:
    """The task of one group of chains, which are sampled and measured.

    A row is one sample, and empty: the sums so far are part of the state. So a run may stop at any
    sample, and what it keeps does not grow however long it is.
    """

    name: str
    ensemble: Ensemble
    schedule: Schedule
    group: Group
    accumulator: SampleSums
    thermalized: Callable[[], State]

    @property
    def total(self) -> int:
        """The number of samples of the group."""
        return self.group.rows(self.ensemble.parameters["samples"])

    def begin(self) -> tuple[int, State]:
        """Thermalized chains, the sums of no samples and empty series."""
        length = self.group.rows(self.ensemble.in_series)
        types = self.ensemble.series_types
        return 0, {
            **self.thermalized(),
            **self.accumulator.begin(),
            "schedule": np.array(astuple(self.schedule)),
            **{f"series-{name}": np.zeros(length, kind) for name, kind in types.items()},
        }

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Sample ``count`` configurations and add them to the sums."""
        simulation = self.ensemble.simulation
        rows = simulation.advance(state, self.schedule.updates, start, count)
        rows["magnetization"] = self._magnetizations(rows)
        self._keep_series(state, rows, start, count)
        samples = self.group.samples(start, start + count)
        self.accumulator.add(state, rows["spins"], rows["energy"], samples)
        return {}

    def _magnetizations(self, rows: Rows) -> NDArray[np.int64]:
        """The magnetization of every sample; of more than two states its modulus, rounded."""
        simulation = self.ensemble.simulation
        if simulation.states == 2:
            return magnetizations(rows, simulation.sites)
        counts = count_states(rows["spins"], simulation.states, (1, *simulation.shape))[:, 0]
        length = np.sqrt(squared(counts, self.ensemble.symmetry))
        return np.rint(length * simulation.sites).astype(np.int64)

    def _keep_series(self, state: State, rows: Rows, start: int, count: int) -> None:
        for name in self.ensemble.series_types:
            kept = state[f"series-{name}"][start : start + count]
            kept[:] = rows[name][: len(kept)]


def record_of(ensemble: Ensemble, states: list[State]) -> EnsembleRecord:
    """The record of an ensemble from the states of its groups of chains: that of a file of the
    same samples."""
    parameters, shape = ensemble.parameters, ensemble.simulation.shape
    coupling = parameters.get("coupling", math.nan)
    series = _series(ensemble, states)
    tau, tau_error = autocorrelation_time(
        [np.abs(series["magnetization"]), series["energy"]], parameters["chains"]
    )
    return EnsembleRecord(
        coupling=coupling,
        temperature=1 / coupling if coupling else math.nan,
        shape=shape,
        original_shape=shape,
        rg_step=0,
        streams=stream_identity(ensemble.origin, 0),
        has_energy=True,
        chains=parameters["chains"],
        whole_chains=ensemble.division.by_chains,
        tau_int=tau,
        tau_int_error=tau_error,
    )


def _series(ensemble: Ensemble, states: list[State]) -> Rows:
    """The series of the first samples, by name, in the order of the samples."""
    types = ensemble.series_types
    series = {name: np.zeros(ensemble.in_series, kind) for name, kind in types.items()}
    for group, state in zip(ensemble.groups, states):
        for name, values in series.items():
            kept = state[f"series-{name}"]
            values[group.samples(0, len(kept))] = kept
    return series
