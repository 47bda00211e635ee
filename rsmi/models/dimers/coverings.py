"""Fully packed dimers on the square lattice: coverings as arrays, and their observables.

Links are 0 or 1, in arrays of the shape (n, 2, Lx, Ly). ``links[:, 0, x, y]`` leads from the vertex
(x, y) to (x + 1, y), and ``links[:, 1, x, y]`` to (x, y + 1). On a periodic lattice links lead
around the edges; on an open one these links are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.errors import DataError, UsageError
from rsmi.lattice.waves import staggered_signs
from rsmi.models.dimers.worm import LONGEST

COMPONENTS = ("vertex", "x-link", "y-link", "face")
LINKS = slice(1, 3)  # components that are links, in samples with noise


def check_shape(shape: Sequence[int]) -> None:
    """Raise UsageError unless coverings exist and can be sampled: two even sides within the limits
    of the sampler."""
    text = "x".join(map(str, shape))
    if len(shape) != 2:
        raise UsageError(f"--size {text}: dimers live on lattices of two axes")
    odd = [size for size in shape if size % 2]
    if odd:
        raise UsageError(
            f"--size {text}: no dimer covering with {odd[0]} vertices along a side is sampled: the"
            " sides must be even"
        )
    if min(shape) < 2 or max(shape) > LONGEST or (shape[0] + 2) * (shape[1] + 2) >= 1 << 25:
        raise UsageError(f"--size {text}: sides from 2 to {LONGEST} and fewer than 2^25 vertices")


def columns(shape: Sequence[int], state: int = 0, boundary: str = "periodic") -> NDArray[np.int8]:
    """Return a columnar covering, from which chains start.

    Parameters
    ----------
    shape : sequence of int
        Vertices along x and y.
    state : int
        Number of the columnar state modulo 4: dimers side by side along x from even vertices, along
        y from even vertices, and the same from odd vertices. The last two do not exist on an open
        lattice, which has the first two instead.
    boundary : {"periodic", "open"}

    Returns
    -------
    ndarray of int8, (Lx, Ly)
        Direction of the partner of every vertex: 0 next x, 1 next y, 2 previous x, 3 previous y.
    """
    axis, odd = state % 2, state // 2 % 2 if boundary == "periodic" else 0
    position = np.indices(shape)[axis]
    return np.where(position % 2 == odd, axis, axis + 2).astype(np.int8)


def links_of(spins: NDArray[Any]) -> NDArray[Any]:
    """Return the links, (n, 2, Lx, Ly), of arrays (n, components, Lx, Ly) with noise or without."""
    return spins[:, LINKS] if spins.shape[1] == 4 else spins


def electric_field(axis: int, configurations: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the electric field along one axis, (-1)^(x + y) (n - 1/4), which is a conserved
    current.

    Parameters
    ----------
    axis : int
        0 for x, 1 for y.
    configurations : ndarray of int8, (n, components, Lx, Ly)
        Values +-1, with noise or without.

    Returns
    -------
    ndarray of float64, (n, Lx, Ly)
    """
    links = (links_of(configurations)[:, axis] > 0).astype(np.float64)
    return (links - 0.25) * staggered_signs(configurations.shape[2:])


