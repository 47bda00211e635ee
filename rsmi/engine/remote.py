"""Driving tasks in other processes, on this machine or on others.

The seam is the interface of `concurrent.futures.Executor`. Only small things travel: to a worker,
the place of the parts and the task; back, the list of the parts that are there in the end. Arrays,
rows and states go through the folder of parts, which all workers must see.

The result does not depend on the fate of a worker. When a worker dies, the executor or this module
starts its drive again, and the new drive continues after the last part. When a worker lives on
unnoticed, because it was cut off from the scheduler or belongs to a run that was killed, it makes
the same rows as its replacement and writes them in parts of its own (`PartsFolder`), until it sees
in the folder that its drive has been recalled.
"""

from __future__ import annotations

import logging
import pickle
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import rsmi
from rsmi.engine.packing import pack, unpack
from rsmi.engine.tasks import Limits, Task, drive
from rsmi.errors import Failure, UsageError
from rsmi.store import PartsFolder

log = logging.getLogger("rsmi")

_LOOK_SECONDS = 0.25  # time between looks at signals and the deadline
_LOOKS_PER_REPORT = 8  # looks between readings of the folder

_NOT_TAKEN = (
    "scheduler or workers cannot take the work up: install the same rsmi, Python and packages there"
    " as here"
)

Chain = list[tuple[int, int]]  # (start, stop) of the parts of one task, in order


class Workers(Protocol):
    """The processes that drive tasks.

    Attributes
    ----------
    executor : Executor
    lost : tuple of exception types
        What a future raises when the workers died that drove its task.
    """

    @property
    def executor(self) -> Executor: ...

    @property
    def lost(self) -> tuple[type[BaseException], ...]: ...

    def alive(self) -> bool:
        """Whether there is any worker now."""


@dataclass(frozen=True)
class Orders:
    """What a worker must know besides its task.

    Attributes
    ----------
    output : Path
        The absolute path of the output; the folder of parts is beside it.
    token : str
        The token of the work (see `PartsFolder`).
    call : str
        The name of the call that the drive belongs to.
    version : str
        The version of rsmi that gives the orders.
    limits : Limits
    """

    output: Path
    token: str
    call: str
    version: str
    limits: Limits


def drive_in_worker(orders: Orders, packed_task: bytes) -> Chain:
    """Drive a packed task in this process.

    Returns
    -------
    list of (int, int)
        The parts of the task that are there in the end.

    Raises
    ------
    UsageError
        If this process has another version of rsmi.
    Failure
        If this process does not see the folder of the run.
    """
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
    task = unpack(packed_task, parts)
    drive(parts, task, orders.limits, lambda: not parts.is_called(orders.call), lambda count: None)
    return [(part.start, part.stop) for part in parts.parts(task.name)]


# ---- the side of the command ---------------------------------------------------------------------


def drive_by_workers(
    workers: Workers,
    parts: PartsFolder,
    tasks: Sequence[Task],
    limits: Limits,
    stopped: Callable[[], bool],
    report: Callable[[int], object] | None,
) -> None:
    """Have all tasks driven by workers.

    ``report``, if there is any, is called now and then with the number of new rows. The other
    parameters are as in `rsmi.engine.tasks.drive`.

    Raises
    ------
    RsmiError
        If a drive fails, or if workers die again and again. All rows that were made are committed.
    """
    _Dispatcher(workers, parts, limits, stopped, report).drive(tasks)


class _Dispatcher:
    """Submits tasks to the executor, and submits a task again when its workers were lost."""

    def __init__(
        self,
        workers: Workers,
        parts: PartsFolder,
        limits: Limits,
        stopped: Callable[[], bool],
        report: Callable[[int], object] | None,
    ):
        self._workers, self._parts, self._stopped, self._report = workers, parts, stopped, report
        self._losses: tuple[type[BaseException], ...] = (RuntimeError, *workers.lost)
        call = parts.call()
        self._orders = Orders(parts.output.absolute(), parts.token, call, rsmi.__version__, limits)
        self._packed: dict[str, bytes] = {}
        self._reached: dict[str, int] = {}  # the row that a task had reached at its last submission
        self._waiting: dict[Future[Chain], Task] = {}
        self._error: BaseException | None = None
        self._halted = False

    def drive(self, tasks: Sequence[Task]) -> None:
        try:
            self._submit_all(tasks)
            self._wait()
        finally:
            self._parts.recall()
            for future in self._waiting:
                future.cancel()
        if self._error:
            raise self._error

    def _submit_all(self, tasks: Sequence[Task]) -> None:
        kept: dict[int, str] = {}
        for task in tasks:
            self._packed[task.name] = pack(task, self._parts, kept)
            self._submit(task)

    def _wait(self) -> None:
        looks, rows = 0, self._rows()
        while self._waiting:
            if self._stopped() or self._error:
                self._halt()
            done, _ = wait(self._waiting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._finish(future, self._waiting.pop(future))
            looks += 1
            if self._report and looks % _LOOKS_PER_REPORT == 0:
                self._parts.refresh()
                before, rows = rows, self._rows()
                self._report(rows - before)

    def _rows(self) -> int:
        return sum(map(self._parts.reached, self._packed))

    def _submit(self, task: Task) -> None:
        self._reached[task.name] = self._parts.reached(task.name)
        executor, packed = self._workers.executor, self._packed[task.name]
        try:
            self._waiting[executor.submit(drive_in_worker, self._orders, packed)] = task
        except self._losses as error:  # the executor takes no more tasks
            self._fail(self._gone(error))

    def _finish(self, future: Future[Chain], task: Task) -> None:
        try:
            chain = future.result()
        except self._workers.lost as error:
            self._resubmit(task, self._dying(task), error)
        except CancelledError as error:
            self._fail(self._gone(error))
        except BaseException as error:
            self._fail(_explained(error), error.__cause__)
        else:
            self._parts.note_parts(task.name, chain)
            if not chain or chain[-1][1] < task.total:
                self._resubmit(task, Failure(f"a worker gave {task.name} up; {self._kept}"))

    def _resubmit(self, task: Task, otherwise: Failure, cause: BaseException | None = None) -> None:
        """Submit a task again if it has made rows since its last submission; else fail."""
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

    def _dying(self, task: Task) -> Failure:
        return Failure(
            f"the workers that make {task.name} die again and again, without finishing a part (too"
            f" little memory?); {self._kept}"
        )

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
        """Recall all drives, and wait for them only if there are workers to finish their rows."""
        if not self._halted:
            self._halted = True
            self._parts.recall()
        if not self._workers.alive():
            for future in list(self._waiting):
                future.cancel()
                self._waiting.pop(future)


def _explained(error: BaseException) -> BaseException:
    """An error of a worker that cannot unpickle its task, as a sentence; any other error as it
    is."""
    not_taken = isinstance(error, (ImportError, pickle.UnpicklingError))
    if not_taken or "deserializ" in str(error):
        return Failure(f"{_NOT_TAKEN} ({str(error).partition(chr(10))[0][:200]})")
    return error
