"""The Migdal-Kadanoff recursion of the Ising model: an analytic renormalization with which measured
flows can be compared.

Bonds are moved together in bundles of b^(d-1), then b - 1 of every b spins along a line are summed
over:

    tanh K' = tanh^b(b^(d-1) K),    for b = 2:  K' = ln cosh(2^d K) / 2.

The recursion is exact on the chain and on hierarchical lattices, and an approximation elsewhere. In
two dimensions with b = 2 it gives K* = 0.3047 and nu = 1.338 (exact: 0.4407 and 1), and for b -> 1
the exact K_c and nu = 1.327. If bonds are moved after the decimation, the fixed point is b^(d-1) K*
and the exponents are the same. A. A. Migdal, Sov. Phys. JETP 42, 413 and 743 (1976); L. P.
Kadanoff, Ann. Phys. 100, 359 (1976).

K = J/(k_B T); b > 1 and d >= 1 need not be whole numbers.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STIFF = 20.0  # from this K on artanh(tanh^b K) = K - ln(b)/2 to double precision


def recursion(
    coupling: ArrayLike, dimension: float = 2, scale_factor: float = 2
) -> NDArray[np.float64]:
    """Return the coupling after one step.

    Parameters
    ----------
    coupling : array_like of float, (\\*shape)
        K >= 0.
    dimension, scale_factor : float
        d >= 1 and b > 1.

    Returns
    -------
    ndarray of float64, (\\*shape)
        K'.

    Raises
    ------
    ValueError
        If the dimension or the scale factor is out of range.
    """
    _check(dimension, scale_factor)
    bundled = scale_factor ** (dimension - 1) * np.asarray(coupling, dtype=float)
    decay = np.exp(-2 * np.minimum(bundled, _STIFF))  # tanh = (1 - decay) / (1 + decay)
    with np.errstate(divide="ignore"):  # at K = 0, which is a fixed point
        chain = scale_factor * (np.log1p(-decay) - np.log1p(decay))
    decimated = 0.5 * (np.log1p(np.exp(chain)) - np.log(-np.expm1(chain)))
    return np.where(bundled < _STIFF, decimated, bundled - 0.5 * math.log(scale_factor))


def flow(
    coupling: ArrayLike, steps: int, dimension: float = 2, scale_factor: float = 2
) -> NDArray[np.float64]:
    """Return the couplings after 0, 1, ..., `steps` steps, float64 (steps + 1, \\*shape).

    The other parameters are those of `recursion`.
    """
    couplings = [np.asarray(coupling, dtype=float)]
    for _ in range(steps):
        couplings.append(recursion(couplings[-1], dimension, scale_factor))
    return np.stack(couplings)


def fixed_point(dimension: float = 2, scale_factor: float = 2) -> float:
    """Return the unstable fixed point K*.

    Raises
    ------
    ValueError
        In one dimension, where only K = 0 and K = infinity are fixed.
    """
    _check(dimension, scale_factor)
    if dimension == 1:
        raise ValueError("no fixed point between 0 and infinity in one dimension")
    log_scale = math.log(scale_factor)
    # The upper bound follows from K' > b^(d-1) K - ln(b)/2.
    low, high = 1e-12, 1 + 0.5 * log_scale / math.expm1((dimension - 1) * log_scale)
    while high - low > 4e-16 * high:  # bisection, as K' < K below K* and K' > K above
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (
            (middle, high) if recursion(middle, dimension, scale_factor) < middle else (low, middle)
        )
    return 0.5 * (low + high)


def slope(
    coupling: ArrayLike, dimension: float = 2, scale_factor: float = 2
) -> NDArray[np.float64]:
    """Return dK'/dK = b^d t^(b-1) (1 - t^2) / (1 - t^2b) with t = tanh(b^(d-1) K), in the shape of
    the coupling (K > 0)."""
    _check(dimension, scale_factor)
    b = scale_factor
    bundled = b ** (dimension - 1) * np.asarray(coupling, dtype=float)
    decay = np.exp(-2 * np.minimum(bundled, _STIFF))
    log_tanh = np.log1p(-decay) - np.log1p(decay)
    return (
        b**dimension
        * np.exp((b - 1) * log_tanh)
        * np.expm1(2 * log_tanh)
        / np.expm1(2 * b * log_tanh)
    )


def exponents(dimension: float = 2, scale_factor: float = 2) -> dict[str, float]:
    """Return y_t = ln(dK'/dK) / ln b at the fixed point, and nu = 1/y_t.

    Parameters and errors are those of `fixed_point`.

    Returns
    -------
    dict of float
        ``K``, ``y_t`` and ``nu``.
    """
    fixed = fixed_point(dimension, scale_factor)
    thermal = math.log(float(slope(fixed, dimension, scale_factor))) / math.log(scale_factor)
    return {"K": fixed, "y_t": thermal, "nu": 1 / thermal}


def _check(dimension: float, scale_factor: float) -> None:
    if not (1 <= dimension < math.inf and 1 < scale_factor < math.inf):
        raise ValueError(
            "the recursion needs a dimension of at least 1 and a scale factor above 1, not"
            f" {dimension:g} and {scale_factor:g}"
        )
