"""What the numbers of a file are about: the entries that the JSON objects of all kinds share."""

from __future__ import annotations

from typing import Any

from rsmi.samples.files import model_of
from rsmi.store import File


def subject(file: File) -> dict[str, Any]:
    """The system of a file and the seed behind it.

    Returns
    -------
    dict
        ``model``; ``shape``, ``temperature`` in J/k_B and ``coupling`` of the samples, where the
        file itself has them (None where they are unknown); ``seed``.
    """
    attributes = file.attributes
    numbers: dict[str, Any] = {"model": model_of(file).label(attributes)}
    if "shape" in attributes:
        numbers |= {
            "shape": list(attributes["shape"]),
            "temperature": attributes.get("temperature"),
            "coupling": attributes.get("coupling"),
        }
    return numbers | {"seed": _seed(file)}


def _seed(file: File) -> int | None:
    """The seed of the command that made the file, or of the last of its ancestors that have one;
    None if there is none, or if these have several."""
    if "seed" in file.parameters:
        return file.parameters["seed"]
    seeded = [ancestor for ancestor in file.ancestors() if "seed" in ancestor["parameters"]]
    last = [one for one in seeded if one["command"] == seeded[-1]["command"]]
    seeds = {one["parameters"]["seed"] for one in last}
    return seeds.pop() if len(seeds) == 1 else None
