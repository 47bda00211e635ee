"""The spread of structure factors next to the wave vector of an order: from exact covariances of
arrows and dimers it gives the exact scaling dimensions, whatever mixtures of units are measured."""

from fractions import Fraction

import numpy as np
import pytest
from exact import all_arrows

from rsmi.lattice.geometry import Geometry
from rsmi.lattice.waves import wave_of_unit
from rsmi.models.dimers import kasteleyn as dimers
from rsmi.models.six_vertex import arrows, kasteleyn, stars
from rsmi.models.six_vertex.known import known
from rsmi.renormalization.rules import Rule
from rsmi.renormalization.spectrum.correlations import CorrelationSums
from rsmi.renormalization.spectrum.site_functions import OfUnit
from rsmi.renormalization.spectrum.spreads import places, spread, whitening, window

HALF, NONE = Fraction(1, 2), Fraction(0)
UNIFORM, STAGGERED, COLUMNS = (NONE, NONE), (HALF, HALF), (HALF, NONE)
BLOCK = (4, 4)
TEMPLATES = stars.templates(Geometry(BLOCK, 2, 1, components=2))
SITES = np.array(list(np.ndindex(*BLOCK)))


def factors(covariance, filters, block, wave):
    """Exact structure factors (k, k, 9) of linear units next to a wave vector, and covariances (k,
    k) of the units: sums over the lattice, without a Fourier transform of configurations."""
    side = covariance.shape[-1]
    offsets = np.array(list(np.ndindex(*block)))
    weights = filters.reshape(len(filters), 2, len(offsets))
    whole = np.fft.fft2(covariance)
    waves = np.rint(np.array([float(q) for q in wave]) * side).astype(int) + places(2)
    near, every = [], np.stack(np.indices((side, side)), axis=-1).reshape(-1, 2)
    for number in (*waves, *every):
        phases = np.exp(2j * np.pi * offsets @ number / side)
        amplitudes = weights @ phases
        at_q = whole[:, :, number[0] % side, number[1] % side]
        near.append((amplitudes.conj() @ at_q @ amplitudes.T).real)
    return np.stack(near[:9], axis=-1), np.mean(near[9:], axis=0)


def dimensions(covariance_of, filters, block, wave, sides=(16, 32, 64)):
    """Delta of pairs of sizes. The largest lattice whitens."""
    found = [factors(covariance_of((side, side)), filters, block, wave) for side in sides]
    white = whitening(found[-1][1])
    spreads = [spread(one, window(block, side), white) for (one, _), side in zip(found, sides)]
    return 1 - np.diff(np.log(spreads)) / np.diff(np.log(sides)) / 2


def test_six_vertex_field():
    """1, at the free-fermion point, with corrections L^-2: both components together, in any
    mixture; a single unit; and one at 45 degrees, whose C(r) vanishes along both axes."""
    both = dimensions(kasteleyn.arrow_covariance, TEMPLATES["field"], BLOCK, UNIFORM)
    assert np.all(np.abs(both - 1) < [0.004, 0.001])
    mixture = np.array([[0.8, 0.3], [-0.2, 1.5]]) @ TEMPLATES["field"]
    mixed = dimensions(kasteleyn.arrow_covariance, mixture, BLOCK, UNIFORM)
    np.testing.assert_allclose(mixed, both, atol=1e-10)
    for one in (TEMPLATES["field"][:1], TEMPLATES["field"].sum(axis=0, keepdims=True)):
        single = dimensions(kasteleyn.arrow_covariance, one, BLOCK, UNIFORM)
        assert np.all(np.abs(single - 1) < [0.006, 0.002])


def test_six_vertex_staggered_polarization():
    """1 at the free-fermion point too, next to (1/2, 1/2). Without the window of the block the
    deviations are 0.17 and 0.09."""
    found = dimensions(kasteleyn.arrow_covariance, TEMPLATES["staggered"], BLOCK, STAGGERED)
    assert np.all(np.abs(found - 1) < [0.012, 0.005])


@pytest.mark.parametrize(
    ("wave", "bounds"),
    [(STAGGERED, (0.003, 0.001)), (COLUMNS, (0.017, 0.0075))],
    ids=["field", "columns"],
)
def test_dimers(wave, bounds):
    """Free dimers: the bits of single links along x hold the electric field at (1/2, 1/2) and the
    columnar order at (1/2, 0). Both have dimension 1; the structure factor of the columns grows
    like the logarithm of the size, that of the field not at all."""
    found = dimensions(dimers.link_covariance, np.array([[1.0, 0.0]]), (1, 1), wave)
    assert np.all(np.abs(found - 1) < bounds)


