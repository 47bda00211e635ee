"""The exponents that follow from y_t and y_h."""

import numpy as np
import pytest

from rsmi.renormalization.critical_exponents import (
    EXPONENTS,
    exponents_of_dimensions,
    quoted_exponents,
)


def test_exponents_of_the_square_lattice_are_onsagers():
    exponents = exponents_of_dimensions(2, 1.0, 0.125)
    expected = {"nu": 1, "eta": 1 / 4, "beta": 1 / 8, "gamma": 7 / 4, "delta": 15, "alpha": 0}
    assert {name: one.value for name, one in exponents.items()} == pytest.approx(expected)
    assert all(one.error == 0 for one in exponents.values())


def test_mean_field_exponents_follow_in_four_dimensions():
    exponents = quoted_exponents(4, 2.0, 3.0)
    expected = {"nu": 1 / 2, "eta": 0, "beta": 1 / 2, "gamma": 1, "delta": 3, "alpha": 0}
    assert {name: one.value for name, one in exponents.items()} == pytest.approx(expected)


def test_errors_are_those_of_small_random_changes():
    """A wrong sign of a gradient, or a forgotten correlation, changes an error by far more than the
    5 % that are allowed here."""
    rng, correlation, errors = np.random.default_rng(1), -0.6, (2e-3, 1e-3)
    covariance = np.outer(errors, errors) * [[1, correlation], [correlation, 1]]
    draws = rng.multivariate_normal([1.5, 2.4], covariance, 4000)
    sampled = [quoted_exponents(3, *draw) for draw in draws]
    exponents = quoted_exponents(3, 1.5, 2.4, errors, correlation)
    assert tuple(exponents) == EXPONENTS
    for name, one in exponents.items():
        assert np.std([draw[name].value for draw in sampled]) == pytest.approx(one.error, rel=0.05)


def test_exponents_without_one_eigenvalue():
    assert list(quoted_exponents(2, y_t=1.0)) == ["nu", "alpha"]
    assert list(quoted_exponents(2, y_h=1.875)) == ["eta", "delta"]
    assert "delta" not in quoted_exponents(2, y_h=2.0)
