"""Exact P(V|E) of the Ashkin-Teller model: that of four states, in the order of two spins.

A block is a window of two components, all sigma and then all tau, while the state of a site is
sigma as bit 0 and tau as bit 1 of a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.categorical import block_codes
from rsmi.information.entropy import ExactInformation
from rsmi.lattice.geometry import Geometry
from rsmi.models.bond_oracle import BondOracle


@dataclass(frozen=True, eq=False)
class TwoSpinOracle:
    """Exact P(V|E) of two spins at every site; see `rsmi.models.bond_oracle.BondOracle`.

    Attributes
    ----------
    bond : BondOracle
        That of the four states of a site.
    """

    bond: BondOracle

    def is_tractable(self, geometry: Geometry) -> bool:
        """Return whether P(V|E) can be computed for such a block and buffer."""
        return geometry.components == 2 and self.bond.is_tractable(_of_sites(geometry))

    def check(self, geometry: Geometry) -> None:
        """Raise UsageError with the reason and the remedy if it cannot."""
        if geometry.live is not None or geometry.metric is not None:
            raise UsageError(
                "the exact P(V|E) of this model is of rectangles: leave out --metric and lists of"
                " sites"
            )
        self.bond.check(_of_sites(geometry))

    def joint(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64] | None:
        """Return P(V, E) of all states of small lattices; None if they are too many."""
        joint = self.bond.joint_table(_of_sites(geometry), shape, coupling)
        return None if joint is None else np.ascontiguousarray(joint[_numbers(geometry)])

    def block_given_environment(
        self, environments: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        """Return P(V|E), (n, 4^n_sites), for environments (n, n_environment) of +-1."""
        given = self.bond.block_given_environment(
            _codes(environments), _of_sites(geometry), coupling
        )
        return given[:, _numbers(geometry)]

    def informations(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        coupling: float,
        environments: NDArray[np.int8],
        groups: NDArray[np.int64] | None = None,
    ) -> list[ExactInformation]:
        """Return I(H:E) and I(V:E) of channels q(h|v), averaged over environments of +-1."""
        order = np.argsort(_numbers(geometry))
        return self.bond.informations(
            [channel[order] for channel in channels],
            _of_sites(geometry),
            coupling,
            _codes(environments),
            groups,
        )


def _of_sites(geometry: Geometry) -> Geometry:
    return replace(geometry, components=1)


def _codes(spins: NDArray[np.int8]) -> NDArray[np.int8]:
    """The states (n, sites) of sigma and tau, (n, 2 sites)."""
    sigma, tau = np.split(spins, 2, axis=1)
    return (sigma > 0).astype(np.int8) | (tau > 0).astype(np.int8) << np.int8(1)


def _numbers(geometry: Geometry) -> NDArray[np.int64]:
    """The number of the state of a block of codes for every state of its spins, whose bits are all
    sigma and then all tau."""
    sites = _of_sites(geometry).n_block
    bits = block_codes(2, 2 * sites)
    return (bits[:, :sites] + 2 * bits[:, sites:]) @ 4 ** np.arange(sites)
