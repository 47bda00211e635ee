"""``rsmi flow SAMPLES.h5...``: the flow of samples that are read from files."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.symbols import DIHEDRAL, PERMUTATIONS
from rsmi.models.order import squared_of
from rsmi.models.spins import magnetizations
from rsmi.renormalization.categorical_rules import CategoricalRule
from rsmi.renormalization.state_blocking import AnyRule
from rsmi.renormalization.state_operators import require_known
from rsmi.samples.checks import require_full, require_periodic
from rsmi.samples.examination.stored import contradictions_of, of_file, warn
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.cost import Cost, file_cost, seconds_of_alike
from rsmi.stages.flow.source import (
    EnsembleRecord,
    autocorrelation_time,
    record_table,
    refuse_equal_streams,
    stream_identity,
)
from rsmi.stages.flow.storage import contents
from rsmi.stages.flow.sums import Accumulator, Division, Sums, divide, joined
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.rule_option import blocking_keys, coarse_shapes
from rsmi.stages.rule_sequence import RuleSequence, choose_rules
from rsmi.store import File

_TASKS = 8  # tasks of one file, at most
_BYTES_AT_ONCE = 1 << 24  # of configurations read


@dataclass
class FileTask:
    """The task of successive samples of one file.

    A row is one sample, and empty: the sums so far are the state, so that what is kept does not
    grow.
    """

    name: str
    source: SamplesFile
    accumulator: Accumulator
    first: int
    last: int

    @property
    def total(self) -> int:
        """The number of samples."""
        return self.last - self.first

    def begin(self) -> tuple[int, State]:
        """The sums of no samples."""
        return 0, self.accumulator.begin()

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Add ``count`` samples to the sums."""
        step = max(1, _BYTES_AT_ONCE // self.source.row_bytes)
        end = self.first + start + count
        for first in range(self.first + start, end, step):
            self._add(state, first, min(first + step, end))
        return {}

    def _add(self, state: State, first: int, last: int) -> None:
        energies = (
            self.source.energies(first, last)
            if self.source.has_energy
            else np.zeros(last - first, np.int64)
        )
        spins = self.source.spins(first, last)
        self.accumulator.add(state, spins, energies, np.arange(first, last))


@dataclass(frozen=True)
class StoredFlow:
    """The flow of stored samples: a checked request and everything needed to run it.

    The members are those of `rsmi.stages.flow.source.FlowSource`.
    """

    sources: tuple[SamplesFile, ...]
    chosen: RuleSequence
    seed: int

    @property
    def request(self) -> Request:
        """The file that the flow makes."""
        parameters = {**self.chosen.identity, "steps": self.chosen.steps, "seed": self.seed}
        files = [source.file for source in self.sources]
        return Request("flow", "flow", parameters, (*files, *self.chosen.inputs))

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""
        return self.sources[0].dimension

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all files."""
        return self.sources[0].attributes

    @property
    def contradictions(self) -> Sequence[str]:
        """What the samples contradict that was let pass: sentences."""
        return contradictions_of(source.file for source in self.sources)

    @property
    def doubts(self) -> Sequence[str]:
        """A clause for every file whose samples have faults."""
        examined = [(source.path, of_file(source.file).faults) for source in self.sources]
        return [
            f"the examination of {path} warns of its samples ({', '.join(faults)})"
            for path, faults in examined
            if faults
        ]

    @property
    def names(self) -> list[str]:
        """The paths of the files."""
        return [str(source.path) for source in self.sources]

    def plan(self) -> dict:
        """What a run would do."""
        return {
            **self.request.parameters,
            "files": len(self.sources),
            "samples": sum(source.count for source in self.sources),
            "blocks": sum(division_of(source.file).blocks for source in self.sources),
            **self._cost().plan,
        }

    def _cost(self) -> Cost:
        """What the sums of all files cost."""
        tasks = [self._tasks_of(number) for number in range(len(self.sources))]
        data = sum(of_file[0].accumulator.stored_bytes for of_file in tasks)
        return file_cost(sum(map(seconds_of_alike, tasks)), data)

    def measure(self, session: Session) -> list[FileTask]:
        """Run the tasks of the session's shard, or all of them, and return them."""
        for source in self.sources:
            warn(source.file)
        tasks = session.select(
            [task for number in range(len(self.sources)) for task in self._tasks_of(number)]
        )
        session.run(tasks, "measuring", "sample")
        return tasks

    def shared(self) -> Rows:
        """The datasets ``/files/*``."""
        return record_table([record_of_file(source) for source in self.sources])

    def collect(self, session: Session, tasks: Sequence[Named]) -> tuple[Sums, Rows]:
        """The sums of all files; no other dataset depends on them."""
        return _collect(session, tasks), {}

    def _tasks_of(self, number: int) -> list[FileTask]:
        source = self.sources[number]
        division = division_of(source.file)
        keys = blocking_keys(self.seed, source.origin, source.rg_step, self.chosen.steps)
        tasks = []
        for part, (first, last) in enumerate(itertools.pairwise(_cuts(division))):
            blocks = division.spanned(np.arange(first, last))
            accumulator = Accumulator(division, source.shape, self.chosen.rules, keys, *blocks)
            name = f"file-{number:04d}-stretch-{part}"
            tasks.append(FileTask(name, source, accumulator, first, last))
        return tasks


def _cuts(division: Division) -> list[int]:
    """The samples at which the tasks of a file begin, and the number of samples."""
    count = min(_TASKS, division.blocks)
    return [division.samples * i // count for i in range(count + 1)]


def record_of_file(source: SamplesFile) -> EnsembleRecord:
    """The record of the samples of one file."""
    tau, tau_error = _autocorrelation_time(source)
    return EnsembleRecord(
        coupling=math.nan if source.coupling is None else source.coupling,
        temperature=math.nan if source.temperature is None else source.temperature,
        shape=source.shape,
        original_shape=source.original_shape,
        rg_step=source.rg_step,
        streams=stream_identity(source.origin, source.rg_step),
        has_energy=source.has_energy,
        chains=source.chains,
        whole_chains=division_of(source.file).by_chains,
        tau_int=tau,
        tau_int_error=tau_error,
    )


def _autocorrelation_time(source: SamplesFile) -> tuple[float, float]:
    series = [_size_of_order(source)]
    if source.has_energy:
        series.append(source.energies())
    return autocorrelation_time(series, source.chains)


def _size_of_order(source: SamplesFile) -> np.ndarray:
    """The modulus of the magnetization of every sample, in units of one's own."""
    if source.states == 2:
        return np.abs(magnetizations(source.file))
    return np.sqrt(squared_of(source.file, source.model.symmetry(source.attributes)))


def division_of(file: File) -> Division:
    """How the samples of a file are divided into blocks."""
    source = SamplesFile(file)
    return divide(
        source.count,
        source.chains,
        source.shape,
        source.original_shape,
        source.energy_type,
        source.components,
        source.states,
    )


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(
    paths: list[Path],
    rules: Sequence[str],
    block: str | None,
    hard: bool,
    bias: str | None,
    steps: int,
    seed: int,
) -> Iterator[StoredFlow]:
    """Open the inputs and check that they fit one another and the steps.

    Raises
    ------
    UsageError, DataError
        If a file or the rule cannot be used, or if they do not fit one another.
    """
    with contextlib.ExitStack() as stack:
        sources = tuple(stack.enter_context(open_samples(path)) for path in paths)
        for source in sources:
            require_periodic(source, "operators are summed over")
            require_full(source, "operators are of")
        first = sources[0]
        chosen = choose_for_flow(
            stack,
            rules,
            block,
            hard,
            first.dimension,
            bias,
            steps,
            first.components,
            first.states,
            first.model.component_flips,
        )
        for source in sources:
            require_alike(str(source.path), source.states, source.model.symmetry(source.attributes))
            _check_shape(source, first, chosen)
        _refuse_other_models(sources)
        refuse_equal_streams(sources)
        yield StoredFlow(sources, chosen, seed)


def choose_for_flow(
    stack: contextlib.ExitStack,
    rules: Sequence[str],
    block: str | None,
    hard: bool,
    dimension: int,
    bias: str | None,
    steps: int,
    components: int = 1,
    states: int = 2,
    separate: bool = False,
) -> RuleSequence:
    """The rules of a flow, by `rsmi.stages.rule_sequence.choose_rules`.

    Raises
    ------
    UsageError
        If the operators of so many components are not known, if the number of components would
        change along the flow, or if a rule makes even variables of spins.
    """
    _require_operators(dimension, components, states)
    chosen = choose_rules(
        stack, rules, block, hard, dimension, bias, steps, components, states, separate
    )
    for text, rule in zip(rules, chosen.rules):
        _require_components_kept(text, rule)
        _require_spins(text, rule)
    return chosen


def _require_components_kept(text: str, rule: AnyRule) -> None:
    if rule.n_hidden != rule.components:
        raise UsageError(
            f"--rule {text}: has {rule.n_hidden} hidden units; a flow needs a rule with one for"
            " each component of the samples, so that all levels have the same operators:"
            " coarse-grain once, and take the flow of the result"
        )


def _require_spins(text: str, rule: AnyRule) -> None:
    if isinstance(rule, CategoricalRule) and rule.obstacle():
        raise UsageError(
            f"--rule {text}: a flow needs coarse variables like those of the samples, but"
            f" {rule.obstacle()}"
        )
    if not rule.keeps_variables:
        raise UsageError(
            f"--rule {text}: its coarse spins do not change their sign with the spins of the block,"
            " and the operators of a flow are sorted by that sign: take a rule of --sector odd, or"
            " apply this one by 'rsmi coarse-grain'"
        )


def _require_operators(dimension: int, components: int, states: int) -> None:
    try:
        require_known(dimension, components, states)
    except ValueError as error:
        raise UsageError(str(error)) from error


def require_alike(name: str, states: int, symmetry: str | None) -> None:
    """Raise UsageError unless all states are alike, or there are only two; ``name`` begins the
    sentence."""
    alike = symmetry == PERMUTATIONS or (states == 3 and symmetry == DIHEDRAL)
    if states > 2 and not alike:
        raise UsageError(
            f"{name}: the operators of a flow treat all {states} states alike, which is not known"
            " to be a symmetry here; of imported samples --symmetric permutations says that it is"
        )


def _check_shape(source: SamplesFile, first: SamplesFile, chosen: RuleSequence) -> None:
    if source.dimension != first.dimension:
        raise UsageError(
            f"{source.path}: a lattice of dimension {source.dimension}, but {first.path} has"
            f" dimension {first.dimension}: one flow has one dimension"
        )
    if source.components != first.components:
        raise UsageError(
            f"{source.path}: has {source.components} components per site, but {first.path} has"
            f" {first.components}: one flow has the same components"
        )
    if source.states != first.states:
        raise UsageError(
            f"{source.path}: its variables have {source.states} states, those of {first.path}"
            f" {first.states}: one flow is of one kind of variables"
        )
    coarse_shapes(source.shape, chosen.block, chosen.steps)


def _refuse_other_models(sources: Sequence[SamplesFile]) -> None:
    first = sources[0]
    for source in sources[1:]:
        for name, ours, theirs in (
            ("model", source.model_name, first.model_name),
            ("model parameters", source.model_parameters, first.model_parameters),
        ):
            if ours != theirs:
                raise UsageError(
                    f"{source.path}: {name} {ours}, but {first.path} has {theirs}: one flow is of"
                    " one model"
                )


# ---- sums ----------------------------------------------------------------------------------------


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    sums = _collect(session, session.streams)
    return contents(sums, {}, shard.shape("/files/shape")[1])


def _collect(session: Session, tasks: Sequence[Named]) -> Sums:
    """The sums of all files; the tasks of a file follow one another."""
    by_file = itertools.groupby(tasks, key=lambda task: task.name.split("-stretch-")[0])
    return joined([[session.state(task) for task in of_file] for _, of_file in by_file])
