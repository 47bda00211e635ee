"""Every filter of a two-spin block: what it keeps of the information, and how simple a Hamiltonian
it makes.

    python plane.py FIGURE.png        (prints the table; about ten seconds)

Units: filters act as P(h=+1|x) = 1/(1 + exp(-lambda . x)); K = J/(k_B T); information in nats or as
a share of I(V:E).
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib.figure import Figure

from rsmi.information.channel import channel_table
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle as exact
from rsmi.models.ising.theory.cumulants import block_rules, chain_couplings

COUPLING = 0.1
BUFFER, BLOCKS, ORDER = 1, 8, 10
EXTENT, CELLS = (
    8.0,
    80,
)  # the plane: |lambda_i| <= EXTENT in CELLS x CELLS cells, none of which is centred at 0
STRENGTHS = (2, 4, 8, 16)  # of the cut
DECIMATION, MAJORITY, STAGGERED = (1, 0), (1, 1), (1, -1)


def shares(filters, coupling: float, hard: bool = False) -> np.ndarray:
    """I(H:E)/I(V:E) of every filter, infinite chain."""
    joint = exact.chain_joint(np.shape(filters)[1], BUFFER, coupling)
    block = mutual_information(joint, np.eye(len(joint)))
    return (
        np.array(
            [mutual_information(joint, channel_table(weights, 0, hard)) for weights in filters]
        )
        / block
    )


def rows(title: str, coupling: float, named: dict) -> None:
    """The table of hard rules of one block."""
    filters = np.array(list(named.values()), dtype=float)
    length = filters.shape[1]
    joint = exact.chain_joint(length, BUFFER, coupling)
    rules = block_rules(filters, hard=True)
    series, whole = (
        chain_couplings(rules, coupling, BLOCKS, ORDER),
        chain_couplings(rules, coupling, BLOCKS, None),
    )
    print(f"{title}: I(V:E) = {mutual_information(joint, np.eye(len(joint))):.6g} nats\n")
    print(
        f"{'':16}{'I(H:E)/I(V:E)':>14}{'K2(1) order 10':>16}{'exact':>12}{'rangeness':>11}"
        f"{'exact':>11}{'m-bodyness':>12}{'exact':>11}"
    )
    kept = shares(filters, coupling, hard=True)
    for k, name in enumerate(named):
        print(
            f"{name:16}{kept[k]:14.4f}{series.nearest[k]:16.8f}{whole.nearest[k]:12.8f}"
            f"{tidy(series.rangeness[k]):>11}{tidy(whole.rangeness[k]):>11}"
            f"{tidy(series.m_bodyness[k]):>12}{tidy(whole.m_bodyness[k]):>11}"
        )
    print()


def tidy(number: float, digits: int = 3) -> str:
    """A number in scientific notation; 0 below 1e-10, where rounding begins."""
    return "0" if abs(number) < 1e-10 else f"{number:.{digits}e}"


def table() -> None:
    """Named rules, and K' of decimation against the closed form."""
    print(
        f"The Ising chain, {BLOCKS} blocks on a ring, buffer {BUFFER}; K' to order {ORDER} of the"
        " cumulant expansion, and exactly\n"
    )
    two = {"decimation": DECIMATION, "majority": MAJORITY, "staggered": STAGGERED}
    rows("K = 0.1, 2 spins", 0.1, two)
    rows("K = 1, 2 spins", 1.0, two)
    rows(
        "K = 0.1, 3 spins",
        0.1,
        {"boundary spin": (1, 0, 0), "inner spin": (0, 1, 0), "majority": (1, 1, 1)},
    )
    rows(
        "K = 0.1, 4 spins",
        0.1,
        {
            "boundary spin": (1, 0, 0, 0),
            "inner spin": (0, 1, 0, 0),
            "majority": (1, 1, 1, 1),
            "two end spins": (1, 0, 0, 1),
        },
    )
    print("Decimation of every second spin: K' of the expansion minus (1/2) ln cosh 2K\n")
    print(
        f"{'K':>5}{'(1/2) ln cosh 2K':>18}"
        + "".join(f"{f'order {order}':>12}" for order in (2, 4, 6, 8, 10))
        + f"{'exact':>12}"
    )
    for coupling in (0.05, 0.1, 0.2, 0.5, 1.0):
        known = 0.5 * np.log(np.cosh(2 * coupling))
        found = [
            chain_couplings(block_rules([DECIMATION], hard=True), coupling, BLOCKS, order).nearest[
                0
            ]
            for order in (2, 4, 6, 8, 10, None)
        ]
        print(
            f"{coupling:5}{known:18.10f}"
            + "".join(f"{tidy(value - known, 1):>12}" for value in found)
        )
    print()


def plane():
    """Filters of the plane, (CELLS, CELLS, 2), and what each keeps and makes."""
    centres = (np.arange(CELLS) + 0.5) * 2 * EXTENT / CELLS - EXTENT
    filters = np.stack(np.meshgrid(centres, centres), axis=-1)
    flat = filters.reshape(-1, 2)
    return (
        filters,
        shares(flat, COUPLING).reshape(CELLS, CELLS),
        chain_couplings(block_rules(flat), COUPLING, BLOCKS, ORDER),
    )


