"""What ``rsmi info`` says of unfinished work: how far every task has come, and how to go on."""

from __future__ import annotations

import math
import os
import shlex
import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rsmi.foreign_text import printable
from rsmi.statistics.notation import fields, table
from rsmi.store.unfinished_work import TaskProgress, UnfinishedWork

_MOST_LINES = 16  # tasks that have a line each; more of them are added up


def summary(work: UnfinishedWork) -> dict[str, Any]:
    """The progress as JSON values."""
    return {
        "kind": "unfinished",
        "file": str(work.output),
        "parts": str(work.folder),
        "command": work.job["command"],
        "parameters": work.job["parameters"],
        "shard": work.job.get("shard"),
        "tasks": [
            {"name": task.name, "rows": task.rows, "total": task.total} for task in work.tasks
        ],
        "changed": None if math.isnan(work.changed) else work.changed,
        "writer": work.writer or None,
        "resume": _command_line(work) or None,
        "resume_folder": work.working_folder or None,
    }


def describe(work: UnfinishedWork) -> str:
    """The same as text."""
    title = f"{work.output}: unfinished work of 'rsmi {work.job['command']}'"
    lines = [printable(title), ""]
    lines += table([["task", "rows done", "of", ""], *map(_cells, _shown(work.tasks))])
    lines += ["", *fields(list(_facts(work)))]
    return "\n".join([*lines, ""])


def _shown(tasks: tuple[TaskProgress, ...]) -> list[TaskProgress]:
    """The tasks, or the sums of those whose names differ only in their numbers."""
    if len(tasks) <= _MOST_LINES:
        return list(tasks)
    return [_sum(kind, list(alike)) for kind, alike in groupby(sorted(tasks, key=_kind), _kind)]


def _kind(task: TaskProgress) -> str:
    return "-".join(word for word in task.name.split("-") if not word.isdigit())


def _sum(kind: str, tasks: list[TaskProgress]) -> TaskProgress:
    totals = [task.total for task in tasks if task.total is not None]
    name = f"{kind} ({len(tasks)} tasks)" if len(tasks) > 1 else tasks[0].name
    total = sum(totals) if len(totals) == len(tasks) else None
    return TaskProgress(name, sum(task.rows for task in tasks), total)


def _cells(task: TaskProgress) -> list[str]:
    if task.total is None:
        return [task.name, f"{task.rows:,}", "-", ""]
    share = f"{task.rows / task.total:.0%}" if task.total else ""
    return [task.name, f"{task.rows:,}", f"{task.total:,}", share]


def _facts(work: UnfinishedWork) -> Iterator[tuple[str, str]]:
    parameters = work.job["parameters"].items()
    yield "parameters", ", ".join(f"{name} = {value}" for name, value in parameters)
    if "shard" in work.job:
        yield "shard", "/".join(map(str, work.job["shard"]))
    if not math.isnan(work.changed):
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(work.changed))
        yield "last part", moment + (f" by {work.writer}" if work.writer else "")
    yield "to go on", _command_line(work) or "run the command again that has begun this work"
    if work.working_folder not in ("", os.getcwd()):
        yield "in the folder", work.working_folder


def _command_line(work: UnfinishedWork) -> str:
    return shlex.join(["rsmi", *work.arguments]) if work.arguments else ""
