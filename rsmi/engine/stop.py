"""Stopping on request: by a signal, a time limit, or the scheduler's end time.

Long work looks at ``Stop.requested`` between rows.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rsmi.errors import Interrupted, UsageError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_MARGIN = 60.0  # seconds before the scheduler's end time, for writing the checkpoint


class Stop:
    """A request to stop, and its reason.

    Inside `shielded`, a signal only records the request, so that the running row is finished and
    the checkpoint is written. Outside, there is nothing to save, and a signal raises Interrupted at
    once. A second SIGINT always ends the process.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._shielded = False
        self._deadline: tuple[float, str] | None = None

    def install(self) -> None:
        """Handle the signals from now on; this is called before anything slow."""
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def limit(self, seconds: float | None) -> None:
        """Set the deadline: a time limit in seconds or the scheduler's end time, if it is
        earlier."""
        deadlines = []
        if seconds is not None:
            deadlines.append((time.monotonic() + seconds, "time limit reached"))
        end = os.environ.get("SLURM_JOB_END_TIME", "")
        if end.isdigit():
            left = int(end) - time.time() - _MARGIN
            deadlines.append((time.monotonic() + left, "the job's end time is near"))
        self._deadline = min(deadlines, default=None)

    @property
    def requested(self) -> bool:
        """True as soon as a signal has come or the deadline has passed."""
        if self.reason is None and self._deadline is not None:
            deadline, reason = self._deadline
            if time.monotonic() >= deadline:
                self.reason = reason
        return self.reason is not None

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Let the body finish its row and write the checkpoint when a signal comes."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False

    def _handle(self, number: int, frame: object) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.reason = f"stopped by {signal.Signals(number).name}"
        if not self._shielded:
            raise Interrupted(f"{self.reason}; run the same command again to continue")


def parse_duration(text: str) -> float:
    """A duration in seconds.

    The text is a number with an optional unit (``90``, ``90s``, ``15m``, ``2h``, ``1d``), or the
    scheduler's form ``MM:SS`` or ``[D-]HH:MM:SS``.

    Raises
    ------
    UsageError
        If the text has another form, or if the duration is zero.
    """
    plain = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if plain:
        seconds = float(plain[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[plain[2]]
    else:
        clock = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d\d)", text)
        if not clock:
            raise UsageError(f"--time-limit {text!r}: write seconds (90), 15m, 2h or HH:MM:SS")
        days, hours, minutes, rest = (int(group or 0) for group in clock.groups())
        seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    if seconds <= 0:
        raise UsageError("--time-limit must be positive")
    return float(seconds)
