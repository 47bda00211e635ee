"""The Migdal-Kadanoff recursion: where it is exact, its known fixed points and exponents."""

import numpy as np
import pytest

from rsmi.models.ising.theory import migdal_kadanoff
from rsmi.models.ising.theory.migdal_kadanoff import exponents, fixed_point, flow, recursion, slope

CRITICAL = 0.5 * np.log1p(np.sqrt(2))


def test_exact_on_the_chain():
    """In one dimension it is decimation, tanh K' = tanh^b K."""
    k = np.array([0.0, 0.1, 0.8, 2.0])
    for b in (2, 3, 7):
        assert np.tanh(recursion(k, 1, b)) == pytest.approx(np.tanh(k) ** b, abs=1e-15)


def test_two_dimensions_by_hand():
    """b = 2: K' = ln cosh(4K) / 2, K* = .30469, nu = 1.338 (Kadanoff, Ann. Phys. 100, 359
    (1976))."""
    assert recursion(0.3) == pytest.approx(0.5 * np.log(np.cosh(1.2)), rel=1e-14)
    found = exponents()
    assert found["K"] == pytest.approx(0.304689, abs=1e-6)
    assert found["nu"] == pytest.approx(1.338, abs=5e-4)
    assert found["y_t"] * found["nu"] == pytest.approx(1)
    assert recursion(found["K"]) == pytest.approx(found["K"], abs=1e-14)


def test_infinitesimal_steps_keep_the_dual_point():
    """b -> 1 in two dimensions: the exact K_c, and y_t = 2 + sqrt(2) ln(sqrt(2) - 1)."""
    found = exponents(2, 1 + 1e-6)
    assert found["K"] == pytest.approx(CRITICAL, abs=1e-6)
    assert found["y_t"] == pytest.approx(2 + np.sqrt(2) * np.log(np.sqrt(2) - 1), abs=1e-5)


def test_near_one_dimension():
    """d = 1 + epsilon: y_t = epsilon (Migdal)."""
    for epsilon in (0.01, 0.001):
        assert exponents(1 + epsilon)["y_t"] == pytest.approx(epsilon, rel=1e-3)


def test_decimating_first_has_the_same_exponent():
    """K' = b^(d-1) artanh(tanh^b K): the fixed point is b^(d-1) K*, the slope there the same."""
    other = 2 * fixed_point()
    assert 2 * np.arctanh(np.tanh(other) ** 2) == pytest.approx(other, rel=1e-13)


@pytest.mark.parametrize(("dimension", "b"), [(2, 2), (2, 3), (3, 2), (2.5, 1.3), (1.02, 2)])
def test_slope_is_the_derivative(dimension, b):
    k, h = fixed_point(dimension, b), 1e-5
    assert slope(k, dimension, b) == pytest.approx(
        (recursion(k + h, dimension, b) - recursion(k - h, dimension, b)) / (2 * h), rel=1e-6
    )


def test_flow():
    """Away from the fixed point on both sides; large couplings do not overflow."""
    couplings = flow([0.30, fixed_point(), 0.31], 8)
    assert couplings.shape == (9, 3)
    assert (np.diff(couplings[:, 0]) < 0).all()
    assert (np.diff(couplings[:, 2]) > 0).all()
    assert couplings[:, 1] == pytest.approx(fixed_point(), abs=1e-10)
    assert recursion([0.0, 19.9, 20.1, 1e4], 2, 2) == pytest.approx(
        [0, 39.8 - np.log(2) / 2, 40.2 - np.log(2) / 2, 2e4 - np.log(2) / 2]
    )


def test_impossible():
    with pytest.raises(ValueError, match="no fixed point"):
        fixed_point(1)
    for arguments in ((0.5, 2), (2, 1), (2, np.inf), (np.nan, 2)):
        with pytest.raises(ValueError, match="at least 1"):
            migdal_kadanoff.recursion(0.3, *arguments)
