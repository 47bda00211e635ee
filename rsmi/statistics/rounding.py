"""Reported numbers, rounded to the digits that every library agrees on.

The last digits of a sum or of a solution of linear equations depend on the version of numpy, on the
linear algebra behind it and on the instructions of the processor. Numbers that are stored as
results are therefore rounded, so that the digest of a file does not depend on them:

- all numbers to 10 significant digits;
- errors and covariances, whose digits are lost first, to 8;
- estimates with an error also to the decimal place 7 below the first digit of the error. The small
  difference of two large numbers has fewer digits than 10.

An error bar changes by at most 5e-8 of itself, and an estimate by at most 5e-8 of its error or
5e-10 of itself. Sums, samples and trained rules, which later stages read, are stored in full;
filters that come from linear algebra are vectors, whose components are rounded at one place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGITS = 10
DIGITS_OF_ERRORS = 8
_PLACES_BELOW_ERROR = 7


def significant(values: ArrayLike, digits: int = DIGITS) -> NDArray[np.float64]:
    """Return numbers with so many significant decimal digits.

    Rounding twice changes nothing more. Zero, NaN and infinity stay as they are.
    """
    array = np.asarray(values, dtype=np.float64)
    rounded = [float(f"{value:.{digits - 1}e}") for value in array.ravel()]
    return np.array(rounded, dtype=np.float64).reshape(array.shape)


def aligned(vectors: ArrayLike, digits: int = DIGITS) -> NDArray[np.float64]:
    """Return vectors (..., n), each rounded at the decimal place at which its largest component has
    so many significant digits.

    Linear algebra gives all components of a vector the same absolute error, so that a small
    component has fewer digits. Zero, NaN and infinity stay as they are.
    """
    array = np.asarray(vectors, dtype=np.float64)
    rounded = [_aligned(row, digits) for row in array.reshape(-1, array.shape[-1]).tolist()]
    return np.array(rounded, dtype=np.float64).reshape(array.shape)


def _aligned(row: list[float], digits: int) -> list[float]:
    largest = max((abs(value) for value in row if math.isfinite(value)), default=0.0)
    if not largest:
        return row
    places = digits - 1 - math.floor(math.log10(largest))
    return [round(value, places) + 0.0 for value in row]  # + 0.0 makes 0 of -0


def estimates(values: ArrayLike, errors: ArrayLike) -> NDArray[np.float64]:
    """Return estimates rounded as their errors (of the same shape) allow."""
    array = np.asarray(values, dtype=np.float64)
    pairs = zip(array.ravel(), np.asarray(errors, dtype=np.float64).ravel())
    rounded = [_estimate(*map(float, pair)) for pair in pairs]
    return np.array(rounded, dtype=np.float64).reshape(array.shape)


def _estimate(value: float, error: float) -> float:
    if math.isfinite(value) and math.isfinite(error) and value and error > 0:
        places = _PLACES_BELOW_ERROR - math.floor(math.log10(error))
        if places < DIGITS - 1 - math.floor(math.log10(abs(value))):
            return round(value, places)
    return float(significant(value))


def reported(result: Any, digits: int = DIGITS) -> Any:
    """Return nested lists and objects with all their floating-point numbers rounded.

    Parameters
    ----------
    result : object
        Numbers, texts, None, arrays of numbers, and lists and mappings of these. In a mapping,
        ``error`` is the error of ``value``, and ``x_error`` is the error of ``x``.
    digits : int
        For numbers without a name.
    """
    if isinstance(result, Mapping):
        return {name: _named(result, name, digits) for name in result}
    if isinstance(result, (list, tuple)):
        return type(result)(reported(value, digits) for value in result)
    if isinstance(result, np.ndarray):
        return significant(result, digits) if result.dtype.kind == "f" else result
    if isinstance(result, (float, np.floating)):
        return float(significant(result, digits))
    return result


def _named(result: Mapping[str, Any], name: str, digits: int) -> Any:
    """One entry of a mapping, rounded."""
    value, error = result[name], result.get("error" if name == "value" else f"{name}_error")
    if error is not None and _is_number(value) and _is_number(error):
        rounded = estimates(value, error)
        return rounded if isinstance(value, np.ndarray) else float(rounded)
    is_error = name == "error" or name.endswith("_error") or name.startswith("error_")
    fewer = is_error or "covariance" in name
    return reported(value, DIGITS_OF_ERRORS if fewer else digits)


def _is_number(value: Any) -> bool:
    """Whether this is a floating-point number or an array of them."""
    return isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )
