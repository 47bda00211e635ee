"""Blocking and operators of variables with several states: kernels against twins, and what is known
of them."""

import numpy as np
import pytest
import states_twin
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.information.categorical import HiddenUnits, one_hot_features
from rsmi.lattice.packed import n_planes, pack_spins, pack_states, unpack_bits, unpack_states
from rsmi.renormalization import level_sums, operators
from rsmi.renormalization.categorical_rules import CategoricalRule, plurality, tied_rule
from rsmi.renormalization.rules import majority
from rsmi.renormalization.state_blocking import coarse_grain
from rsmi.renormalization.state_operators import images, state_operators, state_sums

KEY = np.array([0x123456789ABCDEF0, 0x0FEDCBA987654321], dtype=np.uint64)


def random_codes(seed, n, shape, states):
    return np.random.default_rng(seed).integers(0, states, size=(n, 1, *shape))


@settings(max_examples=20, deadline=None)
@given(
    geometry=st.sampled_from(
        [
            ((6,), (3,)),
            ((4, 6), (2, 2)),
            ((3, 132), (1, 2)),
            ((6, 6), (3, 2)),
            ((2, 2, 4), (2, 1, 2)),
        ]
    ),
    states=st.sampled_from([2, 3, 4, 5]),
    kind=st.sampled_from(["plurality", "soft", "more", "bits"]),
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(0, 2**63),
)
def test_blocking_equals_twin(geometry, states, kind, seed, first):
    """Ties, soft rules, another number of coarse states and several bits, for every shape."""
    shape, block = geometry
    rng = np.random.default_rng(seed)
    n = int(np.prod(block))
    features = one_hot_features(states)
    if kind == "plurality":
        rule = plurality(block, states)
    elif kind == "soft":
        rule = tied_rule(rng.normal(size=n), block, states, hard=False)
    else:
        units = (
            HiddenUnits(1, 6, False, features)
            if kind == "more"
            else HiddenUnits(2, 0, False, features)
        )
        filters = rng.normal(size=(units.n_filters, n * states))
        rule = CategoricalRule(
            units, filters, rng.normal(size=units.n_filters), kind == "bits", block
        )
    codes = random_codes(seed, 3, shape, states)
    rows = coarse_grain(pack_states(codes, states), shape, rule, KEY, first)
    expected = np.array(
        [states_twin.coarse_codes(c[0], rule, KEY, first + i) for i, c in enumerate(codes)]
    )
    bits = unpack_bits(rows, (n_planes(rule.units.n_states), *expected.shape[1:]))
    found = sum(bits[:, p].astype(int) << p for p in range(bits.shape[1]))
    assert (found == expected).all()


