"""Local functions of sites with one or several variables, as arrays of their values.

Correlation functions and structure factors need the value of a function at every site. Here a
function takes configurations (n, components, \\*shape) of +-1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.rules import Rule
from rsmi.renormalization.spectrum.readings import Function, fields_of

Fields = NDArray[np.float64]
_TIE = 1e-9  # of the sum of the weights: a smaller |x| is a tie, as in `rsmi.renormalization.rules`


class SiteFunction(Protocol):
    """A local function of configurations with any number of components."""

    @property
    def name(self) -> str: ...

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields:
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
    """A hidden unit of a block of several components.

    Attributes
    ----------
    name : str
    rule : Rule
        With linear filters.
    unit : int
        The number of the hidden unit, from 0.
    readout : {"soft", "hard", "linear"}
        The expected spin tanh(x/2), the sign of x, or x in units of its largest value.
    signs : callable
        Takes the shape of a lattice and returns the signs (\\*shape) with which the meaning of a
        block alternates between the sublattices, or None. The function is then multiplied by the
        sign of the block's first site, after its average over the lattice has been subtracted: a
        constant would become a staggered field.
    """

    name: str
    rule: Rule
    unit: int
    readout: str
    signs: Callable[[Sequence[int]], NDArray[np.int8] | None]

    def at_sites(self, configurations: NDArray[np.int8]) -> Fields:
        """Return the values (n, \\*shape) for configurations (n, components, \\*shape) of +-1."""
        values = self._read(self._argument(configurations))
        signs = self.signs(configurations.shape[2:])
        if signs is None:
            return values
        axes = tuple(range(1, values.ndim))
        return (values - values.mean(axis=axes, keepdims=True)) * signs

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
