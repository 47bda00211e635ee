"""Local functions in the form that the kernel takes (csrc/blocking/low_modes.h).

Products that are translations of each other are measured once: moving a product by t multiplies its
Fourier sum by exp(i q t), which becomes part of its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.rules import three_axes
from rsmi.renormalization.spectrum.functions import LocalFunction, Point
from rsmi.renormalization.spectrum.modes import LARGEST_MODE, modes_of

OPERATOR_SPINS, OPERATOR_RANGE = 4, 7  # of csrc/blocking/operators.h
# The functions along the axes are rounded to multiples of this number, so that they do not depend
# on the last digit of a library's cosine.
_UNIT = 2.0**-22


class Plan(NamedTuple):
    """What the kernels need to know of functions on one lattice.

    Attributes
    ----------
    arguments : tuple
        The arguments of `rsmi.kernels.spectrum.low_modes` behind the rows.
    terms : ndarray of int32, (products, 4, 3), or None
        The products in the form of `rsmi.kernels.operators.operator_sums`, which is faster where
        there are no modes; None if a product has too many spins or too long a range for it.
    weights : ndarray of float64, (functions, products)
        Of lattice sums.
    constants : ndarray of float64, (functions,)
        What is added to the averages of the functions.
    """

    arguments: tuple
    terms: NDArray[np.int32] | None
    weights: NDArray[np.float64]
    constants: NDArray[np.float64]


@lru_cache(maxsize=64)
def plan_of(functions: tuple[LocalFunction, ...], shape: tuple[int, ...], modes: bool) -> Plan:
    """Return the plan of functions on a lattice, with or without modes."""
    numbers = np.zeros((1, len(shape)), dtype=np.int64)
    orbit, share, orbits = np.zeros(1, np.int64), np.zeros(1), 0
    if modes:
        low = modes_of(len(shape))
        numbers, orbits = np.vstack([numbers, low.numbers]), len(low.orbits)
        orbit = np.concatenate([orbit, low.orbit])
        share = np.concatenate([share, 2 / low.multiplicity[low.orbit] / prod(shape)])
    products, weights = _weights(functions, shape, numbers)
    points = np.array([three_axes(point, 0) for one in products for point in one], dtype=np.int32)
    first = np.cumsum([0, *map(len, products)])
    arguments = (
        tuple(three_axes(shape).tolist()),
        points.reshape(-1, 3),
        first,
        weights,
        np.array([three_axes(n.tolist(), 0) for n in numbers], dtype=np.int32),
        _waves(shape),
        orbit.astype(np.int32),
        share,
        orbits,
    )
    constants = np.array([function.constant for function in functions])
    sums = np.ascontiguousarray(weights[:, :, 0, 0])
    return Plan(arguments, None if modes else _terms(products), sums, constants)


def _terms(products: Sequence[tuple[Point, ...]]) -> NDArray[np.int32] | None:
    terms = np.full((len(products), OPERATOR_SPINS, 3), -1, dtype=np.int32)
    for term, points in zip(terms, products):
        if len(points) > OPERATOR_SPINS or np.max(points) > OPERATOR_RANGE:
            return None
        term[: len(points)] = [three_axes(point, 0) for point in points]
    return terms


def _weights(
    functions: Sequence[LocalFunction], shape: tuple[int, ...], numbers: NDArray[np.int64]
) -> tuple[list[tuple[Point, ...]], NDArray[np.float64]]:
    """Return the distinct products, each with its first point within the lattice, and the weights
    (functions, products, modes, 2)."""
    waves = 2 * np.pi * numbers / np.array(shape)
    index: dict[tuple[Point, ...], int] = {}
    entries = []
    for f, function in enumerate(functions):
        for one in function.products:
            points = np.array(one.points)
            corner = points.min(axis=0)
            place = tuple(sorted(map(tuple, ((points - corner) % shape).tolist())))
            phase = np.exp(-1j * (waves @ (np.array(one.centre) - corner)))
            entries.append((f, index.setdefault(place, len(index)), one.weight * phase))
    weights = np.zeros((len(functions), len(index), len(numbers)), dtype=np.complex128)
    for f, place_number, weight in entries:
        weights[f, place_number] += weight
    return list(index), np.stack([weights.real, weights.imag], axis=-1)


def _waves(shape: tuple[int, ...]) -> NDArray[np.float32]:
    sides = three_axes(shape).tolist()
    waves = np.zeros((3, 1 + 2 * LARGEST_MODE, max(sides)))
    for axis, side in enumerate(sides):
        x = 2 * np.pi * np.arange(side) / side
        waves[axis, 0, :side] = 1
        for n in range(1, 1 + LARGEST_MODE):
            waves[axis, 2 * n - 1, :side] = np.cos(n * x)
            waves[axis, 2 * n, :side] = np.sin(n * x)
    return (np.rint(waves / _UNIT) * _UNIT).astype(np.float32)
