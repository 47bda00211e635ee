"""Import and sampling of variables with more than two states, and what is refused."""

import itertools
import json

import numpy as np
import pytest
from conftest import run_here
from example_files import figure

from rsmi.models import order
from rsmi.samples.views import open_samples

CODES = np.random.default_rng(1).integers(0, 3, (60, 8, 8))


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "codes.npy", CODES)
    np.save(tmp_path / "spin-one.npy", CODES - 1)
    np.save(tmp_path / "vectors.npy", np.stack([CODES, 2 - CODES], axis=-1))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("codes", "--states 3"),
        ("codes", "--values 0,1,2"),
        ("spin-one", "--values=-1,0,1 --symmetric dihedral"),
        ("spin-one", "--states 3 --values=-1,0,1"),
    ],
)
def test_numbers_become_states(folder, name, options):
    line = f"import {folder}/{name}.npy {options} -o {folder}/out.h5"
    result = run_here(*line.split())
    assert result.code == 0, result.err
    assert "with 3 states" in result.err
    with open_samples(folder / "out.h5") as samples:
        np.testing.assert_array_equal(samples.codes()[:, 0], CODES)


def test_components_of_states(folder):
    line = f"import {folder}/vectors.npy --states 3 --axes n,y,x,c -o {folder}/out.h5"
    assert run_here(*line.split()).code == 0
    with open_samples(folder / "out.h5") as samples:
        assert samples.components == 2
        np.testing.assert_array_equal(samples.codes()[:, 1], 2 - CODES)


def test_states_of_packed_bits_and_texts(folder):
    """Texts hold numbers like arrays; the order of --values is that of the states."""
    np.savetxt(folder / "codes.txt", CODES.reshape(60, 64), fmt="%d")
    line = f"import {folder}/codes.txt --shape 8x8 --values 2,1,0 -o {folder}/out.h5"
    assert run_here(*line.split()).code == 0
    with open_samples(folder / "out.h5") as samples:
        np.testing.assert_array_equal(samples.codes()[:, 0], 2 - CODES)


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ("", 65, "say --states 3"),
        ("--states 2", 65, "say --states 3"),
        ("--values 0,1,3", 65, "holds 2 at configuration 0"),
        ("--states 3 --values 0,1", 2, "--states 3 needs 3 numbers"),
        ("--values 0,1,1", 2, "two states have the same number"),
        ("--values 0,1,x", 2, "write the numbers of the states"),
        (f"--values {','.join(map(str, range(17)))}", 2, "at most 16 states, not 17"),
        ("--states 3 --symmetric flip", 2, "take permutations or dihedral"),
        ("--symmetric permutations", 2, "take --symmetric flip"),
        ("--states 3 --model ising", 2, "a variable of --model ising has 2 states"),
        ("--states 3 --mask MASK", 2, "--mask: for variables with two states"),
        ("--states 3 --model potts --coupling 1", 65, "not in equilibrium"),
    ],
)
def test_refusals_of_import(folder, options, code, sentence):
    options = options.replace("MASK", f"{folder}/mask.npy")
    np.save(folder / "mask.npy", np.eye(2, dtype=bool))
    result = run_here(*f"import {folder}/codes.npy {options} -o {folder}/out.h5".split())
    assert result.code == code, result.err
    assert sentence in result.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--model potts --temperature Tc", "give the number of states by --states"),
        ("--model potts --states 17 --temperature Tc", "has 2 to 16 states"),
        ("--model potts --states 1 --temperature Tc", "has 2 to 16 states"),
        ("--states 3 --temperature Tc", "option for --model clock or potts only"),
        ("--model clock --states 6 --temperature Tc", "two transitions"),
        ("--model potts --states 3 --dimension 1 --temperature Tc", "no critical temperature"),
        ("--model ashkin-teller --four-spin 2 --temperature Tc", "with other ratios give a number"),
        ("--model ashkin-teller --four-spin nan --coupling 1", "must be finite"),
    ],
)
def test_refusals_of_sampling(tmp_path, options, sentence):
    line = f"sample {options} --size 8 --samples 10 -o {tmp_path}/out.h5"
    result = run_here(*line.split())
    assert result.code == 2
    assert sentence in result.sentence


