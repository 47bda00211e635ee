"""Opening files together with the checks of their model: every stage, report and figure does so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from rsmi import models, store
from rsmi.models.base import Known, Model
from rsmi.store import File

_SEVERAL_COMPONENTS = "an effective coupling is defined for one component per site"


@contextmanager
def open_file(path: str | Path, kind: str | None = None) -> Iterator[File]:
    """Open a file for reading and check that it agrees with the model it names.

    Parameters
    ----------
    path : str or Path
    kind : str, optional
        The required kind; any kind by default.

    Raises
    ------
    UsageError, DataError
        See `rsmi.store.open_file` and `rsmi.models.base.Model.check_file`.
    """
    with store.open_file(path, kind) as file:
        check_model(file)
        yield file


def check_model(file: File) -> None:
    """Raise DataError if samples, or what was learned from them, contradict their model."""
    if file.kind in ("samples", "theta", "lambda"):
        with store.as_data_error(file.path):
            models.of(file.attributes).check_file(file)


def model_of(file: File) -> Model:
    """The model of a file.

    Flow and exponent files before format 1.4 do not name it. They are of the Ising model if a
    coupling is known, and of an unknown model otherwise.
    """
    if "model" in file.attributes or _has_coupling(file):
        return models.of(file.attributes)
    return Model()


def _has_coupling(file: File) -> bool:
    if file.kind == "exponent":
        result = json.loads(bytes(file.read("/result")[()]).decode())
        return result.get("temperature") is not None
    return not np.isnan(file.read("/files/coupling")).all()


def known_of(file: File) -> Known:
    """What is known exactly of the system of a flow or exponent file. An effective coupling of
    several components per site is not."""
    known = model_of(file).known(len(file.attributes["block"]), file.attributes)
    if file.attributes.get("components", 1) == 1:
        return known
    return replace(known, thermometer=None, no_thermometer=_SEVERAL_COMPONENTS)
