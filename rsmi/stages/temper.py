"""``rsmi sample --temper``: one samples file for each temperature of a ladder.

One session makes all files. Its own output is the file of the lowest temperature, beside which the
unfinished work lies, and which is published last: if it is complete, so are the others. The file of
a temperature has the rows and the states of that temperature; so `rsmi.stages.merge` joins the
shards of each temperature by themselves, and a ladder is extended from the files of all its
temperatures.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsmi import models
from rsmi.engine.output import Output, check_output
from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import Piece, RowReader, StoredRows, store_stream
from rsmi.engine.tasks import Named, State
from rsmi.errors import Conflict, Failure, UsageError
from rsmi.models import ladder
from rsmi.models.chains import groups
from rsmi.models.ladder import Ladder, LadderChain
from rsmi.models.schedule import Schedule
from rsmi.samples import exchanges
from rsmi.samples.files import check_model, open_file
from rsmi.stages import merge, sample
from rsmi.stages.chains import more_streams, parameters_of, simulation_of
from rsmi.stages.cost import file_cost
from rsmi.stages.joined import Contents
from rsmi.store import File, Writer, link_target

log = logging.getLogger("rsmi")

PLACE = "{T}"  # in the name of the output, for the temperature
_FEWEST, _MOST = 2, 64  # temperatures


@dataclass(frozen=True)
class Rung:
    """One temperature of a ladder: its file, and what defines it."""

    number: int
    output: Path
    request: Request


# ---- the request ---------------------------------------------------------------------------------


def rungs_of(texts: str, output: Path, **options: Any) -> list[Rung]:
    """The files of ``--temper``, the lowest temperature first.

    Parameters
    ----------
    texts : str
        The temperatures with commas between.
    output : Path
        The name of the files, with `PLACE` for the temperature as it is written.
    **options
        See `rsmi.stages.chains.parameters_of`.

    Raises
    ------
    UsageError
        If there is no such ladder.
    """
    _check_model(options["model"])
    for name in ("temperature", "coupling"):
        if options.pop(name) is not None:
            raise UsageError(f"--{name}: --temper has all temperatures; leave --{name} out")
    temperatures = [text.strip() for text in texts.split(",")]
    if not _FEWEST <= len(temperatures) <= _MOST:
        raise UsageError(
            f"--temper {texts}: write {_FEWEST} to {_MOST} temperatures with commas between, such"
            " as 0.5,0.7,1"
        )
    if PLACE not in output.name:
        raise UsageError(
            f"-o {output}: --temper writes one file for each temperature: write {PLACE} for the"
            f" temperature in the name, such as ladder-{PLACE}.h5"
        )
    chosen = [_parameters(texts, text, options) for text in temperatures]
    couplings = [one["coupling"] for one in chosen]
    for before, after, text in zip(couplings, couplings[1:], temperatures[1:]):
        if after >= before:
            raise UsageError(
                f"--temper {texts}: {text} is not above the temperature before it; write them in"
                " increasing order, each once"
            )
    return [
        Rung(
            number,
            output.with_name(output.name.replace(PLACE, text)),
            Request("sample", "samples", {**one, "ladder": couplings}, grows="samples"),
        )
        for number, (text, one) in enumerate(zip(temperatures, chosen))
    ]


def _check_model(name: str) -> None:
    if not models.get(name).tempers:
        served = ", ".join(own for own in models.names() if models.get(own).tempers)
        raise UsageError(
            f"--temper: --model {name} is sampled at one temperature at a time; the models that"
            f" exchange configurations are {served}, and model files"
        )


def _parameters(texts: str, text: str, options: dict[str, Any]) -> dict[str, Any]:
    try:
        chosen = parameters_of(temperature=text, coupling=None, **options)
    except UsageError as error:
        raise UsageError(f"--temper {texts}: {error}") from error
    if "coupling" not in chosen:
        raise UsageError(f"--temper {texts}: the model has no temperature")
    return chosen


# ---- the files that are there --------------------------------------------------------------------


class _Files:
    """What is there already of the outputs of a ladder."""

    def __init__(
        self, rungs: Sequence[Rung], options: RunOptions, stack: contextlib.ExitStack
    ) -> None:
        self.rungs = rungs
        self.outputs = [Output(link_target(one.output), one.request, options) for one in rungs]
        if len({output.path.parent.resolve() for output in self.outputs}) > 1:
            raise Failure(f"{rungs[0].output}: all files of a ladder must lie in one folder")
        for output in self.outputs:
            stack.callback(output.close)
            check_output(output.path, ())
            output.inspect()
        self._check()

    @property
    def bases(self) -> list[File]:
        """The shorter files of all temperatures that are extended; none if there are none."""
        return [output.base for output in self.outputs if output.base is not None]

    @property
    def published(self) -> list[Output]:
        """The files that are complete although that of the lowest temperature is not."""
        return [output for output in self.outputs[1:] if output.complete]

    def _check(self) -> None:
        """Refuse files that are no ladder together."""
        first, *others = self.outputs
        if first.complete:
            missing = [other for other in others if not other.complete]
            cure = f"remove {first.path} to make all files of the ladder again"
        elif first.base is not None:
            missing = [other for other in others if not other.complete and not self._as_long(other)]
            cure = "a ladder is extended from the files of all its temperatures: put it back"
        else:
            return
        if missing:
            there = "is missing" if missing[0].base is None else "has fewer samples"
            raise Conflict(f"{missing[0].path}: {there}, and {first.path} is there: {cure}")

    def _as_long(self, other: Output) -> bool:
        first = self.outputs[0].base
        if first is None or other.base is None:
            return False
        return other.base.parameters["samples"] == first.parameters["samples"]


# ---- the run -------------------------------------------------------------------------------------


def run(rungs: Sequence[Rung], options: RunOptions) -> None:
    """Make the files of all temperatures, resume them, or extend them.

    Raises
    ------
    RsmiError
        See :class:`rsmi.engine.session.Session`.
    """
    with contextlib.ExitStack() as stack:
        files = _Files(rungs, options, stack)
        session = stack.enter_context(Session(rungs[0].output, rungs[0].request, options))
        if session.complete:
            for output in files.outputs[1:]:
                output.touch()
            return log.info("all %d files of the ladder are complete already", len(rungs))
        extended = session.base is not None
        for base in files.bases if extended else ():
            base.verify()
        simulation = ladder_of(session.request, session.base)
        schedule = sample.schedule_for(session, simulation)
        chains = _chains(session, simulation, schedule, files)
        if not all(map(session.finished, chains)):
            _check_unpublished(files, extended)
            session.run(
                chains,
                f"sampling {len(rungs)} temperatures",
                "sample",
                schedule.interval * simulation.sites * len(rungs),
            )
        for rung in [*rungs[1:], rungs[0]]:
            own = files.outputs[rung.number]
            if not own.complete:
                made = RungSession(session, rung, own.base if extended else None)
                _publish(made, simulation, schedule, chains)


def ladder_of(request: Request, base: File | None) -> Ladder:
    """The ladder of a request, as it was made if there is a file to extend."""
    simulation = simulation_of(request.parameters)
    if base is not None:
        check_model(base)
        simulation = simulation.from_file(base)
    if not isinstance(simulation, Ladder):
        raise TypeError(f"{type(simulation).__name__} is no ladder")
    return simulation


def _check_unpublished(files: _Files, extended: bool) -> None:
    """Refuse to extend a ladder of which some files are longer than others."""
    if extended and files.published:
        raise Conflict(
            f"{files.published[0].path}: has more samples than {files.outputs[0].path}, and the"
            " unfinished work is gone: remove all files of the ladder to make it again"
        )


def _chains(
    session: Session, simulation: Ladder, schedule: Schedule, files: _Files
) -> list[LadderChain]:
    """The tasks of the session's shard, or all of them."""
    parameters = session.request.parameters
    samples = parameters["samples"]
    present = 0 if session.base is None else session.base.parameters["samples"]
    selected = session.select(
        groups(parameters["chains"], simulation.chains_per_task, samples),
        more_streams(session.options.shard, parameters),
    )
    states = sample.fresh_states(session, simulation, schedule, selected, present)
    for group in selected:
        stored = functools.partial(ladder.stored_state, files.bases, simulation, group)
        states.setdefault(group, stored)
    return [
        LadderChain(
            simulation, schedule, group, group.rows(samples), group.rows(present), states[group]
        )
        for group in selected
    ]


