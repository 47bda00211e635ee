"""The functions on arrays: their examples run, and they give the numbers of the commands."""

import doctest
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import run_here

import rsmi
from rsmi import api
from rsmi.errors import UsageError
from rsmi.lattice.packed import unpack_spins
from rsmi.store import open_file


@pytest.fixture(scope="module")
def ising(tmp_path_factory):
    """A samples file, and its configurations as an array."""
    path = tmp_path_factory.mktemp("api") / "ising.h5"
    line = "sample --size 8 --temperature Tc --samples 1600 --chains 8 --seed 4 -q -o"
    assert run_here(*line.split(), path).code == 0
    with open_file(path, "samples") as file:
        return path, unpack_spins(file.read("/spins"), (8, 8))


def test_examples():
    results = doctest.testmod(api)
    assert results.attempted > 5 and not results.failed


def test_names():
    """All public names are found, also by completion, and nothing heavy is imported with them."""
    assert set(rsmi.__all__) == set(api.__all__) <= set(dir(rsmi))
    assert all(hasattr(rsmi, name) for name in rsmi.__all__)
    with pytest.raises(AttributeError, match="no attribute 'learned'"):
        getattr(rsmi, "learned")  # noqa: B009
    program = "import sys, rsmi; print([n for n in ('numpy', 'h5py', 'click') if n in sys.modules])"
    command = [sys.executable, "-P", "-c", program]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "[]\n"


def test_learn_is_the_command(ising, tmp_path):
    """The same filters and information as those of import and train-lambda, and a rule that can be
    saved."""
    path, spins = ising
    options = "--windows 4000 --restarts 1 --updates 60 --seed 3"
    samples = rsmi.Samples(spins, model="ising", coupling=0.44068679350977147, chains=8)
    rule = rsmi.learn(samples, windows=4000, restarts=1, updates=60, seed=3)
    line = f"train-lambda {samples.path} --block 2x2 {options} -q --json -o {tmp_path / 'r.h5'}"
    numbers = json.loads(run_here(*line.split()).out)
    assert rule.information == numbers["mutual_information_soft"]
    assert rule.filters.tolist() == numbers["filters"]
    assert rule.filters.shape == (1, 2, 2) and rule.bias.shape == (1,)
    rule.save(tmp_path / "saved.h5")
    assert run_here("info", tmp_path / "saved.h5", "--verify").code == 0
    np.testing.assert_array_equal(samples.spins, spins)


def test_coarse_grain_flow_and_spectrum(ising):
    path, spins = ising
    samples = rsmi.Samples.of_file(path)
    coarse = rsmi.coarse_grain(samples, "majority").spins
    assert coarse.shape == (1600, 4, 4)
    sums = spins.reshape(1600, 4, 2, 4, 2).sum(axis=(2, 4), dtype=int)
    np.testing.assert_array_equal(coarse[sums != 0], np.sign(sums[sums != 0]))
    numbers = rsmi.flow(samples, "majority", steps=2)
    assert "y_t" in json.dumps(numbers["exponents"])
    twice = rsmi.Samples(np.tile(spins, (1, 2, 2)), model="none", chains=8, trust=True)
    measured = rsmi.spectrum([samples], correlation=True)
    assert measured["lattices"][0]["shape"] == [8, 8]
    assert twice.spins.shape == (1600, 16, 16)


def test_mistakes(ising):
    _, spins = ising
    with pytest.raises(TypeError, match="train-lambda has no option window"):
        rsmi.learn(spins, window=10)
    with pytest.raises(UsageError, match="at least 1000"):
        rsmi.learn(rsmi.Samples(spins, chains=8, trust=True), windows=10)
