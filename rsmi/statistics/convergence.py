"""Whether a noisy curve has come to rest at its end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 10  # rows of a curve, of which a fifth is two
_SIGNIFICANT = 3.0  # errors


class Rise(NamedTuple):
    """How much the mean of the last fifth of a curve exceeds that of the fifth before, and the
    standard error of this difference."""

    value: float
    error: float

    @property
    def significant(self) -> bool:
        """Whether the curve is still rising at its end: by more than three errors."""
        return self.value > _SIGNIFICANT * self.error


def final_rise(curve: NDArray[np.float64]) -> Rise | None:
    """Compare the last fifth of a curve with the fifth before.

    Shorter stretches would see too little: the learning rate of a training falls towards its end,
    and with it the rise of the objective.

    The noise of single rows is estimated from the second differences of the last half, in which a
    steady rise cancels: for independent noise of variance s^2 they have the variance 6 s^2.

    Parameters
    ----------
    curve : ndarray of float64, (rows,)
        Values with independent errors.

    Returns
    -------
    Rise or None
        None for less than `FEWEST` rows, or values that are not finite.
    """
    if len(curve) < FEWEST or not np.isfinite(curve).all():
        return None
    count = len(curve) // 5
    last, before = curve[-count:].mean(), curve[-2 * count : -count].mean()
    noise = np.sqrt(np.mean(np.diff(curve[-(len(curve) // 2) :], 2) ** 2) / 6)
    return Rise(float(last - before), float(noise * np.sqrt(2 / count)))
