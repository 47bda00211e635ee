"""The exact mutual information of the Ising model against enumeration and the stored reference
values."""

import json
from pathlib import Path

import exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.errors import UsageError
from rsmi.information.channel import channel_table
from rsmi.information.entropy import entropy, kl_block_given_environment, mutual_information
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.models.ising import chain as ising
from rsmi.models.ising.oracle import (
    chain_joint,
    conditional_averages,
    conditional_block_given_ring,
    exact_information,
    is_tractable,
    markov_ring,
    ring_offsets,
    torus_joint,
)

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
CRITICAL = 0.5 * np.log(1 + np.sqrt(2))
FILTERS = {
    "uniform": ([1, 1, 1, 1], 0),
    "uniform_biased_b=c": ([1, 1, 1, 1], 1),
    "maj3": ([1, 1, 1, 0], 0),
    "single": ([1, 0, 0, 0], 0),
    "row_pair": ([1, 1, 0, 0], 0),
    "diag_pair": ([1, 0, 0, 1], 0),
    "staggered": ([1, -1, -1, 1], 0),
    "stripe": ([1, -1, 1, -1], 0),
}


def reference_values(name):
    return json.loads((REFERENCE / name).read_text())


def random_spins(rng, shape):
    return rng.choice(np.array([-1, 1], np.int8), shape)


@pytest.fixture(scope="module")
def torus():
    """P(V, ring) of the 6x6 torus at the critical coupling."""
    return torus_joint(CRITICAL)


# Joint distributions


def test_torus_block_marginal_and_information(torus):
    stored = reference_values("ising_rsmi_2x2_torus6_Kc.json")
    assert torus.sum(axis=1) == pytest.approx(stored["P_V"], abs=1e-12)
    assert mutual_information(torus, np.eye(16)) == pytest.approx(
        stored["values"]["I_VE"], abs=1e-9
    )


@pytest.mark.parametrize("name", FILTERS)
def test_torus_information_of_hard_filters(torus, name):
    weights, bias = FILTERS[name]
    stored = reference_values("ising_rsmi_2x2_torus6_Kc.json")["values"][name]
    assert mutual_information(torus, channel_table([weights], [bias], hard=True)) == pytest.approx(
        stored, abs=1e-9
    )


@pytest.mark.parametrize("name", FILTERS)
def test_torus_information_of_soft_filters(torus, name):
    """q = sigma(strength (filter . v + bias)) from weak to nearly hard."""
    weights, bias = FILTERS[name]
    for strength, stored in reference_values("ising_rsmi_2x2_torus6_Kc.json")["strength_scan"][
        name
    ].items():
        q = channel_table(float(strength) * np.array([weights]), [float(strength) * bias])
        assert mutual_information(torus, q) == pytest.approx(stored["I"], abs=1e-9)


def test_best_boolean_map_on_the_torus(torus):
    """At most one spin up, all ties to one side, beats every rule without a bias."""
    best = reference_values("ising_rsmi_2x2_torus6_Kc.json")["best_boolean_map"]["I"]
    up = (np.array([v.bit_count() for v in range(16)]) <= 1).astype(float)
    assert mutual_information(torus, np.stack([1 - up, up], axis=1)) == pytest.approx(
        best, abs=1e-6
    )


@pytest.mark.parametrize("coupling", [-0.7, 0.0, 0.3, CRITICAL, 3.0])
def test_torus_joint_equals_enumeration(coupling):
    """The 4x4 torus without a buffer: I(V:E) and I(H:E) from all 65,536 configurations."""
    joint, brute = torus_joint(coupling, (2, 2), 0), exact.torus_4x4_joint(coupling)
    assert joint.sum(axis=1) == pytest.approx(brute.sum(axis=1), abs=1e-12)
    assert mutual_information(joint, np.eye(16)) == pytest.approx(
        exact.information(brute), abs=1e-12
    )
    q = channel_table([[0.7, -0.2, 0.4, 1.3]], [0.3])
    assert mutual_information(joint, q) == pytest.approx(exact.information(q.T @ brute), abs=1e-12)


def test_too_large_torus_is_refused():
    with pytest.raises(UsageError, match="too many states"):
        torus_joint(CRITICAL, (4, 4), 1)


