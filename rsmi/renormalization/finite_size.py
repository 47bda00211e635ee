"""Critical temperature and exponent from the crossing of two lattice sizes, without knowledge of
the model.

Binder's cumulant U = 1 - <m^4> / (3 <m^2>^2) (Binder, Z. Phys. B 43, 119 (1981)) and the
correlation ratio R = C(L/2) / C(L/4), where C(r) is the spin-spin correlation along the axes,
averaged over the lattice (Tomita & Okabe, Phys. Rev. B 66, 180401 (2002)), depend on (K - K_c)
L^(1/nu) alone, up to corrections to scaling. The curves of two sizes therefore cross near K_c, with
slopes in the ratio (L_2/L_1)^(1/nu). As functions of K they come from multi-histogram reweighting.
The crossings drift towards K_c as the sizes grow; the errors do not contain this drift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.kernels import correlations as kernel
from rsmi.statistics.jackknife import jackknife_error
from rsmi.statistics.reweighting import Histogram, Reweighting, histogram

QUANTITIES = ("binder", "correlation_ratio")
POINTS = 65  # couplings at which the curves are tabulated
_UNDEFINED = np.full(3, np.nan)  # T_c, value and nu, or their errors


class Lattice(NamedTuple):
    """The samples of one lattice size.

    Attributes
    ----------
    length : int
        L.
    couplings : ndarray of float64, (ensembles,)
        K of each ensemble.
    energies : list of ndarray of int64, (n_f,)
        Total energies in J of the samples of each ensemble.
    observables : list of ndarray of float64, (n_f, 4)
        As from `observables`.
    blocks : list of ndarray of int64, (n_f,)
        The block of the jackknife to which each sample belongs: 0, ..., n_blocks - 1.
    """

    length: int
    couplings: NDArray[np.float64]
    energies: list[NDArray[np.int64]]
    observables: list[NDArray[np.float64]]
    blocks: list[NDArray[np.int64]]


class Curves(NamedTuple):
    """The two `QUANTITIES` of every size as functions of the coupling.

    Attributes
    ----------
    coupling : ndarray of float64, (points,)
    value, error : ndarray of float64, (sizes, points, 2)
        nan beyond the sampled couplings and where a quantity is undefined.
    """

    coupling: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64]


def correlation_sums(
    rows: NDArray[np.uint8], shape: Sequence[int], divisor: int
) -> NDArray[np.int64]:
    """Return the sum over sites and axes of s(x) s(x + L/divisor along the axis).

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each axis, multiples of the divisor.
    divisor : int

    Returns
    -------
    ndarray of int64, (n,)
    """
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    sums = np.zeros(len(rows), dtype=np.int64)
    for axis, side in enumerate(shape):
        stride = prod(shape[axis + 1 :])
        sums += kernel.shifted_products(
            rows, prod(shape[:axis]), side * stride, side // divisor * stride
        )
    return sums


def has_correlation_ratio(shape: Sequence[int]) -> bool:
    """Return whether L/4 is a distance on every axis."""
    return all(side % 4 == 0 for side in shape)


def observables(
    magnetizations: ArrayLike, halves: ArrayLike, quarters: ArrayLike, shape: Sequence[int]
) -> NDArray[np.float64]:
    """Return the observables of each configuration.

    Parameters
    ----------
    magnetizations : array_like of int, (n,)
        Sums of the spins.
    halves, quarters : array_like of int, (n,)
        `correlation_sums` with the divisors 2 and 4.
    shape : sequence of int

    Returns
    -------
    ndarray of float64, (n, 4)
        m^2, m^4, C(L/2) and C(L/4).
    """
    sites = prod(shape)
    m = np.asarray(magnetizations) / sites
    pairs = sites * len(shape)
    return np.column_stack([m**2, m**4, np.asarray(halves) / pairs, np.asarray(quarters) / pairs])


def quantities(
    reweighting: Reweighting, coupling: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return U and R and their derivatives with respect to K.

    Parameters
    ----------
    reweighting : Reweighting
    coupling : array_like of float, (\\*shape)

    Returns
    -------
    value, slope : ndarray of float64, (\\*shape, 2)
        nan where a denominator is not positive.
    """
    means, slopes = reweighting.averages(coupling)
    second, fourth, half, quarter = np.moveaxis(means[..., 1:], -1, 0)
    second_slope, fourth_slope, half_slope, quarter_slope = np.moveaxis(slopes[..., 1:], -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        binder, ratio = fourth / (3 * second**2), half / quarter
        binder_slope = (fourth_slope / fourth - 2 * second_slope / second) * binder
        ratio_slope = (half_slope - ratio * quarter_slope) / quarter
        value, slope = np.stack([1 - binder, ratio], -1), np.stack([-binder_slope, ratio_slope], -1)
    undefined = np.stack([second <= 0, quarter <= 0], -1)
    return np.where(undefined, np.nan, value), np.where(undefined, np.nan, slope)


def reweightings(lattice: Lattice, n_blocks: int) -> list[Reweighting]:
    """Return the reweighting of all samples, and then those without each block, for which the
    weights are solved again."""
    everything = histogram(lattice.couplings, lattice.energies, lattice.observables)
    full = Reweighting(everything)
    return [full] + [
        Reweighting(everything.without(_block(lattice, everything, b)), full.free_energies)
        for b in range(n_blocks)
    ]


def _block(lattice: Lattice, everything: Histogram, number: int) -> Histogram:
    chosen = [blocks == number for blocks in lattice.blocks]
    energies = [values[rows] for values, rows in zip(lattice.energies, chosen)]
    return histogram(
        lattice.couplings,
        energies,
        [values[rows] for values, rows in zip(lattice.observables, chosen)],
        everything.energies,
    )


def analyse(lattices: list[Lattice], n_blocks: int) -> tuple[Curves, list[dict[str, Any]]]:
    """Return the curves of every size, and the crossings of every pair of sizes.

    Parameters
    ----------
    lattices : list of Lattice
        One for each size.
    n_blocks : int
        Independent blocks of the jackknife; block b of every ensemble is left out at the same time.

    Returns
    -------
    curves : Curves
    crossings : list of dict
        One for each of the `QUANTITIES` and each pair L_1 < L_2, the largest sizes last, with the
        entries ``quantity``, ``sizes``, ``coupling``, ``T_c``, ``value``, ``nu`` (the last three
        also with ``_error``) and ``reason``. Where there is no crossing the numbers are None and
        the reason says why.

    Raises
    ------
    UsageError
        If the energies of neighbouring ensembles do not overlap.
    """
    lattices = sorted(lattices, key=lambda lattice: lattice.length)
    replicas = [reweightings(lattice, n_blocks) for lattice in lattices]
    ends = [(min(lattice.couplings), max(lattice.couplings)) for lattice in lattices]
    grid = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), POINTS)
    tables = np.array(
        [[_table(one, grid, *end) for one in of_size] for of_size, end in zip(replicas, ends)]
    )
    curves = Curves(grid, tables[:, 0], np.array([jackknife_error(table[1:]) for table in tables]))
    pairs = sorted(
        ((i, j) for j in range(len(lattices)) for i in range(j)),
        key=lambda pair: (pair[1], pair[0]),
    )
    rows = [
        _crossing(
            name,
            column,
            [lattices[i].length, lattices[j].length],
            [replicas[i], replicas[j]],
            grid,
            tables[j, ..., column] - tables[i, ..., column],
        )
        for column, name in enumerate(QUANTITIES)
        for i, j in pairs
    ]
    return curves, rows


