"""Filters of three objectives on four systems, and what every rule knows of its environment.

python picture.py ISING-2x2.json ISING-4x4.json CHAIN.json DIMERS.json FIGURE.png        (of
measures.py)
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from rsmi.models.dimers.figure import draw_unit

OBJECTIVES = {
    "mutual information": "#0072B2",
    "total correlation": "#D55E00",
    "likelihood": "#009E73",
}
HEADS = ("Ising, 2x2", "Ising, 4x4", "Ising chain", "dimers in noise: unit 1", "unit 2")
SCALE = ScalarMappable(Normalize(-1, 1), colormaps["RdBu_r"])


def draw(systems: list[dict]) -> Figure:
    """Above the filters, objective by objective; below, one panel a system, all rules."""
    figure = Figure(figsize=(10.2, 8.8), layout="constrained")
    figure.suptitle(
        "Ising in two dimensions: every objective finds a block spin.  Dimers in noise: only mutual"
        " information finds the field.",
        fontsize=11,
    )
    above, below = figure.subfigures(2, 1, height_ratios=[2, 1])
    grid = above.subplots(
        1 + len(OBJECTIVES), len(HEADS), height_ratios=[0.1, *[1] * len(OBJECTIVES)]
    )
    for axes, head in zip(grid[0], HEADS):
        axes.text(0.5, 0.5, head, ha="center", va="center", fontsize=10)
        axes.set_axis_off()
    for row, (objective, colour) in zip(grid[1:], OBJECTIVES.items()):
        for axes, system, unit in zip(row, [*systems, systems[-1]], (0, 0, 0, 0, 1)):
            draw_filter(axes, system, system["rules"][objective], unit)
        row[0].text(
            -0.25,
            0.5,
            objective,
            transform=row[0].transAxes,
            rotation=90,
            ha="center",
            va="center",
            color=colour,
            fontsize=11,
        )
    most = max(len(system["rules"]) for system in systems)
    for number, (axes, system) in enumerate(
        zip(below.subplots(1, len(systems), width_ratios=[1, 1, 1, 1.6]), systems)
    ):
        draw_bars(axes, system, most, names=number in (0, len(systems) - 1))
    return figure


def draw_filter(axes, system: dict, rule: dict, unit: int) -> None:
    """A filter in units of its largest weight, most of them positive."""
    weights = np.array(rule["filters"][unit])
    weights = weights / (np.abs(weights).max() or 1.0)
    if system["model"] == "dimers":
        draw_unit(axes, weights, system["block"], 4, SCALE, dot=18)
        axes.set_title(f"$R^2$ {rule['electric'][unit]:.2f}, noise {rule['noise'][unit]:.2f}")
    else:
        image = weights.reshape(-1, system["block"][-1]) * (np.sign(weights.sum()) or 1.0)
        axes.imshow(image, cmap=SCALE.cmap, norm=SCALE.norm)
        for (y, x), weight in np.ndenumerate(image):
            axes.text(
                x,
                y,
                f"{weight:z.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if abs(weight) > 0.6 else "black",
            )
        axes.set_title(f"cosine to uniform {rule['cosine_uniform']:.3f}")
    axes.set_axis_off()


def draw_bars(axes, system: dict, most: int, names: bool) -> None:
    """I(H:E) of every rule, and a line at I(V:E); every panel has room for the most rules."""
    rules = list(system["rules"].items())
    values, errors = (
        [rule[name] for _, rule in rules] for name in ("information", "information_error")
    )
    axes.barh(
        range(len(rules)),
        values,
        xerr=errors,
        color=[OBJECTIVES.get(name, "0.65") for name, _ in rules],
        height=0.7,
    )
    labels = (
        [name.replace("E_x and E_y", "$E_x$ and $E_y$, by hand") for name, _ in rules]
        if names
        else [""] * len(rules)
    )
    axes.set_yticks(range(len(rules)), labels, fontsize=8)
    axes.set_ylim(most - 0.5, -0.5)
    if system["whole"] is not None:
        axes.axvline(system["whole"], color="0.3", linestyle=":")
        axes.text(
            system["whole"], -0.5, "$I(V{:}E)$ ", ha="right", va="bottom", fontsize=8, color="0.3"
        )
    axes.set_xlabel("$I(H{:}E)$, nats, held out")
    axes.set_xlim(left=min(0, *values))
    axes.tick_params(axis="y", length=0)


def main(*words: str) -> None:
    """Draw the figure."""
    systems = [json.loads(Path(word).read_text()) for word in words[:-1]]
    save(lambda: draw(systems), words[-1], dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