# ---- one file ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _RungPiece:
    """The rows of one temperature in a part of the whole ladder."""

    whole: Piece
    number: int

    @property
    def start(self) -> int:
        return self.whole.start

    @property
    def stop(self) -> int:
        return self.whole.stop

    @property
    def arrays(self) -> list[str]:
        """The names that end with the number of the rung, without it."""
        suffix = ladder.row_name("", self.number)
        names = self.whole.arrays
        return [name.removesuffix(suffix) for name in names if name.endswith(suffix)]

    def rows(self, name: str, start: int, stop: int) -> Any:
        return self.whole.rows(ladder.row_name(name, self.number), start, stop)


@dataclass(frozen=True)
class RungSession:
    """What the session of a ladder has made at one temperature.

    Attributes
    ----------
    session : Session
    rung : Rung
    base : File, optional
        The shorter file of this temperature that is extended.
    """

    session: Session
    rung: Rung
    base: File | None

    @property
    def output(self) -> Path:
        """The file of the temperature."""
        return link_target(self.rung.output)

    @property
    def request(self) -> Request:
        """What defines the file."""
        return self.rung.request

    def rows(self, task: Named) -> RowReader:
        """The rows of a finished task, of a shard also those of the file that it extends."""
        pieces: list[Piece] = [
            _RungPiece(piece, self.rung.number) for piece in self.session.pieces(task)
        ]
        if self.base is not None and f"/rows/{task.name}" in self.base:
            pieces.insert(0, StoredRows(self.base, task.name))
        return RowReader(pieces)

    def state(self, task: Named) -> State:
        """The state of a finished task."""
        return ladder.rung_state(self.session.state(task), self.rung.number)

    def publish(self, kind: str, attributes: dict[str, Any], contents: Contents) -> None:
        """Publish the file."""
        fill, expected = contents
        if self.rung.number == 0:
            self.session.finish(kind, attributes, fill, expected)
        else:
            self.session.publish_beside(self.output, self.request, kind, attributes, fill, expected)


