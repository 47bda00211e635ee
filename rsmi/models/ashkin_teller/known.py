"""What is known exactly of the Ashkin-Teller model on the square lattice.

It is self-dual where sinh 2K = exp(-2 u K), u = U/J, and critical there for -1 < u <= 1: from two
Ising models (u = 0) to the Potts model with four states (u = 1). The exponents vary along the line.
With cos l = (exp(4 u K) - 1)/2, the energy has the scaling dimension pi/(2 (pi - l)), sigma and tau
have 1/8 everywhere, and their product has a quarter of that of the energy.

References: R. J. Baxter, Exactly Solved Models in Statistical Mechanics (1982), chapter 12; L. P.
Kadanoff, A. C. Brown, Ann. Phys. 121, 318 (1979).
"""

from __future__ import annotations

import math

from rsmi.models.known import Known, KnownOperator, KnownValue

NO_CRITICAL_POINT = {
    1: "the Ashkin-Teller chain has no critical temperature: it is ordered only at T = 0",
    2: "the Ashkin-Teller model is critical on its self-dual line for -1 < U/J <= 1 only: with"
    " other ratios give a number in J/k_B",
    3: "the critical temperature of the Ashkin-Teller model in three dimensions is not known here",
}
_LINE = "self-dual line, R. J. Baxter, Exactly Solved Models in Statistical Mechanics (1982)"
_EXPONENTS = "L. P. Kadanoff, A. C. Brown, Ann. Phys. 121, 318 (1979)"


def known(dimension: int, ratio: float) -> Known:
    """Return critical coupling and exponents at U/J = ``ratio`` in so many dimensions."""
    if dimension != 2 or not -1 < ratio <= 1:
        return Known(no_critical_point=NO_CRITICAL_POINT[dimension])
    coupling = self_dual_coupling(ratio)
    energy = energy_dimension(coupling, ratio)
    odd = (KnownOperator("sigma and tau", KnownValue(0.125, "1/8 = 0.125", _EXPONENTS)),)
    field = KnownValue(15 / 8, "15/8 = 1.875", _EXPONENTS)
    return Known(
        critical_coupling=KnownValue(coupling, f"{coupling:.9f}", _LINE),
        exponents={
            "y_t": _value(2 - energy),
            "y_h": field,
            "nu": _value(1 / (2 - energy)),
        },
        operators={
            "odd": odd,
            "even": (KnownOperator("epsilon", _value(energy)),),
            "product": (KnownOperator("sigma tau", _value(energy / 4)),),
        },
        parities={
            ("even", "even"): _value(2 - energy),
            ("odd", "even"): field,
            ("even", "odd"): field,
            ("odd", "odd"): _value(2 - energy / 4),
        },
    )


def self_dual_coupling(ratio: float) -> float:
    """Return K with sinh 2K = exp(-2 u K) by bisection."""
    low, high = 0.0, 1.0
    while math.sinh(2 * high) < math.exp(-2 * ratio * high):
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        below = math.sinh(2 * middle) < math.exp(-2 * ratio * middle)
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def energy_dimension(coupling: float, ratio: float) -> float:
    """Return the scaling dimension of the energy on the self-dual line."""
    cosine = min(1.0, (math.exp(4 * ratio * coupling) - 1) / 2)
    return math.pi / (2 * (math.pi - math.acos(cosine)))


def _value(number: float) -> KnownValue:
    return KnownValue(number, f"{number:.6f}", _EXPONENTS)
