"""The six-vertex model at its free-fermion point c = sqrt(2), exactly: the covariances of arrows.

There the arrows are dimers (C. Fan, F. Y. Wu, Phys. Rev. B 2, 723 (1970)). Every arrow is a vertex
of a new lattice, black on an x-link and white on a y-link, and has four neighbours: the arrows at
right angles at its two ends. An arrow that points to +x is joined with an arrow at its far end, one
that points to +y with an arrow at its near end. Two dimers fit in two ways around a c vertex of one
kind and none around the other kind. As there are equally many of both, a covering counts sqrt(2)
for each c vertex.

K has an entry for each neighbour, of which one is negative (`_NEIGHBOURS`); it is invariant under
translations, and diagonal in plane waves with the eigenvalues

    l(k) = 1 + exp(-i k_y) + exp(i k_x) - exp(i (k_x - k_y)).

On the torus (both sides even) four determinants are needed, of K periodic (a = 0) or antiperiodic
(a = 1) along either axis,

    Z = 1/2 (- det K_00 + det K_10 + det K_01 + det K_11)

(P. W. Kasteleyn, Physica 27, 1209 (1961)). One of them vanishes, with the two zeros of l(k) at
k = +-(pi/2, pi/2); its minors of second order do not.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.information.canonical import Moments, window_covariance
from rsmi.lattice.geometry import Geometry
from rsmi.models.six_vertex.known import delta_of
from rsmi.models.six_vertex.samples import is_original, weight_of

FREE_FERMIONS = 1e-6  # largest |Delta| of a weight that counts as sqrt(2)
_SECTORS = ((0, 0), (0, 1), (1, 0), (1, 1))
# White vertex beside the black one at the origin, entry of K, arrows of both if a dimer joins them.
_NEIGHBOURS = (
    ((0, 0), 1, (-1, 1)),
    ((0, -1), 1, (-1, -1)),
    ((1, 0), 1, (1, 1)),
    ((1, -1), -1, (1, -1)),
)


def exact_moments(geometry: Geometry, attributes: Mapping[str, Any]) -> Moments | None:
    """Return the exact covariances of the arrows of a window. They are known at c = sqrt(2) on
    periodic lattices of even sides that are not coarse-grained; None otherwise.

    Parameters
    ----------
    geometry : Geometry
        Block, buffer and environment in vertices.
    attributes : mapping
        Of samples, or of a rule that was learned on them.

    Raises
    ------
    UsageError
        If the window does not fit on the lattice.
    """
    shape, weight = tuple(attributes["shape"]), weight_of(attributes)
    even = len(shape) == 2 and all(size % 2 == 0 for size in shape)
    free = weight is not None and abs(delta_of(weight)) < FREE_FERMIONS
    periodic = attributes.get("boundary", "periodic") == "periodic"
    if not (even and free and periodic and is_original(attributes) and geometry.components == 2):
        return None
    geometry.check(shape)
    covariance = arrow_covariance(shape)
    block, environment = (
        np.concatenate([np.insert(offsets, 0, component, axis=1) for component in (0, 1)])
        for offsets in (geometry.block_offsets, geometry.environment_offsets)
    )

    return Moments(
        window_covariance(covariance, block, block),
        window_covariance(covariance, environment, environment),
        window_covariance(covariance, block, environment),
    )


@functools.lru_cache(maxsize=4)
def arrow_covariance(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the covariances of the arrows of the torus at c = sqrt(2); all fluxes count.

    Parameters
    ----------
    shape : (int, int)
        Vertices along x and y, both even.

    Returns
    -------
    ndarray of float64, (2, 2, Lx, Ly)
        ``[a, b, dx, dy]`` is <s_a(x, y) s_b(x + dx, y + dy)> of arrows +-1; s_0 is on the link
        (x, y)-(x+1, y) and s_1 on (x, y)-(x, y+1).

    Raises
    ------
    ValueError
        If a side is odd.
    """
    if any(size % 2 for size in shape):
        raise ValueError(f"the torus needs even sides, not {shape[0]}x{shape[1]}")
    sectors = [_Sector(shape, sector) for sector in _SECTORS]
    scale = max(sector.log_product for sector in sectors)
    total, products = 0.0, np.zeros((2, 2, *shape))
    for sector in sectors:
        share = (-1 if sector.signs == (0, 0) else 1) * sector.sign
        share *= np.exp(sector.log_product - scale)
        total += 0.0 if sector.singular else share
        products += share * _products(shape, sector)
    products /= total
    products[0, 0, 0, 0] = products[1, 1, 0, 0] = 1.0
    return products


