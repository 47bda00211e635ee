"""The ancestors of a result: every file it was made from, directly or through other files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol


class Input(Protocol):
    """An input of a command: a file of rsmi, or a file of another program."""

    @property
    def path(self) -> Path: ...

    @property
    def digest(self) -> str: ...

    @property
    def attributes(self) -> dict[str, Any]: ...

    @property
    def parameters(self) -> dict[str, Any]: ...

    def ancestors(self) -> list[dict]: ...


def lineage(file: Input) -> list[dict]:
    """The ancestors of a file, oldest first, and the file itself as the last entry.

    Returns
    -------
    list of dict
        Each entry has the keys ``command``, ``parameters`` and ``digest``.
    """
    entry = {
        "command": file.attributes["command"],
        "parameters": file.parameters,
        "digest": file.digest,
    }
    return [*file.ancestors(), entry]


def ancestors(inputs: Iterable[Input]) -> list[dict]:
    """The inputs and all their ancestors, oldest first, each of them once."""
    entries: dict[str, dict] = {}
    for file in inputs:
        for entry in lineage(file):
            entries.setdefault(entry["digest"], entry)
    return list(entries.values())
