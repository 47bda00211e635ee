"""The functions that a spectrum measures: resolved from the command line, with their sectors."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import pack_spins
from rsmi.models.spins import component_fields
from rsmi.renormalization import rules
from rsmi.renormalization.spectrum import functions
from rsmi.renormalization.spectrum.readings import Function
from rsmi.renormalization.spectrum.readouts import measured_parity
from rsmi.renormalization.spectrum.site_functions import OfModel, OfSpins, OfUnit, SiteFunction
from rsmi.renormalization.spectrum.tables import function_of_unit
from rsmi.stages.rule_option import ChosenRule, choose_rule, require_components
from rsmi.stages.spectrum.labels import unique_labels
from rsmi.stages.spectrum.request import Choices, System
from rsmi.store import File, canonical_json, text_digest

MAGNETIZATION, ENERGY = "magnetization", "energy"
SECTORS = ("odd", "even")
ANY = "any"
_MOST_FUNCTIONS = 16
_PARITY_SAMPLES = 100


@dataclass(frozen=True)
class ChosenFunction:
    """A function, what identifies it among parameters, its sector (``odd``, ``even`` or ``any``),
    and what people call it if it comes from a file."""

    function: SiteFunction
    identity: dict[str, Any]
    sector: str
    label: str = ""


@dataclass(frozen=True)
class ChosenFunctions:
    """The functions of a spectrum: in each sector first the naive ones.

    Attributes
    ----------
    chosen : tuple of ChosenFunction
        First the odd functions, then the even ones, then others.
    inputs : tuple of File
        The files of learned rules.
    """

    chosen: tuple[ChosenFunction, ...]
    inputs: tuple[File, ...]

    def of(self, sector: str) -> tuple[Function, ...]:
        """The functions of one sector that are functions of one spin per site."""
        return tuple(
            one.function.function
            for one in self.chosen
            if one.sector == sector and isinstance(one.function, OfSpins)
        )

    def names(self, sector: str) -> tuple[str, ...]:
        """The names of the functions of one sector."""
        return tuple(one.function.name for one in self.chosen if one.sector == sector)

    @property
    def labels(self) -> dict[str, str]:
        """What people call the functions that come from files, by their names."""
        return unique_labels({one.function.name: one.label for one in self.chosen if one.label})

    @property
    def identity(self) -> dict[str, Any]:
        """The parameters that say which functions are measured."""
        return {"functions": [one.identity for one in self.chosen]}


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
    rows = random_rows(system.smallest)
    naive = [
        _checked(function, {"name": function.name}, function.name, None, system, rows, choices)
        for function in [*_naive(system), *(_orders(system) if choices.correlation else ())]
    ]
    files: dict[str, File] = {}
    others = []
    for text, sector in choices.texts:
        for function, identity, inputs, label in _resolve(stack, text, choices, system):
            checked = _checked(function, identity, text, sector, system, rows, choices)
            others.append(replace(checked, label=label))
            files |= {file.digest: file for file in inputs}
    chosen = _without_repetition([*naive, *others])
    if len(chosen) > _MOST_FUNCTIONS:
        raise UsageError(f"{len(chosen)} functions: at most {_MOST_FUNCTIONS} can be measured")
    ordered = [one for sector in (*SECTORS, ANY) for one in chosen if one.sector == sector]
    return ChosenFunctions(tuple(ordered), tuple(files.values()))


def _naive(system: System) -> list[SiteFunction]:
    """The functions that are always measured."""
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

_Resolved = tuple[SiteFunction, dict[str, Any], tuple[File, ...], str]


def _resolve(
    stack: contextlib.ExitStack, text: str, choices: Choices, system: System
) -> list[_Resolved]:
    """The functions that one option names: one for each hidden unit of a rule."""
    known = {one.name: one for one in _naive(system)}
    known |= {one.name: one for one in (_orders(system) if choices.correlation else ())}
    if system.components == 1:
        operators = functions.named_functions(system.dimension)
        known |= {name: OfSpins(one) for name, one in operators.items()}
    if text in known:
        return [(known[text], {"name": text}, (), "")]
    try:
        rule = choose_rule(stack, text, choices.block, choices.readout == "hard", system.dimension)
    except UsageError as error:
        if "neither a file nor" not in str(error):
            raise
        names = ", ".join([*known, *rules.NAMED])
        raise UsageError(f"--function {text}: neither a file nor one of {names}") from error
    require_components(text, rule.rule, system.components, "the lattice")
    return [
        (
            *_of_unit(rule, unit, choices.readout, system),
            rule.inputs,
            _label(text, rule, unit, choices.readout),
        )
        for unit in range(rule.rule.n_hidden)
    ]


def _of_unit(
    chosen: ChosenRule, unit: int, readout: str, system: System
) -> tuple[SiteFunction, dict[str, Any]]:
    """The function of one hidden unit of a rule, of one spin per site averaged over the symmetries
    of the lattice."""
    rule, named = chosen.rule, chosen.file is None
    readout = _readout(chosen, readout)
    name = _unit_name(chosen, unit, readout)
    identity = {key: value for key, value in chosen.identity.items() if key != "hard"}
    identity |= {"readout": readout} | ({} if rule.n_hidden == 1 and named else {"unit": unit + 1})
    if system.components > 1:
        return OfUnit(name, rule, unit, readout, system.model.sublattice_signs), identity
    try:
        return OfSpins(function_of_unit(name, rule, unit, readout == "linear")), identity
    except ValueError as error:
        raise UsageError(f"--function {name}: {error}") from error


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
    function: SiteFunction,
    identity: dict[str, Any],
    text: str,
    required: str | None,
    system: System,
    rows: NDArray[np.uint8],
    choices: Choices,
) -> ChosenFunction:
    """The function with its sector, as measured on random configurations."""
    if not (system.has_sectors and isinstance(function, OfSpins)):
        if required is not None:
            raise UsageError(
                f"--{required} {text}: the samples are not known to be symmetric under a flip of"
                " all spins: give --function"
            )
        return ChosenFunction(function, identity, ANY)
    parity = measured_parity(function.function, rows, system.smallest)
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


def random_rows(shape: Sequence[int]) -> NDArray[np.uint8]:
    """Independent spins, the same in every call: parity belongs to a function, not to samples."""
    random = np.random.Generator(np.random.PCG64(0))
    return pack_spins(random.integers(0, 2, (_PARITY_SAMPLES, *shape)))
