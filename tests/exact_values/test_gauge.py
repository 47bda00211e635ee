"""The gauge of stored filters: stars of dimer coverings, and the sign."""

import numpy as np
import pytest

from rsmi.information import gauge
from rsmi.lattice.geometry import Geometry, extract_windows
from rsmi.models.dimers import stars


def coverings(n, size, seed):
    """Links (n, 2, size, size) of dimer coverings of a torus: columns of dimers, changed by
    rotating parallel pairs."""
    rng = np.random.default_rng(seed)
    links = np.zeros((n, 2, size, size), bool)
    links[:, 0, ::2] = True
    for s in range(n):
        for x, y in rng.integers(0, size, (20 * size * size, 2)):
            a, b = (x, (y + 1) % size), ((x + 1) % size, y)
            along, across = links[s, 0], links[s, 1]
            if (along[x, y] and along[a]) or (across[x, y] and across[b]):
                for field, other in ((along, a), (across, b)):
                    field[x, y] = field[other] = not field[x, y]
    return links


def windows(components, block, n=30):
    links = coverings(n, 10, seed=3)
    spins = np.random.default_rng(4).integers(0, 2, (n, components, 10, 10)).astype(bool)
    spins[:, components // 2 - 1 : components // 2 + 1] = links
    packed = np.packbits(spins.reshape(n, -1), axis=1, bitorder="little")
    geometry = Geometry(block, 1, 1, components)
    return extract_windows(
        packed,
        (10, 10),
        geometry,
        np.arange(n),
        np.arange(2 * n).reshape(n, 2) % 10,
        np.ones(n, np.int8),
    )[0]


@pytest.mark.parametrize("components", [2, 4])
@pytest.mark.parametrize(("block", "count"), [((4, 4), 9), ((2, 6), 5), ((2, 2), 1)])
def test_stars_sum_to_minus_two_on_coverings(components, block, count):
    vectors = stars.star_vectors(block, components)
    assert len(vectors) == count
    assert np.all(vectors.sum(axis=1) == 4)
    assert np.all(windows(components, block) @ vectors.T == -2)


@pytest.mark.parametrize("components", [2, 4])
def test_removing_stars_leaves_the_field_of_every_covering(components):
    rng = np.random.default_rng(5)
    filters, bias, blocks = (
        rng.normal(0, 1, (3, 16 * components)),
        rng.normal(0, 1, 3),
        windows(components, (4, 4)),
    )
    fixed, moved = stars.without_stars(filters, bias, (4, 4), components)
    np.testing.assert_allclose(blocks @ fixed.T + moved, blocks @ filters.T + bias, atol=1e-12)
    np.testing.assert_allclose(fixed @ stars.star_vectors((4, 4), components).T, 0, atol=1e-12)
    curve, curve_bias = stars.without_stars(
        np.array([filters, -filters]), np.array([bias, -bias]), (4, 4), components
    )
    np.testing.assert_allclose((curve[1], curve[0]), (-fixed, fixed), atol=1e-12)
    np.testing.assert_allclose(curve_bias[1], -moved, atol=1e-12)


def test_the_link_covariance_has_no_more_null_directions():
    """Rank 23 of 32 for 4x4 cells: the nine stars are all there is to fix."""
    blocks = windows(2, (4, 4), n=120)
    assert np.linalg.matrix_rank(np.cov(blocks.T), tol=1e-9) == 32 - len(
        stars.star_vectors((4, 4), 2)
    )


def test_filters_are_stored_with_a_positive_sum():
    filters, bias, signs = gauge.positive(
        np.array([[-1.0, 0.5], [-1.0, 1.0], [0.5, 0.1]]), np.array([1.0, -2.0, 0.0])
    )
    assert filters.tolist() == [[1.0, -0.5], [1.0, -1.0], [0.5, 0.1]]
    assert bias.tolist() == [-1.0, 2.0, 0.0]
    assert signs.tolist() == [-1, -1, 1]
