"""Sums by elimination against enumeration, and the exact distribution of an environment on tori of
any shape."""

import exact as brute
import numpy as np
import pytest

from rsmi.errors import UsageError
from rsmi.models.ising import elimination
from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.oracle import ring_offsets, torus_joint


@pytest.mark.parametrize("coupling", [0.7, -0.4])
def test_random_graph(coupling):
    """Ten spins, random bonds (some twice), an isolated one among those kept: the order of the
    bits, both signs of K."""
    rng = np.random.default_rng(3)
    bonds = rng.choice(9, (16, 2)).tolist()
    kept = [4, 0, 9, 7]
    spins = brute.all_spins(10)
    weight = np.exp(coupling * sum(spins[:, a].astype(float) * spins[:, b] for a, b in bonds))
    expected = np.bincount((spins[:, kept] > 0) @ np.array([1, 2, 4, 8]), weight, 16)
    assert elimination.marginal_weights(bonds, kept, coupling) == pytest.approx(
        expected / expected.sum(), rel=1e-12
    )


def test_bonds_of_a_torus():
    """Every site's forward bonds; two sites a side share two."""
    assert sorted(elimination.torus_bonds((2,))) == [(0, 1), (1, 0)]
    assert len(elimination.torus_bonds((3, 4, 5))) == 180
    assert sorted(map(sorted, elimination.torus_bonds((4, 5)))) == sorted(
        sorted(np.ravel_multi_index(np.transpose(bond), (4, 5)).tolist())
        for bond in brute.square_torus_bonds((4, 5))
    )


def test_order_takes_the_smallest_table_first():
    """A star: the leaves one by one, each over itself and the hub; the hub first would need all of
    them at once."""
    assert elimination.elimination_order([(0, leaf) for leaf in range(1, 40)], 0, 40)[-1] in (0, 39)


def test_too_wide_is_refused():
    with pytest.raises(UsageError, match=r"2\^26 numbers, and at most 2\^24"):
        torus_joint(0.4, (2, 2), 1, (10, 10))
    with pytest.raises(UsageError, match="a torus of 64x64 has too many states"):
        torus_joint(0.4, (2, 2), 1, (64, 64))
    with pytest.raises(UsageError, match="at most 24 together"):
        torus_joint(0.4, (3, 3), 1, (7, 7))
    with pytest.raises(UsageError, match="do not fit"):
        torus_joint(0.4, (2, 2), 1, (5, 6))


@pytest.mark.parametrize(
    ("shape", "block", "buffer"),
    [((3, 5), (1, 1), 0), ((4, 4), (1, 2), 0), ((5, 3), (3, 1), 0), ((4, 4), (2, 2), 0)],
)
@pytest.mark.parametrize("coupling", [0.44, -0.7])
def test_joint_equals_enumeration(shape, block, buffer, coupling):
    """P(V, ring) of every configuration of the torus; with E wider than the ring on 3x5, 4x4 and
    5x3."""
    states = brute.every_configuration(shape)
    weight = brute.boltzmann(brute.ising_energies(states), coupling)
    sites = [np.indices(block).reshape(2, -1).T, ring_offsets(block, buffer)]
    v, ring = (
        (states[:, *np.mod(part, shape).T] > 0) @ (1 << np.arange(len(part))) for part in sites
    )
    joint = torus_joint(coupling, block, buffer, shape)
    assert joint == pytest.approx(
        np.bincount(v * joint.shape[1] + ring, weight, joint.size).reshape(joint.shape), abs=1e-13
    )


@pytest.mark.parametrize("shape", [(8, 8), (6, 40)])
def test_energy_of_larger_tori(shape):
    """<s s'> of neighbours, from the joint distribution of a spin and its four neighbours, is
    Kaufman's energy; K off by 3 % is not."""
    signs = brute.all_spins(4)  # above, below, left, right
    moment = {
        k: float(
            (brute.all_spins(1)[:, :1] * torus_joint(k, (1, 1), 0, shape) @ signs).sum(axis=0).sum()
        )
        for k in (0.42, 1.03 * 0.42)
    }
    exact = -2 * kaufman.energy(shape, 0.42)
    assert moment[0.42] == pytest.approx(exact, rel=1e-11)
    assert abs(moment[1.03 * 0.42] - exact) > 1e-2
