"""How often the configurations of a ladder of temperatures were exchanged, in samples files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import State
from rsmi.store import File, Writer

_PAIRS = "/ladder/pairs"


def write(writer: Writer, couplings: Sequence[float], states: Sequence[State]) -> None:
    """Store the pairs of temperatures and the counts of all ladders.

    Parameters
    ----------
    writer : Writer
    couplings : sequence of float
        K of all rungs, the largest first.
    states : sequence of dict
        The states of all ladders, see `rsmi.models.ladder`.
    """
    temperatures = 1 / np.array(couplings)
    writer.write(_PAIRS, np.stack([temperatures[:-1], temperatures[1:]], axis=1))
    for name in ("attempted", "accepted", "round_trips"):
        writer.write(f"/ladder/{name}", np.concatenate([state[name] for state in states]))


def of_file(file: File) -> dict[str, Any] | None:
    """Return the exchanges of a samples file as JSON values; None if it is of no ladder.

    Returns
    -------
    dict
        ``ladder``: the temperatures in J/k_B. ``exchange_rates``: the fraction of accepted attempts
        of every pair of neighbouring ``temperatures``, with the error from the differences between
        ladders, which is None for a single one. ``round_trips``: of the configurations of one
        ladder, on average.
    """
    if _PAIRS not in file:
        return None
    pairs, attempted, accepted, trips = (
        file.read(f"/ladder/{name}") for name in ("pairs", "attempted", "accepted", "round_trips")
    )
    rates, errors = zip(*(_rate(own, of) for own, of in zip(accepted.T, attempted.T)))
    mean, error = _mean(trips)
    return {
        "ladder": [float(pairs[0, 0]), *pairs[:, 1].tolist()],
        "exchange_rates": [
            {"temperatures": pair, "rate": rate, "rate_error": own}
            for pair, rate, own in zip(pairs.tolist(), rates, errors)
        ],
        "round_trips": mean,
        "round_trips_error": error,
    }


def _rate(accepted: NDArray[np.int64], attempted: NDArray[np.int64]) -> tuple[float | None, ...]:
    """The accepted fraction of all attempts and its error; None without attempts."""
    if not attempted.sum():
        return None, None
    rate = float(accepted.sum() / attempted.sum())
    _, error = _mean((accepted - rate * attempted) / attempted.mean())
    return rate, error


def _mean(values: NDArray[np.number]) -> tuple[float, float | None]:
    """The mean over ladders and its error."""
    n = len(values)
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(n)) if n > 1 else None
