"""What is measured on configurations: counts of bonds, energies, conditional probabilities, and the
Fourier modes that order first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.models.lattice import heat_bath
from rsmi.models.lattice.system import StatePoint

_AT_ONCE = 1 << 24  # bonds of configurations that are looked at together
_MOST_MODES = 4
_DISTINCT = 1e-6  # of eigenvalues, relative to the largest coupling


# ---- energies ------------------------------------------------------------------------------------


def energies(
    point: StatePoint, up: NDArray[np.int64], counts: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """Return the energies (n,) of configurations from counts.

    Parameters
    ----------
    point : StatePoint
    up : ndarray of int64, (n,)
        Number of sites that are up.
    counts : mapping
        For every class of bonds, the number of unlike pairs of spins, or of pairs of occupied
        sites.

    Returns
    -------
    ndarray of float64
        The energy E in J with the weight exp(-K E). The energy of occupations includes
        -ln(fugacity)/K for each of them. That of hard cores alone, which have no K, is minus the
        number of particles.
    """
    definition = point.definition
    if not definition.thermal:
        return -up.astype(np.float64)
    total = np.zeros(len(up))
    for name, coupling in definition.couplings.items():
        value = len(point.bonds[name]) - 2 * counts[name] if definition.spins else counts[name]
        total += coupling * value
    if definition.spins:
        total += definition.field * (2 * up - point.sites)
    elif definition.fugacity is not None:
        total += math.log(definition.fugacity) / point.coupling * up
    return -total


def counts_of(point: StatePoint, up: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Return the counts of `energies` of configurations (n, sites)."""
    return {name: _count(up, point.bonds[name], point.definition.spins) for name in _classes(point)}


def _classes(point: StatePoint) -> tuple[str, ...]:
    return tuple(point.definition.couplings) if point.definition.thermal else ()


