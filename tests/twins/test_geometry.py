"""Geometry of block, buffer and environment, and windows cut from packed configurations."""

import blocking_twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.errors import UsageError
from rsmi.lattice.geometry import (
    Geometry,
    choose_windows,
    even_origins,
    extract_windows,
    parse_block,
    split_configurations,
)

KEY = np.array([0x0123456789ABCDEF, 0xFEDCBA9876543210], np.uint64)


@pytest.mark.parametrize(
    ("text", "block"), [("2", (2,)), ("2x2", (2, 2)), ("4x10", (4, 10)), ("2x3x4", (2, 3, 4))]
)
def test_block_is_read(text, block):
    assert parse_block(text) == block


@pytest.mark.parametrize(
    "text", ["", "0", "0x2", "2x", "x2", "2X2", "2,2", "-2", "2x2x2x2", "2.0", "2x2\n", "²"]
)
def test_bad_block_is_refused(text):
    with pytest.raises(UsageError, match="not a shape"):
        parse_block(text)


def test_environment_of_the_standard_window():
    """2x2, buffer 1, environment 1: the 6x6 frame of 20 sites, first the upper line from its
    corner."""
    geometry = Geometry((2, 2), 1, 1)
    assert (geometry.window, geometry.n_block, geometry.n_environment) == ((6, 6), 4, 20)
    assert geometry.block_offsets.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert geometry.environment_offsets[:8].tolist() == [[-2, c] for c in range(-2, 4)] + [
        [-1, -2],
        [-1, 3],
    ]


@pytest.mark.parametrize(
    ("geometry", "shape", "message"),
    [
        (Geometry((2, 2), 1, 1), (64,), "axes"),
        (Geometry((2,), 1, 1), (64, 64), "axes"),
        (Geometry((8, 8), 0, 1), (4, 4), "larger than the lattice"),
        (Geometry((2, 2), 1, 1), (5, 5), "do not fit"),
        (Geometry((2, 2), 1, 1), (8, 5), "do not fit"),
        (Geometry((2, 2), -1, 2), (8, 8), "buffer"),
        (Geometry((2, 2), 1, 0), (8, 8), "environment"),
    ],
)
def test_impossible_geometry_is_refused(geometry, shape, message):
    with pytest.raises(UsageError, match=message):
        geometry.check(shape)


def test_window_may_fill_the_lattice_exactly():
    Geometry((2, 2), 1, 1).check((6, 6))


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_windows_equal_rolled_lattices(data):
    """Every window against np.roll of the unpacked lattice, in one to three dimensions, of one to
    four components, flips and padding bits included."""
    dimension = data.draw(st.integers(1, 3))
    block = tuple(data.draw(st.integers(1, 3)) for _ in range(dimension))
    components = data.draw(st.integers(1, 4))
    geometry = Geometry(
        block, data.draw(st.integers(0, 1)), data.draw(st.integers(1, 2)), components
    )
    shape = tuple(size + data.draw(st.integers(0, 3)) for size in geometry.window)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    spins = rng.choice(np.array([-1, 1], np.int8), (3, components, *shape))
    packed = np.packbits(spins.reshape(3, -1) > 0, axis=1, bitorder="little")
    choice = choose_windows(3, shape, 4, rng.integers(0, 2**64, 2, np.uint64))
    blocks, environments = extract_windows(packed, shape, geometry, *choice)
    for k, (configuration, origin, flip) in enumerate(zip(*choice)):
        cut = [
            flip
            * np.concatenate(
                [
                    blocking_twin.window_spins(component, block, near, far, origin)
                    for component in spins[configuration]
                ]
            )
            for near, far in ((0, 0), (geometry.buffer + 1, geometry.margin))
        ]
        assert (len(cut[0]), len(cut[1])) == (geometry.n_block, geometry.n_environment)
        assert np.array_equal(blocks[k], cut[0])
        assert np.array_equal(environments[k], cut[1])


