"""`train-lambda --updates --learning-rate`, and whether the training was long enough."""

import json

import numpy as np
import pytest

from rsmi.samples.files import open_file
from rsmi.statistics.convergence import FEWEST, rise_at_middle

SAMPLES = "sample --size 16 --algorithm swendsen-wang --temperature Tc --samples 2000 -o samples.h5"
TRAIN = "train-lambda samples.h5 --block 2x2 --windows 20000 --restarts 1 -o lambda.h5"


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return tmp_path_factory.mktemp("length")


@pytest.fixture
def train(samples, here, monkeypatch):
    """Train on the module's samples."""
    monkeypatch.chdir(samples)
    if not (samples / "samples.h5").exists():
        assert here(*SAMPLES.split()).code == 0

    def call(options=""):
        return here(*TRAIN.split(), "--force", *options.split())

    return call


def parameters():
    with open_file("lambda.h5", "lambda") as file:
        return file.parameters


def test_parameters_name_the_optimiser_only_if_it_was_set(train):
    """Otherwise files keep the digests that they have had."""
    assert train("--updates 40").code == 0
    assert parameters()["updates"] == 40 and "learning_rate" not in parameters()
    assert train("--updates 40 --learning-rate 0.01").code == 0
    assert parameters()["learning_rate"] == 0.01
    assert train().code == 0
    assert not {"updates", "learning_rate"} & set(parameters())


@pytest.mark.parametrize(("updates", "rows"), [(1, 1), (7, 7), (95, 32), (240, 30), (1000, 50)])
def test_updates(train, updates, rows):
    """All of them are made, in rows that are many enough to judge the end of the curve."""
    result = train(f"--updates {updates} --json")
    found = json.loads(result.out)
    assert found["updates"] == updates
    assert found["hidden"] == 1
    with open_file("lambda.h5", "lambda") as file:
        assert file.shape("/curve/step") == (rows,)


def test_a_training_that_was_stopped_too_early(train, here):
    """A warning, and the same sentence in info; the rule is worth less than the converged one."""
    result = train("--updates 60")
    assert "still rising" in result.err and "--updates" in result.err
    text, found = here("info", "lambda.h5").out, json.loads(here("info", "lambda.h5", "--json").out)
    assert "warning: the objective was still rising" in text
    assert found["still_rising"] is True
    assert found["objective_rise"] > 3 * found["objective_rise_error"] > 0


def test_a_converged_training(train, here):
    result = train()
    assert "still rising" not in result.err
    assert "still rising" not in here("info", "lambda.h5").out
    found = json.loads(here("info", "lambda.h5", "--json").out)
    assert found["still_rising"] is False
    assert abs(found["objective_rise"]) < 3 * found["objective_rise_error"]


@pytest.mark.parametrize(
    ("objective", "option"),
    [
        ("total-correlation", "--updates 100"),
        ("likelihood", "--updates 100"),
        ("likelihood", "--learning-rate 0.1"),
        ("decoder", "--learning-rate 0"),
        ("decoder", "--learning-rate nan"),
        ("decoder", "--updates 0"),
    ],
)
def test_refusals(train, objective, option):
    result = train(f"--objective {objective} {option}")
    assert result.code == 2
    assert option.split()[0] in result.sentence


# ---- the criterion -------------------------------------------------------------------------------


def test_rise_in_units_of_its_error():
    """Pulls of a curve at rest have mean 0 and variance 1; an error that is wrong by 15 % fails."""
    rng = np.random.default_rng(5)
    pulls = [
        rise.value / rise.error
        for rise in map(rise_at_middle, rng.normal(size=(2000, 100)))
        if rise
    ]
    assert len(pulls) == 2000
    assert abs(np.mean(pulls)) < 4 / np.sqrt(2000)
    assert 0.85 < np.std(pulls) < 1.15
    assert np.mean(np.array(pulls) > 3) < 0.01


def test_a_steady_rise_is_no_noise():
    """Without noise the error vanishes, and the rise is that of a tenth of the curve."""
    rise = rise_at_middle(np.linspace(0, 1, 101))
    assert rise.value == pytest.approx(0.1)
    assert rise.error < 1e-12
    assert rise.significant


def test_a_falling_learning_rate_is_no_rise():
    """The objective of a converged training grows in the second half, because the parameters
    fluctuate less: a comparison of the last two fifths would find 12 errors."""
    rng, t = np.random.default_rng(6), np.linspace(0, 1, 100)
    curve = 0.1 * np.maximum(t - 0.5, 0) + 0.005 * rng.normal(size=100)
    assert not rise_at_middle(curve).significant


@pytest.mark.parametrize("curve", [np.arange(FEWEST - 1.0), np.full(FEWEST, np.nan)])
def test_curves_that_cannot_be_judged(curve):
    assert rise_at_middle(curve) is None
