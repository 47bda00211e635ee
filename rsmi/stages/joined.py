"""What joins shards: the request that they share, and a session whose streams are finished."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.shards import RowReader, StoredRows, streams_of
from rsmi.engine.tasks import Named, State
from rsmi.store import File, Writer

# What stores the datasets of a result that are made of its streams, and about how many bytes they
# take.
Contents = tuple[Callable[[Writer], None], int]


@dataclass(frozen=True)
class WholeRequest(Request):
    """The request that all shards share; its inputs are the shards."""

    shards: tuple[File, ...] = ()

    @property
    def input_digests(self) -> list[str]:
        """The digests of the inputs of the run that made the shards."""
        return self.shards[0].attributes["inputs"]

    def ancestors(self) -> list[dict]:
        """The ancestors of the shards; the shards themselves are none."""
        return self.shards[0].ancestors()


class JoinedSession(Session):
    """A run whose streams are finished: the shards hold their rows and states."""

    def __init__(self, output: Path, whole: WholeRequest, options: RunOptions):
        super().__init__(output, whole, options)
        self._shards = whole.shards

    def __enter__(self) -> JoinedSession:
        super().__enter__()
        return self

    @functools.cached_property
    def _stored(self) -> dict[str, StoredRows]:
        return {
            name: StoredRows(shard, name) for shard in self._shards for name in streams_of(shard)
        }

    @property
    def streams(self) -> list[StoredRows]:
        """All streams, sorted by name."""
        return [self._stored[name] for name in sorted(self._stored)]

    def rows(self, task: Named) -> RowReader:
        """The rows of one stream."""
        return RowReader([self._stored[task.name]])

    def state(self, task: Named) -> State:
        """The state of one stream."""
        return self._stored[task.name].file.state(task.name)
