"""Interacting dimers follow their slow twin bit for bit, and their coverings come with the weights exp(K parallel plaquettes)."""

import itertools

import numpy as np
import pytest
from exact import dimer_coverings, parallel_plaquettes
from reference import dimer_loop_scatter, dimer_worm

from rsmi.kernels.dimers_loop import sample_chains, scatter

COUPLINGS = [0.0, 0.3, 1.0, 2.0, -0.4, -1.5]
BOUNDARIES = ("periodic", "open")


def columnar(shape, chains=1):
    partners = np.zeros((chains, *shape), dtype=np.int8)
    partners[:, 1::2] = 2
    return partners


def streams(chains, seed):
    return np.random.default_rng(seed).integers(1, 2**64, size=(chains, 4), dtype=np.uint64)


def sample(partners, coupling, rng, boundary, worms, count, first=0):
    """Parallel pairs (count,), links (count, 2, Lx, Ly), steps (count,)."""
    shape = partners.shape[1:]
    pairs, steps = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    links = np.empty((count, (2 * partners[0].size + 7) // 8), dtype=np.uint8)
    sample_chains(partners, coupling, rng, boundary, worms, first, pairs, links, steps)
    bits = np.unpackbits(links, axis=1, bitorder="little")
    assert not bits[:, 2 * partners[0].size:].any()
    return pairs, bits[:, : 2 * partners[0].size].reshape(count, 2, *shape), steps


# --- the turns of the head --------------------------------------------------------------------------------------------

TURNS = [turn for turn in itertools.product(range(4), repeat=4) if turn[0] < 3]


@pytest.mark.parametrize("coupling", [*COUPLINGS, 1 / 0.65, 20.0, -20.0])
def test_turns_have_detailed_balance(coupling):
    """w_i P_ij = w_j P_ji on every neighbourhood, in every choice of the link of arrival; nothing goes where there is no link."""
    for turn in itertools.product(range(4), repeat=4):
        weight = np.array([np.exp(coupling * n) if n < 3 else 0 for n in turn])
        flow = np.zeros((4, 4))
        for i in np.flatnonzero(weight):
            moves = np.roll(scatter(np.roll(turn, -i).tolist(), coupling), i)
            assert moves.min() >= 0 and moves[weight == 0].sum() == 0
            assert moves.sum() == pytest.approx(1, abs=1e-14)
            assert all(moves[j] > 0 for j in np.flatnonzero(weight) if j != i)
            flow[i] = weight[i] * moves
        np.testing.assert_allclose(flow, flow.T, rtol=1e-12, atol=0)


def test_free_heads_never_bounce():
    for turn in TURNS:
        others = sum(n < 3 for n in turn[1:])
        expected = [0 if others else 1, *(1 / others if n < 3 else 0 for n in turn[1:])]
        np.testing.assert_allclose(scatter(turn, 0.0), expected, atol=1e-15)


def test_bounces_are_few():
    """Where one weight exceeds the rest, what is left of it bounces; else only the share of the heat bath does."""
    for coupling in COUPLINGS:
        for turn in TURNS:
            weight = np.array([np.exp(coupling * n) if n < 3 else 0 for n in turn])
            least = max(0, 2 * weight[0] - weight.sum()) / weight[0]
            assert least - 1e-12 <= scatter(turn, coupling)[0] <= least + 1 / 32


@pytest.mark.parametrize("coupling", [*COUPLINGS, 1e5, -1e300])
def test_turns_of_the_twin(coupling):
    for turn in TURNS:
        np.testing.assert_allclose(scatter(turn, coupling), dimer_loop_scatter(turn, coupling), rtol=1e-14, atol=1e-16)


# --- trajectories -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", [(2, 2), (2, 6), (6, 2), (4, 4), (4, 10), (8, 6)], ids=str)
def test_twin(shape, boundary):
    for seed, coupling in enumerate(COUPLINGS):
        chains, worms, count = 1 + seed, 2, 12
        partners, rng = columnar(shape, chains), streams(chains, seed)
        expected, states = partners.copy(), [[int(word) for word in stream] for stream in rng]
        pairs, links, steps = sample(partners, coupling, rng, boundary, worms, count)
        for row in range(count):
            chain = row % chains
            assert steps[row] == sum(dimer_worm(expected[chain], coupling, states[chain], boundary) for _ in range(worms))
            assert pairs[row] == parallel_plaquettes(expected[chain : chain + 1], boundary)[0]
            np.testing.assert_array_equal(links[row], [expected[chain] == 0, expected[chain] == 1])
        np.testing.assert_array_equal(partners, expected)
        np.testing.assert_array_equal(rng, np.array(states, dtype=np.uint64))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("chains", [1, 2, 3, 4, 7])
def test_cut_runs(chains, boundary):
    """Rows do not depend on where a run is cut, nor on the other chains."""
    whole, rng = columnar((6, 8), chains), streams(chains, 3)
    cut, cut_rng, one, one_rng = whole.copy(), rng.copy(), whole[1 % chains].copy()[None], rng[1 % chains].copy()[None]
    pairs, links, _ = sample(whole, 0.7, rng, boundary, 3, 23)
    pieces = [sample(cut, 0.7, cut_rng, boundary, 3, count, first) for first, count in ((0, 1), (1, 9), (10, 0), (10, 13))]
    np.testing.assert_array_equal(np.concatenate([piece[0] for piece in pieces]), pairs)
    np.testing.assert_array_equal(np.concatenate([piece[1] for piece in pieces]), links)
    np.testing.assert_array_equal(cut, whole)
    np.testing.assert_array_equal(cut_rng, rng)
    rows = range(1 % chains, 23, chains)
    np.testing.assert_array_equal(sample(one, 0.7, one_rng, boundary, 3, len(rows))[1], links[list(rows)])


# --- against enumeration ----------------------------------------------------------------------------------------------


def chi_squared(shape, boundary, coupling, assumed, samples, worms, seed=1):
    """z of chi^2 of the coverings found at a coupling against the weights at the assumed one; those expected less than 5 times pooled."""
    coverings = dimer_coverings(shape, boundary)
    number = {np.array([c == 0, c == 1]).tobytes(): k for k, c in enumerate(coverings)}
    pairs, links, _ = sample(columnar(shape, 4), coupling, streams(4, seed), boundary, worms, samples)
    of_sample = np.array([number[link.astype(bool).tobytes()] for link in links[samples // 20 :]])
    np.testing.assert_array_equal(parallel_plaquettes(coverings, boundary)[of_sample], pairs[samples // 20 :])
    found = np.bincount(of_sample, minlength=len(coverings))
    weight = np.exp(assumed * parallel_plaquettes(coverings, boundary))
    expected = weight / weight.sum() * found.sum()
    rare = expected < 5
    assert found[~rare].min() > 0
    terms = (found - expected)[~rare] ** 2 / expected[~rare]
    freedom, total = len(terms) - 1, terms.sum()
    if expected[rare].sum() >= 5:
        total, freedom = total + (found - expected)[rare].sum() ** 2 / expected[rare].sum(), freedom + 1
    return (total - freedom) / np.sqrt(2 * freedom)


@pytest.mark.parametrize("coupling", [0.0, 0.25, 0.6, 1.0, -0.5, -2.0])
def test_coverings_of_the_4x4_torus(coupling):
    """All 272, in all winding sectors, with their weights; ten worms decorrelate them."""
    assert len(dimer_coverings((4, 4))) == 272
    assert abs(chi_squared((4, 4), "periodic", coupling, coupling, 40_000, 10)) < 4


@pytest.mark.parametrize(("shape", "number"), [((4, 4), 36), ((4, 6), 281)])
@pytest.mark.parametrize("coupling", [0.0, 0.5, -0.7])
def test_coverings_of_open_lattices(shape, number, coupling):
    assert len(dimer_coverings(shape, "open")) == number
    assert abs(chi_squared(shape, "open", coupling, coupling, 20_000, 20)) < 4


def test_a_wrong_coupling_would_be_seen():
    """A chain 12 % off in K is caught."""
    assert chi_squared((4, 4), "periodic", 0.6, 0.68, 40_000, 10) > 8


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_refusals():
    good, rng = columnar((4, 4)), streams(1, 0)
    for coupling in (np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            sample(good, coupling, rng, "periodic", 1, 1)
    with pytest.raises(ValueError, match="unknown boundary"):
        sample(good, 0.0, rng, "twisted", 1, 1)
    with pytest.raises(ValueError, match="two even sides"):
        sample(columnar((4, 5)), 0.0, rng, "periodic", 1, 1)
    with pytest.raises(ValueError, match="at least one worm"):
        sample(good, 0.0, rng, "periodic", 0, 1)
    broken = good.copy()
    broken[0, 0, 0] = 1
    with pytest.raises(ValueError, match="no covering"):
        sample(broken, 0.0, rng, "periodic", 1, 1)
    around = columnar((4, 4))
    around[0, 0], around[0, 3], around[0, 1], around[0, 2] = 2, 0, 0, 2
    sample(around.copy(), 0.0, rng, "periodic", 1, 1)
    with pytest.raises(ValueError, match="no covering of the open"):
        sample(around, 0.0, rng, "open", 1, 1)
    with pytest.raises(ValueError, match="first below 3"):
        scatter([3, 0, 0, 0], 0.0)
