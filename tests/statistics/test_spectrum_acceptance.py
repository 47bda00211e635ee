"""Scaling dimensions of long runs in flight: two and three dimensions, naive and learned."""

import json
import math

import pytest
from conftest import run_here

TRAINING = (
    "sample --size 16 --temperature Tc --samples 100000 --seed 1 -q -o train.h5",
    "train-lambda train.h5 --block 2x2 --sector odd --seed 1 -q -o odd.h5",
    "train-lambda train.h5 --block 2x2 --sector even --seed 1 -q -o even.h5",
)


def quoted(line: str) -> list[dict]:
    """The quoted scaling dimensions of all functions, the naive one of each sector first."""
    result = run_here(*line.split(), "--json", "-q", "-o", "run.h5")
    assert result.code == 0, result.err
    return [row for row in json.loads(result.out)["sequence"] if row["quoted"]]


def assert_within_errors(row: dict, exact: float, most: float) -> None:
    total = math.hypot(row["error"], row["systematic"])
    assert abs(row["delta"] - exact) < min(most, 3 * total), row


@pytest.mark.slow
def test_square_lattice(workplace):
    """31 million configurations of 32x32: Delta_sigma to 2e-4 and Delta_epsilon to 3e-3, of the
    magnetization and the energy and of learned odd and even filters of a 2x2 block."""
    for line in TRAINING:
        assert run_here(*line.split()).code == 0
    odd, learned_odd, even, learned_even = quoted(
        "spectrum --model ising --sizes 8,12,16,24,32 --temperature Tc --samples 31000000"
        " --odd odd.h5 --even even.h5 --readout linear"
    )
    for row in (odd, learned_odd):
        assert row["error"] < 6e-5
        assert_within_errors(row, 1 / 8, 2e-4)
    for row in (even, learned_even):
        assert row["error"] < 1e-3
        assert_within_errors(row, 1, 3e-3)


@pytest.mark.slow
def test_cubic_lattice(workplace):
    """Five minutes, ten million configurations of 24^3 and more of smaller lattices: Delta_epsilon
    is 1.4126 within 0.012, and Delta_sigma is 0.5181 within 0.006, which is about its printed
    error. Both agree with the conformal bootstrap within three printed errors."""
    odd, even = quoted(
        "spectrum --model ising --dimension 3 --sizes 4,6,8,12,16,24 --temperature Tc"
        " --samples 10000000 --seed 1"
    )
    assert_within_errors(odd, 0.5181489, 0.006)
    assert_within_errors(even, 1.412625, 0.012)
    assert math.hypot(odd["error"], odd["systematic"]) < 0.008
    assert math.hypot(even["error"], even["systematic"]) < 0.012


@pytest.mark.slow
def test_three_states(workplace):
    """Two CPU minutes of the Potts model with three states, beside a tied rule that was learned on
    6x6. The corrections L^-4/5 are those that the model declares."""
    for line in (
        "sample --model potts --states 3 --size 6 --temperature Tc --samples 100000 --seed 1 -q"
        " -o train.h5",
        "train-lambda train.h5 --block 2x2 --hidden-states 3 --seed 1 -q -o tied.h5",
    ):
        assert run_here(*line.split()).code == 0
    odd, learned_odd, even, learned_even = quoted(
        "spectrum --model potts --states 3 --sizes 8,12,16,24,32 --temperature Tc"
        " --samples 400000 --odd tied.h5 --even tied.h5 --readout hard --seed 1"
    )
    for row in (odd, learned_odd):
        assert row["error"] < 0.003
        assert_within_errors(row, 2 / 15, 0.01)
    for row in (even, learned_even):
        assert row["error"] < 0.03
        assert_within_errors(row, 0.8, 0.08)


@pytest.mark.slow
def test_three_states_for_longer(workplace):
    """Four CPU minutes of the magnetization and the energy alone: about 0.001 and 0.01."""
    odd, even = quoted(
        "spectrum --model potts --states 3 --sizes 8,12,16,24,32 --temperature Tc"
        " --samples 1600000 --seed 2"
    )
    assert odd["error"] < 0.0012 and even["error"] < 0.013
    assert_within_errors(odd, 2 / 15, 0.004)
    assert_within_errors(even, 0.8, 0.04)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [-0.5, 0, 0.5])
def test_two_spins(workplace, ratio):
    """Along the self-dual line of the Ashkin-Teller model the energy and sigma tau vary, and the
    vector (sigma, tau) does not; pairs of sizes without corrections."""
    vector, product, even = quoted(
        f"spectrum --model ashkin-teller --four-spin {ratio} --sizes 8,16 --temperature Tc"
        " --samples 80000 --seed 1"
    )
    for row, most in ((vector, 0.01), (product, 0.02), (even, 0.1)):
        assert abs(row["delta"] - float(row["exact"].split("= ")[-1])) < most, row
