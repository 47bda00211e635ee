"""How all figures look: the style sheet, colours of temperatures, titles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rsmi import models
from rsmi.lattice.geometry import shape_text, sides_text
from rsmi.samples.files import model_of
from rsmi.store import File

STYLE = "rsmi.figures.rsmi"  # the style sheet beside this file
MARKERS = "osD^vP*"
GREY = "0.45"
# of lines at values from theory
REFERENCE: dict[str, Any] = {"color": GREY, "linewidth": 0.8, "linestyle": "--", "zorder": 1}


def temperature_colour(ratio: float) -> Any:
    """The colour of T/T_c: black at T_c, blue below and red above, darker the farther away."""
    distance = math.log(ratio)
    if abs(distance) < 1e-3:
        return "black"
    return colormaps["RdBu"](0.5 + math.copysign(0.22 + min(0.28, 4 * abs(distance)), -distance))


def marker(number: int) -> str:
    """The marker of a series by its number."""
    return MARKERS[number % len(MARKERS)]


def integer_steps(axes: Axes) -> None:
    """Let the ticks of the abscissa be integers."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def note(axes: Axes, text: str) -> None:
    """Write into the middle of a panel what is missing there."""
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)


def wrapped(text: str, width: int) -> str:
    """Text in lines of so many characters at most."""
    return "\n".join(wrap(text, width))


# ---- titles --------------------------------------------------------------------------------------


def state_label(file: File, shape: Sequence[int], coupling: float | None) -> str:
    """The state point of a lattice of a file in the words of its model (TeX)."""
    attributes = {name: value for name, value in file.attributes.items() if name != "coupling"}
    attributes["shape"] = tuple(shape)
    if coupling is not None:
        attributes["coupling"] = coupling
    return model_of(file).temperature_label(attributes)


def named_state(attributes: Mapping[str, Any]) -> str:
    """The model and the state point in one line (TeX)."""
    model = models.of(attributes)
    name, label = model.describe_lattice(attributes), model.temperature_label(attributes)
    return label if name in label else f"{name},  {label}"


def geometry_title(attributes: Mapping[str, Any]) -> str:
    """Model, state point, lattice and window of a theta or lambda file, in one line (TeX)."""
    a = attributes
    label, block = named_state(a), shape_text(a["block"])
    return (
        f"{label},  $L$ = {sides_text(a['shape'])},  block {block}, buffer {a['buffer']},"
        f" environment {a['environment']}"
    )
