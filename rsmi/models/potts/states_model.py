"""What models of variables with q states have in common, where a system says how a bond couples
them."""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError
from rsmi.models import spins
from rsmi.models.base import Known, Model, Option
from rsmi.models.bond_oracle import BondOracle
from rsmi.models.potts import chain as kernel
from rsmi.models.potts import simulation
from rsmi.models.potts.system import System

if TYPE_CHECKING:
    from rsmi.store import File

STATES = Option(
    "states",
    "integer",
    f"Number of states of a variable, 2 to {kernel.MOST_STATES}.",
    metavar="Q",
    shown_default="needed",
)
_AT_CRITICAL_POINT = 1e-6  # relative distance of K from K_c
_TERMS_AT_ONCE = 1 << 20


class StatesModel(Model, ABC):
    """A model whose variables have q states and one component, on a hypercubic lattice."""

    importable = True
    options = (STATES,)

    @abstractmethod
    def system(self, states: int) -> System:
        """Return the energies of a bond between variables with so many states."""

    # ---- simulation ------------------------------------------------------------------------------

    def parameters(self, request: Mapping[str, Any]) -> dict:
        shape, states = request["shape"], self._states(request["states"], "--states")
        self.check_shape(shape)
        attributes = {"states": states}
        coupling = self.coupling(
            request["temperature"], request["coupling"], len(shape), attributes
        )
        return {
            "model": self.name,
            "shape": list(shape),
            "coupling": coupling,
            "states": states,
            "algorithm": request["algorithm"],
        }

    def default_chains(self, parameters: Mapping[str, Any]) -> int:
        return simulation.CHAINS

    def check_shape(self, shape: Sequence[int], where: str = "--size") -> None:
        simulation.check_shape(shape, where)

    def check_states(self, states: int, where: str) -> None:
        self._states(states, where)

    def _states(self, states: int | None, where: str) -> int:
        if states is None:
            raise UsageError(
                f"--model {self.name}: give the number of states by --states, such as 3"
            )
        if not 2 <= states <= kernel.MOST_STATES:
            raise UsageError(
                f"{where.removesuffix(f' {states}')} {states}: a variable of --model {self.name}"
                f" has 2 to {kernel.MOST_STATES} states"
            )
        return states

    # ---- exact values ----------------------------------------------------------------------------

    def transition(self, dimension: int, states: int) -> Known:
        """Return what is known of the transition of so many states."""
        return Known()

    def known(self, dimension: int, attributes: Mapping[str, Any] | None = None) -> Known:
        states = states_of(attributes or {})
        return replace(self.transition(dimension, states), oracle=oracle(self, states))

    # ---- configurations --------------------------------------------------------------------------

    def symmetric(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether there are two states, which a flip exchanges."""
        return states_of(attributes) == 2

    def check_file(self, file: File) -> None:
        super().check_file(file)
        states, stated = states_of(file.attributes), file.parameters.get("states")
        if file.kind == "samples" and file.attributes["command"] == "sample" and stated != states:
            raise DataError(f"{file.path}: states {states} is not that of the parameters, {stated}")
        if file.kind == "samples":
            shape, levels = file.attributes["original_shape"], self._levels(file.attributes)
            bonds = len(shape) * math.prod(shape)
            spins.check_energies(file, bonds * levels[0] - 1e-6, bonds * levels[-1] + 1e-6)

    def _levels(self, attributes: Mapping[str, Any]) -> NDArray[np.float64]:
        return self.system(states_of(attributes)).levels

    def energies(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> NDArray | None:
        """The energies on the torus, the only lattice on which all states tell it."""
        if attributes.get("boundary", "periodic") != "periodic" or configurations.shape[1] != 1:
            return None
        codes = _codes(configurations[:, 0], attributes)
        return self.system(states_of(attributes)).measured(codes).astype(self.energy_type)

    def null_averages(
        self, configurations: NDArray[np.int8], attributes: Mapping[str, Any]
    ) -> dict[str, NDArray[np.float64]]:
        """The energy of a site minus its average given the neighbours."""
        coupling, periodic = attributes.get("coupling"), attributes.get("boundary", "periodic")
        if coupling is None or periodic != "periodic" or configurations.shape[1] != 1:
            return {}
        system, codes = self.system(states_of(attributes)), _codes(configurations[:, 0], attributes)
        step = max(1, _TERMS_AT_ONCE // (system.states * math.prod(codes.shape[1:])))
        parts = [
            _excess(codes[first : first + step], system, coupling)
            for first in range(0, len(codes), step)
        ]
        return {"conditional": np.concatenate(parts)}

    # ---- words -----------------------------------------------------------------------------------

    def describe_summary(self, attributes: Mapping[str, Any], numbers: dict) -> list[tuple]:
        rows = super().describe_summary(attributes, numbers)
        critical = self.known(len(attributes["shape"]), attributes)
        ratio = self.relative_temperature(attributes)
        if critical.critical_energy is None or ratio is None or abs(ratio - 1) > _AT_CRITICAL_POINT:
            return rows
        infinite = f"J; infinite lattice {critical.critical_energy.text}"
        return [(*row[:2], infinite) if row[0] == "energy per site" else row for row in rows]


@functools.cache
def oracle(model: StatesModel, states: int) -> BondOracle:
    """Return what knows P(V|E) of a model with so many states."""
    return BondOracle(-model.system(states).energies)


def states_of(attributes: Mapping[str, Any]) -> int:
    """Return the number of states of a variable."""
    return attributes.get("states", 2)


def _codes(variables: NDArray[np.int8], attributes: Mapping[str, Any]) -> NDArray[np.int8]:
    """The states 0, ..., q - 1 of variables, which are +-1 if there are two."""
    return (variables > 0).astype(np.int8) if states_of(attributes) == 2 else variables


def _excess(codes: NDArray[np.int8], system: System, coupling: float) -> NDArray[np.float64]:
    """The energy of a site minus its average given the neighbours, averaged over the sites of
    configurations (n, \\*shape); zero on average (H. B. Callen, Phys. Lett. 4, 161 (1963))."""
    energies = system.energies.astype(np.float32)
    steps = [(axis, step) for axis in range(1, codes.ndim) for step in (1, -1)]
    beside = [energies[np.roll(codes, step, axis)] for axis, step in steps]
    local = np.sum(beside, axis=0, dtype=np.float32)  # (n, *shape, q)
    weights = np.exp(-coupling * (local - local.min(axis=-1, keepdims=True)))
    expected = (weights * local).sum(axis=-1) / weights.sum(axis=-1)
    own = np.take_along_axis(local, codes[..., np.newaxis].astype(np.intp), axis=-1)[..., 0]
    return (own - expected).reshape(len(codes), -1).mean(axis=1, dtype=np.float64)
