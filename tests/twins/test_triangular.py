"""Worms of the triangular ground states follow their slow twin bit for bit."""

import numpy as np
import pytest
import triangular_twin as twin

from rsmi.lattice.packed import unpack_bits
from rsmi.models.triangular_ground_states.ground_states import flat_bonds, frustrated_triangles
from rsmi.models.triangular_ground_states.worm import sample_chains, spins_of


def chains_of(shape, chains, seed):
    """Flat bonds and streams."""
    bonds = np.stack([flat_bonds(shape, chain) for chain in range(chains)])
    rng = np.random.default_rng(seed).integers(1, 2**64, size=(chains, 4), dtype=np.uint64)
    return bonds, rng


def sample(bonds, rng, worms, count, first=0):
    """Spins (count, Lx, Ly) of 0 and 1, and steps (count,)."""
    spins = np.empty((count, (bonds[0].size + 7) // 8), dtype=np.uint8)
    steps = np.empty(count, dtype=np.int64)
    sample_chains(bonds, rng, worms, first, spins, steps)
    assert not np.unpackbits(spins, axis=1, bitorder="little")[:, bonds[0].size :].any()
    return unpack_bits(spins, bonds.shape[1:]), steps


@pytest.mark.parametrize(("shape", "chains"), [((3, 3), 2), ((6, 3), 1), ((3, 6), 3), ((6, 6), 9)])
def test_twin(shape, chains):
    bonds, rng = chains_of(shape, chains, seed=chains)
    expected, states = bonds.copy(), [[int(word) for word in stream] for stream in rng]
    spins, steps = sample(bonds, rng, 2, 12)
    for number in range(12):
        chain = number % chains
        row, taken = twin.row(expected[chain], states[chain], 2)
        np.testing.assert_array_equal(spins[number], row)
        assert steps[number] == taken
    np.testing.assert_array_equal(bonds, expected)
    np.testing.assert_array_equal(rng, np.array(states, dtype=np.uint64))


@pytest.mark.parametrize("chains", [1, 3, 8, 11])
def test_cut_runs(chains):
    """Rows do not depend on where a run is cut, nor on the other chains."""
    whole, rng = chains_of((9, 6), chains, 3)
    cut, cut_rng = whole.copy(), rng.copy()
    one, one_rng = whole[1 % chains][None].copy(), rng[1 % chains][None].copy()
    spins, _ = sample(whole, rng, 3, 23)
    pieces = [
        sample(cut, cut_rng, 3, count, first)[0]
        for first, count in ((0, 1), (1, 9), (10, 0), (10, 13))
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), spins)
    np.testing.assert_array_equal(cut, whole)
    np.testing.assert_array_equal(cut_rng, rng)
    rows = range(1 % chains, 23, chains)
    np.testing.assert_array_equal(sample(one, one_rng, 3, len(rows))[0], spins[list(rows)])


@pytest.mark.parametrize("shape", [(3, 3), (6, 9), (12, 3)], ids=str)
def test_spins_of_flat_bonds(shape):
    """No triangle has three equal spins, the sign is that of the first spin, and a covering whose
    paths around the torus are odd has no spins."""
    for state in range(3):
        bonds = flat_bonds(shape, state)
        up, down = (unpack_bits(spins_of(bonds, sign)[None], shape)[0] for sign in (True, False))
        np.testing.assert_array_equal(up, twin.spins_of(bonds, 1))
        np.testing.assert_array_equal(up, 1 - down)
        assert not frustrated_triangles(up[None]).any()
    stripes = np.zeros(shape, dtype=np.uint8)
    assert (spins_of(stripes) is None) == (twin.spins_of(stripes, 1) is None) == bool(shape[1] % 2)


def test_refusals():
    bonds, rng = chains_of((6, 6), 2, 0)
    with pytest.raises(ValueError, match="multiples of 3"):
        sample(np.zeros((1, 3, 4), dtype=np.uint8), rng[:1], 1, 1)
    with pytest.raises(ValueError, match="at least one worm"):
        sample(bonds, rng, 0, 1)
    with pytest.raises(ValueError, match="4 words a chain"):
        sample(bonds, rng[:1], 1, 1)
    with pytest.raises(ValueError, match="C-contiguous uint8"):
        sample(bonds.astype(np.int64), rng, 1, 1)
    with pytest.raises(ValueError, match="the outputs must have"):
        sample_chains(bonds, rng, 1, 0, np.empty((2, 4), np.uint8), np.empty(2, np.int64))
    bonds[0, 0, 0] = 0
    with pytest.raises(ValueError, match="no ground state"):
        sample(bonds, rng, 1, 1)
    with pytest.raises(ValueError, match="no ground state"):
        spins_of(bonds[0])
