"""train-lambda --sector: even variables of a block, what is stored of them, and where they may be
used."""

import json

import numpy as np
import pytest
from conftest import run_here
from example_files import PAIRS, even_rule

from rsmi import models
from rsmi.models.base import SECTORS, Sector
from rsmi.renormalization.product_terms import expectation_terms
from rsmi.reports.exact import describe
from rsmi.samples.views import open_rule, open_samples
from rsmi.store import open_file

ALL_EQUAL = [0, 15]  # the states of a 2x2 block in which all four spins are equal
TRAIN = "--block 2x2 --windows 10000 --restarts 2 -q --threads 1".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sectors")
    sample = "sample --size 6 --temperature Tc --algorithm swendsen-wang --interval 3 -q"
    assert run_here(*sample.split(), "--samples", 10000, "-o", folder / "samples.h5").code == 0
    for name, options in {"even": "--sector even", "default": "--updates 40"}.items():
        trained = run_here(
            "train-lambda",
            folder / "samples.h5",
            *TRAIN,
            *options.split(),
            "-o",
            folder / f"{name}.h5",
        )
        assert trained.code == 0, trained.err
    return folder


def train(folder, *options, name="new"):
    path = folder / f"{name}.h5"
    path.unlink(missing_ok=True)
    return run_here("train-lambda", folder / "samples.h5", *TRAIN, *options, "-o", path)


def test_the_even_variable_of_a_2x2_block(folder):
    """All four spins are equal: the best of the 128 even functions on the 6x6 torus. A decoder
    without tanh units, windows without the means of pairs or a bias that is tied to zero do not
    find it."""
    with open_rule(folder / "even.h5") as rule:
        assert rule.sector == "even"
        assert rule.products == PAIRS
        up = rule.rule(hard=True).channel()[:, 1]
        np.testing.assert_array_equal(np.flatnonzero(up), ALL_EQUAL)
        terms = {term.sites: term.coefficient for term in expectation_terms(rule.rule(hard=True))}
        assert terms == {(): -0.75, **dict.fromkeys([*PAIRS, (0, 1, 2, 3)], 0.25)}
        np.testing.assert_allclose(rule.site_weights[0], rule.forms[0].sum(axis=1))
        a = rule.attributes
        assert a["parameters"]["sector"] == "even"
        assert a["parameters"]["decoder_units"] == 8
        assert a["parameters"]["bias"] == "free"
        assert (
            abs(a["mutual_information_exact"] - 0.015989) < 4 * a["mutual_information_exact_error"]
        )
        bound, error = a["mutual_information_hard"], a["mutual_information_hard_error"]
        assert 0 < bound < a["mutual_information_exact"] + 3 * error


def test_the_default_names_no_sector(folder):
    """Files without the option keep their parameters, attributes and version; naming the default
    changes nothing."""
    with open_file(folder / "default.h5") as file:
        assert file.attributes["format_version"] == (1, 3)
        assert "sector" not in file.attributes
        assert not {"sector", "decoder_units", "pairs_within"} & file.parameters.keys()
        digest = file.digest
    assert train(folder, "--updates", 40, "--sector", "odd").code == 0
    with open_file(folder / "new.h5") as file:
        assert file.digest == digest


def test_any_is_linear_with_a_bias(folder):
    assert train(folder, "--updates", 40, "--sector", "any").code == 0
    with open_rule(folder / "new.h5") as rule:
        assert (rule.sector, rule.products) == ("any", None)
        assert rule.bias.all()
        assert rule.file.parameters["bias"] == "free"


def test_pairs_within_a_range(folder):
    """The four bonds of a 2x2 block: as many products as sites, and still no filters of sites."""
    options = ["--sector", "even", "--pairs-within", 1, "--updates", 40]
    assert train(folder, *options, name="bonds").code == 0
    with open_rule(folder / "bonds.h5") as rule:
        assert rule.products == ((0, 1), (0, 2), (1, 3), (2, 3))
        assert "/filters" not in rule.file
        assert rule.file.parameters["pairs_within"] == 1


