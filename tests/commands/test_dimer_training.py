"""Training on dimer coverings in noise: the electric fields are found by every objective, and what
is refused or cautioned against.

The yardsticks are those of the exact canonical correlations at buffer 2
(tests/test_dimer_filters.py): the two leading modes are electric fields with a share of .89 of
their weights in the uniform templates; the hard readout of one knows .115 nats, of both .229.
"""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from rsmi.models.dimers.filters import filter_shape
from rsmi.models.dimers.stars import star_vectors
from rsmi.samples import checks
from rsmi.samples.windows import WindowSet, stored_geometry
from rsmi.stages.training import measures
from rsmi.store import open_file

SAMPLE = "sample --model dimers --size 16 --samples 30000 --noise-probability 0.982 -q"
WINDOW = "--block 4x4 --buffer 2 --environment 1"


@pytest.fixture(scope="module")
def coverings(tmp_path_factory):
    """30,000 noisy coverings of 16x16."""
    from conftest import run_here

    path = tmp_path_factory.mktemp("coverings") / "samples.h5"
    assert run_here(*SAMPLE.split(), "-o", path).code == 0
    return path


@pytest.fixture(scope="module")
def rule(coverings):
    """Two units learned by the proxy with the Gaussian critic."""
    from conftest import run_here

    path = coverings.with_name("rule.h5")
    result = run_here(
        "train-lambda",
        coverings,
        *f"{WINDOW} --estimator gaussian --hidden 2 --restarts 1 --windows 90000".split(),
        "-o",
        path,
    )
    assert result.code == 0
    assert not result.err
    return path


@pytest.fixture
def train(here, coverings, workplace):
    """Train a rule of the coverings and read it: options -> (attributes, filters, bias, measures,
    remarks on stderr)."""

    def call(options, samples=coverings, output="lambda.h5"):
        result = here("train-lambda", samples, *options.split(), "-o", output, "--force")
        assert result.code == 0, result.err
        return *read(output), result.err

    return call


def read(path):
    """attributes, filters, bias and measures of a rule."""
    with open_file(path, "lambda") as file:
        a, filters = file.attributes, file.read("/filters")
        return a, filters, file.read("/bias"), filter_shape(filters, a["block"], a["components"])


# ---- the electric fields -------------------------------------------------------------------------


def test_both_fields_are_found(rule):
    """A sublattice that alternates would leave no electric field, a filter with its stars a share
    far below .85, and an environment in another order than the decoder's no information."""
    a, filters, _, shape = read(rule)
    assert (a["objective"], a["estimator"], a["components"]) == ("proxy", "gaussian", 4)
    assert filters.shape == (2, 64)
    assert a["mutual_information_hard"] > 0.2
    assert shape.electric.min() > 0.83
    assert shape.noise.max() < 0.02
    assert 60 < abs(shape.angles[0, 1]) < 120
    assert a["mutual_information_shuffled"] <= 0.002
    np.testing.assert_allclose(filters @ star_vectors((4, 4), 4).T, 0, atol=1e-9)


def test_the_decoder_finds_a_field(train):
    a, filters, bias, shape, remarks = train(f"{WINDOW} --restarts 1 --updates 700 --windows 90000")
    assert a["objective"] == "decoder"
    assert a["mutual_information_hard"] > 0.095
    assert not remarks
    assert shape.electric[0] > 0.85
    assert shape.noise[0] < 0.015


def test_stored_rules_act_on_uncentred_spins(rule, coverings):
    """x averages to zero over the training windows: the bias holds the filter's mean field, though
    it was zero in training."""
    a, filters, bias, _ = read(rule)
    with open_file(coverings, "samples") as source:
        blocks = WindowSet(source, stored_geometry(a), 90000, 0).training.blocks
    mean_field = filters @ blocks.mean(axis=0)
    np.testing.assert_allclose(bias, -mean_field, atol=1e-9)
    assert np.abs(mean_field).max() > 1e-3


