"""Dimer coverings by Pfaffians against enumeration, against dense determinants and against known
values."""

import csv
from pathlib import Path

import numpy as np
import pytest
from exact import dimer_coverings, dimer_windings

from rsmi.errors import UsageError
from rsmi.information.canonical import window_covariance
from rsmi.models.dimers import kasteleyn

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
TORI = [(2, 2), (2, 6), (4, 4), (6, 4), (4, 6)]


def reference_rows(name):
    with (REFERENCE / name).open() as lines:
        return list(csv.DictReader(lines))


def coverings_of(shape, boundary="periodic"):
    """All coverings as link bits (n, 2, Lx, Ly)."""
    partners = dimer_coverings(shape, boundary)
    return np.stack([partners == 0, partners == 1], axis=1).astype(np.int64)


def torus_covariance(coverings):
    """Cov(n_a(0,0), n_b(dx,dy)) averaged over translations."""
    bits = coverings - coverings.mean(axis=(0, 2, 3))[:, None, None]
    found = np.zeros((2, 2, *bits.shape[2:]))
    for a, b, dx, dy in np.ndindex(found.shape):
        found[a, b, dx, dy] = (bits[:, a] * np.roll(bits[:, b], (-dx, -dy), (1, 2))).mean()
    return found


@pytest.mark.parametrize(
    ("shape", "coverings"), [((2, 2), 8), ((4, 4), 272), ((6, 6), 90176), ((8, 8), 311853312)]
)
def test_torus_counts(shape, coverings):
    assert np.exp(kasteleyn.log_coverings(shape)) == pytest.approx(coverings, rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "coverings"),
    [((2, 2), 2), ((2, 4), 5), ((4, 4), 36), ((6, 6), 6728), ((8, 8), 12988816)],
)
def test_open_counts(shape, coverings):
    assert np.exp(kasteleyn.log_coverings(shape, "open")) == pytest.approx(coverings, rel=1e-12)


@pytest.mark.parametrize("shape", TORI)
def test_torus_against_enumeration(shape):
    """Counts, windings and covariances of every torus that can be listed; rectangular ones would
    show exchanged axes."""
    coverings = coverings_of(shape)
    assert np.exp(kasteleyn.log_coverings(shape)) == pytest.approx(len(coverings), rel=1e-12)
    assert np.abs(kasteleyn.link_covariance(shape) - torus_covariance(coverings)).max() < 1e-13
    signs = 1 - 2 * (np.indices(shape).sum(axis=0) % 2)
    along_x, along_y = (coverings[:, 0] * signs).sum(axis=2), (coverings[:, 1] * signs).sum(axis=1)
    assert (along_x == along_x[:, :1]).all()
    assert (along_y == along_y[:, :1]).all()
    counts = np.zeros((shape[1] + 1, shape[0] + 1))
    np.add.at(counts, (along_x[:, 0] + shape[1] // 2, along_y[:, 0] + shape[0] // 2), 1)
    assert np.abs(dimer_windings(shape) - counts / len(coverings)).max() < 1e-14


def test_a_wrong_sign_of_the_singular_sector_shows():
    """The sector with vanishing determinant has minors: without it, or with the other sign, the
    covariances are off by one or two hundredths."""
    exact = torus_covariance(coverings_of((4, 4)))
    links = np.indices((2, 4, 4))
    black, white, weight = kasteleyn._link_ends(*links)
    minor = weight * kasteleyn._singular_minor(
        (4, 4), (1, 0), black, white, kasteleyn.log_coverings((4, 4))
    )
    assert np.abs(minor).max() == pytest.approx(0.5 * 16 / 272)
    found = kasteleyn.link_covariance((4, 4))[0]
    assert all(np.abs(found + share * minor - exact[0]).max() > 0.01 for share in (0.5, 1.0))


def test_covariance_of_the_16x16_torus():
    """Against ratios of dense determinants, 5e-13 of which is their rounding."""
    covariance = kasteleyn.link_covariance((16, 16))
    rows = reference_rows("dimer_corr16.csv")
    assert len(rows) == 512
    for row in rows:
        a, dx, dy, value = row.values()
        assert covariance[0, int(a), int(dx), int(dy)] == pytest.approx(float(value), abs=1e-12)


def test_windings_of_the_reference():
    for row in reference_rows("dimer_counts.csv"):
        kind, name = row["graph"].split()
        shape = tuple(int(size) for size in name.split("x"))
        assert np.exp(
            kasteleyn.log_coverings(shape, "open" if kind == "open" else "periodic")
        ) == pytest.approx(float(row["coverings"]), rel=1e-11)
        if kind == "open":
            continue
        distribution, middle = dimer_windings(shape), shape[0] // 2
        winding = np.arange(-middle, middle + 1)
        assert distribution.sum() == pytest.approx(1, abs=1e-12)
        assert distribution.sum(axis=1) @ winding**2 == pytest.approx(float(row["varWx"]), abs=1e-9)
        for x, y in ((0, 0), (1, 0), (1, 1), (2, 0)):
            name = f"P(W={x},{y})" if (x, y) == (0, 0) else f"P({x},{y})"
            assert distribution[middle + x, middle + y] == pytest.approx(float(row[name]), abs=1e-8)


def test_large_lattices():
    """The entropy per site tends to G/pi, collinear dimers to the known numbers of the infinite
    lattice, the stiffness to 1/2."""
    catalan = 0.915965594177219
    sites = 128 * 128
    assert kasteleyn.log_coverings((128, 128)) / sites == pytest.approx(catalan / np.pi, abs=1e-4)
    collinear = kasteleyn.link_covariance((256, 256))[0, 0, 2:6, 0]
    assert collinear == pytest.approx([0.02834506, -0.01285508, 0.00758527, -0.00447576], abs=2e-6)
    winding = np.arange(-16, 17)
    weights = np.exp(-np.pi / 2 * winding**2)
    variance = dimer_windings((32, 32)).sum(axis=1) @ winding**2
    assert variance == pytest.approx(weights @ winding**2 / weights.sum(), rel=1e-3)


def test_dimers_repel_on_a_vertex():
    """The star of a vertex always holds one dimer: its covariance with every link vanishes."""
    covariance = kasteleyn.link_covariance((8, 6))
    star = [(0, 0, 0), (1, 0, 0), (0, -1, 0), (1, 0, -1)]
    links = np.argwhere(np.ones((2, 8, 6)))
    assert np.abs(window_covariance(covariance, star, links).sum(axis=0)).max() < 1e-14


@pytest.mark.parametrize("shape", [(3, 4), (4, 5), (0, 4), (4,), (4, 4, 4)])
def test_odd_lattices_are_refused(shape):
    for function in (
        kasteleyn.log_coverings,
        kasteleyn.link_covariance,
    ):
        with pytest.raises(UsageError, match="two even sides"):
            function(shape)
