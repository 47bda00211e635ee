"""The kernels of `rsmi.kernels.spectrum` against slow twins, and functions against their tables."""

from itertools import combinations, product

import numpy as np
import pytest
import spectrum_twin as twin

from rsmi.information.channel import spin_states
from rsmi.kernels import spectrum as kernel
from rsmi.lattice.packed import pack_spins
from rsmi.renormalization.product_terms import (
    ProductTerm,
    expectation_terms,
    field_terms,
    terms_of_table,
)
from rsmi.renormalization.rules import Rule, majority
from rsmi.renormalization.spectrum import functions as f
from rsmi.renormalization.spectrum.group_sums import GroupSums
from rsmi.renormalization.spectrum.modes import modes_of, refuse_modes
from rsmi.renormalization.spectrum.plan import plan_of
from rsmi.renormalization.spectrum.readings import fields_of, measure
from rsmi.renormalization.spectrum.readouts import Readout, measured_parity

SHAPES = [(6,), (65,), (130,), (6, 6), (7, 7), (9, 9), (64, 64), (67, 67), (6, 6, 6), (9, 9, 9)]
SAMPLES = 19  # more than a group of 16


def spins_of(shape, samples=SAMPLES):
    return np.random.default_rng(sum(shape)).choice(np.array([-1, 1], np.int8), (samples, *shape))