def test_a_coupling_in_the_convention_of_ising_is_noticed(tmp_path):
    line = "sample --model potts --states 2 --size 8 --coupling 0.4407 --samples 10 --dry-run -o"
    assert "as if it were the K of -J s s'" in run_here(*line.split(), tmp_path / "out.h5").err


def test_summary_of_states(tmp_path):
    """m^2 of independent variables is 1/N, and Binder's cumulant of a Gaussian vector is zero."""
    np.save(tmp_path / "codes.npy", np.random.default_rng(2).integers(0, 4, (4000, 8, 8)))
    line = f"import {tmp_path}/codes.npy --states 4 --json -o {tmp_path}/out.h5"
    numbers = json.loads(run_here(*line.split()).out)
    square, error = (numbers[f"magnetization_squared{end}"] for end in ("", "_error"))
    assert abs(square - 1 / 64) < 4 * error < 0.002
    assert abs(numbers["binder"]) < 4 * numbers["binder_error"] < 0.2
    assert numbers["energy"] is None and numbers["susceptibility"] is None


def test_crossing_of_three_states(tmp_path):
    """The order parameter of two sizes crosses near the exact T_c = 1/ln(1 + sqrt 3) of the Potts
    model, 0.995; with 4x4 and 8x8 sites it is 2 % away. It catches the known values of two states,
    and a magnetization that is read from bits."""
    files = []
    for number, (size, factor) in enumerate(itertools.product((4, 8), (0.96, 1.04))):
        files.append(f"{tmp_path}/{number}.h5")
        line = f"sample --model potts --states 3 --size {size} --temperature {factor}Tc"
        result = run_here(*f"{line} --samples 4000 --interval 4 -q -o {files[-1]}".split())
        assert result.code == 0, result.err
    result = run_here("crossing", *files, "--json", "-o", f"{tmp_path}/out.h5")
    numbers = json.loads(result.out)
    assert numbers["states"] == 3
    assert abs(numbers["T_c"] / 0.994973 - 1) < 0.03
    ratio = next(row for row in numbers["crossings"] if row["quantity"] == "correlation_ratio")
    assert abs(ratio["T_c"] / 0.994973 - 1) < 0.05
    assert "exact 0.994973, not used" in run_here("info", f"{tmp_path}/out.h5").out


def test_correlations_of_two_states_are_those_of_spins():
    codes = np.random.default_rng(4).integers(0, 2, (5, 8, 4))
    spins = 2 * codes - 1
    expected = sum(
        (spins * np.roll(spins, -side // 2, axis)).sum(axis=(1, 2))
        for axis, side in ((1, 8), (2, 4))
    )
    for symmetry in ("permutations", "dihedral"):
        sums = order.correlation_sums(codes, 2, symmetry, 2)
        np.testing.assert_allclose(sums, expected, atol=1e-9)


def test_figures_of_a_flow_name_its_own_critical_point(workplace):
    """T/T_c is that of the file's number of states, and the products are those of states: the
    temperature of the Ising model was in the titles once."""
    lines = (
        "sample --model potts --states 3 --size 8 --temperature Tc --thermalization 20 --interval 4"
        " --samples 400 -q -o p.h5",
        "flow p.h5 --rule plurality --steps 1 -q -o flow.h5",
        "exponent flow.h5 -q -o exponent.h5",
    )
    for line in lines:
        result = run_here(*line.split())
        assert result.code == 0, result.err
    for kind in ("flow", "exponent"):
        texts = " ".join(figure(f"{kind}.h5")[1])
        assert "$T$ = $T_c$" in texts, texts
        assert "s_i s_j$" not in texts
