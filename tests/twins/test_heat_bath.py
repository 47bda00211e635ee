"""The heat bath of any lattice: the same bits by every path and from its slow twins, conversions,
counts, refusals."""

import itertools

import numpy as np
import pytest
from heat_bath_twin import Lattice, Replicas, chain_sweeps, swendsen_wang, wolff

from rsmi.models.lattice.clusters import Bonds, sample_clusters
from rsmi.models.lattice.heat_bath import (
    KIND,
    MOST_CLASSES,
    REPLICAS,
    System,
    count,
    count_up,
    exchange,
    pack,
    paths,
    sample_chain,
    seed,
    sweep_replicas,
    unpack,
)

# Every form that has a loop of its own, and others: (exclusive, sizes of groups) of each kind.
FORMS = [
    [(1, (4,))],
    [(1, (6,))],
    [(0, (3,))],
    [(0, (4,))],
    [(0, (6,))],
    [(0, (8,))],
    [(0, (2, 2))],
    [(0, (4, 4))],
    [(0, (1,)), (0, (2,)), (0, (5,))],
    [(0, (1, 1, 1, 1, 1, 1))],
    [(0, (2, 2, 2, 1)), (0, ())],
    [(0, (7, 5)), (0, (12,))],
    [(1, (3, 4)), (0, (15,)), (1, (2, 1, 2))],
    [(0, (63,))],
]


def random_system(kinds, sites=20, seed_number=1):
    """The arrays of a graph that is random but for its kinds, with probabilities that include 0
    and 1."""
    random = np.random.default_rng(seed_number)
    kind_of = np.sort(random.integers(0, len(kinds), sites)).astype(np.int32)
    rows = np.zeros((len(kinds), KIND), dtype=np.int64)
    first = 0
    for row, (exclusive, sizes) in zip(rows, kinds):
        classes = np.prod([2 if g < exclusive else n + 1 for g, n in enumerate(sizes)], dtype=int)
        row[: 4 + len(sizes)] = exclusive, len(sizes), classes, first, *sizes
        first += classes
    neighbours = []
    for site, kind in enumerate(kind_of):
        others = (site + random.integers(1, sites, sum(kinds[kind][1]))) % sites
        neighbours.append(others.astype(np.int32))
    start = np.cumsum([0, *map(len, neighbours)])
    probabilities = random.integers(0, 2**64, first, dtype=np.uint64)
    probabilities[random.random(first) < 0.1] = 0
    probabilities[random.random(first) < 0.1] = 2**64 - 1
    return kind_of, start, np.concatenate(neighbours), rows, probabilities


def random_start(sites, seed_number=2):
    random = np.random.default_rng(seed_number)
    up = random.integers(0, 2, (REPLICAS, sites), dtype=np.uint8)
    rng = random.integers(0, 2**64, size=4, dtype=np.uint64)
    return up, rng, unpack(np.packbits(up, axis=1, bitorder="little"), sites)


