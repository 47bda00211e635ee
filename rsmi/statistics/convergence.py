"""Whether a training was long enough, from the noisy curve of its objective.

The learning rate is constant in the first half of a training and falls in the second half. As it
falls, the parameters fluctuate less, and the objective rises even where the training has converged
long before: in 4000 updates on dimers by eight errors over the last fifth, while I(H:E) stays as it
is. The curve is therefore judged where the learning rate begins to fall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST = 20  # rows of a curve, of which a tenth is two
_SIGNIFICANT = 3.0  # errors


class Rise(NamedTuple):
    """How much the mean of the tenth of a curve before its middle exceeds that of the tenth before,
    and the standard error of this difference."""

    value: float
    error: float

    @property
    def significant(self) -> bool:
        """Whether the curve is still rising at its middle: by more than three errors."""
        return self.value > _SIGNIFICANT * self.error


def rise_at_middle(curve: NDArray[np.float64]) -> Rise | None:
    """Compare the two tenths of a curve before its middle.

    The noise of single rows is estimated from the second differences of all rows from the first of
    the two tenths on, in which a steady rise cancels: for independent noise of variance s^2 they
    have the variance 6 s^2.

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
    count, middle = len(curve) // 10, len(curve) // 2
    before, last = curve[middle - 2 * count : middle].reshape(2, count).mean(axis=1)
    noise = np.sqrt(np.mean(np.diff(curve[middle - 2 * count :], 2) ** 2) / 6)
    return Rise(float(last - before), float(noise * np.sqrt(2 / count)))
