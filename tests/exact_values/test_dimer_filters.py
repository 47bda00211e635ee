"""Canonical correlations, gauge and measures of filters on dimers."""

import csv
from pathlib import Path

import numpy as np
import pytest
from exact import dimer_coverings
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.errors import UsageError
from rsmi.information.canonical import (
    angles_between,
    canonical_correlations,
    gaussian_information,
    readout_correlations,
    whitening,
)
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers import filters as dimer_filters
from rsmi.models.dimers.kasteleyn import link_covariance
from rsmi.models.dimers.stars import star_vectors, without_stars

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
BLOCK = (4, 4)


def moments(buffer, components=2, size=16, **noise):
    return dimer_filters.window_moments(
        link_covariance((size, size)), Geometry(BLOCK, buffer, 1), components, **noise
    )


@pytest.fixture(scope="module")
def buffered():
    """The window of most tests: 4x4 cells, buffer 2, ring 1, 16x16 torus, no noise."""
    return moments(2)


# ---- angles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1.0, 90.0, 180 - 1e-7, 180.0])
def test_a_small_angle_keeps_its_digits(angle):
    """Numbers that are printed would depend on the linear algebra of the machine if an angle were
    the arccos of a correlation: there one unit in the last place is a millionth of a degree."""
    covariance = np.array([[2.0, 0.3], [0.3, 0.5]])
    turn = np.radians(angle) * np.array([0.0, 1.0])
    orthonormal = np.array([np.cos(turn), np.sin(turn)]).T
    functions = 3.7 * orthonormal @ np.linalg.inv(np.linalg.cholesky(covariance))
    found = angles_between(functions, covariance)
    assert found[0, 1] == found[1, 0] == pytest.approx(angle, rel=1e-9, abs=1e-13)
    assert found[0, 0] == found[1, 1] == 0


def test_a_function_that_does_not_vary_has_no_angle():
    """A number there would be an angle between a direction and nothing."""
    assert np.isnan(angles_between(np.array([[1.0, 0], [0, 0]]), np.eye(2)))[0, 1]


# ---- canonical correlations ----------------------------------------------------------------------


def test_correlations_of_two_known_pairs():
    """V = (a, b, a + b) and E = mixtures of a, b and own noise: correlations by hand, the redundant
    third direction left out."""
    mixing = np.array([[1.0, 0], [0, 2], [1, 2]])
    block, between = mixing @ mixing.T, mixing @ np.diag([0.6, 0.3])
    found = canonical_correlations(block, np.eye(2), between)
    assert found.correlations == pytest.approx([0.6, 0.3])
    assert np.abs(found.block_modes @ block @ found.block_modes.T - np.eye(2)).max() < 1e-12
    assert (
        np.abs(found.block_modes @ between @ found.environment_modes.T - np.diag([0.6, 0.3])).max()
        < 1e-12
    )
    assert gaussian_information(found.correlations) == pytest.approx(-0.5 * np.log(0.64 * 0.91))


def test_a_cut_of_zero_would_divide_by_rounding():
    """Why singular covariances are cut: 9 conserved stars of 32 directions; errors of 1e-12 would
    make correlations far above 1."""
    covariances = moments(2)
    assert len(whitening(covariances.block)) == 23
    assert len(whitening(covariances.environment)) == 70
    rounded = [
        matrix + 1e-12 * np.random.default_rng(0).normal(size=matrix.shape)
        for matrix in covariances
    ]
    rounded[:2] = [(matrix + matrix.T) / 2 for matrix in rounded[:2]]
    assert canonical_correlations(*rounded).correlations[:3] == pytest.approx(
        [0.5840, 0.5604, 0.3152], abs=1e-4
    )
    assert canonical_correlations(*rounded, cut=1e-25).correlations[0] > 1.01


@pytest.mark.parametrize("seed", range(3))
def test_linear_maps_leave_correlations_alone(seed, buffered):
    maps = np.random.default_rng(seed).normal(size=(32, 32))
    other = canonical_correlations(
        maps @ buffered.block @ maps.T, buffered.environment, maps @ buffered.between, cut=1e-10
    )
    assert other.correlations[:6] == pytest.approx(
        canonical_correlations(*buffered).correlations[:6], abs=1e-6
    )


def test_readout_is_the_regression_on_the_environment(buffered):
    """R^2 of the least-squares prediction, which needs no whitening."""
    filter_ = dimer_filters.electric_templates(BLOCK)[0] + 0.3
    weights = np.linalg.lstsq(buffered.environment, buffered.between.T @ filter_, rcond=1e-9)[0]
    explained = filter_ @ buffered.between @ weights / (filter_ @ buffered.block @ filter_)
    assert readout_correlations(filter_, *buffered)[0] ** 2 == pytest.approx(explained, rel=1e-8)
    assert readout_correlations(np.zeros(32), *buffered).size == 0


# ---- the exact optimum ---------------------------------------------------------------------------


