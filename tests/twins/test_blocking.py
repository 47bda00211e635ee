"""Coarse-graining: the kernel against its twin, what the keys promise, and one exactly solved
flow."""

import blocking_twin
import exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.renormalization.level_sums import measure_levels
from rsmi.renormalization.rules import Rule, coarse_grain, decimation, level_shapes, majority

KEY = np.array([0x123456789ABCDEF0, 0x0FEDCBA987654321], dtype=np.uint64)
GEOMETRIES = [
    ((12,), (3,)),
    ((6, 4), (2, 2)),
    ((6, 9), (3, 3)),
    ((4, 6), (2, 1)),
    ((4, 2, 6), (2, 2, 2)),
    ((2, 130), (1, 65 // 5)),
    ((5, 8), (5, 4)),
    ((64,), (64,)),
    ((3, 36), (3, 18)),
]


def random_rows(seed, n, shape):
    spins = np.random.default_rng(seed).choice([-1, 1], size=(n, *shape))
    return blocking_twin.pack(spins)


def unpack_all(rows, shape):
    return np.array([blocking_twin.unpack(row, shape) for row in rows])


@settings(max_examples=40, deadline=None)
@given(
    geometry=st.sampled_from(GEOMETRIES),
    hidden=st.integers(1, 3),
    components=st.integers(1, 3),
    kind=st.sampled_from(["soft", "hard", "saturated", "ties"]),
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(0, 2**63),
)
def test_kernel_equals_twin(geometry, hidden, components, kind, seed, first):
    shape, block = geometry
    components = min(components, 64 // int(np.prod(block)))
    rng = np.random.default_rng(seed)
    filters = rng.normal(size=(hidden, components * np.prod(block)))
    if kind == "saturated":
        filters *= 1e4  # probabilities that round to 0 and 1
    if kind == "ties":
        filters = np.sign(filters)
    rule = Rule(
        filters,
        rng.normal(size=hidden) * (kind == "soft"),
        kind in ("hard", "ties"),
        block,
        components,
    )
    rows = random_rows(seed, 3, (components, *shape))
    coarse = coarse_grain(rows, shape, rule, KEY, first)
    expected = [
        blocking_twin.coarse_grain(row, shape, rule, KEY, first + i) for i, row in enumerate(rows)
    ]
    assert np.array_equal(
        coarse, np.packbits(np.reshape(expected, (3, -1)), axis=1, bitorder="little")
    )


PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
PRODUCTS = {
    "pairs of 2x2": ((6, 4), (2, 2), 1, PAIRS),
    "of three components, a hash for each block": ((6,), (6,), 3, ((0, 17), (3, 8, 9, 16), (5,))),
    "pairs in three dimensions": ((4, 2, 6), (2, 2, 2), 1, ((0, 7), (1, 6), (2, 5), (3, 4))),
    "as many products as spins": ((4, 6), (2, 2), 1, ((0, 1), (0, 1, 2, 3), (1, 2), (2, 3))),
}


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("case", PRODUCTS)
def test_products_of_spins_equal_their_twin(case, hard):
    """Rules of products: a mask that is read from the other end, or a product whose sign counts
    spins +1, gives other coarse spins."""
    shape, block, components, products = PRODUCTS[case]
    filters = np.random.default_rng(7).normal(size=(2, len(products)))
    if hard:
        filters = np.sign(filters)  # ties
    rule = Rule(filters, [0.0, 0.4], hard, block, components, products)
    rows = random_rows(5, 20, (components, *shape))
    expected = [blocking_twin.coarse_grain(row, shape, rule, KEY, i) for i, row in enumerate(rows)]
    assert np.array_equal(
        coarse_grain(rows, shape, rule, KEY),
        np.packbits(np.reshape(expected, (20, -1)), axis=1, bitorder="little"),
    )


def test_the_fast_ways_take_products():
    """Hard rules of pairs on 2x2 blocks have two kernels of their own: the squares, and the sums of
    all levels at once. An even rule cannot tell a configuration from its flip."""
    rule = Rule(np.ones((1, 6)), [-3.0], True, (2, 2), 1, PAIRS)
    rows = random_rows(5, 300, (8, 8))
    one_by_one = [blocking_twin.coarse_grain(row, (8, 8), rule, KEY, 0) for row in rows[:20]]
    coarse = coarse_grain(rows, (8, 8), rule, KEY)
    assert np.array_equal(unpack_all(coarse[:20], (4, 4)), 2.0 * np.array(one_by_one)[:, 0] - 1)
    assert np.array_equal(coarse_grain(~rows, (8, 8), rule, KEY), coarse)
    sums = measure_levels(rows, (8, 8), rule, 1, [KEY], np.zeros(300))
    magnetization = unpack_all(coarse, (4, 4)).sum()
    assert sums["odd_sums"][0, 1, 0] == magnetization


def test_components_are_the_slowest_index():
    """One component is kept by a filter that is zero on the others: the rule of that component."""
    rows = random_rows(4, 6, (2, 8, 8))
    second = blocking_twin.pack(unpack_all(rows, (2, 8, 8))[:, 1])
    rule = Rule([[0, 0, 0, 0, 1, 2, 3, 5]], [0], True, (2, 2), 2)
    alone = Rule([[1, 2, 3, 5]], [0], True, (2, 2))
    assert np.array_equal(
        coarse_grain(rows, (8, 8), rule, KEY), coarse_grain(second, (8, 8), alone, KEY)
    )
    with pytest.raises(ValueError, match="at most 64 spins, not 72"):
        Rule(np.ones((1, 72)), [0], True, (6, 6), 2)


def test_draws_depend_on_the_number_of_the_sample_alone():
    """Shards and reordered parts of a data set give the coarse spins of the whole."""
    rows = random_rows(1, 40, (8, 8))
    whole = coarse_grain(rows, (8, 8), majority((2, 2)), KEY)
    order = np.random.default_rng(2).permutation(40)
    assert np.array_equal(
        coarse_grain(rows[order], (8, 8), majority((2, 2)), KEY, order), whole[order]
    )
    assert np.array_equal(coarse_grain(rows[25:], (8, 8), majority((2, 2)), KEY, 25), whole[25:])
    assert not np.array_equal(coarse_grain(rows[25:], (8, 8), majority((2, 2)), KEY, 0), whole[25:])


def test_ties_are_fair():
    """2x2 blocks with two spins up: half of 40,000 coarse spins are up, within 4 standard
    deviations (p off by .01 is caught)."""
    rows = blocking_twin.pack(np.tile([[1, 1], [-1, -1]], (100, 20, 20)))
    up = np.unpackbits(coarse_grain(rows, (40, 40), majority((2, 2)), KEY), axis=1).sum(
        dtype=np.int64
    )
    assert abs(up - 20_000) < 4 * np.sqrt(40_000) / 2


def test_soft_rule_has_its_probability():
    """Frequencies of every state of a three-spin block against sigma(x), chi2 of 8 states < 4
    sigma; x off by 3 % is caught."""
    rule = Rule([[0.7, -0.4, 1.1]], [0.3], False, (3,))
    states = exact.every_configuration((3,))
    rows = blocking_twin.pack(np.tile(states.ravel(), (40_000, 1)))
    frequency = unpack_all(coarse_grain(rows, (24,), rule, KEY), (8,)).mean(axis=0)
    frequency = (1 + frequency) / 2

    def chi2(strength):
        p = 1 / (1 + np.exp(-strength * (states @ rule.filters[0] + rule.bias[0])))
        return np.sum((frequency - p) ** 2 / (p * (1 - p) / len(rows)))

    assert chi2(1.0) < 8 + 4 * np.sqrt(2 * 8)
    assert chi2(1.03) > 8 + 4 * np.sqrt(2 * 8)


@pytest.mark.parametrize(
    ("block", "shape"), [((2, 2), (8, 6)), ((3,), (9,)), ((2, 2, 2), (4, 4, 2))]
)
def test_decimation_keeps_the_first_spin(block, shape):
    rows = random_rows(3, 5, shape)
    coarse_shape = level_shapes(shape, block, 1)[1]
    first = unpack_all(rows, shape)[(slice(None), *(slice(None, None, b) for b in block))]
    assert np.array_equal(
        unpack_all(coarse_grain(rows, shape, decimation(block), KEY), coarse_shape), first
    )


def test_decimated_chain_has_the_exact_coupling():
    """A ring of 12 spins at K, decimated by two, is a ring of 6 at K' with tanh K' = tanh^2 K."""
    coupling = 0.7
    chain, ring = exact.every_configuration((12,)), exact.every_configuration((6,))
    weights = exact.boltzmann(exact.ising_energies(chain), coupling)
    coarse = coarse_grain(blocking_twin.pack(chain), (12,), decimation((2,)), KEY)
    blocked = np.bincount(coarse[:, 0], weights, minlength=64)
    np.testing.assert_allclose(
        blocked,
        exact.boltzmann(exact.ising_energies(ring), np.arctanh(np.tanh(coupling) ** 2)),
        rtol=1e-12,
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="step 2: blocks of 2x2 do not tile a lattice of 3x3"):
        level_shapes((6, 6), (2, 2), 2)
    with pytest.raises(ValueError, match="do not tile"):
        coarse_grain(random_rows(0, 1, (7, 7)), (7, 7), majority((2, 2)), KEY)
    with pytest.raises(ValueError, match="axes"):
        coarse_grain(random_rows(0, 1, (8, 8)), (8, 8), majority((2,)), KEY)
    with pytest.raises(ValueError, match="at most 64 sites"):
        majority((9, 9))
    with pytest.raises(ValueError, match="finite"):
        Rule([[np.nan, 1.0]], [0.0], True, (2,))
    with pytest.raises(ValueError, match="do not fit"):
        Rule([[1.0, 1.0, 1.0]], [0.0], True, (2,))
    with pytest.raises(ValueError, match="rows must be"):
        coarse_grain(random_rows(0, 1, (8, 8)), (8, 4), majority((2, 2)), KEY)


def test_no_rows():
    assert coarse_grain(np.empty((0, 8), dtype=np.uint8), (8, 8), majority((2, 2)), KEY).shape == (
        0,
        2,
    )
