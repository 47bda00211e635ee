"""The folder ``OUT.h5.parts/`` of unfinished work: parts, a lock, and the record of the work.

One process holds the lock. Other processes may drive its tasks and write parts beside it (`join`).
Normally one process drives a task. When a drive was given up too early, two processes may drive the
same task; they make the same rows, in parts that overlap. `parts` chooses a chain of parts without
gaps and overlaps.

The names of the parts contain the token of the work. A process that does not know yet that its work
was dropped may still commit a part; its token shows that it does not belong to the new work.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.errors import DataError, Failure
from rsmi.store.digest import canonical_json
from rsmi.store.disk import disk_errors
from rsmi.store.exclusive_lock import NAME
from rsmi.store.folder import Folder, own_folder
from rsmi.store.job import JOB, read_job
from rsmi.store.lock import Lock, open_lock
from rsmi.store.part import (
    PART,
    Part,
    in_memory,
    list_parts,
    longest_chain,
    match_name,
    order,
    part_content,
    part_name,
)
from rsmi.store.unfinished_work import NOTE, folder_of_parts, note_of_run, read_note

_CALL = "call"  # the name of the last call, and whether its drives shall go on
_CALLED, _RECALLED = "wanted", "recall"  # equally long, because the file is overwritten in place
_RECORDS = (JOB, NOTE, _CALL)
# What a process leaves that was killed, beside its records and parts.
_LEFT = re.compile(
    r"array-[0-9a-f]{16}\.npy"
    rf"|(job\.json|run\.json|{_CALL}|{re.escape(NAME)}|final|time|{PART})(\.[0-9a-f]{{8}})?\.tmp"
)
_MEMORY = 1 << 24  # bytes of parts that are also kept in memory, so that they need not be read


class PartsFolder:
    """The folder of parts of one output, and its lock.

    Attributes
    ----------
    output, path : Path
        The output, and the folder beside it.
    token : str
        Identifies the work: eight hexadecimal digits, in the names of its parts.
    """

    def __init__(self, output: Path):
        self.output = output
        self.path = folder_of_parts(output)
        self.token = secrets.token_hex(4)
        self._token_known = True  # False if the record of the work cannot be read
        self._lock: Lock | None = None
        self._opened: Folder | None = None
        self._parts: dict[str, list[Part]] = {}  # of every task, in order
        self._memory = _MEMORY  # what is left of it

    @property
    def folder(self) -> Folder:
        """The open folder.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        Failure
            See `rsmi.store.folder.own_folder`.
        """
        if self._opened is None:
            self._opened = own_folder(self.path)
        return self._opened

    # ---- the lock

    def acquire(self) -> None:
        """Create and lock the folder, and list its parts.

        Raises
        ------
        Conflict
            If another process holds the lock.
        Failure
            If others own the folder or may write in it, or if the file system fails.
        """
        while self._lock is None:
            with disk_errors(self.output):
                self._opened = own_folder(self.path, create=True)
                with contextlib.suppress(FileNotFoundError):  # another process has removed it
                    self._lock = open_lock(self.folder, self.output)
        self.recall()  # the drives of a process that was killed
        self._read_token()
        self._parts = self._listed()

    def check_lock(self) -> None:
        """Make sure that no other process has taken the lock over.

        Raises
        ------
        Conflict
            If another process has the lock now (see `rsmi.store.exclusive_lock`).
        """
        if self._lock is not None:
            with disk_errors(self.output):
                self._lock.check()

    def release(self) -> None:
        """Give the lock back. The folder stays if it holds any part.

        The lock file is removed last, so that it guards the folder to the end.
        """
        if self._lock is None:
            return
        if self.empty:
            with contextlib.suppress(OSError):
                self.clear()
                self._lock.remove()
                self.path.rmdir()
        self._lock.close()
        self._lock = self._opened = None

    def remove(self) -> None:
        """Drop all parts and release the lock."""
        self._parts = {}
        self.release()

    @property
    def empty(self) -> bool:
        """Whether there is no part."""
        return not self._parts

    def clear(self) -> None:
        """Remove all parts and the record of the work, but keep the lock and files of others."""
        for name in self.folder.names():
            if name in _RECORDS or _LEFT.fullmatch(name) or match_name(name):
                self.folder.remove(name)
        self._parts = {}
        self.token, self._token_known = secrets.token_hex(4), True

    # ---- the record of the work

    def job(self) -> dict[str, Any] | None:
        """The record of the work that the parts belong to; None in a new folder.

        Raises
        ------
        DataError
            If the record is damaged, or if version 0.3.0 or an earlier one has begun the work.
        """
        return read_job(self.folder)

    def set_job(self, job: Mapping[str, Any]) -> None:
        """Write the record of the work."""
        self._write(JOB, canonical_json({**job, "token": self.token}).encode())

    def note_run(self, totals: Mapping[str, int], arguments: Sequence[str]) -> None:
        """Note the rows of every task and the command line, for `unfinished_work`."""
        note = note_of_run(read_note(self.folder)["totals"] | dict(totals), arguments)
        self._write(NOTE, json.dumps(note).encode())

    def _read_token(self) -> None:
        """Take the token of the work over; without a readable record, all parts are listed."""
        try:
            job = self.job()
        except DataError:
            job = None
        self._token_known = job is not None
        if job is not None:
            self.token = job["token"]

    # ---- drives by other processes

    def call(self) -> str:
        """Call for drives by other processes, until `recall`; returns the name of the call."""
        name = secrets.token_hex(8)
        self._write(_CALL, f"{name} {_CALLED}".encode())
        return name

    def recall(self) -> None:
        """Tell the drives of the last call, if there was one, to finish their rows and end.

        The file is overwritten in place, because a client of a network file system asks the server
        whether a file has changed when it opens the file.
        """
        with (
            disk_errors(self.output),
            contextlib.suppress(FileNotFoundError),
            self.folder.open(_CALL, os.O_RDWR) as stream,
        ):
            name = stream.read().split(b" ")[0]
            stream.seek(0)
            stream.write(name + b" " + _RECALLED.encode())

    def join(self, token: str, call: str) -> bool:
        """Write parts beside the holder of the lock; returns False if its folder is not here."""
        self.token = token
        if not self.path.is_dir():
            return False
        self._opened = own_folder(self.path)
        if self._call_content().partition(" ")[0] != call:
            return False
        with disk_errors(self.output):
            self._parts = self._listed()
        return True

    def is_called(self, call: str) -> bool:
        """Whether the drives of a call shall go on."""
        return self._call_content() == f"{call} {_CALLED}"

    def _call_content(self) -> str:
        try:
            return self.folder.read(_CALL, 100).decode()
        except (OSError, Failure, UnicodeError):
            return ""

    def keep_array(self, array: np.ndarray) -> str:
        """Keep an array for other processes until `clear` or `sweep`; returns its name."""
        name = f"array-{secrets.token_hex(8)}.npy"
        with disk_errors(self.output):
            with self.folder.create(name) as raw, open(raw.fileno(), "wb", closefd=False) as stream:
                np.save(stream, array, allow_pickle=False)
        return name

    def kept_array(self, name: str) -> np.ndarray:
        """The array that `keep_array` has given this name."""
        try:
            with self.folder.open(name) as raw, open(raw.fileno(), "rb", closefd=False) as stream:
                return np.load(stream, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise Failure(f"{self.path / name}: cannot be read ({error})") from error

    # ---- parts

    @property
    def size(self) -> int:
        """The bytes that all parts take."""
        return sum(part.size for task in self._parts for part in self.parts(task))

    def sweep(self) -> None:
        """Remove temporary files of killed processes, and parts of other work."""
        for name in self.folder.names():
            match = match_name(name)
            if _LEFT.fullmatch(name) or (match and not self._is_ours(match)):
                self.folder.remove(name)

    def parts(self, task: str) -> list[Part]:
        """The parts of a task, in order, without gaps and overlaps.

        Raises
        ------
        DataError
            If parts are missing.
        """
        chain, beyond = longest_chain(self._parts.get(task, []))
        if beyond is not None:
            # Another process may have made two parts while we listed the folder, and we saw only
            # the second one.
            self.refresh()
            chain, beyond = longest_chain(self._parts[task])
        if beyond is not None:
            raise DataError(
                f"{self.path}: parts of {task} are missing between {chain[-1].stop} and"
                f" {beyond.start}: remove this folder to start again"
            )
        return chain

    def refresh(self) -> None:
        """List the folder again, because other processes may have made parts."""
        with disk_errors(self.output):
            for task, parts in self._listed().items():
                self._parts[task] = sorted({*self._parts.get(task, []), *parts}, key=order)

    def note_parts(self, task: str, chain: Sequence[tuple[int, int]]) -> None:
        """Set the parts of a task to those that another process reports.

        The listing of a folder on a network file system may be late.
        """
        self._parts[task] = [self._part(task, start, stop) for start, stop in chain]

    def resume(self, task: str) -> tuple[list[Part], dict[str, np.ndarray] | None]:
        """The parts of a task, and the state after the last of them."""
        while parts := self.parts(task):
            try:
                return parts, parts[-1].state()
            except DataError:
                if self.folder.has(parts[-1].name):
                    raise
                self._parts = self._listed()  # another drive of the task has replaced the part
        return [], None

    def reached(self, task: str) -> int:
        """The highest row of the known parts of a task."""
        return max((part.stop for part in self._parts.get(task, [])), default=0)

    def commit(
        self,
        task: str,
        start: int,
        stop: int,
        rows: Mapping[str, np.ndarray],
        state: Mapping[str, np.ndarray],
    ) -> Part:
        """Write one part; it exists completely or not at all.

        If a task has no arrays in its rows, only its last part is kept.
        """
        replaced = [] if rows else self._parts.get(task, [])
        content = in_memory(rows, state, self._memory)
        self._memory -= content.nbytes if content else 0
        first = replaced[0].start if replaced else start
        part = replace(self._part(task, first, stop), content=content)
        self._write(part.name, part_content(rows, state))
        self._parts[task] = [part] if replaced else [*self._parts.get(task, []), part]
        for old in replaced:
            if old.name != part.name:
                self.folder.remove(old.name)
        return part

    def _part(self, task: str, start: int, stop: int) -> Part:
        return Part(task, start, stop, part_name(task, start, stop, self.token), self.folder)

    def _listed(self) -> dict[str, list[Part]]:
        return list_parts(self.folder, self.token if self._token_known else None)

    def _is_ours(self, match: re.Match[str]) -> bool:
        return not self._token_known or match["token"] == self.token

    def _write(self, name: str, content: bytes | memoryview) -> None:
        self.check_lock()
        with disk_errors(self.output):
            self.folder.write(name, content)
