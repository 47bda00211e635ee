"""Entropies along the flow: closed forms against configurations counted one by one."""

import math

import numpy as np
import pytest
from exact import boltzmann, infinite_energy, ising_states, joint_entropy

from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.facts import (
    chain_entropy,
    critical_coupling,
    exact_entropy,
    ring_entropy,
)
from rsmi.models.ising.theory.information_flow import (
    blocking_entropies,
    configuration_probabilities,
    decimated_coupling,
    decimation_flow,
    decimation_step,
    split_entropies,
)
from rsmi.renormalization.rules import Rule, decimation, majority

KC = critical_coupling(2)


def enumerated(shape, coupling):
    """Spins (2^N, N) and probabilities by the tests' own enumeration."""
    states, energies = ising_states(shape)
    return states.reshape(len(states), -1), boltzmann(energies, coupling)


@pytest.mark.parametrize(
    ("shape", "coupling"), [((5,), 0.7), ((12,), 1.3), ((3, 3), 0.2), ((4, 4), KC), ((2, 4), 0.9)]
)
def test_entropy_of_the_finite_lattice(shape, coupling):
    """ln Z / N + K e from the exact partition functions equals -sum p ln p; a factor 2 in the bonds
    of size 2 would show."""
    _, probabilities = enumerated(shape, coupling)
    brute = -(probabilities * np.log(probabilities)).sum() / math.prod(shape)
    assert exact_entropy(shape, coupling) == pytest.approx(brute, abs=1e-12)


def test_entropy_limits():
    """ln 2 when hot, ln 2 per ring when cold, the chain's formula for a long ring, None where
    nothing is known."""
    assert ring_entropy(10, 0.0) == chain_entropy(0.0) == math.log(2)
    assert ring_entropy(10, 40.0) == pytest.approx(math.log(2) / 10, abs=1e-14)
    assert ring_entropy(400, 0.8) == pytest.approx(chain_entropy(0.8), abs=1e-14)
    assert chain_entropy(-0.8) == chain_entropy(0.8)
    assert chain_entropy(1.2) == pytest.approx(
        math.log(2 * math.cosh(1.2)) - 1.2 * math.tanh(1.2), abs=1e-14
    )
    assert exact_entropy((4, 4, 4), 0.2) is None


def test_entropy_of_the_critical_plane():
    """s = 2G/pi + (ln 2)/2 - K_c sqrt 2 (G Catalan's constant) = .30647; the torus approaches it as
    1/L^2."""
    catalan = 0.915965594177219
    infinite = 2 * catalan / math.pi + 0.5 * math.log(2) + KC * infinite_energy(KC)
    small, large = (exact_entropy((size, size), KC) - infinite for size in (64, 128))
    assert infinite == pytest.approx(0.30647, abs=1e-5)
    # the energy's own finite-size term, K_c (e_L - e), is of order 1/L and dominates
    energy = [KC * (kaufman.energy((size, size), KC) - infinite_energy(KC)) for size in (64, 128)]
    assert small - energy[0] == pytest.approx(4 * (large - energy[1]), rel=1e-3)


@pytest.mark.parametrize("coupling", [1e-3, 0.3, 1.0, 2.5, -0.7])
@pytest.mark.parametrize("block", [2, 3, 5])
def test_decimated_coupling(coupling, block):
    assert decimated_coupling(coupling, block) == pytest.approx(
        math.atanh(math.tanh(coupling) ** block), rel=1e-12
    )


def test_decimated_coupling_when_cold():
    """(1/2) ln cosh 2K = K - (ln 2)/2 where tanh K rounds to 1 and an artanh would be infinite."""
    assert decimated_coupling(60.0) == pytest.approx(60 - 0.5 * math.log(2), abs=1e-12)
    assert decimated_coupling(0.0) == 0


@pytest.mark.parametrize("coupling", [0.2, 0.8, 1.5])
def test_decimation_of_a_ring(coupling):
    """A ring of 12 by enumeration: both halves are rings of 6 at K', so that I/N = s_6(K') -
    s_12(K) to rounding."""
    spins, probabilities = enumerated((12,), coupling)
    total, slow, fast = (
        joint_entropy(part, probabilities) for part in (spins, spins[:, ::2], spins[:, 1::2])
    )
    coarse = decimated_coupling(coupling)
    assert slow == pytest.approx(6 * ring_entropy(6, coarse), abs=1e-12)
    found = split_entropies(configuration_probabilities((12,), coupling), range(0, 12, 2))
    assert [found.total, found.slow, found.fast] == pytest.approx([total, slow, fast], abs=1e-12)
    assert found.removed / 12 == pytest.approx(
        ring_entropy(12, coupling) - ring_entropy(6, coarse) / 2, abs=1e-12
    )
    assert found.shared / 12 == pytest.approx(
        ring_entropy(6, coarse) - ring_entropy(12, coupling), abs=1e-12
    )


@pytest.mark.parametrize("block", [2, 3])
def test_rings_converge_to_the_infinite_chain(block):
    """Longer rings come closer, as tanh(K)^N; blocks of three have pairs of fast spins."""
    step, errors = decimation_step(0.6, block), []
    for sites in (6, 12, 18):
        found = split_entropies(configuration_probabilities((sites,), 0.6), range(0, sites, block))
        errors.append(
            max(abs(found.removed / sites - step.removed), abs(found.shared / sites - step.shared))
        )
    assert errors[0] > 5e-3
    assert errors[2] < 3e-5
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


