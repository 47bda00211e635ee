"""Keys of random streams: one root seed, one stream per chain, training or coarse-graining step.

A key is SHA-256 over the seed, the stage, the physics and the stream's number, so streams of different stages,
temperatures or chains never coincide, and nothing depends on thread or sample counts.
"""

from __future__ import annotations

import hashlib

import numpy as np

from rsmi.store import canonical_json


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
