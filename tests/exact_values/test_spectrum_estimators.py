"""Quantities and fits of scaling dimensions: exact enumeration, synthetic sums, and short runs."""

from functools import cache

import numpy as np
import pytest
from replica_sums import critical_sums, exact_energy
from spectrum_twin import all_equal

from rsmi.lattice.packed import pack_spins, unpack_spins
from rsmi.renormalization.spectrum import fits
from rsmi.renormalization.spectrum import functions as f
from rsmi.renormalization.spectrum.correlations import CorrelationSums, correlations
from rsmi.renormalization.spectrum.dimensions import SizeData, spectrum_of
from rsmi.renormalization.spectrum.extrapolations import second_omega
from rsmi.renormalization.spectrum.group_sums import GroupSums, concatenate
from rsmi.renormalization.spectrum.quantities import estimates
from rsmi.renormalization.spectrum.readings import measure
from rsmi.statistics.fits import chi2_probability

CRITICAL = np.log(1 + 2**0.5) / 2


def weighted(sums, weights):
    """Sums of two equal groups, in which group g of the given sums counts weights[g] times."""
    offset, arrays = sums.with_common_offset()
    shape = (slice(None), *(None,) * 3)
    totals = {
        name: np.sum(array * weights[shape[: array.ndim]], axis=0) for name, array in arrays.items()
    }
    both = {name: np.stack([total, total]) for name, total in (totals | {"offset": offset}).items()}
    return GroupSums.of_arrays(sums.even, sums.odd, sums.shape, both)


