"""``rsmi train-lambda --canonical``: canonical correlations of block and environment."""

import json

import h5py
import numpy as np
import pytest
from conftest import run_here

DIMERS = "sample --model dimers --size 16 --samples 2000 --chains 16 --seed 3 -q"
FREE_FERMIONS = "sample --model six-vertex --delta 0 --size 16 --samples 2000 --seed 3 -q"
ISING = "sample --size 8 --temperature Tc --samples 4000 --chains 16 --seed 3 -q"
TRAIN = "--canonical --windows 20000 --seed 5 -q"


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """A function that makes the samples of a command line once."""
    folder, made = tmp_path_factory.mktemp("canonical"), {}

    def make(line):
        if line not in made:
            made[line] = folder / f"{len(made)}.h5"
            assert run_here(*line.split(), "-o", made[line]).code == 0
        return made[line]

    return make


def trained(source, options, output):
    result = run_here("train-lambda", source, *f"{TRAIN} {options}".split(), "-o", output, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_exact_correlations_of_dimers(samples, tmp_path):
    """Free dimers: the two largest correlations are those of the exact covariances within four
    errors, the control vanishes, and the filters are nearly the electric field."""
    numbers = trained(samples(DIMERS), "--block 4x4 --hidden 2", tmp_path / "d.h5")
    pairs = numbers["canonical"]
    values, errors = np.array(pairs["correlations"]), np.array(pairs["errors"])
    exact = np.array(pairs["exact"])
    assert (np.abs(values - exact)[:2] < 4 * errors[:2]).all()
    assert errors[0] < 0.05 * exact[0]
    assert np.abs(pairs["shuffled"]).max() < 5 * errors.max()
    assert pairs["information"] == pytest.approx(-np.log1p(-(values**2)).sum() / 2)
    assert numbers["restart_number"] == 1
    assert all(unit["R2"] > 0.8 for unit in numbers["dimers"]["units"])
    text = run_here("info", tmp_path / "d.h5").out
    assert "pair 1" in text and "exact" in text and "nats if Gaussian" in text


def test_free_fermions(samples, tmp_path):
    """Arrows at c = sqrt(2): the leading correlations are the exact ones within four errors. With
    bits of heights beside the arrows these are not the exact ones, and none are shown."""
    source = samples(FREE_FERMIONS)
    pairs = trained(source, "--block 4x4 --hidden 2", tmp_path / "l.h5")["canonical"]
    values, errors, exact = (np.array(pairs[k]) for k in ("correlations", "errors", "exact"))
    assert (np.abs(values - exact)[:2] < 4 * errors[:2]).all()
    assert errors[0] < 0.05 * exact[0]
    heights = trained(
        source, "--block 4x4 --hidden 2 --environment-features heights", tmp_path / "h.h5"
    )
    assert heights["canonical"]["exact"] is None


def test_pairs_of_ising(samples, tmp_path):
    """The first variable of a block is its magnetization, and the flip leaves no biases."""
    source = samples(ISING)
    numbers = trained(source, "--block 2x2 --hidden 4", tmp_path / "i.h5")
    pairs = numbers["canonical"]
    assert pairs["exact"] is None
    assert len(pairs["correlations"]) == 4
    assert pairs["correlations"][0] > 3 * max(pairs["correlations"][1:])
    uniform = np.array(numbers["filters"][0])
    assert uniform.std() < 0.1 * uniform.mean()
    with h5py.File(tmp_path / "i.h5") as file:
        assert (file["bias"][:] == 0).all()


def test_means_become_biases(samples, tmp_path):
    """Samples without a symmetry are centred: the hidden unit is up for half of the blocks."""
    spins = np.where(np.random.default_rng(1).random((400, 8, 8)) < 0.7, 1, -1).astype(np.int8)
    np.save(tmp_path / "s.npy", spins)
    line = ["import", tmp_path / "s.npy", "--model", "none", "--chains", "400", "-q"]
    assert run_here(*line, "-o", tmp_path / "s.h5").code == 0
    numbers = trained(tmp_path / "s.h5", "--block 2x1", tmp_path / "n.h5")
    filters, bias = np.array(numbers["filters"][0]), numbers["bias"][0]
    assert bias == pytest.approx(-0.4 * filters.sum(), abs=0.1)
    assert abs(numbers["canonical"]["correlations"][0]) < 0.05


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--block 2x2 --objective decoder", "--canonical contradicts --objective decoder"),
        ("--block 2x2 --updates 10", "one diagonalisation of covariances"),
        ("--block 2x2 --sector even", "are trained by --objective decoder alone"),
        ("--block 1x1 --hidden 2", "1 pairs of canonical variables only"),
        ("--block 2x2 --estimator pairs", "has no --estimator pairs"),
    ],
)
def test_refusals(samples, options, words, tmp_path):
    source = samples(ISING)
    result = run_here(
        "train-lambda", source, *f"{TRAIN} {options}".split(), "-o", tmp_path / "x.h5"
    )
    assert result.code == 2, result.err
    assert words in result.err
