"""Driving tasks in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rsmi.engine.tasks import Limits, Task, drive
from rsmi.store import PartsFolder


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

    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(tasks)))) as pool:
        futures = [pool.submit(drive_task, task) for task in tasks]
    for future in futures:
        future.result()
