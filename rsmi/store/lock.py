"""The lock of an output: only one process at a time writes it.

Normally the kernel holds the lock, and it releases the lock when the process ends, however it ends.
Some file systems have no such locks (Lustre without the mount option flock, NFS without lockd);
there, a file that only one process can create is the lock (see `rsmi.store.exclusive_lock`). The
environment variable RSMI_FILE_LOCKING chooses:

========= ========================================================================
auto      the lock of the kernel, or the exclusive file if there are no such locks
fcntl     the lock of the kernel, or an error
exclusive the exclusive file
none      no lock; the user makes sure that no two processes write one output
========= ========================================================================

All processes that may write the same output must use the same setting.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
from pathlib import Path
from typing import BinaryIO, Protocol

from rsmi.errors import Conflict, Failure, UsageError
from rsmi.store.exclusive_lock import (
    KERNEL_LOCK,
    ExclusiveLock,
    process_name,
    refuse_living_holder,
)
from rsmi.store.folder import Folder

log = logging.getLogger("rsmi")

SETTING = "RSMI_FILE_LOCKING"
_SETTINGS = ("auto", "fcntl", "exclusive", "none")
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


class Lock(Protocol):
    """A lock that this process holds."""

    def check(self) -> None:
        """Raise a Conflict if this process does not hold the lock any more."""

    def remove(self) -> None:
        """Remove the files of the lock, because the folder of parts is going to be removed."""

    def close(self) -> None:
        """Release the lock."""


def open_lock(folder: Folder, output: Path) -> Lock:
    """Lock the folder of parts, which tells others who writes the output.

    Parameters
    ----------
    folder : Folder
        The folder of parts.
    output : Path
        The output that the lock guards, for the messages.

    Raises
    ------
    Conflict
        If another process holds the lock.
    Failure
        If the file system has no locks and the setting is fcntl.
    UsageError
        If the setting is unknown.
    FileNotFoundError
        If another process has just removed the folder.
    OSError
        If the file system fails.
    """
    setting = os.environ.get(SETTING, "auto").lower() or "auto"
    if setting not in _SETTINGS:
        raise UsageError(f"{SETTING}={setting}: write one of {', '.join(_SETTINGS)}")
    if setting == "none":
        log.warning("%s: no lock: make sure that no other process writes this output", output)
        return _NoLock(folder)
    if setting == "exclusive":
        return ExclusiveLock(folder, output)
    try:
        return _KernelLock(folder, output)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return _without_kernel_locks(folder, output, setting, error)


def _without_kernel_locks(folder: Folder, output: Path, setting: str, error: OSError) -> Lock:
    if setting == "fcntl":
        raise Failure(
            f"{output}: the file system cannot lock {folder.path / KERNEL_LOCK} ({error.strerror}):"
            f" set {SETTING}=exclusive, or choose an output on another file system"
        ) from error
    lock = ExclusiveLock(folder, output)
    log.info("%s: the file system has no locks; the file %s guards the output", output, lock.path)
    return lock


class _KernelLock:
    """A lock of the kernel on the file ``lock``, which holds the name of its holder."""

    def __init__(self, folder: Folder, output: Path):
        self._folder = folder
        self._stream = _locked(folder, output)
        try:
            refuse_living_holder(folder, output)
        except BaseException:
            self._stream.close()
            raise

    def check(self) -> None:
        """The kernel takes no lock away."""

    def remove(self) -> None:
        self._folder.remove(KERNEL_LOCK)

    def close(self) -> None:
        self._stream.close()


class _NoLock:
    """No lock at all."""

    def __init__(self, folder: Folder):
        self._folder = folder

    def check(self) -> None:
        """There is nothing to lose."""

    def remove(self) -> None:
        self._folder.remove(KERNEL_LOCK)

    def close(self) -> None:
        """There is nothing to release."""


def _locked(folder: Folder, output: Path) -> BinaryIO:
    while True:
        lock = folder.open(KERNEL_LOCK, os.O_RDWR | os.O_CREAT)
        _lock(lock, folder, output)
        if _is_current(lock, folder):
            return lock
        lock.close()  # the holder before us has removed the file between our opening and locking


def _lock(lock: BinaryIO, folder: Folder, output: Path) -> None:
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = lock.read(200).decode(errors="replace").strip() or "another process"
        lock.close()
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        raise Conflict(
            f"{output}: {holder} is writing it; wait for it to end, or choose another output (its"
            f" lock is {folder.path / KERNEL_LOCK})"
        ) from None
    with contextlib.suppress(OSError):  # the name of the holder is only a help for people
        lock.truncate(0)
        lock.write(process_name().encode())


def _is_current(lock: BinaryIO, folder: Folder) -> bool:
    """Whether the file has its name still, in a folder that has its path still."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(lock.fileno()), folder.stat(KERNEL_LOCK))
    return False
