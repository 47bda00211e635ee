"""Exact averages of small lattices: sums site by site against enumeration, Kaufman's solution and
numbers from elsewhere."""

import math

import numpy as np
import pytest

from rsmi import models
from rsmi.models.ising import facts
from rsmi.models.lattice import exact, measures, model_file
from rsmi.models.lattice.system import StatePoint


def point(name, shape, coupling=0.0, periodic=True, **changes):
    content = models.get(name).definition.as_json() | changes
    content = {key: value for key, value in content.items() if value is not None}
    return StatePoint(model_file.of_content(content), shape, periodic, coupling)


def enumerated(system):
    """Averages over all configurations, which are written down."""
    up = (np.arange(1 << system.sites)[:, np.newaxis] >> np.arange(system.sites) & 1) > 0
    up = up[~measures.overlaps(system, up)]
    definition = system.definition
    factor = system.coupling if definition.thermal else math.log(definition.fugacity)
    energies = measures.energies_of(system, up)
    weights = np.exp(-factor * energies)
    total = weights.sum()
    return exact.Averages(
        math.log(total), weights @ energies / total, weights @ up.sum(axis=1) / total
    )


def assert_same(system):
    one, other = exact.averages(system), enumerated(system)
    assert exact.energy(system) == one.energy
    for name in ("log_partition", "energy", "up"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    "system",
    [
        point("ising-triangular", (4, 3), 0.3, field=0.2),
        point("ising-j1j2", (3, 4), 0.4, field=-0.3),
        point("ising-anisotropic", (2, 5), 0.5),
        point("ising-honeycomb", (3, 2), 0.6, field=0.1),
        point("ising-kagome", (2, 2), 0.4, field=0.2),
        point("hard-hexagons", (4, 4), fugacity=11.0),
        point("hard-squares", (4, 3), fugacity=2.0),
        point("ising-triangular", (4, 4), 0.3, False, field=0.2),
    ],
    ids=lambda system: system.definition.name,
)
def test_sums_and_enumeration(system):
    """It catches a bond of the wrong direction, and a site that is summed out too early."""
    assert_same(system)


def test_lattice_gas():
    """Attraction and hard cores together."""
    content = {
        "name": "gas",
        "variable": "occupation",
        "dimension": 2,
        "exclusions": [[1, 0], [0, 1]],
        "bonds": {"next": [[1, 1], [1, -1]]},
        "couplings": {"next": 0.7},
        "fugacity": 1.5,
    }
    gas = StatePoint(model_file.of_content(content), (4, 3), True, 0.9)
    assert_same(gas)


def test_one_and_three_dimensions():
    """A ring against its formula, and a slab of cubes against enumeration."""
    content = {"name": "m", "variable": "spin", "couplings": {"near": 1.0}}
    ring = content | {"dimension": 1, "bonds": {"near": [[1]]}}
    for sides in (12, 40):
        system = StatePoint(model_file.of_content(ring), (sides,), True, 0.7)
        energy = exact.averages(system).energy / sides
        assert energy == pytest.approx(facts.ring_energy(sides, 0.7), rel=1e-10)
    axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    cube = content | {"dimension": 3, "bonds": {"near": axes}, "field": 0.2}
    slab = StatePoint(model_file.of_content(cube), (2, 2, 3), True, 0.2)
    assert_same(slab)


def test_square_lattice_against_kaufman():
    for shape in ((6, 6), (5, 8), (4, 30)):
        for coupling in (0.2, 0.44, 1.0):
            energy = exact.averages(point("ising-square", shape, coupling)).energy
            assert energy / math.prod(shape) == pytest.approx(
                facts.exact_energy(shape, coupling), rel=1e-10
            )


