"""nu from the collapse of the flow: synthetic flows with a known exponent, and what is refused."""

import math

import numpy as np
import pytest

from rsmi.renormalization.collapse import collapse
from rsmi.renormalization.thermometer import EffectiveCouplings
from rsmi.statistics.fits import where_slope_vanishes
from rsmi.statistics.jackknife import Jackknife

K_C = 0.44
FACTORS = np.array([0.97, 0.98, 0.99, 1.0, 1.01, 1.02, 1.03])
SHAPES = [(64, 64), (32, 32), (16, 16), (8, 8)]
OFFSETS = np.array([0.0, 0.994, 0.992, 0.990])


def flow(coupling, rng, nu=1.0, noise=1e-4, blocks=30, correlated=0.9, distort=0.0):
    """K_n/K_c = offset_n + x - x^2/2 + x^3, x = (K/K_c - 1) 2^(n/nu), with errors that grow as 2^n
    and are common to the steps."""
    steps = np.arange(4)
    x = (coupling / K_C - 1) * 2 ** (steps / nu)
    exact = OFFSETS + x - x**2 / 2 + x**3 + distort * (-1.0) ** steps * np.sign(coupling - K_C)
    common = correlated * rng.normal(size=(blocks, 1)) + np.sqrt(1 - correlated**2) * rng.normal(
        size=(blocks, 4)
    )
    data = K_C * (exact + noise * np.sqrt(blocks) * 2.0**steps * common)
    replicas = (data.sum(axis=0) - data) / (blocks - 1)
    estimate = Jackknife(data.mean(axis=0), data.std(axis=0, ddof=1) / np.sqrt(blocks), replicas)
    return EffectiveCouplings(estimate, estimate, estimate)


def collapsed(rng, factors=FACTORS, shapes=SHAPES, **settings):
    couplings = K_C / factors
    return collapse(
        couplings,
        [flow(k, rng, **settings) for k in couplings],
        [shapes] * len(couplings),
        2.0,
        K_C,
    )


@pytest.mark.parametrize(("nu", "correlated"), [(0.63, 0.99), (1.0, 0.0), (1.4, 0.9)])
def test_recovers_the_exponent(nu, correlated):
    """Unbiased within 4 sigma over 12 flows, scattering by its error. With b^(n nu) the
    result would be 1/nu."""
    rng = np.random.default_rng(1)
    found = [collapsed(rng, nu=nu, correlated=correlated) for _ in range(12)]
    values, errors = np.array([(one["value"], one["error"]) for one in found]).T
    assert abs(values.mean() - nu) < 4 * values.std(ddof=1) / np.sqrt(12) < 0.02
    assert 0.5 < errors.mean() / values.std(ddof=1) < 2
    assert all(one["reason"] is None and abs(one["coefficients"][0] - 1) < 0.1 for one in found)


def test_an_imperfect_collapse_says_so():
    """A distortion of .002 K_c beyond errors of .0001 to .0008 is measured as scatter, and enters
    the error."""
    found, clean = (
        collapsed(np.random.default_rng(3), distort=d, noise=1e-4) for d in (0.002, 0.0)
    )
    assert found["chi2"] > 10 * found["degrees_of_freedom"]
    assert 0.0008 < found["scatter"] < 0.003
    assert found["error"] > 2 * found["error_statistical"]
    assert clean["chi2"] < 3 * clean["degrees_of_freedom"]
    assert clean["scatter"] < 0.0004
    assert len(found["points"]) == 21
    assert found["points"][0].keys() == {
        "step",
        "size",
        "x",
        "y",
        "error",
    }


def test_several_sizes_share_one_curve():
    """64 at steps 1 to 3 and 32 at steps 1 and 2: offsets of their own, one exponent."""
    rng, couplings = np.random.default_rng(4), K_C / FACTORS
    flows = [flow(k, rng) for k in couplings]
    smaller = [
        EffectiveCouplings(
            *(
                Jackknife(part.value[:3] + 0.01 * K_C, part.error[:3], part.replicas[:, :3])
                for part in flow(k, rng)
            )
        )
        for k in couplings
    ]
    both = collapse(
        [*couplings, *couplings],
        flows + smaller,
        [SHAPES] * 7 + [[(32, 32), (16, 16), (8, 8)]] * 7,
        2.0,
        K_C,
    )
    one = collapse(couplings, flows, [SHAPES] * 7, 2.0, K_C)
    assert {(p["step"], p["size"]) for p in both["points"]} == {
        (1, 32),
        (2, 16),
        (3, 8),
        (1, 16),
        (2, 8),
    }
    assert abs(both["value"] - 1) < 4 * both["error"]
    assert both["error"] < one["error"]


def test_what_does_not_collapse_has_a_reason():
    rng = np.random.default_rng(5)
    assert "two steps and two temperatures" in collapsed(rng, FACTORS[:1])["reason"]
    assert "two steps and two temperatures" in collapsed(rng, shapes=SHAPES[:2])["reason"]
    assert (
        "more temperatures are needed" in collapsed(rng, FACTORS[3:5], shapes=SHAPES[:3])["reason"]
    )
    assert "two steps" in collapsed(rng, np.array([0.5, 2.0]))["reason"]  # far away
    still = [flow(K_C, rng) for _ in FACTORS]
    assert collapse(K_C / FACTORS, still, [SHAPES] * 7, 2.0, K_C)["value"] is None


@pytest.mark.parametrize("place", [1e-9, 1 / 3, 0.999])
def test_the_place_of_a_minimum_is_known_to_its_last_digits(place):
    """A search by values knows eight digits, and the digest of a file would depend on the rest."""
    assert where_slope_vanishes(lambda x: math.sinh(x - place), 0, 1) == pytest.approx(
        place, rel=1e-15
    )
    assert where_slope_vanishes(lambda x: x + place, 0, 1) == pytest.approx(0, abs=1e-300)
