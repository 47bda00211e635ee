"""Two-lattice matching: a thermometer that needs no exact energies.

A lattice of side b L after n + 1 steps has as many sites as one of side L after n steps. At the
critical point both have the same effective couplings, up to irrelevant ones, and therefore the same
correlation of nearest neighbours. Where they differ at the coupling K of both, they agree at

    K* = K - (f_(bL, n+1) - f_(L, n)) / (f'_(bL, n+1) - f'_(L, n)),

where f is the correlation per site and f' = -<f E>_c its derivative with respect to K.

Reference: K. G. Wilson, in Recent Developments in Gauge Theories (Plenum, 1980).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.level_sums import occupied
from rsmi.statistics.jackknife import jackknife_error, leave_one_out

Sums = Mapping[str, NDArray[Any]]
_NEEDED = ("counts", "energy_sum", "even_sums", "even_energy")


def matched_coupling(
    large: Sums,
    small: Sums,
    shapes: tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]],
    coupling: float,
    step: int,
) -> dict[str, Any]:
    """Return the critical coupling at which two lattices match.

    Parameters
    ----------
    large, small : mapping of str to ndarray, (blocks, ...)
        Sums of both lattices in the layout of `level_sums.empty_sums`, of which the first even
        operator is that of nearest neighbours.
    shapes : pair of sequences of tuple of int
        The shapes at all levels of the large and of the small lattice.
    coupling : float
        K of both.
    step : int
        The step of the large lattice, 1, 2, ..., after which it has the size of the small one after
        ``step - 1`` steps.

    Returns
    -------
    dict
        ``step``, ``value`` and ``error`` of K*, and ``reason``, why they are None.

    Raises
    ------
    ValueError
        If the lattices that are compared have different shapes.
    """
    if tuple(shapes[0][step]) != tuple(shapes[1][step - 1]):
        raise ValueError("lattices that are matched have one shape")
    sites = prod(shapes[0][step])
    found = [_replicas(large, step, sites), _replicas(small, step - 1, sites)]
    slope = found[0][0, 1] - found[1][0, 1]
    if any(len(one) < 3 for one in found):
        return _undefined(step, "an error needs at least two blocks of samples")
    if not slope > 0:
        return _undefined(step, "the larger lattice does not depend more strongly on the coupling")
    variances, value = 0.0, float("nan")
    for changed in (0, 1):
        pairs = [found[0][:1], found[1][:1]]
        pairs[changed] = found[changed]
        difference = pairs[0] - pairs[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = coupling - difference[:, 0] / difference[:, 1]
        value = float(values[0])
        variances += float(jackknife_error(values[1:])) ** 2
    return {"step": step, "value": value, "error": variances**0.5, "reason": None}


def _replicas(sums: Sums, level: int, sites: int) -> NDArray[np.float64]:
    """The correlation per site and its derivative, (1 + blocks, 2), of all blocks and without each
    of them."""
    kept = {name: array for name, array in occupied(sums).items() if name in _NEEDED}
    rows = []
    for total in leave_one_out(kept):
        count = total["counts"]
        mean, energy = total["even_sums"][level][0] / count, total["energy_sum"] / count
        product = total["even_energy"][level][0] / count
        rows.append((mean / sites, (mean * energy - product) / sites))
    return np.array(rows)


def _undefined(step: int, reason: str) -> dict[str, Any]:
    return {"step": step, "value": None, "error": None, "reason": reason}
