"""train-lambda and exact on variables with several states, and for hidden units with several
states: what is learned and stored, and what is refused."""

import contextlib
import json

import numpy as np
import pytest
from conftest import run_here
from example_files import short_fits

from rsmi.information.channel import channel_table
from rsmi.models import named
from rsmi.reports.exact import describe
from rsmi.samples.views import open_machines, open_rule

POTTS = "--model potts --states 3 --size 8 --temperature Tc --samples 1500 --interval 8"
TRAIN = "--block 2x2 --windows 6000 --restarts 1 -q --threads 1".split()
RULES = {
    "tied": "--hidden-states 3 --updates 300",
    "free": "--hidden-states 3 --filters free --updates 100",
    "more": "--hidden-states 4 --updates 100",
    "bits": "--hidden 2 --updates 100",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    samples = folder / "samples.h5"
    assert run_here("sample", *POTTS.split(), "-q", "-o", samples).code == 0
    for name, options in RULES.items():
        with contextlib.nullcontext() if name == "tied" else short_fits():
            trained = run_here(
                "train-lambda", samples, *TRAIN, *options.split(), "-o", folder / f"{name}.h5"
            )
        assert trained.code == 0, trained.err
    return folder


def refused(*words):
    result = run_here(*words)
    assert result.code == 2 and result.err.count("\n") == 1, result.err
    return result.err


def exact(*words):
    result = run_here("exact", *words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def summary(path):
    return json.loads(run_here("info", path, "--json").out)


# ---- learned rules -------------------------------------------------------------------------------


def test_a_tied_filter_is_the_plurality(folder):
    """One filter with a weight for each site, all of one sign; its hard rule keeps what the
    plurality keeps, up to ties (0.02 nats), and the bound agrees with the exact value."""
    one = summary(folder / "tied.h5")
    assert np.shape(one["filters"]) == (1, 2, 2) and np.min(one["filters"]) > 0
    assert (one["hidden"], one["hidden_states"], one["filter_form"]) == (1, 3, "tied")
    rules = ("--rule", folder / "tied.h5", "--hard", "--rule=plurality", "--windows", 3000)
    found = exact(folder / "samples.h5", *rules)
    learned, plurality = (rule["mutual_information_exact_hard"] for rule in found["rules"])
    assert learned == pytest.approx(plurality, abs=0.02)
    assert found["rules"][0]["entropy_hard"] == pytest.approx(np.log(3))
    assert one["mutual_information_hard"] == pytest.approx(
        one["mutual_information_exact_hard"], abs=4 * one["mutual_information_hard_error"]
    )
    assert abs(one["mutual_information_shuffled_soft"]) < 0.02


def test_what_is_stored(folder):
    """Free filters and bits act on one-hot features; nothing that changes no rule is in them, and
    coarse states have the order of the states that they prefer."""
    for name, shape in {"free": (3, 12), "more": (4, 12), "bits": (2, 12)}.items():
        with open_rule(folder / f"{name}.h5") as rule:
            assert rule.filters.shape == shape
            assert rule.attributes["states"] == 3
            of_states = rule.state_weights(rule.filters)
            assert of_states.sum(axis=1) == pytest.approx(np.zeros((shape[0], 4)), abs=1e-9)
            if name != "bits":
                assert rule.filters.sum(axis=0) == pytest.approx(np.zeros(12), abs=1e-9)
                preferred = of_states.sum(axis=2).argmax(axis=1)
                assert preferred[:3].tolist() == [0, 1, 2]
    with open_rule(folder / "more.h5") as rule:
        assert rule.bias.sum() == pytest.approx(0, abs=1e-9)
        assert rule.rule(hard=True).channel().shape == (81, 4)


def test_info_and_figures(folder, tmp_path):
    for name in RULES:
        text = run_here("info", folder / f"{name}.h5").out
        assert ("sites in state 2" in text) == (name != "tied")
    drawn = run_here("plot", folder / "free.h5", "-o", tmp_path / "figure.png")
    assert drawn.code == 0, drawn.err


def test_two_states_of_the_ising_model(tmp_path):
    """A tied filter of two states is a filter of a unit; the exact information of both is the
    same."""
    samples, out = tmp_path / "ising.h5", tmp_path / "two.h5"
    sampled = run_here(
        *"sample --size 8 --temperature Tc --samples 1000 --interval 8 -q -o".split(), samples
    )
    assert sampled.code == 0
    trained = run_here(
        "train-lambda", samples, *TRAIN, *"--hidden-states 2 --updates 100 -o".split(), out
    )
    assert trained.code == 0, trained.err
    with open_rule(out) as rule:
        channel = rule.rule(hard=False).channel()
        np.testing.assert_allclose(channel, channel_table(rule.filters, np.zeros(1)), atol=1e-12)
    one = summary(out)
    assert one["mutual_information_soft"] == pytest.approx(
        one["mutual_information_exact_soft"], abs=4 * one["mutual_information_soft_error"]
    )


# ---- machines ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machines(folder):
    path = folder / "theta.h5"
    line = "--block 2x2 --windows 6000 --epochs 3 --hidden 12 -q --threads 1 -o".split()
    trained = run_here("train-theta", folder / "samples.h5", *line, path)
    assert trained.code == 0, trained.err
    return path


def test_tied_machines(machines):
    """They have weights for sites and no biases, so that older programs refuse them. Three epochs
    lead from equal probabilities to less than 0.3 nats from the exact P(V|E)."""
    with open_machines(machines) as file:
        assert file.file.shape("/joint/weights") == (24, 12) and file.features.shape == (3, 3)
        assert "/joint/visible_bias" not in file.file
        assert file.attributes["kl"] < 0.3
    text = run_here("info", machines).out
    assert "relabelling of 3 states" in text
    assert run_here("info", machines, "--verify").code == 0


@pytest.mark.parametrize("options", ["--hidden-states 3", "--hidden-states 4", "--hidden 2"])
def test_objectives_with_machines(folder, machines, tmp_path, options):
    """The proxy is the default with machines, and every kind of units has it."""
    line = f"--windows 6000 --restarts 1 --updates 100 -q --threads 1 {options} -o".split()
    with short_fits():
        trained = run_here(
            "train-lambda", folder / "samples.h5", "--theta", machines, *line, tmp_path / "rule.h5"
        )
    assert trained.code == 0, trained.err
    one = summary(tmp_path / "rule.h5")
    assert one["objective"] == "proxy" and one["mutual_information_exact_soft"] > 0.3


def test_blocks_of_too_many_states(folder, tmp_path):
    """A rule is a table over the states of a block; the sentence says which is small enough."""
    samples = tmp_path / "samples.h5"
    line = "--model potts --states 4 --size 9 --temperature Tc --samples 8 -q -o".split()
    assert run_here("sample", *line, samples).code == 0
    line = "--rule plurality --block 3x3 -o".split()
    sentence = refused("coarse-grain", samples, *line, tmp_path / "out.h5")
    assert "4^9 states" in sentence and "at most 8 sites" in sentence


def test_flows_on_a_chain(tmp_path):
    samples = tmp_path / "samples.h5"
    line = "--model potts --states 3 --dimension 1 --size 16 --coupling 1 --samples 8 -q -o".split()
    assert run_here("sample", *line, samples).code == 0
    line = "--rule plurality --block 2 --steps 1 -o".split()
    sentence = refused("flow", samples, *line, tmp_path / "out.h5")
    assert "on the square lattice" in sentence and "rsmi coarse-grain" in sentence


def test_machines_that_do_not_fit(folder, machines, tmp_path):
    """Machines of other states, an estimator for spins, and states without a known symmetry."""
    out, samples = tmp_path / "out.h5", folder / "samples.h5"
    four = tmp_path / "four.h5"
    line = "--model potts --states 4 --size 8 --temperature Tc --samples 1500 -q -o".split()
    assert run_here("sample", *line, four).code == 0
    assert "states 3" in refused("train-lambda", four, "--theta", machines, "-o", out)
    line = ("train-lambda", samples, "--theta", machines, "--estimator", "mcmc", "-o", out)
    assert "for which there is pairs" in refused(*line)
    numbers = np.random.default_rng(0).integers(0, 3, (1500, 8, 8))
    np.save(tmp_path / "own.npy", numbers)
    own = tmp_path / "own.h5"
    assert run_here("import", tmp_path / "own.npy", "--states", 3, "-q", "-o", own).code == 0
    assert "--symmetric" in refused("train-theta", own, "--block", "2x2", "-o", out)


# ---- exact ---------------------------------------------------------------------------------------


def test_exact_rules_and_the_best_map():
    """The 4x4 torus without a buffer: values of another program, and the best function with four
    values is the state of at least three equal sites, else a vacancy."""
    line = "--model potts --states 3 --size 4 --temperature Tc --buffer 0".split()
    found = exact(*line, "--rule", "plurality", "--rule", "decimation")
    values = [rule["mutual_information_exact_hard"] for rule in found["rules"]]
    assert values == pytest.approx([0.880906740, 0.747827897], abs=1e-9)
    assert found["mutual_information_block"] == pytest.approx(1.126536404, abs=1e-9)
    assert found["states"] == 3 and found["method"] == "enumerated"
    found = exact(*line, "--best", "--hidden-states", "4")
    assert found["best"]["mutual_information_exact_hard"] == pytest.approx(0.964109540, abs=1e-9)
    assert sorted(len(blocks.split()) for blocks in found["best"]["blocks"]) == [9, 9, 9, 54]
    assert "h = 3: " in describe(found)


def test_models_of_two_states():
    """The Potts model with two states at twice the coupling, and the clock, are the Ising model."""
    line = "--size 6 --temperature Tc --rule".split()
    ising = exact(*line, "majority")
    for model in ("potts", "clock"):
        found = exact("--model", model, "--states", 2, *line, "plurality")
        for name in ("mutual_information_exact_hard", "mutual_information_block"):
            assert found[name] == pytest.approx(ising[name], abs=1e-9)


def test_ashkin_teller(tmp_path):
    """Without a four-spin coupling, sigma and tau of a chain are two Ising chains: one of them has
    the information of one chain, and both together have twice as much."""
    (tmp_path / "tau.csv").write_text("0,0,1,0\n")
    line = "--dimension 1 --size 9 --coupling 0.6 --block 2".split()
    found = exact("--model", "ashkin-teller", *line, "--hard", f"--rule={tmp_path / 'tau.csv'}")
    ising = exact(*line, "--rule", "decimation")
    one, block = "mutual_information_exact_hard", "mutual_information_block"
    assert found[one] == pytest.approx(ising[one], abs=1e-12)
    assert found[block] == pytest.approx(2 * ising[block], abs=1e-12)


def test_features_of_a_clock():
    """Cosine and sine of the angles; their products are cosines of differences."""
    features = named("clock").state_features({"states": 5})
    angles = 2 * np.pi / 5 * np.subtract.outer(np.arange(5), np.arange(5))
    assert features @ features.T == pytest.approx(np.cos(angles))


# ---- what is refused -----------------------------------------------------------------------------


def test_rules_that_are_not_repeated(folder, tmp_path):
    """coarse-grain and flow refuse rules whose coarse variables are of another kind, and say why
    repeated steps would be wrong."""
    reasons = {
        "free": "breaks the symmetry",
        "more": "4 states",
        "bits": "bits",
    }
    out = tmp_path / "out.h5"
    for name, reason in reasons.items():
        line = (folder / "samples.h5", "--rule", folder / f"{name}.h5", "--steps")
        assert reason in refused("coarse-grain", *line, 2, "-o", out)
        assert reason in refused("flow", *line, 1, "-o", out)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--hidden-states 3 --hidden 2", "leave out --hidden"),
        ("--filters tied", "several --hidden-states"),
        ("--hidden-states 4 --filters tied", "take --hidden-states 3"),
        ("--hidden-states 3 --bias free", "tied filters have no bias"),
        ("--hidden-states 3 --objective likelihood", "decoder, proxy, logsum, enumerate"),
        ("--hidden-states 3 --objective proxy", "give --theta"),
        ("--hidden-states 3 --objective proxy --estimator gaussian", "for which there is pairs"),
        ("--objective total-correlation", "3 states"),
        ("--hidden-states 3 --decoder-units 4", "tied filters have a tied decoder"),
        ("--sector even", "need variables +-1"),
    ],
)
def test_training_that_does_not_fit(folder, tmp_path, options, sentence):
    line = ("train-lambda", folder / "samples.h5", *TRAIN, *options.split())
    assert sentence in refused(*line, "-o", tmp_path / "out.h5")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--size 4 --temperature Tc --rule plurality", "--states"),
        ("--states 3 --size 4 --temperature Tc --rule majority", "plurality, decimation"),
        ("--states 3 --size 6 --temperature Tc --best --sector odd", "--sector"),
        ("--states 3 --size 4 --temperature Tc --rule plurality --hidden-states 3", "--best"),
        ("--states 6 --size 16 --temperature Tc --block 3x3 --rule plurality", "6^9 states"),
    ],
)
def test_questions_that_do_not_fit(options, sentence):
    assert sentence in refused("exact", "--model", "potts", *options.split())


def test_samples_bring_their_states(folder):
    line = ("exact", folder / "samples.h5", "--states", 3, "--rule", "plurality")
    assert "brings its own" in refused(*line, "--model", "potts")
