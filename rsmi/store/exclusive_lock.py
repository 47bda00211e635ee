"""A lock for file systems without locks: a file that only one process can create.

The holder renews the time of the file every `HEARTBEAT_SECONDS`. A file that was not renewed for
`STALE_SECONDS` belongs to a process that was killed, and the next process takes the lock over. If
the holder ran on this machine and has ended, the next process takes it over at once. A process that
was suspended for so long finds at its next part that it has lost the lock, and ends.

Ages are differences between times of two files, so that the clocks of machine and file server may
differ. On a network file system a file is opened before its time is read, because then the client
asks the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from rsmi.errors import Conflict
from rsmi.store.folder import Folder
from rsmi.threads import start_thread

NAME = "lock.exclusive"
KERNEL_LOCK = "lock"  # the file of the other kind of lock (see `rsmi.store.lock`)
HEARTBEAT_SECONDS = 15.0
STALE_SECONDS = 120.0
_LARGEST = 4096  # bytes that are read


def process_name() -> str:
    """This process, for people."""
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (job {job})" if job else "")


class ExclusiveLock:
    """The lock of a folder of parts, held by this process and renewed by a thread.

    Parameters
    ----------
    folder : Folder
        The folder of parts.
    output : Path
        The output that the lock guards, for the messages.

    Attributes
    ----------
    path : Path
        The file that is the lock.

    Raises
    ------
    Conflict
        If another process holds the lock.
    FileNotFoundError
        If another process has just removed the folder.
    OSError
        If the file system fails.
    """

    def __init__(self, folder: Folder, output: Path):
        self.path = folder.path / NAME
        self._folder = folder
        self._output = output
        self._content = _own_content()
        self._ended = threading.Event()
        while not self._create():
            refuse_living_holder(folder, output)
        self._thread = start_thread(self._renew, daemon=True)

    def check(self) -> None:
        """Raise a Conflict if another process has taken the lock over.

        Where no thread could be started, this is what renews the lock.
        """
        if self._thread is None:
            self._touch()
        if not self._is_own():
            raise Conflict(
                f"{self._output}: another process has taken over the lock {self.path}, which this"
                f" process has not renewed for {STALE_SECONDS:.0f} s; what was done before is kept"
            )

    def remove(self) -> None:
        """Remove the file, and the one that was left when the kernel could not lock it."""
        self.close()
        self._folder.remove(KERNEL_LOCK)

    def close(self) -> None:
        """End the thread and give the lock back."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with contextlib.suppress(OSError):
            if self._is_own():
                self._folder.remove(NAME)

    def _create(self) -> bool:
        try:
            with self._folder.create(NAME) as stream:
                stream.write(self._content.encode())
        except FileExistsError:
            return False
        return True

    def _renew(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            self._touch()

    def _touch(self) -> None:
        with contextlib.suppress(OSError):
            if self._is_own():
                os.utime(NAME, dir_fd=self._folder.descriptor, follow_symlinks=False)

    def _is_own(self) -> bool:
        holder = _holder_of(self._folder)
        return holder is not None and holder.content == self._content


def holder_name(folder: Folder) -> str:
    """The process that a lock names, for people; empty if there is no lock."""
    holder = _holder_of(folder)
    return "" if holder is None else holder.name


def refuse_living_holder(folder: Folder, output: Path) -> None:
    """Raise a Conflict if a living process holds the exclusive lock; else remove its file."""
    holder = _holder_of(folder)
    if holder is None:
        return
    age = _time_of_new_file(folder) - holder.renewed
    if holder.has_ended or age > STALE_SECONDS:
        _remove(folder, holder)
        return
    raise Conflict(
        f"{output}: {holder.name} is writing it; wait for it to end, or choose another output (it"
        f" has renewed its lock {folder.path / NAME} {max(age, 0):.0f} s ago; the lock of a process"
        f" that was killed is free {STALE_SECONDS:.0f} s after its last renewal)"
    )


@dataclass(frozen=True)
class _Holder:
    """What the file of a lock says about its holder.

    Attributes
    ----------
    content : str
        The content of the file, which identifies the holder.
    renewed : float
        The time of the file, by the clock of the file system.
    """

    content: str
    renewed: float

    @property
    def name(self) -> str:
        return str(self._fields.get("process", "another process"))

    @property
    def has_ended(self) -> bool:
        """Whether the holder ran on this machine and is not there any more."""
        number = self._fields.get("pid")
        if self._fields.get("machine") != _machine() or not isinstance(number, int):
            return False
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):  # a process of another user, or no process number
            return False
        return False

    @property
    def _fields(self) -> dict[str, object]:
        try:
            fields = json.loads(self.content)
        except ValueError:  # the holder has created the file and not written it yet
            return {}
        return fields if isinstance(fields, dict) else {}


def _own_content() -> str:
    return json.dumps(
        {
            "process": process_name(),
            "pid": os.getpid(),
            "machine": _machine(),
            "token": secrets.token_hex(8),
        }
    )


def _machine() -> str:
    """What two processes have in common that can see each other by their process numbers."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return socket.gethostname()


def _holder_of(folder: Folder, name: str = NAME) -> _Holder | None:
    """The holder that a file names; None if there is no file."""
    try:
        with folder.open(name) as stream:
            content = stream.read(_LARGEST).decode(errors="replace")
            return _Holder(content, os.fstat(stream.fileno()).st_mtime)
    except FileNotFoundError:
        return None


def _time_of_new_file(folder: Folder) -> float:
    """Now, by the clock of the file system."""
    name = f"time.{secrets.token_hex(4)}.tmp"
    try:
        with folder.create(name) as stream:
            stream.write(b" ")
            return os.fstat(stream.fileno()).st_mtime
    finally:
        folder.remove(name)


def _remove(folder: Folder, holder: _Holder) -> None:
    """Remove the file of a holder that has ended.

    Another process may have done this just before and may hold the lock now. Therefore the file is
    moved aside and read again, and it is put back if it belongs to someone else.
    """
    aside, here = f"{NAME}.{secrets.token_hex(4)}.tmp", folder.descriptor
    try:
        os.rename(NAME, aside, src_dir_fd=here, dst_dir_fd=here)
    except FileNotFoundError:
        return
    moved = _holder_of(folder, aside)
    if moved is not None and moved.content != holder.content:
        with contextlib.suppress(OSError):
            os.link(aside, NAME, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)
    folder.remove(aside)
