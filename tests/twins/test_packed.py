"""Bits and columns: the packed rows of configurations against bytes computed by hand, and the
features of window arrays against loops."""

import math

import numpy as np
import pytest

from rsmi.lattice.columns import Columns
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.lattice.packed import (
    count_ones,
    n_planes,
    pack_mask,
    pack_spins,
    pack_states,
    row_bytes,
    unpack_bits,
    unpack_mask,
    unpack_spins,
    unpack_states,
)

SHAPES = [(1, 8), (1, 13), (2, 3, 5), (3, 4, 4, 2)]  # (components, *lattice)
STATES = [2, 3, 4, 5, 8, 16, 17, 255, 256]


# ---- binary variables ----------------------------------------------------------------------------


def test_bytes_of_spins_by_hand():
    """The first variable is the lowest bit of the first byte, and the last byte is filled up with
    zeros; another bit order or another filling would give other bytes."""
    spins = np.array([[1, -1, -1, -1, -1, -1, -1, 1, 1, 1], [-1] * 9 + [1]], np.int8)
    expected = [[0b10000001, 0b00000011], [0, 0b00000010]]
    for values in (spins, spins > 0, (spins > 0).astype(np.uint8)):
        assert pack_spins(values).tolist() == expected
    assert pack_spins(spins).dtype == np.uint8
    assert pack_spins(spins.reshape(2, 5, 2)).tolist() == expected
    assert unpack_bits(np.array([[0b10000001]], np.uint8), (8,), "big").tolist() == [
        [1, 0, 0, 0, 0, 0, 0, 1]
    ]
    assert unpack_bits(np.array([[1]], np.uint8), (3,), "big").tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("shape", SHAPES)
def test_spins_survive_packing(shape):
    spins = 2 * np.random.default_rng(1).integers(0, 2, (7, *shape)).astype(np.int8) - 1
    rows = pack_spins(spins)
    assert rows.shape == (7, row_bytes(shape))
    assert np.array_equal(unpack_spins(rows, shape), spins)
    assert unpack_spins(rows, shape).dtype == np.int8
    assert np.array_equal(unpack_bits(rows, shape), spins > 0)
    assert np.array_equal(count_ones(rows), (spins > 0).reshape(7, -1).sum(axis=1))
    assert count_ones(rows).dtype == np.int64
    assert np.array_equal(unpack_mask(pack_mask(spins[3] > 0), shape), spins[3] > 0)
    assert np.array_equal(pack_mask(spins[3] > 0), rows[3])


def test_short_rows_are_refused():
    """numpy fills up what is missing with zeros; a truncated row must not pass for one."""
    with pytest.raises(ValueError, match="do not hold 17 bits"):
        unpack_spins(np.zeros((3, 2), np.uint8), (17,))
    with pytest.raises(ValueError, match="do not hold 4 bits"):
        unpack_bits(np.zeros(2, np.uint8), (2, 2))
    with pytest.raises(ValueError, match="do not hold 9 bits"):
        unpack_mask(np.zeros(1, np.uint8), (3, 3))


# ---- variables with q states ---------------------------------------------------------------------


def test_bytes_of_states_by_hand():
    """Two components of five sites with q = 5 have three planes each; the order is (component,
    plane, site)."""
    codes = np.array([[[0, 1, 2, 3, 4], [4, 4, 0, 1, 3]]])
    planes = [  # site 0 first
        "01010",
        "00110",
        "00001",
        "00011",
        "00001",
        "11000",
    ]
    number = int("".join(planes)[::-1], 2)
    expected = list(number.to_bytes(4, "little"))
    assert pack_states(codes, 5).tolist() == [expected]
    assert unpack_states(np.array([expected], np.uint8), 5, (2, 5)).tolist() == codes.tolist()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("states", STATES)
def test_states_survive_packing(shape, states):
    codes = np.random.default_rng(states).integers(0, states, (6, *shape))
    rows = pack_states(codes, states)
    assert rows.shape == (6, row_bytes(shape, states))
    assert np.array_equal(unpack_states(rows, states, shape), codes)
    assert n_planes(states) == math.ceil(math.log2(states))


