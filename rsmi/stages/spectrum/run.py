"""The run of a spectrum from any source, and the join of its shards."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from rsmi.engine.request import RunOptions
from rsmi.engine.session import Session
from rsmi.samples.files import open_file
from rsmi.stages.flow.sums import OF_CHAINS
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.spectrum import from_files, in_flight
from rsmi.stages.spectrum.layouts import layout_of
from rsmi.stages.spectrum.source import SpectrumSource
from rsmi.stages.spectrum.summary import summary
from rsmi.store import File

log = logging.getLogger("rsmi")


def run(source: SpectrumSource, output: Path, options: RunOptions) -> None:
    """Measure the spectrum, or resume it."""
    with Session(output, source.request, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        tasks = source.measure(session)
        if options.shard is not None:
            session.publish_shard(_attributes(source), tasks, source.shared(), OF_CHAINS)
        else:
            stored = source.collect(session, tasks)
            session.publish(_attributes(source), *stored, source.shared())
    if options.shard is None and not source.choices.correlation:
        _warn(output)


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    sampled = "sampled" in shard.parameters
    return in_flight.join(session, shard) if sampled else from_files.join(session, shard)


def _attributes(source: SpectrumSource) -> dict[str, Any]:
    return {
        "model": source.system.get("model"),
        "model_parameters": source.system.get("model_parameters"),
        "contradictions": list(source.contradictions) or None,
        **layout_of(source.choices).attributes(source.functions),
    }


def _warn(output: Path) -> None:
    """Log what a reader of the numbers must know."""
    with open_file(output) as file:
        for sentence in summary(file)["remarks"]:
            log.warning("%s: %s", output, sentence)
