"""What a folder of parts says of its unfinished work, read without the lock while others write.

Besides the parts and the record of the work, the folder has a note of the last run: how many rows
every task has, and the command line. Only people read it; a run neither needs nor trusts it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsmi.errors import Failure, shortage
from rsmi.store.disk import link_target
from rsmi.store.exclusive_lock import KERNEL_LOCK, holder_name
from rsmi.store.folder import Folder
from rsmi.store.job import read_job
from rsmi.store.part import Part, list_parts, longest_chain

NOTE = "run.json"
_SUFFIX = ".parts"
_LARGEST = 1 << 26  # bytes of a note that are read


@dataclass(frozen=True)
class TaskProgress:
    """How far a task has come; the total is None where no run has noted it."""

    name: str
    rows: int
    total: int | None


@dataclass(frozen=True)
class UnfinishedWork:
    """The unfinished work for one output.

    Attributes
    ----------
    output, folder : Path
        The output, and the folder of its parts.
    job : dict
        The record of the work: command, parameters, inputs and possibly shard.
    tasks : tuple of TaskProgress
        In the order of their names.
    arguments : tuple of str
        The words after ``rsmi`` of the last command line; none if they are not known.
    working_folder : str
        Where that command was run.
    writer : str
        The process that has written last, for people; empty if it is not known.
    changed : float
        When the last part was written, in seconds of Unix time; nan if there is none.
    """

    output: Path
    folder: Path
    job: dict[str, Any]
    tasks: tuple[TaskProgress, ...]
    arguments: tuple[str, ...]
    working_folder: str
    writer: str
    changed: float


def folder_of_parts(output: Path) -> Path:
    """The folder of the unfinished work for an output."""
    return Path(f"{output}{_SUFFIX}")


def unfinished_work(path: Path) -> UnfinishedWork | None:
    """The unfinished work that a path means.

    Parameters
    ----------
    path : Path
        A folder of parts, or an output that does not exist yet.

    Returns
    -------
    UnfinishedWork or None
        None if the path means something else.

    Raises
    ------
    DataError
        If the record of the work is damaged, or if version 0.3.0 or an earlier one has begun it.
    """
    with contextlib.suppress(OSError, ValueError), _shortages(path):  # also if it ends meanwhile
        meant = _folder_meant(path)
        folder = None if meant is None else Folder(meant, follow=True)
        job = read_job(folder) if folder is not None else None
        if folder is not None and job is not None:
            return _work(folder, job)
    return None


@contextlib.contextmanager
def _shortages(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if lacking := shortage(error):
            raise Failure(f"{path}: cannot be read: {lacking}") from error
        raise


def note_of_run(totals: Mapping[str, int], arguments: Sequence[str]) -> dict[str, Any]:
    """The note of a run, as JSON values."""
    return {"totals": dict(totals), "arguments": list(arguments), "folder": os.getcwd()}


def read_note(folder: Folder) -> dict[str, Any]:
    """The note of the last run; its fields are empty where it is missing or damaged."""
    empty = note_of_run({}, ()) | {"folder": ""}
    try:
        note = json.loads(folder.read(NOTE, _LARGEST))
        return {name: type(value)(note[name]) for name, value in empty.items()}
    except (OSError, Failure, ValueError, TypeError, KeyError, RecursionError):
        return empty


def _folder_meant(path: Path) -> Path | None:
    if path.is_dir():
        return path if path.name.endswith(_SUFFIX) else None
    folder = folder_of_parts(link_target(path))
    return None if path.exists() or not folder.is_dir() else folder


def _work(folder: Folder, job: dict[str, Any]) -> UnfinishedWork:
    parts, note = list_parts(folder, job["token"]), read_note(folder)
    totals = {name: total for name, total in note["totals"].items() if isinstance(total, int)}
    return UnfinishedWork(
        output=Path(str(folder.path).removesuffix(_SUFFIX)),
        folder=folder.path,
        job=job,
        tasks=tuple(
            TaskProgress(name, _rows_done(parts.get(name, [])), totals.get(name))
            for name in sorted(parts.keys() | totals.keys())
        ),
        arguments=tuple(map(str, note["arguments"])),
        working_folder=note["folder"],
        writer=_writer(folder),
        changed=_last_change(folder, parts),
    )


def _rows_done(parts: Sequence[Part]) -> int:
    chain, _ = longest_chain(parts)
    return chain[-1].stop if chain else 0


def _last_change(folder: Folder, parts: Mapping[str, Sequence[Part]]) -> float:
    times = [float("nan")]
    for part in (part for of_task in parts.values() for part in of_task):
        with contextlib.suppress(OSError):  # a run may have replaced the part
            times.append(folder.stat(part.name).st_mtime)
    return max(times[1:], default=times[0])


def _writer(folder: Folder) -> str:
    with contextlib.suppress(OSError, Failure):
        return holder_name(folder) or folder.read(KERNEL_LOCK, 200).decode(errors="replace")
    return ""
