"""The renormalized Hamiltonian of the Ising chain against brute force and the published numbers."""

import math

import numpy as np
import pytest
from exact import cumulants_of, ring_of_blocks
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.information.channel import channel_table, spin_states
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle as exact
from rsmi.models.ising.theory.cumulants import (
    block_rules,
    chain_couplings,
    cumulant_series,
    exact_hamiltonian,
    walsh_coefficients,
)

DECIMATION, MAJORITY = [1.0, 0.0], [1.0, 1.0]
# A soft rule that prefers no side, and one that is far from any filter.
LOPSIDED = np.array([[0.1, 0.35, 0.8, 0.55]])


def hard(*filters):
    return block_rules(filters, hard=True)


@pytest.mark.parametrize(
    ("length", "blocks", "coupling"),
    [(1, 6, 0.4), (2, 2, 0.3), (2, 4, -0.7), (3, 3, 1.1), (2, 5, 0.2)],
)
def test_against_every_configuration(length, blocks, coupling):
    """K'[h] and each C_k[h]/k!, k <= 10, of a rule without symmetry: a bond counted twice or in the
    wrong part changes both."""
    rule = np.random.default_rng(3).uniform(0.05, 0.95, 2**length)
    weights, between = ring_of_blocks(rule, length, blocks, coupling)
    brute = np.array([cumulants_of(column, between, 10) for column in weights.T])
    factorials = np.array([math.factorial(k) for k in range(11)])
    series = cumulant_series([rule], coupling, blocks, 10)[:, 0].T
    assert np.allclose(series, brute / factorials, rtol=0, atol=1e-10)
    whole = np.log((weights * np.exp(between)[:, None]).sum(axis=0))
    assert np.allclose(exact_hamiltonian([rule], coupling, blocks)[0], whole, rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(-0.25, 0.25), st.integers(2, 7)
)
def test_the_series_sums_to_the_exact_hamiltonian(weights, coupling, blocks):
    """At |K| <= .25 forty orders agree with transfer matrices to 1e-9, whatever the soft filter
    (block of four)."""
    rule = block_rules([weights])
    total = cumulant_series(rule, coupling, blocks, 40).sum(axis=0)
    assert np.allclose(total, exact_hamiltonian(rule, coupling, blocks), rtol=0, atol=1e-9)


def test_convergence_order_by_order():
    """Majority at K = .1: every two orders gain two digits in K'[h]; a wrong 1/k! stops the gain at
    its order."""
    series = cumulant_series(hard(MAJORITY), 0.1, 8, 10).cumsum(axis=0)
    error = np.abs(series - exact_hamiltonian(hard(MAJORITY), 0.1, 8)).max(axis=(1, 2))
    assert (error[[2, 4, 6, 8, 10]] < [5e-4, 1e-6, 3e-9, 1e-11, 1e-13]).all()
    assert (error[[2, 4, 6, 8]] > [2e-4, 5e-7, 1e-9, 4e-12]).all()


def test_a_series_that_diverges():
    """The staggered rule at K = 1: ten orders are far off, which is why the exact K'[h] stands
    beside it."""
    rule = hard([1, -1])
    assert chain_couplings(rule, 1.0, order=None).rangeness[0] == pytest.approx(0.6358, abs=1e-4)
    assert abs(chain_couplings(rule, 1.0, order=10).rangeness[0] - 0.6358) > 1


