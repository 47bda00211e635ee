"""What can go wrong, and the exit code the command line gives it (README, "Exit codes")."""

from __future__ import annotations

import errno
import re

_MEMORY = "there is not enough memory"
_MODEST = 1 << 25  # bytes
_THREADS = "no further thread or process can be started (see ulimit -u)"
_LACKING = {
    errno.EMFILE: "this process has too many open files (see ulimit -n)",
    errno.ENFILE: "this machine has too many open files",
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: _THREADS,
    errno.EIO: "the disk or the network fails (input/output error)",
    errno.ESTALE: "the file server does not know the file any more",
    errno.ETIMEDOUT: "the file server does not answer",
}


class RsmiError(Exception):
    """Base of every error with one clear sentence for the user; ``exit_code`` is the command's."""

    exit_code = 1


class Failure(RsmiError):
    """The machine said no: disk full, folder missing, permission denied."""


class UsageError(RsmiError):
    """The request cannot be meant: missing input file, impossible geometry or value."""

    exit_code = 2


class DataError(RsmiError):
    """An input is damaged, of the wrong kind, or holds what it must not."""

    exit_code = 65


class Conflict(RsmiError):
    """The output exists with other parameters, or another process is writing it."""

    exit_code = 73


class Interrupted(RsmiError):
    """Stopped on request with the checkpoint written; the same command resumes."""

    exit_code = 75


def errno_of(error: BaseException) -> int | None:
    """The number of an error of the operating system, which HDF5 gives only in its message."""
    number = error.errno if isinstance(error, OSError) else None
    match = re.search(r"errno = (\d+)", str(error))
    return number or (int(match[1]) if match else None)


def shortage(error: BaseException) -> str:
    """What the machine lacks, in words; empty if an error has another cause."""
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return _THREADS
    if "memory allocation failed" in str(error) and _is_short_of_memory():
        return _MEMORY
    return _LACKING.get(errno_of(error) or 0, "")


def _is_short_of_memory() -> bool:
    """Whether a modest allocation fails: HDF5 says the same of absurd sizes in a damaged file."""
    try:
        return not bytearray(_MODEST)
    except MemoryError:
        return True
