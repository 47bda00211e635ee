"""Effective couplings: the histograms of local energies, their inversion, and what rsmi flow makes
of them."""

import json
import math

import blocking_twin
import exact
import numpy as np
import pytest
from conftest import run_here
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.kernels.neighbourhood import neighbourhood_counts
from rsmi.renormalization import couplings, operators
from rsmi.renormalization.rules import coarse_grain, decimation, majority
from rsmi.stages.flow.from_files import division_of
from rsmi.store import open_file


def chosen(dimension):
    return [
        operators.OPERATORS[dimension]["even"][number] for number in couplings.CHOSEN[dimension]
    ]


def histograms(spins, blocks=0, n_blocks=1):
    """(n_blocks, bins) of configurations (n, *shape)."""
    counts = np.zeros((n_blocks, couplings.number_of_bins(spins.ndim - 1)), dtype=np.int64)
    blocks = np.ascontiguousarray(np.broadcast_to(np.asarray(blocks, dtype=np.int64), len(spins)))
    couplings.add_histograms(blocking_twin.pack(spins), spins.shape[1:], blocks, counts)
    return counts


shapes = st.one_of(
    st.tuples(st.integers(1, 140)),
    st.tuples(st.integers(1, 9), st.one_of(st.integers(1, 9), st.integers(60, 140))),
    st.tuples(
        st.integers(1, 5), st.integers(1, 5), st.one_of(st.integers(1, 5), st.integers(60, 70))
    ),
)


@settings(max_examples=60, deadline=None)
@given(shape=shapes, seed=st.integers(0, 2**32 - 1))
def test_kernel_equals_twin(shape, seed):
    """Bin by bin, also where neighbours coincide through the boundary and where rows end inside a
    word."""
    spins, blocks = (
        np.random.default_rng(seed).choice([-1, 1], size=(3, *shape)),
        np.array([1, 0, 1]),
    )
    bin_of = {
        tuple(energies): number
        for number, energies in enumerate(couplings.local_energies(len(shape)).tolist())
    }
    expected = np.zeros((2, len(bin_of)), dtype=np.int64)
    for configuration, block in zip(spins, blocks):
        for energies, count in blocking_twin.neighbourhood_histogram(
            configuration, chosen(len(shape))
        ).items():
            expected[block, bin_of[energies]] += count
    assert np.array_equal(histograms(spins, blocks, 2), expected)


def test_operators_and_bins():
    assert {d: couplings.site_products(d).products.tolist() for d in (1, 2, 3)} == {
        1: [2, 2, 2, 4],
        2: [4, 4, 4, 4],
        3: [6, 12, 8, 12],
    }
    assert [couplings.number_of_bins(d) for d in (1, 2, 3)] == [135, 625, 10647]
    names = [[operator.name for operator in chosen(d)] for d in (1, 2, 3)]
    assert [row[0].split("(")[0] for row in names] == ["nearest neighbours "] * 3
    assert [row[1:] for row in names] == [
        ["pair (2)", "pair (3)", "four in a row"],
        ["next-nearest neighbours (1,1)", "pair (2,0)", "plaquette"],
        ["next-nearest neighbours (1,1,0)", "third neighbours (1,1,1)", "plaquette"],
    ]
    assert couplings.SETS[0] == couplings.HEADLINE == (0, 1, 2, 3)
    assert len(set(couplings.SETS)) == 5
    with pytest.raises(ValueError, match="one to three dimensions"):
        couplings.site_products(4)


def test_energies_are_those_of_the_operators():
    """Every product of m spins is counted at each of them."""
    spins = np.random.default_rng(1).choice([-1, 1], size=(4, 6, 10))
    even, _ = operators.operator_sums(blocking_twin.pack(spins), (6, 10))
    sums = histograms(spins, np.arange(4), 4) @ couplings.local_energies(2)
    assert np.array_equal(sums, even[:, list(couplings.CHOSEN[2])] * [2, 2, 2, 4])


@pytest.mark.parametrize(("dimension", "smallest"), [(1, 6), (2, 4), (3, 2)])
def test_lattices_on_which_operators_coincide(dimension, smallest):
    assert [couplings.products_coincide((size,) * dimension) for size in range(1, 10)] == [
        size < smallest for size in range(1, 10)
    ]


