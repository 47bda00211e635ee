"""Functions of blocks of any size, computed site by site, and the parity of functions as measured.

`rsmi.renormalization.spectrum.functions` expands functions of small blocks in products of spins,
which is faster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import pack_spins, unpack_spins
from rsmi.renormalization.rules import Rule
from rsmi.renormalization.spectrum.readings import Function, measure

_PARITY_SAMPLES = 100
_PARITY_TOLERANCE = 1e-6  # in units of the largest value


@dataclass(frozen=True)
class Readout:
    """The expected coarse spin E[h|v] of one hidden unit, for blocks at every site.

    Attributes
    ----------
    name : str
    rule : Rule
        Of one component.
    unit : int
        The number of the hidden unit.
    """

    name: str
    rule: Rule
    unit: int = 0

    def fields(self, spins: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return the values (n, \\*shape) for spins (n, \\*shape) of +-1."""
        weights, block = self.rule.filters[self.unit], self.rule.block
        axes = tuple(range(1, spins.ndim))
        x = np.full(spins.shape, self.rule.bias[self.unit], dtype=np.float64)
        for weight, point in zip(weights, np.ndindex(*block)):
            x += weight * np.roll(spins, tuple(-c for c in point), axes)
        if not self.rule.hard:
            return np.tanh(x / 2)
        tie = np.abs(x) <= 1e-9 * np.abs(weights).sum()
        return np.where(tie, 0.0, np.sign(x))


def measured_parity(function: Function, rows: NDArray[np.uint8], shape: Sequence[int]) -> str:
    """Return whether a function keeps its value when all spins flip, on the first 100 rows.

    Parameters
    ----------
    function : LocalFunction or Readout
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations of one component.
    shape : sequence of int

    Returns
    -------
    {"even", "odd", "mixed"}
    """
    rows = rows[:_PARITY_SAMPLES]
    flipped = pack_spins(-unpack_spins(rows, shape))
    values = measure(rows, shape, [function]).values
    images = measure(flipped, shape, [function]).values
    tolerance = _PARITY_TOLERANCE * max(np.abs(values).max(), np.abs(images).max())
    if np.abs(values - images).max() <= tolerance:
        return "even"
    return "odd" if np.abs(values + images).max() <= tolerance else "mixed"
