"""Examinations in samples files: written with the samples, read by everything built on them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.samples.examination import examine
from rsmi.samples.examination.findings import Examination, decode
from rsmi.samples.examination.survey import Stored, Survey, read_survey
from rsmi.store import File, Writer

log = logging.getLogger("rsmi")

EXAMINATION = "/provenance/examination"
FINGERPRINTS = "/provenance/fingerprints"


def write(writer: Writer, attributes: Mapping[str, Any]) -> Examination:
    """Examine the samples that were just written, and store the findings beside them.

    Parameters
    ----------
    writer : Writer
        ``/spins`` and, if there are such, ``/energy`` and ``/mask`` are complete.
    attributes : mapping
        Those of the samples file.
    """
    return write_survey(writer, _survey(writer, attributes))


def write_survey(writer: Writer, surveyed: Survey) -> Examination:
    """Examine samples that were surveyed while they were written, and store the findings."""
    examination = examine(surveyed)
    _write(writer, examination, surveyed.sketch.smallest())
    return examination


def pass_on(writer: Writer, source: File) -> None:
    """Store the findings on the samples that the new ones are made from, which hold for them
    too."""
    _write(writer, of_file(source), fingerprints_of(source))


def _write(writer: Writer, examination: Examination, prints: NDArray[np.uint64]) -> None:
    writer.write(EXAMINATION, np.bytes_(examination.encoded()))
    writer.write(FINGERPRINTS, prints)


def _survey(stored: Stored, attributes: Mapping[str, Any]) -> Survey:
    return read_survey(stored, attributes, models.of(attributes))


def of_file(file: File) -> Examination:
    """The examination of a samples file; files that store none are examined now.

    Raises
    ------
    DataError
        If what is stored is damaged.
    """
    if EXAMINATION in file:
        return decode(bytes(file.read(EXAMINATION)[()]), str(file.path))
    return examine(_survey(file, file.attributes))


def fingerprints_of(file: File) -> NDArray[np.uint64]:
    """The smallest fingerprints of the configurations of a samples file, sorted."""
    if FINGERPRINTS in file:
        return np.sort(file.read(FINGERPRINTS))
    return _survey(file, file.attributes).sketch.smallest()


def contradictions_of(files: Iterable[File]) -> list[str]:
    """What samples contradict that `import --trust` let pass, each sentence once."""
    sentences = (one for file in files for one in file.attributes.get("contradictions", ()))
    return list(dict.fromkeys(sentences))


def warn(file: File) -> Examination:
    """Repeat what was found on samples, one line each, for everything that is built on them."""
    return report(file.path, of_file(file))


def report(path: Path, examination: Examination) -> Examination:
    """Log the findings on the samples of a file."""
    for sentence in examination.sentences:
        log.warning("%s: %s", path, sentence)
    return examination