@pytest.mark.parametrize(
    "row",
    reference_values("ising_rsmi_1d_K1.json")["rows"],
    ids=lambda row: f"block {row['L']}, buffer {row['b']}",
)
def test_chain_information(row):
    length = row["L"]
    joint, sites = chain_joint(length, row["b"], row["K"]), np.eye(length)

    def hard(filters):
        return mutual_information(joint, channel_table(filters, np.zeros(len(filters)), hard=True))

    assert mutual_information(joint, np.eye(2**length)) == pytest.approx(row["I_VE"], abs=1e-10)
    assert hard(sites[:1]) == pytest.approx(row["edge_spin"], abs=1e-10)
    assert hard(sites[length // 2 :][:1]) == pytest.approx(row["middle_spin"], abs=1e-10)
    assert hard([sites[0] + sites[-1]]) == pytest.approx(row["two_edges_b0"], abs=1e-10)
    assert hard(np.ones((1, length))) == pytest.approx(row["uniform"], abs=1e-10)
    assert hard(sites[[0, -1]]) == pytest.approx(row["Nh2_two_edges"], abs=1e-10)


@pytest.mark.parametrize("ring_size", [5, 6, 9])
def test_periodic_chain_equals_enumeration(ring_size):
    """Block of 2, buffer 1 on short rings; with five sites both environment spins are one and the
    same."""
    spins = exact.all_spins(ring_size)
    weight = np.exp(0.8 * (spins * np.roll(spins, 1, axis=1)).sum(axis=1))
    state = (spins[:, 1] > 0) + 2 * (spins[:, 2] > 0)
    environment = (spins[:, -1] > 0) + 2 * (spins[:, 4] > 0)
    brute = np.bincount(state * 4 + environment, weight / weight.sum(), 16).reshape(4, 4)
    assert chain_joint(2, 1, 0.8, ring_size) == pytest.approx(brute, abs=1e-14)


# P(V | environment)


@pytest.mark.parametrize(
    ("shape", "block", "buffer"),
    [
        ((4, 5), (2, 2), 0),
        ((6, 6), (2, 2), 1),
        ((7, 6), (2, 2), 1),
        ((3, 3), (1, 1), 0),
        ((5, 6), (1, 1), 1),
        ((5, 6), (1, 2), 1),
        ((6, 5), (2, 1), 1),
        ((5, 6), (3, 3), 0),
        ((3, 8), (1, 6), 0),
        ((8, 4), (5, 1), 0),
        ((5, 6), (3, 4), 0),
        ((6, 6), (4, 4), 0),
        ((7, 5), (3, 1), 1),
    ],
)
def test_conditional_equals_enumeration(shape, block, buffer):
    """P(V | everything outside) by summing over all states of block and buffer, both signs of the
    coupling."""
    rng = np.random.default_rng(1)
    geometry = Geometry(block, buffer, 1)
    for coupling in (CRITICAL, -0.9):
        configuration, corner = random_spins(rng, shape), (shape[0] - 1, 2)
        sites = np.mod(geometry.environment_offsets + corner, shape)
        ring = markov_ring(configuration[tuple(sites.T)][None], geometry)
        brute = exact.block_given_environment(configuration, corner, block, buffer, coupling)
        found = conditional_block_given_ring(ring, block, buffer, coupling)[0]
        np.testing.assert_allclose(found, brute, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("block", "buffer"), [((2, 3), 2), ((4, 4), 1), ((1, 5), 2), ((2, 2), 4)])
def test_larger_windows_are_isotropic(block, buffer):
    """Transposing the lattice transposes the block: rows and columns take quite different ways
    through the kernel."""

    def transposed(rings):
        columns, rows = block[1] + 2 * buffer, block[0] + 2 * buffer
        above, below, left, right = np.split(
            rings, [columns, 2 * columns, 2 * columns + rows], axis=1
        )
        return np.concatenate([left, right, above, below], axis=1)

    rings = random_spins(np.random.default_rng(2), (3, len(ring_offsets(block, buffer))))
    upright = conditional_block_given_ring(rings, block, buffer, 0.5)
    lying = conditional_block_given_ring(transposed(rings), block[::-1], buffer, 0.5)
    spins = exact.all_spins(block[0] * block[1])
    order = (spins.reshape(-1, *block).transpose(0, 2, 1).reshape(spins.shape) > 0) @ (
        1 << np.arange(spins.shape[1])
    )
    np.testing.assert_allclose(lying[:, order], upright, rtol=0, atol=1e-13)


def test_environment_beyond_the_ring_does_not_matter():
    """An environment three sites wide and its innermost frame give the same ring."""
    wide, narrow = Geometry((2, 3), 1, 3), Geometry((2, 3), 1, 1)
    lattice = random_spins(np.random.default_rng(3), (12, 12))
    rings = [
        markov_ring(lattice[tuple(np.mod(g.environment_offsets, 12).T)][None], g)
        for g in (wide, narrow)
    ]
    assert np.array_equal(*rings)


@pytest.mark.parametrize(("block", "buffer"), [((3, 3), 1), ((4,), 1), ((1, 4), 0)])
def test_averages_equal_the_table(block, buffer):
    rings = random_spins(np.random.default_rng(4), (20, len(ring_offsets(block, buffer))))
    table = conditional_block_given_ring(rings, block, buffer, CRITICAL)
    functions = np.random.default_rng(5).normal(size=(table.shape[1], 3))
    averages, entropies, marginal = conditional_averages(rings, block, buffer, CRITICAL, functions)
    assert averages == pytest.approx(table @ functions, abs=1e-12)
    assert entropies == pytest.approx(entropy(table), abs=1e-12)
    assert marginal == pytest.approx(table.mean(axis=0), abs=1e-12)


def test_impossible_windows_are_refused():
    with pytest.raises(ValueError, match="ring has 16"):
        conditional_block_given_ring(np.ones((1, 15), np.int8), (2, 2), 1, 0.4)
    with pytest.raises(ValueError, match="at most"):
        conditional_block_given_ring(np.ones((1, 40), np.int8), (6, 6), 1, 0.4)
    assert not is_tractable(Geometry((6, 6), 1, 1))
    assert not is_tractable(Geometry((2, 2, 2), 1, 1))
    with pytest.raises(UsageError, match="out of reach"):
        exact_information(
            np.ones((1, 8)), [0], Geometry((2, 2, 2), 1, 1), 0.2, np.ones((1, 152), np.int8)
        )


def test_kl_against_the_definition():
    p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    assert kl_block_given_environment(p, q) == pytest.approx(
        [0.5 * np.log(2) + 0.5 * np.log(2 / 3), np.log(2)], abs=1e-15
    )


# The coarse-graining rule and bounds


def test_hard_channel_has_fair_ties():
    q = channel_table([[1, 1, 1, 1], [0.1, 0.2, -0.3, 0]], [0, 0], hard=True)
    assert q[0b0011].tolist() == [
        0.0,
        0.0,
        0.5,
        0.5,
    ]  # spins 0, 1 up: a tie of the first unit; .1 + .2 + .3 > 0
    assert q[0b0111].tolist() == [0.0, 0.5, 0.0, 0.5]  # .1 + .2 - .3 is a tie but for rounding
    assert np.all(channel_table([[0, 0]], [0], hard=True) == 0.5)


filter_sets = st.integers(1, 3).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.floats(-4, 4), min_size=4, max_size=4), min_size=n, max_size=n),
        st.lists(st.floats(-4, 4), min_size=n, max_size=n),
    )
)


