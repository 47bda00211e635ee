"""``rsmi exact --best`` for variables with several states: the best of all functions of a block
with k values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.information.best_map import BestMap, best_map
from rsmi.information.decoder import keyed_generator
from rsmi.information.entropy import ExactInformation
from rsmi.lattice.geometry import Geometry
from rsmi.models.base import CodedOracle
from rsmi.renormalization.categorical_rules import labels
from rsmi.stages.exact_environments import Environments
from rsmi.stages.exact_question import System

RESTARTS = 20
_DRAWN = 20_000  # environments of a small lattice on which a function is found
_ENTRIES = 1 << 24  # of the table P(V|E) on which a function is found
_LISTED = 1 << 10  # states of a block that are listed


@dataclass(frozen=True)
class FoundMap:
    """The best function, and the number of environments on which it was found."""

    function: BestMap
    states: int
    environments: int

    @property
    def channel(self) -> NDArray[np.float64]:
        """q(h|v), (states of the block, k)."""
        return np.eye(self.states)[self.function.labels]


@dataclass(frozen=True)
class MapSearch:
    """The question for the best function with so many values.

    Attributes
    ----------
    geometry : Geometry
    system : System
    oracle : CodedOracle
    states : int
        The number k of values.
    seed : int
        The root seed of the first functions.
    """

    geometry: Geometry
    system: System
    oracle: CodedOracle
    states: int
    seed: int

    def _generator(self, purpose: str) -> np.random.Generator:
        physics = {"shape": list(self.system.shape), "coupling": self.system.coupling}
        return keyed_generator(stream_key(self.seed, "best-map", physics | {"use": purpose}, 0))

    def enumerated(self) -> FoundMap | None:
        """Find the best function on environments of a small lattice that are drawn with their exact
        probability; None if they are too many to sum over."""
        system, of_block = self.system, self.oracle.states**self.geometry.n_block
        count = min(_DRAWN, _ENTRIES // of_block)
        drawn = self.oracle.typical(
            self.geometry, system.shape, system.coupling, count, self._generator("environments")
        )
        return None if drawn is None else self._found(drawn)

    def of_environments(self, drawn: Environments) -> FoundMap:
        """Find the best function for sampled environments, as many as the memory holds."""
        count = _ENTRIES // self.oracle.states**self.geometry.n_block
        spins = drawn.spins[:: -(-len(drawn.spins) // count)]
        return self._found(
            self.oracle.block_given_environment(spins, self.geometry, self.system.coupling)
        )

    def _found(self, conditional: NDArray[np.float64]) -> FoundMap:
        function = best_map(conditional, self.states, self._generator("functions"), RESTARTS)
        return FoundMap(function, self.states, len(conditional))

    def answer(self, found: FoundMap, information: ExactInformation) -> dict[str, Any]:
        """The best function and its information, as JSON values."""
        sites, states = self.geometry.n_block, self.oracle.states
        listed = states**sites <= _LISTED
        return {
            "rule": f"best with {self.states} states",
            "states": self.states,
            "hard": True,
            "mutual_information_exact_hard": information.information,
            "mutual_information_exact_hard_error": information.error,
            "entropy_hard": information.entropy,
            "mutual_information_search": found.function.information,
            "environments_search": found.environments,
            "restarts": RESTARTS,
            "restarts_that_agree": found.function.agreeing,
            "blocks": labels(found.channel, states, sites) if listed else None,
        }
