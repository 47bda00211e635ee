"""The figure of trained machines: their quality by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rsmi.figures.layout import name_panel
from rsmi.figures.style import GREY, geometry_title, integer_steps
from rsmi.statistics.notation import with_error
from rsmi.store import File


def draw(file: File) -> Figure:
    """Held-out pseudo-log-likelihood by epoch, and the reconstruction error if it was measured."""
    epoch = file.read("/curve/epoch")
    error = file.read("/curve/reconstruction_error")
    panels = 1 + bool(np.isfinite(error).any())
    figure = Figure(figsize=(1.0 + 2.8 * panels, 2.9), layout="constrained")
    likelihood, *others = figure.subplots(1, panels, squeeze=False)[0]
    _draw_likelihood(likelihood, file)
    name_panel("likelihood", likelihood)
    name_panel("reconstruction", *others)
    for axes in others:
        axes.plot(epoch, error, color="C1", marker="o", markersize=2.5)
        axes.set(ylabel="reconstruction error\n(fraction of units changed)")
    for axes in figure.axes:
        axes.set(xlabel="epoch")
        integer_steps(axes)
    figure.suptitle(_title(file))
    return figure


def _draw_likelihood(axes: Axes, file: File) -> None:
    """The curve, and the final value with its error as a band."""
    value, error = (file.attributes[f"pseudo_log_likelihood{part}"] for part in ("", "_error"))
    curve = file.read("/curve/pseudo_log_likelihood")
    axes.plot(file.read("/curve/epoch"), curve, color="C0", marker="o", markersize=2.5)
    band: dict[str, Any] = {
        "color": GREY,
        "alpha": 0.25,
        "linewidth": 0,
        "label": "its standard error",
    }
    axes.axhspan(value - error, value + error, **band)
    label = f"final value {with_error(value, error)}"
    axes.axhline(value, color=GREY, linewidth=0.8, linestyle="--", label=label)
    axes.set(ylabel="held-out pseudo-log-likelihood\n(nats per window)")
    axes.legend(loc="lower right")


def _title(file: File) -> str:
    a = file.attributes
    divergence = f",  KL = {with_error(a['kl'], a.get('kl_error'))} nats" if "kl" in a else ""
    hidden = file.shape("/joint/weights")[1]
    return f"{geometry_title(a)}\n{hidden} hidden units{divergence}"
