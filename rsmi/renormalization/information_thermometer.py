"""The mutual-information thermometer: the temperature of configurations from what a coarse variable
knows of its environment.

I(H:E) of a fixed rule is measured on samples at several known couplings of one lattice size; near
T_c it is a linear function of K (Koch-Janusz & Ringel, Nature Physics 14, 578 (2018), calibrate
theirs on K/K_c in [.95, 1.03]). The line inverted reads the effective coupling of other
configurations of that size, such as coarse-grained ones. It is calibrated by data alone: unlike the
correlator thermometer it needs no exact energy, and any long-range property of the configurations
counts, not just nearest neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsmi.errors import UsageError
from rsmi.statistics.fits import Fit, polynomial_fit, scatter_beyond_errors

INTERVAL = (0.95, 1.03)  # of K/K_c, where the information is a line


@dataclass(frozen=True)
class InformationThermometer:
    """A calibrated line I(K) = fit(K) on `low` <= K <= `high`, `scatter` (nats) the distance of I
    from the line beyond the errors of the calibration, whose chi^2 with these errors alone is
    `chi2`."""

    fit: Fit
    scatter: float
    chi2: float
    low: float
    high: float

    def read(self, information: float, error: float) -> dict:
        """The coupling at which the line has this information.

        Parameters
        ----------
        information, error : nats, `error` the standard error

        Returns
        -------
        dict
            value (K), error (of the reading, of the line, and of I not being one, together, to
            first order), reason; None with a reason outside the calibrated interval: the line holds
            only there.
        """
        intercept, slope = self.fit.coefficients
        coupling = float(self.fit.origin + (information - intercept) / slope)
        if not self.low <= coupling <= self.high:
            side = "below" if coupling < self.low else "above"
            return {
                "value": None,
                "error": None,
                "reason": (
                    f"{information:.4f} nats read {side} the calibrated couplings {self.low:.5g} to"
                    f" {self.high:.5g}"
                ),
            }
        powers = np.array([1.0, coupling - self.fit.origin])
        variance = error**2 + self.scatter**2 + powers @ self.fit.covariance @ powers
        return {"value": coupling, "error": float(np.sqrt(variance) / abs(slope)), "reason": None}


def information_thermometer(couplings, information, errors) -> InformationThermometer:
    """Calibrate on samples at known couplings, of one lattice size and measured with one rule.

    Parameters
    ----------
    couplings : (n,) K of independent samples
    information, errors : (n,) I(H:E) in nats and its standard error

    Raises
    ------
    UsageError
        With fewer than three different couplings (a line would fit any two), or where the
        information does not change with K by more than four errors.
    """
    couplings, errors = (
        np.asarray(couplings, dtype=np.float64),
        np.asarray(errors, dtype=np.float64),
    )
    if len(np.unique(couplings)) < 3:
        raise UsageError(
            f"{len(np.unique(couplings))} temperatures do not show that the information is a line:"
            " at least three are needed"
        )
    chi2 = polynomial_fit(couplings, information, errors, 1).chi2
    scatter = scatter_beyond_errors(
        lambda s: polynomial_fit(couplings, information, np.hypot(errors, s), 1).chi2,
        len(couplings) - 2,
        float(np.ptp(information)),
    )
    fit = polynomial_fit(couplings, information, np.hypot(errors, scatter), 1)
    if abs(fit.coefficients[1]) < 4 * fit.errors[1]:
        raise UsageError(
            "the information does not change with the temperature by more than its errors: it is no"
            " thermometer"
        )
    return InformationThermometer(
        fit, scatter, chi2, float(couplings.min()), float(couplings.max())
    )
