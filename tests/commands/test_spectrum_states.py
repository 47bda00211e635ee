"""`rsmi spectrum` of variables with more than two states, and of two spins per site."""

import json

import numpy as np
import pytest
from conftest import run_here

from rsmi.lattice.packed import unpack_spins, unpack_states
from rsmi.stages.spectrum.storage import read
from rsmi.store import open_file

POTTS = "--model potts --states 3 --temperature Tc"
AT = "--model ashkin-teller --four-spin 0.5 --temperature Tc"
SMALL = "--samples 64 --thermalization 20 --interval 2 -q"


def numbers(line):
    result = run_here(*line.split(), "--json", "-q")
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    for name, system in (("potts", POTTS), ("at", AT)):
        for size in (4, 6):
            line = f"sample {system} --size {size} {SMALL} -o {folder}/{name}-{size}.h5"
            assert run_here(*line.split()).code == 0
    return folder


def sums_of(folder, name, options=""):
    """What the command prints and the sums of the 6x6 lattice."""
    files = f"{folder}/{name}-4.h5 {folder}/{name}-6.h5"
    found = numbers(f"spectrum {files} {options} --force -o {folder}/out.h5")
    with open_file(folder / "out.h5") as file:
        return found, read(file)[1]


def codes(folder):
    with open_file(folder / "potts-6.h5") as file:
        return unpack_states(file.read("/spins"), 3, (1, 6, 6))[:, 0].astype(int)


def length(vectors):
    """|m| of vectors (n, 6, 6, 3)."""
    return np.sqrt((vectors.mean(axis=(1, 2)) ** 2).sum(axis=1))


def of_states(values):
    """One vector for each state: the corners of a triangle."""
    return np.sqrt(1.5) * (values - 1 / 3)


def test_naive_functions(folder):
    """The average of one vector for each colour, and the bonds between equal colours per site."""
    found, sums = sums_of(folder, "potts")
    own = codes(folder)
    m = length(of_states(np.eye(3)[own]))
    assert np.allclose(sums.arrays["odd_sums"].sum(axis=0), [m.sum(), (m**2).sum(), (m**4).sum()])
    energy = sum((own == np.roll(own, 1, axis)).mean(axis=(1, 2)) for axis in (1, 2))
    assert np.allclose(sums.with_common_offset()[0], energy.mean())
    assert found["functions"] == {"odd": ["magnetization"], "even": ["energy"]}


def test_a_rule_is_two_functions(folder):
    """Plurality, block by block: the most frequent colour, ties shared equally."""
    found, sums = sums_of(folder, "potts", "--function plurality")
    own = codes(folder)
    counts = sum(np.eye(3)[np.roll(own, (-i, -j), (1, 2))] for i in (0, 1) for j in (0, 1))
    best = counts == counts.max(axis=-1, keepdims=True)
    vectors = of_states(best / best.sum(axis=-1, keepdims=True))
    assert np.allclose(sums.arrays["odd_sums"].sum(axis=0)[1, 0], length(vectors).sum())
    bonds = [(vectors * np.roll(vectors, -2, axis)).sum(axis=-1).mean() for axis in (1, 2)]
    assert np.allclose(sums.with_common_offset()[0][1], np.mean(bonds))
    assert found["functions"] == {
        "odd": ["magnetization", "plurality 2x2"],
        "even": ["energy", "plurality 2x2 neighbours"],
    }


@pytest.mark.parametrize(("states", "dimension"), [(2, 1 / 8), (3, 2 / 15), (4, 1 / 8)])
def test_exact_values_are_those_of_the_states(folder, states, dimension):
    system = f"--model potts --states {states} --temperature Tc --sizes 4,6 --interval 1"
    line = f"spectrum {system} --samples 64 --thermalization 4 --force -o {folder}/flight.h5"
    headline = numbers(line)["headline"]
    assert headline["odd"]["exact"] == pytest.approx(dimension)
    assert headline["even"]["exact"] == pytest.approx({2: 1, 3: 0.8, 4: 0.5}[states])


def test_corrections_are_those_of_the_model(folder):
    assert sums_of(folder, "potts")[0]["omega"] == 0.8


def test_sigma_tau_beside_the_vector(folder):
    """The moments of sigma tau are measured beside those of (sigma, tau), with the value that
    theory knows of each: Delta of the product is a quarter of that of the energy."""
    found, sums = sums_of(folder, "at")
    with open_file(folder / "at-6.h5") as file:
        spins = unpack_spins(file.read("/spins"), (2, 6, 6)).astype(float)
    averages = spins.mean(axis=(2, 3))
    vector = np.sqrt((averages**2).sum(axis=1)) / 2
    product = np.abs((spins[:, 0] * spins[:, 1]).mean(axis=(1, 2)))
    assert np.allclose(sums.arrays["odd_sums"].sum(axis=0)[:, 0], [vector.sum(), product.sum()])
    exact = {row["function"]: row["exact"] for row in found["sequence"]}
    assert exact == {
        "magnetization": "1/8 = 0.125",
        "sigma tau": "0.190258",
        "energy": "0.761031",
    }


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--correlation", "the variables have 3 states"),
        ("--function plurality --readout linear", "soft or hard"),
        ("--modes", "no average of one spin per site"),
        ("--function majority", "there are the rules plurality, decimation"),
    ],
)
def test_refusals(folder, options, reason):
    line = f"spectrum {folder}/potts-4.h5 {folder}/potts-6.h5 {options} -q -o {folder}/no.h5"
    result = run_here(*line.split())
    assert result.code == 2
    assert reason in result.err
