"""The Ising chain, ten seeds of everything: which spins the hidden units find, beside the exact
information.

python campaign.py [SEEDS]        (files go to campaign/, and are resumed)
"""

import itertools
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import numpy as np
from common import made, rsmi

from rsmi.information.channel import channel_table
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle as exact

FOLDER = Path("campaign")
OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
BLOCKS, BUFFER = (2, 4), 1


def learned(seed: int, coupling: float, block: int, objective: str, hidden: int) -> dict:
    """The rule of one seed."""
    words = (
        "--dimension",
        1,
        "--size",
        64,
        "--coupling",
        coupling,
        "--samples",
        4000,
        "--seed",
        seed,
    )
    samples = made(FOLDER / f"samples-{coupling}-{seed}.h5", "sample", *words)
    model = ["--block", block, "--buffer", BUFFER]
    if objective != "decoder":
        model = [
            "--theta",
            made(
                FOLDER / f"theta-{coupling}-{block}-{seed}.h5",
                "train-theta",
                samples,
                *model,
                "--seed",
                seed,
            ),
        ]
    output = FOLDER / f"lambda-{coupling}-{block}-{objective}-{hidden}-{seed}.h5"
    return rsmi(
        "train-lambda",
        samples,
        *model,
        "--objective",
        objective,
        "--hidden",
        hidden,
        "--seed",
        seed,
        "--force",
        "-o",
        output,
    )


def copied(found: dict, block: int) -> list[int]:
    """The sites that the hard rule copies: of every unit the one whose weight outweighs all others
    together, -1 without one."""
    weights = np.abs(np.reshape(found["filters"], (-1, block)))
    return sorted(int(unit.argmax()) if 2 * unit.max() > unit.sum() else -1 for unit in weights)


def exact_values(coupling: float, block: int) -> dict[str, float]:
    """I(H:E) of named rules on the infinite chain, and I(V:E), nats."""
    joint = exact.chain_joint(block, BUFFER, coupling)
    sites = np.eye(block)
    rules = {
        "boundary spin": sites[:1],
        "majority": np.ones((1, block)),
        "both boundary spins": sites[[0, -1]],
    }
    if block > 2:
        rules["inner spin"] = sites[1:2]
    values = {
        name: mutual_information(joint, channel_table(rule, np.zeros(len(rule)), hard=True))
        for name, rule in rules.items()
    }
    return values | {"I(V:E)": mutual_information(joint, np.eye(2**block))}


def row(coupling: float, block: int, objective: str, seeds: int) -> str:
    """Successes and exact information of one objective."""
    one = [learned(seed, coupling, block, objective, 1) for seed in range(1, seeds + 1)]
    two = [learned(seed, coupling, block, objective, 2) for seed in range(1, seeds + 1)]
    single = sum(copied(found, block) in ([0], [block - 1]) for found in one)
    both = sum(
        copied(found, block) == [0, block - 1]
        and found["mutual_information_exact_hard"] >= 0.98 * found["mutual_information_block"]
        for found in two
    )
    worst = [min(found["mutual_information_exact_hard"] for found in group) for group in (one, two)]
    return (
        f"{objective:12}{single:6d}/{seeds:<4d}{worst[0]:8.4f}{both:12d}/{seeds:<4d}{worst[1]:8.4f}"
    )


def main(seeds: int) -> None:
    """Print the exact values and the tables."""
    FOLDER.mkdir(exist_ok=True)
    for coupling, block in itertools.product((0.5, 1.0), BLOCKS):
        print(
            f"K = {coupling}, block {block}, buffer {BUFFER}; exact, nats: "
            + ", ".join(
                f"{name} {value:.4f}" for name, value in exact_values(coupling, block).items()
            )
        )
        print(f"\n{'':12}{'one unit: a boundary spin':>24}{'two units: both, I within 2 %':>34}")
        print(f"{'objective':12}{'seeds':>8}{'worst I':>11}{'seeds':>14}{'worst I':>11}")
        for objective in OBJECTIVES:
            print(row(coupling, block, objective, seeds), flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
