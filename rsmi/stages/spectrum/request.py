"""What a spectrum measures: the options of the command, and which lattices they fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.order import OrderParameter
from rsmi.models.base import Model
from rsmi.renormalization.spectrum.fits import FEWEST_FOR_FREE_OMEGA
from rsmi.renormalization.spectrum.modes import refuse_modes

_FEWEST = 4  # samples of a lattice


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
class System:
    """What is sampled: its model and lattices.

    Attributes
    ----------
    model : Model
    attributes : mapping
        Those of the samples, the same for all lattices but for ``shape``.
    shapes : tuple of tuple of int
    """

    model: Model
    attributes: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def components(self) -> int:
        """The number of binary variables of a site."""
        return self.attributes.get("components", 1)

    @property
    def states(self) -> int:
        """The number of states of a variable."""
        return self.attributes.get("states", 2)

    @property
    def dimension(self) -> int:
        """The number of axes."""
        return len(self.shapes[0])

    @property
    def smallest(self) -> tuple[int, ...]:
        """The smallest lattice."""
        return min(self.shapes, key=math.prod)

    @property
    def flips(self) -> bool:
        """Whether a flip of all spins divides functions into odd and even ones."""
        return self.model.symmetric(self.attributes)

    @cached_property
    def order(self) -> OrderParameter | None:
        """The order parameter that the model declares; None for the average of the spins."""
        return self.model.order(self.attributes)

    @property
    def has_sectors(self) -> bool:
        """Whether scaling dimensions can be measured: there is an order, or a flip of one spin per
        site."""
        return self.order is not None or (self.components == 1 and self.flips)


def parameters_of(choices: Choices, functions: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a file beside those of sampling; ``functions`` are those that say which
    functions are measured."""
    if choices.correlation:
        return {**functions, "correlation": True}
    fit = {} if choices.omega is None else {"omega": choices.omega}
    return {**functions} | {"modes": choices.modes} | fit


def require_consistency(choices: Choices) -> None:
    """Raise UsageError for options that mean nothing together."""
    for option, given in (("--modes", choices.modes), ("--omega", choices.omega is not None)):
        if choices.correlation and given:
            raise UsageError(f"{option}: belongs to scaling dimensions, not to --correlation")


def require_samples(source: str, samples: int) -> None:
    """Raise UsageError if there are too few samples of a lattice for an error."""
    if samples < _FEWEST:
        raise UsageError(f"{source}: {samples} samples: at least {_FEWEST} are needed")


def require_sizes(shapes: Sequence[tuple[int, ...]], choices: Choices) -> None:
    """Raise UsageError unless there are two or more lattices of one form, and enough of them for
    the fit. Correlation functions take any lattices."""
    if choices.correlation:
        return
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


def require_modes(system: System, choices: Choices) -> None:
    """Raise UsageError if modes are to be measured on a lattice that has none."""
    if choices.modes and system.order is not None:
        raise UsageError(
            f"--modes: the {system.order.name} of {system.model.label(system.attributes)} is no"
            " average of one spin per site of a square array; leave --modes out"
        )
    for shape in system.shapes if choices.modes else ():
        if reason := refuse_modes(shape):
            raise UsageError(f"--modes: a lattice of {shape_text(shape)} has none: {reason}")


def require_sectors(system: System, choices: Choices) -> None:
    """Raise UsageError if scaling dimensions are to be measured of a system without an order, or on
    lattices that its waves do not fit."""
    if choices.correlation:
        if system.states > 2:
            raise UsageError(
                f"--correlation: the variables have {system.states} states, and correlation"
                " functions are those of variables with two; leave it out for scaling dimensions"
            )
        return
    if system.order is not None:
        for shape in system.shapes:
            system.order.check_shape(shape, "a lattice of")
    if system.has_sectors:
        return
    if system.components > 1:
        raise UsageError(
            f"{system.components} components per site: scaling dimensions are measured of one spin"
            " per site, and of models that name an order; --correlation takes any number of"
            " components"
        )
    if system.states > 2:
        raise UsageError(
            f"the samples are not known to be symmetric under relabellings of their {system.states}"
            " states, which divide functions into odd and even ones: if they are, import them with"
            " --symmetric permutations or --symmetric dihedral"
        )
    raise UsageError(
        "the samples are not known to be symmetric under a flip of all spins, which divides"
        " functions into odd and even ones, and their model names no order at a wave vector: if the"
        " flip is a symmetry, import them with --symmetric flip; --correlation needs no symmetry"
    )
