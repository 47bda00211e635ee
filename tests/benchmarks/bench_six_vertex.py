"""Nanoseconds per step of the directed loops of the six-vertex model, with one chain and with
eight, rows of arrows included, beside a loop in plain Python."""

import random

import numpy as np
from timing import seconds

from rsmi.models.six_vertex.arrows import ordered_vertices
from rsmi.models.six_vertex.loop import sample_chains

BASELINE = "baseline: plain Python loop L=16 c=1"


def python_loop(out, near, weight):
    """One loop on lists of half-links, whether the arrow leaves there and which is the other end:
    the code one would write without a kernel. Returns its steps."""
    head, steps = random.randrange(len(out)), 0
    if out[head]:
        head = near[head]
    ends = (head, near[head])
    while True:
        vertex, leg = head & ~3, head & 3
        ways = [k for k in range(4) if out[vertex + k]]
        straight = leg ^ 2
        if straight not in ways:
            way = random.choice(ways)
        elif random.random() < 1 - weight / 2:
            way = straight
        else:
            way = sum(ways) - straight
        out[head] ^= True
        out[vertex + way] ^= True
        head = near[vertex + way]
        steps += 1
        if head in ends:
            return steps


def baseline_nanoseconds(side):
    index = 4 * np.arange(side * side).reshape(side, side)
    moved = [np.roll(index, shift, axis) for shift, axis in ((-1, 0), (-1, 1), (1, 0), (1, 1))]
    near = np.stack([far + (leg ^ 2) for leg, far in enumerate(moved)], axis=2).ravel().tolist()
    out, steps = [True, True, False, False] * side**2, []
    random.seed(1)
    total = seconds(lambda: steps.append(sum(python_loop(out, near, 1.0) for _ in range(50))))
    return total / np.median(steps) * 1e9


def kernel_nanoseconds(side, chains, weight):
    """Rows are made after about 2.5 N steps, as `rsmi sample` does."""
    vertices = np.stack([ordered_vertices((side, side), chain) for chain in range(chains)])
    rng = np.arange(1, 4 * chains + 1, dtype=np.uint64).reshape(chains, 4)

    def steps_of(loops, rows):
        found, steps = np.empty((2, rows * chains), dtype=np.int64)
        links = np.empty((rows * chains, (2 * side * side + 7) // 8), dtype=np.uint8)
        sample_chains(vertices, weight, rng, loops, 0, links, found, steps)
        return steps.sum()

    loops = round(2.5 * side**2 * 200 * chains / steps_of(1, 200 * chains)) or 1
    rows, steps = max(2, 2_000_000 // (chains * side**2)), []
    return seconds(lambda: steps.append(steps_of(loops, rows))) / np.median(steps) * 1e9


def run():
    baseline = baseline_nanoseconds(16)
    rows = [(BASELINE, baseline, "ns/step")]
    for side, weight in ((16, 1.0), (64, 1.0), (64, 1.8), (128, 1.0)):
        for chains, name in ((1, "one chain"), (8, "eight chains")):
            value = kernel_nanoseconds(side, chains, weight)
            ratios = {"Python": baseline / value} if side == 16 else {}
            row = f"directed loop, {name} L={side} c={weight:g}"
            rows.append((row, value, "ns/step", ratios))
    return rows


if __name__ == "__main__":
    for name, value, unit, *_ in run():
        print(f"{name:50s} {value:8.2f} {unit}")
