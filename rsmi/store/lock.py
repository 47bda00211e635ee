"""The lock of an output: only one process at a time writes it.

The kernel holds the lock, and it releases the lock when the process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import socket
from pathlib import Path

from rsmi.errors import Conflict


def open_lock(path: Path, output: Path) -> io.FileIO:
    """Open and lock a file, which tells others who writes the output.

    Parameters
    ----------
    path : Path
        The lock; it is created if it is missing.
    output : Path
        The output that the lock guards, for the message.

    Raises
    ------
    Conflict
        If another process holds the lock.
    OSError
        If the file system fails.
    """
    while True:
        lock = open(path, "ab+", buffering=0)
        _lock(lock, output)
        if _is_current(lock, path):
            return lock
        # The holder before us has removed the file between our opening and our locking.
        lock.close()
        path.parent.mkdir(exist_ok=True)


def _lock(lock: io.FileIO, output: Path) -> None:
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read(200).decode(errors="replace").strip() or "another process"
        lock.close()
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        raise Conflict(
            f"{output}: {holder} is writing it; wait for it to end, or choose another output"
        ) from None
    with contextlib.suppress(OSError):  # the name of the holder is only a help for people
        lock.truncate(0)
        lock.write(_process_name().encode())


def _is_current(lock: io.FileIO, path: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(lock.fileno()), os.stat(path))
    return False


def _process_name() -> str:
    job = os.environ.get("SLURM_JOB_ID")
    return f"process {os.getpid()} on {socket.gethostname()}" + (f" (job {job})" if job else "")
