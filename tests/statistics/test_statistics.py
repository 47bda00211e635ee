"""Autocorrelation, binning, jackknife and fits against processes whose answers are known."""

import numpy as np
import pytest
from autoregression import chains_of
from hypothesis import given, settings
from hypothesis import strategies as st

from rsmi.statistics.autocorrelation import autocovariance, integrated_autocorrelation_time
from rsmi.statistics.binning import (
    bin_length,
    bin_means,
    binned_error,
    grouped_mean,
    merged_blocks,
    runs,
)
from rsmi.statistics.fits import polynomial_fit
from rsmi.statistics.jackknife import jackknife, jackknife_covariance
from rsmi.statistics.summary import binder_cumulant, sample_summary, separate_chains


def autoregressive(rho, chains, steps, seed):
    """x_t = rho x_(t-1) + noise, stationary with variance 1: tau = (1 + rho) / (2 (1 - rho))."""
    rng = np.random.default_rng(seed)
    start = rng.normal(size=chains)
    noise = rng.normal(size=(chains, steps)) * np.sqrt(1 - rho**2)
    noise[:, 0] = start
    return chains_of(rho, noise)


def exact_tau(rho):
    return (1 + rho) / (2 * (1 - rho))


@pytest.mark.parametrize(
    ("rho", "chains", "steps"),
    [(0.0, 1, 100_000), (0.5, 8, 8_000), (0.9, 8, 16_000), (0.95, 1, 200_000)],
)
def test_autocorrelation_time(rho, chains, steps):
    """|z| < 4 and an error below 10 %."""
    tau, error = integrated_autocorrelation_time(autoregressive(rho, chains, steps, 1))
    assert abs(tau - exact_tau(rho)) < 4 * error
    assert error < 0.1 * exact_tau(rho)


def test_independent_data_have_one_half():
    """The conventions that give independent data 0 or 1 are dozens of errors away."""
    tau, error = integrated_autocorrelation_time(autoregressive(0.0, 4, 20_000, 2))
    assert abs(tau - 0.5) < 4 * error < 0.1


def test_error_of_the_autocorrelation_time_is_honest():
    """Over 200 runs tau scatters by its stated error, within 30 %."""
    runs = [
        integrated_autocorrelation_time(autoregressive(0.8, 4, 1000, seed)) for seed in range(200)
    ]
    taus, errors = np.array(runs).T
    assert 0.7 < taus.std() / errors.mean() < 1.3
    assert abs(taus.mean() - exact_tau(0.8)) < 0.05 * exact_tau(0.8)


def test_chains_stuck_apart_are_noticed():
    """Chains that disagree are measured about their common mean: tau is of the order of a chain,
    not of its noise."""
    x = np.random.default_rng(0).normal(size=(4, 1000)) + 10 * np.arange(4)[:, None]
    assert integrated_autocorrelation_time(x)[0] > 100


@pytest.mark.parametrize("series", [[3.0], np.full((2, 50), 1.1), [0.0, 0.0]])
def test_constant_series(series):
    """Nothing fluctuates: no evidence for a correlation, and none against it."""
    tau, error = integrated_autocorrelation_time(series)
    assert tau == 0.5
    assert np.isnan(error)


