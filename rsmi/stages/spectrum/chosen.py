"""The functions that a spectrum measures, with their sectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.packed import pack_spins
from rsmi.lattice.waves import Wave
from rsmi.renormalization.spectrum.averages import Average, OfEnergy
from rsmi.renormalization.spectrum.site_functions import SiteFunction
from rsmi.renormalization.spectrum.spreads import Operator
from rsmi.stages.spectrum.labels import unique_labels
from rsmi.store import File

MAGNETIZATION, ENERGY = "magnetization", "energy"
SECTORS = ("odd", "even")
ANY = "any"
_PARITY_SAMPLES = 100


@dataclass(frozen=True)
class HiddenUnit:
    """Where a function comes from that is a hidden unit of a rule with linear filters.

    Attributes
    ----------
    rule : str
        The same for all units of a rule.
    block : tuple of int
    wave : tuple of Fraction
        The wave vector of the order that the unit follows.
    """

    rule: str
    block: tuple[int, ...]
    wave: Wave


class Resolved(NamedTuple):
    """A function that an option names, what identifies it among parameters, the files of its rule,
    and what people call it if it comes from a file."""

    function: SiteFunction | Average
    identity: dict[str, Any]
    inputs: tuple[File, ...] = ()
    label: str = ""
    unit: HiddenUnit | None = None


@dataclass(frozen=True)
class ChosenFunction:
    """A function, what identifies it among parameters, its sector (``odd``, ``even`` or ``any``),
    what people call it if it comes from a file, and its place in a rule."""

    function: SiteFunction | Average
    identity: dict[str, Any]
    sector: str
    label: str = ""
    unit: HiddenUnit | None = None


@dataclass(frozen=True)
class ChosenFunctions:
    """The functions of a spectrum: in each sector first the naive ones.

    Attributes
    ----------
    chosen : tuple of ChosenFunction
        First the odd functions, then the even ones, then others.
    inputs : tuple of File
        The files of learned rules.
    dimension : int
        Of the lattice.
    """

    chosen: tuple[ChosenFunction, ...]
    inputs: tuple[File, ...]
    dimension: int

    def of(self, sector: str) -> tuple[SiteFunction | Average, ...]:
        """The functions of one sector."""
        return tuple(one.function for one in self.chosen if one.sector == sector)

    def names(self, sector: str) -> tuple[str, ...]:
        """The names of the functions of one sector."""
        return tuple(one.name for one in self.of(sector))

    @property
    def labels(self) -> dict[str, str]:
        """What people call the functions that come from files, by their names."""
        return unique_labels({one.function.name: one.label for one in self.chosen if one.label})

    @property
    def operators(self) -> list[Operator]:
        """The functions of sites, each by itself or with units of the same rule that follow an
        order with the same wave vector."""
        by_rule: dict[HiddenUnit | int, list[int]] = {}
        for number, one in enumerate(self.chosen):
            by_rule.setdefault(one.unit or number, []).append(number)
        site, uniform = (1,) * self.dimension, (Fraction(0),) * self.dimension
        return [
            Operator(tuple(numbers), unit.wave, unit.block)
            if isinstance(unit, HiddenUnit)
            else Operator(tuple(numbers), uniform, site)
            for unit, numbers in by_rule.items()
        ]

    @property
    def with_energies(self) -> bool:
        """Whether the energies that come with samples are one of the functions."""
        return any(isinstance(one.function, OfEnergy) for one in self.chosen)

    @property
    def sites(self) -> list[SiteFunction]:
        """The functions that have a value at every site."""
        return [one.function for one in self.chosen if not isinstance(one.function, Average)]

    @property
    def identity(self) -> dict[str, Any]:
        """The parameters that say which functions are measured."""
        return {"functions": [one.identity for one in self.chosen]}


def random_rows(shape: Sequence[int]) -> NDArray[np.uint8]:
    """Independent spins, the same in every call: parity belongs to a function, not to samples."""
    random = np.random.Generator(np.random.PCG64(0))
    return pack_spins(random.integers(0, 2, (_PARITY_SAMPLES, *shape)))
