"""Configurations that several files have in common."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

from rsmi.errors import UsageError
from rsmi.samples.examination.fingerprints import shared
from rsmi.samples.examination.stored import fingerprints_of, of_file
from rsmi.store import File

log = logging.getLogger("rsmi")

_LEAST_SHARE = 0.02  # of the configurations of the smaller file
_MOST_SHARE = 0.5  # more than that is no accident
_CHANCE = 5.0  # times as often as within one file


def refuse_copies(files: Sequence[File]) -> None:
    """Compare samples files of one coarse-graining step by the fingerprints of configurations.

    Raises
    ------
    UsageError
        If most configurations of a file are also in another one, in whatever format they came. A
        smaller share is a warning.
    """
    if len(files) < 2:
        return
    prints = {file.path: fingerprints_of(file) for file in files}
    for one, other in itertools.combinations(files, 2):
        if any(one.attributes[name] != other.attributes[name] for name in ("shape", "rg_step")):
            continue
        share = shared(prints[one.path], prints[other.path])
        if share > _LEAST_SHARE and share > _CHANCE * _repeated(one, other):
            _refuse(one, other, share)


def _repeated(one: File, other: File) -> float:
    """How often configurations are repeated within the files, as by chance."""
    return max(of_file(file).repeated for file in (one, other))


def _refuse(one: File, other: File, share: float) -> None:
    sentence = (
        f"{other.path}: {100 * share:.0f} % of the configurations are also in {one.path}: errors"
        " come out too small: give every configuration once"
    )
    if share > _MOST_SHARE:
        raise UsageError(sentence)
    log.warning("%s", sentence)
