"""One folder for each model, and what all models have in common.

There are three places for a model. It is a folder of this package, named like the model with ``_``
for ``-``, whose ``__init__.py`` offers ``MODEL``; or another package that is installed has an entry
point of the group ``rsmi.models``, named like the model, that leads to a
`rsmi.models.base.Model`; or it is defined by a model file, which one of the folders reads. Model
files that come with this package are models by name too. Samples of a model file bear the name of
the folder, and hold the definition.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import logging
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsmi.errors import Failure, UsageError

if TYPE_CHECKING:
    from rsmi.models.base import Model

GROUP = "rsmi.models"  # the group of entry points
DEFAULT = "ising"  # the model of `rsmi sample` if --model is not given
SUFFIX = ".toml"  # of model files
_OF_FILES = "lattice"  # the folder that reads model files; its own are in presets/
_OF_OLD_FLOWS = "ising"  # flow and exponent files before format 1.4 did not name their model

log = logging.getLogger("rsmi")


@functools.cache
def built_in() -> tuple[str, ...]:
    """Return the names of the models of this package, the default one first."""
    modules = pkgutil.iter_modules(__path__)
    folders = [module.name.replace("_", "-") for module in modules if module.ispkg]
    return tuple(sorted(folders, key=lambda name: (name != DEFAULT, name)))


@functools.cache
def presets() -> dict[str, Path]:
    """Return the model files of this package, by the name of the model."""
    files = Path(__file__).parent.joinpath(_OF_FILES, "presets").glob(f"*{SUFFIX}")
    return {path.stem: path for path in sorted(files)}


def is_file(name: str) -> bool:
    """Return whether the name of a model is that of a model file."""
    return name.endswith(SUFFIX)


def file_schema() -> str:
    """Return a model file that explains all its keys."""
    return named(_OF_FILES).file_schema


@functools.cache
def installed() -> dict[str, importlib.metadata.EntryPoint]:
    """Return the entry points of the models of other packages, by name."""
    points = importlib.metadata.entry_points(group=GROUP)
    return {point.name: point for point in sorted(points, key=lambda point: point.name)}


def names() -> tuple[str, ...]:
    """Return the names of all models that can be sampled without a model file."""
    own = *(name for name in built_in() if name != _OF_FILES), *presets()
    return *own, *(name for name in installed() if name not in (*own, _OF_FILES))


def get(name: str) -> Model:
    """Return the model of a name, or that of a model file.

    Raises
    ------
    UsageError
        If there is no such model, or the file defines none.
    Failure
        If its package cannot be imported, or the entry point leads to something else.
    """
    if is_file(name):
        return named(_OF_FILES).of_file(Path(name))
    return named(name)


@functools.cache
def named(name: str) -> Model:
    """Return the model of a name; the errors are those of `get`."""
    if name in built_in():
        return importlib.import_module(f"{__name__}.{name.replace('-', '_')}").MODEL
    if name in presets():
        return named(_OF_FILES).of_file(presets()[name])
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
