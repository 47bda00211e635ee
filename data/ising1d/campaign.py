"""The Ising chain, ten seeds of everything: which spins the hidden units find, beside the exact information.

    python campaign.py [SEEDS]        (files go to campaign/, and are resumed)
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rsmi.information import exact

FOLDER = Path("campaign")
OBJECTIVES = ("proxy", "logsum", "enumerate", "decoder")
BLOCK, BUFFER = 4, 1


def rsmi(*words) -> dict:
    """Run a command; its JSON answer."""
    line = [sys.executable, "-m", "rsmi", *map(str, words), "--json", "--quiet", "--force"]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def learned(seed: int, coupling: float, objective: str, hidden: int) -> dict:
    """The rule of one seed."""
    samples, theta = FOLDER / f"samples-{coupling}-{seed}.h5", FOLDER / f"theta-{coupling}-{seed}.h5"
    rsmi("sample", "--dimension", 1, "--size", 64, "--coupling", coupling, "--samples", 4000, "--seed", seed, "-o", samples)
    model = ["--block", BLOCK, "--buffer", BUFFER]
    if objective != "decoder":
        rsmi("train-theta", samples, *model, "--seed", seed, "-o", theta)
        model = ["--theta", theta]
    output = FOLDER / f"lambda-{coupling}-{objective}-{hidden}-{seed}.h5"
    return rsmi("train-lambda", samples, *model, "--objective", objective, "--hidden", hidden, "--seed", seed, "-o", output)


def loudest(found: dict) -> list[int]:
    """The site with the largest weight of every unit."""
    return np.abs(np.reshape(found["filters"], (-1, BLOCK))).argmax(axis=1).tolist()


def exact_values(coupling: float) -> dict[str, float]:
    """I(H:E) of named rules on the infinite chain, and I(V:E), nats."""
    joint = exact.chain_joint(BLOCK, BUFFER, coupling)
    sites = np.eye(BLOCK)
    rules = {"boundary spin": sites[:1], "inner spin": sites[1:2], "majority": np.ones((1, BLOCK)), "both boundary spins": sites[[0, -1]]}
    values = {name: exact.mutual_information(joint, exact.channel(rule, np.zeros(len(rule)), hard=True)) for name, rule in rules.items()}
    return values | {"I(V:E)": exact.mutual_information(joint, np.eye(2**BLOCK))}


def row(coupling: float, objective: str, seeds: int) -> str:
    """Successes and exact information of one objective."""
    one = [learned(seed, coupling, objective, 1) for seed in range(1, seeds + 1)]
    two = [learned(seed, coupling, objective, 2) for seed in range(1, seeds + 1)]
    single = sum(loudest(found)[0] in (0, BLOCK - 1) for found in one)
    both = sum(sorted(loudest(found)) == [0, BLOCK - 1] and found["mutual_information_exact"] >= 0.98 * found["mutual_information_block"] for found in two)
    worst = [min(found["mutual_information_exact"] for found in group) for group in (one, two)]
    return f"{objective:12}{single:6d}/{seeds:<4d}{worst[0]:8.4f}{both:12d}/{seeds:<4d}{worst[1]:8.4f}"


def main(seeds: int) -> None:
    """Print the exact values and the table."""
    FOLDER.mkdir(exist_ok=True)
    for coupling in (0.5, 1.0):
        print(f"K = {coupling}, block {BLOCK}, buffer {BUFFER}; exact, nats: " + ", ".join(f"{name} {value:.4f}" for name, value in exact_values(coupling).items()))
        print(f"\n{'':12}{'one unit: a boundary spin':>24}{'two units: both, I within 2 %':>34}")
        print(f"{'objective':12}{'seeds':>8}{'worst I':>11}{'seeds':>14}{'worst I':>11}")
        for objective in OBJECTIVES:
            print(row(coupling, objective, seeds), flush=True)
        print()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
