"""K' against K, and the entropy that each decimation of the chain removes and shares.

    python flow.py FIGURE.png        (prints the tables; about two seconds)

Entropies in nats; K = J/(k_B T).
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import save
from matplotlib.figure import Figure

from rsmi.models.ising.facts import critical_coupling, exact_entropy
from rsmi.models.ising.theory import information_flow as flow
from rsmi.models.ising.theory.cumulants import block_rules, chain_couplings
from rsmi.renormalization.rules import Rule, decimation, majority

COUPLINGS = (0.5, 1.0, 2.0, 3.0)
STEPS = 7  # n = 0 .. 6


def chain_table() -> None:
    """Every step from several couplings, and the sum rule of the entropies."""
    print(
        "Decimation of every second spin of the infinite chain; nats per spin of the chain that is"
        " decimated (N spins)\n"
    )
    print(f"{'n':>3}{'K_n':>14}{'s(K_n)':>12}{'H(fast|slow)/N':>17}{'I(fast:slow)/N':>17}")
    for coupling in COUPLINGS:
        steps = flow.decimation_flow(coupling, STEPS)
        for n, step in enumerate(steps):
            print(
                f"{n:3d}{step.coupling:14.6g}{step.entropy:12.8f}{step.removed:17.8f}"
                f"{step.shared:17.3e}"
            )
        removed = sum(step.removed / 2**n for n, step in enumerate(steps[:-1]))
        print(
            f"   removed by steps 0 to {STEPS - 2}, per first spin: {removed:.8f}; left:"
            f" {steps[-1].entropy / 2 ** (STEPS - 1):.8f}; together s(K_0) ="
            f" {removed + steps[-1].entropy / 2 ** (STEPS - 1):.8f}\n"
        )


def torus_table() -> None:
    """4x4 torus at the critical coupling, by enumeration."""
    shape, coupling = (4, 4), critical_coupling(2)
    probabilities = flow.configuration_probabilities(shape, coupling)
    print(
        f"4x4 torus at K_c = {coupling:.6f}, all 65,536 configurations; nats of the whole lattice."
        f" Kaufman's partition function: {16 * exact_entropy(shape, coupling):.8f}\n"
    )
    print(f"{'':30}{'H(all)':>12}{'H(slow)':>12}{'H(fast|slow)':>14}{'I(fast:slow)':>14}")
    choices = {
        "decimation to the checkerboard": [
            site for site in range(16) if (site // 4 + site) % 2 == 0
        ],
        "decimation of 2x2 blocks": [0, 2, 8, 10],
    }
    for name, slow in choices.items():
        split = flow.split_entropies(probabilities, slow)
        print(
            f"{name:30}{split.total:12.8f}{split.slow:12.8f}{split.removed:14.8f}"
            f"{split.shared:14.8f}"
        )
    print(f"\n{'4x4 -> 2x2':36}{'H(V)':>12}{'H(H)':>12}{'H(V|H)':>14}{'H(H|V)':>14}{'I(V:H)':>12}")
    rules = {
        "decimation": decimation((2, 2)),
        "majority, fair ties": majority((2, 2)),
        "learned, hard (2.80 3.39 2.79 3.44)": learned(True),
        "learned, soft": learned(False),
    }
    for name, rule in rules.items():
        found = flow.blocking_entropies(probabilities, shape, rule)
        print(
            f"{name:36}{found.fine:12.8f}{found.coarse:12.8f}{found.removed:14.8f}"
            f"{found.coins:14.8f}{found.shared:12.8f}"
        )


def learned(hard: bool) -> Rule:
    """The 2x2 filter that data/ising2d learns."""
    return Rule([[2.80, 3.39, 2.79, 3.44]], [0.0], hard, (2, 2))


def draw():
    """K' against K, entropies against K, and both along the flow."""
    figure = Figure(figsize=(10.2, 3.4), layout="constrained")
    couplings, information, along = figure.subplots(1, 3)
    grid = np.linspace(0.02, 1.2, 60)
    for order, shade in zip((2, 4, 10), ("0.8", "0.6", "0.3")):
        found = [
            chain_couplings(block_rules([[1, 0]], hard=True), coupling, order=order).nearest[0]
            for coupling in grid
        ]
        couplings.plot(grid, found, color=shade, label=f"decimation, order {order}")
    couplings.plot(
        grid,
        0.5 * np.log(np.cosh(2 * grid)),
        "--",
        color="#D55E00",
        label=r"$\frac{1}{2}\,\ln\cosh 2K$",
    )
    couplings.plot(
        grid,
        [
            chain_couplings(block_rules([[1, 1]], hard=True), coupling, order=None).nearest[0]
            for coupling in grid
        ],
        color="#E69F00",
        label="majority, exact",
    )
    couplings.set(
        xlabel="$K$",
        ylabel="$K'_2(1)$",
        title="nearest-neighbour coupling of the blocks",
        xlim=(0, 1.2),
        ylim=(0, 1.1),
    )
    couplings.legend(loc="upper left")
    steps = [flow.decimation_step(coupling) for coupling in np.linspace(0.01, 3.2, 200)]
    for name, label in (
        ("entropy", "$s(K)$"),
        ("removed", r"$H(\mathrm{fast}|\mathrm{slow})/N$"),
        ("shared", r"$I(\mathrm{fast}{:}\mathrm{slow})/N$"),
    ):
        information.plot(
            [step.coupling for step in steps], [getattr(step, name) for step in steps], label=label
        )
    information.axhline(np.log(2), color="0.6", linewidth=0.6)
    information.text(3.2, np.log(2), r"$\ln 2$", ha="right", va="bottom", color="0.4")
    information.set(
        xlabel="$K$",
        ylabel="nats per spin",
        title="one decimation of the chain",
        xlim=(0, 3.2),
        ylim=(0, 0.76),
    )
    information.legend(loc="center right")
    for k, coupling in enumerate(COUPLINGS):
        found = flow.decimation_flow(coupling, STEPS)
        along.plot(
            [step.removed for step in found],
            "o-",
            color=f"C{k}",
            markersize=4,
            label=f"$K_0$ = {coupling:g}",
        )
        along.plot([step.shared for step in found], "s:", color=f"C{k}", markersize=4)
    along.plot([], [], "ko-", markersize=4, label=r"$H(\mathrm{fast}|\mathrm{slow})/N$")
    along.plot([], [], "ks:", markersize=4, label=r"$I(\mathrm{fast}{:}\mathrm{slow})/N$")
    along.axhline(np.log(2) / 2, color="0.6", linewidth=0.6)
    along.text(0, np.log(2) / 2, r"$\frac{1}{2}\,\ln 2$", va="bottom", color="0.4")
    along.set(
        xlabel="step $n$",
        ylabel="nats per spin of chain $n$",
        title="repeated decimation of the chain",
        ylim=(-0.01, 0.52),
    )
    along.legend(loc="upper center", ncols=2)
    return figure


if __name__ == "__main__":
    chain_table()
    torus_table()
    save(draw, sys.argv[1], dpi=100)