def functions_of(dimension):
    """Functions with one to nine spins, long ranges, several centres and a constant."""
    block = {1: (5,), 2: (3, 3), 3: (2, 2, 2)}[dimension]
    rng = np.random.default_rng(dimension)
    table = rng.normal(size=1 << np.prod(block))
    many = f.function_of_terms("table", terms_of_table(table), block)
    few = many.products[:: max(1, len(many.products) // 20)]
    far = f.Product(0.7, ((0,) * dimension, (5,) * dimension), (2.5,) * dimension)
    return (
        f.magnetization(dimension),
        f.bond_energy(dimension),
        f.LocalFunction("some", (*few, many.products[-1], far), many.constant),
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_low_modes_agree_with_the_twin(shape):
    """To 1e-6 of the largest structure factor: the kernel adds in float32."""
    spins, functions = spins_of(shape), functions_of(len(shape))
    with_modes = measure(pack_spins(spins), shape, functions, modes=True)
    sums = measure(pack_spins(spins), shape, functions)
    for k, function in enumerate(functions):
        values, factors = twin.readings(spins, function)
        np.testing.assert_allclose(with_modes.values[:, k], values, rtol=0, atol=1e-12)
        np.testing.assert_allclose(
            with_modes.modes[:, k], factors, rtol=0, atol=2e-6 * factors.max()
        )
    np.testing.assert_array_equal(sums.values, with_modes.values)


@pytest.mark.parametrize("shape", [(6, 10), (3, 5, 70), (2, 2), (1, 9)], ids=str)
def test_lattice_sums_of_any_shape(shape):
    spins, functions = spins_of(shape), functions_of(len(shape))[:2]
    values = measure(pack_spins(spins), shape, functions).values
    for k, function in enumerate(functions):
        expected = fields_of(function, spins).reshape(SAMPLES, -1).mean(axis=1)
        np.testing.assert_allclose(values[:, k], expected, rtol=0, atol=1e-12)


def test_both_kernels_give_the_same_lattice_sums():
    """Products of at most four spins go to `operator_sums`; the same products in `low_modes`."""
    shape, functions = (12, 12), (*functions_of(2)[:2], twin.all_equal())
    rows = pack_spins(spins_of(shape))
    sums, _ = kernel.low_modes(rows, *plan_of(functions, shape, False).arguments)
    constants = [function.constant for function in functions]
    values = measure(rows, shape, functions).values
    np.testing.assert_array_equal(sums / 144 + constants, values)


def test_readings_do_not_depend_on_the_division_into_batches():
    shape, functions = (8, 8), functions_of(2)
    rows = pack_spins(spins_of(shape, 40))
    whole = measure(rows, shape, functions, modes=True)
    for cut in (1, 16, 33):
        parts = [measure(part, shape, functions, True) for part in (rows[:cut], rows[cut:])]
        for name in ("values", "modes"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(joined, getattr(whole, name))


def test_group_sums_agree_with_the_twin_bit_for_bit():
    rng = np.random.default_rng(0)
    even, odd = rng.normal(5, 0.1, (50, 2)), rng.normal(size=(50, 3))
    groups = rng.integers(0, 4, 50)
    modes = rng.random((50, 2, 5)), rng.random((50, 3, 5))
    fast, slow, cut = (GroupSums.empty(5, "ab", "cde", (8, 8), 5) for _ in range(3))
    fast.add(even, odd, groups, *modes)
    twin.add_to_groups(slow, even, odd, groups)
    for part in (slice(0, 13), slice(13, None)):
        cut.add(even[part], odd[part], groups[part], *(m[part] for m in modes))
    for name, array in fast.arrays.items():
        np.testing.assert_array_equal(cut.arrays[name], array)
        if "modes" not in name:
            np.testing.assert_array_equal(slow.arrays[name], array)
    added = np.zeros((5, 2, 5))
    np.add.at(added, groups, modes[0])
    np.testing.assert_array_equal(fast.arrays["even_modes"], added)


def test_functions_of_a_table_return_the_table():
    """The value at the origin of every block state."""
    states = spin_states(4).astype(np.int8)
    table = np.random.default_rng(3).normal(size=16)
    function = f.function_of_terms("table", terms_of_table(table), (2, 2))
    spins = np.ones((16, 6, 6), np.int8)
    for state, (y, x) in zip(states.T, product(range(2), repeat=2)):
        spins[:, y, x] = state
    np.testing.assert_allclose(fields_of(function, spins)[:, 0, 0], table, atol=1e-14)


def test_all_equal_is_linear_in_products():
    """(1 + 4 neighbours + 2 diagonals + plaquette) / 8 is 1 where all four spins are equal."""
    weights = sorted((len(p.points), round(p.weight * 4, 12)) for p in twin.all_equal().products)
    assert weights == [(2, 1.0)] * 6 + [(4, 1.0)]


@pytest.mark.parametrize("hard", [True, False])
def test_rules_as_products_and_site_by_site(hard):
    rule = Rule(np.array([[0.9, 0.4, -0.2, 0.7, 0.1, 0.3]]), np.array([0.2]), hard, (2, 3))
    shape, spins = (6, 6), spins_of((6, 6))
    as_products = f.function_of_terms("products", expectation_terms(rule), rule.block)
    functions = (as_products, Readout("site by site", rule))
    readings = measure(pack_spins(spins), shape, functions)
    np.testing.assert_allclose(readings.values[:, 0], readings.values[:, 1], atol=1e-12)
    fields = [fields_of(function, spins) for function in functions]
    np.testing.assert_allclose(fields[0], fields[1], atol=1e-14)


def test_ties_of_a_hard_rule_count_as_zero():
    """Majority of 2x2: E[h|v] = (3 M / 8 - the triples / 8), zero for two against two."""
    function = f.function_of_terms("majority", expectation_terms(majority((2, 2))), (2, 2))
    weights = {len(p.points): round(p.weight, 12) for p in function.products}
    assert weights == {1: 0.375, 3: -0.125} and function.parity == "odd"


def test_quadratic_functions():
    """x = v^T A v + bias, where a pair of sites stands twice in A."""
    pairs = list(combinations(range(4), 2))
    weights = np.random.default_rng(4).normal(size=len(pairs))
    a = np.zeros((4, 4))
    for (i, j), weight in zip(pairs, weights):
        a[i, j] = a[j, i] = weight / 2
    rule = Rule(weights[None], np.array([0.3]), False, (2, 2), products=tuple(pairs))
    function = f.function_of_terms("quadratic", field_terms(rule), (2, 2))
    table = np.einsum("vi,ij,vj->v", spin_states(4), a, spin_states(4)) + 0.3
    spins = spins_of((6, 6))
    same = fields_of(f.function_of_terms("table", terms_of_table(table), (2, 2)), spins)
    np.testing.assert_allclose(fields_of(function, spins), same, atol=1e-12)
    assert function.parity == "even"


def test_symmetrized_functions_do_not_prefer_an_axis():
    """A turn of the lattice by 90 degrees and a reflection change nothing."""
    terms = [ProductTerm((i, j), 6.0 * i + j) for i, j in combinations(range(6), 2)]
    one = f.function_of_terms("one", terms, (2, 3))
    spins = spins_of((7, 7))
    images = (spins, np.swapaxes(spins, 1, 2), spins[:, ::-1])
    single = [measure(pack_spins(image), (7, 7), [one], True).modes for image in images]
    assert not np.allclose(single[0], single[1])
    averaged = [
        measure(pack_spins(image), (7, 7), [f.symmetrized(one)], True).modes for image in images
    ]
    np.testing.assert_allclose(averaged[1], averaged[0], rtol=1e-4)
    np.testing.assert_allclose(averaged[2], averaged[0], rtol=1e-4)


def test_measured_parity():
    shape, rows = (6, 6), pack_spins(spins_of((6, 6)))
    biased = Rule(np.ones((1, 4)), np.array([0.5]), False, (2, 2))
    cases = {
        "even": twin.all_equal(),
        "odd": Readout("majority", majority((2, 2))),
        "mixed": Readout("biased", biased),
    }
    for parity, function in cases.items():
        assert measured_parity(function, rows, shape) == parity


def test_modes_of_the_square_and_the_cube():
    square, cube = modes_of(2), modes_of(3)
    assert square.orbits == ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2))
    assert square.multiplicity.tolist() == [4, 4, 4, 8, 4]
    assert cube.multiplicity.sum() == 124 and len(cube.numbers) == 62
    assert refuse_modes((8, 8)) is None
    assert "differ" in refuse_modes((8, 9)) and "fewer" in refuse_modes((5, 5))


def test_arguments_that_do_not_fit_are_refused():
    shape, rows = (6, 6), pack_spins(spins_of((6, 6)))
    arguments = list(plan_of((f.magnetization(2),), shape, True).arguments)
    for place, wrong in ((1, np.full((1, 3), 6)), (1, np.full((1, 3), -1)), (4, arguments[4] * 2)):
        changed = [*arguments]
        changed[place] = wrong.astype(np.int32)
        with pytest.raises(ValueError):
            kernel.low_modes(rows, *changed)
    with pytest.raises(ValueError):
        kernel.low_modes(rows[:, 1:].copy(), *arguments)
    with pytest.raises(ValueError, match="no modes"):
        measure(rows, (4, 9), [f.magnetization(2)], modes=True)
    sums = GroupSums.empty(2, ["a"], ["b"], (6, 6))
    with pytest.raises(ValueError):
        sums.add(np.ones((1, 1)), np.ones((1, 1)), np.array([2]))
