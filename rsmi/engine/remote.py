"""Driving tasks in other processes, on other machines: whatever is behind the interface of
`concurrent.futures.Executor`.

What travels is small: to a worker where the parts are and how to make rows, back what is there in
the end. Arrays, rows and states go through the folder of parts, which all workers must see. Nothing
depends on a worker's fate. One that dies is replaced by the executor, or by us, and its replacement
goes on from the last part. One that lives on unnoticed, cut off from the scheduler or left over
from a run that was killed, writes the very rows that its replacement writes, in parts of its own
(`PartsFolder`), until it sees that the folder asks no longer for its drive.
"""

from __future__ import annotations

import io
import logging
import pickle
import socket
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

import rsmi
from rsmi.engine.tasks import Limits, Task, drive
from rsmi.errors import Failure, UsageError
from rsmi.store import PartsFolder

log = logging.getLogger("rsmi")

_LOOK_SECONDS = 0.25  # between looks at signals and the deadline
_LOOKS = 8  # between looks at the folder
_LARGE = 1 << 16  # bytes of an array that goes through the folder
_PARTS = "parts"  # the folder of the run, in a packed task

_NOT_TAKEN = (
    "scheduler or workers cannot take the work up: install the same rsmi, Python and packages there"
    " as here"
)

Chain = list[tuple[int, int]]  # (start, stop) of the parts of one task, in order


class Workers(Protocol):
    """Processes that drive tasks."""

    executor: Executor
    lost: tuple[type[BaseException], ...]  # what a future raises if workers died under it

    def alive(self) -> bool:
        """Whether there is any worker now."""


@dataclass(frozen=True)
class Orders:
    """What a worker must know besides its task."""

    output: Path  # absolute: the folder of parts is beside it
    token: str
    call: str
    version: str
    limits: Limits


def drive_there(orders: Orders, cargo: bytes) -> Chain:
    """Drive a packed task in this process; returns the parts that are there in the end."""
    if orders.version != rsmi.__version__:
        raise UsageError(
            f"the worker on {socket.gethostname()} has rsmi {rsmi.__version__}, this is"
            f" {orders.version}: install the same version there"
        )
    parts = PartsFolder(orders.output)
    if not parts.join(orders.token, orders.call):
        raise Failure(
            f"the worker on {socket.gethostname()} does not find {parts.path}: the output must be"
            " in a folder that all workers share"
        )
    task = _Unpacker(io.BytesIO(cargo), parts).load()
    drive(parts, task, orders.limits, lambda: not parts.wanted(orders.call), lambda count: None)
    return [(part.start, part.stop) for part in parts.parts(task.name)]


# ---- packing -------------------------------------------------------------------------------------


class _Packer(pickle.Pickler):
    """Pickles tasks; large arrays go to the folder, each once however many tasks have it. The
    folder itself is the worker's own."""

    def __init__(self, stream: io.BytesIO, parts: PartsFolder, kept: dict[int, str]):
        super().__init__(stream)
        self._parts, self._kept = parts, kept

    def persistent_id(self, item):
        if item is self._parts:
            return _PARTS
        if type(item) is not np.ndarray or item.dtype.kind not in "biuf" or item.nbytes < _LARGE:
            return None
        if id(item) not in self._kept:
            self._kept[id(item)] = self._parts.keep_array(item)
        return self._kept[id(item)]


class _Unpacker(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, parts: PartsFolder):
        super().__init__(stream)
        self._parts = parts

    def persistent_load(self, name):
        return self._parts if name == _PARTS else self._parts.kept_array(name)


def _packed(task: Task, parts: PartsFolder, kept: dict[int, str]) -> bytes:
    stream = io.BytesIO()
    _Packer(stream, parts, kept).dump(task)
    return stream.getvalue()


# ---- the side of the command ---------------------------------------------------------------------


def drive_all(
    workers: Workers,
    parts: PartsFolder,
    tasks: list[Task],
    limits: Limits,
    stopped: Callable[[], bool],
    report: Callable[[int], object] | None,
) -> None:
    """Have all tasks driven, until all rows are there or ``stopped``; ``report``, if any, is told
    how many are new, now and then.

    Raises
    ------
    RsmiError
        What a drive raised, or that workers die without getting anywhere; what was done is
        committed.
    """
    _Run(workers, parts, limits, stopped, report).drive(tasks)


