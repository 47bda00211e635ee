"""Total correlation and its explanation by coarse variables: the kernel against a twin, exact
values of the Ising model, planted groups.

The 2x2 block of the 6x6 torus at K_c has TC(V) = 1.096497 nats, of which a hard uniform filter
explains 1.058415, a single spin .927409 and the best rule, uniform with 2.5059, 1.059604 (two
enumerations).
"""

import copy
import math

import exact
import numpy as np
import pytest
import total_correlation_twin

from rsmi.information.channel import state_probabilities
from rsmi.information.correlation_explanation import BlockTable, advance, initial_state
from rsmi.information.entropy import entropy
from rsmi.information.total_correlation import (
    SMOOTHING,
    held_out_explained,
    pointwise_explained,
    rule_marginals,
    total_correlation,
)
from rsmi.models.ising import oracle

KEY = np.array([31, 32, 33, 34], np.uint64)
CRITICAL = math.log(1 + math.sqrt(2)) / 2
SPINS = exact.all_spins(4)


@pytest.fixture(scope="module")
def ising():
    """P(V) of the 2x2 block of the 6x6 torus."""
    return oracle.torus_joint(CRITICAL).sum(axis=1)


def explained_total_correlation(filters, bias, blocks, weights=None, hard=False):
    """TC(V;H) = sum_i I(v_i:H) - I(V:H) of a rule and weighted blocks: the mean of its pointwise
    values with the marginals of the same blocks."""
    q = state_probabilities(np.atleast_2d(filters), np.atleast_1d(bias), blocks, hard)
    values = pointwise_explained(rule_marginals(q, blocks, weights), q, blocks)
    return np.average(values, weights=weights)


# ---- values --------------------------------------------------------------------------------------


def test_total_correlation_by_definition():
    """TC against the marginals of a random table, an odd number of sites and unequal weights."""
    rng = np.random.default_rng(1)
    states, p = exact.all_spins(3), rng.dirichlet(np.ones(8))
    sites = [entropy([p[states[:, i] > 0].sum(), p[states[:, i] < 0].sum()]) for i in range(3)]
    assert total_correlation(states, p) == pytest.approx(sum(sites) - entropy(p), abs=1e-14)
    assert total_correlation(np.repeat(states, 2, axis=0), np.repeat(p, 2)) == pytest.approx(
        sum(sites) - entropy(p), abs=1e-14
    )
    assert total_correlation(states) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("hard", [False, True])
def test_explained_by_definition(hard):
    """sum_i I(v_i:H) - I(V:H) of two units with every information from its own table; with one unit
    it is TC(V) - TC(V|H) too."""
    rng = np.random.default_rng(2)
    states, p, filters, bias = (
        exact.all_spins(5),
        rng.dirichlet(np.ones(32)),
        rng.normal(size=(2, 5)),
        rng.normal(size=2),
    )
    joint = p[:, None] * state_probabilities(filters, bias, states, hard)
    site = [
        np.array([joint[states[:, i] == value].sum(axis=0) for value in (-1, 1)]) for i in range(5)
    ]
    expected = sum(exact.information(table) for table in site) - exact.information(joint)
    assert explained_total_correlation(filters, bias, states, p, hard) == pytest.approx(
        expected, abs=1e-13
    )
    remaining = sum(
        joint[:, h].sum() * total_correlation(states, joint[:, h])
        for h in range(4)
        if joint[:, h].sum()
    )
    assert expected == pytest.approx(total_correlation(states, p) - remaining, abs=1e-13)


def test_ising_block(ising):
    assert total_correlation(SPINS, ising) == pytest.approx(1.096497, abs=5e-7)
    for filters, hard, value in (
        ([1, 1, 1, 1], True, 1.058415),
        ([1, 0, 0, 0], True, 0.927409),
        ([2.5059] * 4, False, 1.059604),
    ):
        assert explained_total_correlation(filters, 0, SPINS, ising, hard) == pytest.approx(
            value, abs=5e-7
        )


def test_held_out_values_are_honest():
    """A random rule of eight units and 100 blocks of independent spins: the plug-in value is high
    by .6 nats, held-out values are not."""
    rng = np.random.default_rng(3)
    training, held_out = (rng.choice(np.array([-1, 1], np.int8), (100, 10)) for _ in range(2))
    filters, bias = rng.normal(0, 1, (8, 10)), np.zeros(8)
    truth = explained_total_correlation(filters, bias, exact.all_spins(10))
    found = held_out_explained(filters, bias, training, held_out)
    assert explained_total_correlation(filters, bias, training) > truth + 0.5
    assert found.joint.mean() < truth + 4 * found.joint.std() / math.sqrt(100)
    assert found.units.sum(axis=1).mean() < 4 * found.units.sum(axis=1).std() / math.sqrt(100)


def test_a_bound_from_below(ising):
    """The sum over units, each with the sites that it knows most of, is at most TC(V;H)."""
    rng = np.random.default_rng(4)
    blocks = SPINS[rng.choice(16, 20_000, p=ising)]
    for _ in range(5):
        filters, bias = rng.normal(0, 1.5, (3, 4)), rng.normal(size=3)
        found = held_out_explained(filters, bias, blocks[:10_000], blocks[10_000:])
        assert found.units.sum(axis=1).mean() < found.joint.mean() + 1e-3
        assert found.joint.mean() == pytest.approx(
            explained_total_correlation(filters, bias, SPINS, ising), abs=0.05
        )


