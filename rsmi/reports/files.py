"""``rsmi info``: what a file says, as numbers for programs and as text for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rsmi.foreign_text import printable
from rsmi.reports import (
    correlation,
    crossing,
    exponent,
    flow,
    samples,
    shards,
    spectrum,
    training,
)
from rsmi.samples.examination.stored import contradictions_of
from rsmi.stages import crossing as crossing_stage
from rsmi.stages import exponent as exponent_stage
from rsmi.stages import merge as merge_stage
from rsmi.stages import sample as sample_stage
from rsmi.stages.flow import summary as flow_stage
from rsmi.stages.spectrum import correlation as correlation_stage
from rsmi.stages.spectrum import summary as spectrum_stage
from rsmi.stages.training import rule_numbers as lambda_stage
from rsmi.stages.training import theta as theta_stage
from rsmi.store import File, as_data_error
from rsmi.store.schema import KINDS


@dataclass(frozen=True)
class Report:
    """How files of one kind are reported.

    Attributes
    ----------
    summary : callable(File) -> dict
        The numbers, as JSON values: the answer of the stage that made the file.
    describe : callable(File) -> list of str
        The same numbers as lines of text.
    """

    summary: Callable[[File], dict[str, Any]]
    describe: Callable[[File], list[str]]


REPORTS = {
    "samples": Report(sample_stage.summary, samples.describe),
    "theta": Report(theta_stage.summary, training.describe_theta),
    "lambda": Report(lambda_stage.summary, training.describe_lambda),
    "flow": Report(flow_stage.summary, flow.describe),
    "exponent": Report(exponent_stage.summary, exponent.describe),
    "crossing": Report(crossing_stage.summary, crossing.describe),
    "spectrum": Report(spectrum_stage.summary, spectrum.describe),
    "correlation": Report(correlation_stage.summary, correlation.describe),
    "samples-shard": Report(merge_stage.summary, shards.describe),
    "flow-shard": Report(merge_stage.summary, shards.describe),
    "spectrum-shard": Report(merge_stage.summary, shards.describe),
    "correlation-shard": Report(merge_stage.summary, shards.describe),
}


def summary(file: File) -> dict[str, Any]:
    """The numbers of a file as JSON values, and its ``kind``.

    Raises
    ------
    DataError
        If the values of the file contradict each other.
    """
    with as_data_error(file.path):
        contradictions = contradictions_of([file])
        return {
            "kind": file.kind,
            **REPORTS[file.kind].summary(file),
            **({"contradictions": contradictions} if contradictions else {}),
        }


def describe(file: File) -> str:
    """The same numbers as text.

    Temperatures are in J/k_B, energies in J and information in nats; 1.0033(70) is a value with its
    standard error.

    Raises
    ------
    DataError
        If the values of the file contradict each other.
    """
    title = f"{printable(str(file.path))}: {file.kind}, {KINDS[file.kind].meaning}"
    return "\n".join([title, "", *lines(file), ""])


def lines(file: File) -> list[str]:
    """The text without its title, line by line; lines of tables know their cells, see
    `rsmi.statistics.notation.Row`."""
    with as_data_error(file.path):
        contradictions = [f"  contradiction: {one}" for one in contradictions_of([file])]
        if file.kind == "samples":  # which describe all that was found
            contradictions = []
        return [*REPORTS[file.kind].describe(file), *contradictions]
