"""The numbers that a figure shows, read back from its axes: points with errors, lines, images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PolyCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import BlendedAffine2D, BlendedGenericTransform
from numpy.typing import NDArray

from rsmi.figures.layout import COLOUR_BAR

Row = dict[str, Any]


def rows_of(figure: Figure) -> list[Row]:
    """A row for each point of each visible panel: ``panel``, ``title``, ``series``, the labels of
    the axes, ``x``, ``y`` and ``y_error``; of images ``x`` and ``y`` count columns and rows, and
    there is a ``value``."""
    rows: list[Row] = []
    for axes in figure.axes:
        if axes.get_visible() and axes.get_label() != COLOUR_BAR:
            about = {"panel": axes.get_label(), "title": _line(axes.get_title())}
            rows += [about | row for row in _of_axes(axes)]
    return rows


def _of_axes(axes: Axes) -> Iterator[Row]:
    labels = {"x_label": _line(axes.get_xlabel()), "y_label": _line(axes.get_ylabel())}
    taken: set[int] = set()
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer):
            line, caps, _ = container
            taken |= {id(line), *map(id, caps)}
            name = _name(line) or _name(container)
            x = np.asarray(line.get_xdata(), float)
            yield from _points(axes, line, labels | {"series": name}, _errors(container, x))
    for line in axes.lines:
        if id(line) not in taken:
            yield from _points(axes, line, labels | {"series": _name(line)})
    for image in axes.images:
        array: Any = image.get_array()
        for (row, column), shown in np.ndenumerate(np.ma.getdata(array)):
            if np.isfinite(shown):
                yield {"x": column, "y": row, "value": shown.item()}
    for patches in axes.collections:
        values = patches.get_array()
        if isinstance(patches, LineCollection) or values is None:
            continue
        for place, weight in zip(_places(patches, len(values)), np.ma.getdata(values).tolist()):
            yield {"x": place[0], "y": place[1], "value": weight}


def _line(text: str) -> str | None:
    """A text in one line; None for an empty one."""
    return " ".join(text.split()) or None


def _places(patches: Collection, count: int) -> list[list[float]]:
    """Where patches lie: their offsets, or the means of their corners."""
    places = np.asarray(patches.get_offsets(), float)
    if len(places) != count:
        places = np.array(
            [np.asarray(path.vertices)[:-1].mean(axis=0) for path in patches.get_paths()]
        )
    return places.round(12).tolist()


def _name(one: Line2D | ErrorbarContainer) -> str | None:
    """The label that the legend shows."""
    label = str(one.get_label())
    return None if label.startswith("_") or label == "None" else label


def _points(
    axes: Axes, line: Line2D, about: Row, errors: Sequence[float | None] | None = None
) -> Iterator[Row]:
    """The points of a line; of one that is drawn at one value of one axis, this value."""
    x, y = (np.asarray(values, float).tolist() for values in line.get_data())
    transform = line.get_transform()
    if isinstance(transform, (BlendedAffine2D, BlendedGenericTransform)):
        of_x, _ = transform.contains_branch_seperately(axes.transData)
        yield about | ({"x": x[0]} if of_x else {"y": y[0]})
        return
    for place, height, error in zip(x, y, errors or [None] * len(x)):
        if math.isfinite(place) and math.isfinite(height):
            yield about | {"x": place, "y": height, "y_error": error}


def _errors(container: ErrorbarContainer, x: NDArray[np.float64]) -> list[float | None]:
    """Half the heights of the error bars, or of the band, at the points of a series."""
    bars: Any = container[2]
    if not container.has_yerr or not bars:
        return [None] * len(x)
    shown = bars[-1]
    if isinstance(shown, PolyCollection):
        corners = np.concatenate([np.asarray(path.vertices) for path in shown.get_paths()])
        ends = [corners[corners[:, 0] == place, 1] for place in x]
    else:
        ends = [np.asarray(segment, float)[:, 1] for segment in shown.get_segments()]
    return [float(f"{0.5 * np.ptp(pair):.10g}") if len(pair) else None for pair in ends]