def _table(
    reweighting: Reweighting, grid: NDArray[np.float64], low: float, high: float
) -> NDArray[np.float64]:
    value, _ = quantities(reweighting, grid)
    margin = 1e-9 * (high - low)
    return np.where(((grid >= low - margin) & (grid <= high + margin))[:, None], value, np.nan)


def _crossing(
    name: str,
    column: int,
    sizes: list[int],
    replicas: list[list[Reweighting]],
    grid: NDArray[np.float64],
    differences: NDArray[np.float64],
) -> dict[str, Any]:
    """Return the point where the quantity of the larger size overtakes that of the smaller one as K
    grows, from their differences (1 + blocks, points)."""
    known = np.isfinite(differences).all(axis=0)
    grid, differences = grid[known], differences[:, known]
    if len(grid) < 2:
        reason = (
            "the sizes have no sampled temperatures in common"
            if name == "binder"
            else (
                "the correlation at a quarter of the lattice is not positive, or not a distance"
                " on it"
            )
        )
        return _result(name, sizes, reason=reason)
    split = _split(differences[0], jackknife_error(differences[1:]))
    if split is None:
        return _result(
            name,
            sizes,
            reason=(
                f"no crossing between T = {1 / grid[-1]:.6g} and {1 / grid[0]:.6g}: sample on the"
                " other side of it"
            ),
        )
    crossings = [
        _at_crossing(column, sizes, [one[r] for one in replicas], grid, row, split)
        for r, row in enumerate(differences)
    ]
    if crossings[0] is None:
        return _result(name, sizes, reason="the curves touch within their errors but do not cross")
    defined = [one for one in crossings if one is not None]
    errors = jackknife_error(defined[1:]) if len(defined) == len(crossings) else _UNDEFINED
    return _result(name, sizes, crossings[0], errors)