@given(chains=st.integers(1, 3), steps=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_autocovariance_equals_its_definition(chains, steps, seed):
    x = np.random.default_rng(seed).normal(size=(chains, steps))
    d = x - x.mean()
    expected = [np.mean(d[:, : steps - t] * d[:, t:]) for t in range(steps)]
    np.testing.assert_allclose(autocovariance(x), expected, atol=1e-12)


def test_binned_error_is_the_scatter_of_the_mean():
    """Over 300 runs the mean scatters by the binned error; the naive error would be 3 times too
    small."""
    runs = [autoregressive(0.8, 4, 2000, seed) for seed in range(300)]
    means, errors = np.array([binned_error(run) for run in runs]).T
    assert 0.87 < errors.mean() / means.std() < 1.1
    naive = np.mean([run.std() / np.sqrt(run.size) for run in runs])
    assert naive / means.std() < 0.4


def test_bins():
    assert bin_means([[9, 1, 3, 5, 7], [9, 2, 4, 6, 8]], 2).tolist() == [2, 6, 3, 7]
    assert bin_length(0.5, 8, 1000) == 8
    assert bin_length(10.0, 1, 100_000) == 160
    assert bin_length(1e9, 1, 1600) == 100
    assert bin_length(10.0, 4, 1) == 1
    assert np.isnan(binned_error([5.0])[1])


def test_jackknife_of_a_mean_is_the_standard_error():
    x = np.random.default_rng(3).normal(size=50)
    estimate = jackknife(lambda s: s["x"] / s["n"], {"x": x, "n": np.ones(50, dtype=np.int64)})
    np.testing.assert_allclose(
        [estimate.value, estimate.error], [x.mean(), x.std(ddof=1) / np.sqrt(50)]
    )


def test_runs_are_consecutive_and_alike():
    assert runs([7, 7, 2, 9, 2], 40).tolist() == [1, 1, 0, 2, 0]
    labels = runs(np.repeat(np.arange(0, 300, 3), 2), 40)
    assert (np.diff(labels) >= 0).all()
    assert set(np.bincount(labels)) == {4, 6}
    assert labels[-1] == 39


def test_error_of_grouped_values_is_the_scatter_of_the_mean():
    """Over 300 runs, five values from each of 800 correlated configurations: the mean scatters by
    the error over 40 runs of them; the error over configurations is 2 times too small, that over
    values 4 times."""
    means, errors = [], []
    for seed in range(300):
        configurations = autoregressive(0.6, 1, 800, seed)[0]
        values, groups = np.repeat(configurations, 5), np.repeat(np.arange(800), 5)
        means.append(values.mean())
        errors.append(
            [grouped_mean(values, labels)[1] for labels in (runs(groups), groups, np.arange(4000))]
        )
    by_runs, by_configurations, by_values = np.mean(errors, axis=0) / np.std(means)
    assert 0.85 < by_runs < 1.1
    assert by_configurations < 0.6
    assert by_values < 0.3


def test_grouped_mean_of_one_group():
    mean, error = grouped_mean([1.0, 2.0], [3, 3])
    assert mean == 1.5
    assert np.isnan(error)


def test_jackknife_of_a_ratio():
    """<y>/<x> of correlated x and y, over 400 runs: the scatter is the error; ignoring the
    correlation gives 3 times more."""
    rng = np.random.default_rng(4)
    values, errors = [], []
    for _ in range(400):
        common = rng.normal(size=64)
        sums = {"x": 2 + common, "y": 4 + 2 * common + 0.6 * rng.normal(size=64)}
        estimate = jackknife(lambda s: s["y"] / s["x"], sums)
        values.append(estimate.value)
        errors.append(estimate.error)
    assert 0.9 < np.mean(errors) / np.std(values) < 1.1


def test_jackknife_covariance_and_single_block():
    x = np.random.default_rng(5).normal(size=(30, 2)) @ [[1, 0.8], [0, 0.5]]
    estimate = jackknife(lambda s: s["x"] / 30, {"x": x})
    # leaving one of 30 out of a sum over 30 shrinks the deviations by 29/30 compared with the mean
    # of 29
    np.testing.assert_allclose(estimate.covariance() * (30 / 29) ** 2, np.cov(x.T) / 30, rtol=1e-12)
    np.testing.assert_allclose(
        jackknife_covariance(estimate.replicas).diagonal(), estimate.error**2
    )
    assert np.isnan(jackknife(lambda s: s["x"].sum(), {"x": x[:1]}).error)


def test_fit_recovers_a_polynomial():
    x = np.linspace(0.43, 0.45, 6)
    y = 3 - 40 * (x - 0.44) + 900 * (x - 0.44) ** 2
    fit = polynomial_fit(x, y, np.full(6, 0.1), 2)
    assert fit.chi2 < 1e-18
    assert fit.degrees_of_freedom == 3
    np.testing.assert_allclose(fit(x), y)
    np.testing.assert_allclose(fit.slope(0.44)[0], -40)


def test_errors_of_fit_slope_and_root():
    """Over 500 noisy data sets: slope and root scatter by their errors, chi2 is its degrees of
    freedom."""
    rng = np.random.default_rng(6)
    x, errors = np.linspace(-1, 1.5, 7), np.linspace(0.02, 0.08, 7)
    truth = 2 * (x - 0.3) + 0.5 * (x - 0.3) ** 2
    slopes, roots, chi2 = [], [], []
    for _ in range(500):
        fit = polynomial_fit(x, truth + errors * rng.normal(size=7), errors, 2)
        slopes.append(fit.slope(0.3))
        roots.append(fit.root(-1, 1.5))
        chi2.append(fit.chi2)
    for (values, stated), expected in ((np.transpose(slopes), 2.0), (np.transpose(roots), 0.3)):
        assert 0.9 < stated.mean() / values.std() < 1.1
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(500)
    assert abs(np.mean(chi2) - 4) < 4 * np.sqrt(8 / 500)


def test_fit_refusals():
    with pytest.raises(ValueError, match="needs more than 2 points"):
        polynomial_fit([0, 1], [0, 1], [1, 1], 2)
    with pytest.raises(ValueError, match="positive error"):
        polynomial_fit([0, 1], [0, 1], [1, 0])
    with pytest.raises(ValueError, match="do not determine"):
        polynomial_fit([1, 1, 1], [0, 1, 2], [1, 1, 1])
    with pytest.raises(ValueError, match="0 roots"):
        polynomial_fit([0, 1], [1, 2], [1, 1]).root(0, 1)


def test_binder_cumulant():
    assert binder_cumulant(2.0, 4.0) == pytest.approx(2 / 3)
    assert binder_cumulant(1.0, 3.0) == 0


def test_interleaved_chains():
    assert separate_chains(np.arange(7), 3).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert separate_chains(np.arange(2), 3).tolist() == [[0, 1]]


def test_summary_of_gaussian_chains():
    """Energy an AR(1) process about -1.4 per site, magnetization an independent Gaussian:
    everything known, |z| < 4.

    A summary that treats the samples as one series instead of 5 interleaved chains has tau below 1
    instead of 4.5.
    """
    chains, steps, sites, coupling = 5, 8000, 100, 0.4
    energy = sites * (-1.4 + 0.1 * autoregressive(0.8, chains, steps, 7).T.ravel())
    magnetization = sites * 0.2 * np.random.default_rng(8).normal(size=chains * steps)
    summary = sample_summary(energy, magnetization, chains, coupling, sites)
    expected = {
        "energy": -1.4,
        "magnetization_abs": 0.2 * np.sqrt(2 / np.pi),
        "susceptibility": coupling * sites * 0.04 * (1 - 2 / np.pi),
        "binder": 0.0,
        "tau_int": 4.5,
        "tau_int_magnetization": 0.5,
    }
    for name, value in expected.items():
        assert abs(summary[name] - value) < 4 * summary[f"{name}_error"], name
    assert summary["energy"] == pytest.approx(energy.mean() / sites)
    assert summary["energy_error"] == pytest.approx(0.1 * np.sqrt(2 * 4.5 / 40_000), rel=0.2)
    assert (
        sample_summary(energy, magnetization, 1, coupling, sites)["tau_int"] < 1
    )  # the wrong number of chains


def test_summary_of_one_sample():
    summary = sample_summary([-128], [0], 8, None, 64)
    assert (summary["energy"], summary["tau_int"], summary["magnetization_abs"]) == (
        -2.0,
        None,
        0.0,
    )
    assert (
        summary["tau_int_error"]
        is summary["energy_error"]
        is summary["susceptibility"]
        is summary["binder"]
        is summary["binder_error"]
        is None
    )


def test_merged_blocks_are_long_enough():
    """Every run of blocks has the length that was asked for, or there are as few as allowed."""
    for count, length, needed, expected in (
        (64, 10, 5, 64),
        (64, 10, 10, 64),
        (64, 10, 25, 21),
        (64, 10, 1e4, 8),
        (5, 10, 1e4, 5),
        (64, 0.1, 1, 8),
    ):
        labels = merged_blocks(count, length, needed, 8)
        sizes = np.bincount(labels)
        assert len(sizes) == expected
        assert (np.diff(labels) >= 0).all()
        assert sizes.max() - sizes.min() <= 1
        assert sizes.min() * length >= needed or len(sizes) == min(8, count)
