"""How the figures of this folder look."""

from pathlib import Path

from cycler import cycler
from matplotlib import rc_context

STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.3,
    "savefig.dpi": 100,
    # Okabe & Ito's palette, told apart with every common colour blindness
    "axes.prop_cycle": cycler(
        color=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
    ),
}


def save(draw, output: str) -> None:
    """Draw a figure in this style and write it."""
    with rc_context(STYLE):
        draw().savefig(Path(output), metadata={"Software": None})
