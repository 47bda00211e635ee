"""The whole pipeline on the 64x64 Ising model, through the command line, against what is exactly
known.

The default tests use a few thousand configurations; the slow ones the statistics of the paper-scale
targets.
"""

import json
import math

import numpy as np
import pytest

from rsmi.cli.application import run
from rsmi.engine.stop import Stop
from rsmi.models.ising import facts as ising

T_C = 2 / math.log(1 + math.sqrt(2))


def rsmi(capsys, folder, line):
    """Run one command line in a folder; returns its JSON answer."""
    words = [str(folder / word) if word.endswith(".h5") else word for word in line.split()]
    capsys.readouterr()
    assert run([*words, "--json", "--quiet"], Stop()) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def answer(capsys, critical_samples):
    """A function that runs a command in the folder of the shared samples."""
    return lambda line: rsmi(capsys, critical_samples, line)


@pytest.fixture(scope="module")
def critical_samples(tmp_path_factory):
    """A folder with 24,000 configurations at T_c, and the Boltzmann machines of a 2x2 block."""
    folder = tmp_path_factory.mktemp("pipeline")
    for line in (
        "sample --size 64 --temperature Tc --samples 24000 -o {}/samples.h5",
        "train-theta {}/samples.h5 --block 2x2 --buffer 1 --environment 1 -o {}/theta.h5",
    ):
        assert run([*line.replace("{}", str(folder)).split(), "--quiet"], Stop()) == 0
    return folder


def cosine_to_uniform(filters):
    """Of one filter, flattened."""
    weights = np.ravel(filters)
    return weights.sum() / math.sqrt(weights.size * (weights**2).sum())


def test_samples_are_independent_and_have_the_exact_energy(answer):
    """Catches an interval too short for the autocorrelation time, and a coupling off by .3 %."""
    found = answer("sample --size 64 --temperature Tc --samples 24000 -o samples.h5")
    exact = ising.exact_energy((64, 64), ising.critical_coupling(2))
    assert abs(found["energy"] - exact) < 4 * found["energy_error"] < 4 * 5e-4
    assert found["tau_int"] < 0.75
    assert found["tau_int_magnetization"] < 0.75


def test_machines_know_the_conditional_distribution(answer):
    """Machines of V and E that had learned nothing would be off by I(V:E) = .52 nats."""
    found = answer("train-theta samples.h5 --block 2x2 --buffer 1 --environment 1 -o theta.h5")
    assert 0 < found["kl"] < 0.01


@pytest.mark.parametrize(
    "route",
    [
        "--theta theta.h5",
        "--theta theta.h5 --estimator mcmc",
        "--theta theta.h5 --objective logsum",
        "--theta theta.h5 --objective enumerate",
        "--block 2x2",
    ],
)
def test_every_objective_finds_the_block_spin(answer, route):
    """Decimation would reach .3315 nats, a pair of spins .328."""
    found = answer(
        f"train-lambda samples.h5 {route} -o lambda{route.replace(' ', '').replace('.h5', '')}.h5"
    )
    assert abs(cosine_to_uniform(found["filters"])) > 0.95
    assert found["mutual_information_exact"] >= 0.39
    assert abs(found["mutual_information_hard"] - found["mutual_information_exact"]) < 0.015
    assert found["mutual_information_exact"] <= found["mutual_information_block"] <= 0.53
    assert found["mutual_information_shuffled"] <= 0.002
    assert 0 < found["mutual_information"] < found["entropy_h"] <= math.log(2) + 1e-12


def test_four_hidden_units_copy_four_spins(answer):
    found = answer("train-lambda samples.h5 --block 2x2 --hidden 4 -o lambda4.h5")
    filters = np.abs(np.reshape(found["filters"], (4, 4)))
    assert sorted(filters.argmax(axis=1)) == [0, 1, 2, 3]
    assert found["mutual_information_exact"] >= 0.515
    assert found["entropy_h"] <= 4 * math.log(2)


