"""Lattice averages of local functions, and their structure factors at small wave vectors, for every
configuration."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import operators
from rsmi.kernels import spectrum as kernel
from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization.rules import three_axes
from rsmi.renormalization.spectrum.functions import LocalFunction
from rsmi.renormalization.spectrum.modes import modes_of, refuse_modes
from rsmi.renormalization.spectrum.plan import plan_of


class FieldFunction(Protocol):
    """A function that is computed site by site, such as `readouts.Readout`."""

    @property
    def name(self) -> str: ...

    def fields(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the values (n, \\*shape) for spins (n, \\*shape) of +-1."""


Function = LocalFunction | FieldFunction


class Readings(NamedTuple):
    """What was read off configurations.

    Attributes
    ----------
    values : ndarray of float64, (n, functions)
        The average of each function over the lattice.
    modes : ndarray of float64, (n, functions, orbits)
        |sum_x O(x) exp(-i q x)|^2 / N, averaged over each orbit of `modes.modes_of`. There are no
        orbits if modes were not requested.
    """

    values: NDArray[np.float64]
    modes: NDArray[np.float64]


def measure(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    functions: Sequence[Function],
    modes: bool = False,
) -> Readings:
    """Read local functions off configurations.

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations of one component; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each axis.
    functions : sequence of LocalFunction or FieldFunction
    modes : bool
        Whether structure factors are measured too.

    Raises
    ------
    ValueError
        If modes are requested and the lattice has unequal or too short sides.
    """
    if modes and (reason := refuse_modes(shape)):
        raise ValueError(f"a lattice of {'x'.join(map(str, shape))} has no modes: {reason}")
    shape = tuple(shape)
    orbits = len(modes_of(len(shape)).orbits) if modes else 0
    values = np.empty((len(rows), len(functions)))
    factors = np.empty((len(rows), len(functions), orbits))
    local = [k for k, function in enumerate(functions) if isinstance(function, LocalFunction)]
    if local:
        own = tuple(f for f in functions if isinstance(f, LocalFunction))
        values[:, local], factors[:, local] = _of_products(rows, shape, own, modes)
    for k, function in enumerate(functions):
        if not isinstance(function, LocalFunction):
            fields = function.fields(unpack_spins(rows, shape))
            values[:, k], factors[:, k] = _of_fields(fields, modes)
    return Readings(values, factors)


def _of_products(
    rows: NDArray[np.uint8],
    shape: tuple[int, ...],
    functions: tuple[LocalFunction, ...],
    modes: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    plan = plan_of(functions, shape, modes)
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    if plan.terms is None:
        sums, factors = kernel.low_modes(rows, *plan.arguments)
    else:
        sums = _lattice_sums(rows, shape, plan.terms, plan.weights)
        factors = np.empty((len(rows), len(functions), 0))
    return sums / prod(shape) + plan.constants, factors


def _lattice_sums(
    rows: NDArray[np.uint8],
    shape: tuple[int, ...],
    terms: NDArray[np.int32],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The sums of `low_modes` without modes, bit for bit."""
    owners = np.arange(len(terms), dtype=np.int32)
    sums = operators.operator_sums(rows, three_axes(shape), terms, owners, len(terms))
    totals = np.zeros((len(rows), len(weights)))
    for f, p in zip(*np.nonzero(weights)):
        totals[:, f] += weights[f, p] * sums[:, p]
    return totals


def _of_fields(
    fields: NDArray[np.float64], modes: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return averages (n,) and structure factors (n, orbits) of fields (n, \\*shape)."""
    dimension, sites = fields.ndim - 1, prod(fields.shape[1:])
    values = fields.reshape(len(fields), -1).mean(axis=1, dtype=np.float64)
    if not modes:
        return values, np.empty((len(fields), 0))
    transform = np.fft.fftn(fields, axes=tuple(range(1, 1 + dimension)))
    low = modes_of(dimension)
    place = np.ravel_multi_index(tuple(low.numbers.T), fields.shape[1:], mode="wrap")
    squares = np.abs(transform.reshape(len(fields), -1)[:, place]) ** 2 / sites
    orbits = [squares[:, low.orbit == k].mean(axis=1) for k in range(len(low.orbits))]
    return values, np.stack(orbits, axis=1)


def fields_of(function: Function, spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the values (n, \\*shape) of a function at every site, for spins (n, \\*shape) of +-1.

    Products are moved by the whole sites between their centre and that of the first one, so that
    the products of a block stand where they are in the block.
    """
    if not isinstance(function, LocalFunction):
        return function.fields(spins)
    total = np.full(spins.shape, function.constant, dtype=np.float64)
    first = np.floor(function.products[0].centre)
    for one in function.products:
        points = np.array(one.points) - (np.floor(one.centre) - first).astype(np.int64)
        total += one.weight * _product_field(spins, points.tolist())
    return total


def _product_field(spins: NDArray[np.int8], points: Sequence[Sequence[int]]) -> NDArray[np.int8]:
    field = np.ones_like(spins)
    for point in points:
        field *= np.roll(spins, tuple(-c for c in point), tuple(range(1, spins.ndim)))
    return field
