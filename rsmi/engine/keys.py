"""Keys of random streams: one root seed, one stream per chain, training or coarse-graining step.

A key is SHA-256 over the seed, the stage, the physics and the stream's number, so streams of
different stages, temperatures or chains never coincide, and nothing depends on thread or sample
counts. Of samples that were made before, the physics is what decided *their* streams (`origin`):
the same seed draws other windows, trainings and ties at another temperature.
"""

from __future__ import annotations

import hashlib

import numpy as np

from rsmi.store import File, canonical_json, text_digest

_AMOUNTS = ("samples", "chains", "thermalization", "interval")


def stream_key(seed: int, stage: str, physics: dict, number: int | str) -> np.ndarray:
    """The 256-bit key of one stream.

    Parameters
    ----------
    seed : int
        The root seed.
    stage : str
        Which stage draws (``sample``, ``train-theta`` ...).
    physics : dict
        JSON values that identify what is simulated (model, shape, coupling, algorithm); not counts.
    number : int or str
        The stream within the stage.

    Returns
    -------
    ndarray
        uint64, shape (4,), never all zero: the state of a xoshiro256++ generator.
    """
    text = canonical_json(["rsmi", seed, stage, physics, number])
    key = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u8").astype(np.uint64)
    return key if key.any() else np.ones(4, dtype=np.uint64)


def origin(samples: File) -> str:
    """Digest of what decides the random streams behind a samples file: not of how long they were
    followed, nor of how often the configurations were coarse-grained since."""
    lineage = [
        *samples.ancestors(),
        {
            "command": samples.attributes["command"],
            "parameters": samples.parameters,
            "digest": samples.digest,
        },
    ]
    first = next((entry for entry in lineage if entry.get("command") in ("sample", "source")), None)
    if first is None:
        return text_digest(lineage[0]["digest"])
    if first["command"] == "source":  # what another program made: one array of one file
        return text_digest(canonical_json([first["digest"], first["parameters"]]))
    return origin_of_chains(first["parameters"], samples.attributes.get("algorithm"))


def origin_of_chains(sampled: dict, algorithm: str | None) -> str:
    """`origin` from the parameters of what is sampled and the algorithm that does it."""
    physics = {name: value for name, value in sampled.items() if name not in _AMOUNTS}
    return text_digest(canonical_json(physics | {"algorithm": algorithm}))
