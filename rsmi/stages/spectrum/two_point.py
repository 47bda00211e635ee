"""Scaling dimensions from the structure factors in a correlation file of several sizes, as JSON
values: the spread of S(q) next to the wave vector of an order
(`rsmi.renormalization.spectrum.spreads`) scales like L^(d - 2 Delta)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.waves import name_of
from rsmi.models.known import KnownOperator
from rsmi.renormalization.spectrum.correlations import CorrelationSums
from rsmi.renormalization.spectrum.extrapolations import (
    Dimension,
    dimension_of,
    leading_omega,
    second_omega,
)
from rsmi.renormalization.spectrum.quantities import Estimates, Quantity
from rsmi.renormalization.spectrum.spreads import Operator, spread, whitening, window
from rsmi.statistics.jackknife import jackknife_covariance

SPREAD = "spread"
SHORTEST = 4  # blocks along a side: corrections of higher orders matter on smaller lattices
_ANALYTIC = 2.0  # exponent of corrections that every lattice has
Json = dict[str, Any]


def dimensions(
    sums: Mapping[tuple[int, ...], CorrelationSums],
    sectors: Sequence[str],
    operators: Mapping[str, Operator],
    theory: Sequence[KnownOperator | None],
    omega: float | None,
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
    theory : sequence of KnownOperator or None
        What is known of every function.
    omega : float, optional
        The exponent of the leading correction of operators that have none of their own; None for
        that of the number of dimensions.
    """
    shapes = list(sums)
    if len(shapes) < 2 or any(len(set(shape)) > 1 for shape in shapes):
        return []
    rows = []
    for name, one in operators.items():
        known = theory[one.functions[0]]
        own = known.correction.value if known and known.correction else omega
        connected = np.array([sectors[k] != "odd" for k in one.functions])
        row = _dimension(list(sums.values()), name, one, connected, own)
        rows.append(_json(row, one, known))
    return rows


def _dimension(
    sums: Sequence[CorrelationSums],
    name: str,
    operator: Operator,
    connected: NDArray[np.bool_],
    omega: float | None,
) -> Dimension:
    quantity, dimension = Quantity(SPREAD, name, "even"), len(sums[0].shape)
    side = max(operator.block)
    long = [one for one in sums if side == 1 or one.shape[0] >= SHORTEST * side]
    if len(long) < 2:
        least = f"two sizes from {SHORTEST * side} on are needed, {SHORTEST} blocks along a side"
        return Dimension(quantity, refused=least)
    rows, subtracted = np.array(operator.functions), np.outer(connected, connected)
    measured = [_leave_one_out(one, rows, subtracted) for one in long]
    white, lengths = whitening(measured[-1][0][0]), tuple(one.shape[0] for one in long)
    estimates = [
        _estimates(spread(factors, window(operator.block, length), white), quantity)
        for length, (_, factors) in zip(lengths, measured)
    ]
    first = omega or leading_omega(dimension)
    second = second_omega(first, _ANALYTIC, len(lengths))
    return dimension_of(quantity, 0, lengths, estimates, dimension, first, second)


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


def _json(row: Dimension, operator: Operator, known: KnownOperator | None) -> Json:
    exact = known.dimension if known else None
    fit = row.fits[0] if row.extrapolated else None
    return {
        "function": row.quantity.function,
        "functions": list(operator.functions),
        "wave": list(map(str, operator.wave)),
        "wave_name": name_of(operator.wave),
        "quantity": row.quantity.kind,
        "delta": row.delta,
        "error": row.error,
        "systematic": row.systematic,
        "omega": fit.omega if fit else None,
        "second_omega": fit.second if fit else None,
        "chi2": fit.chi2 if fit and fit.freedom else None,
        "freedom": fit.freedom if fit else None,
        "exact": exact.value if exact else None,
        "quality": exact.quality if exact else None,
        "pairs": [
            {"sizes": list(pair.lengths), "delta": pair.delta, "error": pair.error}
            for pair in row.pairs
        ],
        "reason": row.refused or None,
    }