def test_blocks_of_dimers_begin_on_one_sublattice(coverings):
    """Every vertex of the window has one dimer, and (-1)^(x+y) of its first is +1."""
    with open_file(coverings, "samples") as source:
        windows = WindowSet(
            source, stored_geometry({"block": (4, 4), "buffer": 2, "environment": 1}), 2000, 0
        )
        windows.check()
        assert windows.geometry.components == 4
        assert windows.all.environments.shape[1] == 4 * 36
        assert np.all(windows.all.blocks @ star_vectors((4, 4), 4).T == -2)
        assert np.allclose(windows.means[0].reshape(4, 16)[1:3].mean(axis=1), -0.5, atol=0.01)


# ---- the paper's own route -----------------------------------------------------------------------


def test_machines_of_dimers(here, train, coverings, monkeypatch):
    """The settings that are chosen, the biases that start at the mean of the links, and a rule
    trained with the machines."""
    short = functools.partial(measures.fit_decoder, steps=100)
    monkeypatch.setattr(measures, "fit_decoder", short)
    plan = here("train-theta", coverings, *WINDOW.split(), "-o", "theta.h5", "--dry-run", "--json")
    chosen = json.loads(plan.out)
    assert {
        name: chosen[name]
        for name in ("hidden", "persistent", "cd_steps", "epochs", "learning_rate")
    } == {"hidden": 200, "persistent": True, "cd_steps": 5, "epochs": 20, "learning_rate": 0.02}
    result = here(
        "train-theta",
        coverings,
        *WINDOW.split(),
        *"--windows 4000 --hidden 10 --epochs 1 --learning-rate 1e-6".split(),
        *"--no-persistent -o theta.h5".split(),
    )
    assert result.code == 0, result.err
    with open_file("theta.h5", "theta") as file:
        assert file.attributes["components"] == 4
        assert not file.attributes["symmetric"]
        assert file.shape("/block/weights") == (64, 10)
        bias = np.tanh(file.read("/joint/visible_bias")).reshape(-1)
        assert np.allclose(bias[16:48], -0.5, atol=0.06)
        assert np.allclose(bias[:16], 0, atol=0.08)
    a, filters, *_ = train("--theta theta.h5 --windows 4000 --restarts 1")
    assert (a["objective"], a["estimator"], filters.shape) == ("proxy", "pairs", (1, 64))


# ---- what is refused, and what is said -----------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    {
        "train-lambda samples.h5 --block 3x4": "blocks of dimers need even sides",
        "train-theta samples.h5 --block 4x3": "blocks of dimers need even sides",
        "train-lambda samples.h5 --block 4x4 --buffer 6": "do not fit",
        "train-lambda samples.h5 --block 4": "1 axes",
        "train-lambda plain.h5 --theta theta.h5": (
            "theta.h5 was trained on samples of 4 components per site, plain.h5 has 2"
        ),
        "coarse-grain ising.h5 --rule rule.h5": "acts on 4 components per site",
    }.items(),
)
def test_refused_in_one_sentence(here, rule, coverings, workplace, line, words):
    for path in (coverings, rule):
        Path(path.name).symlink_to(path)
    if "plain" in line:
        here(*"sample --model dimers --size 16 --samples 2000 -q -o plain.h5".split())
        here(
            *f"train-theta samples.h5 {WINDOW} --windows 4000 --hidden 4 --cd-steps 1 --epochs 1"
            " -o theta.h5".split()
        )
    if "ising" in line:
        here(*"sample --size 16 --temperature Tc --samples 40 -q -o ising.h5".split())
    result = here(*line.split(), "-o", "out.h5")
    assert result.code == 2
    assert words in result.sentence
    assert not Path("out.h5").exists()


def cautions(path, windows, buffer=2):
    geometry = stored_geometry({"block": (4, 4), "buffer": buffer, "environment": 1})
    with open_file(path, "samples") as source:
        sentences = checks.cautions(WindowSet(source, geometry, windows, 0))
    # Those of the model: that few held-out configurations are few is tested elsewhere.
    return [one for one in sentences if "held-out configurations are worth" not in one]


