"""What learned filters measure: shares of the variance of the units that named functions explain.

Shares are those of the variance in the windows, and not of the coefficients: directions of the
block that hardly vary leave coefficients nearly free. Several units that were learned together are
any mixture of the same functions; they are described as they are, and rotated to the mixtures that
are canonical with the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.information.canonical import angles_between, explained_shares
from rsmi.samples.views import BLOCK_COVARIANCE, ROTATION, ROTATION_CORRELATIONS, RuleFile


def measured(rule: RuleFile) -> dict[str, Any]:
    """Return what the filters of a rule measure, for JSON.

    Returns
    -------
    dict
        Under ``measured``: ``units``, a dictionary of shares for each unit; ``modes``, the same of
        the canonical mixtures with their ``correlation``; ``angles``, arccos of the correlations
        between units in degrees. The dictionary is empty if the model names no functions, or the
        file does not hold the covariance of the block.
    """
    if rule.products is not None or BLOCK_COVARIANCE not in rule.file or rule.live_sites:
        return {}
    templates = rule.model.templates(rule.geometry, rule.attributes)
    if not templates:
        return {}
    filters, covariance = rule.filters, rule.file.read(BLOCK_COVARIANCE)
    return {
        "measured": {
            "units": _shares(filters, templates, covariance),
            "modes": _modes(rule, filters, templates, covariance),
            "angles": _angles(filters, covariance),
        }
    }


def _shares(
    filters: NDArray[np.float64],
    templates: Mapping[str, NDArray[np.float64]],
    covariance: NDArray[np.float64],
) -> list[dict[str, float | None]]:
    """Return the shares of every template for each filter; None where a filter does not vary."""
    shares = {
        name: explained_shares(filters, basis, covariance) for name, basis in templates.items()
    }
    return [
        {name: float(row[i]) if np.isfinite(row[i]) else None for name, row in shares.items()}
        for i in range(len(filters))
    ]


def _modes(
    rule: RuleFile,
    filters: NDArray[np.float64],
    templates: Mapping[str, NDArray[np.float64]],
    covariance: NDArray[np.float64],
) -> list[dict[str, float | None]]:
    if ROTATION not in rule.file:
        return []
    shares = _shares(rule.file.read(ROTATION) @ filters, templates, covariance)
    correlations = rule.file.read(ROTATION_CORRELATIONS)
    return [{"correlation": float(rho), **one} for rho, one in zip(correlations, shares)]


def _angles(
    filters: NDArray[np.float64], covariance: NDArray[np.float64]
) -> list[list[float | None]]:
    angles = angles_between(filters, covariance)
    return [[float(angle) if np.isfinite(angle) else None for angle in row] for row in angles]