def test_the_boundary_of_a_large_block_weighs_most(answer):
    """Koch-Janusz & Ringel, Fig. 2: the block spin of a 4x4 block is its boundary."""
    found = answer("train-lambda samples.h5 --block 4x4 --restarts 1 -o lambda4x4.h5")
    filters = np.abs(np.reshape(found["filters"], (4, 4)))
    inner = filters[1:3, 1:3].mean()
    assert (filters.sum() - 4 * inner) / 12 > 2 * inner


def test_exponents_of_the_majority_rule(answer):
    """At these statistics y_t is known to .006 and y_h to .0003; without the next-nearest operator
    y_t is 4 % low."""
    answer("flow samples.h5 --rule majority --steps 3 -o flow.h5")
    headline = answer("exponent flow.h5 -o exponent.h5")["headline"]
    assert headline["y_t"]["operators"] == 10
    assert headline["y_h"]["operators"] == 6
    assert headline["y_t"]["step"] == headline["y_h"]["step"] == 2
    assert abs(headline["y_t"]["value"] - 1) < 4 * headline["y_t"]["error"] < 0.03
    assert abs(headline["y_h"]["value"] - 15 / 8) < 0.005


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["majority", "lambda.h5"])
def test_targets_of_the_reproduction(capsys, critical_samples, rule):
    """|y_t - 1| <= .01, |y_h - 15/8| <= .005, |nu - 1| <= .05, T_c within .5 %, for majority and
    the learned rule made hard."""
    folder = critical_samples
    names = {factor: f"slow-{factor}.h5" for factor in ("0.97", "0.985", "", "1.015", "1.03")}
    for factor, name in names.items():
        rsmi(
            capsys,
            folder,
            f"sample --size 64 --temperature {factor}Tc --samples {20000 if factor else 400000}"
            f" --seed 3 -o {name}",
        )
    rsmi(capsys, folder, "train-lambda samples.h5 --theta theta.h5 -o lambda.h5")
    flow = f"slow-flow-{rule.removesuffix('.h5')}.h5"
    rsmi(
        capsys, folder, f"flow {' '.join(names.values())} --rule {rule} --hard --steps 3 -o {flow}"
    )
    found = rsmi(capsys, folder, f"exponent {flow} -o slow-exponent-{rule.removesuffix('.h5')}.h5")
    assert abs(found["headline"]["y_t"]["value"] - 1) <= 0.01
    assert abs(found["headline"]["y_h"]["value"] - 15 / 8) <= 0.005
    assert abs(found["nu"] - 1) <= 0.05
    assert abs(found["T_c"] / T_C - 1) <= 0.005


@pytest.mark.slow
def test_exponents_of_the_majority_rule_at_one_minute(capsys, critical_samples):
    """400,000 configurations, about a minute of one core: |y_t - 1| <= .002 at steps 2 and 3 but
    for the error (.0013 and .0020),
    |y_h - 15/8| <= .0015 at step 2 and .0005 at step 3. Decimation has no fixed point: its y_h
    stays .04 high at every step.
    """
    found = {}
    rsmi(
        capsys,
        critical_samples,
        "sample --size 64 --temperature Tc --samples 400000 --seed 3 -o slow-.h5",
    )
    for rule in ("majority", "decimation"):
        rsmi(capsys, critical_samples, f"flow slow-.h5 --rule {rule} --steps 3 -o minute-{rule}.h5")
        answer = rsmi(
            capsys, critical_samples, f"exponent minute-{rule}.h5 -o minute-exponent-{rule}.h5"
        )
        found |= {
            (rule, name, row["step"]): row
            for name, k in (("y_t", 10), ("y_h", 6))
            for row in answer[name]
            if row["operators"] == k
        }
    for step, largest in ((2, 1.5e-3), (3, 5e-4)):
        y_t, y_h = found["majority", "y_t", step], found["majority", "y_h", step]
        assert abs(y_t["value"] - 1) <= 2e-3 + y_t["error"]
        assert y_t["error"] < 2.2e-3
        assert abs(y_h["value"] - 15 / 8) <= largest
    assert all(found["decimation", "y_h", step]["value"] - 15 / 8 > 0.04 for step in (1, 2, 3))
