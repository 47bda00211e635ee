"""``rsmi merge``: the file that one process would have written, from the shards that several
wrote."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from rsmi.engine.request import RunOptions
from rsmi.engine.shards import Shard, StoredRows, streams_of
from rsmi.errors import DataError, UsageError
from rsmi.samples.files import open_file
from rsmi.samples.subject import subject
from rsmi.stages import sample
from rsmi.stages.cost import file_cost
from rsmi.stages.flow import run as flow
from rsmi.stages.joined import Contents, JoinedSession, WholeRequest
from rsmi.stages.spectrum import run as spectrum
from rsmi.stages.spectrum.labels import stored_rows
from rsmi.store import File

log = logging.getLogger("rsmi")

_OF_STREAMS = ("/rows/", "/state/", "/provenance/")  # datasets that differ between shards


# What stores the rows of all streams, by the kind of the result.
_JOINS: dict[str, Callable[[JoinedSession, File], Contents]] = {
    "samples": sample.join,
    "flow": flow.join,
    "spectrum": spectrum.join,
    "correlation": spectrum.join,
}


@contextlib.contextmanager
def prepare(paths: list[Path]) -> Iterator[WholeRequest]:
    """Open the shards and check that they are those of one run, each once."""
    with contextlib.ExitStack() as stack:
        shards = [stack.enter_context(open_file(path)) for path in paths]
        for shard in shards:
            if "shard" not in shard.attributes:
                raise DataError(
                    f"{shard.path}: holds {shard.kind}, not a shard of it (--shard of 'rsmi"
                    " sample', 'rsmi flow' and 'rsmi spectrum' makes one)"
                )
            _check_same_run(shard, shards[0])
        _check_all_there(shards)
        for shard in shards:
            shard.verify()
        first = shards[0].attributes
        grows = "samples" if "samples" in shards[0].parameters else None
        yield WholeRequest(
            first["command"],
            shards[0].kind.removesuffix("-shard"),
            shards[0].parameters,
            tuple(shards),
            grows,
            tuple(shards),
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


def run(whole: WholeRequest, output: Path, options: RunOptions) -> None:
    """Write the whole result, unless it is there."""
    with JoinedSession(output, whole, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        first = whole.shards[0]
        shared = {name: first.read(name) for name in _shared(first)} | stored_rows(first)
        try:
            contents = _JOINS[whole.kind](session, first)
            session.publish(_attributes(first), *contents, shared)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"{first.path}: this shard and the others contradict what they say of themselves"
                f" ({error})"
            ) from error


def _attributes(shard: File) -> dict:
    """The attributes of the whole result: those of every shard."""
    own = shard.own_attributes.items()
    return {name: value for name, value in own if name not in ("shard", "streams")}


def summary(file: File) -> dict:
    """What a shard holds: its system, its streams, and how many rows of each."""
    rows = {name: StoredRows(file, name).stop for name in streams_of(file)}
    return {
        "file": str(file.path),
        **subject(file),
        "shard": str(Shard(*file.attributes["shard"])),
        "streams": file.attributes["streams"],
        "rows": rows,
    }


def plan(whole: WholeRequest) -> dict:
    """What a run would do."""
    return {
        "command": whole.command,
        **whole.parameters,
        "shards": len(whole.shards),
        "streams": whole.shards[0].attributes["streams"],
        **file_cost(0.0, sum(shard.path.stat().st_size for shard in whole.shards)).plan,
    }
