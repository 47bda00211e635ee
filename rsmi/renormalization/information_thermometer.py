"""The mutual-information thermometer: the temperature of configurations from the information that a
coarse variable has about its environment.

I(H:E) of a fixed rule is measured on samples at several known couplings of one lattice size. Near
T_c it is a linear function of K (Koch-Janusz & Ringel, Nature Physics 14, 578 (2018), calibrate it
on K/K_c in [0.95, 1.03]). The inverted line gives the effective coupling of other configurations of
that size, such as coarse-grained ones. It is calibrated by data alone: unlike the correlator
thermometer it needs no exact energy, and all long-range properties of the configurations count, not
only nearest neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rsmi.errors import UsageError
from rsmi.statistics.fits import Fit, polynomial_fit, scatter_beyond_errors

INTERVAL = (0.95, 1.03)  # values of K/K_c between which the information is a line


@dataclass(frozen=True)
class InformationThermometer:
    """A calibrated line I(K) = fit(K) on low <= K <= high.

    Attributes
    ----------
    fit : Fit
        The line.
    scatter : float
        Distance of I from the line beyond the errors of the calibration, in nats.
    chi2 : float
        chi^2 of the line with these errors alone.
    low, high : float
        The calibrated interval of K.
    """

    fit: Fit
    scatter: float
    chi2: float
    low: float
    high: float

    def read(self, information: float, error: float) -> dict[str, Any]:
        """Return the coupling at which the line has a given information.

        Parameters
        ----------
        information, error : float
            I(H:E) and its standard error in nats.

        Returns
        -------
        dict
            ``value`` (K), ``error`` (to first order, from the errors of the information and of the
            line and from the scatter) and ``reason``. Outside the calibrated interval, where the
            line need not hold, value and error are None and the reason says why.
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


def information_thermometer(
    couplings: ArrayLike, information: ArrayLike, errors: ArrayLike
) -> InformationThermometer:
    """Calibrate a thermometer on samples of one lattice size, measured with one rule.

    Parameters
    ----------
    couplings : array_like of float, (n,)
        Known K of independent samples.
    information, errors : array_like of float, (n,)
        I(H:E) and its standard error in nats.

    Raises
    ------
    UsageError
        If there are fewer than three different couplings (a line would fit any two), or the
        information does not change with K by more than four errors.
    """
    couplings, errors = (np.asarray(x, dtype=np.float64) for x in (couplings, errors))
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
