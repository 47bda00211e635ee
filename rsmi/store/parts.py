"""The folder ``OUT.h5.parts/`` of work in progress: closed part files, a lock, and what the work is.

A part holds rows ``start:stop`` of one task together with the task's state after them, so data and checkpoint commit in
one rename. Parts are built in memory and written as bytes: a full disk cannot leave a half-written HDF5 file behind. They end
with the SHA-256 of what precedes it: what was changed since is not even shown to HDF5.
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
import socket
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import Conflict, DataError
from rsmi.store.digest import canonical_json
from rsmi.store.reader import HDF5_ERRORS
from rsmi.store.writer import LAYOUT, create_dataset, disk_errors, sync_folder

_SEAL = hashlib.sha256().digest_size
_PART_NAME = re.compile(r"(?P<task>[a-z0-9-]+)\.(?P<start>\d{12})-(?P<stop>\d{12})\.h5")


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
            return {name: np.asarray(item[()]) for name, item in handle["state"].items()}

    @contextlib.contextmanager
    def _reading(self):
        try:
            if not self._intact:
                raise ValueError("changed since it was written")
            with h5py.File(self.path, "r", locking=False) as handle:
                yield handle
        except HDF5_ERRORS as error:
            raise DataError(f"{self.path}: damaged checkpoint: remove the folder {self.path.parent} to start again") from error

    @functools.cached_property
    def _intact(self) -> bool:
        with open(self.path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return hashlib.sha256(memoryview(content)[:-_SEAL]).digest() == content[-_SEAL:]


class PartsFolder:
    """The parts of one output, locked for as long as the object lives."""

    def __init__(self, output: Path):
        self.output = output
        self.path = Path(f"{output}.parts")
        self._lock: io.FileIO | None = None
        self._found: dict[str, list[Part]] = {}  # ours alone while we hold the lock

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
                raise Conflict(f"{self.output}: {holder} is writing it; wait for it to end, or choose another output") from None
        return lock

    def _is_current(self, lock: io.FileIO) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(lock.fileno()), os.stat(self.path / "lock"))
        return False

    def release(self) -> None:
        """Give the lock back; the folder stays if it holds any work. Its lock goes last, so that it guards to the end."""
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
            if entry.name == "job.json" or entry.suffix == ".tmp" or _PART_NAME.fullmatch(entry.name):
                entry.unlink()
        self._found = {}

    # ---- what the work is

    def job(self) -> dict | None:
        """The request the parts belong to, None in a new folder."""
        try:
            job = json.loads((self.path / "job.json").read_text())
            kinds = {"command": str, "parameters": dict, "inputs": list, "shard": list}
            if not all(isinstance(({"shard": []} | job)[name], kind) for name, kind in kinds.items()):
                raise ValueError("not a request")
            return job
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError(f"{self.path}: the checkpoint's job.json is damaged: use --force to start again") from error

    def set_job(self, job: dict) -> None:
        """Record the request."""
        self._write("job.json", canonical_json(job).encode())

    # ---- parts

    @property
    def bytes(self) -> int:
        """What all parts take."""
        return sum(part.path.stat().st_size for parts in self._found.values() for part in parts)

    def sweep(self) -> None:
        """Remove what a killed process left under temporary names."""
        for entry in self.path.glob("*.tmp"):
            entry.unlink()

    def parts(self, task: str) -> list[Part]:
        """The parts of a task, in order and without gaps."""
        found = self._found.get(task, [])
        for before, after in zip(found, found[1:]):
            if before.stop != after.start:
                raise DataError(f"{self.path}: parts of {task} are missing between {before.stop} and {after.start}: remove this folder to start again")
        return found

    def _list(self) -> dict[str, list[Part]]:
        found: dict[str, list[Part]] = {}
        for entry in self.path.iterdir():
            match = _PART_NAME.fullmatch(entry.name)
            if match:
                found.setdefault(match["task"], []).append(Part(match["task"], int(match["start"]), int(match["stop"]), entry))
        for parts in found.values():
            parts.sort(key=lambda part: (part.start, part.stop))
            parts[:] = [part for part, after in zip(parts, [*parts[1:], None]) if after is None or after.start >= part.stop]  # not the superseded
        return found

    def commit(self, task: str, start: int, stop: int, rows: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> Part:
        """Write one part; it exists completely or not at all. Of a task without rows only the last state is kept."""
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
        name = f"{task}.{start:012d}-{stop:012d}.h5"
        buffer.seek(0, io.SEEK_END)
        buffer.write(hashlib.sha256(buffer.getbuffer()).digest())
        self._write(name, buffer.getbuffer())
        part = Part(task, start, stop, self.path / name)
        self._found[task] = [part] if superseded else [*self._found.get(task, []), part]
        for old in superseded:
            if old.path != part.path:
                old.path.unlink(missing_ok=True)
        return part

    def _write(self, name: str, content) -> None:
        temporary = self.path / (name + ".tmp")
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


def _who() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (job {job})" if job else "")
