"""What the filters of a learned rule measure on dimer coverings: electric field, columnar order,
noise, and correlations with the environment as far as they are known exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.information.canonical import Moments
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers import filters as dimer_filters
from rsmi.models.dimers import kasteleyn
from rsmi.models.dimers.stars import without_stars
from rsmi.store import File

# The names of the components of a site, by their number: without and with noise.
COMPONENTS = {2: ("x-links", "y-links"), 4: ("vertices", "x-links", "y-links", "faces")}

_LEADING = 8  # canonical correlations that are kept
# Fields of `filters.Shape` and `filters.Readout` by unit, and their names in the JSON.
_OF_SHAPE = {
    "electric": "R2",
    "columnar": "R2_columnar",
    "noise": "noise",
    "direction": "direction",
}
_OF_READOUT = {
    "electric": "R2_covariance",
    "canonical": "R2_canonical",
    "correlation": "correlation",
    "information": "information",
}


def is_dimer_rule(file: File) -> bool:
    """Return whether the filters of a lambda file act on the links of a dimer covering."""
    a = file.attributes
    return a["model"] == "dimers" and a.get("components", 1) in COMPONENTS and len(a["block"]) == 2


def fixed_filters(file: File) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the filters without stars, and their biases."""
    a = file.attributes
    return without_stars(file.read("/filters"), file.read("/bias"), a["block"], a["components"])


def summary(file: File) -> dict[str, Any]:
    """Return the measures of the filters of a lambda file for JSON.

    Returns
    -------
    dict
        Under ``dimers``: ``units``, one entry for each; ``angles`` between units in degrees;
        ``capture``, the shares of E_x and E_y in the span of all units; ``exact``, the same by the
        exact covariance of links, None if it is unknown. Values that do not exist are None. The
        dictionary is empty if the filters do not act on links.
    """
    if not is_dimer_rule(file):
        return {}
    a = file.attributes
    shape = dimer_filters.filter_shape(file.read("/filters"), a["block"], a["components"])
    readout = _readout(file)
    units = [
        _of_unit(shape, _OF_SHAPE, unit) | _of_unit(readout, _OF_READOUT, unit)
        for unit in range(len(shape.noise))
    ]
    measures = {
        "units": units,
        "angles": _numbers(shape.angles),
        "capture": _numbers(shape.capture),
        "exact": None if readout is None else _of_all(readout),
    }
    return {"dimers": measures}


def _of_unit(
    measures: dimer_filters.Shape | dimer_filters.Readout | None, names: dict[str, str], unit: int
) -> dict[str, float | None]:
    if measures is None:
        return {}
    return {title: _number(getattr(measures, name)[unit]) for name, title in names.items()}


def _of_all(readout: dimer_filters.Readout) -> dict[str, Any]:
    return {
        "information_together": _number(readout.joint),
        "angles": _numbers(readout.angles),
        "capture": _numbers(readout.capture),
        "canonical_correlations": _numbers(readout.optimum.correlations[:_LEADING]),
    }


def _readout(file: File) -> dimer_filters.Readout | None:
    """Return the measures by the exact covariance of links, where it is known."""
    a = file.attributes
    moments = exact_moments(Geometry(a["block"], a["buffer"], a["environment"]), a)
    if moments is None:
        return None
    return dimer_filters.filter_readout(file.read("/filters"), moments, a["block"], a["components"])


def exact_moments(geometry: Geometry, attributes: Mapping[str, Any]) -> Moments | None:
    """Return the exact covariances of the variables of a window. They are known for free dimers on
    periodic lattices that are not coarse-grained; None otherwise.

    Parameters
    ----------
    geometry : Geometry
        Block, buffer and environment in cells.
    attributes : mapping
        Of samples, or of a rule that was learned on them.
    """
    a = attributes
    if a.get("coupling") != 0 or a["rg_step"] or a.get("boundary", "periodic") != "periodic":
        return None
    noise = (2 * a.get("noise_probability", 0.5) - 1, a.get("noise_pairing", "cell"))
    covariance = kasteleyn.link_covariance(a["shape"])
    return dimer_filters.window_moments(covariance, geometry, a["components"], *noise)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: NDArray[np.float64]) -> list:
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    return [_number(value) for value in values]
