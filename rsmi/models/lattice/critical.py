"""Critical points that are known, by what a model is and not by its name."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace

from rsmi.models.known import KnownOperator, KnownValue
from rsmi.models.lattice.definition import Bond, Definition
from rsmi.models.lattice.orders import order_of
from rsmi.models.lattice.presets import preset

_ISING = {
    "y_t": KnownValue(1.0, "1", "Onsager, Phys. Rev. 65, 117 (1944)"),
    "y_h": KnownValue(1.875, "15/8 = 1.875", "Onsager, Phys. Rev. 65, 117 (1944)"),
    "nu": KnownValue(1.0, "1", "Onsager, Phys. Rev. 65, 117 (1944)"),
}
_SOURCE = "Belavin, Polyakov & Zamolodchikov, Nucl. Phys. B 241, 333 (1984)"
_SIGMA = KnownOperator("sigma", KnownValue(0.125, "1/8 = 0.125", _SOURCE))
_EPSILON = KnownOperator("epsilon", KnownValue(1.0, "1", _SOURCE))
_POTTS = (
    KnownOperator("sigma", KnownValue(2 / 15, "2/15 = 0.1333", _SOURCE)),
    KnownOperator("epsilon", KnownValue(0.8, "4/5 = 0.8", _SOURCE)),
)
_CRITICAL = 1e-4  # relative distance from z_c that makes no difference
UNKNOWN = "the critical temperature of this model is not known exactly"


def exponents(definition: Definition) -> dict[str, KnownValue]:
    """Return y_t, y_h and nu of a ferromagnet whose critical coupling is known."""
    uniform = all(value > 0 for value in definition.couplings.values())
    return dict(_ISING) if uniform and critical_coupling(definition) else {}


def operators(definition: Definition) -> dict[str, tuple[KnownOperator, ...]]:
    """Return the scaling operators of the critical point by their sector: those of the Ising model,
    and of the three-state Potts model for hard hexagons. The order of hard cores, which
    translations turn round, takes the odd sector."""
    if critical_coupling(definition):
        order = order_of(definition)
        uniform = order is None or order.uniform
        return {"odd": (replace(_SIGMA, uniform=uniform),), "even": (_EPSILON,)}
    if critical_fugacity(definition) is None:
        return {}
    hexagons = _same_lattice(definition, preset("hard-hexagons"))
    sigma, epsilon = _POTTS if hexagons else (_SIGMA, _EPSILON)
    return {"odd": (replace(sigma, uniform=False),), "even": (epsilon,)}


def at_critical_fugacity(definition: Definition) -> bool:
    """Return whether the fugacity is the critical one, as well as this is known."""
    known, own = critical_fugacity(definition), definition.fugacity
    return known is not None and own is not None and abs(own / known.value - 1) < _CRITICAL


def of_fugacity(definition: Definition) -> str:
    """Return how far hard cores are from their critical fugacity: a sentence."""
    known, own = critical_fugacity(definition), definition.fugacity
    if known is None or own is None:
        return "the critical fugacity of this model is unknown"
    return f"the samples are at a fugacity of {own / known.value:.4g} z_c"


def critical_coupling(definition: Definition) -> KnownValue | None:
    """Return K_c of the infinite lattice; None if it is not known exactly."""
    if not definition.spins or definition.field:
        return None
    for name, rule in _RULES.items():
        if _same_lattice(definition, preset(name)):
            return rule(definition)
    return None


def critical_fugacity(definition: Definition) -> KnownValue | None:
    """Return z_c of hard cores on the infinite lattice; None if it is unknown."""
    if definition.spins or definition.thermal:
        return None
    for name, value in _FUGACITIES.items():
        if _same_lattice(definition, preset(name)):
            return value
    return None


def _same_lattice(one: Definition, other: Definition) -> bool:
    """Whether two definitions have the same bonds, whatever their couplings are called."""
    return _lattice(one) == _lattice(other)


def _lattice(definition: Definition) -> tuple:
    classes = {frozenset(map(_undirected, bonds)) for bonds in definition.bonds.values()}
    excluded = frozenset(map(_undirected, definition.exclusions))
    cell = definition.variable, definition.dimension, len(definition.sites)
    return *cell, frozenset(classes), excluded


def _undirected(bond: Bond) -> frozenset[Bond]:
    return frozenset((bond, bond.reversed))


# ---- rules ---------------------------------------------------------------------------------------


def _uniform(definition: Definition, critical: float, text: str, source: str) -> KnownValue | None:
    """K_c of one coupling: of its magnitude on a bipartite lattice."""
    (coupling,) = definition.couplings.values()
    if coupling == 0 or (coupling < 0 and not definition.bipartite):
        return None
    value = critical / abs(coupling)
    return KnownValue(value, f"{value:.9f}" if coupling != 1 else f"{text} = {value:.9f}", source)


def _anisotropic(definition: Definition) -> KnownValue | None:
    """K_c of the square lattice: sinh 2 K_x sinh 2 K_y = 1, whatever the signs."""
    strengths = [abs(value) for value in definition.couplings.values()]
    if not all(strengths):
        return None
    value = _root(lambda k: math.prod(math.sinh(2 * k * s) for s in strengths) - 1)
    return KnownValue(value, f"{value:.9f}", "Onsager, Phys. Rev. 65, 117 (1944)")


def _diagonals(definition: Definition) -> KnownValue | None:
    """K_c of nearest and next-nearest neighbours, which is known if one of them is absent."""
    nearest = definition.couplings[_class_with(definition, (1, 0))]
    diagonal = definition.couplings[_class_with(definition, (1, 1))]
    if bool(nearest) == bool(diagonal):
        return None
    value = math.log1p(math.sqrt(2)) / 2 / abs(nearest or diagonal)
    return KnownValue(value, f"{value:.9f}", "Kramers & Wannier, Phys. Rev. 60, 252 (1941)")


def _class_with(definition: Definition, offset: tuple[int, ...]) -> str:
    return next(
        name
        for name, bonds in definition.bonds.items()
        if any(offset in (bond.offset, bond.reversed.offset) for bond in bonds)
    )


def _root(function: Callable[[float], float]) -> float:
    """The root of a function that grows from below zero, by bisection to the last digit."""
    low, high = 0.0, 1.0
    while function(high) < 0:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return middle


_RULES: dict[str, Callable[[Definition], KnownValue | None]] = {
    "ising-square": functools.partial(
        _uniform,
        critical=math.log1p(math.sqrt(2)) / 2,
        text="ln(1 + sqrt 2)/2",
        source="Kramers & Wannier, Phys. Rev. 60, 252 (1941)",
    ),
    "ising-triangular": functools.partial(
        _uniform,
        critical=math.log(3) / 4,
        text="ln(3)/4",
        source="Houtappel, Physica 16, 425 (1950)",
    ),
    "ising-honeycomb": functools.partial(
        _uniform,
        critical=math.log(2 + math.sqrt(3)) / 2,
        text="ln(2 + sqrt 3)/2",
        source="Houtappel, Physica 16, 425 (1950)",
    ),
    "ising-kagome": functools.partial(
        _uniform,
        critical=math.log(3 + 2 * math.sqrt(3)) / 4,
        text="ln(3 + 2 sqrt 3)/4",
        source="Kano & Naya, Prog. Theor. Phys. 10, 158 (1953)",
    ),
    "ising-anisotropic": _anisotropic,
    "ising-j1j2": _diagonals,
}
_FUGACITIES = {
    "hard-squares": KnownValue(
        3.796255174,
        "3.796255174(3)",
        "Guo & Bloete, Phys. Rev. E 66, 046140 (2002)",
        exact=False,
    ),
    "hard-hexagons": KnownValue(
        (11 + 5 * math.sqrt(5)) / 2,
        "(11 + 5 sqrt 5)/2 = 11.090170",
        "Baxter, J. Phys. A 13, L61 (1980)",
    ),
}