def test_cautions(here, coverings, workplace):
    """Too few windows or configurations and a buffer of zero are said, with the numbers that are
    better; taken at their word, nothing is."""
    (words,) = cautions(coverings, 20_000)
    assert "--windows 20000 are few for 208 variables in V and E" in words
    enough = int(words.split()[-3])
    assert 76_000 < enough < 77_000
    assert cautions(coverings, enough) == []
    assert len(cautions(coverings, enough - 1)) == 1
    here(*"sample --model dimers --size 16 --samples 200 -q -o few.h5".split())
    (words,) = cautions("few.h5", 100_000)
    assert (
        "200 configurations of 16x16 have few different windows for 104 variables in V and E"
        in words
    )
    here(*f"sample --model dimers --size 16 --samples {words.split()[-3]} -q -o enough.h5".split())
    assert cautions("enough.h5", 100_000) == []
    result = here(
        "train-lambda",
        coverings,
        *"--block 2x2 --buffer 0 --objective proxy --estimator gaussian --restarts 1 --windows"
        " 5000 -o lambda.h5".split(),
    )
    assert result.code == 0, result.err
    assert "with --buffer 0 block and environment share vertices" in result.err
    assert "--windows 5000 are few" in result.err


def test_several_components_of_a_coarse_lattice(here, workplace):
    """Coarse Ising samples with two hidden units a site are trained on as they are."""
    here(
        *"sample --size 16 --temperature Tc --samples 400 --thermalization 20 --interval 4 -q -o"
        " fine.h5".split()
    )
    here(
        *"train-lambda fine.h5 --block 2x2 --hidden 2 --restarts 1".split(),
        *"--windows 4000 -q -o two.h5".split(),
    )
    result = here(*"coarse-grain fine.h5 --rule two.h5 -q -o coarse.h5".split())
    assert result.code == 0, result.err
    result = here(
        *"train-lambda coarse.h5 --block 2x2 --buffer 0 --restarts 1 --windows 4000 -q -o rule.h5"
        " --json".split()
    )
    assert result.code == 0, result.err
    assert np.shape(json.loads(result.out)["filters"]) == (1, 2, 2, 2)


# ---- the acceptance ------------------------------------------------------------------------------


def accepted(attributes, shape):
    """Whether a rule of one, two or four units is what the exact canonical correlations ask for."""
    information, n_hidden = attributes["mutual_information_hard"], len(shape.noise)
    if shape.noise.max() > 0.01:
        return False
    if n_hidden == 4:
        return information >= 0.305 and shape.capture.min() >= 0.8
    upright = n_hidden == 1 or 60 <= shape.angles[0, 1] <= 120
    return bool(
        upright and shape.electric.min() >= 0.85 and information >= (0.1, 0.205)[n_hidden - 1]
    )


@pytest.fixture(scope="module")
def many_coverings(tmp_path_factory):
    from conftest import run_here

    path = tmp_path_factory.mktemp("coverings") / "samples.h5"
    assert run_here(*SAMPLE.replace("30000", "100000").split(), "-o", path).code == 0
    return path


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["decoder", "proxy --estimator gaussian"])
@pytest.mark.parametrize(("n_hidden", "wanted"), [(1, 9), (2, 8), (4, 8)])
def test_ten_seeds(train, many_coverings, n_hidden, wanted, objective):
    """Windows, start and order all follow the seed."""
    found = []
    for seed in range(10):
        attributes, _, _, shape, _ = train(
            f"{WINDOW} --objective {objective} --hidden {n_hidden} --restarts 1 --seed {seed}",
            many_coverings,
        )
        assert attributes["mutual_information_shuffled"] <= 0.002
        found.append(accepted(attributes, shape))
    assert sum(found) >= wanted


@pytest.mark.slow
def test_ten_seeds_of_the_papers_route(here, train, many_coverings):
    """Machines and rules anew for every seed: persistent contrastive divergence, then the proxy by
    pairs of fresh minibatches."""
    found = {1: [], 2: []}
    for seed in range(10):
        assert (
            here(
                "train-theta",
                many_coverings,
                *WINDOW.split(),
                "--seed",
                seed,
                "-q",
                "--force",
                "-o",
                "theta.h5",
            ).code
            == 0
        )
        for n_hidden, rules in found.items():
            attributes, _, _, shape, _ = train(
                f"--theta theta.h5 --hidden {n_hidden} --restarts 1 --seed {seed}", many_coverings
            )
            rules.append(accepted(attributes, shape))
    assert sum(found[1]) >= 9
    assert sum(found[2]) >= 8
