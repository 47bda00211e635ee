"""Wave vectors and their names, and the largest Fourier mode of a filter.

Wave vectors are given in fractions of 2 pi along the axes of an array: (1/2, 1/2) is the staggered
one, and (1/3, 1/3) the corner K of the Brillouin zone of the triangular lattice, whose neighbours
are (1, 0), (0, 1) and (1, 1).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Wave = tuple[Fraction, ...]

_HALVES = (Fraction(0), Fraction(1, 2))
_THIRDS = (Fraction(1, 3), Fraction(2, 3))
_TIE = 1e-9  # shares that differ less are equal; the wave vector with a name is then preferred


def staggered_signs(shape: Sequence[int]) -> NDArray[np.int8]:
    """Return (-1)^(x + y + ...), (\\*shape): the signs of the two sublattices."""
    return (1 - 2 * (np.indices(tuple(shape)).sum(axis=0) % 2)).astype(np.int8)


@dataclass(frozen=True)
class Mode:
    """The largest Fourier mode of a filter.

    Attributes
    ----------
    wave : tuple of Fraction
        The wave vector in fractions of 2 pi along each axis; -wave is the same mode.
    share : float
        The share of the variance of the variable that the filter makes, from 0 to 1, that cos and
        sin of this wave predict; without a covariance the share of the square of the filter.
    measure : {"variance", "square"}
        Which of the two it is.
    """

    wave: Wave
    share: float
    measure: str

    @property
    def name(self) -> str:
        """The usual name of the wave vector; empty if it has none."""
        return name_of(self.wave)

    def __str__(self) -> str:
        numbers = f"k = 2 pi ({', '.join(map(str, self.wave))})"
        return f"{self.name}, {numbers}" if self.name else numbers


def name_of(wave: Wave) -> str:
    """Return ``uniform``, ``staggered``, ``stripes``, ``K``, or nothing."""
    entries = set(wave)
    if entries == {Fraction(0)}:
        return "uniform"
    if entries == {Fraction(1, 2)}:
        return "staggered"
    if entries == set(_HALVES):
        return "stripes"
    return "K" if len(wave) > 1 and entries <= set(_THIRDS) else ""


def largest_of_filter(
    weights: NDArray[np.float64],
    offsets: NDArray[np.int64],
    covariance: NDArray[np.float64] | None = None,
    thirds: bool = False,
) -> Mode:
    """Return the largest Fourier mode of a filter.

    Coefficients say little where some combination of the variables hardly varies: a filter may
    contain much of it. The covariance decides what the filter measures.

    Parameters
    ----------
    weights : ndarray of float, (n,)
        Of one component.
    offsets : ndarray of int, (n, d)
        Sites of the block.
    covariance : ndarray of float, (n, n), optional
        Of the variables of the block.
    thirds : bool
        Whether waves with a period of three sites are candidates although they do not fit into the
        block: the lattice is triangular or a relative of it. Elsewhere they only overlap with
        others.

    Returns
    -------
    Mode
        Out of the wave vectors that fit into the smallest box around the block, and of those with
        a period of two sites.
    """
    box = np.ptp(offsets, axis=0) + 1
    root = np.eye(len(weights)) if covariance is None else _square_root(covariance)
    shares = {
        wave: _share(root @ weights, root @ _functions(offsets, wave))
        for wave in _candidates(box.tolist(), thirds)
    }
    best = max(shares.values())
    ties = [wave for wave, share in shares.items() if share > best - _TIE]
    chosen = min(ties, key=lambda wave: (not name_of(wave), wave))
    return Mode(chosen, shares[chosen], "square" if covariance is None else "variance")


def wave_of_unit(
    weights: NDArray[np.float64],
    offsets: NDArray[np.int64],
    sides: Sequence[int],
    covariance: NDArray[np.float64] | None = None,
    thirds: bool = False,
) -> Wave:
    """Return the wave vector of the order that a linear filter follows.

    Out of uniform orders, those with a period of two sites and, on triangular lattices, three, it
    is the one whose cosines and sines of all components predict the largest share of the variance
    of the variable that the filter makes; the more uniform one of equals.

    Parameters
    ----------
    weights : ndarray of float, (components, n)
    offsets : ndarray of int, (n, d)
        Sites of the block.
    sides : sequence of int
        Periods of the lattice along each axis, which the wave must fit.
    covariance : ndarray of float, (components n, components n), optional
        Of the variables of the block, component by component; without it the share is that of the
        square of the filter.
    thirds : bool
        Whether the lattice is triangular or a relative of it.
    """
    flat, components = weights.reshape(-1), len(weights)
    root = np.eye(len(flat)) if covariance is None else _square_root(covariance)
    box = np.ptp(offsets, axis=0) + 1
    axes = [_HALVES if side > 1 else _HALVES[:1] for side in box]
    waves = list(itertools.product(*axes))
    if thirds and len(box) > 1 and min(box) > 2:
        waves += itertools.product(_THIRDS, repeat=len(box))
    waves = [wave for wave in waves if all(q * side % 1 == 0 for q, side in zip(wave, sides))]
    shares = []
    for wave in waves:
        functions = np.kron(np.eye(components), _functions(offsets, wave))
        shares.append(_share(root @ flat, root @ functions))
    return waves[int(np.argmax(np.array(shares) > max(shares) - _TIE))]


def _candidates(box: Sequence[int], thirds: bool) -> list[Wave]:
    """One of every pair of opposite wave vectors. A box of two sites along an axis tells no other
    wave of three sites from those with a period of two."""
    axes = [
        {*(_HALVES if side > 1 else ()), *(Fraction(i, side) for i in range(side))} for side in box
    ]
    waves = set(itertools.product(*axes))
    if thirds and len(box) > 1 and min(box) > 1:
        waves |= set(itertools.product(_THIRDS if min(box) > 2 else _THIRDS[:1], repeat=len(box)))
    return [wave for wave in sorted(waves) if wave <= tuple(-k % 1 for k in wave)]


def _square_root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric matrix whose square is a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _functions(offsets: NDArray[np.int64], wave: Wave) -> NDArray[np.float64]:
    """Cosine and sine of a wave on the sites of a block, (n, 2)."""
    phases = 2 * np.pi * offsets @ np.array(wave, dtype=np.float64)
    return np.stack([np.cos(phases), np.sin(phases)], axis=1)


def _share(weights: NDArray[np.float64], functions: NDArray[np.float64]) -> float:
    """The share of the square of a vector that lies in the span of two others."""
    basis, values, _ = np.linalg.svd(functions, full_matrices=False)
    inside = basis[:, values > 1e-6 * values[0]].T @ weights
    square = float(weights @ weights)
    return float(inside @ inside) / square if square else 0.0
