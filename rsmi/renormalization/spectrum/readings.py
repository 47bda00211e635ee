"""Lattice averages of local functions, and their structure factors at small wave vectors, for every
configuration."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import unpack_spins
from rsmi.renormalization.spectrum.functions import LocalFunction
from rsmi.renormalization.spectrum.modes import modes_of, refuse_modes


class FieldFunction(Protocol):
    """A function that is computed site by site, such as `readouts.Readout`."""

    name: str

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
    spins = unpack_spins(rows, shape)
    values = np.empty((len(rows), len(functions)))
    orbits = len(modes_of(len(shape)).orbits) if modes else 0
    factors = np.empty((len(rows), len(functions), orbits))
    for k, function in enumerate(functions):
        if isinstance(function, LocalFunction):
            amplitudes = _amplitudes_of_products(spins, function, modes)
        else:
            amplitudes = _amplitudes(function.fields(spins), modes)
        values[:, k] = amplitudes[:, 0].real / prod(shape)
        if modes:
            factors[:, k] = _orbit_averages(amplitudes[:, 1:], len(shape)) / prod(shape)
    return Readings(values, factors)


def fields_of(function: Function, spins: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the values (n, \\*shape) of a function at every site, for spins (n, \\*shape) of +-1.
    Products count for the site x, wherever their centres are."""
    if not isinstance(function, LocalFunction):
        return function.fields(spins)
    total = np.full(spins.shape, function.constant)
    for one in function.products:
        total += one.weight * _product_field(spins, one.points)
    return total


def _product_field(spins: NDArray[np.int8], points: Sequence[Sequence[int]]) -> NDArray[np.int8]:
    field = np.ones_like(spins)
    for point in points:
        field *= np.roll(spins, tuple(-c for c in point), tuple(range(1, spins.ndim)))
    return field


def _amplitudes(fields: NDArray, modes: bool) -> NDArray[np.complex128]:
    """Return the Fourier sums (n, 1 + modes) of fields (n, \\*shape), first that at q = 0."""
    if not modes:
        return fields.reshape(len(fields), -1).sum(axis=1, dtype=np.float64)[:, None] + 0j
    dimension = fields.ndim - 1
    transform = np.fft.fftn(fields, axes=tuple(range(1, 1 + dimension)))
    numbers = np.vstack([np.zeros((1, dimension), np.int64), modes_of(dimension).numbers])
    flat = transform.reshape(len(fields), -1)
    sides = fields.shape[1:]
    return flat[:, np.ravel_multi_index(tuple(numbers.T), sides, mode="wrap")]


def _amplitudes_of_products(
    spins: NDArray[np.int8], function: LocalFunction, modes: bool
) -> NDArray[np.complex128]:
    shape = spins.shape[1:]
    waves = 2 * np.pi * modes_of(len(shape)).numbers / np.array(shape)
    total: NDArray[np.complex128] | complex = 0j
    for one in function.products:
        field = _product_field(spins, one.points)
        phases = np.exp(-1j * np.array([0.0, *(waves @ np.array(one.centre))]))
        total = total + one.weight * _amplitudes(field, modes) * (phases if modes else 1)
    total = np.asarray(total, dtype=np.complex128)
    total[:, 0] += function.constant * prod(shape)
    return total


def _orbit_averages(amplitudes: NDArray[np.complex128], dimension: int) -> NDArray[np.float64]:
    modes = modes_of(dimension)
    average = np.zeros((len(modes.orbit), len(modes.orbits)))
    average[np.arange(len(modes.orbit)), modes.orbit] = 2 / modes.multiplicity[modes.orbit]
    return np.abs(amplitudes) ** 2 @ average
