"""``rsmi plot``: one figure for every kind of file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from types import ModuleType
from typing import Any

import numpy as np

from rsmi import models
from rsmi.errors import Failure, UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import unpack_bits
from rsmi.models.base import Known
from rsmi.renormalization.couplings import NAMES
from rsmi.reports.crossing import known_of_sizes
from rsmi.reports.exponent import EXPONENTS, has_thermometer
from rsmi.reports.flow import flow_quantity, next_to_critical
from rsmi.samples.files import known_of, model_of, open_file
from rsmi.stages import crossing, exponent
from rsmi.stages.flow import summary as flow
from rsmi.statistics.notation import with_error
from rsmi.store import File, as_data_error
from rsmi.store.disk import disk_errors, link_target

try:
    from matplotlib import colormaps, cycler, rc_context
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from rsmi.figures.filters import draw_lambda
    from rsmi.figures.titles import geometry_title
except ImportError as error:
    raise Failure("plotting needs matplotlib: pip install 'rsmi[plot]'") from error

# Formats, and the metadata that would make two equal figures differ.
FORMATS = {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
PANELS = 6  # configurations side by side at most
_GRID_WIDTH = 1.75  # inches of a configuration drawn as a grid
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 1.5,
    "savefig.dpi": 200,
    "svg.hashsalt": "rsmi",
    # Okabe & Ito's palette, told apart with every common colour blindness
    "axes.prop_cycle": cycler(
        color=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    ),
}
_MARKERS = "osD^vP*"
_GREY = "0.45"


def draw(paths: list[Path], output: Path) -> None:
    """Draw files and write the figure, replacing one of the same name.

    Parameters
    ----------
    paths : list of Path
        One file of any kind, or up to six samples files, side by side.
    output : Path
        Ends in .png, .pdf or .svg.

    Raises
    ------
    UsageError
        Unknown format, or several files that are not all samples.
    Failure
        If the folder is missing or the disk full.
    """
    if output.suffix.lower() not in FORMATS:
        raise UsageError(f"{output}: a figure ends in {', '.join(FORMATS)}")
    target = link_target(output)
    if not target.parent.is_dir():
        raise Failure(f"{target}: the folder {target.parent} does not exist: create it first")
    if len(paths) > PANELS:
        raise UsageError(f"{len(paths)} files: at most {PANELS} configurations stand side by side")
    with rc_context(STYLE), ExitStack() as stack:
        files = [stack.enter_context(open_file(path)) for path in paths]
        _save(_figure(files), target, output.suffix.lower())


def _figure(files: list[File]) -> Figure:
    kinds = {file.kind for file in files}
    shards = sorted(kind for kind in kinds if kind.endswith("-shard"))
    if shards:
        raise UsageError(
            f"{shards[0]}: the shards of one run are drawn once 'rsmi merge' has joined them"
        )
    if kinds == {"samples"}:
        return _draw_samples(files)
    if len(files) > 1:
        raise UsageError(
            f"several files in one figure must all be samples, not {', '.join(sorted(kinds))}"
        )
    with as_data_error(files[0].path):
        return _DRAWINGS[files[0].kind](files[0])


def _save(figure: Figure, output: Path, suffix: str) -> None:
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with disk_errors(output):
            figure.savefig(
                temporary,
                format=suffix[1:],
                metadata=FORMATS[suffix],
                bbox_inches="tight",
                pad_inches=0.06,
            )
            os.replace(temporary, output)
    finally:
        with suppress(OSError):
            temporary.unlink()


# ---- samples -------------------------------------------------------------------------------------


def _draw_samples(files: list[File]) -> Figure:
    """Configurations, black = spin up: four of one file (two where the model draws them), or the
    last one of each of several."""
    pictures, titles = [], []
    for file in files:
        pictures += _pictures(file, 4 if len(files) == 1 else 1)
        titles.append(_samples_title(file))
    tallest = max(picture.height for picture in pictures)
    width = max(picture.width for picture in pictures)
    figure = Figure(
        figsize=(
            width * len(pictures),
            width * min(2.0, tallest) + (0.3 if len(files) == 1 else 0.45),
        ),
        layout="constrained",
    )
    for axes, picture in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures):
        picture.draw(axes, width)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=True, linewidth=0.6)
    if len(files) == 1:
        figure.suptitle(titles[0].replace("\n", ",  "), fontsize=9)
    else:
        for axes, title in zip(figure.axes, titles):
            axes.set_title(title)
    return figure


@dataclass(frozen=True)
class _Picture:
    """One configuration: how it is drawn, its width in inches and its height over its width."""

    draw: Callable[[Any, float], None]
    width: float
    height: float


def _pictures(file: File, count: int) -> list[_Picture]:
    module, n = models.of(file.attributes).drawing(), file.shape("/spins")[0]
    if module is None:
        return [_grid(image) for image in _images(file, count)]
    numbers = (n - 1 - n * k // 2 for k in reversed(range(min(count, 2, n))))
    return [_by_model(module, _spins(file, number)) for number in numbers]


def _grid(image: np.ndarray) -> _Picture:
    def draw(axes, width: float) -> None:
        axes.imshow(image, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")

    return _Picture(draw, _GRID_WIDTH, image.shape[0] / image.shape[1])


def _by_model(module: ModuleType, spins: np.ndarray) -> _Picture:
    """A configuration as its model draws it, the first axis to the right."""

    def draw(axes, width: float) -> None:
        module.draw_configuration(axes, spins, width)

    return _Picture(draw, module.CONFIGURATION_WIDTH, spins.shape[-1] / spins.shape[1])


def _images(file: File, count: int) -> list[np.ndarray]:
    """Images of +-1: late samples of one file, the components of one sample, or a chain's samples
    row by row (1D)."""
    shape, components, n = (
        file.attributes["shape"],
        file.attributes["components"],
        file.shape("/spins")[0],
    )
    if len(shape) == 1:
        rows = np.arange(0, n, file.attributes["chains"])[-shape[0] :]
        return [np.concatenate([_spins(file, row)[0][None] for row in rows])]
    numbers = (
        sorted({n - 1 - n * k // count for k in range(count)})
        if components == 1 or count == 1
        else [n - 1]
    )
    shown = 1 if count == 1 else min(components, PANELS)
    planes = [_spins(file, number)[component] for number in numbers for component in range(shown)]
    return [plane if plane.ndim == 2 else plane[0] for plane in planes]


def _spins(file: File, number: int) -> np.ndarray:
    """Configuration ``number``, int8 (components, *shape): +-1, and 0 where a site carries no
    data."""
    shape = (file.attributes["components"], *file.attributes["shape"])
    spins, live = (
        unpack_bits(row, shape)[0].astype(np.int8)
        for row in (
            file.read("/spins", number, number + 1),
            (
                file.read("/mask")[np.newaxis]
                if "/mask" in file
                else np.full((1, file.shape("/spins")[1]), 255, np.uint8)
            ),
        )
    )
    return 2 * spins - live


def _samples_title(file: File) -> str:
    a = file.attributes
    what = " slice of " if len(a["shape"]) == 3 else ""
    size = (
        f"{what}{a['shape'][0]}" if len(set(a["shape"])) == 1 else f"{what}{shape_text(a['shape'])}"
    )
    step = f", step {a['rg_step']}" if a["rg_step"] else ""
    boundary = ", open" if a["boundary"] == "open" else ""
    return f"{models.of(a).temperature_label(a)}\n$L$ = {size}{boundary}{step}"


# ---- theta ---------------------------------------------------------------------------------------


def _draw_theta(file: File) -> Figure:
    """Held-out pseudo-likelihood by epoch and, where it was measured, the reconstruction error."""
    a, epoch, error = (
        file.attributes,
        file.read("/curve/epoch"),
        file.read("/curve/reconstruction_error"),
    )
    panels = 1 + bool(np.isfinite(error).any())
    figure = Figure(figsize=(1.0 + 2.8 * panels, 2.9), layout="constrained")
    likelihood, *others = figure.subplots(1, panels, squeeze=False)[0]
    likelihood.plot(
        epoch, file.read("/curve/pseudo_log_likelihood"), color="C0", marker="o", markersize=2.5
    )
    _band(
        likelihood,
        a["pseudo_log_likelihood"],
        a["pseudo_log_likelihood_error"],
        f"final {with_error(a['pseudo_log_likelihood'], a['pseudo_log_likelihood_error'])}",
    )
    likelihood.set(ylabel="held-out pseudo-log-likelihood\n(nats per window)")
    likelihood.legend(loc="lower right")
    for axes in others:
        axes.plot(epoch, error, color="C1", marker="o", markersize=2.5)
        axes.set(ylabel="reconstruction error\n(fraction of units changed)")
    for axes in figure.axes:
        axes.set(xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    divergence = f",  KL = {with_error(a['kl'], a.get('kl_error'))} nats" if "kl" in a else ""
    figure.suptitle(
        f"{geometry_title(file.attributes)}\n{file.shape('/joint/weights')[1]} hidden"
        f" units{divergence}",
        fontsize=9,
    )
    return figure


def _band(axes, value: float, error: float, label: str, colour: str = _GREY) -> None:
    axes.axhspan(value - error, value + error, color=colour, alpha=0.25, linewidth=0)
    axes.axhline(value, color=colour, linewidth=0.8, linestyle="--", label=label)


# ---- flow ----------------------------------------------------------------------------------------


def _draw_flow(file: File) -> Figure:
    """K_eff/K_c along the flow (K_eff in one dimension, the energy in three), one line per
    temperature; beside it the couplings of the coarse systems at the temperature next to T_c. Open
    symbols where operators wrap around the lattice.
    """
    known, label = known_of(file), _labels(file)
    entries = flow.summary(file)["flows"]
    flows = [entry for entry in entries if entry["coupling"] is not None]
    stored = all(entry["interactions"] is not None for entry in entries)
    figure = Figure(figsize=(9.2 if stored else 5.4, 3.4), layout="constrained")
    axes, *others = figure.subplots(1, 1 + stored, squeeze=False)[0]
    for panel in others:
        _interactions(panel, next_to_critical(entries, known), label)
    if not flows:
        axes.text(
            0.5,
            0.5,
            "the temperatures of the samples are unknown:\nno effective couplings",
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
    sizes = {tuple(row["size"] for row in entry["steps"]) for entry in flows}
    if has_thermometer(known):
        axes.axhline(1, color=_GREY, linewidth=0.8, linestyle="--", zorder=1)
    for number, entry in enumerate(sorted(flows, key=lambda entry: entry["temperature"])):
        _flow_line(
            axes,
            entry,
            known,
            number,
            label(entry) + (f", $L$ = {entry['steps'][0]['size']}" if len(sizes) > 1 else ""),
        )
    axes.set(xlabel="coarse-graining step $n$", ylabel=_flow_label(known))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if flows:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if len(sizes) == 1:
        _size_axis(axes, next(iter(sizes)))
    return figure


def _labels(file: File) -> Callable[[dict], str]:
    """The state point of an entry of a flow, in the words of its model."""
    model, dimension = model_of(file), len(file.attributes["block"])
    return lambda entry: model.temperature_label(
        {"shape": (entry["steps"][0]["size"],) * dimension}
        | ({} if entry["coupling"] is None else {"coupling": entry["coupling"]})
    )


def _flow_label(known: Known) -> str:
    if known.thermometer is None:
        return "energy per site of the blocked lattice ($J$)"
    return "effective coupling $K_n" + (" / K_c$" if known.critical_coupling else "$")


def _flow_line(axes, entry: dict, known: Known, number: int, label: str) -> None:
    key, unit, _ = flow_quantity(known)
    critical = known.critical_coupling
    ratio = None if critical is None else critical.value / entry["coupling"]
    rows = [row for row in entry["steps"] if row[key] is not None]
    step, value, error = (
        np.array([row[name] or 0.0 for row in rows]) for name in ("step", key, f"{key}_error")
    )
    colour, marker = (
        temperature_colour(ratio) if ratio else f"C{number % 7}",
        _MARKERS[number % len(_MARKERS)],
    )
    axes.errorbar(
        step,
        value / unit,
        error / unit,
        color=colour,
        marker=marker,
        label=label,
        zorder=3,
    )
    wrapped = np.array([row["wraps"] for row in rows], dtype=bool)
    axes.plot(
        step[wrapped],
        value[wrapped] / unit,
        linestyle="none",
        color="white",
        markeredgecolor=colour,
        marker=marker,
        zorder=4,
    )


def _interactions(axes, entry: dict, label: Callable[[dict], str]) -> None:
    """The couplings of all operators by step at one temperature."""
    rows = [
        row
        for row in entry["interactions"]
        if row["operators"] == [*NAMES] and row["values"] is not None
    ]
    axes.axhline(0, color=_GREY, linewidth=0.8, linestyle="--", zorder=1)
    for number, name in enumerate(NAMES):
        step, value = (
            np.array([row["step"] for row in rows]),
            np.array([row["values"][number] for row in rows]),
        )
        error = np.array([row["errors"][number] if row["errors"] else 0.0 for row in rows])
        style = {"color": f"C{number}", "marker": _MARKERS[number]}
        axes.errorbar(step, value, error, label=name, zorder=3, **style)
        wrapped = np.array([row["wraps"] for row in rows], dtype=bool)
        axes.plot(
            step[wrapped],
            value[wrapped],
            linestyle="none",
            markeredgecolor=style["color"],
            zorder=4,
            **style | {"color": "white"},
        )
    if not rows:
        axes.text(
            0.5,
            0.5,
            "\n".join(wrap(entry["interactions"][0]["reason"], 40)),
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
    axes.set(xlabel="coarse-graining step $n$", ylabel=r"couplings $K_\alpha$ of the coarse system")
    axes.set_title(label(entry))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def temperature_colour(ratio: float):
    """Blue below T_c, red above, black at it; darker the farther away."""
    distance = math.log(ratio)
    if abs(distance) < 1e-3:
        return "black"
    return colormaps["RdBu"](
        Normalize(-0.06, 0.06)(0.0) + math.copysign(0.22 + min(0.28, 4 * abs(distance)), -distance)
    )


def _size_axis(axes, sizes: tuple[int, ...]) -> None:
    top = axes.secondary_xaxis("top")
    top.set_xticks(range(len(sizes)), [str(size) for size in sizes])
    top.set_xlabel("lattice size $L_n$")
    top.spines[:].set_visible(False)
    top.tick_params(length=0)


# ---- exponent ------------------------------------------------------------------------------------


def _draw_exponent(file: File) -> Figure:
    """y_t and y_h by step and number of operators; nu and T_c by step; known values dashed, the
    headline ringed; the collapse of the flow. Where a dimension has no effective coupling, y_t and
    y_h alone."""
    found, known = exponent.summary(file), known_of(file)
    thermometers = has_thermometer(known)
    collapsed = found.get("nu_collapse") or {"value": None}
    rows = 1 + thermometers + (collapsed["value"] is not None)
    figure = Figure(figsize=(6.8, (3.2, 5.6, 8.0)[rows - 1]), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    panels = [
        [figure.add_subplot(grid[row, column]) for column in (0, 1)]
        for row in range(1 + thermometers)
    ]
    if collapsed["value"] is not None:
        _draw_collapse(figure.add_subplot(grid[-1, :]), collapsed)
    for axes, name, label in zip(panels[0], EXPONENTS, ("$y_t$", "$y_h$")):
        _sequence(axes, found[name], found["headline"][name], known.exponent(name), label)
    if thermometers:
        length, temperature = panels[1]
        nu = {
            "from fluctuations": found["nu_sequence"],
            "from differences in $T$": found["nu_differences"],
        }
        _by_step(length, nu, _scalar(found, "nu"), known.exponent("nu"), r"$\nu$", "")
        length.set(xlabel="coarse-graining step $n$")
        _by_step(
            temperature,
            {None: found["T_c_sequence"]},
            _scalar(found, "T_c"),
            known.critical_temperature,
            "$T_c$",
            " $J/k_B$",
        )
        temperature.set(xlabel="step $n$ of the crossing of $K_n$ and $K_{n+1}$")
    entries = {
        label: handle
        for axes in panels[0]
        for handle, label in zip(*axes.get_legend_handles_labels())
    }
    order = sorted(entries, key=lambda label: (label in ("exact", "known", "headline"), label))
    figure.legend(
        [entries[label] for label in order],
        order,
        loc="outside upper center",
        ncols=len(order),
        columnspacing=1.4,
    )
    return figure


def _draw_collapse(axes, row: dict) -> None:
    """Effective couplings of all temperatures and steps on one curve."""
    labels = sorted({(point["step"], point["size"]) for point in row["points"]})
    for number, (step, size) in enumerate(labels):
        points = [
            point for point in row["points"] if (point["step"], point["size"]) == (step, size)
        ]
        x, y, error = ([point[name] for point in points] for name in ("x", "y", "error"))
        axes.errorbar(
            x,
            y,
            error,
            color=f"C{number}",
            marker=_MARKERS[number % len(_MARKERS)],
            linestyle="none",
            label=f"step {step}, $L_n$ = {size}",
            zorder=3,
        )
    x = np.linspace(
        min(point["x"] for point in row["points"]), max(point["x"] for point in row["points"]), 101
    )
    axes.plot(
        x,
        np.polynomial.polynomial.polyval(x, [0.0, *row["coefficients"]]),
        color=_GREY,
        linewidth=0.8,
        zorder=1,
    )
    axes.set(xlabel=r"$(K/K_c - 1)\, b^{n/\nu}$", ylabel="$K_n / K_c$ less the offset of the step")
    axes.set_title(rf"$\nu$ = {with_error(row['value'], row['error'])} by the collapse of the flow")
    axes.legend(loc="upper left")


def _scalar(found: dict, name: str) -> dict:
    return {
        "step": exponent.STEP,
        "value": found[name],
        "error": found[f"{name}_error"],
        "reason": found[f"{name}_reason"],
    }


def _sequence(axes, rows: list[dict], headline: dict, known: float | None, label: str) -> None:
    """One exponent by number of operators, a line per step."""
    steps = sorted({row["step"] for row in rows})
    if known is not None:
        axes.axhline(known, color=_GREY, linewidth=0.8, linestyle="--", label="known")
    for number, step in enumerate(steps):
        shift = 0.12 * (number - (len(steps) - 1) / 2)
        _points(
            axes,
            [row for row in rows if row["step"] == step],
            "operators",
            shift,
            number,
            linewidth=0.8,
            label=f"step {step}",
        )
        if step == headline["step"]:
            _ring(axes, headline["operators"] + shift, headline["value"], label="headline")
    axes.set(
        xlabel="number of operators",
        ylabel=label,
        xticks=sorted({row["operators"] for row in rows}),
    )
    _result_title(axes, label, headline, "")


def _by_step(
    axes,
    series: dict[str | None, list[dict]],
    headline: dict,
    known: float | None,
    label: str,
    units: str,
) -> None:
    """A thermometer's result by step, the first series' headline ringed."""
    if known is not None:
        axes.axhline(known, color=_GREY, linewidth=0.8, linestyle="--")
    for number, (name, rows) in enumerate(series.items()):
        shift = 0.08 * (number - (len(series) - 1) / 2)
        _points(axes, rows, "step", shift, number, linestyle="none", label=name)
        if number == 0:
            _ring(axes, headline["step"] + shift, headline["value"])
    steps = sorted({row["step"] for rows in series.values() for row in rows} | {headline["step"]})
    axes.set(
        ylabel=label + (f" ({units.strip()})" if units else ""),
        xticks=steps,
        xlim=(steps[0] - 0.35, steps[-1] + 0.35),
    )
    axes.ticklabel_format(axis="y", useOffset=False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best")
    _result_title(axes, label, headline, units)


def _points(axes, rows: list[dict], x: str, shift: float, number: int, **style) -> None:
    shown = [row for row in rows if row["value"] is not None]
    if not shown:
        return
    values, errors = [row["value"] for row in shown], [row["error"] or 0.0 for row in shown]
    axes.errorbar(
        [row[x] + shift for row in shown],
        values,
        errors,
        color=f"C{number}",
        marker=_MARKERS[number % len(_MARKERS)],
        **style,
    )


def _ring(axes, x: float, y: float | None, label: str | None = None) -> None:
    if y is not None:
        axes.plot(
            x,
            y,
            "o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=0.9,
            linestyle="none",
            label=label,
            zorder=5,
        )


def _result_title(axes, label: str, headline: dict, units: str) -> None:
    value = f"{label} = {with_error(headline['value'], headline['error'])}{units}"
    axes.set_title(
        value
        if headline["value"] is not None
        else "\n".join(wrap(f"{label}: {headline['reason']}", 44))
    )


# ---- crossing ------------------------------------------------------------------------------------


def _draw_crossing(file: File) -> Figure:
    """Binder cumulant and correlation ratio of every size against T, with bands of their errors;
    below, T_c by pair of sizes."""
    found = crossing.summary(file)
    exact = known_of_sizes(found).critical_temperature
    figure = Figure(figsize=(6.8, 5.0), layout="constrained")
    above, below = figure.subplots(2, 2, height_ratios=(1.5, 1))
    for column, (name, label) in enumerate(
        (("binder", "$U$"), ("correlation_ratio", "$R = C(L/2) / C(L/4)$"))
    ):
        rows = [row for row in found["crossings"] if row["quantity"] == name]
        _curves(above[column], file, name, exact)
        for row in rows:
            if row["T_c"] is not None:
                above[column].plot(
                    row["T_c"],
                    row["value"],
                    "o",
                    markersize=7,
                    markerfacecolor="none",
                    markeredgecolor="black",
                    markeredgewidth=0.8,
                    zorder=5,
                )
        above[column].set(xlabel="$T$ ($J/k_B$)", ylabel=label)
        _crossings_by_size(below[column], rows, exact)
    above[0].legend(title="$L$")
    figure.suptitle(
        (
            f"$T_c$ = {with_error(found['T_c'], found['T_c_error'])} $J/k_B$"
            if found["T_c"] is not None
            else "\n".join(wrap(found["T_c_reason"], 80))
        ),
        fontsize=9,
    )
    return figure


def _curves(axes, file: File, name: str, exact: float | None) -> None:
    temperature = 1 / file.read("/curves/coupling")
    for number, size in enumerate(file.read("/curves/size")):
        value, error = (file.read(f"/curves/{name}{suffix}")[number] for suffix in ("", "_error"))
        axes.plot(temperature, value, color=f"C{number}", label=str(size))
        axes.fill_between(
            temperature, value - error, value + error, color=f"C{number}", alpha=0.3, linewidth=0
        )
    if exact is not None and temperature.min() <= exact <= temperature.max():
        axes.axvline(exact, color=_GREY, linewidth=0.8, linestyle="--", zorder=1)


def _crossings_by_size(axes, rows: list[dict], exact: float | None) -> None:
    names = [", ".join(map(str, row["sizes"])) for row in rows]
    places = range(len(rows))
    if exact is not None:
        axes.axhline(exact, color=_GREY, linewidth=0.8, linestyle="--", label="exact")
    for place, row in zip(places, rows):
        if row["T_c"] is not None:
            axes.errorbar(place, row["T_c"], row["T_c_error"] or 0.0, color="black", marker="o")
    axes.set(xlabel="sizes that cross", ylabel="$T_c$ ($J/k_B$)", xlim=(-0.5, len(rows) - 0.5))
    axes.set_xticks(places, names)
    axes.ticklabel_format(axis="y", useOffset=False)


# ---- lambda --------------------------------------------------------------------------------------


_DRAWINGS = {
    "theta": _draw_theta,
    "lambda": draw_lambda,
    "flow": _draw_flow,
    "exponent": _draw_exponent,
    "crossing": _draw_crossing,
}
