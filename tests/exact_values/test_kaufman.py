"""Exact solutions: the finite torus, rings and the infinite lattice."""

import math

import numpy as np
import pytest
from exact import infinite_energy, ising_states
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.errors import UsageError
from rsmi.models.ising import torus as kaufman
from rsmi.models.ising.facts import (
    critical_coupling,
    exact_energy,
    ring_energy,
    ring_specific_heat,
)

KC = critical_coupling(2)

# Square torus at K_c: size, energy, ln Z per site, specific heat; Kaufman's formula evaluated with
# 60 digits.
CRITICAL_TORUS = [
    (4, -1.56562378764, 0.970119716172, 0.7832668259),
    (6, -1.51687312457, 0.947542807083, 0.9965818189),
    (8, -1.49158910744, 0.939715324829, 1.14555924),
    (16, -1.45306485281, 0.932196314981, 1.498704959),
    (32, -1.43365846615, 0.930320390184, 1.84676759),
    (64, -1.42393838983, 0.929851631694, 2.192211393),
    (128, -1.41907627208, 0.92973445577, 2.536331335),
    (256, -1.4166449542, 0.929705162642, 2.879786255),
]


def enumerated(shape, coupling):
    """ln Z, energy per site and specific heat per site by summing over all configurations."""
    energies = ising_states(shape)[1]
    sites = math.prod(shape)
    weights = np.exp(-coupling * energies)
    mean = np.average(energies, weights=weights)
    variance = np.average((energies - mean) ** 2, weights=weights)
    return math.log(weights.sum()), mean / sites, coupling**2 * variance / sites


@pytest.mark.parametrize(
    ("size", "energy", "log_partition_per_site", "specific_heat"), CRITICAL_TORUS
)
def test_critical_torus(size, energy, log_partition_per_site, specific_heat):
    shape = (size, size)
    assert kaufman.energy(shape, KC) == pytest.approx(energy, abs=1e-11)
    assert kaufman.log_partition(shape, KC) / size**2 == pytest.approx(
        log_partition_per_site, abs=1e-11
    )
    assert KC**2 * kaufman.energy_variance(shape, KC) == pytest.approx(specific_heat, abs=1e-8)


@pytest.mark.parametrize("coupling", [0.01, 0.3, KC, 0.6, 1.5])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 5), (5, 2), (3, 4), (4, 4)], ids=str)
def test_torus_against_enumeration(shape, coupling):
    """The wrong sign of g_0 would show on the hot side, a bond counted once at the sizes of 2."""
    log_partition, energy, specific_heat = enumerated(shape, coupling)
    assert kaufman.log_partition(shape, coupling) == pytest.approx(log_partition, rel=1e-12)
    assert kaufman.energy(shape, coupling) == pytest.approx(energy, rel=1e-12)
    assert coupling**2 * kaufman.energy_variance(shape, coupling) == pytest.approx(
        specific_heat, rel=1e-9
    )


@pytest.mark.parametrize("length", [2, 3, 8, 11])
def test_ring_against_enumeration(length):
    for coupling in (0.1, 0.7, 2.0):
        _, energy, specific_heat = enumerated((length,), coupling)
        assert ring_energy(length, coupling) == pytest.approx(energy, rel=1e-12)
        assert ring_specific_heat(length, coupling) == pytest.approx(specific_heat, rel=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(length=st.integers(2, 200), width=st.integers(2, 200), coupling=st.floats(0.02, 3))
def test_derivatives_and_symmetry(length, width, coupling):
    """Analytic derivatives against differences of ln Z and of the energy; both ways round the
    torus."""
    step = 1e-5 * coupling
    shape, sites = (length, width), length * width
    below, above = (kaufman.log_partition(shape, coupling + sign * step) for sign in (-1, 1))
    energy = kaufman.energy(shape, coupling)
    assert energy == pytest.approx(-(above - below) / (2 * step) / sites, rel=1e-6)
    hot, cold = (kaufman.energy(shape, coupling + sign * step) for sign in (-1, 1))
    assert kaufman.energy_variance(shape, coupling) == pytest.approx(
        (hot - cold) / (2 * step), rel=1e-4, abs=1e-6
    )
    assert kaufman.energy((width, length), coupling) == pytest.approx(energy, rel=1e-11)


@pytest.mark.parametrize("size", [1024, 2000])
def test_large_tori_neither_overflow_nor_lose_digits(size):
    """Far from T_c a large torus is the infinite lattice; at T_c theta functions of nome exp(-pi)
    give the rest (Ferdinand & Fisher)."""
    for coupling in (0.1, 0.3, 0.6, 5.0, 100.0):
        assert kaufman.energy((size, size), coupling) == pytest.approx(
            infinite_energy(coupling), abs=1e-11
        )
    n = np.arange(-5, 6)
    squares = np.exp(-np.pi * n**2)
    theta = np.array(
        [np.sum(np.exp(-np.pi * (n + 0.5) ** 2)), np.sum(squares), np.sum((-1.0) ** n * squares)]
    )
    amplitude = -2 * theta.prod() / theta.sum()
    assert (kaufman.energy((size, size), KC) + math.sqrt(2)) * size == pytest.approx(
        amplitude, abs=1e-6
    )


@settings(max_examples=40, deadline=None, derandomize=True)
@given(length=st.integers(2, 128), width=st.integers(2, 128), coupling=st.floats(0.01, 1.5))
def test_thermometer_inverts_the_energy(length, width, coupling):
    energy = kaufman.energy((length, width), coupling)
    assert kaufman.coupling_from_energy(energy, (length, width)) == pytest.approx(
        coupling, rel=1e-8
    )


@pytest.mark.parametrize("energy", [-2.0, -2.1, 0.0, 0.3, float("nan")])
def test_thermometer_refuses_unreachable_energies(energy):
    with pytest.raises(ValueError, match="outside the range of the 8x8 torus"):
        kaufman.coupling_from_energy(energy, (8, 8))


@pytest.mark.parametrize(
    ("shape", "coupling"),
    [((1, 4), 0.4), ((4, 4), 0.0), ((4, 4), -0.4), ((4, 4), float("nan")), ((4,), 0.4)],
)
def test_torus_refuses(shape, coupling):
    with pytest.raises(ValueError, match="a torus needs|the exact torus needs"):
        kaufman.energy(shape, coupling)


def test_infinite_lattice():
    assert infinite_energy(KC) == pytest.approx(-math.sqrt(2), abs=1e-12)
    assert ring_energy(400, 0.7) == pytest.approx(-math.tanh(0.7), abs=1e-12)


def test_critical_couplings():
    assert critical_coupling(2) == pytest.approx(0.44068679350977, abs=1e-14)
    assert critical_coupling(3) == 0.221654626
    with pytest.raises(UsageError, match="no critical temperature"):
        critical_coupling(1)
    with pytest.raises(UsageError, match="not 4"):
        critical_coupling(4)


def test_exact_energy_knows_where_it_is_exact():
    assert exact_energy((6,), 0.5) == ring_energy(6, 0.5)
    assert exact_energy((6, 8), 0.5) == kaufman.energy((6, 8), 0.5)
    assert exact_energy((4, 4, 4), 0.2) is None
    assert exact_energy((6, 8), 1e6) is None