def test_a_sector_of_the_model(folder, monkeypatch):
    """A model declares a name, the features of a block, and a parity."""

    def triples(columns):
        return tuple((i,) for i in range(len(columns))) + ((0, 1, 2), (1, 2, 3))

    cubic = Sector("cubic", "odd functions up to third order", "odd", triples)
    monkeypatch.setattr(type(models.get("ising")), "sectors", (*SECTORS, cubic))
    found = train(folder, "--sector", "cubik")
    assert found.code == 2
    assert "this model has odd, even, any, cubic; did you mean cubic?" in found.sentence
    assert train(folder, "--sector", "cubic", "--updates", 40, name="cubic").code == 0
    with open_rule(folder / "cubic.h5") as rule:
        assert (rule.sector, rule.forms) == ("cubic", None)
        assert rule.products[-1] == (1, 2, 3)
    assert "cubic" in run_here("info", folder / "cubic.h5").out


def test_a_decoder_that_is_too_large(folder):
    """About 200 parameters and 8000 windows: p/2n is most of 0.016 nats. A linear decoder of an
    odd variable costs nothing to speak of."""
    options = "--block 2x2 --windows 10000 --restarts 1 --updates 40 --force -o"
    words = ["train-lambda", folder / "samples.h5", *options.split(), folder / "cost.h5"]
    found = run_here(*words, "--sector", "even")
    assert "nats is too low by about" in found.err
    assert "parameters was fitted to" in found.err
    assert "too low" not in run_here(*words).err


REFUSED = {
    "--sector even --decoder-units 0": "bound of I(H:E) is exactly zero",
    "--sector even --objective total-correlation": "trained by --objective decoder alone",
    "--sector even --estimator gaussian": "trained by --objective decoder alone",
    "--sector even --bias zero": "the fields of --sector even have a bias",
    "--sector odd --bias free": "a field with a bias is not odd",
    "--sector any --bias zero": "the fields of --sector any have a bias",
    "--pairs-within 1": "the filters of --sector odd act on single spins",
    "--sector even --pairs-within 0.5": "no product of spins within 0.5 sites",
    "--sector evne": "did you mean even?",
    "--decoder-units 4 --objective likelihood": "has no decoder in its training",
}


@pytest.mark.parametrize("options", REFUSED)
def test_refused(folder, options):
    found = train(folder, *options.split())
    assert (found.code, found.err.count("Traceback")) == (2, 0)
    assert REFUSED[options] in found.sentence


def test_too_many_pairs_are_refused(folder, tmp_path):
    large = tmp_path / "large.h5"
    sample = "sample --size 10 --temperature Tc --algorithm swendsen-wang --samples 100 -q -o"
    assert run_here(*sample.split(), large).code == 0
    train = "--block 5x5 --sector even --windows 1000 -q -o"
    found = run_here("train-lambda", large, *train.split(), tmp_path / "new.h5")
    assert found.code == 2
    assert "300 products of its 25 spins, too many to learn (at most 120)" in found.sentence


# ---- use -----------------------------------------------------------------------------------------


def test_coarse_grain_applies_the_form(folder):
    """The coarse spins are those of the table of the rule, of no model that is known, and the same
    for a configuration and its flip."""
    coarse = folder / "coarse.h5"
    arguments = ["coarse-grain", folder / "samples.h5", "--rule", folder / "even.h5", "--hard"]
    assert run_here(*arguments, "-q", "-o", coarse).code == 0
    with open_samples(folder / "samples.h5") as fine, open_samples(coarse) as result:
        assert (result.model_name, result.coupling) == ("none", fine.coupling)
        assert not result.model.symmetric(result.attributes)
        spins = np.unpackbits(fine.spins(0, 50), axis=1, count=36, bitorder="little")
        blocks = spins.reshape(50, 3, 2, 3, 2).sum(axis=(2, 4))
        found = np.unpackbits(result.spins(0, 50), axis=1, count=9, bitorder="little")
        np.testing.assert_array_equal(found.reshape(50, 3, 3), (blocks == 0) | (blocks == 4))
    twice = run_here(*arguments, "--steps", 2, "-q", "-o", folder / "twice.h5")
    assert twice.code == 2
    assert "variables of another kind" in twice.sentence


def test_a_flow_needs_spins(folder):
    words = ["--rule", folder / "even.h5", "--steps", 1, "-q", "-o", folder / "flow.h5"]
    found = run_here("flow", folder / "samples.h5", *words)
    assert found.code == 2
    assert "the operators of a flow are sorted by that sign" in found.sentence