@pytest.mark.parametrize("shape", SHAPES)
def test_two_states_are_the_rows_of_today(shape):
    bits = np.random.default_rng(2).integers(0, 2, (5, *shape))
    expected = np.packbits(bits.reshape(5, -1), axis=1, bitorder="little")
    assert np.array_equal(pack_states(bits, 2), expected)
    assert np.array_equal(pack_spins(2 * bits - 1), expected)
    assert np.array_equal(unpack_states(expected, 2, shape), bits)


def test_codes_of_no_state_are_refused():
    with pytest.raises(ValueError, match="row 1 holds the code 3"):
        pack_states([[[0, 2]], [[3, 0]]], 3)
    with pytest.raises(ValueError, match="row 0 holds the code -1"):
        pack_states([[[0, -1]]], 3)
    with pytest.raises(ValueError, match="the code 256"):
        pack_states([[[256]]], 256)
    with pytest.raises(ValueError, match="whole numbers"):
        pack_states([[[0.5]]], 3)
    rows = pack_states([[[0, 2]], [[1, 3]]], 4)
    with pytest.raises(ValueError, match="row 1 holds the code 3"):
        unpack_states(rows, 3, (1, 2))
    for states in (1, 0, 257):
        with pytest.raises(ValueError, match="2 to 256 states"):
            n_planes(states)


# ---- columns -------------------------------------------------------------------------------------


def test_features_by_hand():
    """One binary and one categorical column: the first stays +-1, the second becomes three centred
    features."""
    columns = Columns(np.array([0, 1]), np.array([[0], [0]]), np.array([2, 3]))
    third = 1 / 3
    expected = [[-1, 1 - third, -third, -third], [1, -third, -third, 1 - third]]
    found = columns.one_hot(np.array([[-1, 0], [1, 2]], np.int8))
    assert columns.widths.tolist() == [1, 3]
    assert columns.n_features == 4
    assert len(columns) == 2
    np.testing.assert_array_equal(found, expected)


def test_features_of_every_column():
    """Random windows against a loop; the features of a categorical column sum to zero."""
    states = np.array([3, 2, 5, 2, 4])
    columns = Columns(np.zeros(5, np.int64), np.arange(5)[:, np.newaxis], states)
    rng = np.random.default_rng(3)
    windows = np.stack(
        [rng.integers(0, q, 50) if q > 2 else rng.choice([-1, 1], 50) for q in states], axis=1
    )
    expected = [
        [
            feature
            for value, q in zip(row, states)
            for feature in ([value] if q == 2 else [(value == k) - 1 / q for k in range(q)])
        ]
        for row in windows
    ]
    found = columns.one_hot(windows)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)
    assert found[:, :3].sum(axis=1) == pytest.approx(0, abs=1e-15)


def test_columns_of_a_window_are_those_of_extract_windows():
    """A lattice whose bits name their component: every column must say the right one. With two
    states the features are the windows themselves."""
    geometry = Geometry((2, 2), 0, 1, components=2)
    columns = Columns.of_sites(geometry.environment_offsets, (2, 2))
    rows = pack_spins(np.stack([np.zeros((4, 4)), np.ones((4, 4))])[np.newaxis])
    choice = choose_windows(1, (4, 4), 5, np.array([1, 2], np.uint64), symmetric=False)
    _, environments = extract_windows(rows, (4, 4), geometry, *choice)
    assert len(columns) == geometry.n_environment == 24
    assert np.array_equal(environments, np.tile(2 * columns.component - 1, (5, 1)))
    assert np.array_equal(columns.offset[:12], columns.offset[12:])
    assert np.array_equal(columns.one_hot(environments), environments)


def test_columns_that_do_not_fit_are_refused():
    one = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="one entry for each column"):
        Columns(one, np.zeros((2, 1), np.int64), np.array([2, 2]))
    with pytest.raises(ValueError, match="2 to 256 states"):
        Columns(one, one[:, np.newaxis], np.array([1]))
    columns = Columns.of_sites(np.array([[0], [1]]), (3,))
    with pytest.raises(ValueError, match="do not have 2 columns"):
        columns.one_hot(np.zeros((4, 3), np.int8))
    with pytest.raises(ValueError, match="window 1 holds 3 in column 0"):
        columns.one_hot(np.array([[2, 2], [3, 0]]))
    with pytest.raises(ValueError, match="window 0 holds 0 in column 1, which has 2 states"):
        Columns.of_sites(np.array([[0], [1]])).one_hot(np.array([[1, 0]]))
