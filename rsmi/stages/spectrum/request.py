"""What a spectrum measures: the functions, their sectors and the fit, checked."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import pack_spins
from rsmi.renormalization import rules
from rsmi.renormalization.operators import OPERATORS
from rsmi.renormalization.spectrum import functions
from rsmi.renormalization.spectrum.fits import FEWEST_FOR_FREE_OMEGA
from rsmi.renormalization.spectrum.modes import refuse_modes
from rsmi.renormalization.spectrum.readings import Function
from rsmi.renormalization.spectrum.readouts import measured_parity
from rsmi.renormalization.spectrum.tables import function_of_unit
from rsmi.stages.rule_option import ChosenRule, choose_rule, require_components
from rsmi.store import File

MAGNETIZATION, ENERGY = "magnetization", "energy"
SECTORS = ("odd", "even")
_MOST_FUNCTIONS = 16
_PARITY_SAMPLES = 100


@dataclass(frozen=True)
class Choices:
    """The options of the command; None and empty for what is not given.

    Attributes
    ----------
    function, odd, even : tuple of str
        Functions of any sector, and those that must be odd or even.
    block : str, optional
        The block of named rules and filters in CSV and NPY files.
    readout : {"soft", "hard", "linear"}
        What a hidden unit stands for.
    omega : float or "free", optional
        The exponent of corrections.
    modes, correlation : bool
    """

    function: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    even: tuple[str, ...] = ()
    block: str | None = None
    readout: str = "soft"
    omega: float | str | None = None
    modes: bool = False
    correlation: bool = False

    @property
    def texts(self) -> list[tuple[str, str | None]]:
        """Every function with its option's sector."""
        return [
            *((text, None) for text in self.function),
            *((text, "odd") for text in self.odd),
            *((text, "even") for text in self.even),
        ]


@dataclass(frozen=True)
class ChosenFunction:
    """A function of the spins, its sector, and what identifies it among parameters."""

    function: Function
    identity: dict[str, Any]
    sector: str


@dataclass(frozen=True)
class ChosenFunctions:
    """The functions of a spectrum: in each sector first the naive one.

    Attributes
    ----------
    chosen : tuple of ChosenFunction
        First the odd functions, then the even ones.
    inputs : tuple of File
        The files of learned rules.
    """

    chosen: tuple[ChosenFunction, ...]
    inputs: tuple[File, ...]

    def of(self, sector: str) -> tuple[Function, ...]:
        """The functions of one sector."""
        return tuple(one.function for one in self.chosen if one.sector == sector)

    def names(self, sector: str) -> tuple[str, ...]:
        """The names of the functions of one sector."""
        return tuple(one.name for one in self.of(sector))

    @property
    def identity(self) -> dict[str, Any]:
        """The parameters that say which functions are measured."""
        return {"functions": [one.identity for one in self.chosen]}


def parameters_of(choices: Choices, functions: ChosenFunctions) -> dict[str, Any]:
    """The parameters of a spectrum file beside those of sampling."""
    fit = {} if choices.omega is None else {"omega": choices.omega}
    return functions.identity | {"modes": choices.modes} | fit


def require_sizes(shapes: Sequence[tuple[int, ...]], choices: Choices) -> None:
    """Raise UsageError unless there are two or more lattices of one form, and enough of them for
    the fit."""
    if len(set(shapes)) < 2:
        raise UsageError(
            f"all samples are of {shape_text(shapes[0])}: a scaling dimension takes two lattice"
            " sizes at least; three or more allow an extrapolation"
        )
    first = shapes[0]
    for shape in shapes[1:]:
        if any(side * first[0] != shape[0] * other for side, other in zip(shape, first)):
            raise UsageError(
                f"{shape_text(first)} and {shape_text(shape)} are not of one form: only lattices of"
                " one form scale"
            )

    if choices.omega == "free" and len(set(shapes)) < FEWEST_FOR_FREE_OMEGA:
        raise UsageError(
            f"--omega free: a free omega needs {FEWEST_FOR_FREE_OMEGA} sizes, not"
            f" {len(set(shapes))}; give a number"
        )


def require_modes(shapes: Sequence[tuple[int, ...]], choices: Choices) -> None:
    """Raise UsageError if modes are to be measured on a lattice that has none."""
    for shape in shapes if choices.modes else ():
        if reason := refuse_modes(shape):
            raise UsageError(f"--modes: a lattice of {shape_text(shape)} has none: {reason}")


