"""A first look at a file of others, in a process that may die of it.

The library HDF5 believes much of what a file says of itself, and a forged file can make it crash,
run without end, or take all memory. A command therefore lets a forked process open and close the
file first, in exactly the way in which it opens the file afterwards: the memory of both processes
is the same at the fork, so that both come to the same end. If the forked process dies, the command
refuses the file and goes on living. The look takes 15 to 30 ms; `enable` turns it on in processes
that run one command. Functions that are called from Python do not fork, because their process may
have threads of any kind. Those of a command, which renew a lock or a progress bar or talk to dask,
do not exist in the forked process; should it wait for one of them, it ends after `_PATIENCE`.

A file is looked at once. Files that this process has written are not looked at.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from rsmi.errors import DataError, Failure

_MEMORY = 1 << 30  # bytes beyond those that the process has, and the size of the file
_CPU_SECONDS = 5  # beyond the time that reading the file takes
_BYTES_PER_SECOND = 10_000_000
_PATIENCE = 60  # seconds, where another thread may have held a lock at the fork
_GREEDY = 3  # the exit code of a process that lacked memory

_enabled = False
_trusted: set[tuple[int, int, int]] = set()


def enable() -> None:
    """Look at every file from now on."""
    global _enabled
    _enabled = True


def trust(path: Path) -> None:
    """Note that this process has written a file."""
    if _enabled:
        _trusted.add(_stamp(path))


def look(path: Path, read: Callable[[Path], object]) -> None:
    """Call ``read`` with the path in a forked process, unless the file was looked at already.

    Whether ``read`` returns or raises does not matter, unless memory is lacking: this process looks
    for errors itself. Where no process can be forked, or it waits for a thread, there is no look.

    Raises
    ------
    DataError
        If the process died, or if it could not have the memory that the file asks for.
    Failure
        The latter where memory is limited, so that the file need not be damaged. This process does
        not try: HDF5 may die where an allocation fails.
    """
    if not _enabled or (stamp := _stamp(path)) in _trusted:
        return
    patience = _PATIENCE if threading.active_count() > 1 else 0
    try:
        child = os.fork()
    except OSError:
        return
    if child == 0:
        _read_and_end(path, read, patience)
    code = os.waitstatus_to_exitcode(_ended(child))
    if code == -signal.SIGALRM:
        return
    _judge(path, code)
    _trusted.add(stamp)


def _judge(path: Path, code: int) -> None:
    if code < 0:
        name = signal.Signals(-code).name
        raise DataError(
            f"{path}: damaged or forged: HDF5 dies of reading it ({name} in a process that was"
            " there for it)"
        )
    if code != _GREEDY:
        return
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        raise DataError(
            f"{path}: damaged or forged: it asks for more than {_MEMORY >> 30} GiB of memory beyond"
            " its size"
        )
    raise Failure(
        f"{path}: cannot be read: there is not enough memory for all that it asks for (see ulimit"
        " -v)"
    )


def _stamp(path: Path) -> tuple[int, int, int]:
    facts = os.stat(path)
    return facts.st_dev, facts.st_ino, facts.st_mtime_ns


def _ended(child: int) -> int:
    """Wait for the process; a signal that ends this process ends it too."""
    try:
        return os.waitpid(child, 0)[1]
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def _read_and_end(path: Path, read: Callable[[Path], object], patience: int) -> None:
    """Read quietly and with limits, and end without tidying up what belongs to the parent."""
    global _enabled
    code = 0
    try:
        signal.alarm(patience)
        _enabled = False
        faulthandler.disable()
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(null, stream)
        with contextlib.suppress(OSError):  # a system without /proc
            _limit(os.stat(path).st_size)
        read(path)
    except BaseException as error:
        code = _GREEDY * _is_about_memory(error)
    finally:
        os._exit(code)


def _is_about_memory(error: BaseException | None) -> bool:
    """Whether an error or one of its causes is a lack of memory."""
    while error is not None:
        if isinstance(error, MemoryError) or "memory allocation failed" in str(error):
            return True
        error = error.__cause__
    return False


def _limit(size: int) -> None:
    with open("/proc/self/statm") as table:
        present = int(table.read().split()[0]) * resource.getpagesize()
    seconds = int(sum(os.times()[:2])) + _CPU_SECONDS + size // _BYTES_PER_SECOND
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: present + _MEMORY + size,
    }
    for kind, value in limits.items():
        soft, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (value if soft < 0 else min(value, soft), hard))
