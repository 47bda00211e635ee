"""The exact Ising chain on a ring, in the same form as `rsmi.models.ising.torus` for the torus.

With t = tanh K and K = J/(k_B T), the energy per site of N >= 2 sites is e = -(t + t^(N-1)) / (1 +
t^N) in J. Two sites share two bonds (E. Ising, Z. Phys. 31, 253 (1925)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rsmi.models.ising import facts as ising

COUPLING_RANGE = (1e-12, 15.0)  # outside this range t is 0 or 1 to double precision


def _check(shape: Sequence[int]) -> None:
    if len(shape) != 1 or shape[0] < 2:
        raise ValueError(f"a ring needs one size of at least 2, not {'x'.join(map(str, shape))}")


def energy(shape: Sequence[int], coupling: float) -> float:
    """Return the energy per site in J.

    Parameters
    ----------
    shape : (int,)
        Number of sites, at least 2.
    coupling : float
        K = J/(k_B T).

    Raises
    ------
    ValueError
        If the shape is not one size of at least 2.
    """
    _check(shape)
    return ising.ring_energy(shape[0], coupling)


def energy_variance(shape: Sequence[int], coupling: float) -> float:
    """Return the variance of the total energy per site in J^2, which is -de/dK.

    Parameters and errors are those of `energy`; the coupling must be positive.
    """
    _check(shape)
    if not coupling > 0:
        raise ValueError(f"a ring needs a positive coupling, not {coupling:g}")
    return ising.ring_specific_heat(shape[0], coupling) / coupling**2


def coupling_from_energy(energy_per_site: float, shape: Sequence[int]) -> float:
    """Return the coupling at which the ring has a given energy; the energy serves as a thermometer.

    Parameters
    ----------
    energy_per_site : float
        In J, between the ground state, -1, and 0.
    shape : (int,)
        Number of sites, at least 2.

    Returns
    -------
    float
        K = J/(k_B T).

    Raises
    ------
    ValueError
        If no positive coupling gives this energy.
    """
    _check(shape)
    low, high = COUPLING_RANGE
    coldest, hottest = energy(shape, high), energy(shape, low)
    if not coldest < energy_per_site <= hottest:
        raise ValueError(
            f"an energy of {energy_per_site:.6g} per site is outside the range of the ring of"
            f" {shape[0]} sites: -1 to 0"
        )
    while high - low > 1e-15 * high:  # bisection of the logarithm, as the energy falls with K
        middle = math.sqrt(low * high)
        if not low < middle < high:
            break
        low, high = (middle, high) if energy(shape, middle) > energy_per_site else (low, middle)
    return math.sqrt(low * high)
