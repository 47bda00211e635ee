"""Tasks, and how one task is driven to its end.

A task makes rows from an explicit state. To drive a task means to make the rows that are missing
and to commit them in parts. This is all that a thread of this process, or a worker on another
machine, does for a task. A drive knows the task, the folder of parts and nothing else. It may be
killed at any moment: the next drive of the task continues after the last part.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rsmi.errors import DataError, Failure, shortage
from rsmi.store import PartsFolder

State = dict[str, np.ndarray]
Rows = dict[str, np.ndarray]

# What a kernel raises when it gets a state from a file that is no state of its task.
_STATE_ERRORS = (ValueError, KeyError, IndexError, TypeError)


class Named(Protocol):
    """A task, or anything else that has the name of a task."""

    @property
    def name(self) -> str: ...


class Task(Named, Protocol):
    """A resumable generator of rows.

    A task can be pickled, because another process may drive it.
    """

    @property
    def total(self) -> int:
        """The number of all rows."""

    def begin(self) -> tuple[int, State]:
        """The first row to make, and the state before it."""

    def advance(self, state: State, start: int, count: int) -> Rows:
        """Make rows ``start:start + count`` and update the state in place.

        The result must not depend on how the rows are grouped into calls. After a Failure the
        state must be as before the call, so that the rows can be made again (see `restoring`).

        Returns
        -------
        dict
            Arrays whose first axis has length ``count``.
        """


@contextlib.contextmanager
def restoring(state: State) -> Iterator[None]:
    """Restore the state if the body raises a Failure."""
    before = {name: array.copy() for name, array in state.items()}
    try:
        yield
    except Failure:
        state.update(before)
        raise


@dataclass(frozen=True)
class Limits:
    """How rows are grouped into calls and parts.

    Attributes
    ----------
    checkpoint_seconds : float
        A part is committed after this time.
    checkpoint_bytes : int
        A part is committed when its rows take this many bytes. Every thread holds as many, three
        times while the part is written.
    quantum_seconds : float
        One call of a task takes about this time, so that the run can be stopped between calls.
    """

    checkpoint_seconds: float = 5.0
    checkpoint_bytes: int = 1 << 25
    quantum_seconds: float = 0.25


def drive(
    parts: PartsFolder,
    task: Task,
    limits: Limits,
    halted: Callable[[], bool],
    report: Callable[[int], object],
) -> None:
    """Make and commit the missing rows of a task.

    Parameters
    ----------
    parts : PartsFolder
        The folder of the run.
    task : Task
    limits : Limits
    halted : callable
        Returns True when the drive shall stop before all rows are there.
    report : callable
        Is called with the number of new rows.

    Raises
    ------
    Failure
        If the task or the disk fails. The rows that were made before are committed.
    DataError
        If the parts or the state cannot be continued.
    """
    _Drive(parts, task, limits, halted, report).run()


@dataclass
class _OpenPart:
    """Rows that are made but not committed yet."""

    start: int
    pieces: list[Rows] = field(default_factory=list)
    bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, rows: Rows) -> None:
        self.pieces.append(rows)
        self.bytes += _size(rows)

    def is_full(self, limits: Limits) -> bool:
        return bool(self.pieces) and (
            time.monotonic() - self.began > limits.checkpoint_seconds
            or self.bytes > limits.checkpoint_bytes
        )

    def rows(self) -> Rows:
        if len(self.pieces) == 1:
            return self.pieces[0]
        return {
            name: np.concatenate([rows[name] for rows in self.pieces]) for name in self.pieces[0]
        }


class _Drive:
    """One drive of one task: the row and the state that it has reached."""

    def __init__(
        self,
        parts: PartsFolder,
        task: Task,
        limits: Limits,
        halted: Callable[[], bool],
        report: Callable[[int], object],
    ):
        self._parts, self._task, self._limits = parts, task, limits
        self._halted, self._report = halted, report
        self._quantum = 1  # rows in one call
        self._first, self._state = task.begin()
        self._step = self._first
        present, state = parts.resume(task.name)
        self._resumed = state is not None
        if state is not None:
            self._check_beginning(present[0].start)
            self._step, self._state = present[-1].stop, state

    def _check_beginning(self, start: int) -> None:
        if start > self._first:
            raise DataError(
                f"{self._parts.path}: continues a file that is gone from {self._parts.output}:"
                " remove this folder to start again"
            )

    def run(self) -> None:
        if self._step >= self._task.total and not self._resumed:
            # There is nothing to make. The stage looks for the final state among the parts.
            self._parts.commit(self._task.name, self._step, self._step, {}, self._state)
        while self._goes_on():
            self._make_part()

    def _goes_on(self) -> bool:
        return self._step < self._task.total and not self._halted()

    def _make_part(self) -> None:
        part = _OpenPart(self._step)
        try:
            while self._goes_on() and not part.is_full(self._limits):
                part.add(self._advance())
        except (Failure, MemoryError) as error:
            self._commit(part)
            if not self._step:
                raise
            raise Failure(
                f"{shortage(error) or error}; {self._parts.path} keeps what was done before"
            ) from error
        self._commit(part)

    def _commit(self, part: _OpenPart) -> None:
        if part.pieces:
            self._parts.commit(self._task.name, part.start, self._step, part.rows(), self._state)

    def _advance(self) -> Rows:
        count, before = min(self._quantum, self._task.total - self._step), time.monotonic()
        try:
            rows = self._task.advance(self._state, self._step, count)
        except _STATE_ERRORS as error:
            if not self._first:
                raise
            raise DataError(
                f"{self._parts.output}: the state at its end cannot be continued ({error}): remove"
                " it to start again"
            ) from error
        self._step += count
        self._adapt_quantum(time.monotonic() - before, _size(rows))
        self._report(count)
        return rows

    def _adapt_quantum(self, seconds: float, size: int) -> None:
        """Double the rows in one call while a call is short and its rows are small."""
        limits = self._limits
        if seconds < limits.quantum_seconds / 2 and size <= limits.checkpoint_bytes // 8:
            self._quantum *= 2


def _size(rows: Rows) -> int:
    return sum(array.nbytes for array in rows.values())
