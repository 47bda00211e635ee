"""``rsmi info --tree``: what a file is made of."""

from __future__ import annotations

from typing import Any

from rsmi.foreign_text import printable
from rsmi.statistics.notation import fields
from rsmi.store import File, canonical_json


def summary(file: File) -> dict[str, Any]:
    """Attributes, parameters, ancestors (oldest first) and datasets of a file, and the facts of the
    run that wrote it, as JSON values."""
    return {
        "file": str(file.path),
        "kind": file.kind,
        "format_version": list(file.attributes["format_version"]),
        "software": file.attributes["software"],
        "digest": file.digest,
        "uuid": file.attributes["uuid"],
        "command": file.attributes["command"],
        "parameters": file.parameters,
        "inputs": file.attributes["inputs"],
        "attributes": file.own_attributes,
        "ancestors": file.ancestors(),
        "datasets": {
            name: {"shape": list(shape), "dtype": dtype}
            for name, (shape, dtype) in file.datasets().items()
        },
        "run": file.run_facts(),
    }


def describe(file: File) -> str:
    """The same as text, one section after the other."""
    parts = summary(file)
    names = ("kind", "format_version", "software", "digest", "uuid", "command")
    lines = [printable(str(file.path)), *fields([(name, _plain(parts[name])) for name in names])]
    for title, rows in _sections(parts).items():
        lines += ["", title, *fields(rows)]
    return "\n".join([*lines, ""])


def _sections(parts: dict[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """The rows of every section by its title."""
    ancestors: list[tuple[str, ...]] = [
        (entry["command"], entry["digest"][:12], _plain(entry["parameters"]))
        for entry in parts["ancestors"]
    ]
    return {
        "parameters": [(name, _plain(value)) for name, value in parts["parameters"].items()],
        "attributes": [(name, _plain(value)) for name, value in parts["attributes"].items()],
        "ancestors, oldest first": ancestors or [("none",)],
        "datasets": [
            (name, entry["dtype"], " x ".join(map(str, entry["shape"])) or "scalar")
            for name, entry in parts["datasets"].items()
        ],
        "run": list(parts["run"].items()),
    }


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value)
