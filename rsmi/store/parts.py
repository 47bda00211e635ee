"""The folder ``OUT.h5.parts/`` of work in progress: closed part files, a lock, and what the work
is.

A part holds rows ``start:stop`` of one task together with the task's state after them, so data and
checkpoint commit in one rename. Parts are built in memory and written as bytes: a full disk cannot
leave a half-written HDF5 file behind. They end with the SHA-256 of what precedes it: what was
changed since is not even shown to HDF5.

One process holds the lock. Others may drive its tasks, each task one drive, and write parts beside
it (`join`). Should two drives have the same task after all, because one was given up too early,
they make the same rows in parts that overlap; `parts` takes a chain of them without gaps. Parts
carry a token of the work in their names: what a drive commits that does not know yet that its work
was dropped is no part of the work that came after.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import io
import json
import mmap
import os
import re
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import Conflict, DataError, Failure
from rsmi.store.digest import canonical_json
from rsmi.store.reader import HDF5_ERRORS, arrays_of
from rsmi.store.writer import LAYOUT, create_dataset, disk_errors, sync_folder

_SEAL = hashlib.sha256().digest_size
_PART_NAME = re.compile(
    r"(?P<task>[a-z0-9-]+)\.(?P<start>\d{12})-(?P<stop>\d{12})(\.(?P<token>[0-9a-f]{8}))?\.h5"
)
_TEMPORARY = (".tmp", ".npy")
_CALL = "call"  # the file that says whose drives are wanted
_WANTED, _RECALLED = (
    "wanted",
    "recall",
)  # of one length: the file is written in place, with one call


@dataclass(frozen=True)
class Part:
    """Rows ``start:stop`` of a task, and its state after them."""

    task: str
    start: int
    stop: int
    path: Path

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop`` (counted from the task's first) of one array."""
        with self._reading() as handle:
            return handle[f"rows/{name}"][start - self.start : stop - self.start]

    @property
    def arrays(self) -> list[str]:
        """Names of the arrays that its rows have."""
        with self._reading() as handle:
            return list(handle["rows"])

    def state(self) -> dict[str, np.ndarray]:
        """The task's checkpoint after these rows."""
        with self._reading() as handle:
            return arrays_of(handle["state"])

    @contextlib.contextmanager
    def _reading(self):
        try:
            if not self._intact:
                raise ValueError("changed since it was written")
            with h5py.File(self.path, "r", locking=False) as handle:
                yield handle
        except HDF5_ERRORS as error:
            raise DataError(
                f"{self.path}: damaged checkpoint: remove the folder {self.path.parent} to start"
                " again"
            ) from error

    @functools.cached_property
    def _intact(self) -> bool:
        with (
            open(self.path, "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            return hashlib.sha256(memoryview(content)[:-_SEAL]).digest() == content[-_SEAL:]


class PartsFolder:
    """The parts of one output, locked for as long as the object lives."""

    def __init__(self, output: Path):
        self.output = output
        self.path = Path(f"{output}.parts")
        self._lock: io.FileIO | None = None
        self._found: dict[str, list[Part]] = {}
        self.token: str | None = secrets.token_hex(4)

    def acquire(self) -> None:
        """Create and lock the folder, unless that is done; another holder is a Conflict."""
        while self._lock is None:
            lock = self._open_lock()
            if self._is_current(lock):
                self._lock = lock
            else:  # the holder before us finished and removed the folder between our two calls
                lock.close()
        with contextlib.suppress(OSError):  # the text is a courtesy
            self._lock.truncate(0)
            self._lock.write(_who().encode())
        self.recall()  # drives of a process that was killed
        self.token = self._stored_token()
        self._found = self._list()

    def _open_lock(self) -> io.FileIO:
        with disk_errors(self.output):
            self.path.mkdir(exist_ok=True)
            lock = open(self.path / "lock", "ab+", buffering=0)
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                holder = lock.read(200).decode(errors="replace").strip() or "another process"
                lock.close()
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    raise
                raise Conflict(
                    f"{self.output}: {holder} is writing it; wait for it to end, or choose another"
                    " output"
                ) from None
        return lock

    def _is_current(self, lock: io.FileIO) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(lock.fileno()), os.stat(self.path / "lock"))
        return False

    def release(self) -> None:
        """Give the lock back; the folder stays if it holds any work. Its lock goes last, so that it
        guards to the end."""
        if self._lock is None:
            return
        if self.empty:
            with contextlib.suppress(OSError):
                self.clear()
                (self.path / "lock").unlink()
                self.path.rmdir()
        self._lock.close()
        self._lock = None

    def remove(self) -> None:
        """Nothing here is needed any more: the work is published, or cannot be."""
        self._found = {}
        self.release()

    @property
    def empty(self) -> bool:
        """Whether no part was ever committed."""
        return not self._found

    def clear(self) -> None:
        """Forget all parts but keep the lock."""
        for entry in self.path.iterdir():
            if (
                entry.name in ("job.json", _CALL)
                or entry.suffix in _TEMPORARY
                or _PART_NAME.fullmatch(entry.name)
            ):
                entry.unlink(missing_ok=True)
        self._found = {}
        self.token = secrets.token_hex(4)

    # ---- what the work is

    def job(self) -> dict | None:
        """The request the parts belong to, None in a new folder."""
        try:
            job = json.loads((self.path / "job.json").read_text())
            kinds = {"command": str, "parameters": dict, "inputs": list, "shard": list}
            if not all(
                isinstance(({"shard": []} | job)[name], kind) for name, kind in kinds.items()
            ):
                raise ValueError("not a request")
            return job
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError(
                f"{self.path}: the checkpoint's job.json is damaged: use --force to start again"
            ) from error

    def set_job(self, job: dict) -> None:
        """Record the request."""
        self._write("job.json", canonical_json(job | {"token": self.token}).encode())

    def _stored_token(self) -> str | None:
        """Of the parts to take up: "" where they are older than tokens, None for any where the job
        is gone or damaged."""
        try:
            job = self.job()
        except DataError:
            return None
        token = "" if job is None else job.get("token", "")
        return None if job is None or not re.fullmatch("([0-9a-f]{8})?", str(token)) else token

    # ---- drives by other processes

    def call(self) -> str:
        """Ask for drives; returns what they are called by, until `recall`."""
        name = secrets.token_hex(8)
        self._write(_CALL, f"{name} {_WANTED}".encode())
        return name

    def recall(self) -> None:
        """Ask all drives to finish their rows and come back, where there may be any."""
        with (
            disk_errors(self.output),
            contextlib.suppress(FileNotFoundError),
            open(self.path / _CALL, "r+b", buffering=0) as stream,
        ):
            name = stream.read().split(b" ")[0]
            stream.seek(0)
            stream.write(
                name + b" " + _RECALLED.encode()
            )  # in place: opening a file asks a network's server whether it has changed

    def join(self, token: str, call: str) -> bool:
        """Write parts beside the holder of the lock; False if its folder is not here."""
        self.token = token
        if self._called().partition(" ")[0] != call:
            return False
        with disk_errors(self.output):
            self._found = self._list()
        return True

    def wanted(self, call: str) -> bool:
        """Whether the drives of a call shall go on."""
        return self._called() == f"{call} {_WANTED}"

    def _called(self) -> str:
        try:
            return (self.path / _CALL).read_text()
        except (OSError, UnicodeError):
            return ""

    def keep_array(self, array: np.ndarray) -> str:
        """Keep an array for other processes, until the folder is cleared or swept; returns its
        name."""
        name = f"array-{secrets.token_hex(8)}.npy"
        with disk_errors(self.output):
            np.save(self.path / name, array, allow_pickle=False)
        return name

    def kept_array(self, name: str) -> np.ndarray:
        """An array that `keep_array` keeps."""
        try:
            return np.load(self.path / name, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise Failure(f"{self.path / name}: cannot be read ({error})") from error

    # ---- parts

    @property
    def bytes(self) -> int:
        """What all parts take."""
        return sum(part.path.stat().st_size for task in self._found for part in self.parts(task))

    def sweep(self) -> None:
        """Remove what killed processes left: under temporary names, and parts of other work."""
        for entry in self.path.iterdir():
            match = _PART_NAME.fullmatch(entry.name)
            if entry.suffix in _TEMPORARY or (match and not self._is_ours(match)):
                entry.unlink(missing_ok=True)

    def parts(self, task: str) -> list[Part]:
        """The parts of a task, in order, without gaps and overlaps."""
        chain, beyond = _chain(self._found.get(task, []))
        if beyond is not None:
            # Another process may have made two parts while we read the folder, and we saw only
            # the second.
            self.refresh()
            chain, beyond = _chain(self._found[task])
        if beyond is not None:
            raise DataError(
                f"{self.path}: parts of {task} are missing between {chain[-1].stop} and"
                f" {beyond.start}: remove this folder to start again"
            )
        return chain

    def refresh(self) -> None:
        """Look for parts that other processes have made."""
        with disk_errors(self.output):
            for task, parts in self._list().items():
                self._found[task] = sorted({*self._found.get(task, []), *parts}, key=_order)

    def know(self, task: str, chain: list[tuple[int, int]]) -> None:
        """Take another process at its word that these are the parts of a task; a network's list of
        the folder may be late."""
        self._found[task] = [self._part(task, start, stop) for start, stop in chain]

    def resume(self, task: str) -> tuple[list[Part], dict[str, np.ndarray] | None]:
        """The parts of a task, and the state after the last."""
        while parts := self.parts(task):
            try:
                return parts, parts[-1].state()
            except DataError:
                if parts[-1].path.exists():
                    raise
                self._found = self._list()  # another drive of the task has superseded it
        return [], None

    def reached(self, task: str) -> int:
        """The row up to which some part of a task is there, as far as we know."""
        return max((part.stop for part in self._found.get(task, [])), default=0)

    def _list(self) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for entry in self.path.iterdir():
            match = _PART_NAME.fullmatch(entry.name)
            if match and self._is_ours(match):
                found.setdefault(match["task"], []).append(
                    Part(match["task"], int(match["start"]), int(match["stop"]), entry)
                )
        for parts in found.values():
            parts.sort(key=_order)
        return found

    def _is_ours(self, match: re.Match) -> bool:
        return self.token is None or (match["token"] or "") == self.token

    def _part(self, task: str, start: int, stop: int) -> Part:
        token = f".{self.token}" if self.token else ""
        return Part(task, start, stop, self.path / f"{task}.{start:012d}-{stop:012d}{token}.h5")

    def commit(
        self,
        task: str,
        start: int,
        stop: int,
        rows: dict[str, np.ndarray],
        state: dict[str, np.ndarray],
    ) -> Part:
        """Write one part; it exists completely or not at all. Of a task without rows only the last
        state is kept."""
        superseded = [] if rows else self._found.get(task, [])
        start = superseded[0].start if superseded else start
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", **LAYOUT) as handle:
            handle.create_group("rows")
            handle.create_group("state")
            for group, arrays in (("rows", rows), ("state", state)):
                for name, array in arrays.items():
                    array = np.asarray(array)
                    create_dataset(handle, f"{group}/{name}", array.shape, array.dtype)[...] = array
        part = self._part(task, start, stop)
        buffer.seek(0, io.SEEK_END)
        buffer.write(hashlib.sha256(buffer.getbuffer()).digest())
        self._write(part.path.name, buffer.getbuffer())
        self._found[task] = [part] if superseded else [*self._found.get(task, []), part]
        for old in superseded:
            if old.path != part.path:
                old.path.unlink(missing_ok=True)
        return part

    def _write(self, name: str, content) -> None:
        temporary = (
            self.path / f"{name}.{secrets.token_hex(4)}.tmp"
        )  # nobody else's, whoever makes the same part
        with disk_errors(self.output):
            try:
                with open(temporary, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                os.replace(temporary, self.path / name)
                sync_folder(self.path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise


def _order(part: Part) -> tuple[int, int]:
    return part.start, part.stop


def _chain(parts: list[Part]) -> tuple[list[Part], Part | None]:
    """The chain of parts that goes farthest, and the first part that lies beyond a gap after it, if
    there is one."""
    if not parts:
        return [], None
    ends: dict[int, tuple | None] = {
        parts[0].start: None
    }  # row -> the last link of a chain that ends there: (part, link before)
    for part in parts:
        if part.start in ends and (part.start == part.stop or part.stop not in ends):
            ends[part.stop] = (part, ends[part.start])
    farthest, chain = max(ends), []
    link = ends[farthest]
    while link is not None:
        chain.append(link[0])
        link = link[1]
    return chain[::-1], next((part for part in parts if part.stop > farthest), None)


def _who() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (job {job})" if job else "")
