"""Keys of random streams: from one root seed, every stream gets a key of its own.

A key is the SHA-256 digest of the seed, the stage, the physics and the number of the stream. So
streams of different stages, temperatures or chains never coincide, and nothing depends on the
number of threads or samples. A stage that reads samples takes their `origin` as the physics: with
the same seed, it draws other windows, trainings and ties at another temperature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rsmi.engine.lineage import lineage
from rsmi.store import File, canonical_json, text_digest

# Parameters that say how long the streams are followed, and not which streams they are.
_AMOUNTS = ("samples", "chains", "thermalization", "interval")


def stream_key(seed: int, stage: str, physics: Mapping[str, Any], number: int | str) -> np.ndarray:
    """The 256-bit key of one stream.

    Parameters
    ----------
    seed : int
        The root seed.
    stage : str
        The stage that draws the numbers (``sample``, ``train-theta`` ...).
    physics : mapping
        JSON values that identify the simulated system (model, shape, coupling, algorithm). It
        contains no counts.
    number : int or str
        The number of the stream within the stage.

    Returns
    -------
    ndarray
        uint64, shape (4,), never all zero: the state of a xoshiro256++ generator.
    """
    text = canonical_json(["rsmi", seed, stage, physics, number])
    key = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u8").astype(np.uint64)
    return key if key.any() else np.ones(4, dtype=np.uint64)


def origin(samples: File) -> str:
    """The digest that identifies the random streams of a samples file: seed, stage and physics.

    It depends neither on the number of samples nor on the number of coarse-graining steps.
    """
    entries = lineage(samples)
    first = next((entry for entry in entries if entry["command"] in ("sample", "source")), None)
    if first is None:
        return text_digest(entries[0]["digest"])
    if first["command"] == "source":  # samples of another program: one array of one file
        return text_digest(canonical_json([first["digest"], first["parameters"]]))
    return origin_of_chains(first["parameters"], samples.attributes.get("algorithm"))


def origin_of_chains(parameters: Mapping[str, Any], algorithm: str | None) -> str:
    """The `origin` of chains that are sampled with these parameters and by this algorithm."""
    physics = {name: value for name, value in parameters.items() if name not in _AMOUNTS}
    return text_digest(canonical_json(physics | {"algorithm": algorithm}))
