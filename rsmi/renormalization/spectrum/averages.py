"""Functions of configurations that are known by one number for each: lattice averages and order
parameters, of lattices with any number of components.

`rsmi.renormalization.spectrum.readings` measures functions of one spin per site, which is faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.order import Order, OrderParameter
from rsmi.lattice.packed import unpack_spins, unpack_states
from rsmi.renormalization.spectrum.site_functions import SiteFunction

_SITES_AT_ONCE = 1 << 20  # of configurations that are looked at site by site
Values = NDArray[np.float64]


@runtime_checkable
class Average(Protocol):
    """A function of which one number is measured in each configuration."""

    @property
    def name(self) -> str: ...

    @property
    def odd(self) -> bool:
        """Whether a symmetry turns it round, so that its moments scale."""

    def averages(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> Values:
        """Return the values (n,) of packed configurations (n, bytes) of a lattice."""


@dataclass(frozen=True)
class OfOrder:
    """An order parameter of the variables themselves."""

    order: OrderParameter
    odd: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The name of the order."""
        return self.order.name

    def averages(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> Values:
        """Return the length of the order parameter (n,)."""
        return self.order.moduli(rows, shape)


@dataclass(frozen=True)
class OfEnergy:
    """Minus the energy per site.

    Attributes
    ----------
    name : str
    energies : callable
        Returns the energies (n,) in J of configurations (n, components, \\*shape) of +-1.
    components : int
    states : int
        Of a variable. Those with more than two are codes in the configurations.
    """

    name: str
    energies: Callable[[NDArray], NDArray]
    components: int
    states: int = 2
    odd: ClassVar[bool] = False

    def per_site(self, energies: NDArray, shape: Sequence[int]) -> Values:
        """Return minus the energies (n,) per site of a lattice."""
        return -np.asarray(energies, dtype=np.float64) / (self.components * np.prod(shape))

    def averages(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> Values:
        """Return minus the energy per site (n,)."""
        whole = (self.components, *shape)
        if self.states > 2:
            variables = unpack_states(rows, self.states, whole).astype(np.int8)
        else:
            variables = unpack_spins(rows, whole)
        return self.per_site(self.energies(variables), shape)


@dataclass(frozen=True)
class OfSites:
    """The average of a local function over the lattice, or its part with the waves of an order.

    Attributes
    ----------
    function : SiteFunction
    components : int
        Of a site.
    order : Order, optional
        Whose waves are taken; without it the average is.
    turned : bool
        Whether a symmetry turns the average round, which has no order.
    """

    function: SiteFunction
    components: int
    order: Order | None = None
    turned: bool = False

    @property
    def odd(self) -> bool:
        """Whether a symmetry turns it round."""
        return self.turned or self.order is not None

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.name

    def averages(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> Values:
        """Return the average (n,) of the function, or the length of its part with the waves."""
        step = max(1, _SITES_AT_ONCE // int(np.prod(shape)))
        parts = [rows[first : first + step] for first in range(0, len(rows), step)]
        return np.concatenate([self._of_few(part, shape) for part in parts])

    def _of_few(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> Values:
        values = self.function.at_sites(unpack_spins(rows, (self.components, *shape))).real
        if self.order is not None:
            return self.order.moduli_of_field(values)
        return values.reshape(len(values), -1).mean(axis=1)
