"""``rsmi exact --best``: the best of all functions of a block with two values, in one sector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.errors import UsageError
from rsmi.information.best_function import BestFunction, best_function, class_table
from rsmi.information.decoder import keyed_generator
from rsmi.information.entropy import ExactInformation
from rsmi.lattice.geometry import Geometry
from rsmi.models.sectors import Sector, sector_named
from rsmi.renormalization.product_terms import ProductTerm, terms_of_table
from rsmi.stages.exact_environments import Environments
from rsmi.stages.exact_question import System

RESTARTS = 20
_ENTRIES = 1 << 26  # of the table P(V|E) on which a function is found, in float32
_CHUNK = 1 << 23  # entries of P(V|E) that are made at a time, in float64
_TERMS = 12  # products of the function in JSON
_LISTED = 4  # sites of a block whose states are listed


@dataclass(frozen=True)
class Found:
    """The best function, and the number of environments on which it was found."""

    function: BestFunction
    environments: int

    @property
    def channel(self) -> NDArray[np.float64]:
        """q(h|v), (2^n_block, 2)."""
        up = self.function.up
        return np.stack([1.0 - up, up], axis=1)


@dataclass(frozen=True)
class Search:
    """The question for the best function.

    Attributes
    ----------
    geometry : Geometry
    system : System
    name : str, optional
        The name of the sector; by default that of the model.
    seed : int
        The root seed of the first functions.
    """

    geometry: Geometry
    system: System
    name: str | None
    seed: int

    @cached_property
    def sector(self) -> Sector:
        """The sector, whose parity decides which functions there are.

        Raises
        ------
        UsageError
            If the model has no such sector, or its functions of the block are constant.
        """
        model = self.system.model
        if self.name is None:
            return model.default_sector(self.system.attributes)
        sector = sector_named(self.name, model.sectors)
        if sector.parity == "even" and self.geometry.n_block < 2:
            raise UsageError(f"--sector {sector.name}: an even function of one spin is constant")
        return sector

    def of_joint(self, joint: NDArray[np.float64]) -> Found:
        """Find the best function for P(V, E) of all states (2^n_block, environments)."""
        weights = joint.sum(axis=0)
        possible = weights > 0
        conditional = (joint[:, possible] / weights[possible]).T
        return self._found(class_table(conditional, self.sector.parity), weights[possible])

    def of_environments(self, drawn: Environments) -> Found:
        """Find the best function for sampled environments, with exact P(V|E); as many of them are
        used as the memory holds."""
        states = 1 << self.geometry.n_block
        count = _ENTRIES // (states if self.sector.parity == "any" else states // 2)
        spins = drawn.spins[:: -(-len(drawn.spins) // count)]
        step = max(1, _CHUNK // states)
        parts = [self._classes(spins[i : i + step]) for i in range(0, len(spins), step)]
        return self._found(np.concatenate(parts), np.full(len(spins), 1 / len(spins)))

    def _classes(self, spins: NDArray[np.int8]) -> NDArray[np.float32]:
        conditional = self.system.conditional.block_given_environment(
            spins, self.geometry, self.system.coupling
        )
        return class_table(conditional, self.sector.parity).astype(np.float32)

    def _found(self, classes: NDArray[np.floating], weights: NDArray[np.float64]) -> Found:
        physics = {"shape": list(self.system.shape), "coupling": self.system.coupling}
        generator = keyed_generator(stream_key(self.seed, "best-function", physics, 0))
        symmetric = self.system.model.symmetric(self.system.attributes)
        parity = self.sector.parity
        function = best_function(classes, weights, parity, generator, RESTARTS, symmetric)
        return Found(function, len(classes))

    def answer(self, found: Found, information: ExactInformation) -> dict[str, Any]:
        """The best function and its information, as JSON values."""
        terms = terms_of_table(2.0 * found.function.up - 1.0)
        return {
            "rule": f"best {self.sector.name}",
            "sector": self.sector.name,
            "parity": self.sector.parity,
            "hard": True,
            "mutual_information_exact_hard": information.information,
            "mutual_information_exact_hard_error": information.error,
            "entropy_hard": information.entropy,
            "mutual_information_search": found.function.information,
            "environments_search": found.environments,
            "restarts": RESTARTS,
            "restarts_that_agree": found.function.agreeing,
            "states_up": self._states(found.function.up),
            "terms": _strongest(terms),
            "site_weights": self._site_weights(terms),
        }

    def _states(self, up: NDArray[np.float64]) -> list[str] | None:
        """The states of a small block in which h is 1: spins as + and -, sites in row-major
        order."""
        n = self.geometry.n_block
        if n > _LISTED:
            return None
        chosen = np.flatnonzero(up).tolist()
        return ["".join("+" if state >> i & 1 else "-" for i in range(n)) for state in chosen]

    def _site_weights(self, terms: list[ProductTerm]) -> list[Any]:
        """How much each site counts: the sum of the coefficients of its pairs for even functions,
        else the coefficient of its spin; in the shape of the block, or one after the other."""
        factors = 2 if self.sector.parity == "even" else 1
        weights = np.zeros(self.geometry.n_block)
        for term in terms:
            if len(term.sites) == factors:
                weights[list(term.sites)] += term.coefficient
        plain = self.geometry.live is None and self.geometry.components == 1
        return weights.reshape(self.geometry.block).tolist() if plain else weights.tolist()


def _strongest(terms: list[ProductTerm]) -> list[dict[str, Any]]:
    """The terms of s = 2h - 1 with the largest coefficients."""
    ordered = sorted(terms, key=lambda term: (-abs(term.coefficient), len(term.sites), term.sites))
    return [
        {"sites": list(term.sites), "coefficient": term.coefficient} for term in ordered[:_TERMS]
    ]
