"""Operators in one, two and three dimensions and their sums along a flow."""

from math import prod

import blocking_twin as twins
import exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.kernels.operators import accumulate_levels
from rsmi.renormalization import level_sums, operators
from rsmi.renormalization.rules import (
    Rule,
    coarse_grain,
    decimation,
    majority,
    majority_ties_up,
    staggered,
)

KEYS = np.arange(1, 7, dtype=np.uint64).reshape(3, 2)


def random_spins(seed, n, shape):
    return np.random.default_rng(seed).choice([-1, 1], size=(n, *shape))


def sums_by_hand(spins):
    return [
        [[twins.operator_sum(s, operators.symmetric_copies(o)) for o in sector] for s in spins]
        for sector in operators.OPERATORS[spins.ndim - 1].values()
    ]


LENGTH = st.one_of(st.integers(1, 9), st.integers(60, 140))


@settings(max_examples=60, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(LENGTH),
        st.tuples(st.integers(1, 9), LENGTH),
        st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 70)),
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_kernel_equals_twin(shape, seed):
    """Odd and even sizes, sizes below the range of the operators, rows of one word and of
    several."""
    spins = random_spins(seed, 2, shape)
    even, odd = operators.operator_sums(twins.pack(spins), shape)
    expected_even, expected_odd = sums_by_hand(spins)
    assert np.array_equal(even, expected_even)
    assert np.array_equal(odd, expected_odd)


@pytest.mark.parametrize(
    ("dimension", "copies"),
    [
        (1, [[1, 1, 1, 1, 1, 2, 1], [1, 1, 2, 2, 1]]),
        (2, [[2, 2, 1, 2, 4, 1, 4, 4, 2, 2], [1, 4, 2, 4, 8, 4]]),
        (3, [[3, 6, 3, 8, 2, 4, 6, 3, 12, 12], [1, 12, 8, 24, 3, 12]]),
    ],
)
def test_table_of_operators(dimension, copies):
    """Numbers of copies (counted by hand), parity, and the order by range, then by the number of
    spins."""
    assert operators.operator_terms(dimension).copies.tolist() == sum(copies, [])
    for sector, parity, count in zip(operators.SECTORS, (0, 1), copies):
        order = []
        for operator in operators.OPERATORS[dimension][sector]:
            points = np.array(operator.points)
            order.append((((points[:, None] - points) ** 2).sum(axis=2).max(), len(points)))
            assert len(points) % 2 == parity
            assert points.shape[1] == dimension
        assert len(order) == len(count)
        distances = [distance for distance, _ in order]
        assert distances == sorted(distances)
        assert dimension == 2 or order == sorted(order)
    every = sum(map(list, operators.OPERATORS[dimension].values()), [])
    assert len({tuple(operators.symmetric_copies(o)) for o in every}) == len(every)


@pytest.mark.parametrize("shape", [(24,), (8, 8), (4, 4, 4)])
def test_known_configurations(shape):
    """All up: every sum is the number of its terms. Checkerboard: the sign of a product is the
    parity of the offsets' sum."""
    up, board = np.ones(shape, dtype=int), 1 - 2 * (np.indices(shape).sum(axis=0) % 2)
    even, odd = operators.operator_sums(twins.pack(np.array([up, board])), shape)
    copies, d = operators.operator_terms(len(shape)).copies, len(shape)
    assert np.array_equal(np.concatenate([even[0], odd[0]]), prod(shape) * copies)
    signs = [(-1) ** int(np.sum(operator.points)) for operator in operators.OPERATORS[d]["even"]]
    assert (
        signs
        == {
            1: [-1, 1, -1, 1, 1, -1, 1],
            2: [-1, 1, 1, 1, -1, 1, -1, 1, 1, 1],
            3: [-1, 1, 1, -1, 1, -1, 1, 1, -1, 1],
        }[d]
    )
    assert np.array_equal(even[1], prod(shape) * copies[: even.shape[1]] * signs)
    assert not odd[1].any()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_symmetries(seed):
    """Sums do not change under translations and the symmetries of the lattice; a global flip
    changes the odd ones' sign."""
    for shape in ((12,), (6, 6), (4, 4, 4)):
        spins, axes = random_spins(seed, 1, shape), tuple(range(1, len(shape) + 1))
        moved = [
            np.roll(spins, (2, 3, 1)[: len(axes)], axes),
            spins.transpose(0, *axes[::-1]),
            *(np.flip(spins, axis) for axis in axes),
        ]
        even, odd = operators.operator_sums(
            twins.pack(np.concatenate([spins, *moved, -spins])), shape
        )
        assert (even == even[0]).all()
        assert (odd[:-1] == odd[0]).all()
        assert np.array_equal(odd[-1], -odd[0])


