"""Nanoseconds per site of the samplers of q states, beside the Ising kernel and two codes without a
kernel: Swendsen-Wang by label propagation and heat bath, both on whole arrays of numpy."""

import numpy as np
from timing import Row, seconds

from rsmi.models.clock.model import clock_system
from rsmi.models.ising.chain import sweep
from rsmi.models.ising.facts import critical_coupling
from rsmi.models.potts.chain import sample_chain
from rsmi.models.potts.system import potts

SIDES = (32, 64, 256)
STATES = (2, 3, 4, 8, 16)
SITES = 1 << 21  # updated in one measurement


def numpy_swendsen_wang(states, q, coupling, random):
    """All clusters anew: labels spread along open bonds until nothing changes, with jumps to the
    label of the label."""
    index = np.arange(states.size).reshape(states.shape)
    bonds = [
        (states == np.roll(states, -1, axis)) & (random.random(states.shape) < -np.expm1(-coupling))
        for axis in (0, 1)
    ]
    ends = [(index[bond], np.roll(index, -1, axis)[bond]) for axis, bond in enumerate(bonds)]
    labels = index.ravel().copy()
    while True:
        before = labels.copy()
        for first, second in ends:
            least = np.minimum(labels[first], labels[second])
            np.minimum.at(labels, first, least)
            np.minimum.at(labels, second, least)
        labels = labels[labels]
        if (labels == before).all():
            break
    states[:] = random.integers(0, q, states.size, dtype=np.uint8)[labels].reshape(states.shape)


def numpy_heat_bath(states, weights, random):
    """A checkerboard at once: products of the weights of four neighbours, and their sums."""
    colour, q = np.indices(states.shape).sum(axis=0) % 2, len(weights)
    for parity in (0, 1):
        product = np.ones((*states.shape, q))
        for axis in (0, 1):
            for step in (1, -1):
                product *= weights[np.roll(states, step, axis)]
        sums = np.cumsum(product, axis=-1)
        level = random.random(states.shape) * sums[..., -1]
        drawn = (sums[..., :-1] <= level[..., np.newaxis]).sum(axis=-1)
        states[:] = np.where(colour == parity, drawn, states)


def baselines():
    """Of three states on 64x64, at the critical point."""
    q, random = 3, np.random.default_rng(1)
    coupling, states = np.log1p(np.sqrt(q)), np.zeros((64, 64), np.uint8)
    weights = np.exp(coupling * np.eye(q))
    for _ in range(10):
        numpy_swendsen_wang(states, q, coupling, random)
    times = {
        "swendsen-wang": seconds(lambda: numpy_swendsen_wang(states, q, coupling, random)),
        "heat-bath": seconds(lambda: numpy_heat_bath(states, weights, random)),
    }
    return {name: value / states.size * 1e9 for name, value in times.items()}


def ising_nanoseconds(side):
    spins, rng = np.ones((side, side), np.int8), np.arange(1, 5, dtype=np.uint64)
    coupling, sweeps = critical_coupling(2), SITES // side**2
    sweep(spins, coupling, rng, "swendsen-wang", 50)
    return seconds(lambda: sweep(spins, coupling, rng, "swendsen-wang", sweeps)) / SITES * 1e9


def kernel_nanoseconds(system, coupling, algorithm, side):
    """Per site that is updated, or that a cluster moves."""
    tables = system.tables(coupling, 2, algorithm == "heat-bath")
    states, rng = np.zeros((side, side), np.uint8), np.arange(1, 5, dtype=np.uint64)
    planes = (system.states - 1).bit_length()
    rows = np.empty((1, planes * side**2 // 8), np.uint8)
    pairs, moved = np.empty((1, len(system.levels)), np.int64), []

    def run(updates):
        moved.append(
            sample_chain(states, tables, coupling, rng, algorithm, updates, 1, rows, pairs)
        )

    run(100)
    updates = 100 if algorithm == "wolff" else SITES // side**2
    moved.clear()
    time = seconds(lambda: run(updates))
    sites = np.median(moved) if algorithm == "wolff" else updates * side**2
    return time / sites * 1e9


def run():
    base = baselines()
    rows = [
        Row("baseline: numpy label propagation q=3 L=64", base["swendsen-wang"], "ns/site"),
        Row("baseline: numpy heat bath q=3 L=64", base["heat-bath"], "ns/site"),
    ]
    for side in SIDES:
        ising = ising_nanoseconds(side)
        rows.append(Row(f"Ising swendsen-wang L={side}", ising, "ns/site"))
        for q in STATES:
            value = kernel_nanoseconds(potts(q), np.log1p(np.sqrt(q)), "swendsen-wang", side)
            ratios = {"Ising kernel": ising / value} if q == 2 else {}
            if (q, side) == (3, 64):
                ratios["numpy"] = base["swendsen-wang"] / value
            rows.append(Row(f"Potts swendsen-wang q={q} L={side}", value, "ns/site", ratios))
    for q in STATES:
        value = kernel_nanoseconds(potts(q), np.log1p(np.sqrt(q)), "heat-bath", 64)
        ratios = {"numpy": base["heat-bath"] / value} if q == 3 else {}
        rows.append(Row(f"Potts heat-bath q={q} L=64", value, "ns/site", ratios))
    for system, coupling, name in (
        (potts(3), np.log1p(np.sqrt(3)), "Potts wolff q=3"),
        (clock_system(6), 1.25, "clock wolff q=6"),
        (clock_system(16), 1.12, "clock wolff q=16"),
    ):
        value = kernel_nanoseconds(system, coupling, "wolff", 64)
        rows.append(Row(f"{name} L=64", value, "ns/moved site"))
    value = kernel_nanoseconds(clock_system(16), 1.12, "heat-bath", 64)
    return [*rows, Row("clock heat-bath q=16 L=64", value, "ns/site")]


if __name__ == "__main__":
    for name, value, unit, ratios in run():
        shown = ", ".join(f"{ratio:.1f} times {other}" for other, ratio in ratios.items())
        print(f"{name:50s} {value:8.2f} {unit:14s} {shown}")