@given(filter_sets, st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_information_keeps_its_bounds(rule, hard):
    """0 <= I(H:E) <= I(V:E), H(H) for any filters: the data-processing inequality."""
    joint = torus_joint(0.4, (2, 2), 0)
    q = channel_table(*rule, hard=hard)
    assert q.sum(axis=1) == pytest.approx(np.ones(16), abs=1e-12)
    information = mutual_information(joint, q)
    assert (
        -1e-12
        <= information
        <= 1e-12 + min(mutual_information(joint, np.eye(16)), entropy(q.T @ joint.sum(axis=1)))
    )


# The average over sampled environments


def sampled_environments(torus, n, seed):
    """Environments of the 6x6 torus drawn from their exact distribution (corners arbitrary: they do
    not matter)."""
    geometry = Geometry((2, 2), 1, 1)
    states = np.random.default_rng(seed).choice(torus.shape[1], n, p=torus.sum(axis=0))
    rings = exact.all_spins(16)[states]
    column = {tuple(offset): k for k, offset in enumerate(geometry.environment_offsets.tolist())}
    environments = np.ones((n, geometry.n_environment), np.int8)
    environments[:, [column[tuple(offset)] for offset in ring_offsets((2, 2), 1).tolist()]] = rings
    return environments


@pytest.mark.parametrize(
    ("name", "hard"),
    [("uniform", True), ("uniform_biased_b=c", True), ("maj3", False), ("single", True)],
)
def test_sampled_information_agrees(torus, name, hard):
    """20,000 environments, |z| < 4 for I(H:E) and I(V:E); the errors themselves are near .25 /
    sqrt(20,000)."""
    weights, bias = FILTERS[name]
    result = exact_information(
        [weights],
        [bias],
        Geometry((2, 2), 1, 1),
        CRITICAL,
        sampled_environments(torus, 20_000, 6),
        hard=hard,
    )
    expected = mutual_information(torus, channel_table([weights], [bias], hard))
    assert abs(result.information - expected) < 4 * result.error
    assert (
        abs(result.block_information - mutual_information(torus, np.eye(16)))
        < 4 * result.block_error
    )
    assert 0.0005 < result.error < 0.003
    assert 0.0005 < result.block_error < 0.004


def test_wrong_coupling_would_be_seen(torus):
    """The companion: P(V|E) at a coupling 3 % off misses by more than four errors."""
    result = exact_information(
        [[1, 1, 1, 1]],
        [0],
        Geometry((2, 2), 1, 1),
        1.03 * CRITICAL,
        sampled_environments(torus, 20_000, 6),
        hard=True,
    )
    expected = mutual_information(torus, channel_table([[1, 1, 1, 1]], [0], hard=True))
    assert abs(result.information - expected) > 4 * result.error


def test_groups_widen_the_error(torus):
    """Each environment ten times over: with groups the error is that of the distinct ones, without
    it is sqrt(10) small."""
    environments = sampled_environments(torus, 2000, 7)
    rule = ([[1, 1, 1, 1]], [0], Geometry((2, 2), 1, 1), CRITICAL)
    once = exact_information(*rule, environments, hard=True)
    repeated = exact_information(
        *rule, np.repeat(environments, 10, axis=0), hard=True, groups=np.repeat(np.arange(2000), 10)
    )
    naive = exact_information(*rule, np.repeat(environments, 10, axis=0), hard=True)
    assert repeated.error == pytest.approx(once.error, rel=1e-6)
    assert naive.error == pytest.approx(once.error / np.sqrt(10), rel=1e-3)


def test_one_dimensional_environments():
    """The infinite chain's four environments, weighted as P(E): I(H:E) and I(V:E) of the joint
    table."""
    joint = chain_joint(4, 1, 1.0)
    counts = np.round(joint.sum(axis=0) * 10_000).astype(int)
    environments = np.repeat(exact.all_spins(2), counts, axis=0)
    result = exact_information(
        np.eye(4)[:1], [0], Geometry((4,), 1, 1), 1.0, environments, hard=True
    )
    assert result.information == pytest.approx(
        mutual_information(joint, channel_table(np.eye(4)[:1], [0], hard=True)), abs=1e-4
    )
    assert result.block_information == pytest.approx(
        mutual_information(joint, np.eye(16)), abs=1e-4
    )
    assert result.entropy == pytest.approx(np.log(2), abs=1e-12)


# The 64x64 torus, environments of sampled configurations


@pytest.fixture(scope="module")
def critical_windows():
    """100,000 windows of 1,000 Swendsen-Wang configurations of the 64x64 torus: environments and
    their configurations."""
    rng, key = np.array([11, 12, 13, 14], np.uint64) << np.uint64(40), np.array([15, 16], np.uint64)
    spins, packed, sums = (
        np.ones((64, 64), np.int8),
        np.empty((1000, 512), np.uint8),
        np.empty((2, 1000), np.int64),
    )
    ising.sweep(spins, CRITICAL, rng, "swendsen-wang", 300)
    ising.sample_chain(spins, CRITICAL, rng, "swendsen-wang", 10, 1000, 1, packed, *sums)
    configurations, *places = choose_windows(1000, (64, 64), 100_000, key)
    return (
        extract_windows(packed, (64, 64), Geometry((2, 2), 1, 1), configurations, *places)[1],
        configurations,
    )


@pytest.mark.parametrize("name", FILTERS)
def test_information_on_the_64x64_torus(critical_windows, name):
    """|z| < 4 of the reference (its own error 3e-4), errors by configuration; they are .001 or
    less."""
    stored, (weights, bias) = reference_values("ising_rsmi_2x2_L64_Kc.json"), FILTERS[name]
    environments, groups = critical_windows
    result = exact_information(
        [weights], [bias], Geometry((2, 2), 1, 1), CRITICAL, environments, hard=True, groups=groups
    )
    assert abs(result.information - stored["filters_by_strength"][name]["50"]) < 4 * np.hypot(
        result.error, 3e-4
    )
    assert abs(result.block_information - stored["I_VE"]) < 4 * np.hypot(result.block_error, 3e-4)
    assert result.error < 0.0015
    assert result.block_error < 0.001


def test_coupling_off_by_three_percent_is_seen_on_the_64x64_torus(critical_windows):
    """The companion of the test above."""
    environments, groups = critical_windows
    result = exact_information(
        [[1, 1, 1, 1]],
        [0],
        Geometry((2, 2), 1, 1),
        1.03 * CRITICAL,
        environments,
        hard=True,
        groups=groups,
    )
    stored = reference_values("ising_rsmi_2x2_L64_Kc.json")["filters_by_strength"]["uniform"]["50"]
    assert abs(result.information - stored) > 4 * np.hypot(result.error, 3e-4)
