"""How a model draws its configurations and its rules: the interface of its module of figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rsmi.store import File


@dataclass(frozen=True)
class RuleDrawing:
    """How the filters of a lambda file are drawn on the lattice of the model.

    Attributes
    ----------
    filters : ndarray of float64, shape (n_hidden, n_block)
        The filters as they are drawn, in the gauge of the model.
    panel : float
        Width of one filter in inches.
    draw_unit : callable(axes, unit, scale)
        Draws one filter and its title; ``scale`` is matplotlib's map from weights to colours.
    image : callable(weights) -> ndarray, shape (rows, columns)
        A filter as a small picture, NaN where there is no variable.
    colour_label : str
        The meaning of the colours.
    legend : str
        Further explanations (TeX), with a line feed at the end.
    """

    filters: NDArray[np.float64]
    panel: float
    draw_unit: Callable[[Any, int, Any], None]
    image: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    colour_label: str
    legend: str = ""


class Drawing(Protocol):
    """The module that draws a model.

    Attributes
    ----------
    CONFIGURATION_WIDTH : float
        Width of the picture of one configuration in inches.
    """

    CONFIGURATION_WIDTH: float

    def draw_configuration(self, axes: Any, spins: NDArray[np.int8], width: float) -> None:
        """Draw a configuration (components, \\*shape) of +-1 into a picture of this width."""

    def configuration_key(self, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what the colours and marks of configurations mean: the arguments of
        ``matplotlib.lines.Line2D`` for each of them, with its ``label``."""

    def rule_drawing(self, file: File) -> RuleDrawing | None:
        """Return how the filters of a lambda file are drawn; None for a grid of their weights."""
