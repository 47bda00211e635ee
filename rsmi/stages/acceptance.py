"""Whether ``rsmi import`` accepts configurations: what is left out at the beginning of the chains,
and what stops the import."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rsmi import models
from rsmi.engine.shards import RowReader
from rsmi.errors import DataError, UsageError
from rsmi.lattice.packed import pack_mask
from rsmi.samples.examination import Survey, examine, read_survey
from rsmi.samples.examination.stored import report, write_survey
from rsmi.store import Writer

log = logging.getLogger("rsmi")

AUTO = "auto"


class Imported(Protocol):
    """What the rows of an import are."""

    @property
    def samples(self) -> int: ...

    @property
    def chains(self) -> int: ...

    @property
    def in_turns(self) -> int: ...

    @property
    def row_bytes(self) -> int: ...

    @property
    def mask(self) -> np.ndarray | None: ...

    @property
    def energies(self) -> Any: ...

    def attributes(self) -> dict: ...


class ImportedRows:
    """The rows of an import in the order of the output, in which the chains take turns whatever the
    source does; `rsmi.samples.examination.read_survey` reads them.

    Parameters
    ----------
    reader : RowReader
        The rows in the order of the source.
    work : Imported
    """

    def __init__(self, reader: RowReader, work: Imported):
        self._reader, self._work = reader, work
        self._first = 0

    @property
    def count(self) -> int:
        """The number of rows that are left."""
        return self._work.samples - self._first

    def discard(self, steps: int | str) -> int:
        """Leave out the first steps of every chain, and return how many they are."""
        if steps == AUTO:
            attributes = self._work.attributes()
            surveyed = read_survey(self, attributes, models.of(attributes))
            steps = examine(surveyed).equilibration
            log.info("the first %d steps of every chain are left out (--discard auto)", steps)
        self._first = int(steps) * self._work.chains
        return int(steps)

    def __contains__(self, path: str) -> bool:
        if path == "/energy":
            return self._work.energies is not None
        return path == "/spins" or (path == "/mask" and self._work.mask is not None)

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of ``/spins`` or ``/energy``."""
        return (self.count, self._work.row_bytes) if path == "/spins" else (self.count,)

    def read(self, path: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """Rows ``start:stop`` of a dataset."""
        if path == "/mask" and self._work.mask is not None:
            return pack_mask(self._work.mask)
        first = self._first + (start or 0)
        last = self._work.samples if stop is None else min(self._first + stop, self._work.samples)
        name = path.removeprefix("/")
        if self._work.chains == self._work.in_turns:
            return self._reader.read(name, first, last)
        return self._in_turns(name, first, last)

    def _in_turns(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows of all chains in turns. In the source, stretches of ``in_turns`` chains each follow
        one another."""
        chains, width = self._work.chains, self._work.in_turns
        length = self._work.samples * width // chains
        first, last = start // chains, -(-stop // chains)  # steps of every chain
        stretches = [
            self._reader.read(name, begin + first * width, begin + last * width)
            for begin in range(0, self._work.samples, length)
        ]
        steps = [rows.reshape(last - first, width, *rows.shape[1:]) for rows in stretches]
        turns = np.concatenate(steps, axis=1).reshape(-1, *stretches[0].shape[1:])
        return turns[start - first * chains : stop - first * chains]


def steps_to_discard(text: str, steps: int) -> int | str:
    """The value of ``--discard`` for chains of so many steps.

    Raises
    ------
    UsageError
    """
    if text == AUTO:
        return AUTO
    if not text.isdecimal():
        raise UsageError(f"--discard {text}: is neither auto nor a number of steps of every chain")
    if int(text) >= steps:
        raise UsageError(f"--discard {text}: leaves nothing of chains of {steps} steps")
    return int(text)


def accept(writer: Writer, surveyed: Survey, path: Path, trust: bool) -> None:
    """Examine the samples that were written, report what was found, and stop the import if they
    contradict what they are said to be.

    Raises
    ------
    DataError
        If there is a contradiction, unless ``trust`` is given. The file then carries it.
    """
    examination = write_survey(writer, surveyed)
    contradictions = examination.contradictions
    if contradictions and not trust:
        raise DataError(
            f"{path}: not imported, because {'; '.join(contradictions)}. If the samples are what"
            " they are said to be, give --trust: this file and all made from it will then carry the"
            " contradiction"
        )
    report(path, examination)
    if contradictions:
        writer.attribute("contradictions", contradictions)