@pytest.mark.parametrize(
    ("name", "side", "states"),
    [("hard-squares", 4, 743), ("hard-squares", 6, 2_406_862), ("hard-hexagons", 4, 201)]
    + [("hard-hexagons", 6, 162_314)],
)
def test_numbers_of_states_of_hard_cores(name, side, states):
    known = exact.averages(point(name, (side, side), fugacity=1.0))
    assert math.exp(known.log_partition) == pytest.approx(states, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "side", "log_partition", "density"),
    [
        ("hard-hexagons", 3, 0.952823682905, 0.305878113377),
        ("hard-hexagons", 6, 0.867813603455, 0.292778972499),
        pytest.param(*("hard-hexagons", 9, 0.851939016755, 0.288074476403), marks=pytest.mark.slow),
        ("hard-squares", 4, 0.831196247931, 0.387485640075),
        ("hard-squares", 6, 0.809276030948, 0.380836260804),
    ],
)
def test_hard_cores_at_their_critical_points(name, side, log_partition, density):
    """ln Z and the density for each site, from another transfer matrix of allowed rows only."""
    fugacity = 3.796255174 if name == "hard-squares" else 11.0901699437494745
    known = exact.averages(point(name, (side, side), fugacity=fugacity), 1 << 26)
    assert known.log_partition / side**2 == pytest.approx(log_partition, abs=1e-9)
    assert known.up / side**2 == pytest.approx(density, abs=1e-9)
    assert known.energy == pytest.approx(-known.up)


@pytest.mark.parametrize("side", [4, 6])
def test_kagome_lattice_against_the_honeycomb_lattice(side):
    """Every triangle of the kagome lattice is a star with a spin at its centre that is summed over.
    The sum over the kagome spins then leaves a honeycomb lattice (I. Syozi, Prog. Theor. Phys. 6,
    306 (1951))."""
    star = 0.7
    coupling = math.log(math.cosh(3 * star) / math.cosh(star)) / 4
    of_star = 2 * math.cosh(star) * math.exp(coupling)
    other, of_bond = math.log(math.cosh(2 * star)) / 2, 2 * math.sqrt(math.cosh(2 * star))
    kagome, honeycomb = (
        exact.averages(point(name, (side, side), k)).log_partition
        for name, k in (("ising-kagome", coupling), ("ising-honeycomb", other))
    )
    constant = side**2 * (3 * math.log(of_bond) - 2 * math.log(of_star))
    assert kagome == pytest.approx(honeycomb + constant, rel=1e-12)


@pytest.mark.parametrize("name", list(models.presets()))
def test_every_named_model_up_to_six_cells(name):
    """The energy is the derivative of ln Z with respect to K, of hard cores to ln z."""
    for side in range(3, 7):
        values = []
        for step in (-1e-4, 0.0, 1e-4):
            thermal = models.get(name).definition.spins
            hard = {} if thermal else {"fugacity": 2 * math.exp(step)}
            system = point(name, (side, side), 0.3 + step if thermal else 0.0, **hard)
            values.append(exact.averages(system))
        slope = (values[2].log_partition - values[0].log_partition) / 2e-4
        assert -slope == pytest.approx(values[1].energy, rel=1e-6)


def test_ground_states_of_the_triangular_antiferromagnet():
    """At K = 20 ln Z + 36 K is the logarithm of 263,640, and the energy is -1 for each site."""
    known = exact.averages(point("ising-triangular", (6, 6), 20.0, couplings={"nearest": -1.0}))
    assert math.exp(known.log_partition - 36 * 20) == pytest.approx(263_640, rel=1e-9)
    assert known.energy == pytest.approx(-36)


def test_large_lattices_are_left_out():
    assert exact.averages(point("ising-square", (16, 16), 0.4)) is None
    assert exact.energy(point("ising-square", (16, 16), 0.4)) is None


def test_weights_that_vanish():
    """Below the smallest number there is no answer, and no nan."""
    cold = point("ising-triangular", (3, 3), 1000.0, couplings={"nearest": -1.0})
    assert exact.averages(cold) is None
    assert exact.energy(cold) is None
