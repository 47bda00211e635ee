"""Drift, autocorrelation times that may be unknown, and deviations of correlated means."""

import math

import numpy as np
import pytest
from autoregression import chains_of

from rsmi.statistics.equilibration import drift, equilibration_steps
from rsmi.statistics.evidence import correlation, deviation, gaussian_equivalent


def process(rng, chains, steps, tau):
    """Stationary Gaussian chains (chains, steps) with this integrated autocorrelation time."""
    a = (2 * tau - 1) / (2 * tau + 1)
    noise = rng.standard_normal((chains, steps)) * math.sqrt(1 - a * a)
    noise[:, 0] = rng.standard_normal(chains)
    return chains_of(a, noise)


def test_gaussian_equivalent():
    """Two-sided probabilities of Student's t from tables: t = 63.66 with one degree of freedom and
    9.925 with two are 1 %, as is 2.576 of a Gaussian."""
    for t, freedom in ((63.657, 1), (9.925, 2), (4.032, 5), (2.845, 20)):
        assert abs(gaussian_equivalent(t, freedom) - 2.576) < 0.25
    assert abs(gaussian_equivalent(-2.576, 1e6) + 2.576) < 1e-3


@pytest.mark.parametrize(("chains", "steps"), [(1, 10_000), (8, 1000), (64, 60), (200, 10)])
def test_known_times(chains, steps):
    """Within 20 %: of few long chains, and of many short ones by the spread of their means."""
    rng = np.random.default_rng(chains)
    found = correlation(process(rng, chains, steps, 5.0))
    assert found.known
    exact = (
        5.0 if steps > 100 else steps * np.var(process(rng, 20_000, steps, 5.0).mean(axis=1)) / 2
    )
    assert abs(found.tau / exact - 1) < 0.4


def test_a_short_chain_never_looks_independent():
    """Of 300 chains of five autocorrelation times, none is known to have more than a tenth of its
    steps as effective samples. A warning at tau - error > 1 alone would miss every tenth of
    them."""
    rng = np.random.default_rng(3)
    for values in process(rng, 300, 200, 40.0):
        found = correlation(values)
        assert not found.known or found.effective(1, 200) < 20 or found.tau > 4


def test_a_constant_is_unknown():
    assert not correlation(np.ones((3, 50))).known
    assert deviation(np.ones((3, 50)), 0.0) == 0.0


@pytest.mark.parametrize(("chains", "steps", "tau"), [(1, 2000, 5.0), (100, 20, 8.0), (1, 60, 0.5)])
def test_deviations_are_gaussian(chains, steps, tau):
    """Variance 1 within a third, over 400 sets; more than four errors never occur."""
    rng = np.random.default_rng(7)
    found = [deviation(process(rng, chains, steps, tau), 0.0) for _ in range(400)]
    assert 0.6 < np.var(found) < 1.4
    assert np.abs(found).max() < 4.5


def test_drift():
    """A step of 0.8 standard deviations in the middle, and a beginning that is off; a stationary
    chain that is long against its autocorrelation time does not drift."""
    rng = np.random.default_rng(8)
    quiet = [drift(process(rng, 1, 4000, 5.0)).deviation for _ in range(200)]
    assert np.abs(quiet).max() < 5
    step = process(rng, 1, 4000, 5.0) + 0.8 * (np.arange(4000) > 2000)
    assert drift(step).deviation > 5
    start = process(rng, 20, 200, 2.0) + 4 * np.exp(-np.arange(200) / 5)
    assert drift(start).deviation < -5
    assert drift(process(rng, 1, 60, 20.0)).deviation == 0  # too short to tell


def test_equilibration():
    """The steps that a transient of 100 steps takes are left out, and hardly any of a stationary
    chain, whose length does not matter."""
    rng = np.random.default_rng(9)
    for steps in (1000, 40_000):
        decay = 10 * np.exp(-np.arange(steps) / (steps / 50))
        found = equilibration_steps(process(rng, 4, steps, 2.0) + decay)
        assert 0.03 * steps < found < 0.3 * steps
    stationary = [equilibration_steps(process(rng, 1, 1000, 2.0)) for _ in range(50)]
    assert np.median(stationary) < 100
