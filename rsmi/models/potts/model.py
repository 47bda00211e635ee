"""The Potts model's answers to the questions of `rsmi.models.base.Model`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rsmi.lattice.symbols import PERMUTATIONS
from rsmi.models.base import Known
from rsmi.models.potts import known, simulation
from rsmi.models.potts.states_model import StatesModel
from rsmi.models.potts.system import System

log = logging.getLogger("rsmi")

_NEARLY = 0.02  # relative distance of 2 K from K_c that is worth a remark
_HELP = """The Potts model has the energy -J times the number of bonds between equal states,
H = -J sum delta(s, s'), where a variable has Q states (R. B. Potts, Proc. Camb. Phil. Soc. 48, 106
(1952)).

--coupling is the K = J/(k_B T) of this energy. With two states it is twice that of the Ising model,
whose energy is -J s s': K_c = ln(1 + sqrt Q) on the square lattice is 0.8814 for Q = 2, not 0.4407.

On the square lattice the transition is continuous for Q <= 4, and of first order for more states;
in three dimensions it is of first order for Q >= 3. At a transition of first order a large lattice
stays in one phase for very long: compare several --seed.

Swendsen-Wang, the default, draws all clusters of equal states anew, at a cost that hardly depends
on Q; wolff moves one cluster at a time; heat-bath updates one site at a time. The order parameter
is a vector of Q - 1 components, m^2 = Q/(Q - 1) sum_a (n_a/N - 1/Q)^2."""


class Potts(StatesModel):
    """Energy E = -J sum of delta(s, s') over nearest neighbours, K = J/(k_B T) > 0."""

    name = "potts"
    title = "Potts model with 2 to 16 states"
    help = _HELP
    examples = (
        (
            "three states at the critical point",
            "rsmi sample --model potts --states 3 --size 64 --temperature Tc --samples 20000"
            " -o potts.h5",
        ),
        (
            "four states in three dimensions, above the transition, by local updates",
            "rsmi sample --model potts --states 4 --dimension 3 --size 16 --coupling 0.5"
            " --algorithm heat-bath --samples 2000 -o cube.h5",
        ),
    )
    algorithms = ("swendsen-wang", "wolff", "heat-bath")
    relabellings = PERMUTATIONS

    def parameters(self, request: Mapping[str, Any]) -> dict:
        checked = super().parameters(request)
        critical = self.known(len(checked["shape"]), checked).critical_coupling
        if request["coupling"] is not None and critical is not None:
            _remark_on_ising(checked["coupling"], critical.value)
        return checked

    def system(self, states: int) -> System:
        return simulation.potts_system(states)

    def simulation(self, parameters: Mapping[str, Any]) -> simulation.PottsSimulation:
        return simulation.PottsSimulation(
            tuple(parameters["shape"]),
            parameters["coupling"],
            "swendsen-wang" if parameters["algorithm"] == "auto" else parameters["algorithm"],
            parameters["seed"],
            parameters["states"],
        )

    def transition(self, dimension: int, states: int) -> Known:
        return known.known(dimension, states)


def _remark_on_ising(coupling: float, critical: float) -> None:
    """Warn of a K that is critical in the convention of the Ising model."""
    if abs(2 * coupling / critical - 1) < _NEARLY:
        log.warning(
            "--coupling %g: is half of K_c = %.6g, as if it were the K of -J s s' (Ising); here it"
            " is that of -J delta(s, s'), so that T = %.3g T_c",
            coupling,
            critical,
            critical / coupling,
        )
