"""Processes that are forked instead of started: a command line in a process of its own, in a tenth
of the time.

A server imports rsmi once and forks for every command. The fork has the arguments, the folder, the
environment and the standard streams that were asked for; it runs ``main()`` and ends as an
interpreter does, so that its output, its signals and its exit code are those of a process that was
started. What a fork cannot show is how the interpreter starts: imports, and variables of the
environment that libraries read at once.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn, TextIO

import rsmi

CLOSED = -1  # a standard stream that the process does not have
STREAMS = ("stdin", "stdout", "stderr")
_LONGEST = 1 << 20  # bytes of a request
_Request = dict[str, Any]


# ---- the tests' side -----------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """The variables of a process that imports the rsmi of this one."""
    return {**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parent.parent)}


class ForkServer:
    """The server as a child of this process; it ends when this process does."""

    def __init__(self, environment: dict[str, str]):
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
            )

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._server.pid

    def close(self) -> None:
        """End the server."""
        self._channel.close()
        self._server.wait()

    def fork(self, request: _Request, descriptors: list[int]) -> int:
        """Fork a process; its number."""
        socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
        return int(self._channel.recv(64))


@functools.cache
def the_server() -> ForkServer:
    """The server of all tests, which begins with the first fork."""
    server = ForkServer(environment())
    atexit.register(server.close)
    return server


class ForkedProcess:
    """A command line in a forked process, with those methods of ``subprocess.Popen`` that tests
    use.

    Parameters
    ----------
    arguments : list of str
    prelude : str
        Python that runs before the command.
    environment : dict
    stdin, stdout, stderr : file, int or None
        A file or a descriptor, CLOSED, or None for a pipe.
    """

    def __init__(
        self,
        arguments: list[str],
        prelude: str,
        environment: dict[str, str],
        **streams: Any,
    ):
        self.returncode: int | None = None
        theirs: dict[str, int] = {}
        with contextlib.ExitStack() as stack:
            for name in STREAMS:
                ours = None
                if (given := streams.get(name)) is None:
                    theirs[name], ours = _pipe(name, stack)
                elif given != CLOSED:
                    theirs[name] = given if isinstance(given, int) else given.fileno()
                setattr(self, name, ours)
            self._status, status = os.pipe()
            stack.callback(os.close, status)
            request = {
                "arguments": arguments,
                "prelude": prelude,
                "folder": os.getcwd(),
                "environment": environment,
                "streams": list(theirs),
            }
            self.pid = the_server().fork(request, [*theirs.values(), status])

    stdin: TextIO | None
    stdout: TextIO | None
    stderr: TextIO | None

    def poll(self) -> int | None:
        """The exit code, or None while the process runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the exit code, or the number of the signal below zero."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(["rsmi"], timeout or 0)
            self.returncode = os.waitstatus_to_exitcode(int(os.read(self._status, 64)))
            os.close(self._status)
        return self.returncode

    def communicate(self, text: str | None = None, timeout: float | None = None) -> tuple:
        """Write the standard input, and read all output; the outputs, None if they are no pipes."""
        with ThreadPoolExecutor(3) as pool:
            outputs = [stream and pool.submit(_rest, stream) for stream in self._outputs]
            if self.stdin is not None:
                pool.submit(_fill, self.stdin, text or "")
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return tuple(output and output.result() for output in outputs)

    @property
    def _outputs(self) -> tuple[TextIO | None, TextIO | None]:
        return self.stdout, self.stderr

    def send_signal(self, number: int) -> None:
        """Send a signal, if the process still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _pipe(name: str, stack: contextlib.ExitStack) -> tuple[int, TextIO]:
    """Their end of a pipe, which the stack closes, and ours."""
    reading, writing = os.pipe()
    theirs, ours = (reading, writing) if name == "stdin" else (writing, reading)
    stack.callback(os.close, theirs)
    return theirs, open(ours, "w" if name == "stdin" else "r")


def _rest(stream: TextIO) -> str:
    with stream:
        return stream.read()


def _fill(stream: TextIO, text: str) -> None:
    with contextlib.suppress(BrokenPipeError), stream:
        stream.write(text)


# ---- the server's side ---------------------------------------------------------------------------


def serve(channel: socket.socket) -> _Request:
    """Fork for every request until the tests end; the request, in the fork."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    running: dict[int, int] = {}  # the pipe for the status of every fork
    while True:
        ready, _, _ = select.select([channel, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _tell_ends(running)
        if channel in ready:
            message, descriptors, _, _ = socket.recv_fds(channel, _LONGEST, len(STREAMS) + 1)
            if not message:
                sys.exit()
            *streams, status = descriptors
            if b'"plot"' in message or b'"report"' in message:
                preload(figures=True)
            if (pid := os.fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                request = json.loads(message)
                _take_streams(dict(zip(request["streams"], streams)))
                _close(channel.detach(), woken, wake, *descriptors, *running.values())
                return request
            running[pid] = status
            _close(*streams)
            channel.send(str(pid).encode())


def _tell_ends(running: dict[int, int]) -> None:
    """Write the status of all forks that have ended."""
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            pipe = running.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(pipe, str(status).encode())
            os.close(pipe)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _take_streams(given: dict[str, int]) -> None:
    """Make the standard streams of this process those of the request, as an interpreter does."""
    for number, name in enumerate(STREAMS):
        if name in given:
            os.dup2(given[name], number)
        else:
            os.close(number)
    sys.stdin = open(0, closefd=False) if "stdin" in given else None
    sys.stdout = open(1, "w", closefd=False) if "stdout" in given else None
    errors = {"errors": "backslashreplace", "buffering": 1, "closefd": False}
    sys.stderr = open(2, "w", **errors) if "stderr" in given else None


@functools.cache
def preload(figures: bool) -> None:
    """Import all of rsmi that needs matplotlib, or all that does not."""
    for module in pkgutil.walk_packages(rsmi.__path__, "rsmi."):
        drawing = "figure" in module.name or "rsmi.pages" in module.name
        if drawing == figures and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def main() -> NoReturn:
    """Serve; in a fork, run the command line."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    preload(figures=False)
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["rsmi", *request["arguments"]]
    exec(request["prelude"], {"__name__": "__main__"})
    try:
        importlib.import_module("rsmi.cli").main()
    except SystemExit as end:
        _end(end.code)
        raise
    sys.exit()


def _end(code: Any) -> None:
    """End as an interpreter does, but without clearing its modules, which takes longer than a
    short command. Return if a stream cannot be flushed: then the interpreter shall complain."""
    threading._shutdown()
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        if isinstance(code, int):
            os._exit(code)


if __name__ == "__main__":
    main()
