"""Ising samples of 512 lattices at a time: which requests take them, bit by bit beside the kernel,
stopped, grown, beside older files; the schedule that a pilot chooses; exact energies."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import by_default, digest
from example_files import numbers_of

from rsmi.engine.keys import stream_key
from rsmi.engine.progress import Progress
from rsmi.models.ising import algorithms
from rsmi.models.ising import bitsliced as kernel
from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.facts import critical_coupling, ring_energy
from rsmi.models.ising.simulation import LAYOUTS, simulation_of
from rsmi.models.schedule import pilot
from rsmi.models.spins import magnetizations
from rsmi.samples.examination import Examination
from rsmi.samples.examination import stored as examination
from rsmi.store import open_file

KC = critical_coupling(2)
SHORT = (
    "sample --size 6 --coupling 0.3 --algorithm heat-bath --thermalization 4 --interval 2 --samples"
    " 1700".split()
)


@pytest.fixture
def older(monkeypatch):
    """A context that samples as before there were replicas."""

    @contextlib.contextmanager
    def version():
        with monkeypatch.context() as patch:
            patch.setattr(algorithms, "fits_replicas", lambda shape: False)
            patch.setattr(algorithms, "choose_algorithm", lambda *rest: "swendsen-wang")
            yield

    return version


def stored(name):
    """(spins packed, energy, attributes) of a file."""
    with open_file(Path(name), "samples") as file:
        return file.read("/spins"), file.read("/energy"), dict(file.attributes)


# ---- who takes which request ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "chains", "layout"),
    [
        ("--size 6", 1024, "replicas"),
        ("--size 6 --chains 512", 512, "replicas"),
        ("--size 6 --chains 1536", 1536, "replicas"),
        ("--size 6 --chains 8", 8, "plain"),
        ("--size 6 --chains 1000", 1000, "plain"),
        ("--size 6 --algorithm swendsen-wang", 8, "plain"),
        ("--size 128", 8, "strip"),
        ("--size 128 --chains 512", 512, "strip"),
        ("--size 2048x1026", 8, "plain"),
        ("--size 64 --dimension 1", 1024, "replicas"),
        ("--size 6x4x2 --dimension 3", 1024, "replicas"),
    ],
)
def test_layout_and_default_chains(options, chains, layout, workplace, here):
    """By the lattice and the number of chains alone; a plan says the chains."""
    import json

    line = [*SHORT[:5], "--samples", "8", *options.split()]
    line = [*line, "--algorithm", "metropolis"] if "--algorithm" not in options else line
    done = here(
        *line[:1],
        *line[3:],
        "--thermalization",
        1,
        "--interval",
        1,
        "--dry-run",
        "--json",
        "-o",
        "x.h5",
    )
    plan = json.loads(done.out)
    assert plan["chains"] == chains
    assert simulation_of(plan).layout == layout


@pytest.mark.parametrize("shape", [(6, 6), (10,), (4, 2, 6)], ids=str)
@pytest.mark.parametrize("algorithm", ["heat-bath", "metropolis"])
def test_samples_are_those_of_the_kernel(shape, algorithm, workplace, here):
    """Every sample, from the definition: group g of 512 has the stream of its first chain, every
    other chain starts down, sample i is step i // 1024 of chain i mod 1024."""
    line = (
        f"sample --dimension {len(shape)} --size {'x'.join(map(str, shape))} --coupling 0.3"
        " --thermalization 7 --interval 3 --seed 5"
    )
    assert here(*line.split(), "--algorithm", algorithm, "--samples", 3000, "-o", "s.h5").code == 0
    packed, energy, _ = stored("s.h5")
    sites, rows = np.prod(shape), np.empty((3, 1024, packed.shape[1]), dtype=np.uint8)
    for first in (0, 512):
        physics = {
            "model": "ising",
            "shape": list(shape),
            "coupling": 0.3,
            "algorithm": algorithm,
            "layout": "replicas",
        }
        generators = kernel.seed(stream_key(5, "sample", physics, first), 1)
        start = np.packbits(
            np.broadcast_to((np.arange(512) % 2 == 0)[:, None], (512, sites)),
            axis=1,
            bitorder="little",
        )
        spins = kernel.unpack(start, shape, "replicas")
        kernel.sweep(spins, generators, shape, 0.3, algorithm, "replicas", 7)
        for step in range(3):
            kernel.sweep(spins, generators, shape, 0.3, algorithm, "replicas", 3)
            kernel.pack(spins, shape, "replicas", rows[step, first : first + 512])
    assert (packed == rows.reshape(3072, -1)[:3000]).all()
    spins = (
        2
        * np.unpackbits(packed, axis=1, count=sites, bitorder="little")
        .astype(int)
        .reshape(-1, *shape)
        - 1
    )
    assert (
        energy
        == -sum(
            (spins * np.roll(spins, 1, axis)).reshape(3000, -1).sum(axis=1)
            for axis in range(1, len(shape) + 1)
        )
    ).all()