@pytest.mark.parametrize("shape", [(10,), (6, 10), (3, 4, 5)])
def test_first_operators_are_energy_and_magnetization(shape):
    spins = random_spins(5, 3, shape)
    even, odd = operators.operator_sums(twins.pack(spins), shape)
    bonds = sum(
        (spins * np.roll(spins, 1, axis)).reshape(3, -1).sum(axis=1)
        for axis in range(1, spins.ndim)
    )
    assert np.array_equal(even[:, 0], bonds)
    assert np.array_equal(odd[:, 0], spins.reshape(3, -1).sum(axis=1))


@pytest.mark.parametrize(
    "shape", [(64, 64), (72, 130), (64, 3, 64), (72, 6, 65), (512, 512), (64, 64, 64)]
)
def test_samples_side_by_side_and_in_slabs(shape):
    """Eight samples side by side, one to four more in slabs, large lattices in slabs always: all as
    one on a lattice moved by a plane and a row, which have other slabs; and the first operator by
    hand."""
    spins = random_spins(3, 12, shape)
    sums = np.concatenate(operators.operator_sums(twins.pack(spins), shape), axis=1)
    moved = np.concatenate(
        operators.operator_sums(twins.pack(np.roll(spins, (5, 1), (1, 2))), shape), axis=1
    )
    assert np.array_equal(sums, moved)
    for n in (1, 4, 5, 9, 11):
        assert np.array_equal(
            np.concatenate(operators.operator_sums(twins.pack(spins[:n]), shape), axis=1),
            sums[:n],
        )
    bonds = sum(
        (spins * np.roll(spins, 1, axis)).reshape(12, -1).sum(axis=1)
        for axis in range(1, spins.ndim)
    )
    assert np.array_equal(sums[:, 0], bonds)


@pytest.mark.parametrize(
    ("shape", "independent"),
    [
        ((8,), True),
        ((7,), False),
        ((4, 4), True),
        ((3, 3), False),
        ((4, 4, 4), True),
        ((3, 3, 3), False),
    ],
)
def test_smallest_lattice_on_which_operators_are_independent(shape, independent):
    """The correlation matrix of random spins has full rank from `smallest_size` on, and not one
    site below."""
    sums = np.concatenate(
        operators.operator_sums(twins.pack(random_spins(1, 4000, shape)), shape), axis=1
    )
    full_rank = np.linalg.matrix_rank(sums - sums.mean(axis=0)) == sums.shape[1]
    assert full_rank == independent == (not operators.wraps(shape))


def test_accumulated_products():
    """Row a of a sector: own sum a times 1, the energy, the sector's own sums and those of the
    level before, in each block, whatever the order."""
    rng, k = np.random.default_rng(0), (3, 2)
    sums, energies, blocks = (
        rng.integers(-(2**20), 2**20, (2, 50, 5)),
        rng.integers(-99, 99, 50),
        rng.integers(0, 4, 50),
    )
    even, odd = (np.ones((4, 2, n, 2 + 2 * n), dtype=np.int64) for n in k)
    accumulate_levels(sums, energies, blocks, even, odd)
    for found, sector in ((even, slice(0, 3)), (odd, slice(3, 5))):
        for level, own in enumerate(sums[..., sector]):
            before = sums[0, :, sector] if level else np.zeros_like(own)
            right = np.column_stack([np.ones(50, dtype=np.int64), energies, own, before])
            assert np.array_equal(
                found[:, level] - 1, [own[blocks == b].T @ right[blocks == b] for b in range(4)]
            )
    with pytest.raises(ValueError, match="block number"):
        accumulate_levels(sums, energies, blocks + 1, even, odd)


HARD = st.one_of(
    st.sampled_from(
        [majority((2, 2)), majority_ties_up((2, 2)), decimation((2, 2)), staggered((2, 2))]
    ),
    st.tuples(*[st.integers(-3, 3)] * 5).map(
        lambda x: Rule(np.array([x[:4]], float), np.array(x[4:], float), True, (2, 2))
    ),
)


