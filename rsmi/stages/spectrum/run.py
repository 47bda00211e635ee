"""The run of a spectrum from any source, and the join of its shards."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsmi.engine.request import RunOptions
from rsmi.samples.files import open_file
from rsmi.stages.joined import Contents, JoinedSession
from rsmi.stages.measurement import attributes_of, run_measurement
from rsmi.stages.spectrum import from_files, in_flight
from rsmi.stages.spectrum.layouts import layout_of
from rsmi.stages.spectrum.source import SpectrumSource
from rsmi.stages.spectrum.summary import summary
from rsmi.store import File

log = logging.getLogger("rsmi")


def run(source: SpectrumSource, output: Path, options: RunOptions) -> None:
    """Measure the spectrum, or resume it."""
    layout = layout_of(source.choices)
    functions = layout.attributes(source.functions)
    attributes = {**attributes_of(source), **_states(source.system), **functions}
    whole = run_measurement(source, output, options, attributes, source.collect)
    if whole and not source.choices.correlation:
        _warn(output)


def _states(system: Mapping[str, Any]) -> dict[str, Any]:
    """What says of which kind variables with more than two states are."""
    if system.get("states", 2) == 2:
        return {}
    return {name: system[name] for name in ("states", "symmetry") if name in system}


def join(session: JoinedSession, shard: File) -> Contents:
    """What stores the sums of all streams of the session; ``shard`` is one of its shards."""
    sampled = "sampled" in shard.parameters
    return in_flight.join(session, shard) if sampled else from_files.join(session, shard)


def _warn(output: Path) -> None:
    """Log what a reader of the numbers must know."""
    with open_file(output) as file:
        for sentence in summary(file)["remarks"]:
            log.warning("%s: %s", output, sentence)
