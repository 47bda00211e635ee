"""``rsmi exact``: the stored reference values through the command line, sampled and enumerated
answers against each other."""

import json
from pathlib import Path

import exact as brute
import numpy as np
import pytest

from rsmi.information.channel import channel_table
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle as exact
from rsmi.stages.exact import evaluate
from rsmi.store import open_file

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
FILTERS = {
    "uniform": "majority",
    "uniform_biased_b=c": "majority-ties-up",
    "single": "decimation",
    "staggered": "staggered",
    "maj3": "1,1\n1,0\n",
    "row_pair": "1,1\n0,0\n",
    "diag_pair": "1,0\n0,1\n",
    "stripe": "1,-1\n1,-1\n",
}
LARGE = (
    "exact --size 64 --windows 20000 --rule majority --rule majority-ties-up --rule decimation"
    " --rule staggered --json"
)


def stored(name):
    return json.loads((REFERENCE / name).read_text())


def answer(here, line, *more):
    result = here(*line.split(), *more, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def call(here, line):
    return here(*line.split())


def asked(rules=("majority",), **given):
    """`evaluate` with the command line's defaults."""
    rest = {
        "model": "ising",
        "block": None,
        "hard": False,
        "bias": None,
        "metric": None,
        "shape": None,
        "temperature": None,
        "coupling": None,
        "buffer": None,
        "environment": 1,
        "windows": None,
        "seed": 0,
    }
    return evaluate(None, rules, **rest | given)


# ---- all environments ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILTERS)
def test_reference_values_of_the_6x6_torus(name, workplace, here):
    """Named rules and filters from files, hard, at T_c: .461045 for the block spin, .380566 for one
    spin ..."""
    expected, rule = stored("ising_rsmi_2x2_torus6_Kc.json")["values"], FILTERS[name]
    if "\n" in rule:
        Path("f.csv").write_text(rule)
        rule = "f.csv"
    found = answer(
        here,
        "exact --model ising --dimension 2 --size 6 --temperature Tc --block 2x2 --buffer 1 --hard"
        " --rule",
        rule,
    )
    assert found["mutual_information"] == pytest.approx(expected[name], abs=1e-9)
    assert found["mutual_information_block"] == pytest.approx(expected["I_VE"], abs=1e-9)
    assert found["mutual_information_error"] == found["mutual_information_block_error"] == 0
    assert found["method"] == "enumerated"
    assert found["entropy_h"] == pytest.approx(np.log(2), abs=1e-12) or name == "uniform_biased_b=c"


def test_any_coupling_and_a_soft_rule(workplace, here):
    """4x4 torus at K = .3 without a buffer, all 65,536 configurations: a soft filter with a bias,
    two hidden units."""
    np.save("f.npy", [[0.7, -0.2, 0.4, 1.3], [0, 0, 0, 2.0]])
    found = answer(here, "exact --size 4 --coupling 0.3 --buffer 0 --rule f.npy --bias 0.3,-1")
    joint, q = (
        brute.torus_4x4_joint(0.3),
        channel_table([[0.7, -0.2, 0.4, 1.3], [0, 0, 0, 2.0]], [0.3, -1]),
    )
    hidden = q.T @ joint
    assert found["mutual_information"] == pytest.approx(brute.information(hidden), abs=1e-12)
    assert not found["hard"]
    assert found["mutual_information_block"] == pytest.approx(brute.information(joint), abs=1e-12)
    assert found["entropy_h"] == pytest.approx(
        -(hidden.sum(axis=1) * np.log(hidden.sum(axis=1))).sum(), abs=1e-12
    )


@pytest.mark.parametrize(
    "row",
    stored("ising_rsmi_1d_K1.json")["rows"],
    ids=lambda row: f"block {row['L']}, buffer {row['b']}",
)
def test_reference_values_of_the_chain(row):
    """A ring of 1000 sites is the infinite chain to all digits: tanh(1)^1000 = 1e-118."""
    found = asked(
        ("majority", "decimation"),
        shape=(1000,),
        coupling=row["K"],
        block=str(row["L"]),
        buffer=row["b"],
    )
    majority, decimation = (one["mutual_information"] for one in found["rules"])
    assert (majority, decimation) == pytest.approx((row["uniform"], row["edge_spin"]), abs=1e-10)
    assert found["mutual_information_block"] == pytest.approx(row["I_VE"], abs=1e-10)


@pytest.mark.parametrize(
    ("coupling", "whole", "decimation", "majority"),
    [(0.1, 9.86802e-5, 0.5050, 0.3023), (1, 0.325221, 0.7596, 0.7397)],
)
def test_published_shares_of_the_chain(coupling, whole, decimation, majority):
    """Lenggenhager et al., PRX 10, 011037 (2020): I(H:E)/I(V:E) of two rules on two spins, one spin
    of buffer."""
    found = asked(("decimation", "majority"), shape=(10**6,), coupling=coupling)
    assert found["mutual_information_block"] == pytest.approx(whole, rel=2e-6)
    assert [
        one["mutual_information"] / found["mutual_information_block"] for one in found["rules"]
    ] == pytest.approx([decimation, majority], abs=5e-5)


def test_short_rings_are_not_the_chain():
    """Seven sites: the way around matters, as all 128 configurations say."""
    found = asked(shape=(7,), coupling=0.8)
    states = brute.every_configuration((7,))
    weight = brute.boltzmann(brute.ising_energies(states), 0.8)
    v, e = (states[:, [2, 3]] > 0) @ [1, 2], (states[:, [0, 5]] > 0) @ [1, 2]
    assert found["mutual_information_block"] == pytest.approx(
        brute.information(np.bincount(4 * v + e, weight, 16).reshape(4, 4)), abs=1e-12
    )


def test_a_wider_environment_knows_no_more():
    narrow, wide = (asked(shape=(8, 8), coupling=0.4, environment=width) for width in (1, 2))
    assert narrow.pop("environment") == 1
    assert wide.pop("environment") == 2
    assert narrow == wide


# ---- sampled environments ------------------------------------------------------------------------


def pulls(found, expected):
    """(value - reference)/error of every rule and of I(V:E); the reference's own error is 3e-4."""
    names = {rule: name for name, rule in FILTERS.items()}
    pairs = [
        (
            one["mutual_information"],
            one["mutual_information_error"],
            expected["filters_by_strength"][names[one["rule"]]]["50"],
        )
        for one in found["rules"]
    ]
    pairs.append(
        (
            found["mutual_information_block"],
            found["mutual_information_block_error"],
            expected["I_VE"],
        )
    )
    return np.array(
        [(value - reference) / np.hypot(error, 3e-4) for value, error, reference in pairs]
    )


def test_reference_values_of_the_64x64_torus(here):
    """|z| < 4 for every rule, with errors near .002; the companion below shows what a coupling 3 %
    off does."""
    found = answer(here, LARGE, "--temperature", "Tc")
    assert (np.abs(pulls(found, stored("ising_rsmi_2x2_L64_Kc.json"))) < 4).all()
    assert found["method"] == "sampled"
    assert found["windows"] == 20_000
    assert found["configurations"] == 625
    assert all(0 < one["mutual_information_error"] < 0.004 for one in found["rules"])
    assert 0 < found["mutual_information_block_error"] < 0.003


def test_a_coupling_three_percent_off_is_seen(here):
    found = answer(here, LARGE, "--temperature", repr(1 / 1.03 / 0.44068679350977), "--seed", 1)
    assert (np.abs(pulls(found, stored("ising_rsmi_2x2_L64_Kc.json"))[[0, 1, 2, 4]]) > 4).all()


def test_sampled_and_enumerated_agree(workplace, here):
    """The 8x8 torus below T_c, its environments sampled (from a file) and enumerated; |z| < 4."""
    assert call(here, "sample --size 8 --coupling 0.5 --samples 4000 -o samples.h5").code == 0
    sampled = answer(here, "exact samples.h5 --rule majority --windows 20000")
    whole = answer(here, "exact --size 8 --coupling 0.5 --rule majority")
    assert (sampled["method"], whole["method"]) == ("sampled", "enumerated")
    assert sampled["shape"] == [8, 8]
    assert sampled["coupling"] == 0.5
    for name in ("mutual_information", "mutual_information_block"):
        assert abs(sampled[name] - whole[name]) < 4 * sampled[f"{name}_error"] < 0.05
    assert sampled["entropy_h"] == pytest.approx(np.log(2), abs=1e-12)


def test_learned_rule(pipeline, here, monkeypatch):
    """On its samples, the configurations that training did not see: what train-lambda says of
    them."""
    monkeypatch.chdir(pipeline)
    hard = answer(here, "exact samples.h5 --rule lambda.h5 --hard")
    with open_file("lambda.h5") as file:
        told, held_out = file.attributes, file.shape("/split/held_out")[0]
    assert hard["configurations"] == held_out
    assert hard["hard"]
    assert hard["buffer"] == told["buffer"]
    error = np.hypot(hard["mutual_information_error"], told["mutual_information_exact_error"])
    assert abs(hard["mutual_information"] - told["mutual_information_exact"]) < 4 * error
    assert abs(hard["mutual_information_block"] - told["mutual_information_block"]) < 4 * error
    soft = answer(here, "exact --size 6 --temperature Tc --rule lambda.h5")
    with open_file("lambda.h5") as file:
        q = channel_table(file.read("/filters"), file.read("/bias"))
    assert soft["mutual_information"] == pytest.approx(
        mutual_information(exact.torus_joint(0.44068679350977), q), abs=1e-9
    )


def test_one_seed_one_answer(here):
    lines = [
        call(
            here,
            f"exact --size 16 --coupling 0.4 --windows 500 --rule majority --json --seed {seed}",
        ).out
        for seed in (3, 3, 4)
    ]
    assert lines[0] == lines[1] != lines[2]


# ---- what is printed and what is refused ---------------------------------------------------------


def test_table(here):
    result = call(here, "exact --size 6 --temperature Tc --rule majority --rule decimation")
    assert result.err == ""
    assert "I(V:E)         0.549401 nats" in result.out
    assert "all of them, by enumeration" in result.out
    rows = [line.split() for line in result.out.splitlines()[-2:]]
    assert rows == [
        ["majority", "hard", "0.461045", "0.8392", "0.693147"],
        ["decimation", "hard", "0.380566", "0.6927", "0.693147"],
    ]


def test_table_of_samples(here):
    result = call(here, "exact --size 16 --temperature Tc --windows 200 --rule majority")
    assert "sampling 100 configurations by swendsen-wang" in result.err
    assert "200 windows of 100 sampled configurations; P(V|E) exact" in result.out


def test_several_rules_from_a_file_of_settings(workplace, here):
    Path("c.toml").write_text(
        '[exact]\nrule = ["majority", "staggered"]\nsize = 6\ncoupling = 0.4\n'
    )
    assert [one["rule"] for one in answer(here, "exact --config c.toml")["rules"]] == [
        "majority",
        "staggered",
    ]
    Path("c.toml").write_text('[exact]\nrule = "majority"\nsize = 6\ncoupling = 0.4\n')
    assert answer(here, "exact --config c.toml")["rule"] == "majority"


REFUSED = {
    "--rule majority": (
        "give the lattice by --size (with --temperature or --coupling), or samples of it"
    ),
    "--size 6": "give a rule by --rule, or ask for the best of all functions",
    "--size 6 --rule majority": "one of the two",
    "--size 6 --coupling nan --rule majority": "must be positive and finite",
    "--size 4 --coupling 1 --rule majority": "they span 6x6 sites, and the lattice has 4x4",
    "--size 8x8x8 --coupling 1 --rule majority": "has 3 sides, --dimension says 2",
    "--dimension 3 --size 8 --coupling 0.2 --rule majority": (
        "three dimensions: exact information is known in one and two; take the held-out bound of"
        " rsmi train-lambda"
    ),
    "--size 64 --coupling 0.4 --block 6x6 --rule majority": (
        "block 6x6 has 36 sites and its states are summed over: at most 16"
    ),
    "--size 64 --coupling 0.4 --block 2x2 --buffer 6 --rule majority": (
        "14 columns wide, and a transfer matrix at most 12: take --buffer 5 at most"
    ),
    "--size 64 --coupling 0.4 --block 1x14 --rule majority": "turn the block",
    "--size 64 --coupling 0.4 --block 2 --rule majority": (
        "--block 2 does not fit a lattice of dimension 2"
    ),
    "--size 64 --coupling 0.4 --rule nine.csv": "a rule of 9 hidden units: at most 8",
    "samples.h5 --size 8 --rule majority": (
        "--size: samples.h5 brings its own lattice and temperature"
    ),
    "samples.h5 --temperature Tc --rule majority": "--temperature: samples.h5 brings",
    "samples.h5 --rule majority --rule lambda.h5 --block 4x4": "contradicts lambda.h5",
    "samples.h5 --rule majority --block 4x4 --buffer 5": "4x4 with buffer 5 is 14 columns wide",
    "coarse.h5 --rule majority": "coarse.h5: coarse-grained 1 times",
    "dimers.h5 --rule majority": "dimers.h5: exact information is not known of dimers",
    "none.h5 --rule majority": "none.h5: no such file",
    "few.h5 --rule majority": "few.h5: 4 configurations are too few",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refused(line, pipeline, workplace, here):
    """One sentence with the limit and what to do instead."""
    for name in ("samples.h5", "coarse.h5", "dimers.h5", "lambda.h5"):
        Path(name).symlink_to(pipeline / name)
    Path("nine.csv").write_text("1,1,1,1\n" * 9)
    if "few.h5" in line:
        assert (
            call(
                here,
                "sample --size 8 --temperature Tc --thermalization 0 --interval 1 --samples 4 -o"
                " few.h5",
            ).code
            == 0
        )
    result = here("exact", *line.split())
    assert (result.code, result.out) == (2, "")
    assert REFUSED[line] in result.sentence
    assert result.err.startswith("Usage:") or result.err.count("\n") == 1


def test_other_files(pipeline, here, monkeypatch):
    monkeypatch.chdir(pipeline)
    assert here("exact", "flow.h5", "--rule", "majority").code == 65
