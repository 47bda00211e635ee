"""Mean heights of the environment as further variables of it, for models with a height field.

Some models with constraints have heights on the plaquettes of the lattice, which change across
every link by what lies on it. Around every vertex the changes add up to zero, so that the links of
the environment alone tell the heights of all plaquettes beside them, up to a constant. Operators
that are periodic in the height, as vertex operators are, depend on the environment mainly through
its mean height modulo the period, which no linear function of the links is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

BITS = 8
Plaquette = tuple[int, int]
# Two plaquettes, and the change of the height from the first to the second as the number of a
# column of the environment, its factor and a constant.
Link = tuple[Plaquette, Plaquette, int, float, float]


def links_of(
    offsets: NDArray[np.int64],
    factors: Mapping[str, NDArray[np.float64]],
    constant: float = 0.0,
    first_column: int = 0,
) -> list[Link]:
    """Return the links of the environment with the changes of the height across them.

    Parameters
    ----------
    offsets : ndarray of int64, (n, 2)
        The vertices of the environment; each has a link to the next x and to the next y, in the
        columns ``first_column`` + i and ``first_column`` + n + i.
    factors : mapping
        ``x`` and ``y``: by which the variable on every link is multiplied, (n,), for a step that
        crosses it in the direction of +y, or of +x.
    constant : float
        What is added to variables +-1 before that.
    first_column : int
    """
    links: list[Link] = []
    for i, (x, y) in enumerate(offsets.tolist()):
        column = first_column + i
        x_factor, y_factor = float(factors["x"][i]), float(factors["y"][i])
        links.append(((x, y - 1), (x, y), column, x_factor, x_factor * constant))
        links.append(((x - 1, y), (x, y), column + len(offsets), y_factor, y_factor * constant))
    return links


def mean_height(links: list[Link], columns: int) -> tuple[NDArray[np.float64], float]:
    """Return the mean height of the plaquettes beside links, relative to the first of them.

    Returns
    -------
    weights : ndarray of float64, (columns,)
    constant : float
        The mean height is ``environments @ weights + constant``.
    """
    beside: dict[Plaquette, list[tuple[Plaquette, int, float, float]]] = {}
    for first, second, column, factor, shift in links:
        beside.setdefault(first, []).append((second, column, factor, shift))
        beside.setdefault(second, []).append((first, column, -factor, -shift))
    start = min(beside)
    heights = {start: (np.zeros(columns), 0.0)}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there, column, factor, shift in beside[here]:
            if there not in heights:
                weights = heights[here][0].copy()
                weights[column] += factor
                heights[there] = weights, heights[here][1] + shift
                waiting.append(there)
    weights = np.mean([weights for weights, _ in heights.values()], axis=0)
    return weights, float(np.mean([constant for _, constant in heights.values()]))


def height_bits(heights: NDArray[np.float64], period: float) -> NDArray[np.int8]:
    """Return in which halves of the period mean heights lie, as +-1, (n, `BITS`).

    Bit k is +1 for heights from k/8 to k/8 + 1 half periods, up to multiples of the period.
    """
    turns = 2 * heights[:, None] / period - np.arange(BITS) / BITS
    return np.where(np.mod(turns, 2) < 1, 1, -1).astype(np.int8)