@settings(max_examples=40, deadline=None)
@given(
    rule=HARD,
    steps=st.integers(0, 3),
    sides=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    n=st.integers(1, 70),
    seed=st.integers(0, 2**32),
)
def test_side_by_side_is_one_by_one(rule, steps, sides, n, seed):
    """Hard rules of 2x2 blocks have fast ways: blocking by logic, and all levels with 512 samples
    side by side. Both are the integers of the kernel for any rule, which the first plane of a
    lattice of two planes is given to: there the blocks have the same numbers, hence the same coins.
    """
    rng = np.random.default_rng(seed)
    shape = tuple(side << steps for side in sides)
    keys, samples = (
        rng.integers(0, 2**63, (steps, 2)).astype(np.uint64),
        rng.integers(0, 2**63, n).astype(np.uint64),
    )
    spins = random_spins(seed, n, shape)
    energies, blocks = rng.integers(-99, 99, n), rng.integers(0, 3, n)
    arguments = (twins.pack(spins), shape, rule, steps, keys, energies, samples, blocks, 3)
    found = {}
    for name, together in (("side by side", (1, 1 << 16)), ("one by one", (1 << 16, 0))):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(level_sums, "SIDE_BY_SIDE", together)
            found[name] = level_sums.measure_levels(*arguments)
    assert all(
        np.array_equal(found["side by side"][of], found["one by one"][of])
        for of in found["one by one"]
    )
    if steps:
        planes = Rule(rule.filters, rule.bias, True, (1, 2, 2))
        both = coarse_grain(
            twins.pack(np.stack([spins, -spins], axis=1)),
            (2, *shape),
            planes,
            keys[0],
            samples,
        )
        coarse = coarse_grain(twins.pack(spins), shape, rule, keys[0], samples)
        half = tuple(side // 2 for side in shape)
        assert all(
            np.array_equal(twins.unpack(a, half), twins.unpack(b, (2, *half))[0])
            for a, b in zip(coarse, both)
        )


def measured(n=30, shape=(16, 16), **keywords):
    spins = random_spins(7, n, shape)
    arguments = {
        "rule": majority((2, 2)),
        "steps": 3,
        "keys": KEYS,
        "energies": exact.ising_energies(spins),
    } | keywords
    return level_sums.measure_levels(twins.pack(spins), shape, **arguments), spins


def test_measured_levels_by_hand(monkeypatch):
    """Every array of the layout, from step-by-step blocking and the plain operators; chunks do not
    matter."""
    monkeypatch.setattr(level_sums, "CHUNK", 7)
    blocks = np.arange(30) % 3
    sums, spins = measured(blocks=blocks, samples=100)
    rows, levels = twins.pack(spins), []
    for step, size in enumerate((16, 8, 4, 2)):
        levels.append(operators.operator_sums(rows, (size, size)))
        rows = (
            coarse_grain(rows, (size, size), majority((2, 2)), KEYS[step], 100)
            if step < 3
            else None
        )
    energy = exact.ising_energies(spins)
    for b in range(3):
        mine = blocks == b
        assert (sums["counts"][b], sums["energy_sum"][b]) == (10, energy[mine].sum())
        assert sums["energy_squared"][b] == (energy[mine] ** 2).sum()
        for n, level in enumerate(levels):
            assert np.array_equal(sums["even_energy"][b, n], level[0][mine].T @ energy[mine])
            for sector, s in zip(("even", "odd"), level):
                s = s[mine]
                assert np.array_equal(sums[f"{sector}_sums"][b, n], s.sum(axis=0))
                assert np.array_equal(sums[f"{sector}_products"][b, n], s.T @ s)
                if n:
                    old = levels[n - 1][sector == "odd"][mine]
                    assert np.array_equal(sums[f"{sector}_cross"][b, n - 1], s.T @ old)
    assert all(
        array.dtype == np.int64 and array.shape == empty.shape
        for array, empty in zip(sums.values(), level_sums.empty_sums(3, 3).values(), strict=True)
    )


@pytest.mark.parametrize(
    ("shape", "block", "shapes"),
    [
        ((27,), (3,), [(27,), (9,), (3,)]),
        ((9, 18), (3, 3), [(9, 18), (3, 6), (1, 2)]),
        ((4, 8, 4), (2, 2, 2), [(4, 8, 4), (2, 4, 2), (1, 2, 1)]),
    ],
)
def test_measured_levels_in_every_dimension(shape, block, shapes):
    """Blocks of three sites, odd sizes, three axes: sums and cross products of the twin's blocking
    and operators."""
    spins, keys, rule = random_spins(3, 5, shape), KEYS[:2], majority(block)
    sums = level_sums.measure_levels(twins.pack(spins), shape, rule, 2, keys, np.arange(5))
    rows, levels = twins.pack(spins), []
    for step, size in enumerate(shapes):
        levels.append(
            [np.array(s) for s in sums_by_hand(np.array([twins.unpack(row, size) for row in rows]))]
        )
        if step < 2:
            coarse = [
                twins.coarse_grain(row, size, rule, keys[step], n)[0] for n, row in enumerate(rows)
            ]
            rows = twins.pack(np.array(coarse))
    for index, sector in enumerate(operators.SECTORS):
        assert np.array_equal(
            sums[f"{sector}_sums"][0], [level[index].sum(axis=0) for level in levels]
        )
        assert np.array_equal(
            sums[f"{sector}_cross"][0], [levels[n + 1][index].T @ levels[n][index] for n in (0, 1)]
        )
    assert all(
        sums[name].shape == empty.shape
        for name, empty in level_sums.empty_sums(1, 2, len(shape)).items()
    )


def test_parts_add_up_to_the_whole():
    whole, spins = measured()
    rows, energies = twins.pack(spins), exact.ising_energies(spins)
    total = level_sums.empty_sums(1, 3)
    for part in (slice(0, 11), slice(11, 30)):
        sums = level_sums.measure_levels(
            rows[part], (16, 16), majority((2, 2)), 3, KEYS, energies[part], samples=part.start
        )
        for name in total:
            total[name] += sums[name]
    assert all(np.array_equal(total[name], whole[name]) for name in whole)


def integers(words):
    """Wide sums as Python's integers, which have no limit."""
    return words[..., 0].astype(object) + words[..., 1].astype(object) * 2**32


def test_wide_sums(monkeypatch):
    """Sums of two words are the same numbers, in any chunks, and those of energies whose squares
    one word cannot hold are exact."""
    narrow, spins = measured(blocks=np.arange(30) % 3)
    for chunk in (64, 7):
        monkeypatch.setattr(level_sums, "WIDE_CHUNK", chunk)
        wide, _ = measured(blocks=np.arange(30) % 3, wide=True)
        assert all(np.array_equal(integers(wide[name]), narrow[name]) for name in narrow)
        assert all(
            np.array_equal(level_sums.as_floats(wide[name]), narrow[name]) for name in narrow
        )
        assert all(
            (array[..., 0] >= 0).all() and (array[..., 0] < 2**32).all() for array in wide.values()
        )
    energies = np.full(30, -(2**33) - 7)
    wide, _ = measured(energies=energies, wide=True)
    assert integers(wide["energy_squared"])[0] == 30 * (2**33 + 7) ** 2 > 2**63
    assert np.array_equal(integers(wide["even_energy"]), integers(wide["even_sums"]) * energies[0])


def test_refusals():
    with pytest.raises(ValueError, match="one to three dimensions, not in 4"):
        operators.operator_sums(np.zeros((1, 2), dtype=np.uint8), (2, 2, 2, 2))
    with pytest.raises(ValueError, match="rows must be"):
        operators.operator_sums(np.zeros((1, 2), dtype=np.uint8), (4, 4, 4))
    with pytest.raises(ValueError, match="one hidden unit"):
        measured(rule=Rule(np.ones((2, 4)), np.zeros(2), True, (2, 2)))
    with pytest.raises(ValueError, match="step 5"):
        measured(steps=5)
    with pytest.raises(ValueError, match="as many keys"):
        measured(steps=2)
    with pytest.raises(ValueError, match=r"more than 2 samples .* overflow"):
        measured(energies=np.full(30, 2_000_000_000))


def test_overflow_limit_is_safe_and_wide():
    """The largest sums of a block of the limit's size fit into int64, and a 512 x 512 run of 10^5
    samples is allowed."""
    for shape, copies in (((64, 64), 8), ((512, 512), 8), ((64, 64, 64), 24), ((10**6,), 2)):
        assert level_sums.largest_block(shape) * (copies * prod(shape)) ** 2 < 2**63
    assert level_sums.largest_block((512, 512)) > 100_000
    assert level_sums.largest_block((4, 4), 10**9) == 9


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((4, 4), False),
        ((3, 9), True),
        ((8, 2), True),
        ((64, 64), False),
        ((8,), False),
        ((7,), True),
        ((4, 4, 4), False),
        ((9, 3, 9), True),
    ],
)
def test_wrapping_is_marked(shape, expected):
    assert operators.wraps(shape) is expected
