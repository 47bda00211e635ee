"""Fully packed dimers on the square lattice, exactly: the number of coverings and the covariance of
the links.

P. W. Kasteleyn, Physica 27, 1209 (1961); M. E. Fisher, Phys. Rev. 124, 1664 (1961). The vertices
(x, y) with x + y even are black. The matrix K (black, white) has the entry (-1)^x for the link (x,
y)-(x+1, y) and (-1)^(x+y) for (x, y)-(x, y+1). The product around every plaquette is -1, and with
rows and columns ordered by the covering of all x-links with x even, this covering counts +1. With
open boundaries det K is then the number of coverings. On the torus (both sides even) four
determinants are needed, of K periodic (a = 0) or antiperiodic (a = 1) along either axis,

    Z = 1/2 (- det K_00 + det K_10 + det K_01 + det K_11),

since a covering counts in K_ab with a sign that depends on the parities of its windings. K^T K is
the lattice Laplacian with spacing 2, so that all of them follow from Fourier sums over the torus of
(Lx/2, Ly/2) cells:

    det K_ab = prod_k l(k),   l(k) = 4 - 2 cos k_x - 2 cos k_y,   k_x = 2 pi (m + a/2) / (Lx/2),
    K_ab^-1 = (1/l) K_ab^T.

K_00 has a null vector for each parity of x of the white vertices, and one for each of the black
ones. Its determinant vanishes, but its minors of second order do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError

_SECTORS = ((0, 1), (1, 0), (1, 1))  # (a, b) of the regular matrices
_ENDS = ((1, 0), (0, 1))  # far end of an x-link, of a y-link

_Vertex = tuple[Any, Any]  # coordinates x and y, numbers or arrays of int64


def check_shape(shape: Sequence[int]) -> None:
    """Refuse lattices that do not have two even sides.

    Raises
    ------
    UsageError
        Unless there are two sides, both even and at least 2.
    """
    if len(shape) != 2 or any(size < 2 or size % 2 for size in shape):
        raise UsageError(
            f"dimers need a lattice of two even sides, not {'x'.join(map(str, shape))}"
        )


# ---- number of coverings and windings ------------------------------------------------------------


def log_coverings(shape: Sequence[int], boundary: str = "periodic") -> float:
    """Return the logarithm of the number of coverings.

    Parameters
    ----------
    shape : (int, int)
        Vertices along x and y, both even.
    boundary : {"periodic", "open"}

    Raises
    ------
    UsageError
        If the sides are not two even numbers.
    """
    check_shape(shape)
    if boundary == "open":
        return float(np.linalg.slogdet(_open_matrix(shape)).logabsdet)
    logs = np.array([_log_determinant(shape, sector) for sector in _SECTORS])
    return float(logs.max() + np.log(0.5 * np.exp(logs - logs.max()).sum()))


def _eigenvalues(shape: Sequence[int], sector: tuple[int, int]) -> NDArray[np.float64]:
    """Return l(k), (Lx/2, Ly/2)."""
    cells = (shape[0] // 2, shape[1] // 2)
    k_x, k_y = (2 * np.pi * (np.arange(n) + a / 2) / n for n, a in zip(cells, sector))
    return 4 - 2 * np.cos(k_x)[:, None] - 2 * np.cos(k_y)


def _log_determinant(shape: Sequence[int], sector: tuple[int, int]) -> float:
    values = _eigenvalues(shape, sector)
    smallest = values.min()
    return -np.inf if smallest < 1e-14 else float(np.log(values).sum())


# ---- covariance of the links ---------------------------------------------------------------------


def link_covariance(shape: Sequence[int]) -> NDArray[np.float64]:
    """Return the covariances of the links of the torus; coverings of all windings count.

    Parameters
    ----------
    shape : (int, int)
        Vertices along x and y, both even.

    Returns
    -------
    ndarray of float64, (2, 2, Lx, Ly)
        ``[a, b, dx, dy]`` is Cov(n_a(x, y), n_b(x + dx, y + dy)). The bit n_0(x, y) is 1 if a dimer
        lies on (x, y)-(x+1, y), and n_1(x, y) if one lies on (x, y)-(x, y+1). On a square torus
        every link holds a dimer with probability 1/4.

    Raises
    ------
    UsageError
        If the sides are not two even numbers.
    """
    check_shape(shape)
    links = np.indices((2, *shape))
    black, white, weight = _link_ends(*links)
    mean, products = np.zeros(2), np.zeros((2, 2, *shape))
    scale = log_coverings(shape)
    for a, end in enumerate(_ENDS):  # of the links at the origin, which is black
        for sector in _SECTORS:
            inverse, share = (
                _Inverse(shape, sector),
                0.5 * np.exp(_log_determinant(shape, sector) - scale),
            )
            origin = inverse(end, (0, 0))
            mean[a] += share * origin
            products[a] += (
                share
                * weight
                * (origin * inverse(white, black) - inverse(end, black) * inverse(white, (0, 0)))
            )
        products[a] -= 0.5 * weight * _singular_minor(shape, end, black, white, scale)
        products[a, a, 0, 0] = mean[a]
    return products - np.outer(mean, mean)[..., None, None]


class _Inverse:
    """K_ab^-1 between a white and a black vertex.

    Vertices beyond the lattice carry the sign of the sector, so that links never need it.
    """

    def __init__(self, shape: Sequence[int], sector: tuple[int, int]) -> None:
        self._sector = sector
        self._cells = (shape[0] // 2, shape[1] // 2)
        phases = (np.exp(1j * np.pi * a * np.arange(n) / n) for a, n in zip(sector, self._cells))
        self._green = (np.outer(*phases) * np.fft.ifft2(1 / _eigenvalues(shape, sector))).real

    def __call__(self, white: _Vertex, black: _Vertex) -> NDArray[np.float64]:
        total: Any = 0.0
        for (dx, dy), sign in (((1, 0), 1), ((-1, 0), -1), ((0, 1), 1), ((0, -1), -1)):
            weight = sign * (1 - 2 * (black[0] % 2) * (dx != 0))
            total = total + weight * self._propagator(
                white[0] - black[0] - dx, white[1] - black[1] - dy
            )
        return total

    def _propagator(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Return the inverse of K^T K between two white vertices; it is zero unless both
        displacements are even."""
        (turns_x, cell_x), (turns_y, cell_y) = (
            np.divmod(d // 2, n) for d, n in zip((x, y), self._cells)
        )
        sign = 1 - 2 * ((self._sector[0] * turns_x + self._sector[1] * turns_y) % 2)
        return np.where(x % 2 == 0, sign * self._green[cell_x, cell_y], 0.0)


def _singular_minor(
    shape: Sequence[int], end: _Vertex, black: _Vertex, white: _Vertex, scale: float
) -> NDArray[np.float64]:
    """Return the minor of K_00 without the rows and columns of two links, one from the origin to
    `end`, in units of exp(scale).

    It is the determinant without its two zeros, times the 2x2 determinants of the null vectors of
    either colour. These vectors are constant on the vertices of one parity of x; in the order x
    even, odd of black and x odd, even of white the two determinants have the same sign.
    """
    values = _eigenvalues(shape, (0, 0))
    log_product = np.log(values[values > 1e-14]).sum()
    # 1 where the second black vertex is in the other class than the origin
    other_black = black[0] % 2
    other_white = np.where(white[0] % 2 == end[0] % 2, 0, 1 if end[0] % 2 else -1)
    return np.exp(log_product - scale) * other_black * other_white / values.size**2


def _link_ends(
    component: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.int64]
) -> tuple[_Vertex, _Vertex, NDArray[np.int64]]:
    """Return black vertex, white vertex (as pairs of coordinates, not reduced to the lattice) and
    weight of links."""
    far = (x + (component == 0), y + (component == 1))
    even = (x + y) % 2 == 0
    black = np.where(even, x, far[0]), np.where(even, y, far[1])
    white = np.where(even, far[0], x), np.where(even, far[1], y)
    weight = 1 - 2 * ((x + y * (component == 1)) % 2)
    return black, white, weight


# ---- open boundaries -----------------------------------------------------------------------------


def _open_matrix(shape: Sequence[int]) -> NDArray[np.float64]:
    """Return K of the open lattice, (sites/2, sites/2)."""
    links = np.argwhere(
        [
            np.arange(shape[0])[:, None] + 0 * np.arange(shape[1]) < shape[0] - 1,
            np.arange(shape[1]) + 0 * np.arange(shape[0])[:, None] < shape[1] - 1,
        ]
    )
    black, white, weight = _link_ends(*links.T)
    row, column = ((x // 2) * shape[1] + y for x, y in (black, white))
    matrix = np.zeros((shape[0] * shape[1] // 2,) * 2)
    matrix[row, column] = weight
    return matrix
