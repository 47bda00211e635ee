"""The clock model's answers to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.symbols import DIHEDRAL
from rsmi.models.base import Known, KnownValue
from rsmi.models.ising import facts
from rsmi.models.potts import known as potts
from rsmi.models.potts.simulation import StatesSimulation
from rsmi.models.potts.states_model import StatesModel
from rsmi.models.potts.system import System, any_of

_HELP = """The clock model has the energy -J times the sum of cos(2 pi (s - s')/Q) over bonds, where
a variable is one of Q angles. --coupling is the K = J/(k_B T) of this energy.

Two states are the Ising model, three the Potts model at 2/3 of its K. Four are two independent
Ising models at half of their K: K_c = 0.8814. For Q >= 5 there are two transitions of
Kosterlitz-Thouless type in two dimensions, with a critical phase between them: for Q = 6 at about
0.70 and 0.90 J/k_B (Y. Tomita, Y. Okabe, Phys. Rev. B 65, 184405 (2002)).

With 16 states it is the XY model to many digits. In one dimension the free energy per site is that
of XY to 4e-14 k_B T at K = 2. In two dimensions the weight of an angle beside four aligned
neighbours is that of XY to 3e-9 at K = 1.12, its transition, and to 1e-4 at K = 3; at still lower
temperatures the angles lock in.

wolff reflects one cluster of angles at a time, s -> r - s. All r occur, so that every state is
reached also if Q is even; heat-bath updates one site at a time. auto takes heat-bath at high
temperature, K < 1.2/d in d dimensions, and wolff otherwise. The order parameter is the
mean vector (cos, sin)."""


class Clock(StatesModel):
    """Energy E = -J sum of cos(2 pi (s - s')/q) over nearest neighbours, K = J/(k_B T) > 0."""

    name = "clock"
    title = "clock model with 2 to 16 states, XY with 16"
    help = _HELP
    examples = (
        (
            "six angles in the critical phase",
            "rsmi sample --model clock --states 6 --size 32 --temperature 0.8 --samples 5000"
            " -o clock.h5",
        ),
        (
            "the XY model at its transition",
            "rsmi sample --model clock --states 16 --size 32 --temperature 0.8929 --samples 5000"
            " -o xy.h5",
        ),
    )
    algorithms = ("wolff", "heat-bath")
    energy_type = "float64"
    relabellings = DIHEDRAL

    def system(self, states: int) -> System:
        return clock_system(states)

    def simulation(self, parameters: Mapping[str, Any]) -> ClockSimulation:
        return ClockSimulation(
            tuple(parameters["shape"]),
            parameters["coupling"],
            _algorithm(parameters),
            parameters["seed"],
            parameters["states"],
        )

    def transition(self, dimension: int, states: int) -> Known:
        return known(dimension, states)

    def state_features(self, attributes: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the cosine and the sine of the angle of every state."""
        angles = 2 * np.pi * np.arange(attributes["states"]) / attributes["states"]
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).round(15)


# Heat bath makes more independent samples below this K d: on 64x64 sites with six states 3.4 times
# as many at K = 0.3 and 1.3 times at K = 0.6, but half as many at K = 0.8.
_HEAT_BATH_BELOW = 1.2


def _algorithm(parameters: Mapping[str, Any]) -> str:
    if parameters["algorithm"] != "auto":
        return parameters["algorithm"]
    strength = parameters["coupling"] * len(parameters["shape"])
    return "heat-bath" if strength < _HEAT_BATH_BELOW else "wolff"


@dataclass(frozen=True)
class ClockSimulation(StatesSimulation):
    """The clock model."""

    model = "clock"
    symmetry = DIHEDRAL

    @property
    def system(self) -> System:
        return clock_system(self.q)


@functools.cache
def clock_system(states: int) -> System:
    """Return the clock model: energy -J cos of the angle between two states; clusters are
    reflected."""
    state = np.arange(states)
    angles = 2 * np.pi * np.subtract.outer(state, state) / states
    reflections = [np.mod(r - state, states) for r in range(states)]
    return System(-np.cos(angles).round(15), *any_of(reflections))


def known(dimension: int, states: int) -> Known:
    """Return what is known of the clock model in 1, 2 or 3 dimensions: that of two states is the
    Ising model, that of three the Potts model, and that of four two Ising models."""
    ising = facts.CRITICAL_COUPLING.get(dimension)
    if states == 3 and dimension == 2:
        return _of_three()
    if states not in (2, 4) or ising is None:
        return Known(no_critical_point=_no_critical_point(dimension, states))
    value = ising * states / 2
    critical = KnownValue(value, f"{value:.9g}", facts.CRITICAL_SOURCE[dimension], dimension == 2)
    if dimension == 3:
        return Known(critical_coupling=critical)
    energy = -math.sqrt(2)  # of one Ising model at K_c
    own = potts.known(2, 2)
    operators = own.operators if states == 2 else {"odd": own.operators["odd"]}
    return Known(
        critical_coupling=critical,
        critical_energy=KnownValue(energy, f"-sqrt 2 = {energy:.6f}", facts.EXPONENTS_SOURCE[2]),
        exponents=own.exponents,
        operators=operators,
    )


def _of_three() -> Known:
    """Potts with K' = 3/2 K: the energy of a bond is 1/2 - 3/2 delta(s, s')."""
    three = potts.known(2, 3)
    coupling = 2 / 3 * math.log1p(math.sqrt(3))
    energy = 1 - 1.5 * (1 + 1 / math.sqrt(3))
    source = three.exponents["y_t"].source
    return Known(
        critical_coupling=KnownValue(coupling, f"2/3 ln(1 + sqrt 3) = {coupling:.9f}", source),
        critical_energy=KnownValue(energy, f"-(1 + sqrt 3)/2 = {energy:.6f}", source),
        exponents=three.exponents,
        operators=three.operators,
        correction=three.correction,
    )


def _no_critical_point(dimension: int, states: int) -> str:
    if dimension == 1:
        return "the clock chain has no critical temperature: it is ordered only at T = 0"
    if dimension == 2:
        return (
            f"the clock model with {states} states has two transitions in two dimensions, at"
            " temperatures that are not exactly known: give a number in J/k_B"
        )
    return (
        f"the transition temperature of the clock model with {states} states in three dimensions is"
        " not known here: give a number in J/k_B"
    )