def configurations_of(spins):
    rows = np.empty((REPLICAS, (len(spins) + 7) // 8), dtype=np.uint8)
    pack(spins, rows)
    return np.unpackbits(rows, axis=1, bitorder="little", count=len(spins))


@pytest.mark.parametrize(("path", "draws"), [("auto", (8, 16)), ("stress", (3, 6))])
@pytest.mark.parametrize("kinds", FORMS, ids=str)
def test_twin_of_replicas(kinds, path, draws):
    """Under stress, with 3 and 6 draws, every batch has clashes and replicas that never met a
    tail."""
    arrays = random_system(kinds, 64 if (0, (63,)) in kinds else 20)
    system, lattice = System(*arrays), Lattice(*arrays)
    up, rng, spins = random_start(system.sites)
    twin, generator = Replicas(lattice, up, [int(word) for word in rng], *draws), seed(rng)
    np.testing.assert_array_equal(system.order, twin.order)
    for _ in range(2):
        sweep_replicas(system, spins, generator, 1, path)
        twin.sweep()
        np.testing.assert_array_equal(configurations_of(spins), twin.up)
        np.testing.assert_array_equal(generator, twin.generator())


@pytest.mark.parametrize("kinds", FORMS, ids=str)
def test_paths_give_the_same_bits(kinds):
    system = System(*random_system(kinds, 70))
    results = []
    for path in paths():
        _, rng, spins = random_start(system.sites)
        generator = seed(rng)
        sweep_replicas(system, spins, generator, 5, path)
        results.append((spins, generator))
    assert len(results) >= 1
    for spins, generator in results[1:]:
        np.testing.assert_array_equal(spins, results[0][0])
        np.testing.assert_array_equal(generator, results[0][1])


@pytest.mark.parametrize("kinds", [*FORMS, [(0, (4, 4, 4)), (1, (2, 9, 9))]], ids=str)
def test_twin_of_a_chain(kinds):
    """One lattice; tables of more than 64 classes too."""
    arrays = random_system(kinds)
    system, lattice = System(*arrays), Lattice(*arrays)
    up, rng, _ = random_start(system.sites)
    spins, expected, words = up[0].copy(), up[0].copy(), [int(word) for word in rng]
    rows = np.empty((3, (system.sites + 7) // 8), dtype=np.uint8)
    sample_chain(system, spins, rng, 2, rows)
    for row in rows:
        chain_sweeps(lattice, expected, words, 2)
        np.testing.assert_array_equal(row, np.packbits(expected, bitorder="little"))
    np.testing.assert_array_equal(spins, expected)
    assert rng.tolist() == words


@pytest.mark.parametrize("field", [0.0, 0.3])
@pytest.mark.parametrize(
    ("algorithm", "update"), [("swendsen-wang", swendsen_wang), ("wolff", wolff)]
)
def test_twin_of_clusters(algorithm, update, field):
    """Bonds of both signs, some of them double, and a site without any."""
    random = np.random.default_rng(5)
    pairs = random.integers(0, 23, (40, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    order, groups = np.argsort(ends[:, 0], kind="stable"), np.arange(len(pairs)) % 2
    bonds = (
        np.concatenate([[0], np.cumsum(np.bincount(ends[:, 0], minlength=24))]),
        ends[order, 1].astype(np.int32),
        np.tile(groups, 2)[order].astype(np.int32),
        np.array([2**63, 2**62], dtype=np.uint64),
        np.array([0, 1], dtype=np.uint8),
        field,
    )
    spins = random.integers(0, 2, 24, dtype=np.uint8)
    rng = random.integers(0, 2**64, size=4, dtype=np.uint64)
    expected, words = spins.copy(), [int(word) for word in rng]
    rows = np.empty((10, 3), dtype=np.uint8)
    sample_clusters(Bonds(*bonds), spins, rng, algorithm, 2, rows)
    for row in rows:
        for _ in range(2):
            update(bonds, expected, words)
        np.testing.assert_array_equal(row, np.packbits(expected, bitorder="little"))
    assert rng.tolist() == words


def test_refusals_of_clusters():
    good = [
        np.array([0, 1, 2]),
        np.array([1, 0], dtype=np.int32),
        np.zeros(2, dtype=np.int32),
        np.array([2**63], dtype=np.uint64),
        np.zeros(1, dtype=np.uint8),
        0.0,
    ]
    Bonds(*good)
    wrong = [(0, np.array([0, 1, 3])), (1, np.array([1, 2], dtype=np.int32)), (5, np.nan)]
    wrong += [(2, np.ones(2, dtype=np.int32)), (4, np.zeros(2, dtype=np.uint8))]
    for place, value in wrong:
        with pytest.raises(ValueError):
            Bonds(*good[:place], value, *good[place + 1 :])
    row, rng = np.empty((1, 1), dtype=np.uint8), np.arange(1, 5, dtype=np.uint64)
    with pytest.raises(ValueError, match="wolff"):
        sample_clusters(Bonds(*good), np.zeros(2, dtype=np.uint8), rng, "metropolis", 1, row)
    with pytest.raises(ValueError):
        sample_clusters(Bonds(*good), np.full(2, 2, dtype=np.uint8), rng, "wolff", 1, row)
    with pytest.raises(ValueError):
        sample_clusters(Bonds(*good), np.zeros(3, dtype=np.uint8), rng, "wolff", 1, row)


@pytest.mark.parametrize("sites", [1, 7, 64, 65, 200])
def test_rows_and_counts(sites):
    """Packing is the inverse of unpacking, and counts are those of the configurations."""
    up, _, spins = random_start(sites)
    np.testing.assert_array_equal(configurations_of(spins), up)
    np.testing.assert_array_equal(count_up(spins), up.sum(axis=1))
    for n in (0, 1, 15, 16, 17, 1000):
        bonds = np.random.default_rng(n).integers(0, sites, (n, 2), dtype=np.int32)
        a, b = up[:, bonds[:, 0]], up[:, bonds[:, 1]]
        np.testing.assert_array_equal(count(spins, bonds, True), (a ^ b).sum(axis=1))
        np.testing.assert_array_equal(count(spins, bonds, False), (a & b).sum(axis=1))


@pytest.mark.parametrize("sites", [1, 70])
def test_exchanges(sites):
    """The replicas of a mask change places, all others stay."""
    generator = np.random.default_rng(sites)
    one, other = (generator.integers(0, 2, (REPLICAS, sites)) > 0 for _ in range(2))
    rows = [np.packbits(up, axis=1, bitorder="little") for up in (one, other)]
    spins = [unpack(packed, sites) for packed in rows]
    mask = generator.random(REPLICAS) < 0.3
    exchange(*spins, mask)
    for first, second, found in ((one, other, spins[0]), (other, one, spins[1])):
        expected = np.where(mask[:, np.newaxis], second, first)
        np.testing.assert_array_equal(configurations_of(found), expected)
    for wrong in (mask[:-1], mask.astype(np.uint8)):
        with pytest.raises(ValueError):
            exchange(*spins, wrong)


def test_batches_of_a_square_lattice_are_full():
    """Every other site of a piece of a row: no neighbours, and no place is empty."""
    side = 32
    sites = np.arange(side * side).reshape(side, side)
    near = [np.roll(sites, step, axis) for axis, step in itertools.product((0, 1), (1, -1))]
    neighbours = np.stack(near, axis=-1).reshape(-1).astype(np.int32)
    kinds = np.zeros((1, KIND), dtype=np.int64)
    kinds[0, :5] = 0, 1, 5, 0, 4
    system = System(
        np.zeros(side * side, dtype=np.int32),
        np.arange(0, 4 * side * side + 1, 4),
        neighbours,
        kinds,
        np.full(5, 2**63, dtype=np.uint64),
    )
    assert len(system.order) == side * side / 8
    assert system.order[:2].tolist() == [list(range(0, 16, 2)), list(range(1, 17, 2))]


def changed(arrays, number, place, value):
    copies = [array.copy() for array in arrays]
    copies[number][place] = value
    return copies


def test_refusals():
    """Arrays that contradict each other never reach a kernel."""
    good = random_system([(0, (4,)), (1, (2, 3))])
    System(*good)
    wrong = [
        (0, 3, 2),  # there is no such kind
        (0, 3, -1),
        (1, 5, 3),  # not the number of neighbours of the kind
        (1, -1, 10**6),
        (2, 0, 20),  # no such site
        (2, 0, -1),
        (2, 0, 0),  # its own neighbour
        (3, (0, 0), 2),  # exclusive
        (3, (0, 1), 13),  # groups
        (3, (0, 2), 6),  # classes
        (3, (0, 3), 10**6),  # place of the table
        (3, (0, 4), 0),  # size of a group
    ]
    for number, place, value in wrong:
        with pytest.raises(ValueError):
            System(*changed(good, number, place, value))
    large = System(*random_system([(0, (7, 8))]))
    assert not large.fits_replicas and 8 * 9 > MOST_CLASSES
    _, rng, spins = random_start(large.sites)
    with pytest.raises(ValueError, match="64 entries"):
        sweep_replicas(large, spins, seed(rng), 1)
    system = System(*good)
    with pytest.raises(ValueError, match="path"):
        sweep_replicas(system, spins, seed(rng), 1, "mmx")
    with pytest.raises(ValueError):
        sweep_replicas(system, spins, seed(rng), -1)
    with pytest.raises(ValueError):
        sweep_replicas(system, spins[:-1].copy(), seed(rng), 1)
    with pytest.raises(ValueError):
        sample_chain(system, np.full(20, 2, dtype=np.uint8), rng, 1, np.empty((1, 3), np.uint8))
    with pytest.raises(ValueError):
        count(spins, np.array([[0, 20]], dtype=np.int32), True)
