"""The exact mutual information of block and environment for models with any bond weight.

Potts, clock and Ashkin-Teller models are given by the symmetric matrix of the energies of a bond.
As for the Ising model (`rsmi.models.ising.oracle`), P(V|E) = P(V|ring) follows from a sum over the
buffer alone. The ring is enumerated on chains and on the smallest tori (`bond_environments`), and
sampled on all other lattices.

The state v of the block is the number sum_i v_i q^i of the states v_i of its sites in row-major
order. Information is in nats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.information.categorical import block_codes
from rsmi.information.entropy import ExactInformation, entropy
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models import bond_weights
from rsmi.models.bond_environments import (
    RingClasses,
    SmallestTorus,
    block_rotations,
    relabellings,
)
from rsmi.models.bond_sums import (
    averaged,
    enumerated_informations,
    images_of_channel,
    log_or_zero,
    logarithms,
    ring_sums,
)
from rsmi.models.ising.oracle import markov_ring
from rsmi.statistics.binning import grouped_mean

MOST_BLOCK_STATES = 1 << 16
_MOST_IMAGES = 200  # by symmetries, of environments in a table
_ENTRIES = 1 << 22  # of a table of P(V|ring) that is kept at a time


@dataclass(frozen=True, eq=False)
class BondOracle:
    """Exact P(V|E) of a model whose energy is a sum over nearest neighbours.

    Attributes
    ----------
    strengths : ndarray of float64, (q, q)
        Symmetric; -E(a, b) of a bond in J, so that its weight is exp(K strengths).
    """

    strengths: NDArray[np.float64]

    @property
    def states(self) -> int:
        """The number q of states of a site."""
        return len(self.strengths)

    @cached_property
    def _labels(self) -> NDArray[np.int64]:
        return relabellings(self.strengths)

    def bond(self, coupling: float) -> NDArray[np.float64]:
        """Return the weights of a bond in units of the largest one, (q, q)."""
        energies = coupling * self.strengths
        return np.exp(energies - energies.max())

    # ---- what can be computed --------------------------------------------------------------------

    def is_tractable(self, geometry: Geometry) -> bool:
        """Return whether P(V|E) can be computed for such a block and buffer."""
        if self.states**geometry.n_block > MOST_BLOCK_STATES or len(geometry.block) > 2:
            return False
        if geometry.live is not None or geometry.metric is not None:
            return False
        if len(geometry.block) == 1:
            return True
        rows, columns = geometry.block
        return bond_weights.fits(rows, columns, geometry.buffer, self.states)

    def check(self, geometry: Geometry) -> None:
        """Raise UsageError with the reason and the remedy if it cannot."""
        if geometry.live is not None or geometry.metric is not None:
            raise UsageError(
                "the exact P(V|E) of this model is of rectangles: leave out --metric and lists of"
                " sites"
            )
        if self.is_tractable(geometry):
            return
        if len(geometry.block) > 2:
            reason = "exact information is known in one and two dimensions"
        elif self.states**geometry.n_block > MOST_BLOCK_STATES:
            reason = (
                f"its {self.states}^{geometry.n_block} states are summed over, at most"
                f" {MOST_BLOCK_STATES}"
            )
        else:
            reason = f"the row of block and buffer has too many states: at most {1 << 16}"
        raise UsageError(
            f"block {shape_text(geometry.block)} with buffer {geometry.buffer}: {reason}; take the"
            " held-out bound of rsmi train-lambda"
        )

    def joint(self, geometry: Geometry, shape: Sequence[int], coupling: float) -> None:
        """Return None: environments are summed over without a table of them, see `enumerated`."""

    def block_given_environment(
        self, environments: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        """Return P(V|E), (n, q^n_block), for environments (n, n_environment) of codes."""
        # of two states, the environments may be spins +-1
        rings = markov_ring(np.maximum(environments, 0), geometry)
        weights = self._block_weights(rings, geometry, coupling)
        return weights / weights.sum(axis=1, keepdims=True)

    def _block_weights(
        self, rings: NDArray[np.int8], geometry: Geometry, coupling: float
    ) -> NDArray[np.float64]:
        """Return the weights (n, q^n_block) of the states of the block, which can be compared
        between rings."""
        bond = self.bond(coupling)
        if len(geometry.block) == 2:
            rows, columns = geometry.block
            return bond_weights.block_weights(rings, rows, columns, geometry.buffer, bond)
        codes = block_codes(self.states, geometry.n_block)
        inside = bond[codes[:, :-1], codes[:, 1:]].prod(axis=1)
        to_ring = np.linalg.matrix_power(bond, geometry.buffer + 1)
        first, last = to_ring[:, codes[:, 0]], to_ring[:, codes[:, -1]]
        return inside * first[rings[:, 0]] * last[rings[:, 1]]

    # ---- environments that are enumerated --------------------------------------------------------

    def _classes(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> Iterator[RingClasses] | None:
        """Return all rings of a small lattice up to symmetry; None if they are too many."""
        bond = self.bond(coupling)
        if SmallestTorus.fits(geometry, shape, self.states):
            return SmallestTorus(bond, geometry.buffer, self._labels).classes()
        if len(shape) > 1:
            return None
        outside = shape[0] - geometry.block[0] - 2 * geometry.buffer - 1
        rings = block_codes(self.states, 2).astype(np.int8)
        around = np.linalg.matrix_power(bond / np.linalg.norm(bond, 2), outside)
        return iter([RingClasses(rings, around[rings[:, 0], rings[:, 1]])])

    def _joint_weights(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> Iterator[NDArray[np.float64]] | None:
        """Return the weights (n, q^n_block) of block and ring for all rings of a small lattice up
        to symmetry; None if they are too many."""
        classes = self._classes(geometry, shape, coupling)
        if classes is None:
            return None
        step = max(1, _ENTRIES // self.states**geometry.n_block)
        return (
            self._block_weights(one.rings[i : i + step], geometry, coupling)
            * one.weights[i : i + step, np.newaxis]
            for one in classes
            for i in range(0, len(one.rings), step)
        )

    def _images(self, geometry: Geometry, enumerated: bool) -> NDArray[np.int64]:
        """Return the number of the state to which every symmetry takes each state of the block, (n,
        q^n_block): relabellings and, of enumerated tori, rotations and reflections."""
        codes = block_codes(self.states, geometry.n_block)
        powers = self.states ** np.arange(geometry.n_block)
        sites = np.arange(geometry.n_block)[np.newaxis]
        if enumerated and len(geometry.block) == 2:
            sites = block_rotations()
        labels = self._labels
        return np.array([label[codes[:, order]] @ powers for order in sites for label in labels])

    def enumerated(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        shape: Sequence[int],
        coupling: float,
    ) -> list[ExactInformation] | None:
        """Return I(H:E) and I(V:E) of channels q(h|v), summed over all environments of a small
        lattice; None if they are too many."""
        joint = self._joint_weights(geometry, shape, coupling)
        if joint is None:
            return None
        images = self._images(geometry, enumerated=True)
        symmetrised = [images_of_channel(channel, images) for channel in channels]
        total = np.zeros(3 + len(channels))
        marginal = np.zeros(images.shape[1])
        for weights in joint:
            total += ring_sums(weights, symmetrised)
            marginal += weights.sum(axis=0)
        return enumerated_informations(total, averaged(marginal, images), channels)

    def joint_table(
        self, geometry: Geometry, shape: Sequence[int], coupling: float
    ) -> NDArray[np.float64] | None:
        """Return P(V, E), (q^n_block, environments), of a small lattice; None if the table would be
        too large. Every environment stands for a class."""
        images = self._images(geometry, enumerated=True)
        if len(shape) > 1 and (geometry.buffer or len(images) > _MOST_IMAGES):
            return None
        joint = self._joint_weights(geometry, shape, coupling)
        if joint is None:
            return None
        weights = np.concatenate([one[:, images].reshape(-1, images.shape[1]) for one in joint])
        return weights.T / weights.sum()

    def typical(
        self,
        geometry: Geometry,
        shape: Sequence[int],
        coupling: float,
        count: int,
        generator: np.random.Generator,
    ) -> NDArray[np.float64] | None:
        """Return P(V|E), (count, q^n_block), of environments of a small lattice that are drawn with
        their exact probability; None if the environments are too many."""
        joint = self._joint_weights(geometry, shape, coupling)
        if joint is None:
            return None
        images = self._images(geometry, enumerated=True)
        sums = np.concatenate([weights.sum(axis=1) for weights in joint])
        drawn = np.sort(generator.choice(len(sums), count, p=sums / sums.sum()))
        chosen, first = [], 0
        again = self._joint_weights(geometry, shape, coupling)
        for weights in again if again is not None else ():
            own = slice(*np.searchsorted(drawn, [first, first + len(weights)]))
            chosen.append(weights[drawn[own] - first])
            first += len(weights)
        conditional = np.concatenate(chosen)
        conditional /= conditional.sum(axis=1, keepdims=True)
        turned = images[generator.integers(len(images), size=count)]
        return np.take_along_axis(conditional, turned, axis=1)

    # ---- environments that are sampled -----------------------------------------------------------

    def informations(
        self,
        channels: Sequence[NDArray[np.float64]],
        geometry: Geometry,
        coupling: float,
        environments: NDArray[np.int8],
        groups: NDArray[np.int64] | None = None,
    ) -> list[ExactInformation]:
        """Return I(H:E) and I(V:E) of channels q(h|v), averaged over environments (n,
        n_environment) of codes, each together with all its relabellings."""
        images = self._images(geometry, enumerated=False)
        symmetrised = [images_of_channel(channel, images) for channel in channels]
        conditional = partial(self.block_given_environment, geometry=geometry, coupling=coupling)
        step = max(1, _ENTRIES // images.shape[1])
        parts = [environments[i : i + step] for i in range(0, len(environments), step)]
        sums = np.sum([conditional(part).sum(axis=0) for part in parts], axis=0)
        marginal = averaged(sums / len(environments), images)
        surprises = [-log_or_zero(marginal), *(-(q @ log_or_zero(marginal @ q)) for q in channels)]
        expected = np.stack([averaged(one, images) for one in surprises], axis=1)
        values = [
            logarithms(given, symmetrised) + given @ expected for given in map(conditional, parts)
        ]
        groups = np.arange(len(environments)) if groups is None else groups
        block, *means = (grouped_mean(one, groups) for one in np.concatenate(values).T)
        return [
            ExactInformation(*mean, *block, float(entropy(marginal @ channel)))
            for mean, channel in zip(means, channels)
        ]
