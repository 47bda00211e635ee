"""Figures for a page of a journal: one panel alone, without a title, at a given width.

The functions that draw name their panels by the labels of the axes, see `name_panel`.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from rsmi.errors import UsageError

COLOUR_BAR = "<colorbar>"  # the label that matplotlib gives to the axes of a colour bar
PAD = 0.06  # inches around all that is drawn
_INCHES = {"cm": 1 / 2.54, "mm": 1 / 25.4, "in": 1.0}
_WIDTH = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(cm|mm|in)")
_NARROWEST, _WIDEST = 1.0, 40.0  # inches
_ROUNDS = 12  # in which a width is found
RIGID = "rigid"  # the label of figures whose marks have sizes in points, and would overlap
_RIGID = 0.75  # the least width of such a figure, of its own
_LEAST = 0.85  # of the width that is filled
_CLOSE = 0.01  # inches
_BETWEEN_WORDS = re.compile(r" +(?=(?:[^$]*\$[^$]*\$)*[^$]*$)")  # outside of formulas


def name_panel(name: str, *axes: Axes) -> None:
    """Say that axes are the panel of this name, together if there are several."""
    for one in axes:
        one.set_label(name)


def panels_of(figure: Figure) -> list[str]:
    """The names of the panels of a figure, in the order in which they were drawn."""
    return list(dict.fromkeys(panel_names(figure)))


def panel_names(figure: Figure) -> list[str]:
    """The name of the panel of each axes; a colour bar belongs to the axes before it."""
    names: list[str] = []
    for axes in figure.axes:
        label = str(axes.get_label())
        names.append(names[-1] if label == COLOUR_BAR else label)
    return names


def parse_width(text: str) -> float:
    """A width such as 8.6cm, 86mm or 3.4in, in inches.

    Raises
    ------
    UsageError
        If there is no unit, or the width is out of range.
    """
    match = _WIDTH.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"--width {text}: a number with its unit is needed, such as 8.6cm or 3.4in"
        )
    width = float(match[1]) * _INCHES[match[2]]
    if not _NARROWEST <= width <= _WIDEST:
        raise UsageError(f"--width {text}: figures are from 2.54cm (1in) to 101.6cm (40in) wide")
    return width


def show_panel(figure: Figure, name: str) -> None:
    """Leave one panel of a figure, with a legend of its own and without the title.

    Raises
    ------
    UsageError
        If there is no panel of this name; the message has the names that there are.
    """
    names = panels_of(figure)
    if name not in names:
        raise UsageError(f"--panel {name}: the panels of this figure are {', '.join(names)}")
    if len(names) == 1:
        return
    figure.suptitle("")
    shown = {axes for axes, own in zip(figure.axes, panel_names(figure)) if own == name}
    for axes in figure.axes:
        if axes not in shown:
            axes.set_visible(False)
            axes.set_in_layout(False)
        elif figure.legends and axes.get_legend_handles_labels()[0]:
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    for part in figure.subfigs:
        part.set_visible(not shown.isdisjoint(part.axes))
    for legend in list(figure.legends):
        legend.remove()


def extent(figure: Figure) -> Bbox:
    """All that is drawn, with a margin, in inches.

    Raises
    ------
    UsageError
        If the figure is so small that nothing is left for the axes.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        try:
            figure.draw_without_rendering()
        except UserWarning as error:
            raise UsageError(
                "the figure is too narrow for what is in it: draw one of its panels (--panel)"
                if len(panels_of(figure)) > 1
                else "the figure is too narrow for what is in it: take a larger --width"
            ) from error
    return figure.get_tightbbox().padded(PAD)


def fit_width(figure: Figure, width: float) -> Bbox:
    """Give a figure the width, in inches, with all that is drawn.

    The size of letters stays: lines of the title are broken, and the height changes less than the
    width.

    Returns
    -------
    Bbox
        What to save, in inches.

    Raises
    ------
    UsageError
        If the panels do not fit into this width.
    """
    shape = figure.get_figheight() / math.sqrt(figure.get_figwidth())
    title = figure.get_suptitle()
    _narrow_legends(figure, width)
    box = extent(figure)
    least = _RIGID * box.width if figure.get_label() == RIGID else 0.0
    if width < least:
        raise UsageError(_too_narrow(figure, width, least))
    narrowest, fitting = box.width, 0.0  # of all that is drawn, and the widest figure that fits
    for _ in range(_ROUNDS):
        if box.width < width + _CLOSE:
            fitting = max(fitting, figure.get_figwidth())
        if abs(box.width - width) < _CLOSE:
            break
        share = min(1.0, box.width / figure.get_figwidth())
        wanted = figure.get_figwidth() + (width - box.width) / share
        if wanted < _LEAST * width:
            raise UsageError(_too_narrow(figure, width, narrowest))
        box = _resized(figure, wanted, shape, title)
        narrowest = min(narrowest, box.width)
    else:
        box = _resized(figure, fitting, shape, title) if fitting else box
        if not _LEAST * width < box.width < width + _CLOSE:
            raise UsageError(_too_narrow(figure, width, narrowest))
    middle = 0.5 * (box.x0 + box.x1)
    return Bbox.from_extents(middle - width / 2, box.y0, middle + width / 2, box.y1)


def _resized(figure: Figure, width: float, shape: float, title: str) -> Bbox:
    figure.set_size_inches(width, math.sqrt(width) * shape)
    if title:
        break_title(figure, title, width)
    return extent(figure)


def _too_narrow(figure: Figure, width: float, found: float) -> str:
    several = len(panels_of(figure)) > 1
    cure = "draw one of its panels (--panel)" if several else "take a larger one"
    return (
        f"--width: the figure cannot be {2.54 * width:.1f} cm wide (with readable letters it is"
        f" at least {2.54 * found:.1f} cm wide): {cure}"
    )


def _narrow_legends(figure: Figure, width: float) -> None:
    """Give the legends of the whole figure fewer columns, where they are wider than it will be."""
    for own in list(figure.legends):
        legend: Legend = own
        handles: list[Any] = list(legend.legend_handles)
        texts = [one.get_text() for one in legend.get_texts()]
        for columns in (3, 2, 1):
            if legend.get_window_extent().width / figure.dpi < width - 2 * PAD:
                break
            legend.remove()
            legend = figure.legend(handles, texts, loc="outside lower center", ncols=columns)


def break_title(figure: Figure, title: str, width: float) -> None:
    """Break the lines of a title, outside of formulas, so that they are at most so many inches
    wide."""
    probe = figure.suptitle(title)
    lines: list[str] = []
    for line in title.split("\n"):
        shown = ""
        for word in _BETWEEN_WORDS.split(line):
            longer = f"{shown} {word}" if shown else word
            if shown and _width(probe, longer) > width - 2 * PAD:
                lines.append(shown)
                longer = word
            shown = longer
        lines.append(shown)
    probe.set_text("\n".join(lines))


def _width(probe: Text, text: str) -> float:
    """The width of a line of text in inches."""
    probe.set_text(text)
    figure = probe.get_figure()
    assert figure is not None
    return probe.get_window_extent().width / figure.dpi
