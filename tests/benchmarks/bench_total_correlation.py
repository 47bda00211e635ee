"""Milliseconds per iteration of correlation explanation on 5,000 patches of 256 Ising spins with 16
units, beside corextopic, and how far the two results agree.

corextopic (Gallagher, Reing, Kale & Ver Steeg, TACL 5, 529 (2017)) gets dense float64 patches, with
which its matrix products are fastest. From the same start both programs follow the same path as
long as no site is undecided between two units, and they end in the same place. For that comparison
the clipping of p(y|x) to [1e-6, 1 - 1e-6] in corextopic is switched off: it would decide the unit
of a site or two.
"""

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from timing import seconds

import rsmi
from rsmi.information.correlation_explanation import INITIAL_SHARPNESS, BlockTable, advance
from rsmi.store import open_file

PATCHES, SIDE, UNITS, ITERATIONS = 5000, 16, 16, 50
SETTLED = 100  # iterations after which the units have divided the sites


def ising_patches():
    """Patches of +-1 at T_c, (5000, 256) int8: those of 64x64 configurations side by side."""
    with tempfile.TemporaryDirectory() as folder:
        line = (
            f"sample --size 64 --temperature Tc --samples {-(-PATCHES // 16)} --seed 1 -o"
            " samples.h5 --quiet"
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parents[1])}
        subprocess.run(
            [sys.executable, "-m", "rsmi", *line.split()],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
        )
        with open_file(Path(folder) / "samples.h5", "samples") as file:
            bits = np.unpackbits(file.read("/spins"), axis=1, bitorder="little")
    tiles = (
        bits.reshape(-1, 64 // SIDE, SIDE, 64 // SIDE, SIDE).swapaxes(2, 3).reshape(-1, SIDE * SIDE)
    )
    return 2 * tiles[:PATCHES].astype(np.int8) - 1


def corextopic(patches, iterations, clipped=True):
    """The baseline after some iterations from the start of seed 1."""
    from corextopic.corextopic import Corex

    class Unclipped(Corex):
        def normalize_latent(self, numerators):
            log_z = np.logaddexp(*numerators)
            return np.exp(numerators[1] - log_z), numerators[1] - log_z, log_z

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (Corex if clipped else Unclipped)(
            n_hidden=UNITS, max_iter=iterations, eps=0, seed=1
        ).fit((patches > 0).astype(float))


def same_start(patches):
    """Our state where the baseline is after its first iteration: its p(x_i|y), p(y) and alpha as
    filters, bias and <a_0>."""
    it = corextopic(patches, 1)
    up = (patches > 0).mean(axis=0)
    (down_0, down_1, up_0, up_1), alpha, log_one = it.theta.transpose(0, 2, 1), it.alpha, it.log_p_y
    odds_up, odds_down, log_zero = (
        alpha * (up_1 - up_0),
        alpha * (down_1 - down_0),
        np.log1p(-np.exp(log_one)),
    )
    base = log_zero + (
        alpha * (up * (up_0 - np.log(up)) + (1 - up) * (down_0 - np.log1p(-up)))
    ).sum(axis=1)
    return {
        "filters": 0.5 * (odds_up - odds_down),
        "bias": log_one - log_zero + 0.5 * (odds_up + odds_down).sum(axis=1),
        "alpha": alpha.copy(),
        "sharpness": np.full(SIDE * SIDE, INITIAL_SHARPNESS),
        "base": base,
        "explained": np.zeros(UNITS),
        "iteration": np.ones(1, np.int64),
    }


def run():
    """Rows (name, value, unit)."""
    patches = ising_patches()
    table, state = BlockTable.from_samples(patches), same_start(patches)
    baseline = seconds(lambda: corextopic(patches, ITERATIONS)) - seconds(
        lambda: corextopic(patches, 1)
    )
    kernel = seconds(lambda: advance(same_copy(state), table, ITERATIONS))
    theirs = corextopic(patches, SETTLED, clipped=False)
    advance(state, table, SETTLED)
    difference = np.abs(np.sort(theirs.tcs) - np.sort(state["explained"])).max()
    return [
        (
            f"baseline: corextopic 1.1, {PATCHES} x {SIDE * SIDE}, {UNITS} units",
            1e3 * baseline / (ITERATIONS - 1),
            "ms/iteration",
        ),
        (
            f"correlation explanation, {PATCHES} x {SIDE * SIDE}, {UNITS} units",
            1e3 * kernel / ITERATIONS,
            "ms/iteration",
        ),
        (f"  total correlation after {SETTLED} iterations: corextopic", theirs.tc, "nats"),
        ("  total correlation of ours from the same start", state["explained"].sum(), "nats"),
        ("  largest difference of a unit", difference, "nats"),
    ]


def same_copy(state):
    """A copy to work on."""
    return {name: array.copy() for name, array in state.items()}


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:62} {value:12.6g} {unit}")
