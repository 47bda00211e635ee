"""Attracting dimers against the temperature: what two bits of a block know of their environment,
and which filters they are.

    python temperature.py FIGURE.png rule-T-B.h5...        (two units, buffer B, learned from
    interacting-T.h5)

T in |v|/k_B. Named rules on the same windows: the electric field (T_x, T_y), and plaquettes, the
sum and the difference of the two columnar filters, whose signs tell the four columnar states apart.
"""

import math
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import info, save
from matplotlib.figure import Figure
from readouts import information

from rsmi.information.decoder import DecoderBound
from rsmi.models.dimers.filters import columnar_templates, electric_templates
from rsmi.samples.files import open_file
from rsmi.samples.windows import WindowSet, stored_geometry
from rsmi.statistics.notation import table, with_error

T_BKT = 0.65
STEPS = 1000


class Point(NamedTuple):
    """One temperature and buffer."""

    temperature: float  # inf for free dimers
    buffer: int
    learned: DecoderBound  # of the hard rule
    electric: float  # R2 on E, mean of the two units
    columnar: float  # R2 on the columnar order
    # of the filters in the plane of the columnar order, degrees from its axes: 0 to 45, which are
    # plaquettes
    direction: float
    fields: DecoderBound  # of T_x, T_y
    plaquettes: DecoderBound


def plaquette_templates(block: tuple[int, int]) -> np.ndarray:
    """Sum and difference of the columnar templates."""
    along_x, along_y = columnar_templates(block)
    return np.array([along_x + along_y, along_x - along_y])


def samples_of(rule: str) -> str:
    """interacting-T.h5 beside rule-T-B.h5."""
    return str(Path(rule).with_name(f"interacting-{Path(rule).stem.split('-')[1]}.h5"))


def measured(rule: str) -> Point:
    """A learned rule and the named ones."""
    found = info(rule)
    with open_file(rule, "lambda") as file:
        a = file.attributes
        filters = file.read("/filters")
    with open_file(samples_of(rule), "samples") as source:
        windows = WindowSet(source, stored_geometry(a), a["windows"], 0)
        windows.check()
        fields, plaquettes = (
            information(windows, templates(a["block"]), steps=STEPS)
            for templates in (electric_templates, plaquette_templates)
        )
    units = found["dimers"]["units"]
    overlap = filters @ columnar_templates(a["block"]).T
    turned = np.degrees(np.arctan2(*np.abs(overlap).T))
    return Point(
        temperature=a.get("temperature", math.inf),
        buffer=a["buffer"],
        learned=DecoderBound(
            found["mutual_information_hard"],
            found["mutual_information_hard_error"],
            found["entropy_hard"],
        ),
        electric=float(np.mean([unit["R2"] for unit in units])),
        columnar=float(np.mean([unit["R2_columnar"] for unit in units])),
        direction=float(np.mean(np.minimum(turned, 90 - turned))),
        fields=fields,
        plaquettes=plaquettes,
    )


def stiffnesses(rules: list[str]) -> dict[float, tuple[float, float]]:
    """g and its error by temperature."""
    found = {}
    for path in sorted({samples_of(rule) for rule in rules}):
        with open_file(path, "samples") as file:
            temperature = file.attributes.get("temperature", math.inf)
        numbers = info(path)
        found[temperature] = numbers["stiffness"], numbers["stiffness_error"]
    return found


def report(points: list[Point], stiffness_at: dict) -> None:
    """The table."""
    print(
        "Attracting dimers, 32x32, 4x4 block, two units: I(H:E) in nats, held out, hard rules; log"
        f" 4 = {math.log(4):.4f}, T_BKT = {T_BKT}\n"
    )
    rows = [
        [
            "T",
            "g",
            "buffer",
            "I(H:E)",
            "H(H)",
            "E-R2",
            "columnar R2",
            "from the axes",
            "E_x, E_y",
            "plaquettes",
        ]
    ]
    for point in sorted(points, key=lambda point: (point.buffer, point.temperature)):
        informations = (
            with_error(*bound[:2]) for bound in (point.learned, point.fields, point.plaquettes)
        )
        learned, fields, plaquettes = informations
        shape = (f"{point.electric:.3f}", f"{point.columnar:.3f}", f"{point.direction:.0f}")
        rows.append(
            [
                f"{point.temperature:g}",
                with_error(*stiffness_at[point.temperature]),
                str(point.buffer),
                learned,
                f"{point.learned.entropy:.3f}",
                *shape,
                fields,
                plaquettes,
            ]
        )
    print("\n".join(table(rows)))


def draw(points: list[Point]) -> Figure:
    """Information, and what the filters are, against the temperature."""
    by_buffer = defaultdict(list)
    for point in sorted(points, key=lambda point: (point.buffer, point.temperature)):
        by_buffer[point.buffer].append(point)
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    above, below = figure.subplots(1, 2)
    for number, (buffer, row) in enumerate(by_buffer.items()):
        inverse = [1 / point.temperature for point in row]
        style = {"color": f"C{number}", "marker": "osD^"[number % 4]}
        above.errorbar(
            inverse,
            [point.learned.value for point in row],
            [point.learned.error for point in row],
            label=f"buffer {buffer}",
            **style,
        )
        below.plot(
            inverse,
            [point.columnar for point in row],
            label=f"columnar order, buffer {buffer}",
            **style,
        )
        below.plot(
            inverse,
            [point.electric for point in row],
            linestyle="--",
            markerfacecolor="white",
            label=f"electric field, buffer {buffer}",
            **style,
        )
    above.axhline(math.log(4), color="0.45", linewidth=0.8, linestyle="--", zorder=1)
    above.text(0.02, math.log(4) - 0.01, "log 4", va="top", color="0.35", fontsize=8)
    for axes in (above, below):
        axes.axvline(1 / T_BKT, color="0.45", linewidth=0.8, linestyle=":", zorder=1)
        axes.set(xlabel="$|v| / k_B T$")
    above.text(1 / T_BKT + 0.03, 0.02, "$T_{BKT}$", color="0.35", fontsize=8)
    above.set(ylabel="$I(H:E)$ of two bits (nats)", ylim=(0, 1.5))
    below.set(ylabel="$R^2$ of the learned filters, mean of two units", ylim=(0, 1))
    above.legend(loc="center left")
    below.legend(loc="upper right", fontsize=7)
    return figure


def main(output: str, *rules: str) -> None:
    """Print the table and draw the figure."""
    points = [measured(rule) for rule in rules]
    report(points, stiffnesses(list(rules)))
    save(lambda: draw(points), output)


if __name__ == "__main__":
    main(*sys.argv[1:])
