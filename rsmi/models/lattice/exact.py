"""Exact averages of small lattices, by enumeration or by a transfer matrix along one axis.

The layers of the lattice along an axis are the states of the matrix if no bond reaches beyond the
next layer: T(a, b) is the weight of a layer a and of its bonds to the next layer b. On a torus of n
layers Z = Tr T^n. For the average of a sum over the layers, one T is multiplied, entry by entry, by
the summand, and the result by n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.models.lattice import measures
from rsmi.models.lattice.definition import Bond, Definition
from rsmi.models.lattice.system import StatePoint

MOST_ENUMERATED = 16  # sites of a lattice
MOST_IN_LAYER = 8  # sites of a layer, unless more are asked for


@dataclass(frozen=True)
class Averages:
    """Exact numbers of a finite lattice.

    Attributes
    ----------
    log_partition : float
        ln Z.
    energy : float
        <E> of the whole lattice in J; of hard cores alone, minus the number of particles.
    up : float
        The average number of sites that are up, or occupied.
    """

    log_partition: float
    energy: float
    up: float


def averages(point: StatePoint, most_in_layer: int = MOST_IN_LAYER) -> Averages | None:
    """Return exact averages; None if the lattice is too large."""
    if point.sites <= MOST_ENUMERATED:
        return enumerated(point)
    axis = _axis(point, most_in_layer)
    return None if axis is None else by_layers(point, axis)


def _factor(definition: Definition, coupling: float) -> float:
    """What multiplies -E in the exponent of a weight: K; ln z of hard cores, whose E is -N."""
    return coupling if definition.thermal else math.log(definition.fugacity or 1.0)


def _states(sites: int) -> NDArray[np.bool_]:
    """All configurations (2^sites, sites)."""
    return (np.arange(1 << sites)[:, np.newaxis] >> np.arange(sites) & 1) > 0


# ---- enumeration ---------------------------------------------------------------------------------


def enumerated(point: StatePoint) -> Averages:
    """Return averages over all configurations."""
    up = _states(point.sites)
    up = up[~measures.overlaps(point, up)]
    energies = measures.energies_of(point, up)
    exponents = -_factor(point.definition, point.coupling) * energies
    largest = exponents.max()
    weights = np.exp(exponents - largest)
    total = weights.sum()
    return Averages(
        float(largest + math.log(total)),
        float(weights @ energies / total),
        float(weights @ up.sum(axis=1) / total),
    )


# ---- transfer matrix -----------------------------------------------------------------------------


def _axis(point: StatePoint, most_in_layer: int) -> int | None:
    """The axis along which layers are small and bonds reach the next layer at most."""
    if not point.periodic:
        return None
    bonds = [bond for _, bond in point.definition.all_bonds()]
    possible = [
        axis
        for axis, side in enumerate(point.shape)
        if side > 1
        and point.sites // side <= most_in_layer
        and all(abs(bond.offset[axis]) <= 1 for bond in bonds)
    ]
    return min(possible, key=lambda axis: -point.shape[axis], default=None)


def by_layers(point: StatePoint, axis: int) -> Averages:
    """Return averages by the transfer matrix along an axis."""
    layers = point.shape[axis]
    energy, allowed, up = _layer(point, axis)
    exponents = -_factor(point.definition, point.coupling) * energy
    largest = exponents[allowed].max()
    matrix = np.where(allowed, np.exp(np.minimum(exponents - largest, 0)), 0.0)
    scale = float(np.linalg.norm(matrix))
    matrix /= scale
    rest = np.linalg.matrix_power(matrix, layers - 1).T
    share = matrix * rest
    total = share.sum()
    return Averages(
        float(math.log(total) + layers * (largest + math.log(scale))),
        float(layers * (share * energy).sum() / total),
        float(layers * (share.sum(axis=1) @ up) / total),
    )


def _layer(
    point: StatePoint, axis: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """The energy (a, b) of a layer a and of its bonds to the next layer b, whether the two are
    allowed, and the number (a,) of sites of a layer that are up."""
    shape = tuple(1 if i == axis else side for i, side in enumerate(point.shape))
    sites = point.sites // point.shape[axis]
    states = _states(sites)
    values = 2.0 * states - 1 if point.definition.spins else states.astype(float)
    number = states.sum(axis=1)
    energy = np.broadcast_to(_own(point, sites, number)[:, np.newaxis], (len(states),) * 2).copy()
    allowed = np.ones(energy.shape, dtype=bool)
    for name, bond in point.definition.all_bonds():
        own, other, ahead = _ends(bond, shape, axis)
        first, second = values[:, own], values[:, other]
        product = first @ second.T if ahead else (first * second).sum(axis=1)[:, np.newaxis]
        if name == "exclusions":
            allowed &= product == 0
        else:
            energy -= point.definition.couplings[name] * product
    return energy, allowed, number


def _own(point: StatePoint, sites: int, up: NDArray[np.int64]) -> NDArray[np.float64]:
    """The energy of the sites of a layer in the field, or by their fugacity."""
    definition = point.definition
    number = up.astype(np.float64)
    if definition.spins:
        return -definition.field * (2 * number - sites)
    if not definition.thermal:
        return -number
    return -math.log(definition.fugacity or 1.0) / point.coupling * number


def _ends(
    bond: Bond, shape: tuple[int, ...], axis: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """The sites of a layer at both ends of a bond, and whether the second end is in the next
    layer."""
    bond = bond.reversed if bond.offset[axis] < 0 else bond
    cells = math.prod(shape)
    places = np.indices(shape).reshape(len(shape), -1)
    steps = np.array([0 if i == axis else step for i, step in enumerate(bond.offset)])
    moved = (places + steps[:, np.newaxis]) % np.array(shape)[:, np.newaxis]
    other = bond.second * cells + np.ravel_multi_index(tuple(moved), shape)
    return bond.first * cells + np.arange(cells), other, bond.offset[axis] > 0
