"""Stages that measure samples and store sums: `rsmi flow` and `rsmi spectrum`, of files or in
flight."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rsmi.engine.request import Request, RunOptions
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows
from rsmi.stages.flow.sums import OF_CHAINS
from rsmi.stages.joined import Contents

log = logging.getLogger("rsmi")


class MeasuredSource(Protocol):
    """Where the samples come from: a checked request and all that it needs."""

    @property
    def request(self) -> Request:
        """The file that the command makes."""

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all ensembles."""

    @property
    def contradictions(self) -> Sequence[str]:
        """What the samples contradict that was let pass: sentences."""

    def plan(self) -> dict[str, Any]:
        """What a run would do."""

    def measure(self, session: Session) -> Sequence[Named]:
        """Run the tasks of the session's shard, or all of them, and return them."""

    def shared(self) -> Rows:
        """The datasets that do not depend on what the tasks measure; every shard has them."""


def attributes_of(source: MeasuredSource) -> dict[str, Any]:
    """The attributes of a result that say what was measured."""
    return {
        "model": source.system.get("model"),
        "model_parameters": source.system.get("model_parameters"),
        "contradictions": list(source.contradictions) or None,
    }


def run_measurement(
    source: MeasuredSource,
    output: Path,
    options: RunOptions,
    attributes: dict[str, Any],
    contents: Callable[[Session, Sequence[Named]], Contents],
) -> bool:
    """Measure the samples, or resume it, and publish the result or a shard of it.

    Parameters
    ----------
    source : MeasuredSource
    output : Path
    options : RunOptions
    attributes : dict
        Those of the result.
    contents : callable
        Returns what stores the sums, given the session and its finished tasks.

    Returns
    -------
    bool
        Whether a whole result was published now.
    """
    with Session(output, source.request, options) as session:
        if session.complete:
            log.info("%s is complete already", output)
            return False
        tasks = source.measure(session)
        if options.shard is None:
            session.publish(attributes, *contents(session, tasks), source.shared())
        else:
            session.publish_shard(attributes, tasks, source.shared(), OF_CHAINS)
    return options.shard is None
