"""The request of a run, and the options that influence no result."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from rsmi.engine.remote import Workers
from rsmi.engine.shards import Shard
from rsmi.engine.stop import Stop
from rsmi.store import File


@dataclass
class RunOptions:
    """How to run, as opposed to what: none of it influences a result, of which a shard is a
    part."""

    force: bool = False
    shard: Shard | None = None
    threads: int = field(
        default_factory=lambda: (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    )
    quiet: bool = False
    stop: Stop = field(default_factory=Stop)
    workers: Callable[[], AbstractContextManager[Workers]] | None = (
        None  # processes that drive the tasks, instead of threads of this one
    )


@dataclass(frozen=True)
class Request:
    """What is asked: the file to make, the parameters that define it, the inputs it is made
    from."""

    command: str
    kind: str
    parameters: dict
    inputs: tuple[File, ...] = ()
    grows: str | None = None  # the one parameter that may be raised later
    formerly: dict = field(
        default_factory=dict
    )  # parameters that earlier versions took for the same command: work begun so goes on so

    @property
    def input_digests(self) -> list[str]:
        return [file.digest for file in self.inputs]

    def ancestors(self) -> list[dict]:
        """The inputs and all they come from, oldest first: command, parameters, digest."""
        chain: dict[str, dict] = {}
        for file in self.inputs:
            for ancestor in [
                *file.ancestors(),
                {
                    "command": file.attributes["command"],
                    "parameters": file.parameters,
                    "digest": file.digest,
                },
            ]:
                chain.setdefault(ancestor["digest"], ancestor)
        return list(chain.values())
