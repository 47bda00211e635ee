"""What is known exactly of the Ising model, as `rsmi.models.base.Known`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.base import Known, KnownOperator, KnownValue, Thermometer
from rsmi.models.ising import facts, oracle, ring, torus
from rsmi.models.ising.transfer import MAX_BLOCK, MAX_WIDTH

NO_CRITICAL_POINT = "the Ising chain has no critical temperature: it is ordered only at T = 0"
_THERMOMETERS: dict[int, Thermometer] = {1: ring, 2: torus}
_NO_THERMOMETER = (
    "the effective coupling needs the exact energy of a finite lattice, which is not known in three"
    " dimensions"
)


class IsingOracle:
    """Exact P(V|E) of the nearest-neighbour model: see `rsmi.models.ising.oracle`."""

    def is_tractable(self, geometry: Geometry) -> bool:
        return oracle.is_tractable(geometry)

    def check(self, geometry: Geometry) -> None:
        if geometry.dimension > 2:
            raise UsageError(
                "three dimensions: exact information is known in one and two; take the held-out"
                " bound of rsmi train-lambda"
            )
        if geometry.n_block > MAX_BLOCK:
            raise UsageError(
                f"block {shape_text(geometry.block)} has {geometry.n_block} sites and its states"
                f" are summed over: at most {MAX_BLOCK}; take the held-out bound of rsmi"
                " train-lambda"
            )
        if not oracle.is_tractable(geometry):
            columns, widest = geometry.block[1], (MAX_WIDTH - geometry.block[1]) // 2
            advice = f"take --buffer {widest} at most" if widest >= 0 else "turn the block"
            raise UsageError(
                f"block {shape_text(geometry.block)} with buffer {geometry.buffer} is"
                f" {columns + 2 * geometry.buffer} columns wide, and a transfer matrix at most"
                f" {MAX_WIDTH}: {advice}"
            )

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64] | None:
        if geometry.dimension == 1:
            return oracle.chain_joint(geometry.block[0], geometry.buffer, coupling, shape[0])
        with contextlib.suppress(UsageError):
            rows, columns = geometry.block
            return oracle.torus_joint(coupling, (rows, columns), geometry.buffer, shape)
        return None

    def block_given_environment(
        self, environments: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        rings = oracle.markov_ring(environments, geometry)
        return oracle.conditional_block_given_ring(rings, geometry.block, geometry.buffer, coupling)

    def informations(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        coupling: float,
        environments: NDArray[np.int8],
        groups: NDArray[np.int64] | None = None,
    ) -> list[oracle.ExactInformation]:
        return oracle.exact_informations(channels, geometry, coupling, environments, groups=groups)


def known(dimension: int) -> Known:
    """Return critical point, exponents, exact energies and P(V|E) in 1, 2 or 3 dimensions."""
    return Known(
        critical_coupling=_critical_coupling(dimension),
        no_critical_point="the chain orders only at T = 0",
        exponents={
            name: KnownValue(*value, facts.EXPONENTS_SOURCE[dimension], exact=dimension == 2)
            for name, value in facts.EXPONENTS.get(dimension, {}).items()
        },
        operators=_operators(dimension),
        correction=_correction(dimension),
        thermometer=_THERMOMETERS.get(dimension),
        no_thermometer=_NO_THERMOMETER,
        oracle=IsingOracle(),
    )


def _critical_coupling(dimension: int) -> KnownValue | None:
    value = facts.CRITICAL_COUPLING.get(dimension)
    if value is None:
        return None
    return KnownValue(value, f"{value:.9f}", facts.CRITICAL_SOURCE[dimension], dimension == 2)


def _operators(dimension: int) -> dict[str, tuple[KnownOperator, ...]]:
    source, exact = facts.OPERATORS_SOURCE.get(dimension, ""), dimension == 2
    return {
        sector: tuple(
            KnownOperator(name, KnownValue(*value, source, exact, facts.OPERATORS_METHOD))
            for name, value in operators.items()
        )
        for sector, operators in facts.OPERATORS.get(dimension, {}).items()
    }


def _correction(dimension: int) -> KnownValue | None:
    value = facts.CORRECTIONS.get(dimension)
    if value is None:
        return None
    return KnownValue(*value, facts.CORRECTIONS_SOURCE[dimension], exact=dimension == 2)