class _Run:
    def __init__(
        self,
        workers: Workers,
        parts: PartsFolder,
        limits: Limits,
        stopped: Callable[[], bool],
        report: Callable[[int], object] | None,
    ):
        self._workers, self._parts, self._stopped, self._report = workers, parts, stopped, report
        call = parts.call()
        self._orders = Orders(parts.output.absolute(), parts.token, call, rsmi.__version__, limits)
        self._cargo: dict[str, bytes] = {}
        self._reached: dict[str, int] = {}  # where a task was when it was last submitted
        self._waiting: dict[Future, Task] = {}
        self._error: BaseException | None = None
        self._halted = False

    def drive(self, tasks: list[Task]) -> None:
        try:
            kept: dict[int, str] = {}
            for task in tasks:
                self._cargo[task.name] = _packed(task, self._parts, kept)
                self._submit(task)
            looks, done = 0, self._rows()
            while self._waiting:
                if self._stopped() or self._error:
                    self._halt()
                finished, _ = wait(
                    self._waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED
                )
                for future in finished:
                    self._finish(future, self._waiting.pop(future))
                looks += 1
                if self._report and looks % _LOOKS == 0:
                    self._parts.refresh()
                    before, done = done, self._rows()
                    self._report(done - before)
        finally:
            self._parts.recall()
            for future in self._waiting:
                future.cancel()
        if self._error:
            raise self._error

    def _rows(self) -> int:
        return sum(map(self._parts.reached, self._cargo))

    def _submit(self, task: Task) -> None:
        self._reached[task.name] = self._parts.reached(task.name)
        try:
            self._waiting[
                self._workers.executor.submit(drive_there, self._orders, self._cargo[task.name])
            ] = task
        except (RuntimeError, *self._workers.lost) as error:  # an executor that can take no more
            self._fail(self._gone(error))

    def _finish(self, future: Future, task: Task) -> None:
        try:
            chain = future.result()
        except self._workers.lost as error:
            self._again(
                task,
                Failure(
                    f"the workers that make {task.name} die again and again, without finishing a"
                    f" part (too little memory?); {self._kept}"
                ),
                error,
            )
        except CancelledError as error:
            self._fail(self._gone(error))
        except BaseException as error:
            strange = isinstance(
                error, (ImportError, pickle.UnpicklingError)
            ) or "deserializ" in str(error)
            self._fail(
                Failure(f"{_NOT_TAKEN} ({str(error).splitlines()[0][:200]})") if strange else error,
                error.__cause__,
            )
        else:
            self._parts.know(task.name, chain)
            if not chain or chain[-1][1] < task.total:
                self._again(task, Failure(f"a worker gave {task.name} up; {self._kept}"))

    def _again(self, task: Task, otherwise: Failure, cause: BaseException | None = None) -> None:
        """Submit a task once more if it has come on since it last was."""
        if self._halted or self._error or self._stopped():
            return
        self._parts.refresh()
        if self._parts.reached(task.name) > self._reached[task.name]:
            log.info("workers were lost, %s goes on from its last part", task.name)
            self._submit(task)
        else:
            self._fail(otherwise, cause)

    def _fail(self, error: BaseException, cause: BaseException | None = None) -> None:
        error.__cause__ = cause or error.__cause__
        self._error = self._error or error

    def _gone(self, cause: BaseException) -> Failure:
        failure = Failure(
            f"the scheduler or its workers are gone; {self._kept}: run the same command again to"
            " continue"
        )
        failure.__cause__ = cause
        return failure

    @property
    def _kept(self) -> str:
        return f"{self._parts.path} keeps what was done"

    def _halt(self) -> None:
        """Ask the drives to finish their rows; where there is nobody to ask, do not wait for
        them."""
        if not self._halted:
            self._halted = True
            self._parts.recall()
        if not self._workers.alive():
            for future in list(self._waiting):
                future.cancel()
                self._waiting.pop(future)
