"""One folder for each model, and what all models have in common.

There are two places for a model. It is a folder of this package, named like the model with ``_``
for ``-``, whose ``__init__.py`` offers ``MODEL``; or another package that is installed has an entry
point of the group ``rsmi.models``, named like the model, that leads to a
`rsmi.models.base.Model`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import logging
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rsmi.errors import Failure, UsageError

if TYPE_CHECKING:
    from rsmi.models.base import Model

GROUP = "rsmi.models"  # the group of entry points
DEFAULT = "ising"  # the model of `rsmi sample` if --model is not given
_OF_OLD_FLOWS = "ising"  # flow and exponent files before format 1.4 did not name their model

log = logging.getLogger("rsmi")


@functools.cache
def built_in() -> tuple[str, ...]:
    """Return the names of the models of this package, the default one first."""
    modules = pkgutil.iter_modules(__path__)
    folders = [module.name.replace("_", "-") for module in modules if module.ispkg]
    return tuple(sorted(folders, key=lambda name: (name != DEFAULT, name)))


@functools.cache
def installed() -> dict[str, importlib.metadata.EntryPoint]:
    """Return the entry points of the models of other packages, by name."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {point.name: point for point in sorted(points, key=lambda point: point.name)}


def names() -> tuple[str, ...]:
    """Return the names of all models."""
    return *built_in(), *(name for name in installed() if name not in built_in())


@functools.cache
def get(name: str) -> Model:
    """Return the model of a name.

    Raises
    ------
    UsageError
        If there is no such model.
    Failure
        If its package cannot be imported, or the entry point leads to something else.
    """
    if name in built_in():
        return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").MODEL
    if name not in installed():
        raise UsageError(f"--model {name}: there is no such model; there are {', '.join(names())}")
    return _load(installed()[name])


def _load(point: importlib.metadata.EntryPoint) -> Model:
    from rsmi.models.base import Model

    try:
        model = point.load()
    except Exception as error:  # a package of somebody else may raise anything
        raise Failure(
            f"--model {point.name}: {point.value} cannot be imported"
            f" ({type(error).__name__}: {error})"
        ) from error
    model = model() if isinstance(model, type) else model
    if not isinstance(model, Model) or model.name != point.name:
        raise Failure(
            f"--model {point.name}: {point.value} is not a rsmi.models.base.Model of this name"
        )
    return model


def of(attributes: Mapping[str, Any]) -> Model:
    """Return the model that the attributes of a file name. A model that is unknown, or cannot be
    imported, gives the neutral answers of `rsmi.models.base.Model`."""
    from rsmi.models.base import Model

    name = attributes.get("model", _OF_OLD_FLOWS)
    if name in built_in():
        return get(name)
    if name in installed():
        try:
            return get(name)
        except Failure as error:
            log.warning("%s: its files are read as samples of an unknown model", error)
    return Model(name)
