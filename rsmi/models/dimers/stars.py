"""What never varies in a block of a dimer covering, the stars, and the heights of its environment.

Every vertex of a covering has exactly one dimer, so that the four links around a vertex, a *star*,
have the sum -2 in spins of +-1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rsmi.information.gauge import Constraints, without_constraints
from rsmi.lattice.geometry import Geometry
from rsmi.models import height_bits

STAR_SUM = -2  # one dimer (+1) and three empty links (-1)


def star_vectors(block: Sequence[int], components: int) -> NDArray[np.float64]:
    """Return the stars of the vertices whose four links all belong to the block.

    Parameters
    ----------
    block : (int, int)
        Cells of the block, each a vertex with its links to the next vertex along the first and the
        second axis.
    components : int
        2: those links; 4: vertex spin, links, face spin.

    Returns
    -------
    ndarray of float64, (n_stars, components x cells)
        1 at the links of the star and 0 elsewhere.
    """
    first = components // 2 - 1  # the component of the links along the first axis
    stars = []
    for x in range(1, block[0]):
        for y in range(1, block[1]):
            star = np.zeros((components, *block))
            star[first, x - 1 : x + 1, y] = 1
            star[first + 1, x, y - 1 : y + 1] = 1
            stars.append(star.ravel())
    return np.array(stars).reshape(len(stars), components * block[0] * block[1])


def star_constraints(block: Sequence[int], components: int) -> Constraints:
    """Return the stars of a block and their sums."""
    vectors = star_vectors(block, components)
    return Constraints(vectors, np.full(len(vectors), float(STAR_SUM)))


def without_stars(
    filters: NDArray[np.float64], bias: NDArray[np.float64], block: Sequence[int], components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `gauge.without_constraints` does for the stars of a block."""
    return without_constraints(filters, bias, star_constraints(block, components))


def height_columns(
    geometry: Geometry, environments: NDArray[np.int8], components: int
) -> NDArray[np.int8]:
    """Return the bits of the mean height of the plaquettes beside the links of environments (n,
    n_environment), (n, 8).

    Across an empty link the height changes by 1 and across a dimer by -3, if the vertex of the even
    sublattice is to the left, and by the opposite if it is to the right. Columnar order has the
    period 4 in the height. The first vertex of the block is on the even sublattice.
    """
    offsets = geometry.environment_offsets
    signs = 1.0 - 2.0 * (offsets.sum(axis=1) % 2)
    first = (components // 2 - 1) * len(offsets)  # behind the noise of the vertices
    links = height_bits.links_of(offsets, {"x": -2 * signs, "y": 2 * signs}, 0.5, first)
    weights, constant = height_bits.mean_height(links, environments.shape[1])
    return height_bits.height_bits(environments @ weights + constant, 4.0)