def column_field(axis: int, configurations: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return one component of the columnar order, (-1)^x (n - 1/4) of the links along x, or the
    same of y.

    The parameters and the result are those of `electric_field`.
    """
    links = (links_of(configurations)[:, axis] > 0).astype(np.float64)
    position = np.indices(configurations.shape[2:])[axis]
    return (links - 0.25) * (1 - 2 * (position % 2))


def dimers_at(links: NDArray[Any]) -> NDArray[np.int8]:
    """Return the number of dimers at every vertex, (n, Lx, Ly)."""
    links = np.asarray(links, dtype=np.int8)
    return (
        links[:, 0]
        + links[:, 1]
        + np.roll(links[:, 0], 1, axis=1)
        + np.roll(links[:, 1], 1, axis=2)
    )


def check_coverings(
    links: ArrayLike, boundary: str = "periodic", where: object = "samples", first: int = 0
) -> None:
    """Check that every vertex of every sample has exactly one dimer.

    Parameters
    ----------
    links : array_like of int, (n, 2, Lx, Ly)
        0 or 1.
    boundary : {"periodic", "open"}
    where : str or path
        Origin of the samples, for the message.
    first : int
        Number of the first sample, for the message.

    Raises
    ------
    DataError
        If a vertex has no or several dimers, or an open lattice has a dimer around its edge. The
        message names the first such sample.
    """
    links = np.asarray(links)
    wrong = np.argwhere(dimers_at(links) != 1)
    if len(wrong):
        sample, x, y = map(int, wrong[0])
        count = int(dimers_at(links[sample : sample + 1])[0, x, y])
        raise DataError(
            f"{where}: no dimer covering: sample {first + sample} has {count} dimers at the vertex"
            f" ({x}, {y}), where there must be one"
        )
    around = links[:, 0, -1].any(axis=1) | links[:, 1, :, -1].any(axis=1)
    if boundary == "open" and around.any():
        raise DataError(
            f"{where}: sample {first + int(np.argmax(around))} has a dimer around the edge of a"
            " lattice said to be open"
        )


def parallel_pairs(links: NDArray[Any], boundary: str = "periodic") -> NDArray[np.int64]:
    """Return the number N_parallel of plaquettes with two parallel dimers, (n,). It is minus the
    energy in units of the attraction."""
    side_x, side_y = (
        links[:, 0] & np.roll(links[:, 0], -1, axis=2),
        links[:, 1] & np.roll(links[:, 1], -1, axis=1),
    )
    if boundary == "open":
        side_x, side_y = side_x[:, :, :-1], side_y[:, :-1]
    return side_x.sum(axis=(1, 2), dtype=np.int64) + side_y.sum(axis=(1, 2), dtype=np.int64)


def windings(links: NDArray[Any]) -> NDArray[np.int64]:
    """Return the winding numbers (W_x, W_y) of periodic coverings, (n, 2).

    W_x = sum over y of (-1)^(x+y) n_x(x, y) is the same at every x. It is the flux of the electric
    field E_a = (-1)^(x+y) (n_a - 1/4).
    """
    along_x, along_y = (
        np.asarray(links)[:, 0, 0, :].astype(np.int64),
        np.asarray(links)[:, 1, :, 0].astype(np.int64),
    )
    return np.stack(
        [along_x @ _alternating(along_x.shape[1]), along_y @ _alternating(along_y.shape[1])], axis=1
    )


def columnar_order(links: NDArray[Any]) -> NDArray[np.float64]:
    """Return the columnar order parameter, (n, 2): 2/N times the sums of (-1)^x n_x and (-1)^y n_y.
    Its length is 1 in a columnar state."""
    links = np.asarray(links)
    vertices = links.shape[2] * links.shape[3]
    along_x = links[:, 0].sum(axis=2, dtype=np.int64) @ _alternating(links.shape[2])
    along_y = links[:, 1].sum(axis=1, dtype=np.int64) @ _alternating(links.shape[3])
    return 2 / vertices * np.stack([along_x, along_y], axis=1)


def field_fluctuation(links: NDArray[Any]) -> NDArray[np.float64]:
    """Return |E_q|^2 / N of periodic coverings at the smallest wave vectors across the field, (n,).

    E_a = (-1)^(x+y) (n_a - 1/4) has no divergence, so that q is at right angles to it. The value is
    the mean of |E_x|^2 at q = 2 pi / Ly along y and of |E_y|^2 at q = 2 pi / Lx along x. Its
    average S gives the `stiffness` also where windings are too rare to be observed.
    """
    links = np.asarray(links)
    vertices = links.shape[2] * links.shape[3]
    along_x, along_y = (
        _alternating(links.shape[2]) @ links[:, 0],
        links[:, 1] @ _alternating(links.shape[3]),
    )
    waves = [
        (field * _alternating(field.shape[1]))
        @ np.exp(2j * np.pi * np.arange(field.shape[1]) / field.shape[1])
        for field in (along_x, along_y)
    ]
    return sum(np.abs(wave) ** 2 for wave in waves) / (2 * vertices)


def stiffness(fluctuation: float) -> float:
    """Return the stiffness g = 1 / (2 pi S) from the average S of `field_fluctuation`.

    The height field has the weight exp(-pi g int |grad h|^2), and windings have P(W) ~ exp(-pi g
    (W_x^2 + W_y^2)) on a square. Free dimers have g = 1/2, and aligning dimers order in columns
    where g reaches 4 (F. Alet et al., Phys. Rev. E 74, 041124 (2006)). Corrections of the lattice
    are of order 1/L^2.
    """
    return 1 / (2 * np.pi * fluctuation)


def _alternating(n: int) -> NDArray[np.int64]:
    return 1 - 2 * (np.arange(n) % 2)


def observables(links: NDArray[Any], boundary: str = "periodic") -> dict[str, NDArray[np.float64]]:
    """Return the observables of every covering.

    Returns
    -------
    dict of ndarray of float64, (n,)
        ``energy`` (-N_parallel), ``winding_squared`` ((W_x^2 + W_y^2)/2) and ``field_fluctuation``
        (both on periodic lattices only), and ``columnar_order`` (the length of the order
        parameter).
    """
    result = {"energy": -parallel_pairs(links, boundary).astype(np.float64)}
    if boundary == "periodic":
        result["winding_squared"] = (windings(links) ** 2).sum(axis=1) / 2
        result["field_fluctuation"] = field_fluctuation(links)
    return result | {"columnar_order": np.hypot(*columnar_order(links).T)}


def noise_agreement(spins: NDArray[Any], pairing: str) -> NDArray[np.float64]:
    """Return the fraction of faces whose noise spin equals that of the vertex with which they are
    paired.

    Parameters
    ----------
    spins : ndarray of int, (n, 4, Lx, Ly)
    pairing : {"cell", "straddling"}

    Returns
    -------
    ndarray of float64, (n,)
    """
    vertex = np.roll(spins[:, 0], (-1, -1), axis=(1, 2)) if pairing == "straddling" else spins[:, 0]
    return (spins[:, 3] == vertex).mean(axis=(1, 2))