def choose_functions(
    stack: contextlib.ExitStack, choices: Choices, dimension: int, shape: Sequence[int]
) -> ChosenFunctions:
    """Resolve the functions and measure their sectors.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Closes the files of learned rules.
    choices : Choices
    dimension : int
        The number of axes.
    shape : sequence of int
        A lattice on which parities are measured.

    Raises
    ------
    UsageError, DataError
        If a name is unknown, a file cannot be used, a function is of no sector or of another one
        than its option says, or is constant.
    """
    rows = random_rows(shape)
    naive = [
        _checked(function, {"name": function.name}, function.name, sector, rows, shape)
        for sector, function in _naive(dimension).items()
    ]
    files: dict[str, File] = {}
    others = []
    for text, sector in choices.texts:
        for function, identity, inputs in _resolve(stack, text, choices, dimension):
            others.append(_checked(function, identity, text, sector, rows, shape))
            files |= {file.digest: file for file in inputs}
    chosen = _without_repetition([*naive, *others])
    if len(chosen) > _MOST_FUNCTIONS:
        raise UsageError(f"{len(chosen)} functions: at most {_MOST_FUNCTIONS} can be measured")
    ordered = [one for sector in SECTORS for one in chosen if one.sector == sector]
    return ChosenFunctions(tuple(ordered), tuple(files.values()))


def _naive(dimension: int) -> dict[str, functions.LocalFunction]:
    """The functions that are always measured, by sector."""
    return {
        "odd": functions.magnetization(dimension),
        "even": functions.bond_energy(dimension, ENERGY),
    }


def _without_repetition(chosen: Sequence[ChosenFunction]) -> list[ChosenFunction]:
    by_identity = {str(one.identity): one for one in reversed(chosen)}
    return list(reversed(by_identity.values()))


# ---- functions -----------------------------------------------------------------------------------

_Resolved = tuple[Function, dict[str, Any], tuple[File, ...]]


def _resolve(
    stack: contextlib.ExitStack, text: str, choices: Choices, dimension: int
) -> list[_Resolved]:
    """The functions that one option names: one for each hidden unit of a rule."""
    known: dict[str, functions.LocalFunction] = {
        one.name: one for one in _naive(dimension).values()
    }
    known |= functions.named_functions(dimension)
    if text in known:
        return [(known[text], {"name": text}, ())]
    try:
        rule = choose_rule(stack, text, choices.block, choices.readout == "hard", dimension)
    except UsageError as error:
        if "neither a file nor" not in str(error):
            raise
        names = ", ".join([MAGNETIZATION, ENERGY, *_operator_names(dimension), *rules.NAMED])
        raise UsageError(f"--function {text}: neither a file nor one of {names}") from error
    require_components(text, rule.rule, 1, "a spectrum")
    return [
        (*_of_unit(rule, unit, choices.readout), rule.inputs) for unit in range(rule.rule.n_hidden)
    ]


def _operator_names(dimension: int) -> list[str]:
    return [one.name for sector in OPERATORS[dimension].values() for one in sector]


def _of_unit(chosen: ChosenRule, unit: int, readout: str) -> tuple[Function, dict[str, Any]]:
    """The function of one hidden unit of a rule, averaged over the symmetries of the lattice."""
    rule = chosen.rule
    named = "name" in chosen.identity and chosen.file is None
    readout = "hard" if rule.hard else readout
    name = _unit_name(chosen, unit, readout)
    identity = {key: value for key, value in chosen.identity.items() if key != "hard"}
    identity |= {"readout": readout} | ({} if rule.n_hidden == 1 and named else {"unit": unit + 1})
    try:
        return function_of_unit(name, rule, unit, readout == "linear"), identity
    except ValueError as error:
        raise UsageError(f"--function {name}: {error}") from error


def _unit_name(chosen: ChosenRule, unit: int, readout: str) -> str:
    """How tables name a unit: never by the path of a file, on which no digest depends."""
    rule = chosen.rule
    origin = "learned" if chosen.file is not None else chosen.identity["name"]
    several = f" unit {unit + 1}" if rule.n_hidden > 1 else ""
    code = f" ({chosen.file.file.digest[:8]})" if chosen.file is not None else ""
    how = "" if chosen.file is None and chosen.identity["name"] in rules.NAMED else f", {readout}"
    return f"{origin} {shape_text(rule.block)}{several}{how}{code}"


# ---- sectors -------------------------------------------------------------------------------------


def _checked(
    function: Function,
    identity: dict[str, Any],
    text: str,
    required: str | None,
    rows: NDArray[np.uint8],
    shape: Sequence[int],
) -> ChosenFunction:
    """The function with its sector, as measured on random configurations."""
    parity = measured_parity(function, rows, shape)
    if parity == "mixed":
        raise UsageError(
            f"--function {text}: {function.name} is neither odd nor even under a flip of all"
            " spins: train it without a bias"
        )
    if required is not None and parity != required:
        raise UsageError(
            f"--{required} {text}: {function.name} is {parity} under a flip of all spins"
        )
    return ChosenFunction(function, identity, parity)


def random_rows(shape: Sequence[int]) -> NDArray[np.uint8]:
    """Independent spins, the same in every call: parity belongs to a function, not to samples."""
    random = np.random.Generator(np.random.PCG64(0))
    return pack_spins(random.integers(0, 2, (_PARITY_SAMPLES, *shape)))
