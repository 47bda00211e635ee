"""Driving tasks in threads of this process."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from rsmi.engine.tasks import Limits, Task, drive
from rsmi.store import PartsFolder
from rsmi.threads import start_thread

log = logging.getLogger("rsmi")


def drive_in_threads(
    threads: int,
    parts: PartsFolder,
    tasks: Sequence[Task],
    limits: Limits,
    stopped: Callable[[], bool],
    report: Callable[[int], object],
) -> None:
    """Drive all tasks, ``threads`` of them at a time.

    If one task fails, the other threads commit their rows before the error is raised. The other
    parameters are as in `rsmi.engine.tasks.drive`.
    """
    failed = threading.Event()

    def drive_task(task: Task) -> None:
        try:
            drive(parts, task, limits, lambda: failed.is_set() or stopped(), report)
        except BaseException:
            failed.set()
            raise

    calls = [functools.partial(drive_task, task) for task in tasks]
    _in_threads(max(1, min(threads, len(tasks))), calls, failed.set)


def _in_threads(
    threads: int, calls: Sequence[Callable[[], None]], halt: Callable[[], None]
) -> None:
    """Make all calls, so many at a time, and raise the first error.

    Where the system allows fewer threads, fewer are used; where it allows none, this thread makes
    the calls. ``halt`` tells the calls to come to an end.
    """
    results: list[Future[None]] = [Future() for _ in calls]
    waiting = iter(zip(results, calls))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                result, call = next(waiting, (None, None))
            if result is None or call is None:
                return
            try:
                result.set_result(call())
            except BaseException as error:
                result.set_exception(error)

    started = [thread for _ in range(threads) if (thread := start_thread(work))]
    if not started:
        log.info("no thread can be started: the work is done by the only one there is")
        work()
    try:
        for thread in started:
            thread.join()
    except BaseException:  # somebody interrupts the wait: the rows at hand are finished first
        halt()
        for thread in started:
            thread.join()
        raise
    for result in results:
        result.result()