def test_kernel_refuses_what_does_not_fit():
    terms, owner, _ = couplings.site_products(2)
    rows, blocks, counts = (
        np.zeros((2, 2), np.uint8),
        np.zeros(2, np.int64),
        np.zeros((1, 625), np.int64),
    )
    for arguments, words in [
        ((rows, (1, 4, 5), terms, owner, blocks, counts), "rows must be"),
        ((rows, (1, 4, 4), terms, owner[1:], blocks, counts), "terms must be"),
        (
            (rows, (1, 4, 4), terms, owner, blocks, counts[:, 1:].copy()),
            "a column for every combination",
        ),
        ((rows, (1, 4, 4), terms, owner, blocks + 1, counts), "rows of counts"),
        ((rows, (1, 4, 4), terms * 4, owner, blocks, counts), "outside the kernel's range"),
    ]:
        with pytest.raises(ValueError, match=words):
            neighbourhood_counts(*arguments)


# ---- exact ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torus():
    """Histograms (classes, 625) of the configurations of the 4x4 torus with equal sums of the four
    operators, and the sums."""
    spins = exact.every_configuration((4, 4))
    even, _ = operators.operator_sums(blocking_twin.pack(spins), (4, 4))
    sums, label = np.unique(even[:, list(couplings.CHOSEN[2])], axis=0, return_inverse=True)
    return histograms(spins, label.ravel(), len(sums)), sums


@pytest.mark.parametrize(
    "known", [(0.44, 0, 0, 0), (0.3, 0.1, -0.05, 0.04), (-0.2, 0.15, 0.1, -0.3), (0.9, 0.2, 0, 0)]
)
def test_enumeration_returns_the_couplings(torus, known):
    """All configurations with their exact weights give the Hamiltonian back. It would not with
    S_a,l that count a product once instead of at each of its spins, or the product of the wrong
    spins."""
    counts, sums = torus
    weights = np.exp(sums @ known - (sums @ known).max()) @ counts
    assert np.abs(couplings.invert(weights, couplings.local_energies(2)) - known).max() < 1e-12
    wrong = couplings.local_energies(2) * [1, 1, 1, 0.5]
    assert np.abs(couplings.invert(weights, wrong) - known).max() > 0.01 or not known[3]


def test_fewer_operators_solve_their_own_equations(torus):
    """Without the operators that matter the others take their part, so that the Callen equations
    hold for those that are left."""
    counts, sums = torus
    weights = np.exp(sums @ [0.3, 0.1, 0, -0.1]) @ counts
    for numbers in couplings.SETS:
        energies = couplings.local_energies(2)[:, list(numbers)]
        found = couplings.invert(weights, energies)
        assert (
            np.abs((weights * (1 - np.tanh(energies @ found))) @ energies).max()
            < 1e-12 * weights.sum()
        )
        assert np.abs(found - couplings.invert(7 * weights, energies)).max() < 1e-12
    assert abs(couplings.invert(weights, couplings.local_energies(2)[:, :1])[0] - 0.3) > 0.01


@pytest.mark.parametrize("k", [0.1, 0.5, 1.2])
def test_decimated_ring_exactly(k):
    """Every second spin of a ring of 14 is a ring of 7 with K' = (1/2) ln cosh 2K and nothing else,
    on any length."""
    spins = exact.every_configuration((14,))
    decimated, label = np.unique(spins[:, ::2], axis=0, return_inverse=True)
    weights = np.bincount(label.ravel(), np.exp(k * (spins * np.roll(spins, 1, 1)).sum(axis=1)))
    counts = weights @ histograms(decimated, np.arange(128), 128)
    expected = [0.5 * math.log(math.cosh(2 * k)), 0, 0, 0]
    assert np.abs(couplings.invert(counts, couplings.local_energies(1)) - expected).max() < 1e-11


def test_cube_exactly():
    """The 2x2x2 torus, whose every product occurs more than once, and at each occurrence counts."""
    spins = exact.every_configuration((2, 2, 2))
    counts, energies = histograms(spins, np.arange(256), 256), couplings.local_energies(3)
    known = np.array([0.1, 0.03, -0.02, 0.02])
    sums = counts @ energies / [2, 2, 2, 4]
    assert np.abs(couplings.invert(np.exp(sums @ known) @ counts, energies) - known).max() < 1e-12


