"""Exact averages of the six-vertex model: transfer matrices against enumeration and published
numbers, and the stiffness that belongs to a flux."""

import math

import numpy as np
import pytest
from exact import all_arrows

from rsmi.models import get
from rsmi.models.six_vertex import arrows, known, transfer

# c, side, ln Z per vertex, <W^2>, c vertices per vertex: by an independent transfer matrix.
TORI = (
    (0.5, 4, 0.364819710555, 3.48501461783, 0.0697347958),
    (1.0, 6, 0.461548299056, 1.88615743781, 0.362986066),
    (math.sqrt(2), 8, 0.596805111819, 1.22061151592, 0.49080317),
    (1.8, 8, 0.727818202694, 0.723058266847, 0.60147572),
    (2.0, 6, 0.803343613511, 0.49662232863, 2 / 3),
)
# The fluxes of large lattices, from the sum of a Gaussian over even fluxes.
LARGE = {0.5: 3.95756978229, 1.0: 1.90404988947, 1.7: 0.837907320771, 2.0: 0.318309886184}


@pytest.mark.parametrize(("side", "count"), [(2, 18), (3, 148), (4, 2970), (5, 143224)])
def test_number_of_states(side, count):
    """The states of square ice, by the transfer matrix and, of small lattices, one by one."""
    assert math.exp(side**2 * transfer.averages((side, side), 1.0).log_weight) == pytest.approx(
        count, rel=1e-9
    )
    if side < 5:
        states = all_arrows((side, side))
        assert len(states) == count == len(np.unique(states.reshape(count, -1), axis=0))
        assert not arrows.divergence(states).any()


def test_flux_sectors():
    """The states of 4x4 by the flux along y (+W only): 1682, 628, 16."""
    flux = arrows.fluxes(all_arrows((4, 4)))[:, 1]
    assert [np.count_nonzero(flux == w) for w in (0, 2, 4)] == [1682, 628, 16]


@pytest.mark.parametrize(("weight", "side", "log_weight", "flux", "found"), TORI)
def test_tori(weight, side, log_weight, flux, found):
    exact = transfer.averages((side, side), weight)
    assert exact.log_weight == pytest.approx(log_weight, abs=1e-11)
    assert exact.flux_squared == pytest.approx(flux, abs=1e-10)
    assert exact.c_vertices == pytest.approx(found, abs=1e-8)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (4, 3), (2, 5)], ids=str)
@pytest.mark.parametrize("weight", [0.7, 1.9])
def test_enumeration(shape, weight):
    states = all_arrows(shape)
    measured = arrows.observables(states)
    weights = weight ** (math.prod(shape) * measured["c_vertices"])
    exact = transfer.torus(shape, weight)
    for name in ("flux_squared", "c_vertices"):
        average = measured[name] @ weights / weights.sum()
        assert exact[name] == pytest.approx(average, rel=1e-12)


@pytest.mark.parametrize(("weight", "flux"), LARGE.items())
def test_stiffness(weight, flux):
    exact = known.stiffness_of(weight)
    assert known.flux_squared(exact, (32, 32)) == pytest.approx(flux, rel=1e-10)
    found, error = known.measured_stiffness(flux, 0.01, (32, 32))
    assert found == pytest.approx(exact, rel=1e-9)
    above, _ = known.measured_stiffness(flux - 0.001, None, (32, 32))
    assert error == pytest.approx((above - exact) * 10, rel=0.02)


def test_no_stiffness_of_no_flux():
    assert known.measured_stiffness(0.0, 0.0, (8, 8)) == (None, None)


@pytest.mark.parametrize(
    ("weight", "dimension"), [(math.sqrt(2), 1.0), (1.7, 0.773040877834), (2.0, 0.5)]
)
def test_dimensions(weight, dimension):
    """The field and the staggered polarization, the smaller dimension first."""
    attributes = {"model_parameters": {"weight": weight}}
    odd = get("six-vertex").known(2, attributes).operators["odd"]
    values = [operator.dimension.value for operator in odd]
    assert values == pytest.approx(sorted((1.0, dimension)), abs=1e-9)
    assert get("six-vertex").known(2, {}).operators == {}
