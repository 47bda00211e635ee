"""Nanoseconds per step of the worms of triangular ground states, with one chain and with eight,
rows of spins included, beside a worm in plain Python."""

import random

import numpy as np
from timing import seconds

from rsmi.models.triangular_ground_states.ground_states import flat_bonds
from rsmi.models.triangular_ground_states.worm import sample_chains

BASELINE = "baseline: plain Python worm L=24"


def python_worm(bonds, down, up):
    """One worm on a list of frustrated bonds: the code one would write without a kernel. Returns
    its steps."""
    tail, steps = random.randrange(len(bonds)), 0
    back = bonds[tail]
    head = down[back][tail]
    while True:
        bond = random.choice([other for other in range(3) if other != back])
        triangle = up[bond][head]
        back, bonds[triangle] = bonds[triangle], bond
        head = down[back][triangle]
        steps += 1
        if triangle == tail:
            return steps


def baseline_nanoseconds(side):
    index = np.arange(side * side).reshape(side, side)
    shifts = ((1, 1), (-1, 0), (0, 0))
    down = [np.roll(index, shift, axis).ravel().tolist() for shift, axis in shifts]
    up = [np.roll(index, -shift, axis).ravel().tolist() for shift, axis in shifts]
    bonds, steps = flat_bonds((side, side)).ravel().tolist(), []
    random.seed(1)
    total = seconds(lambda: steps.append(sum(python_worm(bonds, down, up) for _ in range(100))))
    return total / np.median(steps) * 1e9


def kernel_nanoseconds(side, chains):
    """Rows are made after about 2.5 N steps, as `rsmi sample` does."""
    bonds = np.stack([flat_bonds((side, side), chain) for chain in range(chains)])
    rng = np.arange(1, 4 * chains + 1, dtype=np.uint64).reshape(chains, 4)

    def steps_of(worms, rows):
        steps = np.empty(rows * chains, dtype=np.int64)
        spins = np.empty((rows * chains, (side * side + 7) // 8), dtype=np.uint8)
        sample_chains(bonds, rng, worms, 0, spins, steps)
        return steps.sum()

    worms = round(2.5 * side**2 * 200 * chains / steps_of(1, 200 * chains) * chains) or 1
    rows, steps = max(2, 2_000_000 // (chains * side**2)), []
    return seconds(lambda: steps.append(steps_of(worms, rows))) / np.median(steps) * 1e9


def run():
    baseline = baseline_nanoseconds(24)
    rows = [(BASELINE, baseline, "ns/step")]
    for side in (12, 24, 48, 96):
        for chains, name in ((1, "one chain"), (8, "eight chains")):
            value = kernel_nanoseconds(side, chains)
            ratios = {"Python": baseline / value} if side == 24 else {}
            rows.append((f"worm, {name} L={side}", value, "ns/step", ratios))
    return rows


if __name__ == "__main__":
    for name, value, unit, *_ in run():
        print(f"{name:50s} {value:8.2f} {unit}")
