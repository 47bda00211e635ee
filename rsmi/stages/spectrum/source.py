"""Where the samples of a spectrum come from: the interface of its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rsmi.engine.session import Session
from rsmi.engine.tasks import Named
from rsmi.stages.joined import Contents
from rsmi.stages.measurement import MeasuredSource
from rsmi.stages.spectrum.chosen import ChosenFunctions
from rsmi.stages.spectrum.request import Choices


class SpectrumSource(MeasuredSource, Protocol):
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

    def collect(self, session: Session, tasks: Sequence[Named]) -> Contents:
        """What stores the sums, and the other datasets that depend on what the tasks measured."""
