"""``rsmi flow --model``: the flow of configurations that are sampled, measured and forgotten."""

from __future__ import annotations

import contextlib
from dataclasses import astuple, dataclass, field

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.renormalization import couplings, operators
from rsmi.renormalization.rules import Rule
from rsmi.stages import sampling
from rsmi.stages.flow import SUMS, Origin, Sums, autocorrelation_time, block_edges, choose_single, group_labels, stored, stream_identity, table
from rsmi.stages.rules import ChosenRule, blocking_keys, coarse_shapes
from rsmi.stages.runner import Named, Request, Rows, Session, State
from rsmi.stages.simulation import Group, Schedule, Simulation, Thermalization, groups, pilot, schedule_from
from rsmi.stages.streams import origin_of_chains
from rsmi.store import File

TAUS_BETWEEN_MEASURED = 0.6  # tau_int from one measured sample to the next, where it is left to auto: y_t remembers less than |m| and E
NEIGHBOURHOODS_EVERY = 16  # steps of the chains: local energies cost as much as everything else together
SERIES = 1 << 17  # samples, the first ones, that tau_int is known from


@dataclass(frozen=True)
class Ensemble:
    """One temperature: what is simulated and how its samples are divided into blocks."""

    parameters: dict
    simulation: Simulation
    edges: np.ndarray  # samples edges[i] : edges[i + 1] are block i

    @property
    def in_series(self) -> int:
        """Samples, the first ones, whose energies and magnetizations are kept."""
        samples, chains = self.parameters["samples"], self.parameters["chains"]
        return min(samples, max(1, SERIES // chains) * chains)

    @property
    def origin(self) -> str:
        return origin_of_chains(self.parameters, self.simulation.algorithm)

    @property
    def groups(self) -> list[Group]:
        """The groups of chains that one task advances each."""
        return groups(self.parameters["chains"], self.simulation.together, self.parameters["samples"])

    @property
    def name(self) -> str:
        return f"T = {1 / self.parameters['coupling']:.6g}"


@dataclass
class Measurement:
    """The task of one group of chains: a row is one of their samples, and empty; the sums so far are part of the state, so that a run
    may stop at any sample, and however long it is, what it keeps does not grow."""

    name: str
    ensemble: Ensemble
    schedule: Schedule
    group: Group
    rule: Rule
    keys: np.ndarray
    thermalized: State = field(repr=False)

    @property
    def total(self) -> int:
        return self.group.rows(self.ensemble.parameters["samples"])

    @property
    def steps(self) -> int:
        return len(self.keys)

    def begin(self):
        dimension, blocks = len(self.ensemble.simulation.shape), len(self.ensemble.edges) - 1
        n_groups, series = int(group_labels(blocks)[-1]) + 1, self.group.rows(self.ensemble.in_series)
        sums = {f"sums-{name}": array for name, array in operators.empty_sums(blocks, self.steps, dimension).items()}
        histograms = {
            "neighbourhoods": np.zeros((self.steps + 1, n_groups, couplings.number_of_bins(dimension)), np.int64),
            "neighbourhoods-samples": np.zeros(n_groups, np.int64),
        }
        histograms["schedule"] = np.array(astuple(self.schedule))
        return 0, {**self.thermalized, **sums, **histograms, **{f"series-{name}": np.zeros(series, np.int64) for name in ("energy", "magnetization")}}

    def advance(self, state: State, start: int, count: int) -> Rows:
        rows = self.ensemble.simulation.advance(state, self.schedule.interval, start, count, self.schedule.clusters_per_sweep)
        for name in ("energy", "magnetization"):
            kept = state[f"series-{name}"][start : start + count]
            kept[:] = rows[name][: len(kept)]
        self.measure(state, rows["spins"], rows["energy"], self.group.samples(start, start + count))
        return {}

    def measure(self, state: State, spins: np.ndarray, energies: np.ndarray, samples: np.ndarray) -> None:
        """Add packed configurations (n, row_bytes), energies (n,) and numbers (n,) of samples to the sums, of some steps with the local energies."""
        observed = samples // self.group.chains % NEIGHBOURHOODS_EVERY == 0
        cuts = [0, *np.flatnonzero(np.diff(observed)) + 1, len(samples)]
        for part in map(slice, cuts[:-1], cuts[1:]):
            self._add(state, spins[part], energies[part], samples[part], observed[part.start])

    def _add(self, state: State, spins: np.ndarray, energies: np.ndarray, samples: np.ndarray, observe: bool) -> None:
        edges, shape = self.ensemble.edges, self.ensemble.simulation.shape
        block = np.searchsorted(edges, samples, side="right") - 1
        first, last = int(block.min()), int(block.max()) + 1
        labels = group_labels(len(edges) - 1)

        def count_neighbourhoods(level, rows, shape, blocks):
            couplings.add_histograms(rows, shape, labels[blocks + first], state["neighbourhoods"][level])

        found = operators.measure_levels(
            spins, shape, self.rule, self.steps, self.keys, energies, samples.astype(np.uint64), block - first, last - first, count_neighbourhoods if observe else None
        )
        for name, array in found.items():
            state[f"sums-{name}"][first:last] += array
        if observe:
            np.add.at(state["neighbourhoods-samples"], labels[block], 1)


@dataclass(frozen=True)
class SampledFlow:
    """A checked request and everything needed to run it: the samples are made on the way. Used like `rsmi.stages.flow.Flow`."""

    ensembles: tuple[Ensemble, ...]
    chosen: ChosenRule
    steps: int
    seed: int

    @property
    def request(self) -> Request:
        sampled = [ensemble.parameters for ensemble in self.ensembles]
        return Request("flow", "flow", {"rule": self.chosen.identity, "steps": self.steps, "seed": self.seed, "sampled": sampled}, self.chosen.inputs)

    @property
    def dimension(self) -> int:
        return len(self.ensembles[0].simulation.shape)

    @property
    def names(self) -> list[str]:
        return [ensemble.name for ensemble in self.ensembles]

    def plan(self) -> dict:
        """What a run would do; runs the pilots."""
        schedules = []
        for ensemble in self.ensembles:
            found = pilot(ensemble.simulation) if sampling.needs_pilot(ensemble.parameters, ensemble.simulation) else None
            schedules.append(schedule_from(ensemble.parameters, found, TAUS_BETWEEN_MEASURED))
        return {
            **self.request.parameters,
            "algorithms": [ensemble.simulation.algorithm for ensemble in self.ensembles],
            "thermalization": [schedule.thermalization for schedule in schedules],
            "interval": [schedule.interval for schedule in schedules],
            "samples": sum(ensemble.parameters["samples"] for ensemble in self.ensembles),
            "blocks": sum(len(ensemble.edges) - 1 for ensemble in self.ensembles),
        }

    def measure(self, session: Session) -> list[Measurement]:
        """Pilots, thermalization, then this session's share of the tasks, one for every group of chains."""
        schedules = [sampling.schedule_of(session, e.parameters, e.simulation, _prefix(i), TAUS_BETWEEN_MEASURED) for i, e in enumerate(self.ensembles)]
        tasks = self._tasks(session, schedules)
        cost = max(schedule.interval * ensemble.simulation.sites for schedule, ensemble in zip(schedules, self.ensembles))
        session.run(tasks, "sampling and measuring", "sample", cost)
        return tasks

    def _tasks(self, session: Session, schedules: list[Schedule]) -> list[Measurement]:
        wanted = session.share([(i, group) for i, ensemble in enumerate(self.ensembles) for group in ensemble.groups])
        fresh = [Thermalization(self.ensembles[i].simulation, schedules[i], group, _prefix(i)) for i, group in wanted]
        states = sampling.thermalized(session, fresh)
        keys = [blocking_keys(self.seed, ensemble.origin, 0, self.steps) for ensemble in self.ensembles]
        return [
            Measurement(_prefix(i) + group.name, self.ensembles[i], schedules[i], group, self.chosen.rule, keys[i], states[_prefix(i), group])
            for i, group in wanted
        ]

    def shared(self) -> Rows:
        """The datasets that no task makes: none."""
        return {}

    def gathered(self, session: Session, tasks: list[Measurement]) -> tuple[Sums, Rows]:
        """What the tasks found, and /files/*, which is made of it too."""
        return gathered(session, self.ensembles, {task.name: task for task in tasks})


def join(session: Session, shard: File):
    """How to store the sums of all streams, which the shards of the session have; ``shard`` is one of them."""
    ensembles = tuple(map(_ensemble_of, shard.parameters["sampled"]))
    return stored(*gathered(session, ensembles, {stream.name: stream for stream in session.streams}), len(ensembles[0].simulation.shape))


def gathered(session: Session, ensembles: tuple[Ensemble, ...], tasks: dict[str, Named]) -> tuple[Sums, Rows]:
    """The sums of all ensembles and /files/*, from the states of the tasks of their groups of chains."""
    found = [[session.state(tasks[_prefix(i) + group.name]) for group in ensemble.groups] for i, ensemble in enumerate(ensembles)]
    for ensemble, states in zip(ensembles, found):
        if len({tuple(state["schedule"]) for state in states}) > 1:
            raise DataError(f"{ensemble.name}: the pilots of the shards do not agree on thermalization and interval: give both")
    sums = {name: np.concatenate([sum(state[f"sums-{name}"] for state in states) for states in found]) for name in SUMS}
    files = np.repeat(np.arange(len(ensembles)), [len(ensemble.edges) - 1 for ensemble in ensembles])
    histograms, samples = [], []
    for states in found:
        counted = sum(state["neighbourhoods-samples"] for state in states)
        histograms.append(sum(state["neighbourhoods"] for state in states).swapaxes(0, 1)[counted > 0])
        samples.append(counted[counted > 0])
    return Sums(sums, files, histograms, samples), table(list(map(_origin, ensembles, found)))


def _prefix(number: int) -> str:
    return f"ensemble-{number:04d}-"


def _origin(ensemble: Ensemble, states: list[State]) -> Origin:
    """What the file says of samples that it never saw: the same as of a file of them."""
    simulation, parameters = ensemble.simulation, ensemble.parameters
    series = {name: np.zeros(ensemble.in_series, np.int64) for name in ("magnetization", "energy")}
    for group, state in zip(ensemble.groups, states):
        for name, values in series.items():
            values[group.samples(0, len(state[f"series-{name}"]))] = state[f"series-{name}"]
    tau = autocorrelation_time([np.abs(series["magnetization"]), series["energy"]], parameters["chains"])
    coupling = parameters["coupling"]
    return Origin(coupling, 1 / coupling, simulation.shape, simulation.shape, 0, stream_identity(ensemble.origin, 0), True, parameters["chains"], *tau)


@contextlib.contextmanager
def prepare(asked: list[dict], rule: str, block: str | None, hard: bool, bias: str | None, steps: int, seed: int):
    """Check what is to be sampled, one entry of ``asked`` for each temperature (`rsmi.stages.sampling.parameters_of`), and the rule.

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
    with contextlib.ExitStack() as stack:
        shape = ensembles[0].simulation.shape
        chosen = choose_single(stack, rule, block, hard, len(shape), bias)
        coarse_shapes(shape, chosen.rule, steps)
        yield SampledFlow(ensembles, chosen, steps, seed)


def _ensemble(asked: dict) -> Ensemble:
    return _ensemble_of(sampling.parameters_of(**asked))


def _ensemble_of(parameters: dict) -> Ensemble:
    simulation = sampling.simulation_of(parameters)
    edges = block_edges(parameters["samples"], parameters["chains"], simulation.shape, simulation.shape, f"--size {shape_text(simulation.shape)}")
    return Ensemble(parameters, simulation, np.array(edges))
