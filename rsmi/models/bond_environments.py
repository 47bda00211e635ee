"""The environments of a block on small lattices, for models with any bond weight, up to symmetry.

Only the ring of sites around block and buffer matters (see `rsmi.models.ising.oracle`). Around a
2x2 block it consists of four *quadrants*, clockwise from the upper left one. A quadrant has the
sites r2, r3 on both sides of a corner of the ring and, with a buffer of one site, r1 before and r4
after them:

            r3 r4 | r1 r2                       r3 | r2
         r2  .  . |  .  . r3                 r2  v | v  r3
         r1  .  v |  v  . r4                    ---+---
            ------+------                    r3  v | v  r2
         r4  .  v |  v  . r1                    r2 | r3
         r3  .  . |  .  . r2
            r2 r1 | r4 r3

P(V|ring) does not change if r2 and r3 of a quadrant are exchanged, because both touch the same site
inside. On the smallest torus, 6x6 or 4x4 sites, all other sites are the four corners of the ring,
and the sum over them and over the exchanges is a trace of small matrices. A quadrant that is
smallest in its orbit under relabellings of the states comes first, and stands for its orbit: what
is summed over such environments is averaged over the rotations and reflections of the block and
over the relabellings.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.lattice.geometry import Geometry

_MOST_TUPLES = 1 << 31  # of four quadrants: q = 4 with a buffer has 160^4 = 6.6e8
# The sites r1, r2, r3, r4 of the four quadrants among those of the ring: above, below, left, right.
_RINGS = {
    0: ((4, 0), (1, 6), (7, 3), (2, 5)),
    1: ((9, 8, 0, 1), (2, 3, 12, 13), (14, 15, 7, 6), (5, 4, 11, 10)),
}


class RingClasses(NamedTuple):
    """Rings, one of every class, and their weights.

    Attributes
    ----------
    rings : ndarray of int8, (n, n_ring)
        Codes of the states, in the order of `rsmi.models.ising.oracle.ring_offsets`.
    weights : ndarray of float64, (n,)
        The weight of all bonds outside block and buffer, summed over the class.
    """

    rings: NDArray[np.int8]
    weights: NDArray[np.float64]


def relabellings(strengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return all permutations p of the states with J(p(a), p(b)) = J(a, b), (n, q).

    Parameters
    ----------
    strengths : ndarray of float64, (q, q)
        Symmetric strengths J of a bond; differences below 1e-9 of the largest are rounding.
    """
    found: list[tuple[int, ...]] = [()]
    rounding = 1e-9 * np.abs(strengths).max()
    close = np.abs(strengths[:, :, None, None] - strengths) <= rounding
    for state in range(len(strengths)):
        found = [
            (*images, image)
            for images in found
            for image in range(len(strengths))
            if image not in images
            and close[state, state, image, image]
            and all(close[state, other, image, images[other]] for other in range(state))
        ]
    return np.array(found, np.int64)


def block_rotations() -> NDArray[np.int64]:
    """Return the eight rotations and reflections of the sites of a 2x2 block, (8, 4)."""
    sites = np.arange(4).reshape(2, 2)
    turned = [np.rot90(sites, k) for k in range(4)]
    return np.array([image.ravel() for one in turned for image in (one, one.T)])


