"""Potts, clock and Ashkin-Teller samplers against exact energies and distributions.

The exact numbers come from transfer matrices of the q-state Potts model on tori: energy per site, -
sum delta, and variance of the total energy per site. The distributions of the energy on the 4x4
torus are counted here.
"""

import numpy as np
import pytest

from rsmi.models.ashkin_teller import known as ashkin_teller
from rsmi.models.ashkin_teller.simulation import ashkin_teller_system
from rsmi.models.clock.model import clock_system
from rsmi.models.clock.model import known as known_clock
from rsmi.models.ising.facts import CRITICAL_COUPLING
from rsmi.models.potts import chain as kernel
from rsmi.models.potts.known import known as known_potts
from rsmi.models.potts.system import potts
from rsmi.statistics.autocorrelation import integrated_autocorrelation_time
from rsmi.statistics.binning import binned_error

K_ISING = CRITICAL_COUPLING[2]
# (q, L, K/K_c): energy per site, variance per site.
ENERGIES = {
    (2, 4, 0.9): (-1.680914026343, 1.2863005068),
    (2, 4, 1.0): (-1.782811893819, 1.0082997747),
    (2, 4, 1.1): (-1.857819689394, 0.6994650898),
    (2, 6, 1.0): (-1.758436562284, 1.2829002714),
    (2, 8, 1.0): (-1.745794553720, 1.4746789795),
    (3, 4, 0.9): (-1.531564402284, 1.9963331250),
    (3, 4, 1.0): (-1.710062275505, 1.4967185763),
    (3, 4, 1.1): (-1.829940111510, 0.9108635536),
    (3, 8, 1.0): (-1.653767373039, 2.4705297638),
    (3, 8, 1.1): (-1.825020098549, 1.0818637169),
    (4, 4, 0.9): (-1.436384951868, 2.5283060681),
    (4, 4, 1.0): (-1.680868888388, 1.8045317655),
    (4, 4, 1.1): (-1.829901116651, 0.9627362032),
    (4, 8, 1.0): (-1.614257767425, 3.2968551035),
    (5, 6, 0.9): (-1.171522434943, 3.5724646907),
    (5, 6, 1.0): (-1.625389920033, 3.0369228009),
    (5, 6, 1.1): (-1.840236958715, 0.9985969217),
}
CUBE = {0.45: (-1.533863302892, 3.163288050050), 0.55: (-2.025074000066, 6.417583103937)}
# Ashkin-Teller on the 4x4 torus: (J, U): <sum s s' + t t'>, <sum s s' t t'>.
ASHKIN_TELLER = {(0.35, 0.138151067): (51.22211, 22.21604), (0.3, 0.1): (36.02073, 12.67601)}


