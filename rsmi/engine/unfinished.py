"""Unfinished work: the parts that an earlier run of the same command has left."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from rsmi.engine.request import Request, RunOptions
from rsmi.errors import Conflict, DataError, RsmiError
from rsmi.store import PartsFolder

log = logging.getLogger("rsmi")


def claim_parts(parts: PartsFolder, request: Request, options: RunOptions) -> None:
    """Resume the unfinished work of a request, or begin.

    Raises
    ------
    Conflict
        If the parts belong to another request and ``force`` is off.
    DataError
        If the record of the work cannot be read, or is of an old version, and ``force`` is off.
    """
    parts.sweep()
    job = _present_job(parts, options)
    if job is None:
        parts.clear()  # nothing was done yet, or a process was killed while it dropped its work
    elif _continues(job, request, options):
        log.info("resuming %s", parts.output)
    elif options.force:
        parts.clear()
    else:
        raise Conflict(
            f"{parts.path}: unfinished work with {request.difference(job, options.shard)}: use"
            " --force to drop it, or choose another output"
        )
    parts.set_job(request.job(options.shard))


def remove_leftovers(parts: PartsFolder, request: Request, options: RunOptions) -> None:
    """Remove the parts of a run that was killed just after it had published the output.

    The parts of a longer run stay.
    """
    with contextlib.suppress(RsmiError, OSError):
        if parts.path.exists():
            parts.acquire()
            job = parts.job()
            if job is None or request.difference(job, options.shard) is None:
                parts.remove()
            parts.release()


def _present_job(parts: PartsFolder, options: RunOptions) -> dict[str, Any] | None:
    if parts.empty:
        return None
    try:
        return parts.job()
    except DataError:
        if not options.force:
            raise
        return None


def _continues(job: dict[str, Any], request: Request, options: RunOptions) -> bool:
    """Whether the parts of a job are parts of this request."""
    shard = options.shard
    return request.difference(job, shard) is None or request.extends(job, shard)