@cache
def all_states(length):
    """Sums with one group for each state of a torus, and the states' bond energies and m."""
    sites = length**2
    rows = np.arange(1 << sites, dtype="<u4").view(np.uint8).reshape(-1, 4)
    rows = np.ascontiguousarray(rows[:, : (sites + 7) // 8])
    functions = (f.magnetization(2), f.bond_energy(2), all_equal())
    values = measure(rows, (length, length), functions).values
    sums = GroupSums.empty(len(rows), ["bond energy", "all equal"], ["m"], (length, length))
    sums.add(values[:, 1:], values[:, :1], np.arange(len(rows)))
    return sums, values


def moments(values, length, coupling, field):
    """<|m|^p>, p = 1, 2, 4, with the fields of the two even functions beside the coupling."""
    sites = length**2
    exponent = 2 * sites * coupling * values[:, 1] + sites * values[:, 1:] @ field
    weights = np.exp(exponent - exponent.max())
    return np.array([np.abs(values[:, 0]) ** p @ weights for p in (1, 2, 4)]) / weights.sum()


@pytest.mark.parametrize("length", [3, 4])
def test_quantities_of_all_states(length):
    """Moments, and responses as numerical derivatives of ln M_p by the couplings of both even
    functions. A factor N, a missing mean or the wrong combination of g_p would be seen."""
    sums, values = all_states(length)
    weights = np.exp(2 * length**2 * CRITICAL * (values[:, 1] - 1))
    result = estimates(weighted(sums, weights))
    expected = list(np.log(moments(values, length, CRITICAL, np.zeros(2))[:2]))
    for field in 1e-4 * np.eye(2):
        g = [np.log(moments(values, length, CRITICAL, sign * field)) for sign in (1, -1)]
        g1, g2, g4 = (g[0] - g[1]) / 2e-4
        expected += [np.log(abs(2 * g1 - g2)), np.log(abs(2 * g2 - g4))]
    np.testing.assert_allclose(result.values, expected, rtol=0, atol=1e-6)


def test_the_exact_energy_is_that_of_all_states():
    sums, values = all_states(4)
    weights = np.exp(2 * 16 * CRITICAL * (values[:, 1] - 1))
    mean = values[:, 1] @ weights / weights.sum()
    variance = 16 * ((values[:, 1] - mean) ** 2 @ weights) / weights.sum()
    exact = exact_energy(4)
    assert (mean, variance) == pytest.approx((exact.mean, exact.variance), rel=1e-10)


def test_common_offset_keeps_what_rounding_would_lose():
    """Fluctuations of 1e-6 about 1e3, in groups with offsets of their own, to 1e-6 of their size;
    sums of squares without an offset would have an error a thousand times their size."""
    rng = np.random.default_rng(0)
    deviations, odd = 1e-6 * rng.normal(size=(4000, 1)), rng.normal(size=(4000, 1))
    parts = [GroupSums.empty(20, ["e"], ["m"], (8, 8)) for _ in range(2)]
    for part, rows in zip(parts, (slice(0, 2000), slice(2000, 4000))):
        part.add(1e3 + deviations[rows], odd[rows], np.arange(2000) % 20)
    sums = concatenate(parts)
    offset, arrays = sums.with_common_offset()
    assert sums.groups == 40 and sums.samples == 4000
    variance = arrays["even_sums"][:, 0].sum(axis=0) / 4000
    assert offset[0] + variance[0] == pytest.approx(1e3 + deviations.mean(), abs=1e-12)
    assert variance[1] - variance[0] ** 2 == pytest.approx(deviations.var(), rel=1e-6)
    covariance = arrays["cross_sums"][:, 0, 0, 1].sum() / 4000 - variance[0] * (odd**2).mean()
    expected = np.mean((deviations - deviations.mean()) * odd**2)
    assert covariance == pytest.approx(expected, rel=1e-5)


# ---- fits ----------------------------------------------------------------------------------------


def synthetic(delta, lengths, errors, rng=None, omega=2.0, correction=0.3, power=(2, -1)):
    """One quantity whose sizes follow the model of a fit, with random errors if there is an rng."""
    sizes = []
    for length, error in zip(lengths, errors):
        value = (power[0] + power[1] * delta) * np.log(length) + 0.7 + correction * length**-omega
        value += error * rng.normal() if rng else 0
        sizes.append(fits.SizeValues(length, np.array([value]), np.array([[error**2]])))
    return sizes


LENGTHS, ERRORS = (8, 12, 16, 24, 32), (1e-3, 1e-3, 2e-3, 2e-3, 3e-3)


@pytest.mark.parametrize(("power", "delta"), [((2, -1), 1.0), ((0, -2), 0.125), ((3, -2), 1.4)])
def test_fits_recover_the_dimension(power, delta):
    sizes = synthetic(delta, LENGTHS, ERRORS, power=power)
    fit = fits.extrapolate(sizes, [power], 2.0)
    assert (fit.delta, fit.correction, fit.freedom) == pytest.approx((delta, 0.3, 2), abs=1e-10)
    assert fit.chi2 < 1e-16
    pair = fits.extrapolate(sizes[3:], [power], None)
    shift = 0.3 * (32**-2.0 - 24**-2.0) / np.log(32 / 24) / power[1]
    assert pair.delta == pytest.approx(delta + shift, abs=1e-10)


def test_pulls_and_chi2_of_fits():
    """400 fits: pulls with variance 1, mean 0, and chi^2 with mean 2; limits are 4 errors."""
    rng = np.random.default_rng(5)
    result = [
        fits.extrapolate(synthetic(1.0, LENGTHS, ERRORS, rng), [(2, -1)], 2.0) for _ in range(400)
    ]
    pulls = np.array([(fit.delta - 1) / fit.error for fit in result])
    assert abs(pulls.mean()) < 4 / 400**0.5
    assert abs(pulls.var() - 1) < 4 * (2 / 400) ** 0.5
    assert abs(np.mean([fit.chi2 for fit in result]) - 2) < 4 * 2 / 400**0.5


def test_correlated_quantities_share_a_dimension():
    """Two quantities of each size with one Delta; the pull uses their covariance."""
    rng, pulls = np.random.default_rng(6), []
    covariance = 1e-6 * np.array([[1, 1.6], [1.6, 4]])
    powers = [(0, -1), (0, -2)]
    for _ in range(200):
        sizes = [
            fits.SizeValues(
                length,
                np.array([-0.125, -0.25]) * np.log(length)
                + rng.multivariate_normal([0, 1], covariance),
                covariance,
            )
            for length in LENGTHS
        ]
        fit = fits.extrapolate(sizes, powers, 2.0)
        pulls.append((fit.delta - 0.125) / fit.error)
    assert fit.freedom == 5
    assert abs(np.var(pulls) - 1) < 4 * (2 / 200) ** 0.5 and abs(np.mean(pulls)) < 4 / 200**0.5


def test_a_free_omega_is_found_with_its_error():
    exact = fits.extrapolate_free(
        synthetic(1.0, LENGTHS, ERRORS, omega=1.3, correction=2.0), [(2, -1)]
    )
    assert exact.omega == pytest.approx(1.3, abs=1e-4) and exact.delta == pytest.approx(1, abs=1e-4)
    assert exact.freedom == 1
    fixed = fits.extrapolate(synthetic(1.0, LENGTHS, ERRORS, omega=1.3), [(2, -1)], 1.3)
    assert exact.error > 1.5 * fixed.error
    with pytest.raises(ValueError, match="needs 5 sizes"):
        fits.extrapolate_free(synthetic(1.0, LENGTHS[:4], ERRORS), [(2, -1)])


def test_two_corrections():
    """Where omega is small, a second correction is fitted if there are six sizes; it is absorbed by
    Delta otherwise."""
    lengths, power = (4, 6, 8, 12, 16, 24), (3, -1)
    sizes = synthetic(1.4, lengths, [1e-3] * 6, omega=0.83, power=power)
    sizes = [one._replace(values=one.values + 0.4 * one.length**-1.96) for one in sizes]
    both = fits.extrapolate(sizes, [power], 0.83, 1.96)
    values = (both.delta, both.correction, both.second_correction)
    assert values == pytest.approx((1.4, 0.3, 0.4), abs=1e-9)
    assert both.freedom == 2 and both.chi2 < 1e-12
    assert abs(fits.extrapolate(sizes, [power], 0.83).delta - 1.4) > 0.01
    assert second_omega(0.83, 1.96, 6) == 1.96
    assert [
        second_omega(0.83, 1.96, 5),
        second_omega(2.0, 1.75, 6),
        second_omega("free", 1.96, 6),
    ] == [*[None] * 3]


def test_chi2_probabilities():
    """The 5 % points of the tables."""
    for freedom, chi2 in enumerate((3.84146, 5.99146, 7.81473, 9.48773, 11.0705, 12.5916), 1):
        assert chi2_probability(chi2, freedom) == pytest.approx(0.05, abs=1e-5)


# ---- short runs ----------------------------------------------------------------------------------


@cache
def short_run(ratio=1.0):
    """Sums of 8, 16 and 24 from a second of sampling, at a multiple of the critical coupling."""
    plan = ((8, 400, 6), (16, 200, 20), (24, 120, 30))
    return {
        length: critical_sums(length, steps, interval, 1, ratio * CRITICAL)
        for length, steps, interval in plan
    }


def test_the_exact_energy_reduces_errors():
    """Of m^2 by 2.4 and of X24 by 1.7 in long runs; here by at least 1.8 and 1.3."""
    for length, sums in short_run().items():
        plain, better = estimates(sums), estimates(sums, exact=exact_energy(length))
        assert better.controlled and np.abs(better.deviations).max() < 4
        ratios = dict(zip((q.kind for q in plain.quantities), plain.errors / better.errors))
        assert ratios["m2"] > 1.8 and ratios["X24"] > 1.3
        difference = better.values - plain.values
        assert np.all(np.abs(difference) < 4 * plain.errors)


def test_dimensions_of_short_runs():
    """Both headlines within four of their errors, with the systematic one printed beside."""
    data = [SizeData(length, sums, exact_energy(length)) for length, sums in short_run().items()]
    spectrum = spectrum_of(data)
    assert not spectrum.remarks
    for function, kind, exact in (("magnetization", "m2", 1 / 8), ("bond energy", "X24", 1)):
        headline = spectrum.headline(function)
        assert headline.quantity.kind == kind and headline.extrapolated
        assert abs(headline.delta - exact) < 4 * headline.error and headline.systematic > 0
        assert [len(fit.lengths) for fit in headline.fits] == [3, 2]
    pair = spectrum_of(data[:2])
    assert pair.headline("bond energy").quantity.kind == "X12"
    assert not pair.headline("magnetization").extrapolated


def test_a_coupling_one_percent_off_is_noticed():
    """The dimensions drift; and where the critical coupling is claimed, the energy contradicts."""
    for ratio in (0.99, 1.01):
        sums = short_run(ratio)
        honest = spectrum_of([SizeData(length, one) for length, one in sums.items()])
        assert any("changes by" in remark for remark in honest.remarks)
        claimed = [SizeData(length, one, exact_energy(length)) for length, one in sums.items()]
        spectrum = spectrum_of(claimed)
        assert sum("differs from the exact one" in remark for remark in spectrum.remarks) == 3
        assert not any(one.controlled for one in spectrum.estimates)


def test_quantities_that_may_be_zero_are_refused():
    """The responses of an even function that has nothing to do with m vanish."""
    sums, rng = short_run()[8], np.random.default_rng(7)
    unrelated = GroupSums.empty(64, ["bond energy"], ["magnetization"], (16, 16))
    unrelated.add(*rng.normal(size=(2, 640, 1)), np.arange(640) % 64)
    spectrum = spectrum_of([SizeData(8, sums), SizeData(16, unrelated)])
    refused = spectrum.of("X12", "bond energy")
    assert "fewer than 4 errors" in refused.refused and refused.delta is None
    with pytest.raises(ValueError, match="two or more"):
        spectrum_of([SizeData(8, sums)])
    other = GroupSums.empty(2, ["other"], ["magnetization"], (16, 16))
    with pytest.raises(ValueError, match="same functions"):
        spectrum_of([SizeData(8, sums), SizeData(16, other)])


def test_few_groups_do_without_the_exact_energy():
    """A covariance from fewer than 30 groups is not inverted."""
    sums = short_run()[8]
    arrays = {name: array[:20] for name, array in sums.arrays.items()}
    few = GroupSums.of_arrays(sums.even, sums.odd, sums.shape, arrays)
    assert not estimates(few, exact=exact_energy(8)).controlled


# ---- two-point functions -------------------------------------------------------------------------


def test_two_point_quantities_from_the_structure_factors():
    """E01 and A by their definitions, from Fourier transforms of the fields, on configurations
    with domains of four sites."""
    shape, rng = (8, 8), np.random.default_rng(8)
    domains = rng.choice(np.array([-1, 1], np.int8), (64, 2, 2), p=(0.3, 0.7))
    spins = np.kron(domains, np.ones((4, 4), np.int8))
    spins[rng.random(spins.shape) < 0.1] *= -1
    functions = (f.magnetization(2), f.bond_energy(2))
    readings = measure(pack_spins(spins), shape, functions, modes=True)
    sums = GroupSums.empty(32, ["bond energy"], ["magnetization"], shape, 5)
    table = (readings.values[:, 1:], readings.values[:, :1], np.arange(64) % 32)
    sums.add(*table, readings.modes[:, 1:], readings.modes[:, :1])
    result = estimates(weighted(sums, np.ones(32)))
    values = {(q.kind, q.sector): value for q, value in zip(result.quantities, result.values)}
    power = (np.abs(np.fft.fft2(spins)) ** 2).mean(axis=0) / 64
    smeared = sum(
        (-1) ** (i + j) * np.exp(-(i * i + j * j) / 2) * power[i, j]
        for i in range(-2, 3)
        for j in range(-2, 3)
    )
    assert values["A", "odd"] == pytest.approx(np.log(smeared), abs=1e-5)
    bonds = [np.fft.fft2(spins * np.roll(spins, -1, axis)) / 2 for axis in (1, 2)]
    half = np.exp(-1j * np.pi / 8)  # bonds along an axis sit half a site further
    first = [abs(bonds[0][:, 1, 0] * half + bonds[1][:, 1, 0])]
    first += [abs(bonds[0][:, 0, 1] + bonds[1][:, 0, 1] * half)]
    variance = 64 * readings.values[:, 1].var()
    expected = np.log(variance - np.mean(np.square(first)) / 64)
    assert values["E01", "even"] == pytest.approx(expected, abs=1e-5)


def test_correlations_of_the_exact_ring():
    """C(r) = (t^r + t^(L-r)) / (1 + t^L), t = tanh K, from all states of a ring; and the structure
    factor is its Fourier transform."""
    length, coupling = 8, 0.6
    spins = unpack_spins(np.arange(256, dtype=np.uint8)[:, None], (length,))
    energy = (spins * np.roll(spins, 1, 1)).sum(axis=1)
    sums = CorrelationSums.empty(256, ["s"], (length,))
    sums.add(spins[:, None], np.arange(256))
    weights = np.exp(coupling * energy)
    for name, array in sums.arrays.items():
        sums.arrays[name] = array * weights.reshape(-1, *(1,) * (array.ndim - 1))
    result, t, r = correlations(sums, 0), np.tanh(coupling), np.arange(5)
    expected = (t**r + t ** (length - r)) / (1 + t**length)
    np.testing.assert_allclose(result.axis, expected, atol=1e-12)
    np.testing.assert_allclose(result.diagonal, expected, atol=1e-12)
    full = np.concatenate([expected, expected[3:0:-1]])
    np.testing.assert_allclose(result.factor, np.fft.fft(full).real[:5], atol=1e-12)
    xi = np.sqrt(result.factor[0] / result.factor[1] - 1) / (2 * np.sin(np.pi / length))
    assert result.length == pytest.approx(xi)


def test_correlations_along_axes_and_diagonals():
    """Averages of products of a random field, against sums by hand, on an oblong lattice."""
    field = np.random.default_rng(9).normal(size=(6, 1, 6, 10))
    sums = CorrelationSums.empty(3, ["x"], (6, 10))
    sums.add(field, np.arange(6) % 3)
    result = correlations(sums, 0, connected=False)
    for r in range(4):
        axis = [np.mean(field * np.roll(field, -r, own)) for own in (2, 3)]
        diagonal = [np.mean(field * np.roll(field, (-r, s * r), (2, 3))) for s in (1, -1)]
        assert result.axis[r] == pytest.approx(np.mean(axis))
        assert result.diagonal[r] == pytest.approx(np.mean(diagonal))
    connected = correlations(sums, 0)
    np.testing.assert_allclose(connected.axis, result.axis - field.mean() ** 2)
