"""Are the errors honest? Many short runs of correlated samples against exact values and one long
run."""

import json

import numpy as np
import pytest
from conftest import run_here

from rsmi.models.ising import facts as ising

RUNS, FACTORS = 100, ("0.97", "", "1.03")


def answer(line):
    """The JSON of a command that must succeed."""
    result = run_here(*line.split(), "--json", "--quiet", "--threads", 1)
    assert result.code == 0, result.err
    return json.loads(result.out)


def measured(seed, samples, interval):
    """name -> (value, error) of one run on 16x16, Swendsen-Wang with tau_int of two to three
    sweeps, majority rule, two steps."""
    options = (
        f"--algorithm swendsen-wang --chains 8 --thermalization 200 --interval {interval} --seed"
        f" {seed}"
    )
    files = {factor: f"samples{factor}-{seed}.h5" for factor in FACTORS}
    samples_at = {
        factor: answer(
            f"sample --size 16 --temperature {factor}Tc --samples {samples} {options} -o {name}"
        )
        for factor, name in files.items()
    }
    flows = answer(f"flow {' '.join(files.values())} --rule majority --steps 2 -o flow-{seed}.h5")[
        "flows"
    ]
    found = answer(f"exponent flow-{seed}.h5 -o exponent-{seed}.h5")
    rows = {
        f"K_{row['step']}": (row["coupling_eff"], row["coupling_eff_error"])
        for row in flows[1]["steps"]
    }
    rows["energy"] = samples_at[""]["energy"], samples_at[""]["energy_error"]
    for name, operators in (("y_t", 10), ("y_h", 6)):
        rows |= {
            f"{name}, step {row['step']}": (row["value"], row["error"])
            for row in found[name]
            if row["operators"] == operators
        }
        rows[f"change of {name}"] = (
            found["changes"][name][0]["value"],
            found["changes"][name][0]["error"],
        )
    rows |= {
        f"nu, step {row['step']}": (row["value"], row["error"]) for row in found["nu_sequence"]
    }
    rows["T_c"] = found["T_c_sequence"][0]["value"], found["T_c_sequence"][0]["error"]
    return rows


@pytest.mark.slow
def test_pulls_of_independent_runs(workplace):
    """(value - truth)/error over 100 runs has mean 0 +- .3 and variance 1 +- .3 for energy, K_n,
    y_t, y_h, what a step changes in them, nu, and T_c. Errors that take successive samples for
    independent have a variance of about 2 tau_int = 5.

    A mean is itself known to .1 and a variance to .14.
    """
    truth = {name: value for name, (value, _) in measured(999, 400_000, 4).items()}
    truth["energy"], truth["K_0"] = (
        ising.exact_energy((16, 16), ising.critical_coupling(2)),
        ising.critical_coupling(2),
    )
    check_pulls(truth, [measured(seed, 16_000, 1) for seed in range(100, 100 + RUNS)])


def check_pulls(truth, runs):
    for name, expected in truth.items():
        values, errors = np.array([run[name] for run in runs], dtype=float).T
        pulls = (values - expected) / errors
        assert abs(pulls.mean()) < 0.3, name
        assert abs(pulls.var(ddof=1) - 1) < 0.3, name


def crossings(seed, samples, interval):
    """name -> (value, error) of the crossings of 8x8 and 16x16 from three temperatures."""
    options = (
        f"--samples {samples} --interval {interval} --algorithm swendsen-wang --thermalization 100"
        f" --seed {seed}"
    )
    files = [
        answer(
            f"sample --size {size} --temperature {factor}Tc {options} -o {size}-{factor}-{seed}.h5"
        )["file"]
        for size in (8, 16)
        for factor in ("0.96", "", "1.04")
    ]
    found = answer(f"crossing {' '.join(files)} -o crossing-{seed}.h5")["crossings"]
    return {
        f"{row['quantity']}: {name}": (row[name], row[f"{name}_error"])
        for row in found
        for name in ("T_c", "value", "nu")
    }


@pytest.mark.slow
def test_pulls_of_crossings(workplace):
    """T_c, U or R, and nu at the crossing of two sizes, against a run of 130 times as many
    samples."""
    truth = {name: value for name, (value, _) in crossings(9999, 400_000, 3).items()}
    check_pulls(truth, [crossings(seed, 3000, 2) for seed in range(RUNS)])
