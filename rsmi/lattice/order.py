"""Order parameters: sums of variables over the lattice with the signs or phases of a wave vector.

With a variable s = +-1 of component a at the site r, weights w_a and a wave vector q

    m_q = sum over r and a of w_a s_a(r) exp(2 pi i q.r) / N

vanishes on average in a disordered system. The order parameter is |m|, m^2 = sum of |m_q|^2 over
its wave vectors: of an antiferromagnet on the square lattice q = (1/2, 1/2), of stripes (1/2, 0)
and (0, 1/2), and of three sublattices (1/3, 1/3).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import count_ones, pack_spins
from rsmi.lattice.waves import Wave, name_of

# Phases are rounded to multiples of this number, so that they do not depend on the last digit of a
# library's cosine.
_UNIT = 2.0**-40
_NAMES = {"stripes": "striped order", "staggered": "staggered order", "K": "order at K"}


class OrderParameter(Protocol):
    """What the scaling of an order is measured from: one number for each configuration."""

    @property
    def name(self) -> str:
        """What tables call it."""

    @property
    def uniform(self) -> bool:
        """Whether averages of local functions over the lattice contain it."""

    def check_shape(self, shape: Sequence[int], where: str) -> None:
        """Raise UsageError unless it fits on a lattice; ``where`` begins the sentence."""

    def moduli(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.float64]:
        """Return |m| (n,) of packed configurations (n, bytes) of a lattice."""


@dataclass(frozen=True)
class Order:
    """An order parameter with wave vectors.

    Attributes
    ----------
    name : str
    waves : tuple of Wave
        In fractions of 2 pi along each axis; one of q and -q.
    weights : tuple of tuple of complex
        Of the components, for every wave vector.
    """

    name: str
    waves: tuple[Wave, ...]
    weights: tuple[tuple[complex, ...], ...] = ((1.0,),)

    @property
    def uniform(self) -> bool:
        """Whether averages over all variables of one component, or of several, make up |m|."""
        weights = [weight for own in self.weights for weight in own]
        return not any(map(any, self.waves)) and all(one in (0, 1) for one in weights)

    @property
    def balanced(self) -> bool:
        """Whether |m| vanishes for equal variables, so that it needs no flip to vanish on
        average."""
        return all(any(wave) or sum(own) == 0 for wave, own in zip(self.waves, self.weights))

    @property
    def periods(self) -> tuple[int, ...]:
        """The number of cells along each axis after which all phases repeat."""
        return tuple(math.lcm(*(q.denominator for q in axis)) for axis in zip(*self.waves))

    def check_shape(self, shape: Sequence[int], where: str) -> None:
        """Raise UsageError unless the waves fit on a lattice; ``where`` begins the sentence."""
        if any(side % period for side, period in zip(shape, self.periods)):
            raise UsageError(
                f"{where} {shape_text(shape)}: the {self.name} repeats after"
                f" {shape_text(self.periods)} sites; take sides that are multiples of these"
            )

    def moduli(self, rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.float64]:
        """Return |m| (n,) of packed configurations (n, bytes) of a lattice."""
        shape, components = tuple(shape), len(self.weights[0])
        masks, sizes, phases = _sets(self.waves, self.weights, shape)
        up = [count_ones(rows & mask) for mask in masks]
        values = np.stack([2 * own - size for own, size in zip(up, sizes)], axis=1)
        return _modulus(values, phases) / (components * math.prod(shape))

    def moduli_of_field(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the square root (n,) of the sum over all waves of |sum of f(r) exp(2 pi i q.r)|^2,
        per site, of a function with the values f (n, \\*shape)."""
        shape = values.shape[1:]
        waves = [phases_of(wave, shape).reshape(-1) for wave in dict.fromkeys(self.waves)]
        phases = np.stack(waves, axis=1)
        return _modulus(values.reshape(len(values), -1), phases) / math.prod(shape)

    def fields(self) -> dict[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]]:
        """Return the parts of the order as local functions, by name: each takes configurations (n,
        components, \\*shape) of +-1 and returns values (n, \\*shape)."""
        several = len(self.waves) > 1
        fields: dict[str, Callable[[NDArray[np.int8]], NDArray[np.float64]]] = {}
        for number, (wave, weights) in enumerate(zip(self.waves, self.weights)):
            name = f"{self.name} {number + 1}" if several else self.name
            real = all(q in (0, 0.5) for q in wave) and not np.iscomplex(weights).any()
            for part in ("real",) if real else ("cos", "sin"):
                own = name if real else f"{name}, {part}"
                fields[own] = functools.partial(_field, wave, weights, part)
        return fields


def order_name(waves: Sequence[Wave], weights: Sequence[Sequence[complex]]) -> str:
    """Return how an order is called by its wave vectors, or by the signs of the sites of a cell."""
    name = name_of(waves[0])
    if name == "uniform":
        return {1: "magnetization", 2: "staggered order"}.get(len(set(weights[0])), "cell order")
    numbers = " and ".join(f"({', '.join(map(str, wave))})" for wave in waves)
    return _NAMES.get(name, f"order at {numbers}")


def phases_of(wave: Wave, shape: Sequence[int]) -> NDArray[np.complex128]:
    """Return exp(2 pi i wave.r) at every cell (\\*shape)."""
    period = math.lcm(*(q.denominator for q in wave))
    places = np.indices(shape).reshape(len(shape), -1)
    steps = np.array([int(q * period) for q in wave])
    angles = 2 * np.pi * np.arange(period) / period
    turns = np.rint(np.cos(angles) / _UNIT) + 1j * np.rint(np.sin(angles) / _UNIT)
    return (turns * _UNIT + 0.0)[steps @ places % period].reshape(shape)


@functools.lru_cache(maxsize=16)
def _sets(
    waves: tuple[Wave, ...], weights: tuple[tuple[complex, ...], ...], shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8], list[int], NDArray[np.complex128]]:
    """The sets of sites with equal phases: masks (sets, bytes), sizes, and phases (sets, waves)."""
    of_site = np.concatenate(
        [
            np.multiply.outer(np.array(own), phases_of(wave, shape)).reshape(-1)[np.newaxis]
            for wave, own in zip(waves, weights)
        ]
    )
    phases, number = np.unique(of_site, axis=1, return_inverse=True)
    number = number.reshape(-1)
    masks = pack_spins(number[np.newaxis] == np.arange(phases.shape[1])[:, np.newaxis])
    return masks, np.bincount(number).tolist(), phases.T


def _modulus(values: NDArray, phases: NDArray[np.complex128]) -> NDArray[np.float64]:
    """The norm (n,) of the sums over sets of values (n, sets) with phases (sets, waves). The order
    of additions is fixed, so that the bits are."""
    square = np.zeros(len(values))
    for part in (phases.real, phases.imag):
        for column in part.T:
            square += _sum(values, column) ** 2
    return np.sqrt(square)


def _sum(values: NDArray, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    if values.shape[1] > 64:  # of many sites: numpy's own pairwise sums
        return (values * weights).sum(axis=1)
    total = np.zeros(len(values))
    for column, weight in zip(values.T, weights.tolist()):
        total += weight * column
    return total


def _field(
    wave: Wave, weights: Sequence[complex], part: str, configurations: NDArray[np.int8]
) -> NDArray[np.float64]:
    phases = np.multiply.outer(np.array(weights), phases_of(wave, configurations.shape[2:]))
    chosen = phases.imag if part == "sin" else phases.real
    return np.asarray((configurations * chosen).sum(axis=1), dtype=np.float64)