@pytest.mark.parametrize("buffer", [1, 2])
@pytest.mark.parametrize("components", [2, 4])
def test_canonical_modes_of_the_16x16_torus(buffer, components):
    """rho = .7132 .6905 .5176 at buffer 1 and .5840 .5604 .3152 at buffer 2; noise changes none of
    it."""
    with (REFERENCE / "dimer_cca16.csv").open() as lines:
        (row,) = (row for row in csv.DictReader(lines) if row["b"] == str(buffer))
    covariances = moments(buffer, components, noise_correlation=0.964)
    found = canonical_correlations(*covariances)
    assert found.correlations[:6] == pytest.approx(
        [float(row[f"rho{k}"]) for k in range(1, 7)], abs=5e-5
    )
    modes = dimer_filters.filter_readout(found.block_modes[:3], covariances, BLOCK, components)
    assert modes.electric == pytest.approx(
        [float(row[f"E_R2_mode{k}"]) for k in (1, 2, 3)], abs=1e-4
    )
    assert modes.information == pytest.approx(
        [float(row[f"gaussMI{k}"]) for k in (1, 2, 3)], abs=1e-5
    )
    assert modes.canonical == pytest.approx([1, 1, 0], abs=1e-9)
    if components == 2:
        ranks = [len(whitening(part)) for part in covariances[:2]]
        assert ranks == [int(row["rankV"]), int(row["rankE"])]
        named = [
            dimer_filters.electric_templates(BLOCK)[0],
            dimer_filters.columnar_templates(BLOCK)[0],
        ]
        rho = [readout_correlations(filter_, *covariances)[0] for filter_ in named]
        assert rho == pytest.approx(
            [float(row["rho_Ex_uniform"]), float(row["rho_columnar"])], abs=5e-5
        )


def test_the_optimum_is_not_the_uniform_filter(buffered):
    """R2 by coefficients .888 and .885 at buffer 2, and nothing of it in the third mode."""
    modes = canonical_correlations(*buffered).block_modes
    shape = dimer_filters.filter_shape(modes[:3], BLOCK, 2)
    assert shape.electric == pytest.approx([0.8881, 0.8845, 0.0010], abs=1e-4)
    assert shape.capture == pytest.approx([0.9157, 0.9157], abs=1e-4)
    assert shape.angles[0, 1] == pytest.approx(90, abs=1e-6)


@pytest.mark.parametrize(
    ("buffer", "electric", "columnar"),
    [(1, 0.452, 0.0723), (2, 0.301, 0.0246), (3, 0.201, 0.0080), (4, 0.159, 0.0047)],
)
def test_correlations_against_the_buffer(buffer, electric, columnar):
    """Squared correlations of E and of the columnar order with E fall with the buffer; those of
    noise vanish."""
    covariances = moments(buffer, 4, noise_correlation=0.964)
    named = np.array(
        [dimer_filters.electric_templates(BLOCK)[1], dimer_filters.columnar_templates(BLOCK)[1]]
    )
    noise = np.zeros((1, 64))
    noise[0, [3, 51]] = 1  # both spins of a cell
    filters = np.concatenate([dimer_filters.embed_links(named, 4), noise])
    found = dimer_filters.filter_readout(filters, covariances, BLOCK, 4)
    assert found.correlation**2 == pytest.approx([electric, columnar, 0], abs=5e-4)
    assert found.correlation[2] == 0


def test_without_buffer_everything_is_conserved():
    """Buffer 0: 15 vertices have links in V and in E alone, which makes 14 correlations 1 (one of
    the sums follows from the others)."""
    found = canonical_correlations(*moments(0)).correlations
    assert (found > 1 - 1e-9).sum() == 14
    assert found.max() < 1 + 1e-9
    assert gaussian_information([1 + 1e-12]) == np.inf


# ---- gauge ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("components", [2, 4])
def test_the_gauge_changes_no_readout(components):
    """x on windows of listed coverings of the 4x6 torus, noise included; nothing but the gauge part
    of the links changes."""
    rng = np.random.default_rng(5)
    block, partners = (2, 4), dimer_coverings((4, 6))[:, 1:3, 2:6]
    v = 2.0 * np.stack([partners == 0, partners == 1], axis=1).reshape(len(partners), -1) - 1
    if components == 4:
        noise = rng.choice([-1.0, 1.0], (len(v), 2, 8))
        v = np.concatenate([noise[:, 0], v, noise[:, 1]], axis=1)
    filters, bias = rng.normal(size=(3, v.shape[1])), rng.normal(size=3)
    fixed, shifted = without_stars(filters, bias, block, components)
    assert np.abs(v @ filters.T + bias - (v @ fixed.T + shifted)).max() < 1e-12
    links, noise = dimer_filters.split_filters(fixed, components)
    assert np.abs(links @ star_vectors(block, 2).T).max() < 1e-12
    assert (noise == dimer_filters.split_filters(filters, components)[1]).all()
    assert np.abs(filters - fixed).max() > 0.1


