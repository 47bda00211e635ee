"""The correlator thermometer: exact on lattices that can be enumerated, and its fits on synthetic
flows."""

from types import SimpleNamespace

import blocking_twin
import exact
import numpy as np
import pytest

from rsmi.renormalization import level_sums, thermometer
from rsmi.renormalization.rules import decimation, majority
from rsmi.statistics.jackknife import Jackknife

COUPLING = 0.4
SHAPES = [(4, 4), (2, 2)]
KEYS = np.array([[3, 4]], dtype=np.uint64)
K_C = np.log(1 + np.sqrt(2)) / 2


class EnumeratedTorus:
    """Energy, its variance and the coupling of the 4x4 and the 2x2 torus, from the list of their
    energies."""

    levels = {
        shape: np.unique(exact.ising_energies(exact.every_configuration(shape)), return_counts=True)
        for shape in SHAPES
    }

    def moments(self, shape, coupling):
        energies, degeneracies = self.levels[shape]
        weights = degeneracies * np.exp(-coupling * (energies - energies[0]))
        return [np.sum(weights * energies**power) / np.sum(weights) for power in (1, 2)]

    def energy(self, shape, coupling):
        return self.moments(shape, coupling)[0] / np.prod(shape)

    def energy_variance(self, shape, coupling):
        first, second = self.moments(shape, coupling)
        return (second - first**2) / np.prod(shape)

    def coupling_from_energy(self, energy, shape):
        if not -2 < energy < 0:
            raise ValueError("no such temperature")
        low, high = 0.0, 5.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if self.energy(shape, middle) > energy else (low, middle)
        return middle


TORUS = EnumeratedTorus()


def exact_sums(coupling, rule):
    """All 65,536 configurations measured by the package and weighted exactly, as a single block."""
    fine = exact.every_configuration((4, 4))
    energies = exact.ising_energies(fine)
    classes, block = np.unique(energies, return_inverse=True)
    measured = level_sums.measure_levels(
        blocking_twin.pack(fine), (4, 4), rule, 1, KEYS, energies, blocks=block
    )
    weights = np.exp(-coupling * (classes - classes.min()))
    return {name: np.tensordot(weights, array, 1)[None] for name, array in measured.items()}


@pytest.mark.parametrize(
    "rule", [decimation((2, 2)), majority((2, 2))], ids=["decimation", "majority"]
)
def test_exact_flow_of_the_enumerated_torus(rule):
    """K_0 = K with slope 1; the slope of K_1 by fluctuations is its numerical derivative. A slope
    per site of the wrong level is off by 4, one with the heat capacity at K instead of K_1 by 2 %
    or more."""
    flow = thermometer.effective_couplings(exact_sums(COUPLING, rule), SHAPES, TORUS)
    np.testing.assert_allclose(
        [flow.coupling.value[0], flow.slope.value[0]], [COUPLING, 1], rtol=1e-9
    )
    above, below = (
        thermometer.effective_couplings(
            exact_sums(COUPLING + h, rule), SHAPES, TORUS
        ).coupling.value
        for h in (1e-4, -1e-4)
    )
    np.testing.assert_allclose(flow.slope.value, (above - below) / 2e-4, rtol=1e-5)
    wrong = (
        flow.slope.value[1]
        * TORUS.energy_variance((2, 2), flow.coupling.value[1])
        / TORUS.energy_variance((2, 2), COUPLING)
    )
    assert abs(wrong / flow.slope.value[1] - 1) > 0.02
    row = thermometer.flow_rows(flow, SHAPES)[1]
    assert (row["step"], row["size"], row["coupling_eff_error"]) == (
        1,
        2,
        None,
    )  # one block has no error
    np.testing.assert_allclose(
        row["energy_nn"], TORUS.energy((2, 2), row["coupling_eff"]), rtol=1e-9
    )


def test_errors_of_sampled_flows():
    """40 data sets of 4000 exact draws: K_n and slope are unbiased within 4 sigma and scatter by
    their jackknife errors."""
    fine = exact.every_configuration((4, 4))
    energies = exact.ising_energies(fine)
    weights, rng, rule = (
        exact.boltzmann(energies, COUPLING),
        np.random.default_rng(11),
        decimation((2, 2)),
    )
    truth = thermometer.effective_couplings(exact_sums(COUPLING, rule), SHAPES, TORUS)
    flows = []
    for _ in range(40):
        chosen = rng.choice(len(fine), 4000, p=weights)
        sums = level_sums.measure_levels(
            blocking_twin.pack(fine[chosen]),
            (4, 4),
            rule,
            1,
            KEYS,
            energies[chosen],
            blocks=np.arange(4000) // 200,
            n_blocks=21,
        )
        flows.append(thermometer.effective_couplings(sums, SHAPES, TORUS))
    for name in ("coupling", "slope"):
        values, errors = np.array(
            [(getattr(f, name).value, getattr(f, name).error) for f in flows]
        ).swapaxes(0, 1)
        for level in (0, 1) if name == "coupling" else (1,):
            spread = values[:, level].std()
            assert abs(
                values[:, level].mean() - getattr(truth, name).value[level]
            ) < 4 * spread / np.sqrt(40)
            assert 0.7 < errors[:, level].mean() / spread < 1.4


