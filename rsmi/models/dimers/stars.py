"""What never varies in a block of a dimer covering: the stars.

Every vertex of a covering has exactly one dimer, so the four links around a vertex, a *star*, have
the sum -2 in spins of +-1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsmi.information.gauge import Constraints, without_constraints

STAR_SUM = -2  # one dimer (+1) and three empty links (-1)


def star_vectors(block: tuple[int, int], components: int) -> NDArray[np.float64]:
    """Stars of the vertices whose four links all belong to the block, (n_stars, components x
    sites), entries 0 and 1.

    Parameters
    ----------
    block : (int, int)
        Cells of the block, each a vertex with its links to the next vertex along the first and the
        second axis.
    components : int
        2: those links; 4: vertex spin, links, face spin.
    """
    links = components // 2 - 1  # the component of the links along the first axis
    stars = []
    for x in range(1, block[0]):
        for y in range(1, block[1]):
            star = np.zeros((components, *block))
            star[links, x - 1 : x + 1, y] = 1
            star[links + 1, x, y - 1 : y + 1] = 1
            stars.append(star.ravel())
    return np.array(stars).reshape(len(stars), components * block[0] * block[1])


def star_constraints(block: tuple[int, ...], components: int) -> Constraints:
    """The stars of a block and their sum."""
    vectors = star_vectors(block, components)
    return Constraints(vectors, np.full(len(vectors), float(STAR_SUM)))


def without_stars(
    filters: NDArray[np.float64], bias: NDArray[np.float64], block: tuple[int, ...], components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`gauge.without_constraints` for the stars of a block."""
    return without_constraints(filters, bias, star_constraints(block, components))