def _count(up: NDArray[np.bool_], bonds: NDArray[np.int32], unlike: bool) -> NDArray[np.int64]:
    """The number (n,) of bonds with unlike ends, or with both ends up."""
    number = np.zeros(len(up), dtype=np.int64)
    columns = np.ascontiguousarray(up.T)  # a site of all configurations is one piece of memory
    step = max(1, _AT_ONCE // max(1, len(up)))
    for first in range(0, len(bonds), step):
        a, b = columns[bonds[first : first + step].T]
        number += (a ^ b if unlike else a & b).sum(axis=0, dtype=np.int64)
    return number


def energies_of(point: StatePoint, up: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the energies (n,) of configurations (n, sites)."""
    return energies(point, up.sum(axis=1, dtype=np.int64), counts_of(point, up))


def replica_energies(point: StatePoint, spins: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the energies (512,) of replicas (sites, 8)."""
    counts = {
        name: heat_bath.count(spins, point.bonds[name], point.definition.spins)
        for name in _classes(point)
    }
    return energies(point, heat_bath.count_up(spins), counts)


def overlaps(point: StatePoint, up: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which configurations (n, sites) have two particles that exclude each other."""
    bonds = point.bonds.get("exclusions")
    if bonds is None:
        return np.zeros(len(up), dtype=bool)
    return _count(up, bonds, unlike=False) > 0


# ---- each site given all others ------------------------------------------------------------------


def probabilities(point: StatePoint, up: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the probability (n, sites) that each site of configurations is up, given all
    others."""
    definition = point.definition
    local = np.full(up.shape, definition.field if definition.spins else 0.0)
    values = np.zeros((len(up), point.sites + 1))  # the last one stands for no neighbour
    values[:, :-1] = 2.0 * up - 1 if definition.spins else up
    blocked = np.zeros(up.shape, dtype=bool)
    neighbours, groups = point.neighbours
    for column, group in zip(neighbours.T, groups):
        if group:
            local += point.strengths[group - 1] * values[:, column]
        else:
            blocked |= values[:, column] > 0
    exponent = (2 if definition.spins else 1) * point.coupling * local
    if definition.fugacity is not None:
        exponent += math.log(definition.fugacity)
    return np.where(blocked, 0.0, (1 + np.tanh(exponent / 2)) / 2)


def null_averages(point: StatePoint, up: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    """Return averages over sites (n,) whose expectations vanish: of s - <s> and of <s> (s - <s>),
    where <s> is the average of s = +-1 given all other sites.

    Notes
    -----
    H. B. Callen, Phys. Lett. 4, 161 (1963).
    """
    expected = 2 * probabilities(point, up) - 1
    excess = 2.0 * up - 1 - expected
    return {"field": excess.mean(axis=1), "conditional": (expected * excess).mean(axis=1)}


# ---- the mode that orders ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Mode:
    """A Fourier mode of the sites: sites with the same weight form one set.

    Attributes
    ----------
    sets : tuple of ndarray of int64
        Numbers of sites.
    weights : ndarray of complex, (sets,)
    """

    sets: tuple[NDArray[np.int64], ...]
    weights: NDArray[np.complex128]

    def of_replicas(self, spins: NDArray[np.uint64]) -> NDArray[np.float64]:
        """Return the squared mode (512,) of replicas (sites, 8)."""
        up = np.stack([heat_bath.count_up(spins[own].copy()) for own in self.sets], axis=1)
        return self._squared(up)

    def of(self, up: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the squared mode (n,) of configurations (n, sites)."""
        return self._squared(np.stack([up[:, own].sum(axis=1) for own in self.sets], axis=1))

    def _squared(self, up: NDArray[np.integer]) -> NDArray[np.float64]:
        values = 2 * up - np.array([len(own) for own in self.sets])
        return np.abs(values @ self.weights) ** 2


def ordering_modes(point: StatePoint) -> list[Mode]:
    """Return the modes that order first as the coupling grows, at most four.

    The energy is a quadratic form of the sites; its lowest eigenvectors are the modes. Exclusions
    count as repulsion. Their squares decay more slowly than the energy and the magnetization where
    the order is not uniform, as in antiferromagnets.
    """
    waves = wave_numbers(point)
    matrices = interaction(point, waves)
    values, vectors = np.linalg.eigh(matrices)
    best = values[:, -1].max()
    scale = max(1e-300, float(np.abs(values).max()))
    chosen = np.flatnonzero(values[:, -1] > best - _DISTINCT * scale)[:_MOST_MODES]
    return [_mode(point, waves[number], vectors[number, :, -1]) for number in chosen]


def wave_numbers(point: StatePoint) -> NDArray[np.int64]:
    """Wave numbers (n, dimension) along each axis, one of each pair q, -q."""
    waves = np.indices(point.shape).reshape(len(point.shape), -1).T
    opposite = -waves % np.array(point.shape)
    strides = np.cumprod([1, *point.shape[:0:-1]])[::-1]
    return waves[waves @ strides <= opposite @ strides]


def interaction(point: StatePoint, waves: NDArray[np.int64]) -> NDArray[np.complex128]:
    """The coupling (n, components, components) of the modes of each wave number."""
    definition, components = point.definition, len(point.definition.sites)
    matrices = np.zeros((len(waves), components, components), dtype=np.complex128)
    for name, bond in definition.all_bonds():
        coupling = definition.couplings.get(name, -1.0)
        phase = np.exp(2j * np.pi * (waves / np.array(point.shape)) @ np.array(bond.offset))
        matrices[:, bond.first, bond.second] += coupling * phase
        matrices[:, bond.second, bond.first] += coupling * phase.conj()
    return matrices


def _mode(point: StatePoint, wave: NDArray[np.int64], vector: NDArray) -> Mode:
    """The mode of a wave number, with sites of the same phase and component together."""
    period = math.lcm(*point.shape)
    places = np.indices(point.shape).reshape(len(point.shape), -1)
    steps = wave * (period // np.array(point.shape))
    phases, number = np.unique(steps @ places % period, return_inverse=True)
    turns = np.exp(-2j * np.pi * phases / period)
    cells = [np.flatnonzero(number.reshape(-1) == i) for i in range(len(phases))]
    sets = [a * point.cells + own for a in range(len(vector)) for own in cells]
    return Mode(tuple(sets), np.concatenate([value * turns for value in vector.conj()]))
