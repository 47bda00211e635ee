"""Where the samples of a spectrum come from: the interface of its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rsmi.engine.request import Request
from rsmi.engine.session import Session
from rsmi.engine.tasks import Named, Rows
from rsmi.stages.joined import Contents
from rsmi.stages.spectrum.functions import ChosenFunctions
from rsmi.stages.spectrum.request import Choices


class SpectrumSource(Protocol):
    """A checked request of a spectrum: the samples, the functions and the fit.

    `rsmi.stages.spectrum.from_files.StoredSpectrum` reads samples from files;
    `rsmi.stages.spectrum.in_flight.SampledSpectrum` samples them, measures them and forgets them.
    """

    @property
    def choices(self) -> Choices:
        """The options of the command."""

    @property
    def functions(self) -> ChosenFunctions:
        """The functions that are measured."""

    @property
    def request(self) -> Request:
        """The file that the command makes."""

    @property
    def system(self) -> Mapping[str, Any]:
        """The attributes of the samples that are the same for all sizes."""

    @property
    def contradictions(self) -> Sequence[str]:
        """What the samples contradict that was let pass: sentences."""

    def plan(self) -> dict[str, Any]:
        """What a run would do."""

    def measure(self, session: Session) -> Sequence[Named]:
        """Run the tasks of the session's shard, or all of them, and return them."""

    def shared(self) -> Rows:
        """The datasets that do not depend on what the tasks measure; every shard has them."""

    def collect(self, session: Session, tasks: Sequence[Named]) -> Contents:
        """What stores the sums, and the other datasets that depend on what the tasks measured."""