def test_signs_below_the_critical_temperature(workplace, here):
    """Metropolis keeps the sign of the magnetization there: every other chain has the other one,
    and together they have none."""
    assert here(*"sample --size 16 --coupling 0.6 --samples 2048 -o s.h5".split()).code == 0
    with open_file(Path("s.h5"), "samples") as file:
        magnetization = magnetizations(file)
    assert (np.sign(magnetization) == 1 - 2 * (np.arange(2048) % 2)).all()


# ---- stopping, growing, older files --------------------------------------------------------------


@pytest.mark.parametrize("parts", [0, 1, 2, 5, 9, 30])
def test_stopped_and_continued(parts, workplace, here, interrupt):
    """In the pilot, while thermalizing and at any row, within a step of a group too: the file of
    one run, bit for bit."""
    line = [*SHORT, "--thermalization", "auto"]
    interrupt([*line, "-o", "cut.h5"], parts)
    for name in ("cut.h5", "whole.h5"):
        assert here(*line, "-o", name).code == 0
    assert digest("cut.h5") == digest("whole.h5")


def test_growth_and_threads(workplace, here, interrupt):
    """Grown in any steps, in and between the steps of the groups, stopped on the way, by any number
    of threads."""
    for samples in (1, 2, 511, 512, 700, 1024, 1100, 1600):
        assert here(*SHORT, "--samples", samples, "--threads", 2, "-o", "grown.h5").code == 0
    interrupt([*SHORT, "-o", "grown.h5"], 7)
    assert here(*SHORT, "--threads", 2, "-o", "grown.h5").code == 0
    assert here(*SHORT, "--threads", 1, "-o", "whole.h5").code == 0
    assert digest("grown.h5") == digest("whole.h5")


def test_more_chains_keep_the_groups(workplace, here):
    """The groups are independent: with more of them, those that were there have the same
    samples."""
    for chains in (512, 1536):
        assert (
            here(*SHORT, "--chains", chains, "--samples", 2 * chains, "-o", f"{chains}.h5").code
            == 0
        )
    few, many = stored("512.h5")[0].reshape(2, 512, -1), stored("1536.h5")[0].reshape(2, 1536, -1)
    assert (many[:, :512] == few).all()
    assert len(np.unique(many[1], axis=0)) > 1500


@pytest.mark.parametrize("algorithm", ["heat-bath", "auto"])
def test_older_files_grow_as_they_began(algorithm, workplace, here, older):
    """A file of 8 chains, made by another algorithm, is extended by this algorithm when the command
    names its chains; without --chains it is refused, because the default is 1024 now."""
    line = [*SHORT, "--algorithm", algorithm, "--coupling", 0.5]
    eight = [*line, "--chains", 8, "--samples", 60]
    with older():
        assert here(*line, "--samples", 3, "-o", "old.h5").code == 0
        assert here(*line, "--samples", 60, "-o", "whole.h5").code == 0
    assert here(*eight, "-o", "old.h5").code == 0
    assert digest("old.h5") == digest("whole.h5")
    assert "complete already" in here(*eight, "-o", "old.h5").err
    result = here(*line, "--samples", 60, "-o", "old.h5")
    assert result.code == 73
    assert "chains = 8 there, 1024 in this command" in result.sentence
    assert stored("old.h5")[2]["chains"] == 8


# ---- the schedule --------------------------------------------------------------------------------


def summary_of(here, line):
    assert here(*line.split(), "-o", "s.h5", "--force").code == 0
    return numbers_of("s.h5")


