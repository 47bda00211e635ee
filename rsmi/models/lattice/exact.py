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

MOST_ENTRIES = 1 << 24  # of all tables of a sum together: half a second
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
    order = elimination.best_order(factors, elimination.starts_of(point))
    if order.entries > most_entries:
        return None
    increments = factors.sites + np.array([0, _STEP * 1j])
    log_partition, up = _derivative(Factors(increments, factors.pairs), order)
    if math.isinf(log_partition):
        return None
    if not point.definition.thermal:
        return Averages(log_partition, -up, up)
    _, exponent = _derivative(factors.scaled(1 + _STEP * 1j), order)
    return Averages(log_partition, -exponent / point.coupling, up)


def _derivative(factors: Factors, order: Order) -> tuple[float, float]:
    """ln Z and its derivative with respect to an imaginary increment."""
    logarithm, table = elimination.summed(factors, order)
    total = complex(table[0])
    return logarithm, total.imag / total.real / _STEP if total.real else 0.0