def test_exact_information_of_an_even_rule(folder):
    """0.015989 nats on the 6x6 torus: the most that any even function keeps."""
    words = "--size 6 --temperature Tc --hard --json"
    found = run_here("exact", *words.split(), "--rule", folder / "even.h5")
    numbers = json.loads(found.out)
    assert numbers["mutual_information_exact_hard"] == pytest.approx(0.015989, abs=5e-7)


def test_what_info_and_json_say(folder):
    text = run_here("info", folder / "even.h5").out
    assert "6 pairs of spins: x = v^T A v + bias" in text
    assert "sector          even" in text
    assert "symmetric matrix A" in text
    numbers = json.loads(run_here("info", folder / "even.h5", "--json").out)
    assert numbers["sector"] == "even"
    assert numbers["products"] == [list(pair) for pair in PAIRS]
    matrix = np.array(numbers["matrices"][0])
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(numbers["site_weights"][0], matrix.sum(axis=1).reshape(2, 2))
    assert json.loads(run_here("info", folder / "default.h5", "--json").out)["sector"] == "odd"


@pytest.mark.parametrize("products", [PAIRS, (*PAIRS, (0, 1, 2, 3))])
def test_figures(tmp_path, products):
    """A symmetric matrix with its site weights, or bars of products: each has its own title."""
    path = even_rule(tmp_path / "even.h5", products)
    output = tmp_path / "even.svg"
    assert run_here("plot", path, "-o", output).code == 0
    text = output.read_text()
    assert ("site weights" in text) == (products == PAIRS)


# ---- the best of all functions -------------------------------------------------------------------


def best(*words):
    found = run_here("exact", *words, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out)


def test_best_even_function_of_the_torus(folder):
    """The learned rule beside the best function: both are "all four spins are equal"."""
    words = "--size 6 --temperature Tc --sector even --best --hard --rule"
    numbers = best(*words.split(), folder / "even.h5")
    assert numbers["best"]["states_up"] == ["----", "++++"]
    found = numbers["best"]["mutual_information_exact_hard"]
    assert found == pytest.approx(numbers["mutual_information_exact_hard"], rel=1e-9)
    assert found == pytest.approx(0.015989, abs=5e-7)
    assert numbers["best"]["site_weights"] == [[0.75, 0.75], [0.75, 0.75]]
    text = describe(numbers)
    assert text.count("hard   0.0159895") == 2
    assert "h = 1 for the blocks ---- ++++, else 0" in text


def test_best_odd_function_is_the_default(folder):
    """Majority of three of the four spins; it is printed without any rule."""
    numbers = best("--size", 6, "--temperature", "Tc", "--best")
    assert "rule" not in numbers
    assert numbers["best"]["sector"] == "odd"
    assert numbers["best"]["mutual_information_exact_hard"] == pytest.approx(0.461566, abs=5e-7)


def test_best_function_over_samples(folder):
    """Found on half of the configurations and measured on the others, together with a rule; with
    buffer 1 on the 6x6 torus it is the function that the enumeration finds."""
    words = "--best --sector even --rule majority --windows 4000"
    numbers = best(folder / "samples.h5", *words.split())
    found = numbers["best"]
    assert numbers["windows"] + found["environments_search"] == 4000
    assert found["states_up"] == ["----", "++++"]
    error = found["mutual_information_exact_hard_error"]
    assert abs(found["mutual_information_exact_hard"] - 0.015989) < 4 * error
    error = numbers["mutual_information_exact_hard_error"]
    assert abs(numbers["mutual_information_exact_hard"] - 0.461045) < 4 * error


NO_BEST = {
    "--size 6": "give a rule by --rule, or ask for the best",
    "--size 6 --rule majority --sector even": "chooses among the functions of --best",
    "--size 6 --best --sector oddd": "did you mean odd?",
    "--dimension 1 --size 8 --block 1 --best --sector even": "function of one spin is constant",
}


@pytest.mark.parametrize("words", NO_BEST)
def test_no_best_function(words):
    found = run_here("exact", *words.split(), "--coupling", 0.4)
    assert found.code == 2
    assert NO_BEST[words] in found.sentence