def _publish(
    session: RungSession, simulation: Ladder, schedule: Schedule, chains: Sequence[LadderChain]
) -> None:
    rung = simulation.rungs[session.rung.number]
    attributes = sample.attributes_of(session.request, rung, schedule)
    whole = session.session
    if whole.options.shard is None:
        of_chains = [chain.group for chain in chains]
        made = sample.contents(session, simulation, of_chains, session.base, attributes)
        return session.publish("samples", attributes, made)

    def fill(writer: Writer) -> None:
        for chain in chains:
            store_stream(writer, chain.name, session.rows(chain), session.state(chain), ())

    stored = 0 if session.base is None else session.base.path.stat().st_size
    expected = whole.stored_bytes // len(simulation.rungs) + stored
    session.publish("samples-shard", attributes | whole.shard_attributes, (fill, expected))


# ---- what a run would do, and what the files say -------------------------------------------------


def plan(rungs: Sequence[Rung]) -> dict[str, Any]:
    """What a run would do and cost. This runs the pilot, and writes nothing."""
    first = sample.plan(rungs[0].request)
    couplings = first.pop("ladder")
    others = (len(rungs) - 1) * file_cost(0.0, first["bytes"]).seconds
    del first["coupling"]
    return {
        **first,
        "temperatures": [1 / coupling for coupling in couplings],
        "cpu_seconds": round(first["cpu_seconds"] + others, 2),
        "bytes": first["bytes"] * len(rungs),
        "files": [str(rung.output) for rung in rungs],
    }


def summary(rungs: Sequence[Rung]) -> dict[str, Any]:
    """The averages of all files, or the contents of all shards, and how often configurations were
    exchanged."""
    numbers, found = [], None
    for rung in rungs:
        with open_file(rung.output) as file:
            shard = "shard" in file.attributes
            numbers.append(merge.summary(file) if shard else sample.summary(file))
            found = exchanges.of_file(file)
    return {**(found or {}), "files": numbers}
