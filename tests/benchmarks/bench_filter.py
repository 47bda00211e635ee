"""CPU seconds from a samples file to a learned filter with its reported mutual information,
start-up included.

The baseline is the BernoulliRBM of scikit-learn, trained on the same windows. It gives hidden units
but no mutual information.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

import rsmi
from rsmi.lattice.geometry import Geometry
from rsmi.samples.windows import WindowSet
from rsmi.store import open_file

REPEATS = 3


def cpu_seconds(folder: str, *lines: str) -> float:
    """Median CPU time of some commands run after one another."""
    environment = {**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parents[1])}
    times = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for line in lines:
            subprocess.run(
                [sys.executable, "-m", "rsmi", *line.split(), "--quiet"],
                cwd=folder,
                env=environment,
                check=True,
                capture_output=True,
            )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        for line in lines:
            (Path(folder) / line.split("-o ")[1]).unlink()
    return median(times)


def scikit_learn_seconds(folder: str) -> float:
    """BernoulliRBM, 20 components, 10 epochs of batches of 100: the size and number of passes of
    our default."""
    from sklearn.neural_network import BernoulliRBM

    with open_file(Path(folder) / "samples.h5", "samples") as file:
        visible = (WindowSet(file, Geometry((2, 2), 1, 1), 100_000, 0).training.visible > 0).astype(
            np.float64
        )
    machine = BernoulliRBM(
        n_components=20, learning_rate=0.05, batch_size=100, n_iter=10, random_state=0
    )
    start = process_time()
    machine.fit(visible)
    return process_time() - start


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "rsmi",
                *"sample --size 64 --temperature Tc --samples 20000 -o samples.h5 --quiet".split(),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(rsmi.__file__).parents[1])},
            check=True,
            capture_output=True,
        )
        theta = "train-theta samples.h5 --block 2x2 -o theta.h5"
        return [
            (
                "baseline: scikit-learn BernoulliRBM on the same windows (PCD-1)",
                scikit_learn_seconds(folder),
                "CPU s",
            ),
            ("train-theta, 2x2, CD-5", cpu_seconds(folder, theta), "CPU s"),
            (
                "2x2 filter by the paper's route: train-theta, train-lambda",
                cpu_seconds(folder, theta, "train-lambda samples.h5 --theta theta.h5 -o lambda.h5"),
                "CPU s",
            ),
            (
                "2x2 filter by the decoder: train-lambda",
                cpu_seconds(folder, "train-lambda samples.h5 --block 2x2 -o lambda.h5"),
                "CPU s",
            ),
            (
                "4x4 filter by the paper's route: train-theta, train-lambda",
                cpu_seconds(
                    folder,
                    theta.replace("2x2", "4x4"),
                    "train-lambda samples.h5 --theta theta.h5 -o lambda.h5",
                ),
                "CPU s",
            ),
            (
                "4x4 filter by the decoder: train-lambda",
                cpu_seconds(folder, "train-lambda samples.h5 --block 4x4 -o lambda.h5"),
                "CPU s",
            ),
        ]
