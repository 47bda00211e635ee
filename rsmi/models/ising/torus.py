"""The exact square-lattice Ising model on a finite torus.

B. Kaufman, Phys. Rev. 76, 1232 (1949), in the form of A. E. Ferdinand and M. E. Fisher, Phys. Rev.
185, 832 (1969). On an L x M torus, with K = J/(k_B T),

    Z = (1/2) (2 sinh 2K)^(LM/2) (P_1 + P_2 + P_3 + P_4),
    P_1, P_2 = prod_r 2 cosh, 2 sinh (M g_{2r+1} / 2),
    P_3, P_4 = prod_r 2 cosh, 2 sinh (M g_{2r} / 2),    r = 0, ..., L-1.

Here g_0 = 2K + ln tanh K is negative above the critical temperature, and with it P_4. All other g_l
are positive and follow without cancellation from sinh^2(g_l/2) = sinh^2(g_0/2) + sin^2(pi l/2L).
The products overflow from about L = 30 on. They are therefore kept as logarithms, except for the
factor with g_0, which vanishes at T_c. Derivatives are analytic: see `_Jet`.

Sizes are at least 2 (an axis of size 2 has double bonds). Couplings lie in ``COUPLING_RANGE``.
Energies are in J and heat capacities in k_B, both per site.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Below this range digits cancel (the rounding error of the energy is about 1e-16 / K), and above it
# cosh overflows.
COUPLING_RANGE = (1e-3, 100.0)


class _Jet(NamedTuple):
    """The value of a function of K at one K, and its first and second derivatives."""

    value: Any  # numbers or arrays of float64 of one shape
    first: Any
    second: Any


def _check(shape: Sequence[int], coupling: float) -> None:
    if len(shape) != 2 or min(shape) < 2:
        raise ValueError(f"a torus needs two sizes of at least 2, not {'x'.join(map(str, shape))}")
    low, high = COUPLING_RANGE
    if not low <= coupling <= high:
        raise ValueError(
            f"the exact torus needs a coupling between {low:g} and {high:g}, not {coupling:g}"
        )


def _angles(coupling: float, length: int) -> tuple[_Jet, _Jet]:
    """Return the jets of g_0 and of the array g_l, l = 1, ..., 2 length - 1."""
    sinh, tanh = np.sinh(2 * coupling), np.tanh(2 * coupling)
    zero = _Jet(2 * coupling + np.log(np.tanh(coupling)), 2 + 2 / sinh, -4 / (sinh * tanh))
    half = np.hypot(
        np.sinh(zero.value / 2), np.sin(np.pi * np.arange(1, 2 * length) / (2 * length))
    )
    value = 2 * np.arcsinh(half)
    # cosh g_l - cosh g_0 does not depend on K, so that both have the same derivatives.
    first = np.sinh(zero.value) * zero.first / np.sinh(value)
    second = (
        np.cosh(zero.value) * zero.first**2
        + np.sinh(zero.value) * zero.second
        - np.cosh(value) * first**2
    )
    return zero, _Jet(value, first, second / np.sinh(value))


def _log_product(angles: _Jet, width: int, sign: int) -> _Jet:
    """Return the jet of sum ln(2 cosh x) (sign +1) or sum ln(2 sinh x) (sign -1), where x = width g
    / 2 > 0."""
    x, rise, bend = (0.5 * width * part for part in angles)
    decay = sign * np.exp(-2 * x)
    slope = (1 - decay) / (1 + decay)
    curvature = 4 * decay / (1 + decay) ** 2
    return _Jet(
        np.sum(x + np.log1p(decay)),
        np.sum(rise * slope),
        np.sum(bend * slope + rise**2 * curvature),
    )


def _zero_factor(zero: _Jet, width: int, sign: int) -> _Jet:
    """Return the jet of 2 cosh x (sign +1) or 2 sinh x (sign -1), where x = width g_0 / 2, in units
    of exp |x| at this K."""
    x, rise, bend = (0.5 * width * part for part in zero)
    up, down = np.exp(x - abs(x)), sign * np.exp(-x - abs(x))
    return _Jet(up + down, (up - down) * rise, (up - down) * bend + (up + down) * rise**2)


def _log_sum(logs: list[_Jet], factors: list[_Jet]) -> _Jet:
    """Return the jet of ln sum_i factor_i exp(log_i)."""
    leading = max(logs, key=lambda log: log.value)
    total = np.zeros(3)
    for log, factor in zip(logs, factors, strict=True):
        # The common slope is set aside; otherwise the second derivatives would cancel.
        tilt = log.first - leading.first
        total += np.exp(log.value - leading.value) * np.array(
            [
                factor.value,
                factor.first + factor.value * tilt,
                factor.second + 2 * factor.first * tilt + factor.value * (log.second + tilt**2),
            ]
        )
    value, first, second = total[0], total[1] / total[0], total[2] / total[0]
    return _Jet(leading.value + np.log(value), leading.first + first, second - first**2)


def _log_partition_jet(shape: Sequence[int], coupling: float) -> _Jet:
    _check(shape, coupling)
    length, width = shape
    zero, angles = _angles(coupling, length)
    odd = _Jet(*(part[0::2] for part in angles))
    even = _Jet(*(part[1::2] for part in angles))
    scale = abs(0.5 * width * zero.value)
    logs, factors = [], []
    for sign in (1, -1):
        logs.append(_log_product(odd, width, sign))
        factors.append(_Jet(1.0, 0.0, 0.0))
        rest = _log_product(even, width, sign)
        logs.append(rest._replace(value=rest.value + scale))
        factors.append(_zero_factor(zero, width, sign))
    products = _log_sum(logs, factors)
    sites = length * width
    sinh = np.sinh(2 * coupling)
    return _Jet(
        0.5 * sites * np.log(2 * sinh) - np.log(2) + products.value,
        sites / np.tanh(2 * coupling) + products.first,
        -2 * sites / sinh**2 + products.second,
    )


def log_partition(shape: Sequence[int], coupling: float) -> float:
    """Return ln Z of the whole torus, not per site.

    Parameters
    ----------
    shape : (int, int)
        Sizes of the torus, at least 2; 1024 x 1024 takes a fraction of a second.
    coupling : float
        K = J/(k_B T) within ``COUPLING_RANGE``.

    Raises
    ------
    ValueError
        If a size or the coupling is outside its range.
    """
    return float(_log_partition_jet(shape, coupling).value)


def energy(shape: Sequence[int], coupling: float) -> float:
    """Return the energy per site in J, -(d ln Z / dK) / sites.

    Parameters and errors are those of `log_partition`.
    """
    return float(-_log_partition_jet(shape, coupling).first / (shape[0] * shape[1]))


def energy_variance(shape: Sequence[int], coupling: float) -> float:
    """Return the variance of the total energy per site in J^2, (d^2 ln Z / dK^2) / sites = -de/dK.

    Parameters and errors are those of `log_partition`.
    """
    return float(_log_partition_jet(shape, coupling).second / (shape[0] * shape[1]))


def coupling_from_energy(energy_per_site: float, shape: Sequence[int]) -> float:
    """Return the coupling at which the torus has a given energy; the energy serves as a
    thermometer.

    Parameters
    ----------
    energy_per_site : float
        In J, between the ground state, -2, and the energy of the highest temperature, about 0.
    shape : (int, int)
        Sizes of the torus.

    Returns
    -------
    float
        K = J/(k_B T).

    Raises
    ------
    ValueError
        If no coupling within ``COUPLING_RANGE`` gives this energy.
    """
    low, high = COUPLING_RANGE
    coldest, hottest = -2.0, energy(shape, low)
    if not coldest < energy_per_site <= hottest:
        torus = f"{shape[0]}x{shape[1]} torus: {coldest:g} to {hottest:.3g}"
        raise ValueError(
            f"an energy of {energy_per_site:.6g} per site is outside the range of the {torus}"
        )
    coupling = 0.44
    for _ in range(200):  # Newton's method; bisection of the logarithm where it leaves the bracket
        jet = _log_partition_jet(shape, coupling)
        excess = -jet.first / (shape[0] * shape[1]) - energy_per_site  # positive: too hot
        low, high = (coupling, high) if excess > 0 else (low, coupling)
        slope = jet.second / (shape[0] * shape[1])
        proposal = coupling + excess / slope if slope > 0 else low
        if not low < proposal < high:
            proposal = np.sqrt(low * high)
        if abs(proposal - coupling) <= 1e-15 * coupling:
            break
        coupling = float(proposal)
    return coupling
