"""From a request to checked parameters: overrides of a definition, and the state point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.models.lattice import critical, schema
from rsmi.models.lattice.clusters import ALGORITHMS
from rsmi.models.lattice.definition import Definition
from rsmi.models.lattice.system import StatePoint, check_lattice
from rsmi.models.state_point import resolve_coupling

_LARGEST_FUGACITY = 1e6  # of hard cores
_STRONGEST = 1e6  # K times the sum of all couplings of a site


def parameters(definition: Definition, request: Mapping[str, Any]) -> dict:
    """Return the checked physics of a request; see `rsmi.models.base.Model.parameters`.

    Raises
    ------
    UsageError
        If there is no such lattice or state point.
    """
    shape = request["shape"]
    definition = _changed(definition, request)
    definition, coupling = state_point(
        definition, request.get("temperature"), request.get("coupling")
    )
    check_shape(definition, shape)
    open_sides = "open" in (definition.boundary, request.get("boundary"))
    _check_strength(definition, coupling)
    _check_frozen(definition)
    if request["algorithm"] in ALGORITHMS and not definition.spins:
        raise UsageError(f"--algorithm {request['algorithm']}: clusters are of spins")
    StatePoint(definition, tuple(shape), not open_sides, coupling).check_tables()
    own = {"coupling": coupling} if definition.thermal else {}
    return own | {
        "model": "lattice",
        "shape": list(shape),
        "boundary": "open" if open_sides else "periodic",
        "definition": definition.as_json(),
        "algorithm": request["algorithm"],
    }


def check_shape(definition: Definition, shape: Iterable[int], where: str = "--size") -> None:
    """Raise UsageError if the definition has no lattice of so many cells."""
    shape = tuple(shape)
    if len(shape) != definition.dimension:
        raise UsageError(
            f"{where} {shape_text(shape)}: {definition.name} has dimension"
            f" {definition.dimension}; give --dimension {definition.dimension}"
        )
    check_lattice(definition, shape, where)
    if len(definition.sites) * math.prod(shape) >= 1 << 31:
        raise UsageError(f"{where} {shape_text(shape)}: 2^31 sites or more")


# ---- overrides -----------------------------------------------------------------------------------


def _changed(definition: Definition, request: Mapping[str, Any]) -> Definition:
    """The definition with the couplings, the field and the fugacity of the command line."""
    definition = definition.with_couplings(_ratios(definition, request.get("ratio") or ()))
    if request.get("antiferromagnetic"):
        definition = _reversed(definition)
    if (value := request.get("field")) is not None:
        if not definition.spins:
            raise UsageError("--field: occupations have a --fugacity; a field is of spins")
        definition = replace(definition, field=schema.number_of(value, "--field"))
    if (text := request.get("fugacity")) is not None:
        if definition.spins:
            raise UsageError("--fugacity: spins have a --field; a fugacity is of occupations")
        definition = replace(definition, fugacity=fugacity(definition, str(text)))
    return definition


def _ratios(definition: Definition, texts: Iterable[str]) -> dict[str, float]:
    """The couplings that are given as NAME=VALUE."""
    couplings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            couplings[name] = schema.number_of(float(value), f"--ratio {name}")
        except ValueError:
            raise UsageError(f"--ratio {text}: write NAME=VALUE, such as J2=0.5") from None
        if not equals or name not in definition.couplings:
            known = ", ".join(definition.couplings) or "none"
            raise UsageError(
                f"--ratio {text}: {definition.name} has no coupling {name}; there are {known}"
            )
    return couplings


def _reversed(definition: Definition) -> Definition:
    if not definition.couplings:
        raise UsageError("--antiferromagnetic: hard cores have no couplings")
    return definition.with_couplings({name: -c for name, c in definition.couplings.items()})


def fugacity(definition: Definition, text: str) -> float:
    """Return the fugacity that a number or a multiple of ``zc`` means.

    Raises
    ------
    UsageError
        If the text is anything else, or there is no known critical fugacity.
    """
    multiple = text.lower().endswith("zc")
    try:
        value = float((text[:-2].rstrip("*") or "1") if multiple else text)
    except ValueError:
        raise UsageError(
            f"--fugacity {text!r}: write a number, zc, or a multiple such as 0.9zc"
        ) from None
    if multiple:
        known = critical.critical_fugacity(definition)
        if known is None:
            raise UsageError(
                f"--fugacity {text}: the critical fugacity of {definition.name} is unknown"
            )
        value *= known.value
    if not math.isfinite(value) or value <= 0:
        raise UsageError(f"--fugacity {text}: must be positive and finite")
    return value


def _check_frozen(definition: Definition) -> None:
    """Raise UsageError if hard cores would never move."""
    fugacity = definition.fugacity
    if definition.exclusions and fugacity is not None and fugacity > _LARGEST_FUGACITY:
        raise UsageError(
            f"fugacity {fugacity:g}: a particle would leave its site once in so many sweeps, and"
            f" hard cores would be frozen; at most {_LARGEST_FUGACITY:g}"
        )


# ---- the state point -----------------------------------------------------------------------------


def state_point(
    definition: Definition, temperature: str | None, coupling: float | None
) -> tuple[Definition, float]:
    """Return the definition and K > 0 of ``--temperature`` or ``--coupling``. A negative coupling
    turns all couplings of the definition round. Hard cores alone have none: K is then 0."""
    if not definition.spins and definition.fugacity is None:
        raise UsageError("give --fugacity (a number, or zc where it is known)")
    if not definition.thermal:
        if temperature is not None or coupling is not None:
            raise UsageError(
                f"{definition.name} has no energy and no temperature: give --fugacity alone"
            )
        return definition, 0.0
    if coupling is not None and coupling < 0:
        definition, coupling = _reversed(definition), -coupling
    known = critical.critical_coupling(definition)
    value = None if known is None else known.value
    no_critical_point = f"--temperature {temperature}: {critical.UNKNOWN}"
    return definition, resolve_coupling(temperature, coupling, value, no_critical_point)


def _check_strength(definition: Definition, coupling: float) -> None:
    """Raise UsageError if probabilities would overflow."""
    strength = abs(definition.field) + sum(
        abs(definition.couplings[name]) * len(bonds) for name, bonds in definition.bonds.items()
    )
    if not coupling * strength < _STRONGEST:
        raise UsageError(
            f"K = {coupling:g} with couplings that add up to {strength:g} J: the sum of all terms"
            f" of a site must be below {_STRONGEST:g} k_B T"
        )