def summary(filters, kept, found) -> None:
    """Where in the plane the information is largest, and how the ratios go with it."""
    flat, kept = filters.reshape(-1, 2), kept.ravel()
    order = np.argsort(kept)[::-1]
    weights = np.sort(np.abs(flat[order[0]]))[::-1]  # of four equal maxima: mirror images and signs
    print(
        f"K = {COUPLING}, {CELLS}x{CELLS} soft filters, |lambda_i| < {EXTENT:g}: the most"
        f" information, {kept.max():.4f} of I(V:E), is kept at lambda = ({weights[0]:.1f},"
        f" {weights[1]:.1f})\n"
    )
    print(f"{'filters':24}{'I(H:E)/I(V:E)':>16}{'max |rangeness|':>18}{'max |m-bodyness|':>18}")
    for percent, (first, last) in {
        "best 1 %": (0, 0.01),
        "next 9 %": (0.01, 0.1),
        "next 40 %": (0.1, 0.5),
        "the rest": (0.5, 1),
    }.items():
        chosen = order[int(first * len(order)) : int(last * len(order))]
        range_kept = f"{kept[chosen].min():.4f} .. {kept[chosen].max():.4f}"
        rangeness, m_bodyness = (
            np.abs(values[chosen]).max() for values in (found.rangeness, found.m_bodyness)
        )
        print(f"{percent:24}{range_kept:>16}{rangeness:18.2e}{m_bodyness:18.2e}")


def draw(filters, kept, found):
    """Three maps of the plane; below each its cut at fixed strengths."""
    figure = Figure(figsize=(10.2, 6.5), layout="constrained")
    axes = figure.subplots(2, 3)
    ranges, bodies = found.rangeness.reshape(kept.shape), found.m_bodyness.reshape(kept.shape)
    panels = [
        ("rangeness  $K'_2(2)\\,/\\,K'_2(1)$", ranges, 1.0, "RdBu_r", True),
        ("m-bodyness  $K'_4(1,1,1)\\,/\\,K'_2(1)$,  $10^{-5}$", bodies, 1e5, "RdBu_r", True),
        ("information kept  $I(H{:}E)\\,/\\,I(V{:}E)$", kept, 1.0, "viridis", False),
    ]
    for column, (title, values, scale, colours, signed) in enumerate(panels):
        limit = np.abs(scale * values).max()
        image = axes[0, column].imshow(
            scale * values,
            origin="lower",
            extent=(-EXTENT, EXTENT) * 2,
            cmap=colours,
            vmin=-limit if signed else 0,
            vmax=limit,
            interpolation="bilinear",
        )
        figure.colorbar(image, ax=axes[0, column], shrink=0.85)
        axes[0, column].contour(
            *np.moveaxis(filters, 2, 0),
            ranges,
            levels=[0],
            colors="black" if signed else "white",
            linewidths=0.9,
        )
        axes[0, column].set(
            title=title,
            xlabel="$\\lambda_1$",
            ylabel="$\\lambda_2$",
            xticks=range(-8, 9, 4),
            yticks=range(-8, 9, 4),
        )
        mark(axes[0, column])
    figure.suptitle(
        f"Ising chain, $K$ = {COUPLING}, blocks of 2 spins, soft filters:"
        f" $P(h{{=}}{{+}}1|x)=1/(1+e^{{-\\lambda\\cdot x}})$; cumulants to order {ORDER}, ring of"
        f" {BLOCKS} blocks\nlines: the two ends of a block are independent given $h$, and $K'$"
        " couples nearest neighbours alone",
        fontsize=9,
    )
    angles = np.linspace(-90, 90, 361)
    for strength in STRENGTHS:
        cut = strength * np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1)
        along = chain_couplings(block_rules(cut), COUPLING, BLOCKS, ORDER)
        for axis, values in zip(
            axes[1], (along.rangeness, 1e5 * along.m_bodyness, shares(cut, COUPLING))
        ):
            axis.plot(
                angles,
                values,
                color=f"{0.75 - 0.25 * STRENGTHS.index(strength)}",
                label=f"$|\\lambda|$ = {strength}",
            )
    hard = chain_couplings(block_rules([DECIMATION, MAJORITY], hard=True), COUPLING, BLOCKS, ORDER)
    for axis, values, (title, *_) in zip(
        axes[1],
        (
            hard.rangeness,
            1e5 * hard.m_bodyness,
            shares([DECIMATION, MAJORITY], COUPLING, hard=True),
        ),
        panels,
    ):
        axis.plot(
            [-90, 0, 90],
            values[[0, 0, 0]],
            "o",
            color="#D55E00",
            zorder=5,
            label="decimation",
            clip_on=False,
        )
        axis.plot([45], values[[1]], "s", color="#E69F00", zorder=5, label="majority")
        axis.set(
            xlabel="angle of $(\\lambda_1, \\lambda_2)$, degrees",
            ylabel=title,
            xticks=range(-90, 91, 45),
        )
        if axis is not axes[1, 2]:
            axis.axhline(0, color="black", linewidth=0.6, zorder=0)
    axes[1, 0].legend(loc="upper right")
    axes[1, 2].set_ylim(bottom=0)
    return figure


def mark(axis) -> None:
    """Where the plane comes closest to decimation and majority: the ends of its axes and of one
    diagonal."""
    ends = 0.93 * EXTENT * np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    axis.plot(*ends.T, "o", color="#D55E00", markeredgecolor="white")
    axis.plot(
        *(0.93 * EXTENT * np.array([(1, 1), (-1, -1)])).T,
        "s",
        color="#E69F00",
        markeredgecolor="white",
    )


if __name__ == "__main__":
    table()
    everything = plane()
    summary(*everything)
    save(lambda: draw(*everything), sys.argv[1], dpi=100)
