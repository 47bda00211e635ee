"""Samples of variables with more than two states: bit planes, windows, symmetries, bad codes."""

import math
from collections import Counter

import h5py
import numpy as np
import pytest
from conftest import run_here

from rsmi.errors import DataError
from rsmi.kernels import windows as kernel
from rsmi.lattice.geometry import Geometry
from rsmi.lattice.hashing import keyed_bits
from rsmi.lattice.packed import count_states, pack_states, row_bytes
from rsmi.lattice.symbols import choose_relabellings, extract_codes
from rsmi.models import order
from rsmi.samples.views import open_samples
from rsmi.samples.windows import WindowSet
from rsmi.store import open_file

KEY = np.array([11, 22], np.uint64)
RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("states", [3, 4, 5, 16])
@pytest.mark.parametrize("components", [1, 2])
def test_windows_hold_the_codes(states, components):
    """Every code stands at the place of its site; a wrong order of planes or components would move
    it, or change it."""
    codes = RANDOM.integers(0, states, (5, components, 6, 7))
    geometry = Geometry((2, 1), 1, 1, components)
    configurations, origins = np.arange(5), RANDOM.integers(0, 6, (5, 2))
    own = choose_relabellings(None, states, 5, KEY)
    rows = pack_states(codes, states)
    parts = extract_codes(rows, (6, 7), geometry, states, configurations, origins, own)
    for part, offsets in zip(parts, (geometry.block_offsets, geometry.environment_offsets)):
        for window, origin, configuration in zip(part, origins, codes):
            x, y = (np.mod(origin + offsets, (6, 7))).T
            np.testing.assert_array_equal(window, configuration[:, x, y].ravel())
    assert rows.shape[1] == row_bytes((components, 6, 7), states)


@pytest.mark.parametrize("sides", [(4, 6), (5, 3)])
def test_states_are_counted(sides):
    codes = RANDOM.integers(0, 5, (7, 2, *sides))
    counts = count_states(pack_states(codes, 5), 5, (2, *sides))
    for state in range(5):
        np.testing.assert_array_equal(counts[..., state], (codes == state).sum(axis=(2, 3)))


def test_a_code_of_no_state_is_refused():
    rows = pack_states(np.full((2, 1, 4, 4), 3), 4)
    with pytest.raises(ValueError, match="holds the code 3"):
        count_states(rows, 3, (1, 4, 4))
    own = choose_relabellings(None, 3, 2, KEY)
    with pytest.raises(ValueError, match="window 0 holds the code 3 of 3 states"):
        extract_codes(rows, (4, 4), Geometry((1, 1), 0, 1), 3, [0, 1], [[0, 0]] * 2, own)


# ---- symmetries ----------------------------------------------------------------------------------


def test_keyed_bits_are_those_of_the_core():
    """The flips of binary windows are the highest bit of draw 1."""
    flips = kernel.choose_windows(KEY, 10, np.array([4, 4]), 500, True)[2]
    np.testing.assert_array_equal(flips < 0, keyed_bits(KEY, np.arange(500), 1) >> np.uint64(63))


@pytest.mark.parametrize(
    ("symmetry", "states", "order"), [("permutations", 4, 24), ("dihedral", 4, 8)]
)
def test_every_element_is_chosen_alike(symmetry, states, order):
    """Chi-squared of the elements; a missing or a repeated one would give thousands."""
    chosen = choose_relabellings(symmetry, states, 200 * order, KEY)
    counts = Counter(map(tuple, chosen.tolist()))
    assert len(counts) == order
    excess = sum((count - 200) ** 2 / 200 for count in counts.values()) - (order - 1)
    assert abs(excess) < 5 * math.sqrt(2 * (order - 1))
    distances = {
        min((element[1] - element[0]) % states, (element[0] - element[1]) % states)
        for element in counts
    }
    assert distances == ({1, 2} if symmetry == "permutations" else {1})


def test_permutations_of_sixteen_states():
    chosen = choose_relabellings("permutations", 16, 2000, KEY)
    assert (np.sort(chosen, axis=1) == np.arange(16)).all()
    assert abs(chosen.mean(axis=0) - 7.5).max() < 5 * math.sqrt(21.25 / 2000)


# ---- the order parameter -------------------------------------------------------------------------


def test_order_parameter_of_two_states_is_the_magnetization():
    up = RANDOM.integers(0, 101, 20)
    counts = np.stack([100 - up, up], axis=1)
    for symmetry in ("permutations", "dihedral"):
        np.testing.assert_allclose(order.squared(counts, symmetry), ((2 * up - 100) / 100) ** 2)
        assert order.components_of(2, symmetry) == 1


def test_three_states_on_a_circle_are_a_simplex():
    counts = RANDOM.integers(1, 50, (20, 3))
    values = [order.squared(counts, symmetry) for symmetry in ("permutations", "dihedral")]
    np.testing.assert_allclose(*values)


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("states")
    codes = RANDOM.integers(0, 3, (60, 8, 8))
    np.save(folder / "codes.npy", codes)
    command = ["import", folder / "codes.npy", "--states", 3, "--symmetric", "permutations"]
    result = run_here(*command, "-o", folder / "samples.h5")
    assert result.code == 0, result.err
    return folder / "samples.h5", codes


def test_the_view_returns_the_codes(samples):
    path, codes = samples
    with open_samples(path) as view:
        assert view.states == 3
        np.testing.assert_array_equal(view.codes(5, 9)[:, 0], codes[5:9])


def test_windows_of_a_file_are_relabelled(samples):
    """Within a window equal states stay equal, and no state is preferred."""
    with open_file(samples[0], "samples") as file:
        drawn = WindowSet(file, Geometry((2, 2), 0, 1), 3000, 0)
        visible = drawn.all.visible
        assert drawn.symmetry == "permutations"
        assert [set(columns.states) for columns in drawn.columns] == [{3}, {3}]
    assert set(np.unique(visible)) == {0, 1, 2}
    shares = [(visible[:, 0] == state).mean() for state in range(3)]
    assert max(abs(share - 1 / 3) for share in shares) < 5 * math.sqrt(2 / 9 / 3000)


def test_bad_codes_in_a_file_are_refused(samples, tmp_path):
    path = tmp_path / "bad.h5"
    path.write_bytes(samples[0].read_bytes())
    with h5py.File(path, "r+") as handle:
        handle["/spins"][7] = 255
    with open_samples(path) as view, pytest.raises(DataError, match="row 7 holds the code 3"):
        view.codes()
    with open_file(path, "samples") as file, pytest.raises(DataError, match="the code 3 of 3"):
        _ = WindowSet(file, Geometry((2, 2), 0, 1), 3000, 0).all