def _split(difference: NDArray[np.float64], error: NDArray[np.float64]) -> int | None:
    """Return the point from which the difference is positive, so that the points contradict it by
    the fewest errors in total; None at an end."""
    with np.errstate(divide="ignore", invalid="ignore"):
        significance = np.nan_to_num(difference / error, nan=0.0, posinf=0.0, neginf=0.0)
    wrong_before = np.concatenate(([0.0], np.cumsum(np.maximum(significance, 0))))
    wrong_after = np.concatenate((np.cumsum(np.maximum(-significance, 0)[::-1])[::-1], [0.0]))
    split = int(np.argmin(wrong_before + wrong_after))
    return None if split in (0, len(difference)) else split


def _at_crossing(
    column: int,
    sizes: list[int],
    pair: list[Reweighting],
    grid: NDArray[np.float64],
    difference: NDArray[np.float64],
    split: int,
) -> NDArray[np.float64] | None:
    """Return T_c, value and nu of one replica, (3,). The nearest points of either sign on either
    side of `split` bracket the root."""
    below, above = (
        np.flatnonzero(difference[:split] < 0),
        split + np.flatnonzero(difference[split:] > 0),
    )
    if not len(below) or not len(above):
        return None
    root = bracketed_root(
        lambda k: np.subtract(*(quantities(one, k)[0][column] for one in reversed(pair))),
        grid[below[-1]],
        grid[above[0]],
    )
    (value, slope), (_, larger) = (
        (float(part[column]) for part in quantities(one, root)) for one in pair
    )
    steeper = larger / slope if slope > 0 else 0.0
    return np.array(
        [1 / root, value, log(sizes[1] / sizes[0]) / log(steeper) if steeper > 1 else np.nan]
    )


def bracketed_root(
    function: Callable[[float], float], low: float, high: float, tolerance: float = 1e-13
) -> float:
    """Return the root of a function by false position (the Illinois variant; Dowell & Jarratt, BIT
    11, 168 (1971)).

    Parameters
    ----------
    function : callable
        Negative at `low` and positive at `high`.
    low, high : float
    tolerance : float
        Relative accuracy.
    """
    at_low, at_high, last = function(low), function(high), 0
    while high - low > tolerance * abs(high):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < middle < high:
            middle = (low + high) / 2
            if middle in (low, high):
                break
        value = function(middle)
        if value == 0:
            return float(middle)
        if value < 0:
            at_high = at_high / 2 if last < 0 else at_high
            low, at_low, last = middle, value, -1
        else:
            at_low = at_low / 2 if last > 0 else at_low
            high, at_high, last = middle, value, 1
    return float((low + high) / 2)


def _result(
    name: str,
    sizes: list[int],
    values: NDArray[np.float64] = _UNDEFINED,
    errors: NDArray[np.float64] = _UNDEFINED,
    reason: str | None = None,
) -> dict[str, Any]:
    numbers: dict[str, float | None] = {}
    for key, value, error in zip(("T_c", "value", "nu"), values, errors):
        numbers |= {key: _number(value), f"{key}_error": _number(error)}
    if reason is None and numbers["T_c_error"] is None:
        reason = "the crossing has no error: some blocks of the samples have none"
    return {
        "quantity": name,
        "sizes": list(sizes),
        "coupling": None if numbers["T_c"] is None else 1 / numbers["T_c"],
        **numbers,
        "reason": reason,
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
