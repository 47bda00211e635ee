"""What ``--rule`` takes: named rules by their truth tables, filters from CSV and NPY files, and
what is refused."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from rsmi.cli import common
from rsmi.information.channel import spin_states, unit_probabilities
from rsmi.renormalization import rules
from rsmi.store import open_file

SAMPLE = (
    "sample --size 8 --temperature Tc --thermalization 4 --interval 1 --samples 64 -o samples.h5"
)


def up(rule):
    """P(h_j = 1 | v) of every block state, (2^n_block, n_hidden)."""
    return unit_probabilities(
        rule.filters, rule.bias, spin_states(rule.filters.shape[1]), rule.hard
    )


@pytest.mark.parametrize("block", [(2,), (3,), (2, 2), (3, 3), (2, 2, 2), (1, 2)])
def test_named_rules(block):
    """By their definitions, on every state of the block."""
    spins = spin_states(int(np.prod(block)))
    signs = (-1.0) ** np.indices(block).sum(axis=0).ravel()
    expected = {
        "majority": (1 + np.sign(spins.sum(axis=1))) / 2,
        "majority-ties-up": spins.sum(axis=1) >= 0,
        "decimation": spins[:, 0] > 0,
        "staggered": (1 + np.sign(spins @ signs)) / 2,
        "plurality": (1 + np.sign(spins.sum(axis=1))) / 2,
    }
    assert expected.keys() == rules.NAMED.keys()
    for name, probability in expected.items():
        assert (up(rules.NAMED[name](block))[:, 0] == probability).all(), name


def test_help_names_every_rule(here):
    assert set(common._NAMED) == set(rules.NAMED)
    for name in ("coarse-grain", "flow", "exact"):
        words = here(name, "-h").out.replace("\n", " ")
        assert all(rule in words for rule in rules.NAMED)
        assert "CSV" in words
        assert "NPY" in words


def test_blocks_too_large_are_refused_before_they_are_made():
    for make in rules.NAMED.values():
        with pytest.raises(ValueError, match="at most 64 sites"):
            make((10**6, 10**6))


@pytest.mark.parametrize(
    ("shape", "block", "hidden"),
    [
        ((2, 3), (2, 3), 1),
        ((1, 6), (2, 3), 1),
        ((6,), (2, 3), 1),
        ((2, 6), (2, 3), 2),
        ((4, 2, 3), (2, 3), 4),
        ((3,), (3,), 1),
        ((2, 3), (3,), 2),
        ((1, 5), (1, 5), 1),
        ((2, 2, 2), (2, 2, 2), 1),
    ],
)
def test_shapes_of_filters(shape, block, hidden):
    numbers = np.arange(float(np.prod(shape))).reshape(shape)
    rule = rules.rule_of(numbers, block)
    assert rule.filters.shape == (hidden, np.prod(block))
    assert (rule.filters.ravel() == numbers.ravel()).all()
    assert not rule.hard
    assert (rule.bias == 0).all()


@pytest.mark.parametrize(
    ("numbers", "block", "bias", "words"),
    [
        (
            np.ones((3, 2)),
            (2, 3),
            None,
            "3x2 numbers do not fit a block of 2x3: write one filter in its shape, or one row of 6",
        ),
        (np.ones((1, 5)), (2, 2), None, "1x5 numbers do not fit"),
        (np.float64(1), (1,), None, "no numbers do not fit"),
        (np.ones((0, 4)), (2, 2), None, "do not fit"),
        (np.ones(4), (2, 2), [1, 2], "bias"),
        ([[1, np.nan], [1, 1]], (2, 2), None, "finite"),
        (np.ones(4), (2, 2), [np.inf], "finite"),
        (np.ones(4) * 1j, (2, 2), None, "real numbers, not complex128"),
        (np.array(["1"] * 4), (2, 2), None, "real numbers"),
    ],
)
def test_numbers_that_do_not_fit(numbers, block, bias, words):
    with pytest.raises(ValueError, match=words):
        rules.rule_of(numbers, block, bias)


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture
def samples(workplace, here):
    assert here(*SAMPLE.split()).code == 0
    return Path("samples.h5")


def coarse(here, *options):
    result = here("coarse-grain", "samples.h5", *options, "--force", "-o", "coarse.h5")
    assert result.code == 0, result.err
    with open_file("coarse.h5") as file:
        return file.read("/spins")


def test_filters_of_files_are_those_of_names(samples, here):
    """The same weights from CSV and NPY draw the same spins as the named rule, ties included; the
    bias sends ties up."""
    Path("grid.csv").write_text("# two rows of the block\n1, 1\n1, 1\n")
    Path("row.CSV").write_text("\ufeff2,2,2,2\n")
    np.save("integers.npy", np.ones((2, 2), np.int8, order="F"))
    expected = coarse(here, "--rule", "majority")
    for name in ("grid.csv", "row.CSV", "integers.npy"):
        assert (coarse(here, "--rule", name, "--block", "2x2", "--hard") == expected).all(), name
    biased = coarse(here, "--rule", "grid.csv", "--hard", "--bias", "0.5")
    assert (biased == coarse(here, "--rule", "majority-ties-up")).all()
    assert (biased != expected).any()
    assert (coarse(here, "--rule", "grid.csv") != expected).any()


def test_several_hidden_units(samples, here):
    Path("four.csv").write_text("\n".join(",".join(map(str, row)) for row in np.eye(4)))
    coarse(here, "--rule", "four.csv", "--hard")
    with open_file("coarse.h5") as file:
        assert file.attributes["components"] == 4


def test_flow_with_a_filter(samples, here):
    """What it was made of is in the file, whatever becomes of the CSV."""
    Path("f.csv").write_text("1,1\n1,0\n")
    assert (
        here("flow", "samples.h5", "--rule", "f.csv", "--hard", "--steps", 1, "-o", "flow.h5").code
        == 0
    )
    os.remove("f.csv")
    with open_file("flow.h5") as file:
        assert file.parameters["rule"] == {
            "name": "filter",
            "filters": [[1, 1, 1, 0]],
            "bias": [0],
            "block": [2, 2],
            "hard": True,
        }
    assert "filter, hard, block 2x2" in here("info", "flow.h5").out


def test_other_numbers_are_another_rule(samples, here):
    """The same name with other content is not taken for the finished file."""
    Path("f.csv").write_text("1,1\n1,1\n")
    assert here("coarse-grain", "samples.h5", "--rule", "f.csv", "-o", "c.h5").code == 0
    Path("f.csv").write_text("1,1\n1,2\n")
    assert here("coarse-grain", "samples.h5", "--rule", "f.csv", "-o", "c.h5").code == 73


class Bomb:
    """Unpickling it makes a file."""

    def __reduce__(self):
        return (open, ("exploded", "w"))


def write_bad_files():
    np.save("object.npy", np.array([[Bomb(), 1], [1, 1]], dtype=object), allow_pickle=True)
    Path("pickle.npy").write_bytes(pickle.dumps(Bomb()))
    np.savez("zip.npz", np.ones((2, 2)))
    Path("zip.npz").rename("zip.npy")
    np.save("huge.npy", np.ones((2, 2)))
    content = Path("huge.npy").read_bytes()
    Path("cut.npy").write_bytes(content[:-8])
    Path("huge.npy").write_bytes(content.replace(b"(2, 2), }       ", b"(2, 20000000), }"))
    Path("header.npy").write_bytes(content.replace(b"(2, 2), }", b"(2, 2),  "))
    Path("empty.npy").touch()
    Path("empty.csv").touch()
    Path("words.csv").write_text("one,two\nthree,four\n")
    Path("ragged.csv").write_text("1,1\n1\n")
    Path("latin.csv").write_bytes(b"\xff\xfe1,1")
    Path("long.csv").write_text("1," * (1 << 20))
    Path("folder.csv").mkdir()


@pytest.mark.parametrize(
    "name",
    [
        "object.npy",
        "pickle.npy",
        "zip.npy",
        "huge.npy",
        "header.npy",
        "cut.npy",
        "empty.npy",
        "empty.csv",
        "words.csv",
        "ragged.csv",
        "latin.csv",
        "long.csv",
    ],
)
def test_damaged_files(name, workplace, here):
    """65, one sentence, and nothing of the file is executed."""
    write_bad_files()
    result = here("exact", "--size", 6, "--temperature", "Tc", "--rule", name)
    assert (result.code, result.out) == (65, "")
    assert result.err.startswith(f"rsmi: {name}: ")
    assert result.err.count("\n") == 1
    assert not Path("exploded").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--rule none.csv", "--rule none.csv: no such file"),
        ("--rule folder.csv", "--rule folder.csv: cannot be read"),
        ("--rule f.csv --block 3x3", "--rule f.csv: 2x2 numbers do not fit a block of 3x3"),
        ("--rule f.csv --bias 1,2", "--rule f.csv: filters (1, 4) and bias (2,) do not fit"),
        ("--rule f.csv --bias one", "--bias 'one': write one number for each hidden unit"),
        ("--rule nan.csv", "needs finite filters"),
        (
            "--rule majority --bias 1",
            "--bias: for a filter in a CSV or NPY file; majority has its own",
        ),
        (
            "--rule f.txt",
            (
                "--rule f.txt: neither a file nor one of majority, decimation, majority-ties-up,"
                " staggered, plurality"
            ),
        ),
    ],
)
def test_refused(options, words, workplace, here):
    write_bad_files()
    Path("f.csv").write_text("1,1\n1,1\n")
    Path("nan.csv").write_text("1,1\n1,nan\n")
    result = here("exact", "--size", 8, "--temperature", "Tc", *options.split())
    assert (result.code, result.out) == (2, "")
    assert words in result.sentence
    assert result.err.count("\n") == 1


def test_json_of_the_plan(samples, here):
    """--dry-run shows the numbers that were read."""
    np.save("f.npy", np.array([[0.5, -1], [2, 0]]))
    plan = json.loads(
        here(
            "coarse-grain", "samples.h5", "--rule", "f.npy", "--dry-run", "--json", "-o", "c.h5"
        ).out
    )
    assert plan["rule"]["filters"] == [[0.5, -1, 2, 0]]
    assert plan["rule"]["hard"] is False
