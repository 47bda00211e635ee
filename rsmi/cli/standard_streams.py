"""Standard streams that are closed, full, or that nobody reads.

A daemon or a scheduler may start a command without some of its standard streams. Python then has
None instead of a stream, and the next file that is opened gets the free descriptor, so that a
message of a C library would be written into that file. `guard_standard_streams` opens the null
device under free descriptors, and it decides what a failed write means:

- A result that cannot be printed is a failure. If standard output was closed from the beginning,
  nobody expects a result there, and nothing fails.
- A remark or a warning that cannot be printed is lost, and the run goes on.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any, TextIO

from rsmi.errors import Failure


def guard_standard_streams() -> None:
    """Replace the standard streams of this process.

    Closed output streams become the null device. A closed standard input stays None (see
    `rsmi.cli.common.read_paths`).
    """
    for descriptor in (0, 1, 2):
        _open_if_closed(descriptor)
    sys.stdout = _text_stream(_Results(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text_stream(_Remarks(2, "w", closefd=False), sys.stderr)


def silence_standard_output() -> None:
    """Connect standard output with the null device.

    What its buffer still holds is then dropped quietly when the process ends.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


class _Results(io.FileIO):
    """Standard output: a write that the operating system refuses is a Failure."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Failure(
                f"standard output cannot be written ({os.strerror(error.errno or 0)}): what was to"
                " be printed is lost; an output file, if the command writes one, is complete"
            ) from error


class _Remarks(io.FileIO):
    """Standard error: what cannot be written is dropped."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(content)


def _open_if_closed(descriptor: int) -> None:
    """Open the null device under a descriptor that is free.

    The operating system gives the lowest free descriptor to a new file, and the descriptors below
    this one are open.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)


def _text_stream(raw: io.FileIO, former: TextIO | None) -> io.TextIOWrapper:
    """A text stream over a raw one, with the encoding of the stream that it replaces."""
    encoding = getattr(former, "encoding", None) or "utf-8"
    errors = getattr(former, "errors", None) or "backslashreplace"
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=True
    )