@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 7), st.one_of(st.integers(1, 9), st.integers(60, 140))),
    states=st.sampled_from([2, 3, 4, 7, 16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_operators_equal_twin(shape, states, seed):
    codes = random_codes(seed, 2, shape, states)
    even, odd = state_sums(pack_states(codes, states), shape, states)
    for i, one in enumerate(codes):
        expected = states_twin.operator_sums(one[0], state_operators(states), images, states)
        np.testing.assert_array_equal(even[i], expected[0])
        np.testing.assert_array_equal(odd[i], expected[1])


def test_codes_of_no_state_are_refused():
    rows = np.full((1, 16), 255, np.uint8)
    with pytest.raises(ValueError):
        coarse_grain(rows, (8, 8), plurality((2, 2), 3), KEY)
    with pytest.raises(ValueError):
        state_sums(rows, (8, 8), 3)


def test_operators_are_independent():
    """For each number of states no operator is a combination of others and of a constant, but with
    all operators of four states they are for three, as for two."""
    for states, shape in ((2, (6, 6)), (3, (6, 6)), (4, (6, 6))):
        rows = pack_states(random_codes(states, 2000, shape, states), states)
        even, odd = state_sums(rows, shape, states)
        for sums in (even - even.mean(axis=0), odd.reshape(-1, odd.shape[2])):
            scaled = sums / sums.std(axis=0)
            values = np.linalg.eigvalsh(scaled.T @ scaled / len(scaled))
            assert values[0] > 1e-3, (states, values)
    codes = random_codes(1, 500, (6, 6), 3)
    all_even = np.array(
        [states_twin.operator_sums(one[0], state_operators(4), images, 3)[0] for one in codes[:60]]
    ).astype(float)
    all_even -= all_even.mean(axis=0)
    assert np.linalg.matrix_rank(all_even, tol=1e-6) == all_even.shape[1] - 1


def test_two_states_are_spins():
    """The operators of two states are those of spins, up to a factor and a constant: a pair is
    equal where the product is one."""
    shape, spins = (6, 8), np.random.default_rng(5).choice([-1, 1], size=(4, 6, 8))
    rows = pack_spins(spins)
    of_states, vectors = state_sums(rows, shape, 2)
    even, odd = operators.operator_sums(rows, shape)
    bonds = 2 * 48
    np.testing.assert_array_equal(2 * of_states[:, 0] - bonds, even[:, 0])
    np.testing.assert_array_equal(2 * of_states[:, 1] - bonds, even[:, 1])
    np.testing.assert_array_equal(vectors[:, 1, 0], odd[:, 0])
    np.testing.assert_array_equal(vectors[:, 0], -vectors[:, 1])


def test_plurality_of_two_states_is_the_majority():
    """Fair ties: every tie is drawn once, and both codes are equally frequent."""
    shape = (64, 64)
    codes = random_codes(3, 50, shape, 2)
    rows = pack_states(codes, 2)
    by_states = unpack_states(coarse_grain(rows, shape, plurality((2, 2), 2), KEY), 2, (1, 32, 32))
    by_spins = unpack_states(coarse_grain(rows, shape, majority((2, 2)), KEY), 2, (1, 32, 32))
    field = codes.reshape(50, 32, 2, 32, 2).sum(axis=(2, 4)) - 2
    clear = field != 0
    assert (by_states[:, 0] == by_spins[:, 0])[clear].all()
    ties = by_states[:, 0][~clear]
    assert abs(ties.mean() - 0.5) < 5 * 0.5 / np.sqrt(ties.size)


def test_sums_of_levels():
    """The products of the sums of every level, wide or not, and with local samples in any parts."""
    shape, states, steps, n = (8, 8), 3, 2, 150
    rows = pack_states(random_codes(9, n, shape, states), states)
    rule, keys = plurality((2, 2), states), np.arange(4, dtype=np.uint64).reshape(2, 2)
    energies, blocks = np.arange(n) - 40, np.arange(n) // 50
    arguments = (rows, shape, rule, steps, keys, energies, 7, blocks)
    sums = level_sums.measure_levels(*arguments)
    even, odd = [], []
    level = rows
    for step in range(steps + 1):
        size = tuple(extent >> step for extent in shape)
        if step:
            fine = tuple(2 * extent for extent in size)
            level = coarse_grain(level, fine, rule, keys[step - 1], 7)
        one, two = state_sums(level, size, states)
        even.append(one)
        odd.append(two)
    chosen = blocks == 1
    assert sums["counts"].tolist() == [50, 50, 50]
    assert sums["energy_squared"][1] == (energies[chosen] ** 2).sum()
    for n_level in range(steps + 1):
        a, v = even[n_level][chosen], odd[n_level][chosen]
        np.testing.assert_array_equal(sums["even_sums"][1, n_level], a.sum(axis=0))
        np.testing.assert_array_equal(sums["even_products"][1, n_level], a.T @ a)
        np.testing.assert_array_equal(sums["even_energy"][1, n_level], energies[chosen] @ a)
        np.testing.assert_array_equal(
            sums["odd_products"][1, n_level], np.einsum("nqi,nqj->ij", v, v)
        )
        assert not sums["odd_sums"][1, n_level].any()
        if n_level:
            old = odd[n_level - 1][chosen]
            np.testing.assert_array_equal(
                sums["odd_cross"][1, n_level - 1], np.einsum("nqi,nqj->ij", v, old)
            )
    wide = level_sums.measure_levels(*arguments, wide=True)
    for name, array in sums.items():
        np.testing.assert_array_equal(level_sums.as_floats(wide[name]), array)
