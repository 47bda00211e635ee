"""Random numbers of a model: the key of a stream, and a numpy generator that can be checkpointed.

A stream is the random numbers of one chain, or of several chains that advance together. Its key is
derived from the seed, from what is simulated and from the number of the stream. A sampler in plain
numpy keeps the state of its generator as an array of its state::

    def start(self, number):
        return {"spins": ..., "rng": streams.generator_state(self.stream(number))}

    def advance(self, state, updates, first, count):
        with streams.generator(state["rng"]) as random:
            ...  # random is a numpy.random.Generator

A run that is interrupted between two calls and resumed then draws the same numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine import keys

_WORD = (1 << 64) - 1


def stream_key(seed: int, physics: Mapping[str, Any], number: int | str) -> NDArray[np.uint64]:
    """Return the key of one stream of samples.

    Parameters
    ----------
    seed : int
        The root seed.
    physics : mapping
        JSON values that identify what is simulated: the model, shape, coupling, algorithm. It
        contains no counts of samples or chains.
    number : int or str
        The number of the stream.

    Returns
    -------
    ndarray of uint64, (4,)
        256 bits, never all zero: also the state of a xoshiro256++ generator of the C core.
    """
    return keys.stream_key(seed, "sample", physics, number)


def generator_state(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the first state of numpy's generator PCG64 of a key.

    Returns
    -------
    ndarray of uint64, (6,)
        The state (low word, high word), the increment (low, high), and half a word that is left of
        the last draw (whether there is one, its value).
    """
    return _stored(np.random.PCG64([int(word) for word in key]))


@contextlib.contextmanager
def generator(state: NDArray[np.uint64]) -> Iterator[np.random.Generator]:
    """Continue a generator from its stored state, and store the new state at the end.

    The state is not changed if the body raises an exception.

    Parameters
    ----------
    state : ndarray of uint64, (6,)
        As `generator_state` returns it. A state with one row for each chain is given row by row.

    Raises
    ------
    ValueError
        If the array is not a state.
    """
    bits = _restored(state)
    yield np.random.Generator(bits)
    state[:] = _stored(bits)


def _stored(bits: np.random.PCG64) -> NDArray[np.uint64]:
    numbers, rest = bits.state["state"], bits.state
    words = [
        word
        for number in (numbers["state"], numbers["inc"])
        for word in (number & _WORD, number >> 64)
    ]
    return np.array([*words, rest["has_uint32"], rest["uinteger"]], dtype=np.uint64)


def _restored(state: NDArray[np.uint64]) -> np.random.PCG64:
    if state.shape != (6,) or state.dtype != np.uint64 or state[4] > 1 or state[5] >> 32:
        raise ValueError("the state of a generator is six words of uint64")
    low, high, increment_low, increment_high, has_half, half = map(int, state)
    bits = np.random.PCG64(0)
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": high << 64 | low, "inc": increment_high << 64 | increment_low},
        "has_uint32": has_half,
        "uinteger": half,
    }
    return bits
