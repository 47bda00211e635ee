"""Fully packed dimers on the square lattice: coverings as arrays, and what is measured on them.

Links are 0 or 1, shape (n, 2, Lx, Ly): ``links[:, 0, x, y]`` leads from the vertex (x, y) to (x +
1, y), ``links[:, 1, x, y]`` to (x, y + 1), around the edges of a periodic lattice; on an open one
those around the edges are 0.
"""

from __future__ import annotations

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.models.dimers.worm import LONGEST

COMPONENTS = ("vertex", "x-link", "y-link", "face")
LINKS = slice(1, 3)  # of the components of samples with noise


def check_shape(shape):
    """Raise UsageError unless coverings exist: two even sides."""
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


def columns(shape, state=0, boundary="periodic"):
    """A covering that chains start from; int8 (Lx, Ly) directions of the partners.

    The columnar state ``state`` modulo 4: dimers side by side, along x from even vertices, along y,
    and both from odd vertices; the last two are not on an open lattice, which takes the first two
    instead.
    """
    axis, odd = state % 2, state // 2 % 2 if boundary == "periodic" else 0
    position = np.indices(shape)[axis]
    return np.where(position % 2 == odd, axis, axis + 2).astype(np.int8)


def links_of(spins):
    """The links (n, 2, Lx, Ly) of arrays (n, components, Lx, Ly), with noise or without."""
    return spins[:, LINKS] if spins.shape[1] == 4 else spins


def dimers_at(links):
    """Number of dimers at every vertex, int8 (n, Lx, Ly)."""
    links = np.asarray(links, dtype=np.int8)
    return (
        links[:, 0]
        + links[:, 1]
        + np.roll(links[:, 0], 1, axis=1)
        + np.roll(links[:, 1], 1, axis=2)
    )


def check_coverings(links, boundary="periodic", where="samples", first=0):
    """Check that every vertex of every sample has exactly one dimer.

    Parameters
    ----------
    links : (n, 2, Lx, Ly) of 0 and 1
    boundary : {"periodic", "open"}
    where : what the samples were read from, for the message
    first : number of the first sample, for the message

    Raises
    ------
    DataError
        Naming the first sample and vertex where it does not hold.
    """
    wrong = np.argwhere(dimers_at(links) != 1)
    if len(wrong):
        sample, x, y = map(int, wrong[0])
        count = int(dimers_at(links[sample : sample + 1])[0, x, y])
        raise DataError(
            f"{where}: no dimer covering: sample {first + sample} has {count} dimers at the vertex"
            f" ({x}, {y}), where there must be one"
        )
    around = (
        np.argwhere(
            np.asarray(links)[:, 0, -1].any(axis=1) | np.asarray(links)[:, 1, :, -1].any(axis=1)
        )
        if boundary == "open"
        else ()
    )
    if len(around):
        raise DataError(
            f"{where}: sample {first + int(around[0][0])} has a dimer around the edge of a lattice"
            " said to be open"
        )


def parallel_pairs(links, boundary="periodic"):
    """Plaquettes with two parallel dimers, int64 (n,): N_parallel, minus the energy in units of the
    attraction."""
    side_x, side_y = (
        links[:, 0] & np.roll(links[:, 0], -1, axis=2),
        links[:, 1] & np.roll(links[:, 1], -1, axis=1),
    )
    if boundary == "open":
        side_x, side_y = side_x[:, :, :-1], side_y[:, :-1]
    return side_x.sum(axis=(1, 2), dtype=np.int64) + side_y.sum(axis=(1, 2), dtype=np.int64)


def windings(links):
    """Winding numbers (W_x, W_y), int64 (n, 2), of periodic coverings.

    W_x = sum over y of (-1)^(x+y) n_x(x, y), the same at every x: the flux of the electric field
    E_a = (-1)^(x+y) (n_a - 1/4).
    """
    along_x, along_y = (
        np.asarray(links)[:, 0, 0, :].astype(np.int64),
        np.asarray(links)[:, 1, :, 0].astype(np.int64),
    )
    return np.stack(
        [along_x @ _alternating(along_x.shape[1]), along_y @ _alternating(along_y.shape[1])], axis=1
    )


def columnar_order(links):
    """Columnar order parameter, float64 (n, 2): 2/N times the sums of (-1)^x n_x and (-1)^y n_y;
    its length is 1 in a columnar state."""
    links = np.asarray(links)
    vertices = links.shape[2] * links.shape[3]
    along_x = links[:, 0].sum(axis=2, dtype=np.int64) @ _alternating(links.shape[2])
    along_y = links[:, 1].sum(axis=1, dtype=np.int64) @ _alternating(links.shape[3])
    return 2 / vertices * np.stack([along_x, along_y], axis=1)


def field_fluctuation(links):
    """|E_q|^2 / N at the smallest wave vectors across the field, float64 (n,), of periodic
    coverings.

    E_a = (-1)^(x+y) (n_a - 1/4) has no divergence, so that q is at right angles to it: the mean of
    |E_x|^2 at q = 2 pi / Ly along y and of |E_y|^2 at q = 2 pi / Lx along x. Its average S gives
    the `stiffness` also where windings are too rare to be seen.
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


def stiffness(fluctuation):
    """g = 1 / (2 pi S) of the average S of `field_fluctuation`.

    The height field has the weight exp(-pi g int |grad h|^2), windings have P(W) ~ exp(-pi g (W_x^2
    + W_y^2)) on a square: free dimers have g = 1/2, aligning ones order in columns where g reaches
    4 (F. Alet et al., Phys. Rev. E 74, 041124 (2006)). Corrections of the lattice are of order
    1/L^2.
    """
    return 1 / (2 * np.pi * fluctuation)


def _alternating(n):
    return 1 - 2 * (np.arange(n) % 2)


def observables(links, boundary="periodic"):
    """What is averaged over coverings, float64 (n,) each: ``energy`` (-N_parallel),
    ``winding_squared`` ((W_x^2 + W_y^2)/2, periodic lattices only), ``field_fluctuation`` (periodic
    only) and ``columnar_order`` (the length of the order parameter).
    """
    found = {"energy": -parallel_pairs(links, boundary).astype(np.float64)}
    if boundary == "periodic":
        found["winding_squared"] = (windings(links) ** 2).sum(axis=1) / 2
        found["field_fluctuation"] = field_fluctuation(links)
    return found | {"columnar_order": np.hypot(*columnar_order(links).T)}


def noise_agreement(spins, pairing):
    """Fraction of faces whose noise spin is that of the vertex they are paired with, float64 (n,),
    of arrays (n, 4, Lx, Ly)."""
    vertex = np.roll(spins[:, 0], (-1, -1), axis=(1, 2)) if pairing == "straddling" else spins[:, 0]
    return (spins[:, 3] == vertex).mean(axis=(1, 2))
