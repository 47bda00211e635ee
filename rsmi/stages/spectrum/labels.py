"""Names of learned functions for people: those of their files.

A function of a rule file is stored under a name with the digest of the file, because no digest may
depend on a path. How the file was called is a fact of the run, and is kept with the others.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rsmi.engine.tasks import Rows
from rsmi.errors import DataError
from rsmi.store import File, canonical_json

_UNIT = re.compile(r" unit (\d+)")
LABELS = "/provenance/labels"


def unique_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of functions by their names; names replace labels that occur twice."""
    count = Counter(labels.values())
    return {name: label if count[label] == 1 else name for name, label in labels.items()}


def label_rows(labels: Mapping[str, str]) -> Rows:
    """The dataset that keeps the labels; none if there are no labels."""
    return {LABELS: np.asarray(np.bytes_(canonical_json(labels)))} if labels else {}


def stored_rows(file: File) -> Rows:
    """The dataset of a file that keeps the labels, to be copied; none if it has none."""
    return {LABELS: file.read(LABELS)} if LABELS in file else {}


def labelled(file: File, names: Iterable[str]) -> tuple[str, ...]:
    """Return what people call functions, given their stored names.

    Raises
    ------
    DataError
        If the stored labels are damaged.
    """
    labels = _read(file)
    return tuple(labels.get(name, name) for name in names)


def joint_label(labels: Sequence[str]) -> str:
    """Return what people call several units of one rule: ``rule units 1 and 3, soft``."""
    if len(labels) == 1:
        return labels[0]
    numbers = [one.group(1) for one in map(_UNIT.search, labels) if one]
    together = f" units {', '.join(numbers[:-1])} and {numbers[-1]}" if len(numbers) > 1 else ""
    return _UNIT.sub(together, labels[0]) if together else " and ".join(labels)


def _read(file: File) -> dict[str, str]:
    if LABELS not in file:
        return {}
    try:
        labels = json.loads(bytes(file.read(LABELS)[()]))
        if all(isinstance(label, str) for label in labels.values()):
            return labels
    except (AttributeError, TypeError, ValueError):
        pass
    raise DataError(f"{file.path}: the labels of functions are damaged")
