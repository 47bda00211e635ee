"""How the Ashkin-Teller model is sampled: sigma and tau are the two bits of one of four states."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import State
from rsmi.lattice.packed import unpack_spins
from rsmi.models.potts.simulation import StatesSimulation
from rsmi.models.potts.system import System, any_of

STATES = 4  # sigma is bit 0 and tau bit 1 of a state, so that the planes are the two components


@dataclass(frozen=True)
class AshkinTellerSimulation(StatesSimulation):
    """The Ashkin-Teller model.

    Attributes
    ----------
    ratio : float
        U/J, the four-spin coupling.
    """

    ratio: float = 0.0
    q: int = STATES
    model = "ashkin-teller"

    @property
    def system(self) -> System:
        return ashkin_teller_system(self.ratio)

    @property
    def physics(self) -> dict:
        own = super().physics | {"couplings": {"four-spin": self.ratio}}
        return {name: value for name, value in own.items() if name != "states"}

    def attributes(self) -> dict:
        return super().attributes() | {"couplings": {"four-spin": self.ratio}}

    @property
    def states(self) -> int:
        return 2

    @property
    def components(self) -> int:
        return 2

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        rows = self.advance(state, clusters_per_sweep, 0, sweeps)
        orders = magnetizations(rows["spins"], self.shape)
        return [rows["energy"], *map(np.abs, orders.values())]


def magnetizations(
    rows: NDArray[np.uint8], shape: tuple[int, ...]
) -> dict[str, NDArray[np.float64]]:
    """Return sigma, tau and their product, averaged over the sites of packed configurations, each
    (n,)."""
    spins = unpack_spins(rows, (2, math.prod(shape)))
    fields = {"sigma": spins[:, 0], "tau": spins[:, 1], "product": spins[:, 0] * spins[:, 1]}
    return {name: field.mean(axis=1, dtype=np.float64) for name, field in fields.items()}


@functools.cache
def ashkin_teller_system(ratio: float) -> System:
    """Return the energy -J (s s' + t t') - U s s' t t' of a bond; clusters flip sigma, tau, or
    both."""
    state = np.arange(STATES)
    sigma, tau = 2 * (state & 1) - 1, 2 * (state >> 1) - 1
    equal = [np.multiply.outer(spin, spin) for spin in (sigma, tau)]
    energies = -(equal[0] + equal[1] + ratio * equal[0] * equal[1])
    return System(energies.astype(np.float64), *any_of([state ^ bits for bits in (1, 2, 3)]))


def states_of_spins(spins: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the states (n, \\*shape) of the spins sigma and tau, (n, 2, \\*shape)."""
    return ((spins[:, 0] > 0) + 2 * (spins[:, 1] > 0)).astype(np.int8)


def ratio_of(attributes: Mapping) -> float:
    """Return U/J of a samples file, or of a request."""
    own = attributes.get("model_parameters") or attributes
    return float(own.get("couplings", {}).get("four-spin", 0.0))