class _Sector:
    """K_ab: the product of its eigenvalues without zeros, as a sign and a logarithm, and its minors
    of second order in units of this product."""

    def __init__(self, shape: tuple[int, int], signs: tuple[int, int]) -> None:
        self.signs, self._shape = signs, shape
        k_x, k_y = (2 * np.pi * (np.arange(n) + a / 2) / n for n, a in zip(shape, signs))
        u, v = np.exp(1j * k_x)[:, None], np.exp(-1j * k_y)
        values = 1 + v + u - u * v
        zero = np.abs(values) < 1e-9
        self.singular = bool(zero.any())
        self.log_product = float(np.log(np.abs(values[~zero])).sum())
        self.sign = float(np.sign(np.exp(1j * np.angle(values[~zero]).sum()).real))
        if not self.singular:
            phases = (np.exp(1j * np.pi * a * np.arange(n) / n) for a, n in zip(signs, shape))
            self._green = (np.outer(*phases) * np.fft.ifft2(1 / values)).real

    def single(self, neighbour: tuple[int, int]) -> float:
        """Return the inverse between the origin and a white neighbour; 0 if there is none."""
        return 0.0 if self.singular else float(self._inverse(*neighbour))

    def minor(self, first: Any, black: Any, second: Any) -> NDArray[np.float64]:
        """Return the minor of the black vertices 0 and `black` and the white `first` and `second`,
        pairs of coordinates that are not reduced to the torus."""
        if self.singular:
            null = np.sin(np.pi / 2 * (first[0] + first[1] - second[0] - second[1]))
            other = np.sin(np.pi / 2 * (black[0] + black[1]))
            return -4 * null * other / np.prod(self._shape) ** 2
        shifted = self._inverse(second[0] - black[0], second[1] - black[1])
        crossed = self._inverse(first[0] - black[0], first[1] - black[1])
        return self._inverse(*first) * shifted - self._inverse(*second) * crossed

    def _inverse(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Return K_ab^-1 by the displacement from black to white; beyond the torus it carries the
        sign of the sector."""
        (turns_x, x), (turns_y, y) = (np.divmod(d, n) for d, n in zip((x, y), self._shape))
        sign = 1 - 2 * ((self.signs[0] * turns_x + self.signs[1] * turns_y) % 2)
        return sign * self._green[x, y]


def _products(shape: tuple[int, int], sector: _Sector) -> NDArray[np.float64]:
    """Return the sums over two dimers of what `arrow_covariance` returns, in units of the product
    of eigenvalues. Two dimers that share a vertex contribute nothing."""
    x, y = np.indices(shape)
    result = np.zeros((2, 2, *shape))
    for first, entry, arrows in _NEIGHBOURS:
        for second, other, others in _NEIGHBOURS:
            weight = entry * other
            black = sector.minor(first, (x, y), (x + second[0], y + second[1]))
            white = sector.minor(
                first,
                (x + first[0] - second[0], y + first[1] - second[1]),
                (x + first[0], y + first[1]),
            )
            mixed = sector.minor(first, (x - second[0], y - second[1]), (x, y))
            result[0, 0] += weight * arrows[0] * others[0] * black
            result[1, 1] += weight * arrows[1] * others[1] * white
            result[0, 1] += weight * arrows[0] * others[1] * mixed
        here = tuple(np.mod(first, shape))
        result[0, 1][here] += entry * arrows[0] * arrows[1] * sector.single(first)
    result[1, 0] = np.roll(result[0, 1][::-1, ::-1], (1, 1), axis=(0, 1))
    return result
