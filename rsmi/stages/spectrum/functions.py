"""The functions that a spectrum measures: resolved from the command line, with their sectors."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.state_order import StateOrder
from rsmi.lattice.waves import wave_of_unit
from rsmi.models.spins import component_fields
from rsmi.renormalization import rules
from rsmi.renormalization.spectrum import functions
from rsmi.renormalization.spectrum.averages import Average
from rsmi.renormalization.spectrum.readouts import measured_parity
from rsmi.renormalization.spectrum.site_functions import OfModel, OfSpins, OfUnit, SiteFunction
from rsmi.renormalization.spectrum.tables import function_of_unit
from rsmi.stages.rule_option import ChosenRule, choose_rule, require_components
from rsmi.stages.spectrum import order_functions, state_functions
from rsmi.stages.spectrum.chosen import (
    ANY,
    ENERGY,
    MAGNETIZATION,
    SECTORS,
    ChosenFunction,
    ChosenFunctions,
    HiddenUnit,
    Resolved,
    random_rows,
)
from rsmi.stages.spectrum.request import Choices, System
from rsmi.store import File, canonical_json, text_digest

_MOST_FUNCTIONS = 16


def choose_functions(
    stack: contextlib.ExitStack, choices: Choices, system: System
) -> ChosenFunctions:
    """Resolve the functions and measure their sectors.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Closes the files of learned rules.
    choices : Choices
    system : System

    Raises
    ------
    UsageError, DataError
        If a name is unknown, a file cannot be used, a function is of another sector than its option
        says, of none, or constant.
    """
    of_order = system.order is not None and not choices.correlation
    check = order_functions.checked if of_order else _checked
    naive = order_functions.naive(system) if of_order else _always(system, choices)
    known = [check(one, {"name": one.name}, one.name, None, system, choices) for one in naive]
    files: dict[str, File] = {}
    others = []
    for text, sector in choices.texts:
        for one in _resolve(stack, text, sector, choices, system, naive):
            checked = check(one.function, one.identity, text, sector, system, choices)
            others.append(replace(checked, label=one.label, unit=one.unit))
            files |= {file.digest: file for file in one.inputs}
    chosen = _without_repetition([*known, *others])
    if len(chosen) > _MOST_FUNCTIONS:
        raise UsageError(f"{len(chosen)} functions: at most {_MOST_FUNCTIONS} can be measured")
    ordered = [one for sector in (*SECTORS, ANY) for one in chosen if one.sector == sector]
    return ChosenFunctions(tuple(ordered), tuple(files.values()), system.dimension)


def _always(system: System, choices: Choices) -> list[SiteFunction | Average]:
    """The functions that are always measured."""
    return [*_naive(system), *(_orders(system) if choices.correlation else ())]


def _naive(system: System) -> list[SiteFunction]:
    """The functions of samples of any model."""
    if system.components == 1:
        of_spins = functions.magnetization, functions.bond_energy
        names = MAGNETIZATION, ENERGY
        return [OfSpins(one(system.dimension).renamed(n)) for one, n in zip(of_spins, names)]
    fields = system.model.fields(system.attributes)
    return [OfModel(name, values) for name, values in fields.items()]


def _orders(system: System) -> list[SiteFunction]:
    """What the model names beside the spins of one component: orders that are not uniform."""
    if system.components > 1:
        return []
    spins = component_fields(system.model.components(system.attributes))
    fields = system.model.fields(system.attributes)
    return [OfModel(name, values) for name, values in fields.items() if name not in spins]


def _without_repetition(chosen: Sequence[ChosenFunction]) -> list[ChosenFunction]:
    by_identity = {str(one.identity): one for one in reversed(chosen)}
    return list(reversed(by_identity.values()))


# ---- functions -----------------------------------------------------------------------------------


def _resolve(
    stack: contextlib.ExitStack,
    text: str,
    required: str | None,
    choices: Choices,
    system: System,
    naive: Sequence[SiteFunction | Average],
) -> list[Resolved]:
    """The functions that one option names: one for each hidden unit of a rule."""
    known = {one.name: one for one in naive}
    if system.components == 1 and system.states == 2:
        known = {**{one.name: one for one in _naive(system)}, **known}
        operators = functions.named_functions(system.dimension)
        known |= {name: OfSpins(one) for name, one in operators.items()}
    if text in known:
        return [Resolved(known[text], {"name": text})]
    if isinstance(system.order, StateOrder) and not choices.correlation:
        return state_functions.resolve(
            stack, text, required, choices, system.order, system.dimension
        )
    try:
        rule = choose_rule(stack, text, choices.block, choices.readout == "hard", system.dimension)
    except UsageError as error:
        if "neither a file nor" not in str(error):
            raise
        if Path(text).suffix:
            raise UsageError(f"--function {text}: no such file") from error
        names = ", ".join([*known, *rules.NAMED])
        raise UsageError(f"--function {text}: neither a file nor one of {names}") from error
    require_components(text, rule.rule, system.components, "the lattice")
    return [
        _of_unit(rule, unit, choices, system)._replace(
            inputs=rule.inputs, label=_label(text, rule, unit, choices.readout)
        )
        for unit in range(rule.rule.n_hidden)
    ]


def _of_unit(chosen: ChosenRule, unit: int, choices: Choices, system: System) -> Resolved:
    """The function of one hidden unit of a rule, of one spin per site averaged over the symmetries
    of the square lattice, which would remove an order with a wave vector."""
    rule, named = chosen.rule, chosen.file is None
    readout = _readout(chosen, choices.readout)
    name = _unit_name(chosen, unit, readout)
    identity = {key: value for key, value in chosen.identity.items() if key != "hard"}
    identity |= {"readout": readout} | ({} if rule.n_hidden == 1 and named else {"unit": unit + 1})
    of_order = system.order is not None and not choices.correlation and rule.products is None
    place = _place(chosen, unit, system) if choices.correlation else None
    wave = place.wave if place else ()
    if system.components > 1 or of_order or any(wave):
        return Resolved(OfUnit(name, rule, unit, readout, wave), identity, unit=place)
    try:
        function = OfSpins(function_of_unit(name, rule, unit, readout == "linear"))
    except ValueError as error:
        raise UsageError(f"--function {name}: {error}") from error
    return Resolved(function, identity, unit=place)


def _place(chosen: ChosenRule, unit: int, system: System) -> HiddenUnit:
    """The block of a unit and the wave vector of the order that it follows."""
    rule, file = chosen.rule, chosen.file
    wave = (Fraction(0),) * system.dimension
    if rule.products is None:
        live = (file.live_sites if file else None) or (True,) * math.prod(rule.block)
        offsets = np.array(list(np.ndindex(*rule.block)))[list(live)]
        weights = rule.filters[unit].reshape(rule.components, -1)[:, list(live)]
        sides = [math.gcd(*sides) for sides in zip(*system.shapes)]
        thirds = system.model.unit_cell(system.attributes) is not None
        covariance = file.block_covariance if file else None
        wave = wave_of_unit(weights, offsets, sides, covariance, thirds)
    return HiddenUnit(canonical_json(chosen.identity), tuple(rule.block), wave)


def _unit_name(chosen: ChosenRule, unit: int, readout: str) -> str:
    """The name under which a unit is stored: never the path of a file, on which no digest
    depends."""
    origin = "learned" if chosen.file is not None else chosen.identity["name"]
    name = f"{origin} {shape_text(chosen.rule.block)}{_number(chosen, unit)}"
    if origin in rules.NAMED:
        return name
    content = (
        chosen.file.file.digest if chosen.file else text_digest(canonical_json(chosen.identity))
    )
    return f"{name}, {readout} ({content[:8]})"


def _label(path: str, chosen: ChosenRule, unit: int, readout: str) -> str:
    """What people call a unit of a rule in a file; empty for a rule with a name."""
    if chosen.file is None and chosen.identity["name"] in rules.NAMED:
        return ""
    return f"{Path(path).stem}{_number(chosen, unit)}, {_readout(chosen, readout)}"


def _readout(chosen: ChosenRule, readout: str) -> str:
    return "hard" if chosen.rule.hard else readout


def _number(chosen: ChosenRule, unit: int) -> str:
    return f" unit {unit + 1}" if chosen.rule.n_hidden > 1 else ""


# ---- sectors -------------------------------------------------------------------------------------


def _checked(
    function: SiteFunction | Average,
    identity: dict[str, Any],
    text: str,
    required: str | None,
    system: System,
    choices: Choices,
) -> ChosenFunction:
    """The function with its sector, as measured on random configurations."""
    if not system.flips or isinstance(function, Average):
        if required is not None:
            raise UsageError(
                f"--{required} {text}: the samples are not known to be symmetric under a flip of"
                " all spins: give --function"
            )
        return ChosenFunction(function, identity, ANY)
    if isinstance(function, OfSpins):
        parity = measured_parity(function.function, random_rows(system.smallest), system.smallest)
    else:
        parity = order_functions.parity(function, system)
    if parity == "mixed" and not choices.correlation:
        raise UsageError(
            f"--function {text}: {function.name} is neither odd nor even under a flip of all"
            " spins: train it without a bias"
        )
    if required is not None and parity != required:
        raise UsageError(
            f"--{required} {text}: {function.name} is {parity} under a flip of all spins"
        )
    return ChosenFunction(function, identity, ANY if parity == "mixed" else parity)
