"""The scaling dimension of the order of systems in three universality classes, from configurations
that are sampled on the way: each within three errors of the exact value.

The sizes, the numbers of configurations and the quantity, <m^2> with the exponent of its contact
term, were fixed before any of these runs. The errors are limits too: a wrong order, wave vector or
critical point is off by far more.
"""

import json

import pytest
from conftest import run_here

pytestmark = pytest.mark.slow
SIZES, TRIPLES = "8,12,16,24,32", "12,18,24,36,48"

# The system, the sizes, the samples of the largest one, Delta, and the largest error.
SYSTEMS = {
    "triangular": ("ising-triangular --temperature Tc", SIZES, 100_000, 1 / 8, 0.003),
    "honeycomb": ("ising-honeycomb --temperature Tc", SIZES, 100_000, 1 / 8, 0.003),
    "kagome": ("ising-kagome --temperature Tc", SIZES, 100_000, 1 / 8, 0.003),
    "antiferromagnet": (
        "ising-square --antiferromagnetic --temperature Tc",
        SIZES,
        100_000,
        1 / 8,
        0.003,
    ),
    "hard squares": (
        "hard-squares --fugacity zc --thermalization 15360",
        SIZES,
        100_000,
        1 / 8,
        0.003,
    ),
    "hard hexagons": (
        "hard-hexagons --fugacity zc --thermalization 34560",
        TRIPLES,
        100_000,
        2 / 15,
        0.003,
    ),
    "ground states": ("triangular-ground-states", TRIPLES, 1_000_000, 1 / 4, 0.0007),
}


@pytest.mark.parametrize(
    ("system", "sizes", "samples", "exact", "limit"), SYSTEMS.values(), ids=SYSTEMS
)
def test_dimension_of_the_order(tmp_path, system, sizes, samples, exact, limit):
    line = f"spectrum --model {system} --sizes {sizes} --samples {samples} --seed 2 -q --json"
    result = run_here(*line.split(), "-o", tmp_path / "spectrum.h5")
    assert result.code == 0, result.err
    odd = json.loads(result.out)["headline"]["odd"]
    assert odd["quantity"] == "m2" and odd["exact"] == pytest.approx(exact)
    assert odd["error"] <= limit
    assert abs(odd["delta"] - exact) < 3 * odd["error"]