def test_what_was_never_seen_is_not_impossible():
    """A hard state and a site's value that only the held-out blocks have keep their value
    finite."""
    training, held_out = np.ones((50, 3), np.int8), -np.ones((1, 3), np.int8)
    q, other = (
        state_probabilities(np.ones((1, 3)), np.zeros(1), blocks, hard=True)
        for blocks in (training, held_out)
    )
    assert np.isfinite(
        pointwise_explained(rule_marginals(q, training, smoothing=SMOOTHING), other, held_out)
    ).all()


# ---- the iteration -------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(
    ("n_states", "n_sites", "n_hidden"), [(6, 1, 1), (33, 5, 3), (64, 9, 2), (31, 13, 9)]
)
def test_iterations_match_the_twin(n_states, n_sites, n_hidden, symmetric):
    """Every part of the state over nine iterations: tables of four sites, the states left over, the
    competition."""
    rng = np.random.default_rng(n_states)
    blocks = np.where(rng.random((n_states, n_sites)) < 0.2, -1, 1) * rng.choice(
        [-1, 1], (n_states, 1)
    )
    weights = rng.dirichlet(np.ones(n_states))
    table = BlockTable.from_distribution(blocks, weights)
    table = BlockTable(table.packed, table.weights, table.up, 1000.0)
    state = initial_state(n_sites, n_hidden, KEY)
    twin = copy.deepcopy(state)
    advance(state, table, 9, symmetric=symmetric)
    log_q = total_correlation_twin.explain(twin, blocks, weights, 1000, symmetric, 9)
    for name in ("alpha", "sharpness", "explained"):
        np.testing.assert_allclose(state[name], twin[name], rtol=1e-7, atol=1e-9, err_msg=name)
    odds = blocks @ state["filters"].T + state["bias"]
    np.testing.assert_allclose(-np.logaddexp(0, -odds), log_q[:n_states], rtol=1e-7, atol=1e-8)


def test_the_ising_block_is_explained_by_the_block_spin(ising):
    """Every start finds the maximum, and a rule beside it explains less."""
    table = BlockTable.from_distribution(SPINS, ising)
    for number in range(10):
        for symmetric in (False, True):
            state = initial_state(4, 1, KEY + np.uint64(number))
            assert advance(state, table, 60, symmetric=symmetric) == pytest.approx(
                1.059604, abs=5e-7
            )
            np.testing.assert_allclose(abs(state["filters"]), 2.5059, atol=5e-5)
            assert abs(np.sign(state["filters"]).sum()) == 4
            assert abs(state["bias"]) < 1e-9
    rng = np.random.default_rng(5)
    best = explained_total_correlation(state["filters"], state["bias"], SPINS, ising)
    for _ in range(50):
        assert (
            explained_total_correlation(
                state["filters"] + rng.normal(0, 0.3, (1, 4)), rng.normal(0, 0.3, 1), SPINS, ising
            )
            < best
        )


def test_samples_are_joined_and_interruptions_leave_no_trace(ising):
    blocks = SPINS[np.random.default_rng(6).choice(16, 5000, p=ising)]
    table = BlockTable.from_samples(blocks)
    assert len(table.weights) == 16
    assert table.weights.sum() == pytest.approx(1)
    assert table.n_samples == 5000
    np.testing.assert_allclose(table.up, (blocks > 0).mean(axis=0))
    single = BlockTable(
        np.packbits(blocks > 0, axis=1, bitorder="little"),
        np.full(5000, 1 / 5000),
        table.up,
        5000.0,
    )
    whole, parts, apart = (initial_state(4, 3, KEY) for _ in range(3))
    advance(whole, table, 12)
    for count in (1, 4, 7):
        advance(parts, table, count)
        parts = {name: array.copy() for name, array in parts.items()}
    advance(apart, single, 12)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])
        np.testing.assert_allclose(whole[name], apart[name], rtol=1e-6, atol=1e-9)


def test_units_divide_planted_groups():
    """Four groups of six noisy copies of a hidden bit each: a unit a group, and all correlation is
    explained."""
    rng = np.random.default_rng(7)
    hidden = rng.choice(np.array([-1, 1], np.int8), (4000, 4))
    blocks = np.repeat(hidden, 6, axis=1) * np.where(rng.random((4000, 24)) < 0.1, -1, 1)
    states = [initial_state(24, 4, KEY + np.uint64(number)) for number in range(5)]
    values = [advance(state, BlockTable.from_samples(blocks), 150) for state in states]
    alpha = states[int(np.argmax(values))]["alpha"]
    np.testing.assert_allclose(alpha.sum(axis=0), 1, atol=1e-3)
    assert sorted(map(tuple, np.split(alpha.argmax(axis=0), 4))) == sorted(
        (j,) * 6 for j in range(4)
    )
    group = exact.all_spins(6)
    odds = np.prod(np.where(group > 0, 0.9, 0.1), axis=1)
    assert max(values) / 4 == pytest.approx(
        total_correlation(group, (odds + odds[::-1]) / 2), rel=0.05
    )


def test_refusals():
    state = initial_state(4, 2, KEY)
    with pytest.raises(ValueError, match="probabilities must be those of the states"):
        BlockTable.from_distribution(SPINS, np.ones(16))
    with pytest.raises(ValueError, match="must be those of 4 sites"):
        advance(state, BlockTable.from_samples(np.ones((3, 9), np.int8)), 1)