def sampled(system, shape, coupling, algorithm, count, updates=1, seed=1):
    """Energies (count,) in J of one chain."""
    tables = system.tables(coupling, len(shape), algorithm == "heat-bath")
    states, rng = np.zeros(shape, np.uint8), np.array([seed, 2, 3, 4], np.uint64)
    planes = (system.states - 1).bit_length()

    def rows(updates, count):
        packed = np.empty((count, (planes * states.size + 7) // 8), np.uint8)
        pairs = np.empty((count, len(system.levels)), np.int64)
        kernel.sample_chain(states, tables, coupling, rng, algorithm, updates, count, packed, pairs)
        return system.energies_of(pairs)

    rows(200, 1)
    return rows(updates, count)


def pulls(energies, sites, exact):
    """Deviations of the mean energy and of its variance per site, in errors."""
    mean, variance = exact
    found = []
    centred = (energies - sites * mean) ** 2 / sites
    for series, value in ((energies / sites, mean), (centred, variance)):
        tau = integrated_autocorrelation_time(series[np.newaxis])[0]
        average, error = binned_error(series[np.newaxis], tau)
        found.append((average - value) / error)
    return found


def critical(q, ratio):
    return ratio * np.log1p(np.sqrt(q))


@pytest.mark.parametrize("algorithm", ["swendsen-wang", "wolff", "heat-bath"])
@pytest.mark.parametrize("key", [(2, 4, 1.0), (3, 8, 1.0), (4, 4, 0.9)], ids=str)
def test_energies(key, algorithm):
    """|z| < 4 with errors of about 0.005; it catches K in the convention of Ising (0.3 off), and
    bonds of a wrong probability."""
    q, side, ratio = key
    updates = 8 if algorithm == "wolff" else 2
    energies = sampled(potts(q), (side, side), critical(q, ratio), algorithm, 8000, updates)
    assert max(map(abs, pulls(energies, side**2, ENERGIES[key]))) < 4


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["swendsen-wang", "wolff", "heat-bath"])
def test_all_energies(algorithm):
    """Every exact value, with errors of about 8e-4; of 38 pulls the largest is below 4, and their
    mean square near 1."""
    found = []
    for (q, side, ratio), exact in ENERGIES.items():
        updates = 12 if algorithm == "wolff" else 3
        energies = sampled(
            potts(q), (side, side), critical(q, ratio), algorithm, 100_000, updates, seed=5
        )
        found += pulls(energies, side**2, exact)
    for coupling, exact in CUBE.items():
        updates = 12 if algorithm == "wolff" else 3
        energies = sampled(potts(3), (3, 3, 3), coupling, algorithm, 100_000, updates, seed=5)
        found += pulls(energies, 27, exact)
    assert max(map(abs, found)) < 4
    assert 0.4 < np.mean(np.square(found)) < 2


def test_energies_in_three_dimensions():
    for coupling, exact in CUBE.items():
        energies = sampled(potts(3), (3, 3, 3), coupling, "swendsen-wang", 8000, 2)
        assert max(map(abs, pulls(energies, 27, exact))) < 4


# ---- distributions -------------------------------------------------------------------------------


def number_of_states(q, side=4):
    """How many configurations of the torus have so many bonds of equal states, (2 N + 1,)."""
    rows = np.indices((q,) * side).reshape(side, -1).T
    along = (rows == np.roll(rows, 1, axis=1)).sum(axis=1)
    across = (rows[:, np.newaxis] == rows).sum(axis=2)
    bonds, n = 2 * side**2, len(rows)
    table = np.zeros((n, n, bonds + 1))  # of the last row, the first row and the bonds so far
    table[np.arange(n), np.arange(n), along] = 1
    for step in range(side):
        moved = np.zeros_like(table)
        for shift in range(side + 1):
            part = np.tensordot((across == shift).astype(float), table, axes=1)
            moved[:, :, shift:] += part[:, :, : bonds + 1 - shift]
        if step == side - 1:
            return moved[np.arange(n), np.arange(n)].sum(axis=0)
        table = np.stack([_shifted(one, shift) for one, shift in zip(moved, along)])
    raise AssertionError


def _shifted(table, shift):
    return np.pad(table, ((0, 0), (shift, 0)))[:, : table.shape[1]]


def score(energies, levels, probabilities):
    """The chi-squared of independent energies, as a number of standard deviations."""
    counts = np.array([np.count_nonzero(np.isclose(energies, level)) for level in levels])
    assert counts.sum() == len(energies), "an energy that is none of the exact ones"
    expected = len(energies) * probabilities
    rare = expected < 10
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    chi_squared, freedom = ((counts - expected) ** 2 / expected).sum(), len(counts) - 1
    spread = 2 / (9 * freedom)
    return ((chi_squared / freedom) ** (1 / 3) - (1 - spread)) / spread**0.5


def boltzmann(levels, degeneracy, coupling):
    weights = degeneracy * np.exp(-coupling * (levels - levels.min()))
    return weights / weights.sum()


@pytest.mark.parametrize("algorithm", ["swendsen-wang", "wolff", "heat-bath"])
def test_distribution_of_three_states(algorithm):
    """Energies of the 4x4 torus appear with their exact probabilities; at 0.95 K they do not."""
    degeneracy = number_of_states(3)
    assert degeneracy.sum() == 3.0**16
    levels, coupling = -np.arange(33.0), critical(3, 0.8)
    energies = sampled(potts(3), (4, 4), coupling, algorithm, 15_000, 25)
    assert abs(score(energies, levels, boltzmann(levels, degeneracy, coupling))) < 4
    assert score(energies, levels, boltzmann(levels, degeneracy, 0.95 * coupling)) > 4


TWO_ISING_MODELS = {
    "clock": (clock_system(4), 2.0, 0.5),
    "ashkin-teller": (ashkin_teller_system(0.0), 1.0, 1.0),
}


def two_ising_models():
    """The energies E of two independent Ising models on the 4x4 torus and how many states have
    them."""
    one = number_of_states(2)  # b equal bonds: the energy is 32 - 2 b
    two = np.convolve(one, one)
    return 64 - 2.0 * np.arange(len(two)), two


@pytest.mark.parametrize("algorithm", ["wolff", "heat-bath"])
@pytest.mark.parametrize("name", TWO_ISING_MODELS)
def test_two_ising_models(name, algorithm):
    """The clock with four states at 2 K, and Ashkin-Teller with U = 0, are two independent Ising
    models at K: the energies are distributed as their sum."""
    system, factor, unit = TWO_ISING_MODELS[name]
    levels, degeneracy = two_ising_models()
    coupling = 0.8 * K_ISING
    energies = sampled(system, (4, 4), factor * coupling, algorithm, 15_000, 25) / unit
    assert abs(score(energies, levels, boltzmann(levels, degeneracy, coupling))) < 4
    assert score(energies, levels, boltzmann(levels, degeneracy, 0.95 * coupling)) > 4


@pytest.mark.parametrize("algorithm", ["swendsen-wang", "wolff", "heat-bath"])
def test_two_states_are_the_ising_model(algorithm):
    """Potts with two states at 2 K has the energies of Ising at K, (E_Ising - 2 N)/2."""
    levels, degeneracy = 32 - 2.0 * np.arange(33), number_of_states(2)
    coupling = 0.8 * K_ISING
    energies = sampled(potts(2), (4, 4), 2 * coupling, algorithm, 15_000, 25)
    assert abs(score(2 * energies + 32, levels, boltzmann(levels, degeneracy, coupling))) < 4


@pytest.mark.parametrize("key", ASHKIN_TELLER, ids=str)
def test_ashkin_teller_energies(key):
    coupling, four_spin = key
    two, four = ASHKIN_TELLER[key]
    exact = -(two + four * four_spin / coupling) / 16
    system = ashkin_teller_system(four_spin / coupling)
    for algorithm in ("wolff", "heat-bath"):
        energies = sampled(system, (4, 4), coupling, algorithm, 8000, 5)
        assert abs(pulls(energies, 16, (exact, 1.0))[0]) < 4


# ---- known values --------------------------------------------------------------------------------


def test_known_values_agree_with_one_another():
    """Two states are Ising, three angles are Potts, Ashkin-Teller ends at four states, and the
    energies of finite lattices approach the known ones."""
    ising = 2 * K_ISING
    assert known_potts(2, 2).critical_coupling.value == pytest.approx(ising, abs=1e-12)
    assert known_clock(2, 4).critical_coupling.value == pytest.approx(ising, abs=1e-12)
    three = known_potts(2, 3)
    assert known_clock(2, 3).critical_coupling.value == pytest.approx(
        three.critical_coupling.value * 2 / 3
    )
    assert three.critical_energy.value == pytest.approx(-1.5773502691896257)
    assert three.exponent("y_t") == 6 / 5 and three.exponent("y_h") == 28 / 15
    assert [one.dimension.value for one in three.operators["odd"]] == [2 / 15, 4 / 3]
    assert [one.dimension.value for one in three.operators["even"]] == [4 / 5, 14 / 5]
    four, end = known_potts(2, 4), ashkin_teller.known(2, 1.0)
    assert 4 * end.critical_coupling.value == pytest.approx(four.critical_coupling.value)
    assert end.exponent("y_t") == pytest.approx(four.exponent("y_t"), abs=1e-6)
    assert ashkin_teller.known(2, 0.0).critical_coupling.value == pytest.approx(K_ISING)


def test_exponents_along_the_ashkin_teller_line():
    """Scaling dimension of the energy at J = 0.35 on the line, from another program."""
    ratio = 0.13815106724143628 / 0.35
    found = ashkin_teller.known(2, ratio)
    assert found.critical_coupling.value == pytest.approx(0.35, abs=1e-12)
    (product,), (energy,) = found.operators["product"], found.operators["even"]
    product, energy = product.dimension.value, energy.dimension.value
    assert energy == pytest.approx(0.8061124550357083) and product == pytest.approx(energy / 4)