@pytest.mark.parametrize("coupling", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_decimation_is_the_textbook_flow(length, coupling):
    """tanh K' = (tanh K)^L, nothing else; for L = 2 that is (1/2) ln cosh 2K."""
    found = chain_couplings(hard([1] + [0] * (length - 1)), coupling, order=None)
    assert found.nearest[0] == pytest.approx(math.atanh(math.tanh(coupling) ** length), abs=1e-14)
    assert abs(found.next_nearest[0]) < 1e-14
    assert abs(found.four_body[0]) < 1e-14
    if length == 2:
        assert found.nearest[0] == pytest.approx(0.5 * math.log(math.cosh(2 * coupling)), abs=1e-14)


def test_published_numbers():
    """K = .1, blocks of two, ring of eight, order 10 (PRX 10, 011037): decimation, majority."""
    decimation, majority = chain_couplings(hard(DECIMATION, MAJORITY), 0.1).nearest
    assert decimation == pytest.approx(0.5 * math.log(math.cosh(0.2)), abs=1e-11)
    assert majority == pytest.approx(0.03018, abs=5e-6)
    found = chain_couplings(hard(DECIMATION, MAJORITY), 0.1)
    assert found.rangeness == pytest.approx([0, -0.0202], abs=5e-5)
    assert found.m_bodyness == pytest.approx([0, -2.5e-5], abs=5e-7)


@pytest.mark.parametrize(
    ("coupling", "whole", "shares"),
    [(0.1, 9.86802e-5, (0.5050, 0.3023)), (1.0, 0.325221, (0.7596, 0.7397))],
)
def test_information_kept(coupling, whole, shares):
    """I(H:E)/I(V:E) of decimation and majority, two spins and a buffer of one."""
    joint = exact.chain_joint(2, 1, coupling)
    block = mutual_information(joint, np.eye(4))
    assert block == pytest.approx(whole, rel=5e-6)
    for filters, share in zip((DECIMATION, MAJORITY), shares):
        kept = mutual_information(joint, channel_table(filters, 0, hard=True)) / block
        assert kept == pytest.approx(share, abs=5e-5)


def test_the_information_is_largest_where_the_hamiltonian_is_simplest():
    """Strong filters at every angle: I(H:E) is largest for decimation, and only there do both
    ratios vanish."""
    angles = np.linspace(-np.pi / 4, np.pi / 2, 25)
    filters = 40 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    joint = exact.chain_joint(2, 1, 0.1)
    kept = np.array([mutual_information(joint, channel_table(row, 0)) for row in filters])
    found = chain_couplings(block_rules(filters), 0.1)
    complexity = np.maximum(np.abs(found.rangeness), np.abs(found.m_bodyness))
    decimations = np.isclose(angles, 0) | np.isclose(angles, np.pi / 2)
    assert kept[decimations] == pytest.approx(kept.max(), rel=1e-12)
    assert complexity[decimations] == pytest.approx(0, abs=1e-9)
    assert complexity[np.isclose(np.abs(angles), np.pi / 4)].min() > 0.02


@pytest.mark.parametrize(("coupling", "strength"), [(0.1, 1.5), (0.1, 6.0), (0.8, 5.0)])
def test_nearest_neighbours_alone(coupling, strength):
    """Where the block's ends are independent given h, <x_1 x_2|h> = <x_1|h><x_2|h>, every other
    coupling of K' is zero."""

    def dependence(weight):
        rule = block_rules([strength, weight])[0]
        x, given = spin_states(2), rule * np.exp(coupling * spin_states(2).prod(axis=1))
        given = given / given.sum()
        return given @ x.prod(axis=1) - (given @ x[:, 0]) * (given @ x[:, 1])

    low, high = 0.0, strength
    assert dependence(low) > 0 > dependence(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if dependence(middle) > 0 else (low, middle)
    couplings = walsh_coefficients(exact_hamiltonian(block_rules([strength, low]), coupling, 6)[0])
    nearest = [3, 6, 12, 24, 48, 33]
    assert couplings[nearest] == pytest.approx(couplings[3], abs=1e-13)
    assert couplings[3] > 1e-3
    assert np.abs(np.delete(couplings, [0, *nearest])).max() < 1e-13


def test_mirrored_and_flipped_filters():
    """Reflection of the block and the sign of the filter change no coupling; a transposed end
    matrix would."""
    filters = np.array([[1.3, 0.2, -0.7]])
    same = [
        chain_couplings(block_rules(weights), 0.3)
        for weights in (filters, filters[:, ::-1], -filters)
    ]
    for other in same[1:]:
        assert other.nearest == pytest.approx(same[0].nearest, rel=1e-12)
        assert other.rangeness == pytest.approx(same[0].rangeness, rel=1e-10)
        assert other.m_bodyness == pytest.approx(same[0].m_bodyness, rel=1e-6)


def test_many_rules_at_once():
    """A plane of filters longer than one array gives the numbers of each filter alone."""
    filters = np.random.default_rng(5).normal(size=(300, 2))
    together = chain_couplings(block_rules(filters), 0.2)
    for k in (0, 255, 256, 299):
        alone = chain_couplings(block_rules(filters[k]), 0.2)
        assert alone.nearest[0] == pytest.approx(together.nearest[k], rel=1e-12)
        assert alone.four_body[0] == pytest.approx(together.four_body[k], rel=1e-6, abs=1e-14)


def test_cold_chain():
    """Nothing overflows or underflows at K = 150: decimation still gives K' = K - (ln 2)/2."""
    found = chain_couplings(hard(DECIMATION), 150.0, order=None)
    assert found.nearest[0] == pytest.approx(150 - 0.5 * math.log(2), abs=1e-9)


def test_walsh_coefficients():
    """Three spins, coefficients put in and taken out; the mask is the set of spins."""
    h = spin_states(3)
    values = 2 - h[:, 0] + 0.5 * h[:, 0] * h[:, 2] + 7 * h.prod(axis=1)
    assert walsh_coefficients([values, -values])[1] == pytest.approx([-2, 1, 0, 0, 0, -0.5, 0, -7])


def test_a_rule_without_symmetry_has_a_field():
    """P(h) alone gives the one-body term at K = 0: half the log odds; no bond remains."""
    found = walsh_coefficients(exact_hamiltonian(LOPSIDED, 0.0, 5)[0])
    up = LOPSIDED.mean()
    assert found[[1, 2, 4, 8, 16]] == pytest.approx(0.5 * math.log(up / (1 - up)), abs=1e-14)
    assert np.abs(found[3]) < 1e-14


def test_no_coupling_has_no_ratio():
    """A filter of zeros tosses coins: its ratios are undefined, and no warning is raised."""
    found = chain_couplings(block_rules([0.0, 0.0]), 0.1)
    assert np.isnan(found.rangeness).all()
    assert np.isnan(found.m_bodyness).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: exact_hamiltonian([[0.0] * 4], 0.1, 4), "never gives"),
        (lambda: exact_hamiltonian([[0.5] * 3], 0.1, 4), "2\\^L"),
        (lambda: exact_hamiltonian([[0.5, 1.5]], 0.1, 4), "between 0 and 1"),
        (lambda: cumulant_series([[0.5, 0.2]], 0.1, 1, 4), "at least 2"),
        (lambda: chain_couplings([[0.5, 0.2]], 0.1, blocks=4), "at least 5"),
        (lambda: exact_hamiltonian([[0.5, 0.2]], np.nan, 4), "within"),
    ],
)
def test_impossible_input(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
