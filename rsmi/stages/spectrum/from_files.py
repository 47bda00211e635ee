"""``rsmi spectrum SAMPLES.h5...``: the scaling dimensions of samples that are read from files."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.samples.checks import require_full, require_periodic
from rsmi.samples.examination.stored import contradictions_of, warn
from rsmi.samples.views import SamplesFile, open_samples
from rsmi.stages.cost import Cost, file_cost, seconds_of
from rsmi.stages.flow.ensembles import SampleSums
from rsmi.stages.flow.from_files import record_of_file
from rsmi.stages.flow.source import record_table, refuse_equal_streams
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.spectrum.chosen import ChosenFunctions
from rsmi.stages.spectrum.correlation_sums import CorrelationAccumulator
from rsmi.stages.spectrum.functions import choose_functions
from rsmi.stages.spectrum.labels import label_rows
from rsmi.stages.spectrum.layouts import Layout, layout_of, layout_of_kind
from rsmi.stages.spectrum.request import (
    Choices,
    System,
    parameters_of,
    require_consistency,
    require_modes,
    require_samples,
    require_sectors,
    require_sizes,
)
from rsmi.stages.spectrum.sums import Accumulator, Grouping
from rsmi.store import File

_BYTES_AT_ONCE = 1 << 24  # of configurations read


@dataclass
class FileTask:
    """The task of one file. A row is one sample, and empty: the sums so far are the state."""

    name: str
    source: SamplesFile
    accumulator: SampleSums

    @property
    def total(self) -> int:
        """The number of samples."""
        return self.source.count

    def begin(self) -> tuple[int, State]:
        """The sums of no samples."""
        return 0, self.accumulator.begin()

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Add ``count`` samples to the sums."""
        step = max(1, _BYTES_AT_ONCE // self.source.row_bytes)
        for first in range(start, start + count, step):
            last = min(first + step, start + count)
            spins = self.source.spins(first, last)
            self.accumulator.add(state, spins, np.zeros(last - first), np.arange(first, last))
        return {}


@dataclass(frozen=True)
class StoredSpectrum:
    """The spectrum of stored samples: a checked request and everything needed to run it.

    The members are those of `rsmi.stages.spectrum.source.SpectrumSource`.
    """

    sources: tuple[SamplesFile, ...]
    choices: Choices
    functions: ChosenFunctions

    @property
    def request(self) -> Request:
        """The file that the command makes."""
        files = [source.file for source in self.sources]
        parameters = parameters_of(self.choices, self.functions.identity)
        kind = layout_of(self.choices).kind
        return Request("spectrum", kind, parameters, (*files, *self.functions.inputs))

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all files."""
        return self.sources[0].attributes

    @property
    def contradictions(self) -> Sequence[str]:
        """What the samples contradict that was let pass: sentences."""
        return contradictions_of(source.file for source in self.sources)

    def plan(self) -> dict[str, Any]:
        """What a run would do."""
        sizes: dict[str, int] = {}
        for source in self.sources:
            text = shape_text(source.shape)
            sizes[text] = sizes.get(text, 0) + source.count
        return {
            **self.request.parameters,
            "files": len(self.sources),
            "sizes": list(sizes),
            "samples": list(sizes.values()),
            **self._cost().plan,
        }

    def _cost(self) -> Cost:
        """What the sums of all files cost."""
        tasks = self._tasks
        data = sum(task.accumulator.stored_bytes for task in tasks)
        return file_cost(sum(map(seconds_of, tasks)), data)

    @property
    def _tasks(self) -> list[FileTask]:
        return [
            FileTask(f"file-{number:04d}", source, self._accumulator(source))
            for number, source in enumerate(self.sources)
        ]

    def measure(self, session: Session) -> list[FileTask]:
        """Run the tasks of the session's shard, or all of them, and return them."""
        for source in self.sources:
            warn(source.file)
        tasks = session.select(self._tasks, "give more files")
        session.run(tasks, "measuring", "sample")
        return tasks

    def _accumulator(self, source: SamplesFile) -> SampleSums:
        grouping = Grouping(source.count, source.chains)
        if self.choices.correlation:
            return CorrelationAccumulator(grouping, source.shape, source.components, self.functions)
        return Accumulator(grouping, source.shape, self.functions, self.choices.modes)

    def shared(self) -> Rows:
        """The datasets ``/files/*``, and the labels of functions."""
        return {**self._records, **label_rows(self.functions.labels)}

    @cached_property
    def _records(self) -> Rows:
        return record_table(
            [
                dataclasses.replace(
                    record_of_file(source),
                    whole_chains=Grouping(source.count, source.chains).whole_chains,
                )
                for source in self.sources
            ]
        )

    def collect(self, session: Session, tasks: Sequence[Named]) -> Contents:
        """What stores the sums of every file; no other dataset depends on them."""
        layout, shapes = layout_of(self.choices), [source.shape for source in self.sources]
        return _collect(session, tasks, layout, layout.attributes(self.functions), shapes)


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all files of the session; ``shard`` is one of its shards."""
    shapes = shard.read("/files/shape").tolist()
    layout = layout_of_kind(shard.kind)
    return _collect(session, session.streams, layout, shard.attributes, shapes)


def _collect(
    session: Session,
    tasks: Sequence[Named],
    layout: Layout,
    named: Mapping[str, Any],
    shapes: Sequence[Sequence[int]],
) -> Contents:
    sums = [
        layout.from_state(session.state(task), named, shape) for task, shape in zip(tasks, shapes)
    ]
    return layout.contents(sums, {})


# ---- the request ---------------------------------------------------------------------------------


@contextlib.contextmanager
def prepare(paths: list[Path], choices: Choices) -> Iterator[StoredSpectrum]:
    """Open the inputs and check that they fit one another.

    Raises
    ------
    UsageError, DataError
        If a file or a function cannot be used, or if they do not fit one another.
    """
    require_consistency(choices)
    with contextlib.ExitStack() as stack:
        sources = tuple(stack.enter_context(open_samples(path)) for path in paths)
        for source in sources:
            _check_source(source, sources[0])
        shapes = tuple(source.shape for source in sources)
        require_sizes(shapes, choices)
        refuse_equal_streams(sources)
        system = System(sources[0].model, sources[0].attributes, shapes)
        require_sectors(system, choices)
        require_modes(system, choices)
        yield StoredSpectrum(sources, choices, choose_functions(stack, choices, system))


def _check_source(source: SamplesFile, first: SamplesFile) -> None:
    require_periodic(source, "functions are averaged over")
    require_full(source, "functions are averaged over")
    require_samples(str(source.path), source.count)
    for name, ours, theirs in (
        ("dimension", source.dimension, first.dimension),
        ("number of states", source.states, first.states),
        ("number of components", source.components, first.components),
        ("model", source.model_name, first.model_name),
        ("model parameters", source.model_parameters, first.model_parameters),
        ("rg_step", source.rg_step, first.rg_step),
        ("scale_factor", source.scale_factor, first.scale_factor),
        ("K", _rounded(source.coupling), _rounded(first.coupling)),
    ):
        if ours != theirs:
            raise UsageError(
                f"{source.path}: {name} {ours}, {first.path} has {theirs}: sizes of one system at"
                " one temperature are compared"
            )


def _rounded(coupling: float | None) -> float | None:
    """A coupling to ten digits: 1/T and K may be rounded differently."""
    return None if coupling is None else float(f"{coupling:.10g}")
