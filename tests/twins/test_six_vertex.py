"""Loops of the six-vertex model follow their slow twin bit for bit."""

import numpy as np
import pytest
import six_vertex_twin as twin

from rsmi.lattice.packed import unpack_bits, unpack_spins
from rsmi.models.six_vertex.arrows import c_vertices, divergence, ordered_vertices
from rsmi.models.six_vertex.loop import sample_chains


def chains_of(shape, chains, seed):
    """Parallel arrows and streams."""
    vertices = np.stack([ordered_vertices(shape, chain) for chain in range(chains)])
    rng = np.random.default_rng(seed).integers(1, 2**64, size=(chains, 4), dtype=np.uint64)
    return vertices, rng


def sample(vertices, rng, loops, count, first=0, weight=1.3):
    """Arrows (count, 2, Lx, Ly) of +-1, numbers of c vertices and of steps (count,)."""
    links = np.empty((count, (2 * vertices[0].size + 7) // 8), dtype=np.uint8)
    found, steps = np.empty((2, count), dtype=np.int64)
    sample_chains(vertices, weight, rng, loops, first, links, found, steps)
    assert not unpack_bits(links, (links.shape[1] * 8,))[:, 2 * vertices[0].size :].any()
    return unpack_spins(links, (2, *vertices.shape[1:])), found, steps


@pytest.mark.parametrize(
    ("shape", "chains", "weight"),
    [((2, 2), 2, 1.0), ((3, 2), 1, 0.4), ((2, 5), 3, 1.7), ((4, 6), 9, 2.0)],
)
def test_twin(shape, chains, weight):
    vertices, rng = chains_of(shape, chains, seed=chains)
    states = [[int(word) for word in stream] for stream in rng]
    expected = [vertices[chain][..., None] >> np.arange(4) & 1 > 0 for chain in range(chains)]
    arrows, found, steps = sample(vertices, rng, 2, 24, weight=weight)
    for number in range(24):
        chain = number % chains
        out = expected[chain]
        assert steps[number] == sum(twin.loop(out, weight, states[chain]) for _ in range(2))
        np.testing.assert_array_equal(out, twin.outward(arrows[number]))
    assert not divergence(arrows).any()
    np.testing.assert_array_equal(found, c_vertices(arrows).sum(axis=(1, 2)))
    np.testing.assert_array_equal(
        vertices, [np.packbits(out, axis=2, bitorder="little")[..., 0] for out in expected]
    )
    np.testing.assert_array_equal(rng, np.array(states, dtype=np.uint64))


@pytest.mark.parametrize("chains", [1, 3, 8, 11])
def test_cut_runs(chains):
    """Rows do not depend on where a run is cut, nor on the other chains."""
    whole, rng = chains_of((5, 4), chains, 3)
    cut, cut_rng = whole.copy(), rng.copy()
    one, one_rng = whole[1 % chains][None].copy(), rng[1 % chains][None].copy()
    arrows, _, _ = sample(whole, rng, 3, 23)
    pieces = [
        sample(cut, cut_rng, 3, count, first)[0]
        for first, count in ((0, 1), (1, 9), (10, 0), (10, 13))
    ]
    np.testing.assert_array_equal(np.concatenate(pieces), arrows)
    np.testing.assert_array_equal(cut, whole)
    np.testing.assert_array_equal(cut_rng, rng)
    rows = range(1 % chains, 23, chains)
    np.testing.assert_array_equal(sample(one, one_rng, 3, len(rows))[0], arrows[list(rows)])


def test_refusals():
    vertices, rng = chains_of((4, 4), 2, 0)
    with pytest.raises(ValueError, match="two sides from 2"):
        sample(np.zeros((1, 1, 4), dtype=np.uint8), rng[:1], 1, 1)
    with pytest.raises(ValueError, match="at least one loop"):
        sample(vertices, rng, 0, 1)
    with pytest.raises(ValueError, match="lies from 0.001 to 2"):
        sample(vertices, rng, 1, 1, weight=2.1)
    with pytest.raises(ValueError, match="not all zero"):
        sample(vertices, np.zeros_like(rng), 1, 1)
    for wrong in (0, 7, 0b0101, 19):
        broken = vertices.copy()
        broken[0, 1, 2] = wrong
        with pytest.raises(ValueError, match="ice rule"):
            sample(broken, rng, 1, 1)
