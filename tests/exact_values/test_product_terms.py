"""Learned units as sums of products of spins, against the units themselves on all block states."""

import numpy as np
import pytest

from rsmi.information import products
from rsmi.information.channel import spin_states
from rsmi.renormalization.product_terms import ProductTerm, expectation_terms, field_terms
from rsmi.renormalization.rules import Rule, majority

PAIRS = products.pairs(4)
ALL_EQUAL = Rule(np.ones((1, 6)), [-3.0], True, (2, 2), 1, PAIRS)  # sum of pairs is 6, 0 or -2


def values(terms, states):
    return sum(term.coefficient * states[:, list(term.sites)].prod(axis=1) for term in terms)


def test_all_four_equal():
    """h = (1 + 4 nearest + 2 next-nearest + plaquette)/8, so that s = 2h - 1 has -3/4 and 1/4."""
    terms = expectation_terms(ALL_EQUAL)
    assert terms[0] == ProductTerm((), -0.75)
    assert [term.sites for term in terms[1:]] == [*PAIRS, (0, 1, 2, 3)]
    assert all(term.coefficient == 0.25 for term in terms[1:])
    assert terms[3].points((2, 2)) == ((0, 0), (1, 1))


@pytest.mark.parametrize("hard", [True, False])
def test_terms_are_the_unit(hard):
    """The second of two units of pairs and a triple on a 3x2 block."""
    sets = (*products.pairs(6), (0, 2, 5))
    rule = Rule(np.random.default_rng(1).normal(size=(2, 16)), [0.2, -0.3], hard, (3, 2), 1, sets)
    states = spin_states(6)
    up = rule.channel()[:, [2, 3]].sum(axis=1)
    np.testing.assert_allclose(values(expectation_terms(rule, 1), states), 2 * up - 1, atol=1e-12)
    field = values(field_terms(rule, 1), states)
    np.testing.assert_allclose(up, (field > 0) if hard else 1 / (1 + np.exp(-field)), atol=1e-12)


def test_linear_units():
    """Majority of three is (s1 + s2 + s3 - s1 s2 s3)/2; the field of a rule of sites has no
    products."""
    terms = expectation_terms(majority((3,)))
    assert terms == [*(ProductTerm((i,), 0.5) for i in range(3)), ProductTerm((0, 1, 2), -0.5)]
    assert field_terms(majority((3,))) == [ProductTerm((i,), 1.0) for i in range(3)]
    with pytest.raises(ValueError, match="at most 16"):
        expectation_terms(majority((5, 4)))


def test_quadratic_form_and_ranges():
    """x = v^T A v + bias on all states; of the pairs of a 2x2 block four are nearest neighbours."""
    filters = np.random.default_rng(2).normal(size=(1, 6))
    (form,) = products.quadratic_form(filters, PAIRS, 4)
    states = spin_states(4)
    expected = values(field_terms(Rule(filters, [0.5], False, (2, 2), 1, PAIRS)), states)
    np.testing.assert_allclose(np.einsum("vi,ij,vj->v", states, form, states) + 0.5, expected)
    assert np.array_equal(form, form.T)
    assert not form.diagonal().any()
    offsets = np.indices((2, 2)).reshape(2, -1).T
    assert products.in_range(PAIRS, offsets, 1) == ((0, 1), (0, 2), (1, 3), (2, 3))
    assert products.in_range(PAIRS, offsets, 2**0.5) == PAIRS
    with pytest.raises(ValueError, match="pairs"):
        products.quadratic_form(np.ones((1, 1)), ((0, 1, 2),), 4)


def test_tables_keep_products():
    sets = ((0, 1), (3,), (0, 1, 2, 3))
    assert products.from_table(products.table(sets)) == sets
    assert products.masks(sets).tolist() == [3, 8, 15]


@pytest.mark.parametrize("sets", [((0, 4),), ((0, 0),), ((0, 1), (1, 0)), ((),), ()])
def test_no_products(sets):
    with pytest.raises(ValueError, match="products"):
        Rule(np.ones((1, len(sets))), [0.0], True, (2, 2), 1, sets)
