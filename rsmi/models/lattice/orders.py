"""The order parameter of a model on a lattice, from its couplings."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.order import Order, order_name
from rsmi.lattice.waves import Wave
from rsmi.models.lattice import measures
from rsmi.models.lattice.definition import Definition
from rsmi.models.lattice.system import StatePoint

_SIDE = 12  # of the lattice on which waves are compared: those with periods up to 4, 6 and 12
_MOST_WAVES = 3
_DIGITS = 12  # of weights
_EQUAL = 1e-6  # eigenvalues that differ less, relative to the largest one, are equal


def order_of(definition: Definition) -> Order | None:
    """Return the order that the couplings prefer: the lowest eigenvectors of the energy as a
    quadratic form. Exclusions count as repulsion.

    Returns
    -------
    Order or None
        None if more than three wave vectors or several orders of a cell are equally good, or if no
        symmetry turns the order round, as that of a ferromagnet in a field.
    """
    shape = (_SIDE,) * definition.dimension
    point = StatePoint(definition, shape, True, 1.0)
    waves = measures.wave_numbers(point)
    values, vectors = np.linalg.eigh(measures.interaction(point, waves))
    equal = values > values.max() - _EQUAL * np.abs(values).max()
    chosen = np.flatnonzero(equal.any(axis=1))
    if len(chosen) > _MOST_WAVES or equal[chosen].sum() > len(chosen):
        return None
    own = tuple(_fractions(waves[number]) for number in chosen)
    weights = tuple(_weights(vectors[number, :, -1]) for number in chosen)
    order = Order(order_name(own, weights), own, weights)
    flips = definition.spins and not definition.field
    return order if flips or order.balanced else None


def _fractions(numbers: NDArray[np.int64]) -> Wave:
    return tuple(Fraction(n, _SIDE) for n in numbers.tolist())


def _weights(vector: NDArray[np.complex128]) -> tuple[complex, ...]:
    """The conjugate of an eigenvector, the first of its largest entries made 1."""
    sizes = np.abs(vector)
    first = int(np.argmax(sizes > sizes.max() * (1 - _EQUAL)))
    rounded = np.round(vector.conj() / vector[first].conj(), _DIGITS) + 0.0
    return tuple(value.real if value.imag == 0 else value for value in rounded.tolist())