def test_energies_of_no_ferromagnet_are_undefined():
    sums = exact_sums(COUPLING, decimation((2, 2)))
    sums["even_sums"][:, 1] *= -1
    flow = thermometer.effective_couplings(sums, SHAPES, TORUS)
    assert np.isnan(flow.coupling.value[1])
    assert flow.coupling.value[0] == pytest.approx(COUPLING)
    assert thermometer.flow_rows(flow, SHAPES)[1]["coupling_eff"] is None
    assert "not defined" in thermometer.exponent_by_fluctuations(flow, 1, 2)["reason"]


def synthetic_flow(coupling, rng, noise=2e-4, blocks=30, steps=3, critical=K_C, offset=0.0):
    """K_n = K_c + (K - K_c) 2^n - offset n, with errors that are common to the levels but for a
    tenth."""
    levels = np.arange(steps + 1)
    common = rng.normal(size=(blocks, 1)) * 2.0**levels + 0.1 * rng.normal(size=(blocks, steps + 1))
    data = (
        critical
        + (coupling - critical) * 2.0**levels
        - offset * levels
        + noise * np.sqrt(blocks) * common
    )
    replicas = (data.sum(axis=0) - data) / (blocks - 1)
    error = data.std(axis=0, ddof=1) / np.sqrt(blocks)
    estimate = Jackknife(data.mean(axis=0), error, replicas)
    return thermometer.EffectiveCouplings(
        estimate, estimate, Jackknife(2.0**levels, 0.1 * levels, replicas)
    )


@pytest.mark.parametrize(
    "factors", [(0.98, 1.01), (0.97, 0.99, 1.01, 1.03), (0.95, 0.97, 0.985, 1.0, 1.01, 1.03)]
)
def test_crossing_of_synthetic_flows(factors):
    """100 noisy flows: T_c unbiased within 4 sigma, scattering by its error; the correlation of K_n
    and K_(n+1) is in it."""
    rng, couplings = np.random.default_rng(12), K_C / np.array(factors)
    results = []
    for _ in range(100):
        flows = [synthetic_flow(k, rng) for k in couplings]
        order = rng.permutation(len(couplings))  # temperatures may come in any order
        results.append(
            thermometer.critical_temperature(couplings[order], [flows[i] for i in order], 1)
        )
    values, errors = np.array([(r["value"], r["error"]) for r in results]).T
    assert abs(values.mean() - 1 / K_C) < 4 * values.std() / 10
    assert 0.8 < errors.mean() / values.std() < 1.25
    assert results[0]["step"] == 1
    assert results[0]["reason"] is None


def test_crossing_is_not_where_the_effective_coupling_is_critical():
    """With K_n lowered by 0.002 n the crossing of K_2 and K_3 moves by 0.0005 in K, the point K_2 =
    K_c by 0.001."""
    rng, couplings = np.random.default_rng(13), K_C + np.array([-0.01, -0.004, 0.004, 0.01])
    flows = [synthetic_flow(k, rng, noise=1e-6, offset=0.002) for k in couplings]
    result = thermometer.critical_temperature(couplings, flows, 2)
    assert abs(1 / result["value"] - (K_C + 0.0005)) < 1e-5


def test_crossings_that_are_not_there_have_reasons():
    rng, couplings = np.random.default_rng(14), K_C * np.array([1.02, 1.04, 1.06])
    flows = [synthetic_flow(k, rng) for k in couplings]
    for arguments, reason in (
        ((couplings[:1], flows[:1], 1), "at least two temperatures"),
        ((couplings, flows, 1), "do not cross between"),
        ((couplings, flows, 3), "needs 4 steps"),
        ((couplings[:0], [], 1), "at least two temperatures"),
    ):
        result = thermometer.critical_temperature(*arguments)
        assert result["value"] is result["error"] is None
        assert reason in result["reason"]


def test_exponents_from_slopes():
    """K_n with slope 2^n is nu = 1 by either way, with the propagated error."""
    rng, couplings = np.random.default_rng(15), K_C * np.array([0.97, 0.99, 1.01, 1.03])
    flows = [synthetic_flow(k, rng) for k in couplings]
    result = thermometer.exponent_by_differences(couplings, flows, 2, 2, K_C)
    assert abs(result["value"] - 1) < 4 * result["error"] < 0.1
    fluctuations = thermometer.exponent_by_fluctuations(flows[0], 2, 2)
    assert fluctuations["value"] == pytest.approx(1)
    assert fluctuations["error"] == pytest.approx(0.2 / 4 / np.log(4))
    assert (
        "two temperatures"
        in thermometer.exponent_by_differences(couplings[:1], flows[:1], 2, 2, K_C)["reason"]
    )
    assert "does not flow away" in thermometer.exponent_from_slope(0.9, 0.1, 2, 2)["reason"]
    assert "two blocks" in thermometer.exponent_from_slope(4.0, np.nan, 2, 2)["reason"]


