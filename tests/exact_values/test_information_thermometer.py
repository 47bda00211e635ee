"""The mutual-information thermometer: on the exact information of the 6x6 torus, and its
refusals."""

import functools

import numpy as np
import pytest

from rsmi.errors import UsageError
from rsmi.information.channel import channel_table
from rsmi.information.entropy import mutual_information
from rsmi.models.ising import oracle as exact
from rsmi.renormalization.information_thermometer import INTERVAL, information_thermometer

K_C = np.log(1 + np.sqrt(2)) / 2
BLOCK_SPIN = channel_table([[1, 1, 1, 1]], [0], hard=True)


@functools.cache
def torus_information(ratio):
    return mutual_information(exact.torus_joint(ratio * K_C), BLOCK_SPIN)


def test_the_exact_information_is_nearly_a_line():
    """On the 6x6 torus I(K) leaves its line by .17 % of K_c at most within the interval; over twice
    the width by five times that."""
    deviations = []
    for low, high in (INTERVAL, (0.91, 1.07)):
        ratios = np.linspace(low, high, 5)
        values = np.array([torus_information(r) for r in ratios])
        fit = information_thermometer(K_C * ratios, values, np.full(5, 1e-3)).fit
        deviations.append(np.abs((values - fit(K_C * ratios)) / fit.coefficients[1]).max() / K_C)
    assert deviations[0] < 0.0018
    assert deviations[1] > 3 * deviations[0]


@pytest.mark.parametrize("ratio", [0.96, 0.985, 1.0, 1.02])
def test_reads_the_coupling_it_was_not_shown(ratio):
    """To .2 % of K_c, what the curvature of the information makes of it."""
    ratios = np.linspace(*INTERVAL, 5)
    calibrated = information_thermometer(
        K_C * ratios, [torus_information(r) for r in ratios], np.full(5, 1e-4)
    )
    assert abs(calibrated.read(torus_information(ratio), 1e-4)["value"] / K_C - ratio) < 0.002


def test_errors_are_the_scatter():
    """300 noisy calibrations and readings: the error of the reading includes that of the line, and
    is a little more than the scatter, as chi^2 above its degrees of freedom by chance is taken for
    curvature."""
    rng, couplings, found = np.random.default_rng(1), np.linspace(0.42, 0.45, 5), []
    errors = np.array([1e-3, 2e-3, 1e-3, 2e-3, 1e-3])
    for _ in range(300):
        line = 0.4 + 3.0 * (couplings - 0.435)
        calibrated = information_thermometer(couplings, line + errors * rng.normal(size=5), errors)
        found.append(
            [
                calibrated.read(0.415 + 1e-3 * rng.normal(), 1e-3)[name]
                for name in ("value", "error")
            ]
            + [calibrated.chi2]
        )
    values, stated, chi2 = np.array(found).T
    assert abs(values.mean() - 0.44) < 4 * values.std() / np.sqrt(300)
    assert 0.95 < stated.mean() / values.std() < 1.4
    assert 1.1 * 1e-3 / 3 < stated.mean()
    assert abs(chi2.mean() - 3) < 4 * np.sqrt(6 / 300)


def test_a_bent_line_has_larger_errors():
    """Exact values claimed to 1e-5: chi^2 shows the curvature of the information, and the error of
    a reading covers it."""
    ratios = np.linspace(*INTERVAL, 5)
    calibrated = information_thermometer(
        K_C * ratios, [torus_information(r) for r in ratios], np.full(5, 1e-5)
    )
    assert calibrated.chi2 > 1000
    assert 0.001 < calibrated.scatter < 0.004
    for ratio in (0.96, 0.985, 1.0, 1.02):
        found = calibrated.read(torus_information(ratio), 1e-5)
        assert abs(found["value"] / K_C - ratio) < 2 * found["error"] / K_C < 0.006


def test_refuses_outside_its_interval():
    calibrated = information_thermometer([0.42, 0.43, 0.44], [0.39, 0.40, 0.41], [1e-3] * 3)
    for information, side in ((0.385, "below"), (0.42, "above")):
        found = calibrated.read(information, 1e-3)
        assert found["value"] is found["error"] is None
        assert f"read {side} the calibrated couplings 0.42 to 0.44" in found["reason"]
    assert calibrated.read(0.405, 1e-3)["reason"] is None


def test_refuses_what_is_no_thermometer():
    for couplings, values, words in (
        ([0.42, 0.44], [0.39, 0.41], "2 temperatures do not show"),
        ([0.42, 0.42, 0.42], [0.39, 0.41, 0.4], "1 temperatures do not show"),
        ([0.42, 0.43, 0.44], [0.40, 0.401, 0.4], "does not change with the temperature"),
    ):
        with pytest.raises(UsageError, match=words):
            information_thermometer(couplings, values, [1e-3] * len(values))