@pytest.mark.parametrize("size", by_default([16], [16, 32]))
@pytest.mark.parametrize("algorithm", ["metropolis", "heat-bath", "swendsen-wang"])
def test_interval(size, algorithm, workplace, here):
    """Samples of an interval `auto` are independent enough and not wastefully many sweeps apart:
    the slower of energy and |m| has tau_int between .55 and .75 intervals (.66 if it is one
    exponential), with an error of .02. Companion: at half the interval it has not.
    """
    line = f"sample --size {size} --temperature Tc --algorithm {algorithm} --samples 40960"
    interval = None
    for part, (low, high) in ((1, (0.55, 0.75)), (2, (0.8, 1.4))):
        if part == 2:
            line += f" --interval {interval // 2}"
        found = summary_of(here, line)
        interval = stored("s.h5")[2]["interval"]
        slower = max("tau_int", "tau_int_magnetization", key=found.get)
        assert found[f"{slower}_error"] < 0.04
        assert low < found[slower] < high


def test_pilot_of_replicas_agrees_with_one_chain():
    """The same autocorrelation time from 512 short series as from a long one, in a twentieth of the
    sweeps."""
    found = [
        pilot(LAYOUTS[layout]((16, 16), KC, "heat-bath", 0)) for layout in ("replicas", "plain")
    ]
    assert found[0]["tau"] == pytest.approx(float(found[1]["tau"]), rel=0.2)
    assert 20 * found[0]["tau"] <= found[0]["sweeps"] < found[1]["sweeps"] / 20


# ---- energies ------------------------------------------------------------------------------------

CASES = [
    ("--size 8", kaufman.energy, (8, 8), KC, 1_700_000),
    ("--size 32", kaufman.energy, (32, 32), KC, 180_000),
    ("--size 32", kaufman.energy, (32, 32), 0.8 * KC, 75_000),
    ("--size 32", kaufman.energy, (32, 32), 1.1 * KC, 75_000),
    ("--size 8", kaufman.energy, (8, 8), 0.15, 750_000),
    ("--size 24 --dimension 1", lambda shape, k: ring_energy(24, k), (24,), 0.7, 500_000),
    (
        "--size 4 --dimension 3",
        lambda shape, k: -1.2932279409,
        (4, 4, 4),
        0.221654626,
        4_500_000,
    ),  # transfer matrix over the 65,536 states of a layer
]


@pytest.fixture
def unexamined(monkeypatch):
    """Samples are not examined when they are written: this takes as long as to sample them."""
    monkeypatch.setattr(examination, "examine", lambda survey: Examination())


def energy_of_chains(name):
    """The mean energy per site of a file, and its error from the spread of the chains."""
    _, energy, attributes = stored(name)
    steps = len(energy) // attributes["chains"]
    energy = energy[: steps * attributes["chains"]].reshape(steps, -1)
    means = energy.mean(axis=0) / np.prod(attributes["shape"])
    return means.mean(), means.std(ddof=1) / np.sqrt(len(means))


@pytest.mark.parametrize("largest", [6e-4, pytest.param(3e-4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} at {case[3]:.4g}")
def test_energy(case, largest, workplace, here, unexamined):
    """Algorithm, chains and schedule by default: the exact energy within 4 errors, of 6e-4 at most
    as in test_bitsliced_statistics.py, and by `-m slow` of 3e-4. Companion: a coupling 3 % off is
    more than 10 errors off."""
    options, exact, shape, coupling, samples = case
    samples = int(samples * (3e-4 / largest) ** 2)
    line = f"sample {options} --coupling {coupling} --samples {samples} -o s.h5"
    assert here(*line.split()).code == 0
    energy, error = energy_of_chains("s.h5")
    assert error < largest
    assert abs(energy - exact(shape, coupling)) < 4 * error
    wrong = summary_of(
        here, f"sample {options} --coupling {1.03 * coupling} --samples {samples // 2}"
    )
    assert abs(wrong["energy"] - exact(shape, coupling)) > 10 * wrong["energy_error"]
    energy, error = energy_of_chains("s.h5")
    assert wrong["energy"] == pytest.approx(energy, abs=error)  # of the last step too
    assert wrong["energy_error"] == pytest.approx(error, rel=0.2)


# ---- progress ------------------------------------------------------------------------------------


def test_progress_says_flips_per_second():
    screen = io.StringIO()
    with Progress(
        4096, total=1000, initial=0, desc="sampling", unit="sample", file=screen, mininterval=0
    ) as progress:
        progress.start_t -= 1.0
        progress.update(1000)
        progress.refresh()
        assert "flips/s" in str(progress)
        rate = float(re.search(r", ([\d.]+)M flips/s", str(progress))[1])
        assert 3.5 < rate <= 4.1  # 4096 flips of 1000 samples in one second and a little more
    assert "flips/s" in screen.getvalue()
