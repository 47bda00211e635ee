"""The six-vertex model at c = sqrt(2): exact covariances of the arrows, and what they say of a
block and its environment."""

import csv
from pathlib import Path

import numpy as np
import pytest
from exact import all_arrows

from rsmi.information.canonical import canonical_correlations, readout_correlations
from rsmi.lattice.geometry import Geometry
from rsmi.models import get
from rsmi.models.six_vertex import arrows, kasteleyn, stars

ARROWS = {"components": 2, "rg_step": 0}
REFERENCE = Path(__file__).parents[2] / "data/reference"


def rows(name):
    lines = (REFERENCE / name).read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (4, 2), (4, 4)], ids=str)
def test_enumeration(shape):
    """All states one by one, with the weight 2^(n/2) of n c vertices."""
    states = all_arrows(shape)
    weights = np.exp2(arrows.c_vertices(states).sum(axis=(1, 2)) / 2)
    waves = np.fft.fft2(states)
    mean = np.einsum("n,naxy,nbxy->abxy", weights / weights.sum(), waves.conj(), waves)
    exact = np.fft.ifft2(mean).real / np.prod(shape)
    assert kasteleyn.arrow_covariance(shape) == pytest.approx(exact, abs=1e-12)


def test_reference():
    """16 x 16, by an independent program."""
    exact = kasteleyn.arrow_covariance((16, 16))
    for row in rows("sixvertex_corr16_freefermion.csv"):
        found = exact[0, int(row["a"]), int(row["dx"]), int(row["dy"])]
        assert found == pytest.approx(float(row["covariance"]), abs=1e-9)


def test_ice_rule():
    """On a torus of two different sides the arrows at a vertex have no divergence, and by an
    exchange of the axes the covariances are those of the exchanged sides."""
    exact = kasteleyn.arrow_covariance((12, 18))
    for a in range(2):
        along_x, along_y = exact[a]
        divergence = along_x - np.roll(along_x, 1, 0) + along_y - np.roll(along_y, 1, 1)
        assert np.abs(divergence).max() < 1e-12
    turned = kasteleyn.arrow_covariance((18, 12))[::-1, ::-1].swapaxes(2, 3)
    assert np.abs(exact - turned).max() < 1e-12


@pytest.mark.parametrize("side", [12, 16, 32])
def test_canonical_correlations(side):
    """4 x 4 vertices and a ring: the five largest correlations and those of the templates, to the
    six digits of an independent program."""
    attributes = {**ARROWS, "shape": (side, side), "model_parameters": {"weight": 2**0.5}}
    for row in rows("sixvertex_cca.csv"):
        if (row["L"], row["c"]) != (str(side), "1.414214") or int(row["buffer"]) > 2:
            continue
        geometry = Geometry((4, 4), int(row["buffer"]), 1, components=2)
        moments = kasteleyn.exact_moments(geometry, attributes)
        found = canonical_correlations(*moments).correlations
        assert found == pytest.approx(
            get("six-vertex").canonical_correlations(geometry, attributes)
        )
        expected = [float(row[f"rho{i}"]) for i in range(1, 6)]
        assert found[:5] == pytest.approx(expected, abs=1e-6)
        for name, column in (("field", "rho_Tx"), ("staggered", "rho_Ts")):
            template = stars.templates(geometry)[name][:1]
            readout = readout_correlations(template, *moments)
            assert readout[0] == pytest.approx(float(row[column]), abs=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"model_parameters": {"weight": 1.0}},
        {"boundary": "open"},
        {"shape": (15, 16)},
        {"rg_step": 1},
    ],
    ids=str,
)
def test_unknown_elsewhere(change):
    attributes = {**ARROWS, "shape": (16, 16), "model_parameters": {"weight": 2**0.5}} | change
    geometry = Geometry((4, 4), 2, 1, components=2)
    assert get("six-vertex").canonical_correlations(geometry, attributes) is None
