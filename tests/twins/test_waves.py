"""Wave vectors of filters and positions of sites."""

from fractions import Fraction

import numpy as np
import pytest

from rsmi.lattice.unit_cell import TRIANGULAR, UnitCell
from rsmi.lattice.waves import largest_of_filter, name_of

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)


def offsets_of(block):
    return np.indices(block).reshape(len(block), -1).T


@pytest.mark.parametrize(
    ("block", "wave", "name"),
    [
        ((2, 2), (0, 0), "uniform"),
        ((4, 4), (HALF, HALF), "staggered"),
        ((4,), (HALF,), "staggered"),
        ((4, 2), (0, HALF), "stripes"),
        ((3, 3), (THIRD, THIRD), "K"),
        ((4, 4), (THIRD, THIRD), "K"),
        ((2, 2, 2), (HALF, HALF, HALF), "staggered"),
        ((5, 5), (Fraction(1, 5), 0), ""),
    ],
)
def test_waves_of_filters(block, wave, name):
    """Of cos of a wave with any phase, and a little noise."""
    offsets = offsets_of(block)
    wave = tuple(map(Fraction, wave))
    noise = np.random.default_rng(1).normal(size=len(offsets))
    weights = np.cos(2 * np.pi * offsets @ np.array(wave, dtype=float) + 0.4) + 0.05 * noise
    mode = largest_of_filter(weights, offsets, thirds=name == "K" and block != (3, 3))
    assert mode.wave == wave and mode.name == name == name_of(wave)
    assert 0.9 < mode.share <= 1
    assert str(mode).endswith(f"k = 2 pi ({', '.join(map(str, wave))})")


def test_waves_of_a_triangle():
    """Three sites: one function is uniform, the two others are those of K."""
    offsets = np.array([[0, 0], [1, 0], [1, 1]])
    for weights in ([1.0, -0.5, -0.5], [0.2, 1.0, -1.0], [-0.3, -0.6, 1.0]):
        assert largest_of_filter(np.array(weights), offsets, thirds=True).name == "K"
    assert largest_of_filter(np.array([1.0, 0.9, 1.1]), offsets, thirds=True).name == "uniform"


def test_shares_are_those_of_a_fourier_transform():
    """On the wave vectors of the block they add up to one."""
    offsets, weights = offsets_of((3, 3)), np.random.default_rng(2).normal(size=9)
    power = np.abs(np.fft.fft2(weights.reshape(3, 3))) ** 2
    power[0, 0] /= 2  # every other wave vector appears with its opposite
    mode = largest_of_filter(weights, offsets)
    assert mode.share >= 2 * power.max() / (power.sum() + power[0, 0]) - 1e-12
    assert largest_of_filter(np.zeros(9), offsets).share == 0


def test_the_covariance_decides():
    """A filter of K with much of a sum that hardly varies measures K all the same."""
    offsets = offsets_of((3, 3))
    wave = np.cos(2 * np.pi * offsets.sum(axis=1) / 3)
    weights, uniform = wave + 2.0, np.ones((9, 9)) / 9
    covariance = np.eye(9) - 0.999 * uniform
    assert largest_of_filter(weights, offsets).name == "uniform"
    mode = largest_of_filter(weights, offsets, covariance)
    assert (mode.name, mode.measure) == ("K", "variance")
    assert mode.share == pytest.approx(4.5 / (4.5 + 0.001 * 36))
    again = largest_of_filter(weights, offsets, np.eye(9))
    assert again.share == pytest.approx(largest_of_filter(weights, offsets).share)


def test_unit_cells():
    """The six neighbours of the triangular lattice; honeycomb positions and spacing."""
    steps = {tuple(step) for step in TRIANGULAR.steps.tolist()}
    assert steps == {(1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (-1, -1)}
    assert TRIANGULAR.spacing == pytest.approx(1)
    honeycomb = UnitCell(TRIANGULAR.vectors, ((0.0, 0.0), (2 / 3, 1 / 3)))
    assert honeycomb.spacing == pytest.approx(3**-0.5)
    points = honeycomb.points([[1, 2]])
    np.testing.assert_allclose(points[0, 0], [0, 3**0.5])
    np.testing.assert_allclose(points[1, 0] - points[0, 0], [0.5, 3**-0.5 / 2])
