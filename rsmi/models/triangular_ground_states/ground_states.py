"""Ground states of the triangular antiferromagnet as arrays of spins, and their observables.

The lattice is a sheared torus of the sites (x, y): the neighbours of a site lie at +-(1, 0),
+-(0, 1) and +-(1, 1). A configuration is a ground state if no triangle has three equal spins.
Every triangle then has exactly one frustrated bond, and the energy is -J per site.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.order import Order
from rsmi.models.triangular_ground_states.worm import LONGEST

BONDS = ((1, 0), (0, 1), (1, 1))  # three of the six neighbours of a site
ORDER = Order("order at K", ((Fraction(1, 3), Fraction(1, 3)),))


def check_shape(shape: Sequence[int], where: str = "--size") -> None:
    """Raise UsageError unless the lattice has two sides on which the wave vector K fits: multiples
    of 3 within the limits of the sampler."""
    text = f"{where} {shape_text(shape)}"
    if len(shape) != 2:
        raise UsageError(f"{text}: the triangular lattice has two axes")
    if any(side % 3 for side in shape) or not 3 <= min(shape) <= max(shape) <= LONGEST:
        raise UsageError(
            f"{text}: the three sublattices of the triangular lattice need sides that are multiples"
            f" of 3, from 3 to {LONGEST}"
        )


def flat_bonds(shape: Sequence[int], state: int = 0) -> NDArray[np.uint8]:
    """Return frustrated bonds in which the three directions alternate, from which chains start.

    Parameters
    ----------
    shape : sequence of int
        Sites along x and y, multiples of 3.
    state : int
        Number of the state modulo 3; the others are its translations.

    Returns
    -------
    ndarray of uint8, (Lx, Ly)
        The frustrated bond of every triangle (x, y), (x + 1, y), (x + 1, y + 1): 0 between its
        first two sites, 1 between its last two, 2 between the first and the last.
    """
    x, y = np.indices(shape)
    return np.array([1, 0, 2], dtype=np.uint8)[(x + y + state) % 3]


def frustrated_triangles(spins: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return whether the three spins of every triangle are equal, (n, 2, Lx, Ly).

    Parameters
    ----------
    spins : ndarray of int, (n, Lx, Ly)
        Two different values.

    Returns
    -------
    ndarray of bool
        Of the triangles (x, y), (x + 1, y), (x + 1, y + 1), then of (x, y), (x, y + 1),
        (x + 1, y + 1).
    """
    across = np.roll(spins, (-1, -1), axis=(1, 2)) == spins
    corners = (np.roll(spins, -1, axis=1), np.roll(spins, -1, axis=2))
    return np.stack([across & (corner == spins) for corner in corners], axis=1)


def check_ground_states(
    spins: NDArray[np.integer], where: object = "samples", first: int = 0
) -> None:
    """Raise DataError unless every configuration (n, Lx, Ly) is a ground state; ``first`` is the
    number of the first one, for the message."""
    wrong = np.argwhere(frustrated_triangles(spins))
    if len(wrong):
        sample, kind, x, y = map(int, wrong[0])
        third = "(x + 1, y)" if kind == 0 else "(x, y + 1)"
        raise DataError(
            f"{where}: sample {first + sample} is no ground state of the triangular"
            f" antiferromagnet: the spins at (x, y), {third} and (x + 1, y + 1) with x = {x} and"
            f" y = {y} are equal; the neighbours of a site are expected at (1, 0), (0, 1), (1, 1)"
            " and opposite to them"
        )


def energies(spins: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return J times the sum of s s' over all bonds, (n,), of configurations (n, Lx, Ly) of +-1."""
    return np.sum(bond_sums(spins), axis=1)


def bond_sums(spins: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the sums of s s' over the bonds of each of the three directions, (n, 3)."""
    neighbours = (np.roll(spins, (-x, -y), axis=(1, 2)) for x, y in BONDS)
    sums = [(spins * other).sum(axis=(1, 2), dtype=np.int64) for other in neighbours]
    return np.stack(sums, axis=1)


def order(spins: NDArray[np.int8]) -> NDArray[np.complex128]:
    """Return m_K = sum of s exp(i K.r) / N, (n,), with K.r = 2 pi (x + y)/3.

    Its length is at most 2/3, where every sublattice is ordered, and 3^(-1/2) where two are
    opposite and the sum of the third vanishes.
    """
    phases = np.exp(2j * np.pi * np.arange(3) / 3)
    x, y = np.indices(spins.shape[1:])
    by_sublattice = [
        spins[:, (x + y) % 3 == k].sum(axis=1, dtype=np.int64) for k in range(len(phases))
    ]
    return np.stack(by_sublattice, axis=1) @ phases / math.prod(spins.shape[1:])


def order_field(component: str, configurations: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return s cos(K.r) or s sin(K.r), (n, Lx, Ly), of configurations (n, 1, Lx, Ly); the component
    is ``cos`` or ``sin``."""
    x, y = np.indices(configurations.shape[2:])
    phases = 2 * np.pi * ((x + y) % 3) / 3
    return configurations[:, 0] * (np.cos(phases) if component == "cos" else np.sin(phases))


def observables(spins: NDArray[np.int8]) -> dict[str, NDArray[np.float64]]:
    """Return the observables of every configuration (n, Lx, Ly) of +-1.

    Returns
    -------
    dict of ndarray of float64, (n,)
        ``structure_factor`` (S(K) = N |m_K|^2), ``magnetization_squared`` (m^2 per site, squared),
        and ``tilt`` (N times the sum of (n_a - 1/3)^2 over the three directions a, of whose bonds
        the fraction n_a is frustrated: the square of the mean slope of the height field).
    """
    sites = math.prod(spins.shape[1:])
    frustrated = (1 + bond_sums(spins) / sites) / 2
    return {
        "structure_factor": sites * np.abs(order(spins)) ** 2,
        "magnetization_squared": spins.mean(axis=(1, 2)) ** 2,
        "tilt": sites * ((frustrated - 1 / 3) ** 2).sum(axis=1),
    }
