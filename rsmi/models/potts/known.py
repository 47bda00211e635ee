"""What is known exactly of the Potts model, H = -J sum delta(s, s').

In two dimensions the transition is continuous for q <= 4 and has the exponents of the Coulomb gas:
y_t = 3 (1 - u)/(2 - u) and y_h = (3 - u) (5 - u)/(4 (2 - u)), where sqrt q = 2 cos(pi u/2) and 0 <=
u <= 1.
"""

from __future__ import annotations

import math
from fractions import Fraction

from rsmi.models.ising import facts
from rsmi.models.known import Known, KnownOperator, KnownValue

NO_CRITICAL_POINT = {
    1: "the Potts chain has no critical temperature: it is ordered only at T = 0",
    3: "the transition temperature of this Potts model in three dimensions is not known here",
}
_DUALITY = "duality, R. B. Potts, Proc. Camb. Phil. Soc. 48, 106 (1952)"
_GAS = "Coulomb gas, B. Nienhuis, J. Stat. Phys. 34, 731 (1984); M. den Nijs, J. Phys. A 12 (1979)"
_CUBIC = {
    2: (2 * facts.CRITICAL_COUPLING[3], "0.44330925", "twice that of the Ising model"),
    3: (0.550565, "0.550565(10)", "W. Janke, R. Villanova, Nucl. Phys. B 489, 679 (1997)"),
}
# y_t, y_h, the second odd and the second even eigenvalue exponent in two dimensions.
_EXPONENTS: dict[int, tuple[Fraction, Fraction, Fraction | None, Fraction | None]] = {
    2: (Fraction(1), Fraction(15, 8), None, None),
    3: (Fraction(6, 5), Fraction(28, 15), Fraction(2, 3), Fraction(-4, 5)),
    4: (Fraction(3, 2), Fraction(15, 8), None, Fraction(0)),
}


def known(dimension: int, states: int) -> Known:
    """Return critical coupling, energy and exponents of q states in 1, 2 or 3 dimensions."""
    if dimension == 2:
        return _square(states)
    value = _CUBIC.get(states) if dimension == 3 else None
    return Known(
        critical_coupling=None if value is None else KnownValue(*value, exact=False),
        no_critical_point=NO_CRITICAL_POINT.get(dimension, ""),
    )


def _square(states: int) -> Known:
    coupling, energy = math.log1p(math.sqrt(states)), -1 - 1 / math.sqrt(states)
    own = Known(
        critical_coupling=KnownValue(coupling, f"ln(1 + sqrt {states}) = {coupling:.9f}", _DUALITY),
        critical_energy=KnownValue(energy, f"-1 - 1/sqrt {states} = {energy:.6f}", _DUALITY),
    )
    if states not in _EXPONENTS:
        return own
    thermal, magnetic, second_odd, second_even = _EXPONENTS[states]
    return Known(
        critical_coupling=own.critical_coupling,
        critical_energy=own.critical_energy,
        exponents={
            "y_t": _value(thermal),
            "y_h": _value(magnetic),
            "nu": _value(1 / thermal),
        },
        operators={
            "odd": _operators({"sigma": magnetic, "sigma'": second_odd}),
            "even": _operators({"epsilon": thermal, "epsilon'": second_even}),
        },
        correction=_value(-second_even) if states == 3 and second_even is not None else None,
    )


def _operators(eigenvalues: dict[str, Fraction | None]) -> tuple[KnownOperator, ...]:
    """Operators of scaling dimension 2 - y."""
    return tuple(
        KnownOperator(name, _value(2 - y)) for name, y in eigenvalues.items() if y is not None
    )


def _value(number: Fraction) -> KnownValue:
    text = str(number) if number.denominator == 1 else f"{number} = {float(number):.6g}"
    return KnownValue(float(number), text, _GAS)
