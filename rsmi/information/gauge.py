"""What of a filter no configuration can tell: its sign, and on dimer coverings the stars.

Every vertex of a covering has exactly one dimer, so the four links around a vertex, a *star*, have
the sum -2 in spins +-1. Adding a multiple of a star to a filter is the same as a change of its
bias.
"""

import numpy as np
from numpy.typing import NDArray

_STAR_SUM = -2  # one dimer (+1) and three empty links (-1)


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


def without_stars(
    filters: NDArray, bias: NDArray, block: tuple[int, int], components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The filters (..., n_block) orthogonal to all stars of the block, with the biases (...,) that
    leave x_j of every covering as it is."""
    stars = star_vectors(block, components)
    if not len(stars):
        return filters, bias
    shares = np.linalg.solve(
        stars @ stars.T, np.einsum("si,...i->s...", stars, filters).reshape(len(stars), -1)
    ).reshape(len(stars), *filters.shape[:-1])
    return filters - np.einsum("s...,si->...i", shares, stars), bias + _STAR_SUM * shares.sum(
        axis=0
    )


def positive(
    filters: NDArray, bias: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Filters with a positive sum (a positive first weight where it vanishes), biases, and the
    signs that made them so.

    Flipping a filter with its bias only exchanges the names of the hidden unit's two states.
    """
    sums = filters.sum(axis=1)
    vanishing = np.abs(sums) <= 1e-9 * np.abs(filters).sum(axis=1)
    signs = np.where(np.where(vanishing, filters[:, 0], sums) < 0, -1.0, 1.0)
    return filters * signs[:, None], bias * signs + 0.0, signs  # + 0.0: no bias of -0
