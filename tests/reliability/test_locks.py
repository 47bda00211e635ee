"""The lock of an output where the file system has no locks of the kernel, and the setting that
chooses a lock."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import SAMPLE, process

from rsmi.errors import Conflict
from rsmi.store import PartsFolder, exclusive_lock, open_file

LINE = [*SAMPLE.split(), "--samples", "48", "--seed", "9", "-o", "out.h5"]
LOCK = Path("out.h5.parts/lock.exclusive")
CODES = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
# What a process runs before the command so that its file system has no locks.
NO_LOCKS = """
import errno, fcntl, os
def refuse(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.lockf = refuse
"""
# What it runs so that every row becomes a part.
EVERY_ROW = """
from rsmi.engine import session
from rsmi.engine.tasks import Limits
session.LIMITS = Limits(checkpoint_seconds=0.0, quantum_seconds=0.0)
"""


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks, for this process."""

    def install(code: int = errno.ENOLCK) -> None:
        def refuse(*_):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(fcntl, "lockf", refuse)

    return install


@pytest.fixture
def holder(workplace):
    """The lock of a process that was killed: as it is, or after a change of its fields."""

    def leave(age: float = 0.0, **fields: object) -> None:
        folder = PartsFolder(Path("out.h5"))
        folder.path.mkdir(exist_ok=True)
        LOCK.write_text(json.dumps(json.loads(exclusive_lock._own_content()) | fields))
        moment = time.time() - age
        os.utime(LOCK, (moment, moment))

    return leave


def dead_process() -> int:
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize("code", CODES)
def test_work_goes_on_without_locks_of_the_kernel(code, no_locks, workplace, here):
    no_locks(code)
    result = here(*LINE)
    assert result.code == 0
    assert f"the file {LOCK} guards the output" in result.err.replace(str(workplace) + "/", "")
    assert [path.name for path in workplace.iterdir()] == ["out.h5"]


def test_other_errors_of_the_lock_are_errors(no_locks, workplace, here):
    no_locks(errno.EIO)
    assert here(*LINE).code == 1


def test_the_kernel_is_required_on_demand(no_locks, workplace, here, monkeypatch):
    monkeypatch.setenv("RSMI_FILE_LOCKING", "fcntl")
    assert here(*LINE).code == 0
    no_locks()
    result = here(*LINE, "--seed", 1, "--force")
    assert result.code == 1
    assert "cannot lock out.h5.parts/lock (No locks available)" in result.sentence
    assert "set RSMI_FILE_LOCKING=exclusive" in result.sentence


@pytest.mark.parametrize("setting", ["exclusive", "none", "auto", ""])
def test_settings(setting, workplace, here, monkeypatch):
    monkeypatch.setenv("RSMI_FILE_LOCKING", setting)
    result = here(*LINE)
    assert result.code == 0
    assert ("make sure that no other process writes" in result.err) == (setting == "none")
    assert [path.name for path in workplace.iterdir()] == ["out.h5"]


def test_unknown_setting(workplace, here, monkeypatch):
    monkeypatch.setenv("RSMI_FILE_LOCKING", "flock")
    result = here(*LINE)
    assert (result.code, "write one of auto, fcntl" in result.sentence) == (2, True)


@pytest.mark.parametrize("setting", ["auto", "exclusive", "fcntl"])
def test_two_writers_exclude_each_other(setting, workplace, here, monkeypatch):
    """A file that a living process renews hinders every kind of lock; the message names it."""
    holding = PartsFolder(Path("out.h5"))
    with monkeypatch.context() as patch:
        patch.setenv("RSMI_FILE_LOCKING", "exclusive")
        holding.acquire()
    monkeypatch.setenv("RSMI_FILE_LOCKING", setting)
    result = here(*LINE)
    assert result.code == 73
    assert f"process {os.getpid()} on" in result.sentence
    assert f"its lock {LOCK}" in result.sentence and "free 120 s after" in result.sentence
    holding.release()
    assert here(*LINE).code == 0


def test_a_killed_writer_on_this_machine(workplace, here, no_locks):
    """SIGKILL leaves the lock; the next run takes it over at once and resumes the work."""
    line = [*LINE[:-4], "--samples", "4000000", "-o", "out.h5"]
    child = process(line, NO_LOCKS + EVERY_ROW)
    deadline = time.monotonic() + 60
    while not list(workplace.glob("out.h5.parts/chain-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    no_locks()
    assert here(*line).code == 73  # it lives
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert LOCK.exists()
    result = here(*line, "--time-limit", "0.01s")
    assert (result.code, "resuming" in result.err) == (75, True)
    assert not LOCK.exists()


@pytest.mark.parametrize(
    ("age", "fields", "code"),
    [
        (0, {"pid": None}, 0),  # a dead process of this machine
        (90, {"machine": "elsewhere"}, 73),
        (121, {"machine": "elsewhere"}, 0),
        (121, {}, 0),  # a living process of this machine that was suspended, or another one
        (-3600, {"machine": "elsewhere"}, 73),
        (0, {"pid": "text"}, 73),
        (0, {"pid": 10**30}, 73),
    ],
)
def test_stale_locks(age, fields, code, holder, here, no_locks):
    no_locks()
    holder(age, **{name: value or dead_process() for name, value in fields.items()})
    assert here(*LINE).code == code


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b'{"pid": {}}', b"9" * 9000])
def test_locks_that_name_nobody(content, holder, here, no_locks):
    """A process may be killed between the creation and the writing of its lock."""
    no_locks()
    holder()
    LOCK.write_bytes(content)
    assert "another process is writing it" in here(*LINE).sentence
    os.utime(LOCK, (0, 0))
    assert here(*LINE).code == 0


def test_the_lock_is_renewed(workplace, monkeypatch):
    monkeypatch.setenv("RSMI_FILE_LOCKING", "exclusive")
    monkeypatch.setattr(exclusive_lock, "HEARTBEAT_SECONDS", 0.01)
    folder = PartsFolder(Path("out.h5"))
    folder.acquire()
    os.utime(LOCK, (0, 0))
    deadline = time.monotonic() + 30
    while LOCK.stat().st_mtime == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert LOCK.stat().st_mtime > 0
    folder.release()


def test_a_suspended_writer_notices_that_it_lost_the_lock(holder, no_locks):
    """It writes no part and publishes nothing, and it leaves the lock of the other one alone."""
    no_locks()
    suspended = PartsFolder(Path("out.h5"))
    suspended.acquire()
    os.utime(LOCK, (0, 0))
    other = PartsFolder(Path("out.h5"))
    other.acquire()
    with pytest.raises(Conflict, match="another process has taken over the lock"):
        suspended.commit("chain-0000", 0, 1, {}, {})
    suspended.release()
    other.check_lock()
    other.release()
    assert not Path("out.h5.parts").exists()


def test_a_lock_that_was_taken_over_meanwhile_is_put_back(holder, no_locks, monkeypatch):
    """Two processes find the same stale lock; the slower one must not remove the new lock."""
    no_locks()
    holder(age=500, machine="elsewhere")
    rename, locks = os.rename, []

    def late(source, target, **settings):
        monkeypatch.setattr(os, "rename", rename)
        faster = PartsFolder(Path("out.h5"))
        faster.acquire()
        locks.append(faster)
        rename(source, target, **settings)

    monkeypatch.setattr(os, "rename", late)
    slower = PartsFolder(Path("out.h5"))
    with pytest.raises(Conflict):
        slower.acquire()
    locks[0].check_lock()
    locks[0].release()


PRELOADED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#define WRAP(name)                                                                   \
    int name(int fd, int command, ...)                                               \
    {                                                                                \
        va_list rest;                                                                \
        va_start(rest, command);                                                     \
        void *argument = va_arg(rest, void *);                                       \
        va_end(rest);                                                                \
        if (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK)     \
            return errno = ENOLCK, -1;                                               \
        return ((int (*)(int, int, ...))dlsym(RTLD_NEXT, #name))(fd, command, argument); \
    }
WRAP(fcntl)
WRAP(fcntl64)
int flock(int fd, int operation) { return errno = ENOSYS, -1; }
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None,
    reason="a library is preloaded on Linux, and a compiler makes it",
)
def test_a_pipeline_on_a_file_system_without_locks(workplace, cli):
    """Every system call of the locks fails, for HDF5 also."""
    Path("locks.c").write_text(PRELOADED)
    options = ["-shared", "-fPIC", "-w", "-U_FILE_OFFSET_BITS", "-o", "locks.so", "locks.c", "-ldl"]
    subprocess.run(["cc", *options], check=True)
    setting = {"env": {"LD_PRELOAD": str(workplace / "locks.so")}, "fresh": True}
    assert cli(*LINE, **setting).code == 0
    coarse = cli("coarse-grain", "out.h5", "--rule", "majority", "-o", "coarse.h5", **setting)
    assert coarse.code == 0
    assert cli("info", "coarse.h5", "--verify", **setting).out == "ok\n"
    with open_file(Path("coarse.h5")) as file:
        file.verify()
