"""What is known exactly of the ground states of the triangular antiferromagnet."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from rsmi.models.base import Known, KnownOperator, KnownValue
from rsmi.models.triangular_ground_states import enumeration

_STEPHENSON = "J. Stephenson, J. Math. Phys. 11, 413 (1970): correlations decay as r^(-1/2)"
_NIENHUIS = "B. Nienhuis, H. J. Hilhorst, H. W. J. Bloete, J. Phys. A 17, 3559 (1984)"
_K = (Fraction(1, 3), Fraction(1, 3))
NO_CRITICAL_POINT = "the triangular antiferromagnet is critical at T = 0, in its ground states"
NO_THERMOMETER = "all ground states have the same energy, which tells no coupling"

# The number of ground states of L x L lattices, by transfer matrices. Their entropy per site tends
# to 0.3230659472 nats (G. H. Wannier, Phys. Rev. 79, 357 (1950); erratum Phys. Rev. B 7, 5017
# (1973)).
GROUND_STATES = {3: 42, 6: 263640, 9: 547003370634}

# S(K) of L x L lattices: by enumeration for L = 3 and 6, then from the spin correlations, which are
# ratios of Kasteleyn determinants.
STRUCTURE_FACTORS = {
    3: 3.238095238095238,
    6: 9.389622212107419,
    12: 26.753704661039073,
    24: 75.86984796804317,
}


def known(dimension: int) -> Known:
    """Return the scaling operators in two dimensions. The spin has the wave vector K, where its
    dimension is 1/4, and a part that is uniform; products of two spins have the wave vector K."""
    if dimension != 2:
        return Known(no_critical_point=NO_CRITICAL_POINT, no_thermometer=NO_THERMOMETER)
    odd = (
        KnownOperator("sigma at K", KnownValue(0.25, "1/4 = 0.25", _STEPHENSON), False, _K),
        KnownOperator("sigma uniform", KnownValue(2.25, "9/4 = 2.25", _NIENHUIS)),
    )
    even = (KnownOperator("bonds at K", KnownValue(1.0, "1", _NIENHUIS), False, _K),)
    return Known(
        no_critical_point=NO_CRITICAL_POINT,
        always_critical=True,
        operators={"odd": odd, "even": even},
        no_thermometer=NO_THERMOMETER,
        enumeration=enumeration.GroundStateEnumeration(),
    )


def structure_factor(shape: Sequence[int]) -> float | None:
    """Return the exact S(K) of a lattice; None if it is unknown."""
    return STRUCTURE_FACTORS.get(shape[0]) if len(set(shape)) == 1 else None
