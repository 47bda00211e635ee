"""Linear functions of a block of arrows: the ice rule at its inner vertices, which never varies,
and the field and the staggered polarization, by which filters are described."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsmi.information.gauge import Constraints
from rsmi.lattice.geometry import Geometry
from rsmi.models import height_bits

COMPONENTS = 2  # the arrows to the next x and to the next y of a vertex


def star_constraints(geometry: Geometry) -> Constraints:
    """Return the stars of the vertices whose four arrows belong to the block.

    Returns
    -------
    Constraints
        One vector for each such vertex, +1 at its own two arrows and -1 at the two arrows of other
        vertices that point to it; the sums are 0.
    """
    number = {tuple(map(int, site)): i for i, site in enumerate(geometry.block_offsets)}
    stars = []
    for (x, y), here in number.items():
        left, below = number.get((x - 1, y)), number.get((x, y - 1))
        if left is None or below is None:
            continue
        star = np.zeros((COMPONENTS, len(number)))
        star[:, here] = 1
        star[0, left] = star[1, below] = -1
        stars.append(star.ravel())
    vectors = np.array(stars).reshape(len(stars), COMPONENTS * len(number))
    return Constraints(vectors, np.zeros(len(vectors)))


def templates(geometry: Geometry) -> dict[str, NDArray[np.float64]]:
    """Return the sums of the arrows along x and along y, ``field`` (2, n_block), and the staggered
    polarization, ``staggered`` (1, n_block), of a block."""
    signs = 1.0 - 2.0 * (geometry.block_offsets.sum(axis=1) % 2)
    nothing, one = np.zeros_like(signs), np.ones_like(signs)
    return {
        "field": np.array([np.concatenate([one, nothing]), np.concatenate([nothing, one])]),
        "staggered": np.concatenate([-signs, signs])[np.newaxis],
    }


def height_columns(geometry: Geometry, environments: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the bits of the mean height of the plaquettes beside the arrows of environments (n,
    n_environment), (n, 8).

    The height rises by the arrow on a y-link from x to x + 1, and falls by the arrow on an x-link
    from y to y + 1. The staggered polarization is the sine of pi times the height.
    """
    offsets = geometry.environment_offsets
    one = np.ones(len(offsets))
    links = height_bits.links_of(offsets, {"x": -one, "y": one})
    weights, _ = height_bits.mean_height(links, environments.shape[1])
    return height_bits.height_bits(environments @ weights, 2.0)
