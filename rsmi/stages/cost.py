"""What a run would cost: processor seconds, measured on a small part of its work, and the bytes of
its file.

A stage's ``cost`` does a little of the work in memory and writes nothing. So the answer holds for
this machine, these instructions and this library, and its load does not matter: processor seconds
are counted, of all threads together. It is right within a factor of two.

Of a stage whose input does not exist yet, the cost follows from an input of fewer configurations:
that of a training depends on the number of windows, and not on that of configurations.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rsmi.engine.tasks import Task
from rsmi.store import stored_bytes

_LEAST = 0.04  # seconds that a trial takes, or the whole work
_FASTER = 4  # by which a trial that was too short becomes longer
# Of rows: parts are written, read again, put in order, digested and examined.
_SECONDS_PER_BYTE = 2e-8
_PUBLISHED = 0.1  # seconds: the folder of parts, the file, its checks
_EMPTY = 8_000  # bytes of a file without data: structure, attributes, ancestors

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cost:
    """What a run costs.

    Attributes
    ----------
    seconds : float
        Processor seconds of all threads, without those before the stage begins.
    bytes : int
        The size of the file.
    """

    seconds: float
    bytes: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.bytes + other.bytes)

    @property
    def plan(self) -> dict[str, float | int]:
        """The entries of ``--dry-run``: of a command, with its start."""
        return {"cpu_seconds": round(start_seconds() + self.seconds, 2), "bytes": self.bytes}


def file_cost(seconds: float, data: int) -> Cost:
    """The cost of a run that works so many seconds and stores so many bytes of data."""
    return Cost(seconds + _PUBLISHED + _SECONDS_PER_BYTE * data, _EMPTY + data)


@functools.cache
def start_seconds() -> float:
    """The processor seconds that this process had taken when it first estimated a cost: those of
    Python, of numpy and HDF5, and of the checks of a request."""
    return time.process_time()


def samples_bytes(count: int, row_bytes: int) -> int:
    """The bytes of configurations and of their energies."""
    return stored_bytes(count, row_bytes) + stored_bytes(count, 8)


def timed(function: Callable[[], Result]) -> tuple[Result, float]:
    """The value of a function, and the processor seconds that it took."""
    start_seconds()
    before = time.process_time()
    return function(), time.process_time() - before


def seconds_of(task: Task, rows: int = 1) -> float:
    """The processor seconds of all rows of a task, from a trial of at least so many of its rows."""
    (start, state), spent = timed(task.begin)
    done, last = start, start
    while done < task.total:
        last = min(rows, task.total - done)
        _, seconds = timed(lambda: task.advance(state, done, last))  # noqa: B023
        spent, done, rows = spent + seconds, done + last, _FASTER * rows
        if seconds > _LEAST:
            return spent + (task.total - done) * seconds / last
    return spent


def seconds_of_alike(tasks: Sequence[Task], rows: int = 1) -> float:
    """The processor seconds of tasks whose rows all cost the same, from a trial of the first."""
    if not tasks:
        return 0.0
    return seconds_of(tasks[0], rows) * sum(task.total for task in tasks) / tasks[0].total


def seconds_of_size(function: Callable[[int], object], size: int, trials: Iterable[int]) -> float:
    """The seconds of a function of a size, which is a constant and a multiple of the size, from two
    smaller sizes."""
    first, second = (min(trial, size) for trial in trials)
    _, few = timed(lambda: function(first))
    if first == size:
        return few
    _, more = timed(lambda: function(second))
    slope = max(0.0, more - few) / max(1, second - first)
    return more + slope * (size - second)
