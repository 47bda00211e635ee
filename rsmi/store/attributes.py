"""Reading the root attributes of a file: every value is checked against its type."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from rsmi.errors import DataError
from rsmi.store.digest import canonical_json, read_attribute
from rsmi.store.errors import hdf5_errors
from rsmi.store.schema import COMMON_ATTRIBUTES, KINDS

LARGEST = 1e100  # a larger finite number has no physical meaning, and its square overflows
_T = TypeVar("_T")


def read_attributes(handle: h5py.File, path: Path, kind: str) -> dict[str, Any]:
    """The attributes that all files have and those of the kind, as Python values.

    Raises
    ------
    DataError
        If an attribute is missing or damaged.
    """
    values = {}
    root = handle["/"]
    for attribute in COMMON_ATTRIBUTES + KINDS[kind].attributes:
        with hdf5_errors(path, f"attribute {attribute.name} is missing or damaged"):
            if h5py.h5a.exists(root.id, attribute.name.encode()):
                decode = DECODERS[attribute.type]
                values[attribute.name] = decode(read_attribute(root, attribute.name))
            elif attribute.required:
                raise DataError(f"{path}: attribute {attribute.name} is missing")
    with hdf5_errors(path, "attribute parameters or inputs is damaged"):
        require(values["parameters"], dict)
        for digest in require(values["inputs"], list):
            require(digest, str)
    return values


def require(value: Any, kind: type[_T]) -> _T:
    """The value, if it has the type; else ValueError."""
    if not isinstance(value, kind):
        raise ValueError(f"not {kind.__name__}")
    return value


def text(value: Any) -> str:
    """A text attribute, which h5py reads as bytes."""
    return require(value, bytes).decode()


def _number(value: Any) -> float:
    if (
        np.asarray(value).dtype.kind not in "iuf"
        or np.ndim(value) != 0
        or not abs(float(value)) < LARGEST
    ):
        raise ValueError("not a finite number")
    return float(value)


def _integer(value: Any) -> int:
    if np.asarray(value).dtype.kind not in "iu" or np.ndim(value) != 0:
        raise ValueError("not an integer")
    return int(value)


def _integers(value: Any) -> tuple[int, ...]:
    if np.asarray(value).dtype.kind not in "iu" or np.ndim(value) != 1:
        raise ValueError("not a list of integers")
    return tuple(map(int, value))


def _json(value: Any) -> Any:
    content = json.loads(text(value))
    canonical_json(content)  # refuses NaN and infinity
    return content


DECODERS: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "json": _json,
    "integer": _integer,
    "number": _number,
    "integers": _integers,
    "flag": lambda value: bool(_integer(value)),
}