def test_a_learned_rule_that_stands_still():
    """A flow that does not grow has no exponent, and says so instead of dividing by log 1."""
    flow = SimpleNamespace(slope=Jackknife(np.ones(3), np.zeros(3), np.empty((0, 3))))
    assert thermometer.exponent_by_fluctuations(flow, 1, 2)["value"] is None


def test_a_rule_that_drifts_is_named():
    """K_n at T_c that settles (majority: 0.994, 0.992, 0.990 of K_c) is silent; one that falls by
    half each step is not."""

    def at_criticality(ratios):
        values = K_C * np.array(ratios)
        return SimpleNamespace(
            coupling=Jackknife(values, np.zeros(len(values)), np.empty((0, len(values))))
        )

    shapes = [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert thermometer.drift(at_criticality([1, 0.994, 0.992, 0.990]), shapes, hard=False) is None
    assert "falls by 75.0 % from step 1 to step 3" in thermometer.drift(
        at_criticality([1, 0.8, 0.4, 0.2]), shapes, hard=False
    )
    assert thermometer.drift(at_criticality([1, 0.94, 0.85, 0.72]), shapes, hard=True).endswith(
        "this rule has no fixed point, and no exponents"
    )  # decimation
    assert thermometer.drift(at_criticality([1, 0.8]), shapes[:2], hard=False) is None
    assert (
        thermometer.drift(at_criticality([1, 0.99, 0.99, 0.2]), [*shapes[:3], (2, 2)], hard=False)
        is None
    )  # operators wrap on the last


@pytest.mark.parametrize("hard", [True, False])
def test_a_rule_is_not_blamed_for_doubtful_samples(hard):
    """The fall is reported, and the reason is that the samples are not critical."""
    values = K_C * np.array([1, 0.8, 0.4, 0.2])
    effective = SimpleNamespace(coupling=Jackknife(values, np.zeros(4), np.empty((0, 4))))
    shapes = [(64, 64), (32, 32), (16, 16), (8, 8)]
    sentence = thermometer.drift(effective, shapes, hard, doubt="the samples are hot")
    assert sentence.endswith("says nothing about the rule, because the samples are hot")
    assert "fixed point" not in sentence and "too soft" not in sentence


@pytest.mark.parametrize(("noise", "silent"), [(0.2, True), (0.001, False)])
def test_a_fall_within_its_errors_is_no_fall(noise, silent):
    """A fall by 10 % is silent if its jackknife error is about 20 %."""
    rng, values = np.random.default_rng(17), K_C * np.array([1, 1, 0.95, 0.9])
    blocks = 50
    replicas = values + noise * K_C * rng.normal(size=(blocks, 4)) / np.sqrt(blocks)
    effective = SimpleNamespace(coupling=Jackknife(values, np.zeros(4), replicas))
    shapes = [(64, 64), (32, 32), (16, 16), (8, 8)]
    assert (thermometer.drift(effective, shapes, hard=True) is None) == silent


def test_drift_in_three_dimensions_is_that_of_the_correlation():
    """There is no K_n. The correlation of majority grows at K_c (energies of 32^3: -0.99, -1.09,
    -1.35); noise makes it fall."""

    def at_criticality(energies):
        energy = Jackknife(
            np.array(energies), np.zeros(len(energies)), np.empty((0, len(energies)))
        )
        return SimpleNamespace(
            energy=energy, coupling=energy._replace(value=np.full(len(energies), np.nan))
        )

    shapes = [(32,) * 3, (16,) * 3, (8,) * 3, (4,) * 3]
    rising = at_criticality([-1.007, -0.992, -1.094, -1.345])
    assert thermometer.drift(rising, shapes, hard=False, known=False) is None
    falling = at_criticality([-1, -0.8, -0.6, -0.4])
    assert "nearest-neighbour correlation at T_c falls by 50.0 %" in thermometer.drift(
        falling, shapes, hard=False, known=False
    )


def test_temperatures_that_coincide_have_no_fit():
    """Two of three a unit in the last place apart: reasons, no exception."""
    rng, couplings = (
        np.random.default_rng(16),
        np.array([K_C * 0.98, K_C * 1.02, np.nextafter(K_C * 1.02, 1)]),
    )
    flows = [synthetic_flow(k, rng) for k in couplings]
    for result in (
        thermometer.exponent_by_differences(couplings, flows, 1, 2.0, K_C),
        thermometer.critical_temperature(couplings, flows, 1),
    ):
        assert result["value"] is None
        assert "do not determine" in result["reason"]