@dataclass(frozen=True)
class SmallestTorus:
    """The torus that is just large enough for a 2x2 block and its buffer.

    Attributes
    ----------
    bond : ndarray of float64, (q, q)
        Symmetric bond weights.
    buffer : {0, 1}
    labels : ndarray of int64, (n, q)
        The relabellings of the states that do not change the weights.
    """

    bond: NDArray[np.float64]
    buffer: int
    labels: NDArray[np.int64]

    @staticmethod
    def fits(geometry: Geometry, shape: Sequence[int], states: int) -> bool:
        """Return whether this is the lattice and it has few enough environments."""
        buffer = geometry.buffer
        if geometry.block != (2, 2) or buffer not in _RINGS:
            return False
        quadrants = states * (states + 1) // 2 * states ** (2 * buffer)
        return tuple(shape) == (4 + 2 * buffer,) * 2 and quadrants**4 <= _MOST_TUPLES

    @cached_property
    def quadrants(self) -> NDArray[np.int64]:
        """The states of a quadrant with r2 <= r3, (n, 2 + 2 buffer)."""
        states = range(len(self.bond))
        corner = itertools.combinations_with_replacement(states, 2)
        ends = itertools.product(states, repeat=2 * self.buffer)
        return np.array(
            [(*end[:1], *pair, *end[1:]) for pair, end in itertools.product(corner, list(ends))]
        )

    @cached_property
    def images(self) -> NDArray[np.int64]:
        """The number of the quadrant into which every relabelling, alone and with a reflection,
        takes each quadrant, (symmetries, n)."""
        number = {tuple(row): i for i, row in enumerate(self.quadrants.tolist())}
        inner, images = slice(self.buffer, self.buffer + 2), []
        for label, step in itertools.product(self.labels, (1, -1)):
            turned = label[self.quadrants[:, ::step]]
            turned[:, inner].sort(axis=1)
            images.append([number[tuple(row)] for row in turned.tolist()])
        return np.array(images)

    def classes(self) -> Iterator[RingClasses]:
        """Return all classes of rings, some at a time.

        The first quadrant is the smallest of its orbit, and the opposite one the smallest of its
        orbit under the symmetries that keep the first.
        """
        smallest = self.images.min(axis=0)
        sizes = np.bincount(smallest)
        for first in np.flatnonzero(sizes):
            others = np.flatnonzero(smallest >= first)
            kept = self.images[self.images[:, first] == first].min(axis=0)
            of_opposite = np.bincount(kept[others])
            for opposite in np.flatnonzero(of_opposite):
                weights = self._weights(int(first), others, int(opposite))
                equal = (smallest[others] == first).astype(np.int64)
                ways = 1 + equal[:, None] + equal[None, :] + (smallest[opposite] == first)
                rings = self._rings(int(first), others, int(opposite))
                count = 4 * sizes[first] * of_opposite[opposite]
                yield RingClasses(rings, (weights * count / ways).ravel())

    def _rings(self, first: int, others: NDArray[np.int64], opposite: int) -> NDArray[np.int8]:
        """The rings with every pair of second and last quadrants, (n^2, n_ring)."""
        n, places = len(others), _RINGS[self.buffer]
        numbers = (
            np.full(n * n, first),
            np.repeat(others, n),
            np.full(n * n, opposite),
            np.tile(others, n),
        )
        rings = np.empty((n * n, 4 * len(places[0])), np.int8)
        for place, chosen in zip(places, numbers):
            rings[:, place] = self.quadrants[chosen]
        return rings

    def _weights(self, first: int, others: NDArray[np.int64], opposite: int) -> NDArray[np.float64]:
        """The weights of the rings with every pair of second and last quadrants, (n, n)."""
        n, q = len(self.quadrants), len(self.bond)
        corners = np.broadcast_to(self.bond[None, :, None, :], (n, q, n, q))
        chosen = (first, others, opposite)
        return _traces(self._inside, self._links, *chosen) * _traces(
            self._corners, corners, *chosen
        )

    @cached_property
    def _pairs(self) -> NDArray[np.int64]:
        """The quadrants as they are and with r2 and r3 exchanged, (n, 2, 2 + 2 buffer)."""
        exchanged, b = self.quadrants.copy(), self.buffer
        exchanged[:, [b, b + 1]] = self.quadrants[:, [b + 1, b]]
        return np.stack([self.quadrants, exchanged], axis=1)

    @cached_property
    def _inside(self) -> NDArray[np.float64]:
        """The bonds within a quadrant, (n, 2); 0 where an exchange changes nothing."""
        pairs = self._pairs
        weights = np.ones(pairs.shape[:2])
        if self.buffer:
            weights = self.bond[pairs[..., 0], pairs[..., 1]]
            weights = weights * self.bond[pairs[..., 2], pairs[..., 3]]
        weights[(pairs[:, 0] == pairs[:, 1]).all(axis=1), 1] = 0.0
        return weights

    @cached_property
    def _links(self) -> NDArray[np.float64]:
        """The bonds from a quadrant to the next one, which also meet around the torus, (n, 2, n,
        2): r4 to r1, r1 to r4 and r2 to r3, or r3 to r2 and r2 to r3 without a buffer."""
        pairs = self._pairs.reshape(-1, self._pairs.shape[-1])
        sites = ((3, 0), (0, 3), (1, 2)) if self.buffer else ((1, 0), (0, 1))
        weights = np.ones((len(pairs), len(pairs)))
        for one, next_one in sites:
            weights *= self.bond[pairs[:, one, None], pairs[None, :, next_one]]
        n = len(self.quadrants)
        return weights.reshape(n, 2, n, 2)

    @cached_property
    def _corners(self) -> NDArray[np.float64]:
        """The bonds from the corner of the ring to r2 and r3, (n, q)."""
        b = self.buffer
        return self.bond[self.quadrants[:, b]] * self.bond[self.quadrants[:, b + 1]]


def _traces(
    own: NDArray[np.float64],
    links: NDArray[np.float64],
    first: int,
    others: NDArray[np.int64],
    opposite: int,
) -> NDArray[np.float64]:
    """The traces around four quadrants for every pair of second and last ones, (n, n): of
    own[d, a] links[d, a, d', a'] for d, d' = first, second, opposite, last."""
    there = links[first][:, others] * own[others]
    back = links[opposite][:, others] * own[others]
    there = np.einsum("axb,xbc->axc", there, links[others][:, :, opposite])
    back = np.einsum("cyb,yba->cya", back, links[others][:, :, first])
    there *= own[first][:, None, None] * own[opposite]
    n = len(others)
    return there.transpose(1, 0, 2).reshape(n, -1) @ back.transpose(2, 0, 1).reshape(-1, n)
