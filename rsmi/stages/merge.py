"""``rsmi merge``: the file that one process would have written, from the shards that several
wrote."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import RowReader, Shard, StoredRows, streams_of
from rsmi.engine.tasks import Named, State
from rsmi.errors import DataError, UsageError
from rsmi.samples.files import open_file
from rsmi.stages import sample
from rsmi.stages.flow import from_files as flow
from rsmi.stages.flow import in_flight as flow_sampled
from rsmi.store import File

log = logging.getLogger("rsmi")

_OF_STREAMS = ("/rows/", "/state/", "/provenance/")  # datasets that differ between shards


@dataclass(frozen=True)
class Whole(Request):
    """The request that all shards share; its inputs are the shards."""

    @property
    def input_digests(self) -> list[str]:
        return self.inputs[0].attributes["inputs"]

    def ancestors(self) -> list[dict]:
        return self.inputs[0].ancestors()


class Joined(Session):
    """A run whose streams are all done already: each has its rows and its state in one of the
    shards."""

    @functools.cached_property
    def _stored(self) -> dict[str, StoredRows]:
        return {
            name: StoredRows(shard, name)
            for shard in self.request.inputs
            for name in streams_of(shard)
        }

    @property
    def streams(self) -> list[StoredRows]:
        """All streams, by name."""
        return [self._stored[name] for name in sorted(self._stored)]

    def rows(self, task: Named) -> RowReader:
        return RowReader([self._stored[task.name]])

    def state(self, task: Named) -> State:
        return self._stored[task.name].file.state(task.name)


@contextlib.contextmanager
def prepare(paths: list[Path]):
    """Open the shards and check that they are those of one run, each once."""
    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(open_file(path)) for path in paths]
        for shard in shards:
            if "shard" not in shard.attributes:
                raise DataError(
                    f"{shard.path}: holds {shard.kind}, not a shard of it (--shard of 'rsmi sample'"
                    " and 'rsmi flow' makes one)"
                )
            _check_same_run(shard, shards[0])
        _check_all_there(shards)
        for shard in shards:
            shard.verify()
        first = shards[0].attributes
        grows = "samples" if "samples" in shards[0].parameters else None
        yield Whole(
            first["command"],
            shards[0].kind.removesuffix("-shard"),
            shards[0].parameters,
            tuple(shards),
            grows,
        )


def _check_same_run(shard: File, first: File) -> None:
    mine, others = _identity(shard), _identity(first)
    for name in {**mine, **others}:
        if mine.get(name) != others.get(name):
            raise DataError(
                f"{shard.path}: is of another run: {name} {mine.get(name)}, in {first.path}"
                f" {others.get(name)}"
            )
    for name in sorted(_shared(shard) | _shared(first)):
        if name not in shard or name not in first or not _equal(shard.read(name), first.read(name)):
            raise DataError(
                f"{shard.path}: is of another run: its {name} is not that of {first.path}"
            )


def _identity(shard: File) -> dict:
    """What shards of one run have in common, in the order of what explains a difference best."""
    own = {name: value for name, value in shard.own_attributes.items() if name != "shard"}
    common = {name: shard.attributes[name] for name in ("command", "inputs", "format_version")}
    return {
        "kind": shard.kind,
        **shard.parameters,
        **common,
        "number of shards": shard.attributes["shard"][1],
        **own,
    }


def _shared(shard: File) -> set[str]:
    """The datasets that are not made of streams: all shards have the same."""
    return {name for name in shard.datasets() if not name.startswith(_OF_STREAMS)}


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def _check_all_there(shards: list[File]) -> None:
    count, streams = shards[0].attributes["shard"][1], shards[0].attributes["streams"]
    given = Counter(shard.attributes["shard"][0] for shard in shards)
    missing = [str(Shard(number, count)) for number in range(count) if number not in given]
    twice = [str(Shard(number, count)) for number in given if given[number] > 1]
    if twice:
        raise UsageError(f"shard {', '.join(twice)} is given twice: give each once")
    if missing:
        raise UsageError(f"shard {', '.join(missing)} is missing: give all {count}")
    for shard in shards:
        expected = len(range(shard.attributes["shard"][0], streams, count))
        if len(streams_of(shard)) != expected:
            raise DataError(f"{shard.path}: holds {len(streams_of(shard))} streams, not {expected}")


def run(whole: Whole, output: Path, options: RunOptions) -> None:
    """Write the whole, unless it is there."""
    with Joined(output, whole, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        first = whole.inputs[0]
        stage = (
            sample
            if whole.kind == "samples"
            else flow_sampled
            if "sampled" in whole.parameters
            else flow
        )
        attributes = {
            name: value
            for name, value in first.own_attributes.items()
            if name not in ("shard", "streams")
        }
        shared = {name: first.read(name) for name in _shared(first)}
        try:
            session.publish(attributes, *stage.join(session, first), shared)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"{first.path}: this shard and the others contradict what they say of themselves"
                f" ({error})"
            ) from error


def summary(file: File) -> dict:
    """What a shard holds: its streams, and how many rows of each."""
    rows = {name: StoredRows(file, name).stop for name in streams_of(file)}
    return {
        "file": str(file.path),
        "shard": str(Shard(*file.attributes["shard"])),
        "streams": file.attributes["streams"],
        "rows": rows,
    }


def plan(whole: Whole) -> dict:
    """What a run would do."""
    return {
        "command": whole.command,
        **whole.parameters,
        "shards": len(whole.inputs),
        "streams": whole.inputs[0].attributes["streams"],
    }
