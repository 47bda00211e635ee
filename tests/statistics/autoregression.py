"""Gaussian chains with an exponential autocorrelation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def chains_of(rho: float, noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chains x_t = rho x_(t-1) + noise_t (chains, steps) that begin with the first noise.

    The sums over more and more steps are doubled in length, until what is still missing has no
    weight in double precision.
    """
    values, lag = noise.copy(), 1
    while lag < values.shape[1] and abs(rho) ** lag > 1e-18:
        values[:, lag:] += rho**lag * values[:, :-lag]
        lag *= 2
    return values
