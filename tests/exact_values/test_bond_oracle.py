"""I(H:E) of Potts, clock and Ashkin-Teller models against values that other programs computed.

The values for 6x6 tori come from products of quadrant matrices in another program and, for q = 2
and 3, from a contraction of the list of bonds (equal to 1e-12); those for 4x4 tori from sums over
all configurations, and those of chains from powers of matrices and from enumeration. They are
printed to ten digits. A bond that is counted twice, a ring site in the wrong place, or a symmetry
that does not exist changes the third digit.
"""

import itertools

import numpy as np
import pytest

from rsmi.information.categorical import (
    block_codes,
    one_hot_features,
    softmax_probabilities,
    tied_filters,
)
from rsmi.information.channel import channel_table
from rsmi.lattice.geometry import Geometry
from rsmi.models.bond_environments import relabellings
from rsmi.models.bond_oracle import BondOracle
from rsmi.models.ising.known import IsingOracle

K_2, K_3, K_4 = (np.log(1 + np.sqrt(q)) for q in (2, 3, 4))
SIGMA, TAU = np.array([1, 1, -1, -1]), np.array([1, -1, 1, -1])


def clock(q):
    return np.cos(2 * np.pi / q * np.subtract.outer(np.arange(q), np.arange(q)))


def ashkin_teller(ratio):
    both = np.outer(SIGMA, SIGMA) + np.outer(TAU, TAU)
    return both + ratio * np.outer(SIGMA * TAU, SIGMA * TAU)


def tied(q, weights, hard=True):
    features, codes = one_hot_features(q), block_codes(q, len(weights))
    filters = tied_filters(np.array(weights, float), features)
    return softmax_probabilities(
        filters, np.zeros(q), features[codes].reshape(len(codes), -1), hard
    )


def plurality(q, sites=4):
    return tied(q, np.ones(sites))


def decimation(q, sites=4):
    return tied(q, [1.0] + [0.0] * (sites - 1))


def vacancies(q):
    """The colour of at least three equal sites, else a vacancy."""
    counts = (block_codes(q, 4)[:, :, None] == np.arange(q)).sum(axis=1)
    return np.eye(q + 1)[np.where(counts.max(axis=1) >= 3, counts.argmax(axis=1), q)]


def threshold(q, least):
    """Whether at least so many sites have the state 0."""
    return np.eye(2)[((block_codes(q, 4) == 0).sum(axis=1) < least).astype(int)]


def majority(signs):
    """The sign of a sum over the block, with a fair coin for ties."""
    up = 0.5 + 0.5 * np.sign(signs[block_codes(len(signs), 4)].sum(axis=1))
    return np.stack([up, 1 - up], axis=1)


def both(one, other):
    return (one[:, :, None] * other[:, None, :]).reshape(len(one), -1)


def values(strengths, size, coupling, rules):
    geometry = Geometry((2, 2), (size - 4) // 2, 1)
    found = BondOracle(strengths).enumerated(rules, geometry, (size, size), coupling)
    return [found[0].block_information, *(one.information for one in found)]


def test_two_states_on_six_by_six():
    rules = [plurality(2), decimation(2), vacancies(2), threshold(2, 2)]
    expected = (0.5494014039, 0.4610446484, 0.380565536, 0.5164793107, 0.4674342004)
    assert values(np.eye(2), 6, 0.881373587, rules) == pytest.approx(expected, abs=1e-9)


def test_three_states_on_six_by_six():
    """Beside the usual rules a soft one, and two of which the square has different images."""
    rules = [plurality(3), decimation(3), vacancies(3), threshold(3, 2)]
    rules += [tied(3, [2.0] * 4, hard=False), tied(3, [1.0, 1, 1, 0]), tied(3, [1.0, 0, 0, 1])]
    expected = (0.9022637642, 0.7699933039, 0.6352475662, 0.8368106146, 0.4435428209)
    expected += (0.7475520472, 0.7556380881, 0.6324063974)
    assert values(np.eye(3), 6, 1.0050525387, rules) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("q", "coupling", "expected"),
    [
        (3, K_3, (1.126536404, 0.880906740, 0.747827897, 0.964109540, 0.512012247)),
        (4, K_4, (1.431047512, 1.140783961, 0.973977167, 1.223691141, 0.462267728)),
    ],
)
def test_potts_on_four_by_four(q, coupling, expected):
    rules = [plurality(q), decimation(q), vacancies(q), threshold(q, 2)]
    assert values(np.eye(q), 4, coupling, rules) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("q", "coupling", "expected"),
    [
        (3, 0.6700350258282539, (1.126536404, 0.8809067397, 0.7478278966)),
        (4, 0.8813735870195429, (1.40405773, 1.070246966, 0.9079657272)),
        (5, 1.0, (1.503044849, 1.050457749, 0.8927026995)),
    ],
)
def test_clock_on_four_by_four(q, coupling, expected):
    rules = [plurality(q), decimation(q)]
    assert values(clock(q), 4, coupling, rules) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("coupling", "last", "expected"),
    [
        (0.35, 0.13815106724143628, (1.419547186, 0.5516346295, 0.4727677121, 1.10456834)),
        (np.log(3) / 4, np.log(3) / 4, (1.431047512, 0.5443147605, 0.5443147605, 1.103052199)),
    ],
)
def test_ashkin_teller_on_four_by_four(coupling, last, expected):
    rules = [majority(SIGMA), majority(SIGMA * TAU), both(majority(SIGMA), majority(TAU))]
    found = values(ashkin_teller(last / coupling), 4, coupling, rules)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("q", "coupling", "block", "edge", "most"),
    [(2, 2.0, 0.325220978325, 0.24703286285, 0.240568060766)],
)
def test_chain(q, coupling, block, edge, most):
    """A ring of 1000 sites is an infinite chain to 1e-100."""
    rules = [decimation(q, 2), plurality(q, 2)]
    found = BondOracle(np.eye(q)).enumerated(rules, Geometry((2,), 1, 1), (1000,), coupling)
    assert found[0].block_information == pytest.approx(block, abs=1e-9)
    assert [one.information for one in found] == pytest.approx([edge, most], abs=1e-9)


