"""``rsmi train-lambda`` by objectives that look at the block alone: what they find on Ising blocks,
and on dimers in noise do not.

Correlation explanation (Ver Steeg & Galstyan) and the hidden units of a Boltzmann machine of V
(Mehta & Schwab, arXiv:1410.3831) answer whether the environment is needed at all: on Ising both
find the block spin, on dimers in noise neither finds the field.
"""

import functools
import json
import math
from pathlib import Path

import exact
import numpy as np
import pytest
from conftest import by_default

from rsmi.information import correlation_explanation
from rsmi.information.channel import channel_table
from rsmi.information.correlation_explanation import BlockTable
from rsmi.information.rbm import initial_state
from rsmi.information.total_correlation import pointwise_explained, rule_marginals
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.filters import filter_shape
from rsmi.samples.windows import WindowSet
from rsmi.stages.training import measures
from rsmi.stages.training.block_methods import LikelihoodRestart
from rsmi.stages.training.theta import MachineSchedule
from rsmi.store import open_file

BLOCK_ALONE = ["total-correlation", "likelihood"]
COMMANDS = {
    "ising.h5": "sample --size 32 --temperature Tc --samples 4000",
    "dimers.h5": "sample --model dimers --size 16 --samples 8000 --noise-probability 0.982",
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A folder with Ising configurations at T_c and coverings in noise."""
    from conftest import run_here

    folder = tmp_path_factory.mktemp("samples")
    for name, line in COMMANDS.items():
        assert run_here(*line.split(), "-q", "-o", folder / name).code == 0
    return folder


@pytest.fixture
def train(here, samples, workplace):
    """Options -> (what --json prints, remarks on stderr)."""

    def call(options, name="ising.h5"):
        result = here(
            "train-lambda", samples / name, *options.split(), "-o", "lambda.h5", "--force", "--json"
        )
        assert result.code == 0, result.err
        return json.loads(result.out), result.err

    return call


@pytest.mark.parametrize("objective", BLOCK_ALONE)
def test_the_block_spin_is_found_without_an_environment(train, objective):
    """Decimation would explain .83 nats of .97, and know .33 of the environment."""
    found, remarks = train(f"--block 2x2 --objective {objective}")
    weights = np.ravel(found["filters"])
    assert weights.sum() / (2 * np.linalg.norm(weights)) > 0.99
    assert found["bias"] == [0]
    assert not remarks
    assert found["objective"] == objective
    assert found["estimator"] == ("cd" if objective == "likelihood" else None)
    assert (
        0.92 * found["total_correlation_block"]
        < found["total_correlation"]
        < found["total_correlation_block"] + 4 * found["total_correlation_error"]
    )
    assert (
        found["total_correlation_bound"]
        == pytest.approx(found["total_correlation"])
        == pytest.approx(found["total_correlation_units"][0])
    )
    assert (
        abs(found["mutual_information"] - found["mutual_information_exact_soft"])
        < 4 * found["mutual_information_error"]
    )
    assert found["mutual_information_exact"] >= 0.38


def test_every_rule_is_measured_in_the_same_way(train, samples):
    """A rule trained on the environment explains total correlation too; the held-out value is that
    of the stored filters."""
    found, _ = train("--block 2x2 --objective decoder --hidden 2 --restarts 1 --windows 60000")
    p = ising_block(samples / "ising.h5")
    q = channel_table(np.reshape(found["filters"], (2, 4)), found["bias"])
    spins = exact.all_spins(4)
    value = p @ pointwise_explained(rule_marginals(q, spins, p), q, spins)
    assert abs(found["total_correlation"] - value) < 4 * found["total_correlation_error"]
    assert (
        found["total_correlation_bound"]
        < found["total_correlation"]
        < found["total_correlation_block"] + 4 * found["total_correlation_error"]
    )
    assert len(found["total_correlation_units"]) == 2


def ising_block(path):
    """Frequencies of the 16 states of the 2x2 block, flips averaged."""
    with open_file(path, "samples") as file:
        spins = (
            np.unpackbits(file.read("/spins"), axis=1, bitorder="little")
            .reshape(-1, 32, 32)
            .astype(int)
        )
    state = sum(np.roll(spins, (-(k // 2), -(k % 2)), (1, 2)) << k for k in range(4))
    counts = np.bincount(state.ravel(), minlength=16)
    return (counts + counts[::-1]) / (2 * counts.sum())


@pytest.fixture
def short_fits(monkeypatch):
    """Fit the decoders that measure a rule in fewer steps, where no test reads their bounds."""
    short = functools.partial(measures.fit_decoder, steps=100)
    monkeypatch.setattr(measures, "fit_decoder", short)


@pytest.mark.parametrize("objective", BLOCK_ALONE)
def test_the_environment_has_no_say_in_the_choice(train, short_fits, objective):
    """Of the restarts the one with the best value of its own objective is kept, not that with the
    best bound of I(H:E)."""
    found, _ = train(f"--block 3x3 --objective {objective} --hidden 2 --windows 5000 --restarts 3")
    with open_file("lambda.h5", "lambda") as file:
        last, bounds, kept = (
            file.read("/curve/objective")[:, -1],
            file.read("/restarts/bound"),
            file.attributes["restart"],
        )
        steps, curve = file.read("/curve/step"), file.read("/curve/filters")
        np.testing.assert_allclose(curve[:, -1], file.read("/restarts/filters"), atol=1e-12)
    assert kept == found["restart"] == last.argmax()
    assert np.isfinite(bounds).all()
    assert len(steps) == curve.shape[1]
    assert (np.diff(steps) > 0).all()


def test_hidden_units_as_filters():
    """P(h = 1|v) of the rule is that of the machine, by the joint distribution of all its units:
    filters are twice the weights."""
    rng = np.random.default_rng(1)
    schedule = MachineSchedule(hidden=2, cd_steps=1, persistent=False, epochs=1, learning_rate=0.1)
    blocks = exact.all_spins(3).repeat(100, axis=0)
    task = LikelihoodRestart(
        "restart-00", blocks, blocks, 2, schedule, False, np.arange(1, 5, dtype=np.uint64)
    )
    state = initial_state(3, 2, task.key)
    for name in ("weights", "visible_bias", "hidden_bias"):
        state[name][...] = rng.normal(size=state[name].shape)
    filters, bias = task.rule(state)
    joint = exact.machine_joint(
        *(state[name].astype(float) for name in ("weights", "visible_bias", "hidden_bias"))
    )
    up = (joint @ (exact.all_spins(2) > 0)) / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        1 / (1 + np.exp(-exact.all_spins(3) @ filters.T - bias)), up, rtol=1e-6
    )


@pytest.mark.parametrize(
    "options",
    by_default(
        ["total-correlation --bias free", "likelihood --estimator pcd"],
        ["total-correlation --bias free", "likelihood --estimator pcd", "likelihood --bias free"],
    ),
)
def test_stopped_and_continued(here, interrupt, samples, workplace, short_fits, options):
    """Rows done in several runs leave the bits of one run; the rule is one like any other."""
    line = (
        f"train-lambda {samples / 'ising.h5'} --block 2x2 --objective {options} --hidden 2"
        " --restarts 2 --windows 3000 -q -o".split()
    )
    assert here(*line, "whole.h5").code == 0
    for _ in range(2):
        interrupt([*line, "parts.h5", "--threads", 1], parts=4)
    assert here(*line, "parts.h5").code == 0
    with open_file("whole.h5") as whole, open_file("parts.h5") as parts:
        assert whole.digest == parts.digest
        assert ("free" in options) == bool(whole.read("/bias").any())
    assert (
        here(
            "coarse-grain", samples / "ising.h5", "--rule", "whole.h5", "-q", "-o", "coarse.h5"
        ).code
        == 0
    )
    assert "TC(V:H), held out" in here("info", "whole.h5").out


def test_units_without_a_task(train):
    """On a 2x2 block one unit explains everything, or two share it, and the file's reader is told
    which units are idle."""
    found, remarks = train("--block 2x2 --objective total-correlation --hidden 3 --windows 20000")
    sizes = np.abs(np.reshape(found["filters"], (3, 4))).sum(axis=1)
    idle = [str(j) for j in range(1, 4) if sizes[j - 1] < 0.1]
    assert idle
    assert f"unit{'s' * (len(idle) > 1)} {', '.join(idle)} of 3 found nothing to explain" in remarks


@pytest.mark.parametrize("objective", BLOCK_ALONE)
def test_the_field_in_noise_is_not_found(train, objective):
    """Three units hold no electric field on the links they look at (an objective of the environment
    reaches .85 to .95 with less noise than .01), and know less than half of what one bit can know
    of the environment, .115 nats."""
    found, _ = train(
        f"--block 4x4 --buffer 2 --objective {objective} --hidden 3 --restarts 1 --windows 6000",
        "dimers.h5",
    )
    units = found["dimers"]["units"]
    assert max(unit["R2"] * (1 - unit["noise"]) for unit in units) < 0.3
    assert found["mutual_information_hard"] < 0.06
    assert found["total_correlation"] > 0.5


def test_pairs_of_noise_spins_dominate(samples):
    """Sixteen units: half or more are a vertex with its face, the strongest correlation there is,
    and make up most of the objective."""
    with open_file(samples / "dimers.h5", "samples") as file:
        windows = WindowSet(file, Geometry((4, 4), 2, 1), 15_000, 0)
        states = [
            correlation_explanation.initial_state(
                64, 16, np.arange(1, 5, dtype=np.uint64) + np.uint64(k)
            )
            for k in range(2)
        ]
        table = BlockTable.from_samples(windows.training.blocks)
    best = max(states, key=lambda state: correlation_explanation.advance(state, table, 150))
    shape = filter_shape(best["filters"], (4, 4), 4)
    assert (shape.noise > 0.99).sum() >= 8
    assert (shape.electric * (1 - shape.noise)).max() < 0.3
    assert best["explained"][shape.noise > 0.99].sum() > 0.65 * best["explained"].sum()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            "--objective total-correlation --estimator pairs",
            "--objective total-correlation has no --estimator pairs",
        ),
        (
            "--objective likelihood --estimator mcmc",
            "--objective likelihood has no --estimator mcmc; its own are cd, pcd",
        ),
        ("--objective decoder --estimator cd", "--objective decoder has no --estimator cd"),
    ],
)
def test_estimators_of_other_objectives(here, samples, workplace, options, words):
    result = here(
        "train-lambda", samples / "ising.h5", "--block", "2x2", *options.split(), "-o", "lambda.h5"
    )
    assert result.code == 2
    assert words in result.sentence
    assert not Path("lambda.h5").exists()


@pytest.mark.parametrize(
    ("options", "steps"),
    [("--objective total-correlation", ("steps", 300)), ("--estimator pcd", ("cd_steps", 5))],
)
def test_the_plan(here, samples, workplace, options, steps):
    result = here(
        "train-lambda",
        samples / "ising.h5",
        "--block",
        "2x2",
        *options.split(),
        "-o",
        "lambda.h5",
        "--dry-run",
        "--json",
    )
    plan = json.loads(result.out)
    assert result.code == 0
    assert plan[steps[0]] == steps[1]
    assert plan["objective"] in BLOCK_ALONE
    assert math.isfinite(plan["windows"])
