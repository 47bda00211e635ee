"""Local functions of sites with one or several variables, as arrays of their values.

Correlation functions and structure factors need the value of a function at every site. Here a
function takes configurations (n, components, \\*shape) of +-1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.order import phases_of
from rsmi.lattice.waves import Wave
from rsmi.renormalization.rules import Rule
from rsmi.renormalization.spectrum.readings import Function, fields_of

Fields = NDArray[np.float64]
ComplexFields = NDArray[np.complex128]
_TIE = 1e-9  # of the sum of the weights: a smaller |x| is a tie, as in `rsmi.renormalization.rules`


class SiteFunction(Protocol):
    """A local function of configurations with any number of components."""

    @property
    def name(self) -> str: ...

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields | ComplexFields:
        """Return the values (n, \\*shape) for configurations (n, components, \\*shape) of +-1."""


@dataclass(frozen=True)
class OfSpins:
    """A function of one spin per site."""

    function: Function

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.name

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields:
        """Return the values (n, \\*shape) for configurations (n, 1, \\*shape) of +-1."""
        return fields_of(self.function, configurations[:, 0])


@dataclass(frozen=True)
class OfModel:
    """A field that a model names (`rsmi.models.base.Model.fields`)."""

    name: str
    values: Callable[[NDArray[np.int8]], Fields]

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields:
        """Return the values (n, \\*shape) for configurations (n, components, \\*shape) of +-1."""
        return self.values(configurations)


@dataclass(frozen=True)
class OfUnit:
    """A hidden unit of a block of one or several components.

    Attributes
    ----------
    name : str
    rule : Rule
        With linear filters.
    unit : int
        The number of the hidden unit, from 0.
    readout : {"soft", "hard", "linear"}
        The expected spin tanh(x/2), the sign of x, or x in units of its largest value.
    wave : tuple of Fraction, optional
        The wave vector Q of the order that the unit follows, in fractions of 2 pi. Unless it
        vanishes, the function is multiplied by exp(-i Q.x), x the block's first site, after its
        average over the lattice has been subtracted: a constant would become a wave.
    """

    name: str
    rule: Rule
    unit: int
    readout: str
    wave: Wave = ()

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields | ComplexFields:
        """Return the values (n, \\*shape) for configurations (n, components, \\*shape) of +-1. They
        are complex if the wave has a period of more than two sites."""
        values = self._read(self._argument(configurations))
        if not any(self.wave):
            return values
        axes = tuple(range(1, values.ndim))
        phases = phases_of(self.wave, configurations.shape[2:]).conj()
        centred = values - values.mean(axis=axes, keepdims=True)
        return centred * (phases if phases.imag.any() else phases.real)

    def _argument(self, configurations: NDArray[np.int8]) -> Fields:
        weights = self.rule.filters[self.unit].reshape(self.rule.components, *self.rule.block)
        axes = tuple(range(1, configurations.ndim - 1))
        x = np.full((len(configurations), *configurations.shape[2:]), self.rule.bias[self.unit])
        for place in zip(*np.nonzero(weights)):
            component, steps = place[0], tuple(-step for step in place[1:])
            x += weights[place] * np.roll(configurations[:, component], steps, axes)
        return x

    def _read(self, x: Fields) -> Fields:
        scale = float(np.abs(self.rule.filters[self.unit]).sum())
        if self.readout == "linear":
            return x / scale
        if self.readout == "soft":
            return np.tanh(x / 2)
        return np.where(np.abs(x) <= _TIE * scale, 0.0, np.sign(x))
