"""Scaling dimensions from the structure factors in a correlation file of several sizes, as JSON
values.

The two-point functions at the smallest wave vectors scale like L^(d - 2 Delta). Of a scalar, S(0) -
S(1) is free of the contact term, a constant, which alone would decide S(0) for Delta > d/2. Of one
component of a conserved current, such as the electric field of dimers, it nearly vanishes; the
difference of S(1) across the component and along it takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.spectrum.correlations import CorrelationSums
from rsmi.renormalization.spectrum.extrapolations import (
    Dimension,
    dimension_of,
    leading_omega,
)
from rsmi.renormalization.spectrum.quantities import Estimates, Quantity
from rsmi.statistics.jackknife import jackknife_covariance

VECTOR, SCALAR = "S1", "E01"
Json = dict[str, Any]


def dimensions(
    sums: Mapping[tuple[int, ...], CorrelationSums], sectors: Sequence[str]
) -> list[Json]:
    """Return the scaling dimensions of functions, one entry for each.

    A function without a sector is taken for a component of a current if its S(1) is larger in one
    direction than in another by more than it is in both directions on average; others are scalars.

    Parameters
    ----------
    sums : mapping
        The sums of every lattice, smallest first. There are no dimensions unless there are two or
        more, all with equal sides.
    sectors : sequence of str
        Of every function.
    """
    shapes = list(sums)
    if len(shapes) < 2 or any(len(set(shape)) > 1 for shape in shapes):
        return []
    return [_dimension(list(sums.values()), number, s) for number, s in enumerate(sectors)]


def _dimension(sums: Sequence[CorrelationSums], number: int, sector: str) -> Json:
    axes = _axes(sums[-1], number)
    vector = sector == "any" and axes is not None
    quantity = Quantity(VECTOR if vector else SCALAR, sums[0].functions[number], "even")
    measured = [
        _estimates(one, number, sector != "odd", axes if vector else None, quantity) for one in sums
    ]
    dimension = len(sums[0].shape)
    omega = leading_omega(dimension)
    lengths = tuple(one.shape[0] for one in sums)
    row = dimension_of(quantity, 0, lengths, measured, dimension, omega)
    return _json(row)


def _axes(sums: CorrelationSums, number: int) -> tuple[int, int] | None:
    """The axes along which S(1) is largest and smallest, if these differ by more than the mean."""
    factors = sums.arrays["first_modes"][:, number].sum(axis=0)
    large, small = int(np.argmax(factors)), int(np.argmin(factors))
    if factors[large] - factors[small] <= factors.mean():
        return None
    return large, small


def _estimates(
    sums: CorrelationSums,
    number: int,
    connected: bool,
    axes: tuple[int, int] | None,
    quantity: Quantity,
) -> Estimates:
    """The logarithm of the two-point quantity of one lattice, without the bias of the jackknife."""
    kept = sums.arrays["count"] > 0
    count = _leave_one_out(sums.arrays["count"][kept])
    first = _leave_one_out(sums.arrays["first_modes"][kept, number]) / count[:, np.newaxis]
    if axes is not None:
        values = first[:, axes[0]] - first[:, axes[1]]
    else:
        mean = _leave_one_out(sums.arrays["mean"][kept, number]) / count
        zero = _leave_one_out(sums.arrays["factor"][kept, number, 0]) / count
        zero -= np.prod(sums.shape) * mean**2 if connected else 0.0
        values = zero - first.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values)
    groups = len(logs) - 1
    value = groups * logs[0] - (groups - 1) * logs[1:].mean()
    covariance = jackknife_covariance(logs[1:, np.newaxis])
    return Estimates((quantity,), np.array([value]), covariance, groups, np.empty(0), False)


def _leave_one_out(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over all groups, then the sums over all groups but one."""
    total = array.sum(axis=0)
    return np.concatenate([total[np.newaxis], total - array])


def _json(row: Dimension) -> Json:
    return {
        "function": row.quantity.function,
        "quantity": row.quantity.kind,
        "delta": row.delta,
        "error": row.error,
        "systematic": row.systematic,
        "pairs": [
            {"sizes": list(pair.lengths), "delta": pair.delta, "error": pair.error}
            for pair in row.pairs
        ],
        "reason": row.refused or None,
    }
