"""Nanoseconds per vertex and sweep (a worm of N/2 steps) of the dimer samplers, with one chain and
with four, beside a worm in plain Python."""

import random

import numpy as np
from timing import seconds

from rsmi.models.dimers import loop as dimers_loop
from rsmi.models.dimers.coverings import columns
from rsmi.models.dimers.worm import add_noise, sample_chains


def python_worm(partner, neighbours):
    """One worm on a list of partners: the code one would write without a kernel. Returns its
    steps."""
    start = random.randrange(len(partner))
    head, came_from, steps = partner[start], start, 0
    while True:
        to = random.choice([vertex for vertex in neighbours[head] if vertex != came_from])
        next_head = partner[to]
        partner[head], partner[to] = to, head
        steps += 1
        if to == start:
            return steps
        head, came_from = next_head, to


def baseline_nanoseconds(size):
    index = np.arange(size * size).reshape(size, size)
    neighbours = (
        np.stack([np.roll(index, shift, axis) for axis in (0, 1) for shift in (1, -1)], axis=-1)
        .reshape(-1, 4)
        .tolist()
    )
    partner = (
        np.where(columns((size, size)) == 0, np.roll(index, -1, 0), np.roll(index, 1, 0))
        .ravel()
        .tolist()
    )
    random.seed(1)
    steps = []
    total = seconds(lambda: steps.append(sum(python_worm(partner, neighbours) for _ in range(100))))
    return total / np.median(steps) / 2 * 1e9


def kernel_nanoseconds(size, chains, sweeps=10):
    """Rows are stored after about so many sweeps; that is part of the time."""
    partners, rng = (
        np.stack([columns((size, size))] * chains),
        np.arange(1, 4 * chains + 1, dtype=np.uint64).reshape(chains, 4),
    )
    count, worms, steps = max(4, 400_000 // size**2) * chains, sweeps * round(np.sqrt(size) / 2), []

    def run():
        pairs, made = np.empty(count, np.int64), np.empty(count, np.int64)
        links = np.empty((count, size * size // 4), np.uint8)
        sample_chains(partners, rng, "periodic", worms, 0, pairs, links, made)
        steps.append(made.sum())

    return seconds(run) / np.median(steps) / 2 * 1e9


def loop_nanoseconds(size, chains, temperature, rows=40):
    """The same of interacting dimers: rows of ten sweeps, after as many that forget the columns and
    say how long worms are."""
    partners, rng = (
        np.stack([columns((size, size))] * chains),
        np.arange(1, 4 * chains + 1, dtype=np.uint64).reshape(chains, 4),
    )

    def steps_of(worms):
        pairs, made = np.empty(rows * chains, np.int64), np.empty(rows * chains, np.int64)
        dimers_loop.sample_chains(
            partners,
            1 / temperature,
            rng,
            "periodic",
            worms,
            0,
            pairs,
            np.empty((rows * chains, size * size // 4), np.uint8),
            made,
        )
        return made.sum()

    steps_of(size * size)
    worms = round(10 * size**2 / 2 * size * rows * chains / steps_of(size))
    steps = []
    return seconds(lambda: steps.append(steps_of(worms))) / np.median(steps) / 2 * 1e9


def noise_nanoseconds(size):
    links = np.zeros((2_000_000 // size**2, size * size // 4), np.uint8)
    key = np.array([1, 2], np.uint64)
    return (
        seconds(lambda: add_noise(links, (size, size), 0.982, "cell", key, 0))
        / (len(links) * size**2)
        * 1e9
    )


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement."""
    rows = [("baseline: plain Python worm L=64", baseline_nanoseconds(64), "ns/vertex/sweep")]
    for size in (16, 64, 128, 256):
        for chains, name in ((1, "one chain"), (4, "four chains")):
            rows.append(
                (f"worm, {name} L={size}", kernel_nanoseconds(size, chains), "ns/vertex/sweep")
            )
    rows.append(
        (
            "worm, four chains L=64, every sweep stored",
            kernel_nanoseconds(64, 4, 1),
            "ns/vertex/sweep",
        )
    )
    for temperature in (1.0, 0.65, 0.5):
        rows += [
            (
                f"loop, {name} L=64, T={temperature:g}",
                loop_nanoseconds(64, chains, temperature),
                "ns/vertex/sweep",
            )
            for chains, name in ((1, "one chain"), (4, "four chains"))
        ]
    return [*rows, ("noise on vertices and faces L=64", noise_nanoseconds(64), "ns/vertex")]


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:8.2f} {unit}")
