"""The end of a run says how many CPU seconds its tests took, and which files took most of them.
With `--cpu-seconds FILE` the seconds of all files are written there, a line for each.

The time on the clock depends on what else the machine does; the CPU seconds hardly do. Those of
all processes that a test starts are counted.
"""

from __future__ import annotations

import collections
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SHOWN = 10
_of_files: collections.Counter[str] = collections.Counter()
_before = 0.0


def cpu_seconds() -> float:
    """The CPU seconds of this process, of the ended processes that it has started, and of those
    that the fork server has forked."""
    return sum(os.times()[:4]) + _of_server()


def start() -> None:
    """Count from now on."""
    global _before
    _before = cpu_seconds()


def _of_server() -> float:
    module = sys.modules.get("fork_server")
    if module is None or not module.the_server.cache_info().currsize:
        return 0.0
    stat = _stat_of(module.the_server().pid)
    if stat is None:
        return 0.0
    try:
        fields = os.pread(stat, 1 << 12, 0).decode().rpartition(")")[2].split()
    except ProcessLookupError:  # it has ended
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@functools.cache
def _stat_of(process: int) -> int | None:
    """The descriptor of the file in which Linux counts the CPU time of a process."""
    path = f"/proc/{process}/stat"
    return os.open(path, os.O_RDONLY) if os.path.exists(path) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call) -> Iterator:
    """Every report takes the CPU seconds since the one before to the process that collects them."""
    global _before
    report = yield
    now = cpu_seconds()
    report.cpu_seconds, _before = now - _before, now
    return report


def pytest_runtest_logreport(report) -> None:
    """Add what a report says to the sum of its file."""
    _of_files[report.nodeid.partition("::")[0]] += getattr(report, "cpu_seconds", 0.0)


def pytest_terminal_summary(terminalreporter, config) -> None:
    """Say how many CPU seconds there were, and which files took most of them."""
    if table := config.getoption("--cpu-seconds", None):
        lines = [f"{seconds:7.2f} {name}\n" for name, seconds in _of_files.most_common()]
        Path(table).write_text("".join(lines))
    if len(_of_files) < 2:
        return
    terminalreporter.section(f"{_of_files.total():.0f} CPU seconds without the collection")
    for name, seconds in _of_files.most_common(SHOWN):
        terminalreporter.write_line(f"{seconds:7.1f} {name}")
