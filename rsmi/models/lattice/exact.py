"""Exact averages of small lattices, by sums over all configurations.

The averages are derivatives of ln Z: of the energy with respect to a common factor of all
exponents, of the number of sites that are up with respect to their field. An imaginary increment
that is far below the last digit gives a derivative without any difference of large numbers (W.
Squire, G. Trapp, SIAM Rev. 40, 110 (1998)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rsmi.models.lattice import elimination
from rsmi.models.lattice.elimination import Factors, Order
from rsmi.models.lattice.system import StatePoint

MOST_ENTRIES = 1 << 25  # of all tables of a sum together: less than a second
_STEP = 1e-30  # of the imaginary increment


@dataclass(frozen=True)
class Averages:
    """Exact numbers of a finite lattice.

    Attributes
    ----------
    log_partition : float
        ln Z.
    energy : float
        <E> of the whole lattice in J; of hard cores alone, minus the number of particles.
    up : float
        The average number of sites that are up, or occupied.
    """

    log_partition: float
    energy: float
    up: float


def averages(point: StatePoint, most_entries: int = MOST_ENTRIES) -> Averages | None:
    """Return exact averages; None if the lattice is too large, or so cold that weights vanish."""
    factors = elimination.factors_of(point)
    order = _order(point, factors, most_entries)
    if order is None:
        return None
    log_partition, up = _up(factors, order)
    if math.isinf(log_partition):
        return None
    if not point.definition.thermal:
        return Averages(log_partition, -up, up)
    return Averages(log_partition, _energy(point, factors, order), up)


def energy(point: StatePoint, most_entries: int = MOST_ENTRIES) -> float | None:
    """Return the exact energy alone, which takes half the time."""
    factors = elimination.factors_of(point)
    order = _order(point, factors, most_entries)
    if order is None:
        return None
    if not point.definition.thermal:
        return -_up(factors, order)[1]
    value = _energy(point, factors, order)
    return value if math.isfinite(value) else None


def _order(point: StatePoint, factors: Factors, most_entries: int) -> Order | None:
    """The order of the sum; None if it is too expensive."""
    order = elimination.best_order(factors, elimination.starts_of(point))
    return order if order.entries <= most_entries else None


def _up(factors: Factors, order: Order) -> tuple[float, float]:
    """ln Z and the average number of sites that are up."""
    increments = factors.sites + np.array([0, _STEP * 1j])
    return _derivative(Factors(increments, factors.pairs), order)


def _energy(point: StatePoint, factors: Factors, order: Order) -> float:
    """<E>; nan if all weights vanish."""
    log_partition, exponent = _derivative(factors.scaled(1 + _STEP * 1j), order)
    return math.nan if math.isinf(log_partition) else -exponent / point.coupling


def _derivative(factors: Factors, order: Order) -> tuple[float, float]:
    """ln Z and its derivative with respect to an imaginary increment."""
    logarithm, table = elimination.summed(factors, order)
    total = complex(table[0])
    return logarithm, total.imag / total.real / _STEP if total.real else 0.0