def test_stars_are_the_null_space(buffered):
    """Nine stars with four links, of variance 0: the covariance has rank 23 of 32. They do not
    overlap with T_x and T_y."""
    stars = star_vectors(BLOCK, 2)
    assert stars.shape == (9, 32)
    assert (stars.sum(axis=1) == 4).all()
    assert np.linalg.matrix_rank(stars) == 9
    assert np.abs(stars @ buffered.block).max() < 1e-13
    assert (stars @ dimer_filters.electric_templates(BLOCK).T == 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_measures_do_not_depend_on_the_gauge(seed):
    """A large multiple of a star would spoil R2, noise share and angles of a bare filter, not those
    of `filter_shape`."""
    rng = np.random.default_rng(seed)
    filters = rng.normal(size=(2, 64))
    amounts = rng.normal(size=(2, 9)) * 3
    other = filters + amounts @ star_vectors(BLOCK, 4)
    first, second = (dimer_filters.filter_shape(each, BLOCK, 4) for each in (filters, other))
    for name, value in first._asdict().items():
        assert getattr(second, name) == pytest.approx(value, abs=1e-5), name


# ---- measures ------------------------------------------------------------------------------------


def test_shapes_of_named_filters():
    """T_x, T_y, their sum, columnar, one noise spin, and nothing."""
    x, y = dimer_filters.electric_templates(BLOCK)
    columnar = dimer_filters.columnar_templates(BLOCK)[0]
    links = dimer_filters.embed_links(np.array([x, y, -2 * x - 2 * y, columnar, 0 * x, 0 * x]), 4)
    links[4, 0] = 3.0
    shape = dimer_filters.filter_shape(links, BLOCK, 4)
    assert shape.electric[:4] == pytest.approx([1, 1, 1, 0], abs=1e-12)
    assert shape.columnar[0] == pytest.approx(0, abs=1e-12)
    assert shape.columnar[3] == pytest.approx(1, abs=1e-12)
    assert shape.noise[:5] == pytest.approx([0, 0, 0, 0, 1])
    assert shape.direction[:3] == pytest.approx([0, 90, -135])
    assert shape.angles[0, :4] == pytest.approx([0, 90, 135, 90], abs=1e-5)
    assert np.isnan(
        [shape.electric[4], shape.electric[5], shape.noise[5], shape.angles[0, 5]]
    ).all()
    assert shape.capture == pytest.approx([1, 1])
    assert dimer_filters.filter_shape(links[2:4], BLOCK, 4).capture == pytest.approx([0.5, 0.5])


def test_noise_dilutes_the_correlation(buffered):
    """A noise weight adds its variance to the filter's, a coupled pair of equal weights 2 (1 + c)
    as much."""
    bare = readout_correlations(dimer_filters.electric_templates(BLOCK)[0], *buffered)[0]
    variance = (
        16 * buffered.block[0, 0]
        + 2
        * np.triu(
            np.outer(*[dimer_filters.electric_templates(BLOCK)[0]] * 2) * buffered.block, 1
        ).sum()
    )
    covariances = moments(2, 4, noise_correlation=0.9)
    for face, added in ((None, 4), (5, 8 * 1.9), (6, 8)):
        filter_ = dimer_filters.embed_links(dimer_filters.electric_templates(BLOCK)[:1], 4)
        filter_[0, 5] = 2
        if face is not None:
            filter_[0, 48 + face] = 2
        found = dimer_filters.filter_readout(filter_, covariances, BLOCK, 4)
        assert found.correlation[0] == pytest.approx(
            bare * np.sqrt(variance / (variance + added)), rel=1e-9
        )
        assert found.electric[0] == pytest.approx(1)


def test_straddling_pairs_cross_cells():
    """Vertex (x+1, y+1) and face (x, y): in the block 9 pairs of its 16 spins of either kind, and
    with no buffer 7 shared with E."""
    straddling = moments(0, 4, noise_correlation=0.5, pairing="straddling")
    faces, vertices = straddling.block[48:, :16], straddling.between[:16]
    assert (faces == 0.5).sum() == 9
    assert faces[0, 5] == 0.5
    assert (vertices == 0.5).sum() == 7
    assert (straddling.between[48:, :20] == 0.5).sum() == 7
    assert (moments(0, 4, noise_correlation=0.5).between[:16] == 0).all()
    assert (np.diagonal(straddling.environment)[:20] == 1).all()
    assert np.abs(straddling.block - straddling.block.T).max() < 1e-15


def test_together_is_at_least_the_best_and_at_most_the_whole(buffered):
    rng = np.random.default_rng(2)
    filters = rng.normal(size=(4, 32))
    found = dimer_filters.filter_readout(filters, buffered, BLOCK, 2)
    assert found.information.max() < found.joint < gaussian_information(found.optimum.correlations)
    all_of_it = dimer_filters.filter_readout(np.eye(32), buffered, BLOCK, 2)
    assert all_of_it.joint == pytest.approx(
        gaussian_information(found.optimum.correlations), rel=1e-6
    )
    assert all_of_it.capture == pytest.approx([1, 1])


def test_a_window_must_fit():
    with pytest.raises(UsageError, match="do not fit"):
        moments(2, size=8)
