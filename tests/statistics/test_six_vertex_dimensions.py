"""Scaling dimensions of the six-vertex model, from the two-point functions of `rsmi spectrum`."""

import json

import pytest
from conftest import run_here


@pytest.mark.slow
@pytest.mark.parametrize("weight", [1.7, 1.8])
def test_dimensions_of_fields(weight, tmp_path):
    """Of sizes 16, 32 and 64: the field within 0.03 of 1, and the staggered polarization within
    three errors of its exact dimension, 0.7730 and 0.7014."""
    line = f"spectrum --model six-vertex --weight {weight} --sizes 16,32,64 --samples 60000"
    words = [*line.split(), "--correlation", "--seed", "1", "-q", "-o", tmp_path / "s.h5"]
    result = run_here(*words, "--json")
    assert result.code == 0, result.err
    found = {row["function"]: row for row in json.loads(result.out)["dimensions"]}
    for name in ("x-field", "y-field"):
        assert abs(found[name]["delta"] - 1) < 0.03
    exact = {1.7: 0.77304, 1.8: 0.70139}[weight]
    staggered = found["staggered"]
    assert staggered["error"] < 0.03
    assert abs(staggered["delta"] - exact) < 3 * staggered["error"]
