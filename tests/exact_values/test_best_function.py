"""The best functions of a block: alternating maximisation against all functions, on the 6x6 torus
at K_c with a 2x2 block and a buffer of one site."""

import numpy as np
import pytest

from rsmi.information.best_function import Search, best_function, class_table
from rsmi.information.channel import spin_states
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle
from rsmi.models.ising.facts import critical_coupling

STATES = spin_states(4)
PAIRS = np.einsum("vi,vj->vij", STATES, STATES)
BONDS = PAIRS[:, 0, 1] + PAIRS[:, 2, 3] + PAIRS[:, 0, 2] + PAIRS[:, 1, 3]
SQUARED = STATES.sum(axis=1) ** 2
# Even functions and what they know of the environment, in nats (sums over all configurations).
EVEN = {
    "all four spins are equal": (SQUARED == 16, 0.015989),
    "they are equal, or alternate": ((SQUARED == 16) | (BONDS == -4), 0.015464),
    "one diagonal pair": (PAIRS[:, 0, 3] > 0, 0.011284),
    "one bond": (PAIRS[:, 0, 1] > 0, 0.007344),
    "plaquette": (STATES.prod(axis=1) > 0, 0.006059),
    "not two up and two down": (SQUARED > 0, 0.009028),
}


@pytest.fixture(scope="module")
def joint():
    return oracle.torus_joint(critical_coupling(2))


def information(joint, up):
    return mutual_information(joint, np.stack([~up, up], axis=1).astype(float))


def conditionals(joint):
    """P(V|e) of every environment, and P(e)."""
    weights = joint.sum(axis=0)
    return (joint / weights).T, weights


@pytest.mark.parametrize("name", EVEN)
def test_even_functions(joint, name):
    up, expected = EVEN[name]
    assert information(joint, up) == pytest.approx(expected, abs=5e-7)


def test_no_even_variable_knows_more_than_all_classes(joint):
    classes = np.minimum(np.arange(16), np.arange(16)[::-1])
    assert mutual_information(joint, np.eye(8)[classes]) == pytest.approx(0.020438, abs=5e-7)


@pytest.mark.parametrize("parity", ["even", "odd"])
def test_the_best_of_all_functions(joint, parity):
    """All 128 functions of a parity, up to their complement, against 20 restarts, on every 32nd
    environment and its flip."""
    part = joint[:, ::32] + joint[::-1, ::-1][:, ::32]
    part /= part.sum()
    conditional, weights = conditionals(part)
    generator = np.random.default_rng(0)
    found = best_function(class_table(conditional, parity), weights, parity, generator)
    both = np.concatenate([part, part[::-1]], axis=1) / 2
    values = []
    for number in range(128):
        signs = 2.0 * (number >> np.arange(8) & 1) - 1
        signs = np.concatenate([signs, signs[::-1] if parity == "even" else -signs[::-1]])
        values.append(information(both, signs > 0))
    assert found.information == pytest.approx(max(values), abs=1e-12)
    assert found.information == pytest.approx(information(both, found.up > 0), abs=1e-12)
    assert found.agreeing >= 10


@pytest.mark.parametrize(("parity", "expected"), [("even", 0.015989), ("any", 0.467434)])
def test_the_best_on_the_torus(joint, parity, expected):
    """Even: all four spins are equal. Any: the majority with ties sent one way, the best of all
    32768 functions."""
    conditional, weights = conditionals(joint)
    generator = np.random.default_rng(0)
    found = best_function(class_table(conditional, parity), weights, parity, generator, 8)
    assert found.information == pytest.approx(expected, abs=5e-7)
    assert found.up[15] == 1
    field = SQUARED - 15 if parity == "even" else STATES.sum(axis=1)
    np.testing.assert_array_equal(found.up[field != 0], field[field != 0] > 0)
    assert len(set(found.up[field == 0])) <= 1


@pytest.mark.parametrize("parity", ["even", "odd", "any"])
def test_an_environment_counts_with_its_flip(joint, parity):
    """One of each pair of environments e and -e gives the information of all."""
    conditional, weights = conditionals(joint)
    some = slice(0, len(weights) // 2, 16)
    both = np.r_[some, slice(len(weights) - 1, len(weights) // 2 - 1, -16)]
    half, whole = (
        best_function(
            class_table(conditional[chosen], parity),
            weights[chosen] / weights[chosen].sum(),
            parity,
            np.random.default_rng(3),
            4,
        )
        for chosen in (some, both)
    )
    assert half.information == pytest.approx(whole.information, abs=1e-12)


def test_every_step_gains(joint):
    """The linear approximation of a convex function lies below it: no step loses information."""
    conditional, weights = conditionals(joint[:, ::64] / joint[:, ::64].sum())
    search = Search(class_table(conditional, "any"), weights, "any")
    for seed in range(5):
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], 16)
        values = [search.information(search.up(signs))]
        for _ in range(6):
            signs = search.step(search.up(signs), signs)
            values.append(search.information(search.up(signs)))
        assert (np.diff(values) > -1e-15).all()


def test_without_a_flip():
    """Of a joint distribution without symmetry, with impossible states, the best function is that
    of a search through all functions."""
    generator = np.random.default_rng(5)
    joint = generator.gamma(0.3, size=(8, 12))
    joint[[1, 6]] = 0
    joint /= joint.sum()
    weights = joint.sum(axis=0)
    conditional = (joint / weights).T
    best = best_function(conditional, weights, "any", generator, symmetric=False)
    functions = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(float)
    every = [mutual_information(joint, np.stack([1 - up, up], axis=1)) for up in functions]
    assert best.information == pytest.approx(max(every), abs=1e-12)
    assert best.agreeing > 0
