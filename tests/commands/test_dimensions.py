"""sample -> flow -> exponent -> info, plot in one and three dimensions and with blocks of three,
through the command line."""

import contextlib
import json

import numpy as np
import pytest
from conftest import run_here
from example_files import figure, short_fits

from rsmi.store import open_file

SAMPLE = "--thermalization 20 --interval 2 --chains 8 --algorithm swendsen-wang"
LINES = {
    "chain.h5": f"sample --size 96 --dimension 1 --temperature 0.6 --samples 4000 {SAMPLE}",
    "warm.h5": f"sample --size 96 --dimension 1 --temperature 1 --samples 4000 {SAMPLE}",
    "cube.h5": f"sample --size 8 --dimension 3 --temperature Tc --samples 1600 {SAMPLE}",
    "odd.h5": f"sample --size 27 --temperature Tc --samples 1600 {SAMPLE}",
    "rule.h5": (
        "train-lambda odd.h5 --block 3x3 --buffer 1 --environment 1 --windows 4000 --restarts 1"
    ),
    "chain-flow.h5": "flow chain.h5 warm.h5 --rule decimation --steps 2",
    "cube-flow.h5": "flow cube.h5 --rule majority --steps 2",
    "odd-flow.h5": "flow odd.h5 --rule majority --block 3x3 --steps 2",
    "learned-flow.h5": "flow odd.h5 --rule rule.h5 --hard --steps 2",
    **{
        f"{name}-exponent.h5": f"exponent {name}-flow.h5"
        for name in ("chain", "cube", "odd", "learned")
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every file of LINES."""
    folder = tmp_path_factory.mktemp("dimensions")
    with contextlib.chdir(folder), short_fits():
        for output, line in LINES.items():
            result = run_here(*line.split(), "-o", output)
            assert result.code == 0, result.err
    return folder


@pytest.fixture
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def summary(name):
    return json.loads(run_here("info", name, "--json").out)


def row(rows, step, operators):
    return next(row for row in rows if (row["step"], row["operators"]) == (step, operators))


@pytest.mark.parametrize("name", ["chain", "cube", "odd", "learned"])
def test_text_and_figures(inside, name):
    for kind in ("flow", "exponent"):
        result = run_here("info", f"{name}-{kind}.h5")
        assert result.code == 0
        assert "nan" not in result.out
        assert "None" not in result.out
        assert figure(f"{name}-{kind}.h5")


def test_chain(inside):
    """K' = (1/2) ln cosh 2K at every step and both temperatures; nothing is critical; the exponent
    is that of the coldest."""
    for flow, coupling in zip(summary("chain-flow.h5")["flows"], (1.0, 1 / 0.6)):
        for step in flow["steps"]:
            assert abs(step["coupling_eff"] - coupling) < 4 * step["coupling_eff_error"] < 0.1
            coupling = np.log(np.cosh(2 * coupling)) / 2
    found = summary("chain-exponent.h5")
    assert found["temperature"] == pytest.approx(0.6)
    assert found["critical_temperature"] is None
    assert "only at T = 0" in found["critical_temperature_from"]
    first = row(found["y_t"], 1, 1)
    assert abs(first["value"] - np.log2(np.tanh(2 / 0.6))) < 4 * first["error"] < 0.2
    assert [len(found[name]) for name in ("y_t", "y_h")] == [14, 10]
    assert found["nu"] is found["T_c"] is None
    assert "no critical temperature" in found["nu_reason"]


def test_cube(inside):
    """Ten even and six odd operators; no effective coupling in three dimensions, and that is said,
    not an error."""
    (flow,) = summary("cube-flow.h5")["flows"]
    assert all(
        step["coupling_eff"] is None and step["energy_nn_error"] > 0 for step in flow["steps"]
    )
    assert "three dimensions" in flow["reason"]
    found = summary("cube-exponent.h5")
    assert found["critical_temperature"] == pytest.approx(1 / 0.221654626)
    assert [len(found[name]) for name in ("y_t", "y_h")] == [20, 12]
    assert abs(row(found["y_h"], 1, 6)["value"] - 2.46) < 0.05
    assert found["nu"] is found["T_c"] is None
    assert "three dimensions" in found["nu_reason"]
    assert "three dimensions" in found["T_c_reason"]
    assert "1.58738(1)" in run_here("info", "cube-exponent.h5").out


@pytest.mark.parametrize("name", ["odd", "learned"])
def test_blocks_of_three(inside, name):
    """27 -> 9 -> 3: y = log / log 3. A base of 2 gives y_h = 2.95. On 3x3 sites only the first
    operators are independent."""
    found = summary(f"{name}-exponent.h5")
    last = row(found["y_h"], 1, 6)
    assert abs(last["value"] - 1.86) < 4 * last["error"] + 0.02 < 0.06
    assert row(found["y_t"], 2, 3)["wraps"]
    assert row(found["y_t"], 2, 10)["value"] is None
    assert "linearly dependent" in found["headline"]["y_t"]["reason"]


def test_covariance_is_stored_and_printed(inside):
    """The diagonal is the error squared, the matrices are symmetric, and the change from step 1 to
    2 has the error they give."""
    found = summary("chain-exponent.h5")
    with open_file("chain-exponent.h5") as file:
        for name, k in (("y_t", 7), ("y_h", 5)):
            matrix = file.read(f"/covariance/{name}")
            errors = [row(found[name], step, k)["error"] for step in (1, 2)]
            assert np.allclose(np.sqrt(matrix.diagonal()), errors)
            assert np.allclose(matrix, matrix.T)
            assert np.allclose(matrix, found["covariance"][name])
            (change,) = found["changes"][name]
            assert change["error"] == pytest.approx(np.sqrt([1, -1] @ matrix @ [1, -1]))
        assert file.shape("/covariance/coupling_eff") == (3, 3)
    with open_file("cube-exponent.h5") as file:
        assert np.isnan(file.read("/covariance/coupling_eff")).all()
