"""Coarse-graining and flow of variables with several states: what is stored and refused, and the
exponents of the three-state Potts model."""

import json

import numpy as np
import pytest

from rsmi.samples.views import open_flow, open_samples

POTTS = "--model potts --states 3 --temperature Tc".split()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder for every test."""
    monkeypatch.chdir(tmp_path)


def done(here, *words):
    result = here(*words, "-q")
    assert result.code == 0, result.err
    return result


def info(here, path):
    return json.loads(here("info", path, "--json").out)


@pytest.fixture
def samples(here):
    done(here, "sample", *POTTS, *"--size 16 --samples 400 --interval 5 -o p.h5".split())
    return "p.h5"


def codes_of(path):
    with open_samples(path) as source:
        assert source.states == 3
        return source.codes()[:, 0].astype(int)


def test_plurality_of_blocks(samples, here):
    """Every coarse code is one of the most frequent codes of its block; two steps are one and one;
    decimation keeps the first site."""
    done(here, "coarse-grain", samples, "--rule", "plurality", "-o", "one.h5")
    done(here, "coarse-grain", "one.h5", "--rule", "plurality", "-o", "two.h5")
    line = "--rule plurality --steps 2 -o both.h5".split()
    done(here, "coarse-grain", samples, *line)
    done(here, "coarse-grain", samples, *"--rule decimation -o first.h5".split())
    fine, coarse = codes_of(samples), codes_of("one.h5")
    blocks = fine.reshape(len(fine), 8, 2, 8, 2)
    counts = np.stack([(blocks == a).sum(axis=(2, 4)) for a in range(3)], axis=-1)
    chosen = np.take_along_axis(counts, coarse[..., np.newaxis], axis=-1)[..., 0]
    assert (chosen == counts.max(axis=-1)).all()
    assert (codes_of("two.h5") == codes_of("both.h5")).all()
    assert (codes_of("first.h5") == fine[:, ::2, ::2]).all()
    assert "8x8 potts with 3 states" in here("info", "one.h5").out


def test_flow_of_files_and_in_flight(samples, here):
    """The flow of stored samples and that of the same samples in flight are equal bit by bit."""
    rule = "--rule plurality --steps 2".split()
    done(here, "flow", samples, *rule, "-o", "stored.h5")
    sampled = "--size 16 --samples 400 --interval 5".split()
    done(here, "flow", *POTTS, *sampled, *rule, "-o", "direct.h5")
    with open_flow("stored.h5") as stored, open_flow("direct.h5") as direct:
        assert stored.states == direct.states == 3
        assert len(stored.attributes["even_operators"]) == 9
        for name in ("even_products", "even_cross", "odd_products", "odd_cross", "even_energy"):
            np.testing.assert_array_equal(stored.blocks(name), direct.blocks(name))
    text = here("info", "stored.h5").out
    assert "delta(s_i, s_j)" in text and "variables with two states" in text
    done(here, "exponent", "stored.h5", "-o", "exponent.h5")
    found = info(here, "exponent.h5")
    assert found["extrapolated"]["omega"] == pytest.approx(0.8)
    assert [row["step"] for row in found["second"]["y_h"]] == [1, 2]
    assert "28/15" in here("info", "exponent.h5").out
    for path in ("stored.h5", "exponent.h5"):
        done(here, "plot", path, "-o", path.replace("h5", "svg"))


def test_matching_of_ising_lattices(here):
    """Two lattices at one temperature: T_c with its error, from each step."""
    for size in (16, 8):
        line = f"--model ising --size {size} --temperature Tc --samples 2000 -o {size}.h5"
        done(here, "sample", *line.split())
    done(here, "flow", "16.h5", "8.h5", *"--rule majority --steps 2 -o flow.h5".split())
    done(here, "exponent", "flow.h5", "-o", "exponent.h5")
    found = info(here, "exponent.h5")
    assert found["size"] == 16
    first, second = found["T_c_matching"]
    assert first["shapes"] == [[16, 16], [8, 8]] and second["step"] == 2
    assert second["value"] == pytest.approx(2.269185, abs=0.03 + 4 * second["error"])
    assert "matching two lattices" in here("info", "exponent.h5").out


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("flow p.h5 --rule majority --steps 1", "a variable of this model has 3 states"),
        (
            "flow --model clock --states 5 --size 8 --temperature 1 --samples 100 --rule plurality"
            " --steps 1",
            "treat all 5 states alike",
        ),
        ("coarse-grain p.h5 --rule plurality --block 4x4", "3^16 states"),
        (
            "flow --model potts --states 3 --dimension 3 --size 4 --temperature 2 --samples 100"
            " --rule plurality --steps 1",
            "on the square lattice",
        ),
    ],
)
def test_refused(command, sentence, samples, here):
    result = here(*command.split(), "-q", "-o", "out.h5")
    assert result.code == 2 and sentence in result.err, result.err


@pytest.mark.slow
def test_exponents_of_three_states(here):
    """At T_c on 64x64: y_t extrapolated from steps 2 and 3, y_h and the second eigenvalues at step
    2, all with all operators, and T_c by matching with 32x32."""
    for size, seed in ((64, 1), (32, 2)):
        line = f"--size {size} --samples 600000 --interval 6 --thermalization 1000 --seed {seed}"
        done(here, "sample", *POTTS, *line.split(), "-o", f"{size}.h5")
    done(here, "flow", "64.h5", "32.h5", *"--rule plurality --steps 3 -o flow.h5".split())
    done(here, "exponent", "flow.h5", "-o", "exponent.h5")
    found = info(here, "exponent.h5")
    at_step = {row["step"]: row for row in found["extrapolated"]["y_t"]}
    assert at_step[3]["value"] == pytest.approx(6 / 5, abs=0.01)
    assert found["headline"]["y_h"]["value"] == pytest.approx(28 / 15, abs=0.001)
    second = {name: {row["step"]: row for row in rows} for name, rows in found["second"].items()}
    assert second["y_h"][2]["value"] == pytest.approx(2 / 3, abs=0.03)
    assert second["y_t"][2]["value"] == pytest.approx(-4 / 5, abs=0.06)
    matched = {row["step"]: row for row in found["T_c_matching"]}
    critical = 1 / np.log(1 + np.sqrt(3))
    assert matched[2]["value"] == pytest.approx(critical, rel=3e-4)
