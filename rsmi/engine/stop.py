"""Stopping on request: signals, a time limit, the scheduler's end time. Long work asks
``requested`` between rows."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import contextmanager

from rsmi.errors import Interrupted, UsageError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_MARGIN = 60.0  # seconds before the scheduler's end at which to checkpoint


class Stop:
    """Whether, and why, to stop.

    Inside :meth:`shielded` a signal only leaves a note, so that the running row is finished and the
    checkpoint written; anywhere else there is nothing to save and it raises at once. A second
    SIGINT always ends the process.
    """

    def __init__(self):
        self.reason: str | None = None
        self._shielded = False
        self._deadline: tuple[float, str] | None = None

    def install(self) -> None:
        """Take over the signals; call before anything slow."""
        for number in SIGNALS:
            signal.signal(number, self._handle)

    def limit(self, seconds: float | None) -> None:
        """Set the deadline from a time limit in seconds and from the scheduler's end time,
        whichever is earlier."""
        candidates = []
        if seconds is not None:
            candidates.append((time.monotonic() + seconds, "time limit reached"))
        end = os.environ.get("SLURM_JOB_END_TIME", "")
        if end.isdigit():
            candidates.append(
                (time.monotonic() + int(end) - time.time() - _MARGIN, "the job's end time is near")
            )
        self._deadline = min(candidates, default=None)

    @property
    def requested(self) -> bool:
        """True once a signal has come or the deadline has passed."""
        if (
            self.reason is None
            and self._deadline is not None
            and time.monotonic() >= self._deadline[0]
        ):
            self.reason = self._deadline[1]
        return self.reason is not None

    @contextmanager
    def shielded(self):
        """Finish the row and write the checkpoint before stopping."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False

    def _handle(self, number: int, frame) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.reason = f"stopped by {signal.Signals(number).name}"
        if not self._shielded:
            raise Interrupted(f"{self.reason}; run the same command again to continue")


def parse_duration(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``15m``, ``2h``, ``MM:SS`` or ``[D-]HH:MM:SS`` (the scheduler's
    form)."""
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
