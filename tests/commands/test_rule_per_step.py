"""A rule for each step: which rules there may be, what the files say, and an antiferromagnet, whose
first rule makes a ferromagnet."""

import json

import numpy as np
import pytest
from example_files import command, numbers_of, short_fits, text_of

from rsmi.figures.files import figure_of
from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization import kinds
from rsmi.samples.files import open_file
from rsmi.samples.views import open_flow

SAMPLE = "sample --size 16 --temperature Tc --algorithm swendsen-wang --interval 4 --chains 64"
TWO = ("--rule", "staggered", "--rule", "majority")
STATED = {"block": [2, 2], "hard": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Samples of a ferromagnet at T_c, and the same of the antiferromagnet as a stranger would
    bring them."""
    folder = tmp_path_factory.mktemp("rules")
    assert command(*SAMPLE.split(), "--samples", 6400, "-q", "-o", folder / "ferro.h5") == 0
    with open_file(folder / "ferro.h5") as file:
        spins = unpack_spins(file.read("/spins"), (16, 16))
    checkerboard = 1 - 2 * (np.indices((16, 16)).sum(axis=0) % 2)
    np.save(folder / "anti.npy", (spins * checkerboard).astype(np.int8))
    line = ("import", folder / "anti.npy", "--symmetric", "flip", "--chains", 64, "-q")
    assert command(*line, "-o", folder / "anti.h5") == 0
    return folder


@pytest.fixture
def make(workplace, here):
    """The function that runs a command in an empty folder and returns its output."""

    def make(output, *words):
        with short_fits():
            result = here(*words, "-q", "-o", output)
        assert result.code == 0, result.err
        return output

    return make


@pytest.fixture(scope="module")
def flow_of_two(folder):
    """The flow of the antiferromagnet by two rules."""
    path = folder / "two.h5"
    line = ("flow", folder / "anti.h5", *TWO, "--steps", 2)
    assert command(*line, "-q", "-o", path) == 0
    return path


@pytest.fixture(scope="module")
def exponents_of_two(folder, flow_of_two):
    """The exponents of that flow."""
    path = folder / "exponent.h5"
    assert command("exponent", flow_of_two, "-q", "-o", path) == 0
    return path


def digest_and_parameters(path):
    with open_file(path) as file:
        return file.digest, file.parameters


def test_equal_rules_are_one_rule(folder, make):
    """The identity of a file with one rule is what it was; the same rule twice is that file."""
    one = make("one.h5", "flow", folder / "ferro.h5", "--rule", "majority", "--steps", 2)
    twice = make("twice.h5", "flow", folder / "ferro.h5", *("--rule", "majority") * 2, "--steps", 2)
    assert digest_and_parameters(one) == digest_and_parameters(twice)
    parameters = {"rule": {"name": "majority", **STATED}, "steps": 2, "seed": 0}
    assert digest_and_parameters(one)[1] == parameters


def test_files_name_the_rule_of_every_step(flow_of_two, exponents_of_two):
    flow, exponent = flow_of_two, exponents_of_two
    rules = [{"name": name, **STATED} for name in ("staggered", "majority")]
    assert digest_and_parameters(flow)[1] == {"rules": rules, "steps": 2, "seed": 0}
    words = "staggered, hard in step 1; majority, hard in step 2; block 2x2"
    for path in (flow, exponent):
        assert numbers_of(path)["rules"] == rules
        assert words in " ".join(text_of(path).split())
        with open_file(path) as file:
            assert words in " ".join(figure_of([file]).get_suptitle().split())
    with open_flow(flow) as file:
        assert file.rules == rules
        assert file.hard


def test_two_rules_are_two_commands(folder, flow_of_two, make):
    """Coarse-graining and flows by two rules at once and one after the other have the same bits."""
    source = folder / "anti.h5"
    both = make("both.h5", "coarse-grain", source, *TWO, "--steps", 2)
    first = make("first.h5", "coarse-grain", source, "--rule", "staggered")
    second = make("second.h5", "coarse-grain", first, "--rule", "majority")
    end = make("end.h5", "flow", first, "--rule", "majority", "--steps", 1)
    with open_file(both) as a, open_file(second) as b:
        assert np.array_equal(a.read("/spins"), b.read("/spins"))
        assert a.attributes["rg_step"] == b.attributes["rg_step"] == 2
        assert a.attributes["scale_factor"] == b.attributes["scale_factor"] == 4
    with open_flow(flow_of_two) as a, open_flow(end) as b:
        for name in ("even_sums", "even_products", "odd_products"):
            assert np.array_equal(a.blocks(name)[:, 1:], b.blocks(name)), name
        for name in ("even_cross", "odd_cross"):
            assert np.array_equal(a.blocks(name)[:, 1:], b.blocks(name)), name


def test_in_flight(make):
    """The sums of a flow in flight by two rules are those of the stored samples."""
    physics = "--size 8 --temperature Tc --thermalization 4 --interval 1 --samples 256".split()
    samples = make("s.h5", "sample", *physics)
    stored = make("stored.h5", "flow", samples, *TWO, "--steps", 2)
    flying = make("flying.h5", "flow", "--model", "ising", *physics, *TWO, "--steps", 2)
    with open_flow(stored) as a, open_flow(flying) as b:
        assert a.rules == b.rules
        for name in ("even_products", "odd_cross", "even_energy"):
            assert np.array_equal(a.blocks(name), b.blocks(name)), name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "flow ferro.h5 --rule majority --rule staggered --steps 3",
            "there are 2 rules for --steps 3: give one rule for all steps, or one rule for each",
        ),
        (
            "coarse-grain ferro.h5 --rule majority --rule staggered",
            "there are 2 rules for --steps 1",
        ),
        (
            "flow ferro.h5 --rule row.csv --rule majority --block 4 --steps 2",
            "does not fit a lattice of dimension 2",
        ),
        ("exponent two.h5 --step 3", "--step 3: two.h5 has steps 1 to 2"),
    ],
)
def test_refusals(folder, flow_of_two, workplace, here, words, sentence):
    (workplace / "ferro.h5").symlink_to(folder / "ferro.h5")
    (workplace / "two.h5").symlink_to(flow_of_two)
    (workplace / "row.csv").write_text("1,1,1,1\n")
    result = here(*words.split(), "-o", "out.h5")
    assert result.code == 2
    assert sentence in " ".join(result.err.split())


def test_step_of_the_headline(folder, make):
    """Small lattices have one step only; the default stays step 2."""
    flow = make("flow.h5", "flow", folder / "ferro.h5", "--rule", "majority", "--steps", 1)
    default = numbers_of(make("default.h5", "exponent", flow))
    first = numbers_of(make("first.h5", "exponent", flow, "--step", 1))
    assert digest_and_parameters("default.h5")[1] == {"critical_temperature": None}
    assert "fewer than 2 steps" in default["headline"]["y_t"]["reason"]
    row = first["headline"]["y_h"]
    assert (row["step"], row["operators"]) == (1, 6)
    assert abs(row["value"] - 1.875) < 0.02
    assert first["nu"] == first["nu_sequence"][0]["value"] is not None
    assert "step 1, 10 operators" in text_of("first.h5")


# ---- an antiferromagnet --------------------------------------------------------------------------


def test_an_antiferromagnet_by_one_learned_rule_is_withheld(folder, make, here):
    """It printed y_h = 1.953(2), 49 errors from 15/8, with exit 0 and nothing on stderr."""
    training = ("--block", "2x2", "--windows", 4000, "--restarts", 1)
    rule = make("lambda.h5", "train-lambda", folder / "anti.h5", *training)
    words = ("flow", folder / "anti.h5", "--rule", rule, "--hard", "--steps", 2, "-o", "one.h5")
    warned = here(*words)
    assert warned.code == 0
    assert "give a rule for each step" in " ".join(warned.err.split())
    result = here("exponent", "one.h5", "--json", "-o", "exponent.h5")
    found = json.loads(result.out)
    for name in ("y_t", "y_h"):
        row = found["headline"][name]
        assert (row["value"], row["error"]) == (None, None)
        assert row["reason"] == "withheld: step 1 makes a ferromagnet of an antiferromagnet"
    cure = "use --rule staggered --rule majority"
    assert cure in found["withheld"]
    assert cure in " ".join(result.err.split())
    assert cure in " ".join(text_of("exponent.h5").split())
    # A rule that is relearned on the coarse samples is another rule, and no headline is withheld.
    coarse = make("coarse.h5", "coarse-grain", folder / "anti.h5", "--rule", rule, "--hard")
    again = make("again.h5", "train-lambda", coarse, *training)
    both = ("--rule", rule, "--rule", again, "--hard", "--steps", 2)
    found = numbers_of(make("e.h5", "exponent", make("two.h5", "flow", folder / "anti.h5", *both)))
    assert "withheld" not in found
    assert_close(found)


def test_an_antiferromagnet_by_two_rules(flow_of_two, exponents_of_two, make):
    """Its exponents are those of the ferromagnet."""
    found = numbers_of(exponents_of_two)
    assert "withheld" not in found
    assert_close(found)
    first = numbers_of(make("first.h5", "exponent", flow_of_two, "--step", 1))
    assert "choose a later step with --step" in first["withheld"]
    assert first["headline"]["y_t"]["value"] is None


def assert_close(found):
    for name, exact in (("y_t", 1), ("y_h", 15 / 8)):
        row = found["headline"][name]
        assert row["error"] < 0.05
        assert abs(row["value"] - exact) < 4 * row["error"], name


def test_a_ferromagnet_is_not_withheld(folder, make):
    flow = make("flow.h5", "flow", folder / "ferro.h5", "--rule", "majority", "--steps", 3)
    found = numbers_of(make("exponent.h5", "exponent", flow))
    assert "withheld" not in found
    assert_close(found)


# ---- the decision --------------------------------------------------------------------------------


def test_signs_need_errors():
    """Sums of 8 blocks: significant, too small for a sign, and without fluctuations."""
    rng = np.random.default_rng(0)
    sums = {"counts": np.full(8, 100), "even_sums": rng.normal(0, 1, (8, 4, 10))}
    sums["even_sums"][:, 0, 0] -= 50
    sums["even_sums"][:, 1, 0] += 50
    sums["even_sums"][:, 3, 0] = 7
    signs = kinds.signs_of_neighbours(sums)
    assert signs.tolist() == [-1, 1, 0, 1]
    assert list(kinds.changes_of_kind(signs)) == [1]
    one_block = {name: array[:1] for name, array in sums.items()}
    assert not kinds.signs_of_neighbours(one_block).any()


@pytest.mark.parametrize(
    ("changes", "rules", "step", "words"),
    [
        ({}, "aa", 2, None),
        ({1: "x"}, "aa", 2, "step 2 applies the rule of step 1 again"),
        ({1: "x"}, "ab", 2, None),
        ({1: "x"}, "aba", 2, None),
        ({1: "x"}, "aba", 3, "step 3 applies the rule of step 1 again"),
        ({1: "x"}, "ab", 1, "choose a later step"),
        ({2: "x"}, "aaa", 1, None),
        ({1: "x", 2: "y"}, "aa", 2, "step 2 applies the rule of step 1 again"),
    ],
)
def test_what_is_withheld(changes, rules, step, words):
    withheld = kinds.why_withheld(changes, rules, step)
    assert (withheld is None) == (words is None)
    if withheld:
        assert words in withheld.sentence


# ---- several components --------------------------------------------------------------------------


def test_components_are_coarse_grained_again(folder, make, here):
    """Two hidden units, then a rule that was learned on the two components, at once and one after
    the other; a rule for one component is refused where there are two."""
    training = ("--block", "2x2", "--windows", 2000, "--restarts", 1, "--hidden", 2)
    fine = folder / "ferro.h5"
    first = make("1.h5", "train-lambda", fine, *training)
    coarse = make("c1.h5", "coarse-grain", fine, "--rule", first, "--hard")
    second = make("2.h5", "train-lambda", coarse, *training, "--buffer", 0)
    twice = make("c2.h5", "coarse-grain", coarse, "--rule", second, "--hard")
    both = ("--rule", first, "--rule", second, "--hard", "--steps", 2)
    at_once = make("both.h5", "coarse-grain", fine, *both)
    with open_file(twice) as a, open_file(at_once) as b:
        assert a.attributes["components"] == b.attributes["components"] == 2
        assert a.attributes["shape"] == b.attributes["shape"] == (4, 4)
        assert np.array_equal(a.read("/spins"), b.read("/spins"))
    result = here("coarse-grain", fine, "--rule", second, "-o", "x.h5")
    assert result.code == 2
    assert "acts on 2 components per site, but the lattice before step 1 has 1" in result.err
    flow = make("flow.h5", "flow", coarse, "--rule", second, "--hard", "--steps", 1)
    found = numbers_of(make("e.h5", "exponent", flow, "--step", 1))
    assert (found["headline"]["y_h"]["step"], found["headline"]["y_h"]["operators"]) == (1, 6)
    assert 1.7 < found["headline"]["y_h"]["value"] < 2
    assert found["nu"] is None
    words = " ".join(text_of(flow).split())
    assert "components 2 operators s1s2(0,0); s1s1(1,0)" in words
    assert "format 1.0" not in words
    for path in (flow, "e.h5"):
        with open_file(path) as file:
            assert file.attributes["components"] == 2
            figure_of([file])
    for shard in (0, 1):
        words = ("--rule", second, "--hard", "--steps", 1, "--shard", f"{shard}/2")
        make(f"part{shard}.h5", "flow", coarse, *words)
    merged = make("merged.h5", "merge", "part0.h5", "part1.h5")
    assert digest_and_parameters(merged) == digest_and_parameters(flow)


def test_the_components_of_a_flow_do_not_change(folder, make, here):
    """Operators are the same at all levels."""
    (folder / "two.csv").write_text("1,1,1,1\n1,1,-1,-1\n")
    line = ("flow", folder / "ferro.h5", "--rule", folder / "two.csv", "--steps", 1)
    result = here(*line, "-o", "x.h5")
    assert result.code == 2
    words = " ".join(result.err.split())
    assert "has 2 hidden units; a flow needs a rule with one for each component" in words
    assert "coarse-grain once, and take the flow of the result" in words


def test_dimers_are_coarse_grained(make, here):
    """Nothing is known of what links become; it is not read as a covering."""
    sample = "sample --model dimers --size 16 --samples 400 --chains 8 --thermalization 20"
    training = "--block 2x2 --windows 2000 --restarts 1 --hidden 2".split()
    samples = make("dimers.h5", *sample.split(), "--interval", 4)
    rule = make("rule.h5", "train-lambda", samples, *training)
    coarse = make("coarse.h5", "coarse-grain", samples, "--rule", rule, "--hard")
    with open_file(coarse) as file:
        assert (file.attributes["model"], file.attributes["components"]) == ("none", 2)
    assert "spins of an unknown model" in text_of(coarse)
    again = make("again.h5", "train-lambda", coarse, *training, "--buffer", 0)
    make("coarser.h5", "coarse-grain", coarse, "--rule", again, "--hard")
