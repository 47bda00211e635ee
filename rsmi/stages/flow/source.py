"""Where the samples of a flow come from: the interface of its source, and the records that a flow
file keeps of every ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows
from rsmi.errors import UsageError
from rsmi.samples.examination.overlap import refuse_copies
from rsmi.samples.views import SamplesFile
from rsmi.stages.flow.sums import Sums
from rsmi.stages.measurement import MeasuredSource
from rsmi.stages.rule_sequence import RuleSequence
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.summary import separate_chains
from rsmi.store import canonical_json, text_digest


class FlowSource(MeasuredSource, Protocol):
    """A checked request of a flow: the ensembles and the rule of every step.

    `rsmi.stages.flow.from_files.StoredFlow` reads samples from files;
    `rsmi.stages.flow.in_flight.SampledFlow` samples them, measures them and forgets them.
    """

    @property
    def chosen(self) -> RuleSequence:
        """The rule of every step."""

    @property
    def dimension(self) -> int:
        """The number of axes of the lattices."""

    @property
    def doubts(self) -> Sequence[str]:
        """Why the samples may not be those of the stated temperature: clauses."""

    @property
    def names(self) -> list[str]:
        """The names of the ensembles, for messages."""

    def collect(self, session: Session, tasks: Sequence[Named]) -> tuple[Sums, Rows]:
        """The sums of all ensembles, and the other datasets that depend on what the tasks
        measured."""


# ---- records of ensembles ------------------------------------------------------------------------

_COLUMNS = {
    **dict.fromkeys(("coupling", "temperature"), np.float64),
    **dict.fromkeys(("shape", "original_shape", "rg_step"), np.int64),
    "streams": bytes,
    "has_energy": np.uint8,
    "chains": np.int64,
    "whole_chains": np.uint8,
    **dict.fromkeys(("tau_int", "tau_int_error"), np.float64),
}


@dataclass(frozen=True)
class EnsembleRecord:
    """Metadata of the samples of one ensemble: one row of ``/files`` in a flow file.

    SCHEMA.md says what each field means; an unknown coupling or temperature is NaN.
    """

    coupling: float
    temperature: float
    shape: tuple[int, ...]
    original_shape: tuple[int, ...]
    rg_step: int
    streams: str
    has_energy: bool
    chains: int
    whole_chains: bool
    tau_int: float
    tau_int_error: float


def record_table(records: Sequence[EnsembleRecord]) -> Rows:
    """The datasets ``/files/*``: one row for every ensemble."""
    return {f"/files/{name}": _column(records, name, kind) for name, kind in _COLUMNS.items()}


def _column(records: Sequence[EnsembleRecord], name: str, kind: type) -> np.ndarray:
    values = [getattr(record, name) for record in records]
    if kind is bytes:
        return np.array([text.encode() for text in values])
    return np.array(values, kind)


def autocorrelation_time(series: Sequence[np.ndarray], chains: int) -> tuple[float, float]:
    """The longest integrated autocorrelation time of several series, and its error.

    Both are in stored intervals. They are rounded to four digits, so that a file does not depend
    on how a library rounds.
    """
    times = [integrated_autocorrelation_time(separate_chains(values, chains)) for values in series]
    tau, error = max(times, key=lambda pair: pair[0])
    return float(f"{tau:.4g}"), float(f"{error:.4g}")


def stream_identity(origin: str, rg_step: int) -> str:
    """The digest of the random streams behind samples after a number of coarse-graining steps.

    ``origin`` is what `rsmi.engine.keys.origin` returns for the samples.
    """
    return text_digest(canonical_json([origin, rg_step]))


def refuse_equal_streams(sources: Sequence[SamplesFile]) -> None:
    """Raise UsageError if two files hold samples of the same random numbers, or the same
    configurations."""
    seen: dict[str, Path] = {}
    for source in sources:
        identity = stream_identity(source.origin, source.rg_step)
        if identity in seen:
            raise UsageError(
                f"{source.path}: holds the same random streams as {seen[identity]}: sample with"
                " another --seed to add statistics"
            )
        seen[identity] = source.path
    refuse_copies([source.file for source in sources])
