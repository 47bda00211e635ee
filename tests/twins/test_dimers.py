"""The kernels of free dimers: the worm against its twin, packing, noise, and what is measured on
coverings."""

import dimers_twin
import numpy as np
import pytest
from exact import dimer_coverings, parallel_plaquettes
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.errors import DataError, UsageError
from rsmi.models.dimers import coverings as dimers
from rsmi.models.dimers import worm as kernel

SHAPES = [(2, 2), (2, 6), (4, 4), (6, 4), (8, 10), (18, 6)]
BOUNDARIES = ("periodic", "open")


def streams(chains, seed=0):
    return np.random.SeedSequence(seed).generate_state(4 * chains, np.uint64).reshape(chains, 4)


def rows(partners, rng, boundary, worms, first, count):
    """(parallel pairs, packed links, steps) of count rows."""
    vertices = int(np.prod(partners.shape[1:]))
    found = (
        np.empty(count, np.int64),
        np.empty((count, (2 * vertices + 7) // 8), np.uint8),
        np.empty(count, np.int64),
    )
    kernel.sample_chains(partners, rng, boundary, worms, first, *found)
    return found


def start(shape, chains):
    return np.stack([dimers.columns(shape)] * chains)


def unpack(packed, shape, components=2):
    bits = components * shape[0] * shape[1]
    assert not np.unpackbits(packed, axis=1, bitorder="little")[:, bits:].any()
    return np.unpackbits(packed, axis=1, count=bits, bitorder="little").reshape(
        -1, components, *shape
    )


# ---- the worm ------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", SHAPES)
def test_twin(shape, boundary):
    """The trajectory of the twin in Python, step for step."""
    partners, rng = start(shape, 1), streams(1)
    twin, stream = dimers.columns(shape), [int(word) for word in rng[0]]
    pairs, packed, steps = rows(partners, rng, boundary, 3, 0, 20)
    for row in range(20):
        assert dimers_twin.dimer_worms(twin, stream, boundary == "open", 3) == steps[row]
        links = dimers_twin.dimer_links(twin)
        assert (unpack(packed[row : row + 1], shape)[0] == links).all()
        assert pairs[row] == parallel_plaquettes(twin[None], boundary)[0]
    assert (partners[0] == twin).all()
    assert rng[0].tolist() == stream


@pytest.mark.parametrize("chains", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_chains_in_turn(chains, boundary):
    """Chains advanced together make the rows each would make alone, wherever the run is cut.
    Catches a stream shared between chains, a choice left over from one row to the next, and steps
    counted for the wrong chain."""
    shape, count = (6, 10), 103
    partners, rng = start(shape, chains), streams(chains)
    whole = rows(partners, rng, boundary, 3, 0, count)
    again, stream = start(shape, chains), streams(chains)
    pieces = [
        rows(again, stream, boundary, 3, a, b - a)
        for a, b in ((0, 1), (1, 7), (7, 8), (8, 60), (60, count))
    ]
    assert all((a == np.concatenate(b)).all() for a, b in zip(whole, zip(*pieces)))
    assert (again == partners).all()
    assert (stream == rng).all()
    for chain in range(chains):
        alone, own = start(shape, 1), streams(chains)[chain : chain + 1].copy()
        found = rows(alone, own, boundary, 3, 0, len(range(chain, count, chains)))
        assert all((a[chain::chains] == b).all() for a, b in zip(whole, found))
        assert (alone[0] == partners[chain]).all()


@settings(max_examples=50, deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 40),
    st.sampled_from(BOUNDARIES),
    st.integers(1, 6),
    st.integers(0, 2**32),
)
def test_rows_are_coverings(half_rows, half_columns, boundary, worms, seed):
    """Every row is a covering whose parallel pairs are those counted, on any even lattice."""
    shape = (2 * half_rows, 2 * half_columns)
    partners, rng = start(shape, 2), streams(2, seed)
    pairs, packed, steps = rows(partners, rng, boundary, worms, 1, 5)
    links = unpack(packed, shape)
    dimers.check_coverings(links, boundary)
    assert (dimers.parallel_pairs(links, boundary) == pairs).all()
    assert (steps >= worms).all()
    assert all(
        (kernel.measure(covering, boundary)[0] == row).all()
        for covering, row in zip(partners, (packed[3], packed[4]))
    )  # chains 0, 1


BROKEN = {
    "a vertex without its partner": (lambda p: p[0].__setitem__((0, 0), 1), "no covering"),
    "a direction that is none": (lambda p: p[0].__setitem__((0, 0), 4), "no covering"),
    "a negative direction": (lambda p: p[0].__setitem__((3, 3), -1), "no covering"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_partners_are_checked(name):
    breaking, message = BROKEN[name]
    partners = start((4, 4), 2)
    breaking(partners)
    with pytest.raises(ValueError, match=message):
        rows(partners, streams(2), "periodic", 1, 0, 2)
    with pytest.raises(ValueError, match=message):
        kernel.measure(partners[0])


def test_a_dimer_around_the_edge_of_an_open_lattice():
    partners = np.roll(dimers.columns((4, 4)), 1, axis=0)
    assert kernel.measure(partners, "periodic")[1] == 8
    with pytest.raises(ValueError, match="no covering of the open lattice 4x4"):
        kernel.measure(partners, "open")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rows(start((4, 4), 1), streams(1), "twisted", 1, 0, 1), "unknown boundary"),
        (lambda: rows(np.zeros((1, 4, 3), np.int8), streams(1), "open", 1, 0, 1), "two even sides"),
        (lambda: rows(np.zeros((1, 0, 4), np.int8), streams(1), "open", 1, 0, 1), "two even sides"),
        (
            lambda: rows(np.zeros((0, 4, 4), np.int8), streams(1), "open", 1, 0, 1),
            "partners must be",
        ),
        (
            lambda: rows(start((4, 4), 1).astype(int), streams(1), "open", 1, 0, 1),
            "partners must be",
        ),
        (lambda: rows(start((4, 4), 2), streams(1), "open", 1, 0, 1), "rng must be"),
        (
            lambda: rows(start((4, 4), 2), np.zeros((2, 4), np.uint64), "open", 1, 0, 1),
            "not all zero",
        ),
        (lambda: rows(start((4, 4), 1), streams(1), "open", 0, 0, 1), "at least one worm"),
        (lambda: rows(start((4, 4), 1), streams(1), "open", 1, -1, 1), "no negative row"),
        (
            lambda: kernel.sample_chains(
                start((4, 4), 1),
                streams(1),
                "open",
                1,
                0,
                np.zeros(2, np.int64),
                np.zeros((3, 4), np.uint8),
                np.zeros(3, np.int64),
            ),
            "must have 3 rows",
        ),
        (
            lambda: kernel.sample_chains(
                start((4, 4), 1),
                streams(1),
                "open",
                1,
                0,
                np.zeros(3, np.int64),
                np.zeros((3, 5), np.uint8),
                np.zeros(3, np.int64),
            ),
            "4 bytes",
        ),
    ],
)
def test_bad_calls(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- noise ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("pairing", kernel.PAIRINGS)
@pytest.mark.parametrize("shape", [(2, 2), (4, 6), (2, 66), (10, 14), (4, 128)])
def test_noise_twin(shape, pairing):
    """Every spin as the twin draws it; the links untouched; the rows of a run cut anywhere."""
    packed = rows(start(shape, 1), streams(1), "periodic", 1, 0, 4)[1]
    key = np.array([11, 12], np.uint64)
    noisy = kernel.add_noise(packed, shape, 0.7, pairing, key, 5)
    spins = unpack(noisy, shape, 4)
    for row, sample in enumerate(spins):
        vertices, faces = dimers_twin.dimer_noise(shape, 0.7, pairing == "straddling", key, 5 + row)
        assert (sample[0] == vertices).all()
        assert (sample[3] == faces).all()
    assert (spins[:, dimers.LINKS] == unpack(packed, shape)).all()
    assert (kernel.add_noise(packed[2:], shape, 0.7, pairing, key, 7) == noisy[2:]).all()


@pytest.mark.parametrize("pairing", kernel.PAIRINGS)
@pytest.mark.parametrize("probability", [0.0, 0.3, 0.982, 1.0])
def test_noise_probability(probability, pairing):
    """Fair coins, equal in pairs with the probability asked for, pairs independent. The other
    pairing measured on the same spins shows 1/2, so a mix-up of the two would be seen."""
    shape, n = (16, 16), 400
    links = np.zeros((n, 64), np.uint8)
    spins = unpack(
        kernel.add_noise(links, shape, probability, pairing, np.array([1, 2], np.uint64), 0),
        shape,
        4,
    )
    spins_of, count = spins[:, [0, 3]], n * 256
    assert abs(spins_of.mean() - 0.5) < 4 * 0.5 / np.sqrt(count)
    agreement = dimers.noise_agreement(spins, pairing).mean()
    assert abs(agreement - probability) <= 4 * np.sqrt(probability * (1 - probability) / count)
    other = next(name for name in kernel.PAIRINGS if name != pairing)
    assert abs(dimers.noise_agreement(spins, other).mean() - 0.5) < 4 * 0.5 / np.sqrt(count)


def test_noise_refuses():
    links, key = np.zeros((1, 4), np.uint8), np.array([1, 2], np.uint64)
    for arguments, message in (
        ((links, (4, 4), 1.5, "cell", key, 0), "between 0 and 1"),
        ((links, (4, 4), np.nan, "cell", key, 0), "between 0 and 1"),
        ((links, (4, 4), 0.5, "diagonal", key, 0), "unknown pairing"),
        ((links, (4, 6), 0.5, "cell", key, 0), "6 bytes"),
        ((links, (4, 4), 0.5, "cell", key[:1], 0), "2 words"),
        ((links, (4, 5), 0.5, "cell", key, 0), "two even sides"),
    ):
        with pytest.raises(ValueError, match=message):
            kernel.add_noise(*arguments)
    assert kernel.add_noise(links[:0], (4, 4), 0.5, "cell", key, 0).shape == (0, 8)


# ---- coverings as arrays -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torus():
    """The 272 coverings of the 4x4 torus, links (272, 2, 4, 4)."""
    return np.array([dimers_twin.dimer_links(covering) for covering in dimer_coverings((4, 4))])


def test_windings(torus):
    """Conserved from column to column, and distributed as the enumeration of coverings says;
    columns and staggered states by hand."""
    sign = (-1) ** np.add.outer(range(4), range(4))
    found = dimers.windings(torus)
    for place in range(4):
        assert (found[:, 0] == (sign * torus[:, 0]).sum(axis=2)[:, place]).all()
        assert (found[:, 1] == (sign * torus[:, 1]).sum(axis=1)[:, place]).all()
    values, counts = np.unique(found[:, 0], return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist())) == {0: 198, 1: 36, -1: 36, 2: 1, -2: 1}
    staggered = np.zeros((1, 2, 6, 6), np.uint8)
    staggered[0, 0] = (1 + (-1) ** np.add.outer(range(6), range(6))) // 2
    assert dimers.windings(staggered).tolist() == [[3, 0]]
    assert dimers.parallel_pairs(staggered)[0] == 0


@pytest.mark.parametrize("axis", [0, 1])
def test_columnar_states(axis):
    """Order 1 along the axis, N/2 parallel pairs, no winding; the other columns have the opposite
    sign."""
    partners = (
        dimers.columns((6, 8)) if axis == 0 else np.where(dimers.columns((8, 6)).T == 0, 1, 3)
    )
    links = dimers_twin.dimer_links(partners)[None]
    order = dimers.columnar_order(links)[0]
    assert order[axis] == 1
    assert order[1 - axis] == 0
    assert dimers.parallel_pairs(links)[0] == 24
    assert (dimers.windings(links) == 0).all()
    assert dimers.columnar_order(np.roll(links, 1, axis=2 + axis))[0, axis] == -1


def test_observables(torus):
    """The averages over all coverings: parallel pairs .117647 a plaquette and orientation, <W_x^2>
    .294118 on 4x4."""
    found = dimers.observables(torus)
    assert found["energy"].mean() / 16 == pytest.approx(-2 * 0.117647, abs=1e-6)
    assert found["winding_squared"].mean() == pytest.approx(0.294118, abs=1e-6)
    assert "winding_squared" not in dimers.observables(torus, "open")


@pytest.mark.parametrize(("vertex", "count"), [((0, 0), 0), ((3, 3), 0), ((2, 1), 2), ((0, 2), 3)])
def test_a_broken_covering_is_named(torus, vertex, count):
    """Sample and vertex: the first with no dimer, two, or three."""
    samples = torus.copy()
    x, y = vertex
    links = [(0, x, y), (1, x, y), (0, (x - 1) % 4, y), (1, x, (y - 1) % 4)]
    for k, link in enumerate(links):
        samples[(7, *link)] = k < count
    with pytest.raises(
        DataError,
        match=r"old.h5: no dimer covering: sample 107 has \d dimers at the vertex \(\d, \d\)",
    ) as caught:
        dimers.check_coverings(samples, "periodic", "old.h5", 100)
    named = tuple(int(x) for x in str(caught.value).split("(")[1].split(")")[0].split(","))
    assert dimers.dimers_at(samples)[7][named] == int(str(caught.value).split(" has ")[1][0]) != 1
    assert (dimers.dimers_at(samples)[7] != 1)[vertex]


def test_check_coverings(torus):
    dimers.check_coverings(torus)
    with pytest.raises(DataError, match="around the edge"):
        dimers.check_coverings(torus, "open")
    dimers.check_coverings(
        [dimers_twin.dimer_links(covering) for covering in dimer_coverings((4, 4), "open")], "open"
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 4), "3 vertices along a side"),
        ((4, 4, 4), "two axes"),
        ((4,), "two axes"),
        ((0, 4), "from 2 to"),
        ((32002, 4), "from 2 to 32000"),
        ((5800, 5800), "2\\^25"),
    ],
)
def test_shapes_without_coverings(shape, message):
    with pytest.raises(UsageError, match=message):
        dimers.check_shape(shape)
