"""Blocks that are lists of sites, and shells by the distance on a lattice."""

import csv
from pathlib import Path

import numpy as np
import pytest

from rsmi.errors import UsageError
from rsmi.lattice.blocks import block_of, with_neighbours
from rsmi.lattice.geometry import Geometry
from rsmi.lattice.unit_cell import TRIANGULAR

REFERENCE = Path(__file__).parents[2] / "data" / "reference" / "triangular_corr12.csv"
TRIANGLE = "0,0\n1,0\n1,1\n"


@pytest.fixture
def triangle(tmp_path):
    path = tmp_path / "triangle.csv"
    path.write_text(TRIANGLE)
    return str(path)


@pytest.mark.parametrize(
    ("listed", "buffer", "metric", "sites"),
    [
        (True, 1, "square", 20),
        (True, 2, "square", 28),
        (True, 1, "lattice", 15),
        (True, 2, "lattice", 21),
        (False, 1, None, 24),
        (False, 1, "square", 24),
        (False, 1, "lattice", 20),
        (False, 2, "lattice", 26),
    ],
)
def test_sizes_of_shells(triangle, listed, buffer, metric, sites):
    """Around a triangle and a 3x3 rhombus of the triangular lattice."""
    text = triangle if listed else "3x3"
    geometry = with_neighbours(block_of(text, buffer, 1, metric), TRIANGULAR.steps)
    assert (geometry.n_block, geometry.n_environment) == (3 if listed else 9, sites)
    assert geometry.window == (4 + 2 * buffer,) * 2 if listed else (5 + 2 * buffer,) * 2


def test_a_listed_rectangle_has_the_frame_of_a_rectangle(tmp_path):
    path = tmp_path / "block.csv"
    path.write_text("# a block\nx, y\n" + "\n".join(f"{x},{y}" for x in (5, 4) for y in (7, 8, 9)))
    listed, plain = block_of(str(path), 1, 2), Geometry((2, 3), 1, 2)
    np.testing.assert_array_equal(listed.block_offsets, plain.block_offsets)
    np.testing.assert_array_equal(listed.environment_offsets, plain.environment_offsets)


def test_lattice_distances_of_the_square_lattice():
    """One site, and the four and eight sites at one and two steps from it."""
    for buffer, sites in ((0, 4), (1, 8)):
        geometry = with_neighbours(block_of("1x1", buffer, 1, "lattice"), None)
        assert geometry.n_environment == sites
        assert (np.abs(geometry.environment_offsets).sum(axis=1) == buffer + 1).all()


def canonical_correlations(geometry):
    """Those of block and environment, from the exact correlations of the ground states."""
    with REFERENCE.open() as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        values = {(int(r["dx"]), int(r["dy"])): float(r["correlation"]) for r in rows}
    sites = np.concatenate([geometry.block_offsets, geometry.environment_offsets])
    differences = (sites[:, None] - sites) % 12
    covariance = np.array([[values[tuple(map(int, d))] for d in row] for row in differences])
    n = geometry.n_block
    own, across, around = covariance[:n, :n], covariance[:n, n:], covariance[n:, n:]
    inside = across @ np.linalg.pinv(around, 1e-9) @ across.T
    return np.sort(np.sqrt(np.linalg.eigvals(np.linalg.solve(own, inside)).real))[::-1]


def test_a_triangle_has_an_exact_doublet(triangle):
    """By symmetry the two functions at K of a triangle are equally correlated with a shell of the
    triangular lattice; square frames split them."""
    shells = [block_of(triangle, 1, 1, metric) for metric in ("lattice", "square")]
    symmetric, square = (
        canonical_correlations(with_neighbours(shell, TRIANGULAR.steps)) for shell in shells
    )
    assert symmetric[0] == pytest.approx(symmetric[1], abs=1e-9)
    assert 0.66 < symmetric[1] < 0.70
    assert square[0] - square[1] > 0.003


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("", "no sites"),
        ("0.5,1\n", "integer coordinates"),
        ("0,0\n1\n", "integer coordinates"),
        ("0,0,0,0\n", "one to three coordinates"),
        ("0,0\n1,1\n0,0\n", "listed twice"),
        ("0,0\n100,0\n", "more than 64 apart"),
    ],
)
def test_bad_lists(tmp_path, content, message):
    path = tmp_path / "sites.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=message):
        block_of(str(path), 1, 1)


def test_far_neighbours_are_refused():
    with pytest.raises(UsageError, match="far apart in the array"):
        with_neighbours(Geometry((2, 2), 1, 1, metric="lattice"), np.array([[2, 0], [-2, 0]]))
