"""The request of a run: what shall be made; and the options, which influence no result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from rsmi.engine.lineage import Input, ancestors
from rsmi.engine.remote import Workers
from rsmi.engine.shards import Shard
from rsmi.engine.stop import Stop


def available_cores() -> int:
    """The number of processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_SHOWN = 2  # differences between requests that a message names


@dataclass
class RunOptions:
    """How a command runs. Except for ``shard``, no option influences the result.

    Attributes
    ----------
    force : bool
        Replace an output that was made with other parameters.
    shard : Shard, optional
        The part of the result that this run makes; the whole result by default.
    threads : int
        The number of threads that drive tasks; one per available core by default.
    quiet : bool
        Show no progress bar.
    stop : Stop
        The signals and time limits that stop the run.
    workers : callable, optional
        Starts the processes that drive the tasks; threads of this process drive them by default.
    arguments : tuple of str
        The words of the command line, which unfinished work shows to people.
    """

    force: bool = False
    shard: Shard | None = None
    threads: int = field(default_factory=available_cores)
    quiet: bool = False
    stop: Stop = field(default_factory=Stop)
    workers: Callable[[], AbstractContextManager[Workers]] | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """The file to make, the parameters that define it, and the inputs that it is made from.

    Attributes
    ----------
    command : str
        The name of the command.
    kind : str
        The kind of the output, a key of `rsmi.store.schema.KINDS`.
    parameters : dict
        JSON values. Equal parameters and equal inputs give an equal file.
    inputs : tuple of Input
        The files that the command reads.
    grows : str, optional
        The name of the one parameter that a later run may raise to extend the file.
    """

    command: str
    kind: str
    parameters: dict[str, Any]
    inputs: tuple[Input, ...] = ()
    grows: str | None = None

    @property
    def input_digests(self) -> list[str]:
        """The content digests of the inputs, in order."""
        return [file.digest for file in self.inputs]

    def ancestors(self) -> list[dict]:
        """The inputs and all their ancestors, oldest first: command, parameters, digest."""
        return ancestors(self.inputs)

    def job(self, shard: Shard | None) -> dict[str, Any]:
        """The record of unfinished work for this request, as JSON values."""
        job = {
            "command": self.command,
            "parameters": self.parameters,
            "inputs": self.input_digests,
        }
        return job | ({} if shard is None else {"shard": shard.pair})

    def extends(self, other: Mapping[str, Any], shard: Shard | None) -> bool:
        """Whether this request differs from another one only by a larger number of samples.

        Parameters
        ----------
        other : mapping
            The attributes of a file, or the record of unfinished work (see `job`).
        shard : Shard or None
            The shard that this run makes.
        """
        return self._other_work(other, shard) is None and self._growth(other) > 0

    def difference(self, other: Mapping[str, Any], shard: Shard | None) -> str | None:
        """What distinguishes another request from this one, in words; None if they are equal.

        The parameters are as in `extends`.
        """
        work = self._other_work(other, shard)
        if work is not None:
            return work
        theirs = other["parameters"]
        values = [
            text
            for name in self._different_names(theirs)
            for text in _differences(name, theirs.get(name), self.parameters.get(name))
        ]
        if self._growth(other) < 0:
            return f"more {self.grows} ({values[0]})"
        more = [f"{len(values) - _SHOWN} more"] if len(values) > _SHOWN else []
        return "other parameters: " + "; ".join([*values[:_SHOWN], *more]) if values else None

    def _other_work(self, other: Mapping[str, Any], shard: Shard | None) -> str | None:
        """The difference in command, shard or inputs, in words; None if there is none."""
        theirs = tuple(other.get("shard", ()))
        if other["command"] != self.command:
            return f"the result of 'rsmi {other['command']}'"
        if theirs != (() if shard is None else shard.pair):
            return f"{_shard_text(theirs)}, not {_shard_text(shard.pair if shard else ())}"
        if other["inputs"] != self.input_digests:
            return "results from another input"
        return None

    def _growth(self, other: Mapping[str, Any]) -> int:
        """The increase of the parameter that may grow, if no other parameter differs; else 0."""
        theirs = other["parameters"]
        if self.grows is None or self._different_names(theirs) != [self.grows]:
            return 0
        there, here = theirs.get(self.grows), self.parameters.get(self.grows)
        return here - there if isinstance(there, int) and isinstance(here, int) else 0

    def _different_names(self, theirs: Mapping[str, Any]) -> list[str]:
        mine = self.parameters
        return [
            name
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]


def _differences(name: str, there: Any, here: Any) -> Iterator[str]:
    """What differs in a parameter, in words: within objects and lists of objects, each entry."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted(there.keys() | here.keys()):
            yield from _differences(f"{name} {key}", there.get(key), here.get(key))
    elif _are_objects(there) and _are_objects(here) and len(there) == len(here):
        for number, (one, other) in enumerate(zip(there, here), 1):
            yield from _differences(f"{name} {number}:", one, other)
    elif there != here:
        yield (
            f"{name} = {_value_text(name, there)} there, {_value_text(name, here)} in this command"
        )


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _value_text(name: str, value: Any) -> str:
    """A parameter as text, a coupling J/(k_B T) with its temperature in J/k_B."""
    if name.endswith("coupling") and isinstance(value, float) and value:
        return f"{value} (T = {1 / value:.9g})"
    return f"{len(value)} entries" if _are_objects(value) else str(value)


def _shard_text(pair: tuple[int, ...]) -> str:
    return f"shard {'/'.join(map(str, pair))}" if pair else "the whole result"
