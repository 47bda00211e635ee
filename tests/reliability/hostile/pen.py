"""A pen: a function is called on many files in forked processes with little memory and time. A
crash of HDF5 itself is seen, and named by the number of the mutant."""

import collections
import contextlib
import os
import pickle
import resource
import shutil
import signal
import traceback

MEMORY = 400 << 20  # bytes beyond what the process has already
CPU_SECONDS = 20  # of one mutant
PATIENCE = 200  # seconds that it may wait for something
MOST_DEATHS = 20  # of pens before giving up


def in_pen(numbers, work, memory=MEMORY) -> tuple[collections.Counter, list[str]]:
    """Call ``work(number)`` for all ``numbers`` in forked processes.

    Returns
    -------
    outcomes : Counter
        Of what ``work`` returned.
    escapes : list of str
        What went wrong: an exception, or the signal that the process died of.
    """
    outcomes, escapes, left = collections.Counter(), [], list(numbers)
    while left and len(escapes) < MOST_DEATHS:
        done, ending = _one_pen(left, work, memory)
        for outcome in done:
            outcomes[outcome] += 1
        left = left[len(done) :]
        if ending:
            escapes.append(f"mutant {left[0]}: {ending}" if left else ending)
            left = left[1:]
    return outcomes, escapes


def in_pens(numbers, work, memory=MEMORY) -> tuple[collections.Counter, list[str]]:
    """As `in_pen`, one pen a core, each in a folder of its own."""
    cores, children = len(os.sched_getaffinity(0)), []
    for core in range(cores):
        os.makedirs(f"pen-{core}", exist_ok=True)
        children.append(os.fork())
        if children[-1] == 0:
            os.chdir(f"pen-{core}")
            with open("found", "wb") as stream:
                pickle.dump(
                    in_pen(
                        numbers[core * len(numbers) // cores : (core + 1) * len(numbers) // cores],
                        work,
                        memory,
                    ),
                    stream,
                )
            os._exit(0)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    found = []
    for core in range(cores):
        with open(f"pen-{core}/found", "rb") as stream:
            found.append(pickle.load(stream))
    return sum((outcomes for outcomes, _ in found), collections.Counter()), [
        escape for _, escapes in found for escape in escapes
    ]


def _one_pen(numbers, work, memory) -> tuple[list, str]:
    """Outcomes up to the first escape, and that."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "wb") as stream:
            _in_child(numbers, work, memory, stream)
        os._exit(0)
    os.close(writer)
    done, ending = [], ""
    with os.fdopen(reader, "rb") as stream, contextlib.suppress(EOFError, pickle.UnpicklingError):
        while True:
            kind, value = pickle.load(stream)
            if kind == "escape":
                ending = value
            else:
                done.append(value)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        ending = f"died of {signal.Signals(os.WTERMSIG(status)).name}"
    elif not ending and len(done) < len(numbers):
        ending = f"ended with status {status}"
    return done, ending


def _in_child(numbers, work, memory, stream) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory is not None:
        with open("/proc/self/statm") as table:
            now = int(table.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + memory, resource.RLIM_INFINITY))
    for number in numbers:
        used = sum(os.times()[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_SECONDS, resource.RLIM_INFINITY))
        signal.alarm(PATIENCE)
        try:
            answer = "done", work(number)
        except BaseException:
            answer = "escape", traceback.format_exc()
        pickle.dump(answer, stream)
        stream.flush()
        if answer[0] == "escape":
            return


def fresh(source, target="mutant.h5"):
    """A copy to spoil."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(target)
    return shutil.copy(source, target)
