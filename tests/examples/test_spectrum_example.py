"""data/spectrum: what is not offered, on samples of two small lattices."""

from pathlib import Path

import numpy as np
import pytest
from conftest import module_of, run_here

from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization.spectrum.functions import bond_energy, magnetization, named_functions
from rsmi.samples.views import open_samples


@pytest.fixture
def script():
    return module_of(Path(__file__).parents[2] / "data/spectrum/failures.py")


@pytest.fixture
def sizes(workplace):
    for size in (4, 8):
        line = f"sample --size {size} --temperature Tc --samples 640 --chains 64 -q -o {size}.h5"
        assert run_here(*line.split(), "--algorithm", "swendsen-wang").code == 0
    return "4.h5", "8.h5"


def test_antipodal_products(script, sizes):
    sums = script.antipodal(sizes[1], [magnetization(2), bond_energy(2)])
    with open_samples(sizes[1]) as samples:
        spins = unpack_spins(samples.spins(), samples.shape).astype(float)
    assert sums["count"].sum() == 640
    direct = (spins * np.roll(spins, (4, 4), (1, 2))).mean(axis=(1, 2)).sum()
    assert sums["product"].sum(axis=0)[0, 0] == pytest.approx(direct)


def test_generalized_eigenvalue_of_one_function_is_that_of_the_pair(script, sizes):
    functions = [magnetization(2), named_functions(2)["corner"]]
    small, large = (script.antipodal(path, functions) for path in sizes)
    value, error = script.dimensions(small, large, 1)
    ratio = script.connected({n: a.sum(axis=0) for n, a in large.items()}, even=False)[0, 0]
    ratio /= script.connected({n: a.sum(axis=0) for n, a in small.items()}, even=False)[0, 0]
    assert value == pytest.approx(-np.log2(ratio) / 2)
    assert 0 < error < 0.1


def test_columns_of_free_dimers(workplace, capsys, monkeypatch):
    """Delta of the order has one value per component; 1/(2g) is 1 where S is 1/pi."""
    script = module_of(Path(__file__).parents[2] / "data/spectrum/columns.py")
    rows = [{"function": f"{axis}-field", "structure_factor": [0, 0.5 / np.pi]} for axis in "xy"]
    answer = {
        "temperature": 2.0,
        "dimensions": [
            {"function": "x-columns", "delta": 0.9, "error": 0.03},
            {"function": "y-columns", "delta": 1.1, "error": 0.04},
        ],
        "lattices": [{"correlations": [row | {"structure_factor_error": [0, 0]} for row in rows]}],
    }
    monkeypatch.setattr(script, "info", lambda path: answer)
    script.main("file.h5")
    assert "2             1.000 +- 0.025     1.0000 +- 0.0000" in capsys.readouterr().out
