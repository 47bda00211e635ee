"""What happens to the workers of tests/test_remote.py; a module of its own, which other processes
find by its name."""

import os
import resource
import signal

from rsmi.store import PartsFolder


def dying(parts: int, function, *orders):
    """A drive whose process dies of SIGKILL right after it committed so many parts; never if there
    are none to commit."""
    commit, committed = PartsFolder.commit, 0

    def counting(*rest):
        nonlocal committed
        commit(*rest)
        committed += 1
        if committed == parts:
            os.kill(os.getpid(), signal.SIGKILL)

    PartsFolder.commit = counting
    if parts == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*orders)


def small_disk():
    """No file may have more than 1000 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