@pytest.mark.parametrize(
    ("n", "shape", "count"), [(7, (5,), 20), (3, (6, 4), 20), (30, (3, 4, 5), 11)]
)
def test_choice_equals_twin(n, shape, count):
    configurations, origins, flips = choose_windows(n, shape, count, KEY)
    twin = list(blocking_twin.choose_windows(n, shape, count, KEY))
    assert list(zip(configurations.tolist(), map(tuple, origins.tolist()), flips.tolist())) == twin


@given(st.integers(1, 40), st.integers(1, 200))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_windows_are_spread_evenly(n, count):
    configurations, _, _ = choose_windows(n, (8, 8), count, KEY)
    used = np.bincount(configurations, minlength=n)
    assert len(used) == n
    assert used.max() - used.min() <= 1
    assert np.all(np.diff(configurations) >= 0)


def test_origins_and_flips_are_uniform():
    """chi2 of 64 origins x 2 flips, 128,000 windows, z < 4: catches an axis that is never reached
    or a constant flip."""
    configurations, origins, flips = choose_windows(10, (16, 4), 128_000, KEY)
    counts = np.bincount((origins[:, 0] * 4 + origins[:, 1]) * 2 + (flips > 0), minlength=128)
    assert abs(((counts - 1000.0) ** 2 / 1000).sum() - 127) < 4 * np.sqrt(2 * 127)
    assert np.all(choose_windows(10, (16, 4), 100, KEY, symmetric=False)[2] == 1)


@pytest.mark.parametrize(
    ("shape", "periodic", "count"), [((8, 6), True, 24), ((10, 12), False, 8), ((8, 8), False, 1)]
)
def test_even_origins(shape, periodic, count):
    """One sublattice; on an open lattice the windows that lie inside: of 8x8 cells, 3 x 5 origins
    on 10x12 and one on 8x8."""
    geometry = Geometry((4, 4), 1, 1)
    allowed = even_origins(shape, geometry, periodic)
    assert len(allowed) == count
    assert np.all(allowed.sum(axis=1) % 2 == 0)
    inside = [set(range(size)) if periodic else set(range(2, size - 5)) for size in shape]
    assert all(x in inside[0] and y in inside[1] for x, y in allowed.tolist())
    origins = choose_windows(5, shape, 400, KEY, False, allowed)[1]
    assert {tuple(o) for o in origins.tolist()} == {tuple(o) for o in allowed.tolist()}


@pytest.mark.parametrize(
    "change",
    [
        {"configurations": [3]},
        {"configurations": [-1]},
        {"origins": [[8, 0]]},
        {"origins": [[0, -1]]},
        {"flips": [0]},
        {"flips": [1, 1]},
        {"origins": [[0]]},
        {"packed": np.zeros((3, 7), np.uint8)},
    ],
)
def test_windows_outside_are_refused(change):
    arguments = {
        "packed": np.zeros((3, 8), np.uint8),
        "configurations": [0],
        "origins": [[0, 0]],
        "flips": [1],
    } | change
    with pytest.raises(ValueError):
        extract_windows(arguments.pop("packed"), (8, 8), Geometry((2, 2), 1, 1), **arguments)


@given(st.integers(5, 300), st.integers(1, 40))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_split_separates_whole_chains_or_last_steps(n, chains):
    training, held_out = split_configurations(n, chains)
    assert sorted([*training, *held_out]) == list(range(n))
    assert len(training)
    assert len(held_out)
    if min(chains, n) >= 5:
        assert max(training % chains) < min(held_out % chains)
    else:
        assert max(training // chains) < min(held_out // chains)


def test_split_holds_out_a_fifth():
    assert split_configurations(80, 8)[1].tolist() == [i for i in range(80) if i % 8 >= 6]
    assert split_configurations(40, 4)[1].tolist() == list(range(32, 40))
    with pytest.raises(UsageError, match="at least 5"):
        split_configurations(4, 1)