@pytest.mark.parametrize("coupling", [0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("block", [2, 3])
def test_flow_of_the_chain(coupling, block):
    """Nothing is negative, the entropy per spin grows, and what the steps remove adds up to what
    there was."""
    flow = decimation_flow(coupling, 7, block)
    assert all(step.removed > 0 and step.shared >= 0 for step in flow)
    entropies = [step.entropy for step in flow]
    assert (np.diff(entropies) >= -1e-15).all()
    kept = (
        sum(step.removed / block**n for n, step in enumerate(flow))
        + chain_entropy(flow[-1].coarse_coupling) / block**7
    )
    assert kept == pytest.approx(entropies[0], abs=1e-14)
    if block == 2:
        assert [step.shared for step in flow[:-1]] == pytest.approx(np.diff(entropies), abs=1e-14)


def test_what_weak_couplings_share():
    """I(fast:slow)/N -> K^2/2 for block 2 and K^2/3 for block 3: a difference of entropies near ln
    2 would be rounding alone."""
    assert decimation_step(1e-9, 2).shared == pytest.approx(0.5e-18, rel=1e-6)
    assert decimation_step(1e-9, 3).shared == pytest.approx(1e-18 / 3, rel=1e-6)
    below, above = decimation_step(0.5, 2), decimation_step(np.nextafter(0.5, 1), 2)
    assert below.shared == pytest.approx(above.shared, rel=1e-14)


@pytest.mark.parametrize(
    "slow",
    [[0, 2, 8, 10], [site for site in range(16) if (site // 4 + site) % 2 == 0]],
    ids=["every 2x2", "checkerboard"],
)
@pytest.mark.parametrize("coupling", [0.2, KC, 0.7])
def test_decimation_of_the_torus(coupling, slow):
    """4x4: H(fast|slow) from conditional probabilities, I(fast:slow) as a divergence, both from
    their definitions."""
    spins, probabilities = enumerated((4, 4), coupling)
    fast = [site for site in range(16) if site not in slow]
    numbers = [(spins[:, part] > 0) @ 2 ** np.arange(len(part)) for part in (slow, fast)]
    joint = np.zeros((2 ** len(slow), 2 ** len(fast)))
    joint[tuple(numbers)] = probabilities
    rows, columns = joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True)
    found = split_entropies(configuration_probabilities((4, 4), coupling), slow)
    assert found.total == pytest.approx(16 * exact_entropy((4, 4), coupling), abs=1e-11)
    assert found.removed == pytest.approx(-(joint * np.log(joint / rows)).sum(), abs=1e-11)
    assert found.shared == pytest.approx(
        (joint * np.log(joint / (rows * columns))).sum(), abs=1e-11
    )
    assert found.removed > 0
    assert found.shared > 0


@pytest.mark.parametrize(
    "rule",
    [
        majority((2, 2)),
        Rule([[2.8, 3.4, 2.8, 3.4]], [0.0], False, (2, 2)),
        Rule([[3, 1, 0.5, 0] * 2, [0, 2, -1, 0.3] * 2], [0.2, 0.0], False, (2, 4)),
    ],
    ids=["majority", "soft", "two units"],
)
def test_blocking_of_the_torus(rule):
    """H(V) + H(H|V) = H(H) + H(V|H) with every term from the joint distribution P(V, H) of the 4x4
    torus."""
    spins, probabilities = enumerated((4, 4), KC)
    rows, columns = rule.block
    joint = probabilities[:, None]
    for r in range(0, 4, rows):
        for c in range(0, 4, columns):
            block = spins.reshape(-1, 4, 4)[:, r : r + rows, c : c + columns].reshape(
                len(spins), -1
            )
            field = block @ rule.filters.T + rule.bias
            up = np.where(field == 0, 0.5, field > 0) if rule.hard else 1 / (1 + np.exp(-field))
            for p in up.T[:, :, None]:
                joint = np.concatenate([joint * (1 - p), joint * p], axis=1)
    positive = joint[joint > 0]
    coarse = joint.sum(axis=0)
    both, fine, hidden = (-(p * np.log(p)).sum() for p in (positive, probabilities, coarse))
    found = blocking_entropies(configuration_probabilities((4, 4), KC), (4, 4), rule)
    assert [found.fine, found.coarse, found.coins] == pytest.approx(
        [fine, hidden, both - fine], abs=1e-10
    )
    assert found.removed == pytest.approx(both - hidden, abs=1e-10)
    assert found.shared == pytest.approx(fine + hidden - both, abs=1e-10)


def test_decimation_is_a_rule():
    """The first spin of every block, as a rule and as a choice of sites."""
    probabilities = configuration_probabilities((4, 4), 0.3)
    rule = blocking_entropies(probabilities, (4, 4), decimation((2, 2)))
    split = split_entropies(probabilities, [0, 2, 8, 10])
    assert (rule.coarse, rule.coins) == (pytest.approx(split.slow, abs=1e-12), 0)
    assert rule.removed == pytest.approx(split.removed, abs=1e-11)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: decimation_flow(1.0, 2, block=1), "at least 2"),
        (lambda: configuration_probabilities((5, 5), 0.1), "at most 20"),
        (lambda: split_entropies(np.ones(4) / 4, [0, 0]), "distinct"),
        (lambda: split_entropies(np.ones(4) / 4, [2]), "from 0 to 1"),
        (lambda: blocking_entropies(np.ones(8) / 8, (3,), majority((2,))), "do not tile"),
        (
            lambda: blocking_entropies(
                np.ones(65536) / 65536, (4, 4), Rule(np.eye(4), np.zeros(4), True, (2, 2))
            ),
            "too many",
        ),
    ],
)
def test_impossible_input(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