# ---- failures ------------------------------------------------------------------------------------


def test_no_solution_has_a_reason():
    energies, up = couplings.local_energies(2), np.ones((4, 8, 8), dtype=int)
    alike = np.random.default_rng(3).choice([-1, 1], size=(4, 3, 3))
    for spins, numbers, reason in [
        (up, (0,), "the couplings are unbounded"),
        (up, (0, 1), "operators are linearly dependent"),
        (alike, (0, 1, 2), "operators are linearly dependent"),  # on 3x3 (2,0) is (-1,0)
    ]:
        found = couplings.effective_interactions(
            histograms(spins, np.arange(4), 4), energies[:, list(numbers)]
        )
        assert np.isnan(found.value).all()
        assert np.isnan(found.error).all()
        assert reason in found.reason
    with pytest.raises(np.linalg.LinAlgError, match="no samples"):
        couplings.invert(np.zeros(625), energies)
    with pytest.raises(np.linalg.LinAlgError, match="vanishes at every site"):
        couplings.invert(energies[:, 0] == 0, energies[:, :1])


def test_errors_need_two_groups_and_every_replica():
    energies = couplings.local_energies(2)[:, :1]
    spins = np.random.default_rng(5).choice([-1, 1], size=(2, 8, 8))
    one = couplings.effective_interactions(histograms(spins), energies)
    assert np.isfinite(one.value).all()
    assert np.isnan(one.error).all()
    assert one.reason == couplings.NO_ERROR
    spins[0] = 1  # all that is not ordered is in one group
    found = couplings.effective_interactions(histograms(spins, np.arange(2), 2), energies)
    assert np.isfinite(found.value).all()
    assert np.isnan(found.error).all()
    assert "without one group of samples the couplings are unbounded" in found.reason


def test_replicas_are_inversions():
    """The jackknife goes through the whole inversion: all replicas at once as one by one."""
    counts = histograms(
        np.random.default_rng(6).choice([-1, 1], p=[0.4, 0.6], size=(24, 8, 8)),
        np.arange(24) // 2,
        12,
    )
    energies = couplings.local_energies(2)
    found = couplings.effective_interactions(counts, energies)
    expected = np.array(
        [couplings.invert(counts.sum(axis=0) - counts[b], energies) for b in range(12)]
    )
    assert np.abs(found.replicas - expected).max() < 1e-12
    assert np.allclose(found.error, np.sqrt(11 * expected.var(axis=0)), rtol=1e-9)


# ---- sampled -------------------------------------------------------------------------------------


def chain(k, sites, samples, seed):
    """Independent configurations of the open chain, its ends joined: a defect of one bond in
    `sites`."""
    rng = np.random.default_rng(seed)
    bonds = np.where(rng.random((samples, sites)) < 1 / (1 + math.exp(-2 * k)), 1, -1)
    return np.cumprod(bonds, axis=1) * rng.choice([-1, 1], size=(samples, 1))


