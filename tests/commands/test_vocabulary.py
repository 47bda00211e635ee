"""The names of the numbers in JSON: soft and hard rule apart, and what the numbers are about."""

import json

import pytest
from example_files import command, numbers_of, text_of


@pytest.fixture
def files(examples):
    return examples


def test_soft_and_hard_rule_apart(files):
    found = numbers_of(files["lambda"])
    assert found["mutual_information_soft"] == 0.39
    assert found["mutual_information_hard"] == 0.3975
    assert found["mutual_information_exact_hard"] == 0.3989
    assert found["mutual_information_exact_soft"] is None
    assert found["share_hard"] == pytest.approx(0.3989 / 0.5246)
    assert found["share_soft"] is None
    assert (found["entropy_soft"], found["entropy_hard"]) == (0.6931, 0.693)


def test_restarts_count_from_one_in_json_and_text(files):
    assert numbers_of(files["lambda"])["restart_number"] == 2
    assert "restart 2 of 2" in text_of(files["lambda"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mutual_information", "mutual_information_soft"),
        ("mutual_information_error", "mutual_information_soft_error"),
        ("mutual_information_exact", "mutual_information_exact_hard"),
        ("mutual_information_exact_error", "mutual_information_exact_hard_error"),
        ("mutual_information_share", "share_hard"),
        ("mutual_information_shuffled", "mutual_information_shuffled_soft"),
        ("entropy_h", "entropy_soft"),
        ("entropy_h_hard", "entropy_hard"),
    ],
)
def test_deprecated_names_stay_for_one_version(files, old, new):
    found = numbers_of(files["lambda"])
    assert found[old] == found[new] is not None


@pytest.mark.parametrize("name", ["critical", "coarse", "theta", "lambda", "flow", "exponent"])
def test_every_object_says_what_its_numbers_are_about(files, name):
    """Someone who collects the objects of many files can sort them without opening the files."""
    found = numbers_of(files[name])
    assert found["model"] == "ising"
    assert found["seed"] == 0
    for one in found.get("flows", [found]):
        shape = one.get("shape") or [one["size"]] * found["dimension"]
        assert shape == ([8, 8] if name == "coarse" else [16, 16])
        assert one["temperature"] == pytest.approx(1 / one["coupling"])
    if name in ("theta", "lambda"):
        assert (found["windows"], found["hidden"]) == (5000, {"theta": 20, "lambda": 2}[name])


def test_crossings(pipeline):
    found = numbers_of(pipeline / "crossing.h5")
    assert found["couplings"] == [1 / temperature for temperature in found["temperatures"]]
    assert (found["model"], found["sizes"]) == ("ising", [8, 16])
    assert found["seed"] == 0


@pytest.mark.parametrize("name", ["shard-0.h5", "flow-shard.h5"])
def test_shards(pipeline, name):
    found = numbers_of(pipeline / name)
    assert (found["model"], found["seed"]) == ("ising", 0)
    if name == "shard-0.h5":
        assert (found["shape"], found["coupling"]) == ([16, 16], 1 / found["temperature"])


@pytest.mark.parametrize("hard", [True, False])
def test_exact(hard, capsys, tmp_path):
    """A named rule is hard; a file of weights is soft without --hard."""
    (tmp_path / "rule.csv").write_text("1,1\n1,1\n")
    line = f"exact --size 4 --temperature Tc --rule {tmp_path / 'rule.csv'} --block 2x2 --buffer 0"
    assert command(*line.split(), *(["--hard"] if hard else []), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    kind = "hard" if hard else "soft"
    assert found[f"mutual_information_exact_{kind}"] == found["mutual_information"]
    assert found[f"entropy_{kind}"] == found["entropy_h"]


def test_exponents_keep_the_biased_numbers_apart(files):
    """nu = 1/y_t stands beside y_t with its error, nu of the thermometer does not."""
    found, text = numbers_of(files["exponent"]), text_of(files["exponent"])
    thermal, inverse = found["headline"]["y_t"], found["headline"]["nu"]
    assert inverse["value"] == pytest.approx(1 / thermal["value"])
    assert inverse["error"] == pytest.approx(thermal["error"] / thermal["value"] ** 2)
    biased = found["effective_coupling"]
    assert biased["nu"] == found["nu"] != inverse["value"]
    assert {"nu", "nu_error", "nu_reason", "T_c", "T_c_error", "nu_collapse"} <= set(biased)
    quoted, apart = text.split("effective nearest-neighbour coupling: biased")
    assert "nu = 1/y_t" in quoted and "nu = 1/y_t" not in apart
