"""What a model that draws itself hands to the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RuleDrawing:
    """How the filters of a lambda file are drawn on the lattice of the model.

    Attributes
    ----------
    filters : ndarray of float64, shape (n_hidden, n_block)
        As they are drawn: in the gauge of the model.
    panel : float
        Width of one filter in inches.
    draw_unit : callable(axes, unit, scale)
        Draws one filter and its title; ``scale`` is matplotlib's map from weights to colours.
    image : callable(weights) -> ndarray, shape (rows, columns)
        A filter as a small picture, NaN where there is no variable.
    colour_label : str
        What the colours mean.
    legend : str
        What else must be said (TeX), with a line feed at its end.
    """

    filters: NDArray[np.float64]
    panel: float
    draw_unit: Callable[[Any, int, Any], None]
    image: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    colour_label: str
    legend: str = ""