@pytest.mark.parametrize("steps", [1, 2])
def test_decimation_of_a_sampled_chain(steps):
    """K -> (1/2) ln cosh 2K at every step, and no other coupling, within 4 errors."""
    k, spins, size = 0.8, chain(0.8, 2048, 200, 11), 2048
    rows = blocking_twin.pack(spins)
    for step in range(steps):
        rows = coarse_grain(
            rows, (size,), decimation((2,)), np.array([1, step], dtype=np.uint64), 0
        )
        k, size = 0.5 * math.log(math.cosh(2 * k)), size // 2
    counts = np.zeros((20, 135), dtype=np.int64)
    couplings.add_histograms(rows, (size,), np.arange(200) // 10, counts)
    found = couplings.effective_interactions(counts, couplings.local_energies(1))
    assert (np.abs(found.value - [k, 0, 0, 0]) < 4 * found.error).all()
    assert found.error.max() < 0.01


@pytest.mark.parametrize(
    "line",
    [
        "--size 32 --temperature Tc",
        "--size 32 --temperature 2.6 --algorithm heat-bath",
        "--dimension 3 --size 8 --temperature Tc",
        "--dimension 1 --size 64 --coupling 0.6",
    ],
)
def test_flow_gives_the_sampled_couplings(line, tmp_path, monkeypatch):
    """Step 0 is the Ising model itself: K and three zeros within 4 errors. The histograms of the
    file are those of its spins, by group, and what info prints is their inversion."""
    monkeypatch.chdir(tmp_path)
    assert (
        run_here(
            *f"sample {line} --samples 1500 --interval 3 --seed 3 --threads 1 -o s.h5".split()
        ).code
        == 0
    )
    result = run_here(*"flow s.h5 --rule majority --steps 2 --threads 1 --json -o f.h5".split())
    (flow,) = json.loads(result.out)["flows"]
    rows = flow["interactions"]
    assert [(row["step"], row["operators"]) for row in rows[::5]] == [
        (step, list(couplings.NAMES)) for step in range(3)
    ]
    pulls = (np.array(rows[0]["values"]) - [flow["coupling"], 0, 0, 0]) / rows[0]["errors"]
    assert np.abs(pulls).max() < 4
    with open_file(tmp_path / "f.h5") as file, open_file(tmp_path / "s.h5") as samples:
        shape, energies = samples.attributes["shape"], file.read("/neighbourhoods/energies")
        counts, of_group = file.read("/neighbourhoods/counts"), file.read("/neighbourhoods/samples")
        division = division_of(samples)
        group = division.groups[division.of(np.arange(1500))]
        expected = np.zeros((len(of_group), couplings.number_of_bins(len(shape))), dtype=np.int64)
        couplings.add_histograms(samples.read("/spins"), shape, group, expected)
    occupied = (
        (couplings.local_energies(len(shape))[:, None] == energies).all(axis=2).argmax(axis=0)
    )
    assert np.array_equal(counts[:, 0], expected[:, occupied])
    assert counts[:, 0].sum() == 1500 * math.prod(shape) == expected.sum()
    again = couplings.invert(counts[:, 1].sum(axis=0), energies)
    assert np.allclose(rows[5]["values"], again, atol=1e-10)


@pytest.mark.slow
def test_published_couplings_of_the_majority_rule(tmp_path, monkeypatch):
    """At K_c, L = 128, nearest, next-nearest and four-spin couplings after one, two and three
    steps, to half a unit of the last digit quoted and 4 errors. With one coupling instead of three
    the nearest-neighbour one is 0.418."""
    monkeypatch.chdir(tmp_path)
    assert (
        run_here(
            *"sample --size 128 --temperature Tc --samples 20000 --interval 5".split(),
            *"--threads 1 -o s.h5".split(),
        ).code
        == 0
    )
    (flow,) = json.loads(
        run_here(*"flow s.h5 --rule majority --steps 4 --threads 1 --json -o f.h5".split()).out
    )["flows"]
    found = {
        row["step"]: row
        for row in flow["interactions"]
        if row["operators"] == ["nn", "nnn", "four-spin"]
    }
    for step, published in {
        1: (0.358, 0.074, -0.008),
        2: (0.346, 0.085, -0.010),
        3: (0.345, 0.086, -0.010),
    }.items():
        values, errors = np.array(found[step]["values"]), np.array(found[step]["errors"])
        assert (np.abs(values - published) < 5e-4 + 4 * errors).all()
        assert errors.max() < 3e-3


@pytest.mark.slow
def test_errors_are_honest():
    """400 independent runs on the majority-blocked chain: pulls against their common mean have
    variance 1 +- 0.3, four times its own error (64 / 62 is expected of a jackknife over 64 groups;
    with 16 it would be 15 / 13)."""
    energies, found = couplings.local_energies(1), []
    for seed in range(400):
        rows = coarse_grain(
            blocking_twin.pack(chain(0.7, 1536, 64, seed)),
            (1536,),
            majority((3,)),
            np.array([1, 2], dtype=np.uint64),
            0,
        )
        counts = np.zeros((64, 135), dtype=np.int64)
        couplings.add_histograms(rows, (512,), np.arange(64), counts)
        found.append(couplings.effective_interactions(counts, energies))
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    pulls = (values - values.mean(axis=0)) / errors
    assert (np.abs(pulls.var(axis=0) - 1) < 0.3).all()
