"""Scaling dimensions of named fields and of learned units, from the structure factors next to the
wave vectors of their orders: the same definition for the Ising model, dimers and the six-vertex
line. The default run has it on exact covariances (`exact_values/test_spreads.py`)."""

import json
import math

import pytest
from conftest import run_here

SIX_VERTEX = "--model six-vertex --weight"
SIZES = "16,24,32,48,64"


def run(line, output):
    result = run_here(*line.split(), "-q", "-o", output, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def learned(folder, model, size, training):
    """A rule that was learned on 40,000 configurations of one size."""
    run(f"sample {model} --size {size} --samples 40000 --seed 1", folder / "samples.h5")
    run(f"train-lambda {folder / 'samples.h5'} {training} --seed 1", folder / "rule.h5")
    return folder / "rule.h5"


def dimensions(folder, model, sizes, samples, *rules):
    """Rows of the dimensions by what they are of."""
    functions = " ".join(f"--function {rule}" for rule in rules)
    line = f"spectrum {model} --sizes {sizes} --samples {samples} --correlation --seed 1"
    found = run(f"{line} {functions}", folder / "spectrum.h5")["dimensions"]
    return {row["function"]: row for row in found}


def staggered(weight):
    return math.pi / (2 * math.acos(1 - weight**2 / 2))


def close(row, exact, largest_error):
    assert row["error"] < largest_error
    assert abs(row["delta"] - exact) < 3 * row["error"]


@pytest.mark.slow
@pytest.mark.parametrize("weight", [1.7, 1.8])
def test_six_vertex_fields(weight, tmp_path):
    """The field within 0.03 of 1, and the staggered polarization, 0.7730 and 0.7014."""
    found = dimensions(tmp_path, f"{SIX_VERTEX} {weight}", f"8,12,{SIZES}", 60000)
    for name in ("x-field", "y-field"):
        assert abs(found[name]["delta"] - 1) < 0.03
    close(found["staggered"], staggered(weight), 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("weight", [1.7, 1.8])
def test_six_vertex_canonical_units(weight, tmp_path):
    """Three canonical units of a block: two follow the field, within 0.03 of 1, and the third one
    the staggered polarization."""
    model = f"{SIX_VERTEX} {weight}"
    rule = learned(tmp_path, model, 32, "--block 4x4 --buffer 2 --hidden 3 --canonical")
    found = dimensions(tmp_path, model, SIZES, 60000, rule)
    field, third = found["rule units 1 and 2, soft"], found["rule unit 3, soft"]
    assert (field["wave_name"], third["wave_name"]) == ("uniform", "staggered")
    assert abs(field["delta"] - 1) < 0.03
    close(third, staggered(weight), 0.05)


@pytest.mark.slow
def test_six_vertex_learned_unit(tmp_path):
    """At c = 1.9 one learned unit follows the staggered polarization, 0.6267."""
    model = f"{SIX_VERTEX} 1.9"
    rule = learned(tmp_path, model, 32, "--block 4x4 --buffer 2 --hidden 1")
    row = dimensions(tmp_path, model, SIZES, 400000, rule)["rule, soft"]
    assert (row["wave_name"], row["exact"]) == ("staggered", pytest.approx(staggered(1.9)))
    assert abs(row["delta"] - row["exact"]) < 0.03
    close(row, row["exact"], 0.015)


@pytest.mark.slow
def test_dimer_units(tmp_path):
    """Two units follow the electric field of free dimers, which alternates: 1, within 0.03."""
    rule = learned(tmp_path, "--model dimers", 16, "--block 4x4 --buffer 2 --hidden 2")
    row = dimensions(tmp_path, "--model dimers", SIZES, 20000, rule)["rule units 1 and 2, soft"]
    assert row["wave_name"] == "staggered"
    assert abs(row["delta"] - 1) < 0.03
    close(row, 1, 0.01)


@pytest.mark.slow
def test_ising_unit(tmp_path):
    """The block spin of the Ising model at its critical point: 1/8."""
    model = "--model ising --temperature Tc"
    rule = learned(tmp_path, model, 16, "--block 2x2 --buffer 1 --hidden 1")
    found = dimensions(tmp_path, model, "8,12,16,24,32", 40000, rule)
    for name in ("magnetization", "rule, soft"):
        assert found[name]["wave_name"] == "uniform"
        close(found[name], 0.125, 0.005)