def test_three_states_on_a_chain():
    rules = [decimation(3, 2), plurality(3, 2)]
    found = BondOracle(np.eye(3)).enumerated(rules, Geometry((2,), 1, 1), (1000,), 1.0)
    assert found[0].block_information == pytest.approx(0.0338571092, abs=1e-9)
    assert [one.information for one in found] == pytest.approx([0.0192058481, 0.0158990272])


@pytest.mark.parametrize("block", [(2, 2), (3, 2), (1, 3), (4,)])
def test_two_states_are_the_ising_model(block):
    """The same environments give the same information as the Ising oracle, with its errors."""
    generator, geometry = np.random.default_rng(3), Geometry(block, 1, 1)
    spins = generator.choice(np.array([-1, 1], np.int8), (200, geometry.n_environment))
    filters = generator.normal(size=(2, geometry.n_block))
    channels = [channel_table(filters, np.array([0.3, 0.0]), hard) for hard in (False, True)]
    groups = np.arange(200) // 10
    ising = IsingOracle().informations(channels, geometry, 0.44, spins, groups)
    potts = BondOracle(np.eye(2)).informations(channels, geometry, 0.88, (spins + 1) // 2, groups)
    for one, other in zip(ising, potts):
        assert vars(one) == pytest.approx(vars(other), abs=1e-12)


def test_probabilities_of_a_block_by_summation():
    """P(V|ring) of a 2x1 block with a buffer, summed over all its states, for random bonds."""
    generator, q = np.random.default_rng(5), 3
    energies = generator.normal(size=(q, q))
    oracle, geometry = BondOracle(energies + energies.T), Geometry((2, 1), 1, 1)
    ring = generator.integers(0, q, (1, geometry.n_environment)).astype(np.int8)
    found = oracle.block_given_environment(ring, geometry, 0.7)[0]
    assert found == pytest.approx(summed(oracle.bond(0.7), geometry, ring[0]), abs=1e-12)


def summed(bond, geometry, environment):
    """P(V|E) by a sum over all states of the buffer."""
    place = dict(zip(map(tuple, geometry.environment_offsets.tolist()), environment.tolist()))
    box = list(itertools.product(range(-1, 3), range(-1, 2)))
    block = [(0, 0), (1, 0)]
    buffer = [site for site in box if site not in block]
    bonds = [
        ((r, c), (r + dr, c + dc))
        for r in range(-2, 4)
        for c in range(-2, 3)
        for dr, dc in ((0, 1), (1, 0))
        if (r, c) in box or (r + dr, c + dc) in box
    ]
    q = len(bond)
    states = np.array(list(itertools.product(range(q), repeat=len(buffer))))
    weights = np.zeros(q * q)
    for number, codes in enumerate(block_codes(q, 2)):
        known = place | dict(zip(block, codes.tolist()))
        columns = known | {site: states[:, i] for i, site in enumerate(buffer)}
        total = np.ones(len(states))
        for one, other in bonds:
            total = total * bond[columns[one], columns[other]]
        weights[number] = total.sum()
    return weights / weights.sum()


def test_environments_that_are_drawn():
    """The mean of P(h|E) over drawn environments is the exact P(h), 1/q, and that of the
    information agrees with the sum over all environments."""
    oracle, geometry = BondOracle(np.eye(3)), Geometry((2, 2), 0, 1)
    drawn = oracle.typical(geometry, (4, 4), K_3, 20000, np.random.default_rng(7))
    hidden = drawn @ plurality(3)
    information = np.log(3) + (hidden * np.log(hidden)).sum(axis=1).mean()
    assert hidden.mean(axis=0) == pytest.approx(np.full(3, 1 / 3), abs=0.01)
    assert information == pytest.approx(0.8809, abs=0.01)


def test_relabellings():
    assert len(relabellings(np.eye(4))) == 24
    assert len(relabellings(clock(6))) == 12
    assert len(relabellings(ashkin_teller(0.5))) == 8


@pytest.mark.slow
def test_ashkin_teller_on_six_by_six():
    """The largest sum: 13 million classes of environments, some minutes."""
    rules = [majority(SIGMA), majority(SIGMA * TAU), both(majority(SIGMA), majority(TAU))]
    found = values(ashkin_teller(0.13815106724143628 / 0.35), 6, 0.35, rules)
    expected = (1.1403925234, 0.482014332, 0.3836837698, 0.9661421263)
    assert found == pytest.approx(expected, abs=1e-9)
