"""Driving one task to its end: from the parts that are there, row by row, to the parts that are
missing.

A drive is all that a thread of this process, or a worker on another machine, does for a task. It
knows the task, the folder of parts and nothing else; killed at any moment, it is begun again and
goes on from the last part.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rsmi.errors import DataError, Failure
from rsmi.store import PartsFolder

State = dict[str, np.ndarray]
Rows = dict[str, np.ndarray]

_MISFITS = (ValueError, KeyError, IndexError, TypeError)  # of a kernel whose state came from a file


class Named(Protocol):
    """A task, or the name of one."""

    @property
    def name(self) -> str: ...


class Task(Protocol):
    """A resumable generator of rows.

    ``advance`` updates the state in place and returns arrays whose first axis has length ``count``;
    cutting a run at any row must not change it. ``total`` counts all rows; ``begin`` gives the
    first row to make and the state before it. ``advance`` may be asked for rows again after it
    raised a Failure: it leaves the state as it was (see `restoring`). A task can
    be pickled: it may be driven by another process.
    """

    name: str
    total: int

    def begin(self) -> tuple[int, State]: ...

    def advance(self, state: State, start: int, count: int) -> Rows: ...


@contextlib.contextmanager
def restoring(state: State):
    """Leave the state as it was if the body raises a Failure."""
    before = {name: array.copy() for name, array in state.items()}
    try:
        yield
    except Failure:
        state.update(before)
        raise


@dataclass(frozen=True)
class Limits:
    """How rows are grouped: a part is closed after so many seconds or bytes; so many seconds pass
    between looks at ``halted``, about."""

    checkpoint_seconds: float
    checkpoint_bytes: int
    quantum_seconds: float


def drive(
    parts: PartsFolder,
    task: Task,
    limits: Limits,
    halted: Callable[[], bool],
    report: Callable[[int], object],
) -> None:
    """Make and commit the rows that are missing, until all are there or ``halted``; ``report`` is
    told how many are new.

    Raises
    ------
    Failure
        Of the task or the disk; what was done before is committed.
    """
    first, state = task.begin()
    present, last = parts.resume(task.name)
    if present and present[0].start > first:
        raise DataError(
            f"{parts.path}: continues a file that is gone from {parts.output}: remove this folder"
            " to start again"
        )
    step, state = (present[-1].stop, last) if present else (first, state)
    if (
        not present and step >= task.total
    ):  # nothing to do: leave the state where the stage looks for it
        parts.commit(task.name, step, step, {}, state)
    quantum = 1
    while step < task.total and not halted():
        start, pieces, began, size = step, [], time.monotonic(), 0
        while step < task.total and not halted():
            count, before = min(quantum, task.total - step), time.monotonic()
            try:
                rows = task.advance(state, step, count)
            except Failure as error:
                raise _keep(parts, task, start, step, pieces, state, error) from error
            except _MISFITS as error:
                if not first:
                    raise
                raise DataError(
                    f"{parts.output}: the state it ends with cannot be continued ({error}): remove"
                    " it to start again"
                ) from error
            now, piece = time.monotonic(), sum(array.nbytes for array in rows.values())
            quantum *= (
                2
                if now - before < limits.quantum_seconds / 2
                and piece <= limits.checkpoint_bytes // 8
                else 1
            )
            pieces.append(rows)
            step += count
            size += piece
            report(count)
            if now - began > limits.checkpoint_seconds or size > limits.checkpoint_bytes:
                break
        if pieces:
            parts.commit(task.name, start, step, _concatenate(pieces), state)


def _keep(
    parts: PartsFolder,
    task: Task,
    start: int,
    step: int,
    pieces: list[Rows],
    state: State,
    error: Failure,
) -> Failure:
    """Commit what was done before a failure; the failure, saying so."""
    if pieces:
        parts.commit(task.name, start, step, _concatenate(pieces), state)
    return Failure(f"{error}; {parts.path} keeps what was done before") if step else error


def _concatenate(pieces: list[Rows]) -> Rows:
    return {
        name: (
            np.concatenate([rows[name] for rows in pieces]) if len(pieces) > 1 else pieces[0][name]
        )
        for name in pieces[0]
    }
