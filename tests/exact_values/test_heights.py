"""Heights of the environment: they are the same along every path, and rise and fall as their models
say."""

import numpy as np
import pytest

from rsmi.lattice.geometry import Geometry
from rsmi.lattice.packed import unpack_spins
from rsmi.models import get, height_bits
from rsmi.models.dimers.simulation import DimerSimulation
from rsmi.models.six_vertex.simulation import LoopSimulation

SHAPE = (12, 12)
CORNER = (4, 4)  # the first site of the block, on the even sublattice


@pytest.fixture(scope="module")
def arrows():
    return sampled(LoopSimulation(SHAPE, 1.8, 3), 400)


@pytest.fixture(scope="module")
def dimers():
    return sampled(DimerSimulation(SHAPE, "periodic", 0.0, "worm", 3), 400)


def sampled(simulation, count):
    state = simulation.start(*range(8))
    updates = 3 * simulation.clusters_per_sweep()
    simulation.advance(state, 10 * updates, 0, 8)
    return unpack_spins(simulation.advance(state, updates, 0, count)["spins"], (2, *SHAPE))


def environments_of(configurations, geometry):
    x, y = (geometry.environment_offsets + CORNER).T % np.array(SHAPE)[:, None]
    return configurations[:, :, x, y].reshape(len(configurations), -1)


def arrow_heights(arrows):
    """Heights of all plaquettes, relative to the first one, by sums along two edges."""
    heights = np.zeros((len(arrows), 12, 12))
    heights[:, 1:, 0] = np.cumsum(arrows[:, 1, 1:, 0], axis=1)
    heights[:, :, 1:] = heights[:, :, :1] - np.cumsum(arrows[:, 0, :, 1:], axis=2)
    return heights


def dimer_heights(links):
    parity = 1 - 2 * (np.indices(SHAPE).sum(axis=0) % 2)
    change = np.where(links > 0, -3, 1)
    heights = np.zeros((len(links), 12, 12))
    heights[:, 1:, 0] = np.cumsum(-(change[:, 1] * parity)[:, 1:, 0], axis=1)
    heights[:, :, 1:] = heights[:, :, :1] + np.cumsum((change[:, 0] * parity)[:, :, 1:], axis=2)
    return heights


@pytest.mark.parametrize(
    ("model", "heights_of", "period"),
    [("six-vertex", arrow_heights, 2.0), ("dimers", dimer_heights, 4.0)],
)
@pytest.mark.parametrize("buffer", [0, 1])
def test_bits_of_the_mean_height(model, heights_of, period, buffer, request):
    """The plaquettes beside the links of a frame: the mean of their heights on the lattice, which
    are computed along other paths, lies in the halves of the period that the bits say."""
    configurations = request.getfixturevalue({"six-vertex": "arrows"}.get(model, model))
    geometry = Geometry((2, 2), buffer, 1, 2)
    environments = environments_of(configurations, geometry)
    attributes = {"components": 2, "rg_step": 0}
    bits = get(model).environment_columns("heights", geometry, attributes, environments)
    every = {
        (x + dx, y + dy)
        for x, y in geometry.environment_offsets.tolist()
        for dx, dy in ((0, -1), (0, 0), (-1, 0))
    }
    x, y = (np.array(sorted(every)) + CORNER).T
    assert x.min() >= 0 and y.min() >= 0 and max(x.max(), y.max()) < 12
    heights = heights_of(configurations)[:, x, y]
    mean = (heights - heights[:, :1]).mean(axis=1)
    turns = 2 * mean[:, None] / period - np.arange(8) / 8
    edge = np.abs(turns - np.round(turns)) < 1e-9
    np.testing.assert_array_equal(bits[~edge], np.where(turns % 2 < 1, 1, -1)[~edge])
    assert len(np.unique(bits, axis=0)) > 8


def test_halves_of_the_period():
    bits = height_bits.height_bits(np.array([0.0, 0.49, 1.0, -0.1, 2.0]), 2.0)
    assert bits[:, 0].tolist() == [1, 1, -1, -1, 1]
    assert bits[:, 4].tolist() == [-1, -1, 1, -1, -1]
