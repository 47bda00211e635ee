"""The Ising chain on a ring, exactly: what `rsmi.models.ising.torus` is for the torus.

With t = tanh K, K = J/(k_B T), the energy per site of N >= 2 sites is e = -(t + t^(N-1)) / (1 +
t^N) in J (two sites share two bonds; E. Ising, Z. Phys. 31, 253 (1925)).
"""

import math

from rsmi.models.ising import facts as ising

COUPLING_RANGE = (1e-12, 15.0)  # beyond, t is 0 or 1 to double precision


def _check(shape):
    if len(shape) != 1 or shape[0] < 2:
        raise ValueError(f"a ring needs one size of at least 2, not {'x'.join(map(str, shape))}")


def energy(shape, coupling):
    """Energy per site in J; `shape` = (sites,)."""
    _check(shape)
    return ising.ring_energy(shape[0], coupling)


def energy_variance(shape, coupling):
    """Variance of the total energy per site in J^2, -de/dK."""
    _check(shape)
    if not coupling > 0:
        raise ValueError(f"a ring needs a positive coupling, not {coupling:g}")
    return ising.ring_specific_heat(shape[0], coupling) / coupling**2


def coupling_from_energy(energy_per_site, shape):
    """The coupling at which the ring has this energy: a thermometer.

    Parameters
    ----------
    energy_per_site : float
        In J, between the ground state, -1, and 0.
    shape : (int,)
        Sites, at least 2.

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
    while high - low > 1e-15 * high:  # bisection of the logarithm: the energy falls with K
        middle = math.sqrt(low * high)
        if not low < middle < high:
            break
        low, high = (middle, high) if energy(shape, middle) > energy_per_site else (low, middle)
    return math.sqrt(low * high)