def test_sums_of_configurations():
    """What is measured on configurations, with weights of all 2970 states of a 4x4 torus, is what
    the exact covariance gives: units with waves, real and complex parts in their places."""
    states = all_arrows((4, 4))
    weights = np.exp2(arrows.c_vertices(states).sum(axis=(1, 2)) / 2)
    filters = np.random.default_rng(3).normal(size=(2, 8))
    rule = Rule(filters, np.zeros(2), True, (2, 2), 2)
    for wave in (UNIFORM, STAGGERED, COLUMNS):
        units = [OfUnit("unit", rule, number, "linear", wave) for number in range(2)]
        fields = np.stack([one.at_sites(states) for one in units], axis=1)
        scale = np.abs(filters).sum(axis=1)
        sums = CorrelationSums.empty(1, ["a", "b"], (4, 4))
        if wave == UNIFORM:  # the other averages were subtracted
            fields = fields - fields.mean(axis=(2, 3), keepdims=True)
        weighted = np.sqrt(weights / weights.sum())[:, None, None, None] * fields
        sums.add(weighted, np.zeros(len(states), np.int64))
        exact, _ = factors(kasteleyn.arrow_covariance((4, 4)), filters, (2, 2), wave)
        exact = exact / np.outer(scale, scale)[..., None]
        zero = np.all((4 * np.array(wave, float) + places(2)) % 4 == 0, axis=1)
        found = sums.arrays["near_modes"][0]
        np.testing.assert_allclose(found[..., ~zero], exact[..., ~zero], atol=1e-12)


def test_a_wave_of_three_sites_is_complex():
    """cos(Q.x) of K on a triangular lattice, taken off its wave, has a uniform part of 1/2."""
    wave = (Fraction(1, 3), Fraction(1, 3))
    x = np.indices((6, 6)).sum(axis=0)
    field = np.where(x % 3 == 0, 1, -1)[None, None]  # a third up: 2/3 cos, and a constant
    unit = OfUnit("unit", Rule(np.ones((1, 1)), np.zeros(1), True, (1, 1)), 0, "linear", wave)
    values = unit.at_sites(field)
    assert values.mean() == pytest.approx(2 / 3)
    sums = CorrelationSums.empty(1, ["a"], (6, 6))
    sums.add(values[:, None], np.zeros(1, np.int64))
    assert sums.arrays["near_modes"][0, 0, 0, 0] == pytest.approx(36 * 4 / 9)


def test_corrections_of_the_six_vertex_line():
    """4 x - 2 of operators that are periodic in the heights, where it is less than 2; the field has
    none. At c = 2 it vanishes, and no lattice tells such a correction from a constant."""
    for weight, expected in ((1.0, None), (1.7, 1.09216), (1.9, 0.50678), (2.0, None)):
        staggered = known(2, weight).operator_at("odd", STAGGERED)
        assert staggered.name == "staggered polarization"
        found = staggered.correction and staggered.correction.value
        assert found == (expected and pytest.approx(expected, abs=1e-5))
        assert known(2, weight).operator_at("odd", UNIFORM).correction is None
        assert known(2, weight).operator_at("odd", COLUMNS) is None


# ---- the wave vector of a unit -------------------------------------------------------------------


def test_wave_of_templates():
    for name, wave in (("field", UNIFORM), ("staggered", STAGGERED)):
        for weights in TEMPLATES[name]:
            assert wave_of_unit(weights.reshape(2, 16), SITES, (16, 16)) == wave
    assert wave_of_unit(TEMPLATES["staggered"].reshape(2, 16), SITES, (15, 16)) == UNIFORM


def test_constraints_do_not_count():
    """The ice rule adds stars to a filter that change no value: the covariance tells."""
    star = stars.star_constraints(Geometry(BLOCK, 2, 1, components=2)).vectors
    filters = TEMPLATES["field"][0] + 40 * star[0]
    ends = np.insert(np.tile(SITES, (2, 1)), 0, np.repeat((0, 1), 16), axis=1)
    exact = kasteleyn.arrow_covariance((16, 16))
    steps = (ends[None, :, 1:] - ends[:, None, 1:]) % 16
    covariance = exact[ends[:, None, 0], ends[None, :, 0], steps[..., 0], steps[..., 1]]
    weights = filters.reshape(2, 16)
    assert wave_of_unit(weights, SITES, (16, 16)) == STAGGERED
    assert wave_of_unit(weights, SITES, (16, 16), covariance) == UNIFORM


def test_wave_of_the_triangular_lattice():
    sites = np.array(list(np.ndindex(3, 3)))
    weights = np.cos(2 * np.pi * sites.sum(axis=1) / 3)[None]
    third = (Fraction(1, 3), Fraction(1, 3))
    assert wave_of_unit(weights, sites, (12, 12), thirds=True) == third
    assert third not in (
        wave_of_unit(weights, sites, (12, 12)),
        wave_of_unit(weights, sites, (16, 16), thirds=True),
    )
