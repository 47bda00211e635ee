"""Scaling dimensions from the structure factors in a correlation file of several sizes, as JSON
values: the spread of S(q) next to the wave vector of an order
(`rsmi.renormalization.spectrum.spreads`) scales like L^(d - 2 Delta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import name_of
from rsmi.renormalization.spectrum.correlations import CorrelationSums
from rsmi.renormalization.spectrum.extrapolations import (
    Dimension,
    dimension_of,
    leading_omega,
)
from rsmi.renormalization.spectrum.quantities import Estimates, Quantity
from rsmi.renormalization.spectrum.spreads import Operator, spread, whitening, window
from rsmi.statistics.jackknife import jackknife_covariance

SPREAD = "spread"
SHORTEST = 2  # blocks of a lattice: in a shorter one the window of the block decides
Json = dict[str, Any]


def dimensions(
    sums: Mapping[tuple[int, ...], CorrelationSums],
    sectors: Sequence[str],
    operators: Mapping[str, Operator],
) -> list[Json]:
    """Return the scaling dimensions of operators, one entry for each.

    Parameters
    ----------
    sums : mapping
        The sums of every lattice, smallest first. There are no dimensions unless there are two or
        more, all with equal sides.
    sectors : sequence of str
        Of every function.
    operators : mapping
        By what people call them.
    """
    shapes = list(sums)
    if len(shapes) < 2 or any(len(set(shape)) > 1 for shape in shapes):
        return []
    return [
        _dimension(list(sums.values()), name, one, [sectors[k] != "odd" for k in one.functions])
        for name, one in operators.items()
    ]


def _dimension(
    sums: Sequence[CorrelationSums], name: str, operator: Operator, connected: Sequence[bool]
) -> Json:
    quantity = Quantity(SPREAD, name, "even")
    lengths, dimension = tuple(one.shape[0] for one in sums), len(sums[0].shape)
    needed = SHORTEST * max(operator.block)
    if lengths[0] < needed:
        refused = f"L = {lengths[0]} is shorter than two blocks; give sizes from {needed}"
        return _json(Dimension(quantity, refused=refused), operator)
    rows = np.array(operator.functions)
    subtracted = np.outer(connected, connected)
    measured = [_leave_one_out(one, rows, subtracted) for one in sums]
    white = whitening(measured[-1][0][0])
    estimates = [
        _estimates(spread(factors, window(operator.block, length), white), quantity)
        for length, (_, factors) in zip(lengths, measured)
    ]
    row = dimension_of(quantity, 0, lengths, estimates, dimension, leading_omega(dimension))
    return _json(row, operator)


def _leave_one_out(
    sums: CorrelationSums, rows: NDArray[np.int64], connected: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The covariances (1 + groups, k, k) and structure factors (1 + groups, k, k, 3^d) of
    functions, of all groups and of all groups but one."""
    kept = sums.arrays["count"] > 0
    totals = {}
    for name in ("count", "mean", "products", "near_modes"):
        array = sums.arrays[name][kept]
        total = array.sum(axis=0)
        totals[name] = np.concatenate([total[np.newaxis], total - array])
    count = totals["count"]
    mean = totals["mean"][:, rows] / count[:, np.newaxis]
    squares = np.where(connected, mean[:, :, np.newaxis] * mean[:, np.newaxis], 0.0)
    pairs = (slice(None), rows[:, np.newaxis], rows)
    covariances = totals["products"][pairs] / count[:, np.newaxis, np.newaxis] - squares
    factors = totals["near_modes"][pairs] / count.reshape(-1, 1, 1, 1)
    factors[..., 0] -= np.prod(sums.shape) * squares
    return covariances, factors


def _estimates(values: NDArray[np.float64], quantity: Quantity) -> Estimates:
    """The logarithm of the spread of one lattice, without the bias of the jackknife."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values)
        groups = len(logs) - 1
        value = groups * logs[0] - (groups - 1) * logs[1:].mean()
        covariance = jackknife_covariance(logs[1:, np.newaxis])
    return Estimates((quantity,), np.array([value]), covariance, groups, np.empty(0), False)


def _json(row: Dimension, operator: Operator) -> Json:
    return {
        "function": row.quantity.function,
        "functions": list(operator.functions),
        "wave": list(map(str, operator.wave)),
        "wave_name": name_of(operator.wave),
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
