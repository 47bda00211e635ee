"""Correlation functions C(r) of local functions along the axes and the diagonals, structure factors
and the second-moment correlation length, with jackknife errors.

C(r) = <O(x) O(x + r)> - <O>^2, averaged over x by the Fourier transform of the field O(x). The
structure factor is S(n) = sum_r C(r) exp(-2 pi i n r / L) along an axis, and

    xi = sqrt(S(0)/S(1) - 1) / (2 sin(pi / L))

is the second-moment correlation length (Cooper, Freedman & Preston, Nucl. Phys. B 210, 210 (1982)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.renormalization.spectrum.spreads import places
from rsmi.statistics.jackknife import jackknife_error

ARRAYS = ("count", "mean", "axis", "diagonal", "factor", "products", "near_modes")


@dataclass
class CorrelationSums:
    """Sums over the configurations of each group of chains.

    Attributes
    ----------
    functions : tuple of str
        Names of the F functions.
    shape : tuple of int
        Sites of the lattice along each axis. C(r) is averaged over the axes, up to half of the
        shortest side.
    arrays : dict of ndarray of float64
        ``count`` (groups,); ``mean`` (groups, F), sums of the lattice average of O; ``axis`` and
        ``diagonal`` (groups, F, R), sums of the averages of O(x) O(x + r) for r = 0, ..., R - 1
        steps along an axis or a diagonal; ``factor`` (groups, F, R), sums of |sum_x O(x) exp(-i q
        x)|^2 / N for q = 2 pi n / L along an axis, n = 0, ..., R - 1; ``products`` (groups, F, F),
        sums of the averages of O_k(x) O_l(x)*; ``near_modes`` (groups, F, F, 3^d), sums of O_k(q)
        O_l(q)* / N at the `rsmi.renormalization.spectrum.spreads.places`, the real part.
    """

    functions: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: dict[str, NDArray[np.float64]]

    @classmethod
    def empty(cls, groups: int, functions: Sequence[str], shape: Sequence[int]) -> CorrelationSums:
        """Return the sums of no configurations."""
        distances = (groups, len(functions), min(shape) // 2 + 1)
        shapes = {
            "count": (groups,),
            "mean": distances[:2],
            **dict.fromkeys(("axis", "diagonal", "factor"), distances),
            "products": (*distances[:2], len(functions)),
            "near_modes": (*distances[:2], len(functions), 3 ** len(shape)),
        }
        arrays = {name: np.zeros(extents) for name, extents in shapes.items()}
        return cls(tuple(functions), tuple(shape), arrays)

    def add(self, fields: NDArray[np.inexact], groups: NDArray[np.int64]) -> None:
        """Add the fields (n, F, \\*shape) of configurations to their groups (n,). They are complex
        if a phase has been taken off; the real parts of averages are added."""
        d, sites = len(self.shape), prod(self.shape)
        fields = fields.astype(np.result_type(fields, np.float64), copy=False)
        axes = tuple(range(-d, 0))
        transform = np.fft.fftn(fields, axes=axes)
        power = np.abs(transform) ** 2 / sites
        correlation = np.fft.ifftn(power, axes=axes).real
        steps = np.arange(self.arrays["axis"].shape[-1])
        np.add.at(self.arrays["count"], groups, 1.0)
        np.add.at(self.arrays["mean"], groups, fields.mean(axis=axes).real)
        np.add.at(self.arrays["axis"], groups, _along_axes(correlation, steps, d))
        np.add.at(self.arrays["factor"], groups, _along_axes(power, steps, d))
        np.add.at(self.arrays["diagonal"], groups, _along_diagonals(correlation, steps, d))
        near = np.ravel_multi_index(tuple(places(d).T), self.shape, mode="wrap")
        waves = transform.reshape(*transform.shape[:2], -1)[..., near]
        np.add.at(self.arrays["near_modes"], groups, _products(waves, "nkq,nlq->nklq") / sites)
        flat = fields.reshape(*fields.shape[:2], -1)
        np.add.at(self.arrays["products"], groups, _products(flat, "nkx,nlx->nkl") / sites)


def _products(fields: NDArray[np.inexact], indices: str) -> NDArray[np.float64]:
    """The real parts of the products of all pairs of fields."""
    parts = [fields.real, fields.imag] if np.iscomplexobj(fields) else [fields]
    return np.sum([np.einsum(indices, part, part) for part in parts], axis=0)


def _along_axes(array: NDArray, steps: NDArray[np.int64], d: int) -> NDArray[np.float64]:
    """Average (n, F, R) over the axes of the values at these steps from the origin."""
    return _average_along(array, steps, np.eye(d, dtype=np.int64))


def _along_diagonals(array: NDArray, steps: NDArray[np.int64], d: int) -> NDArray[np.float64]:
    """Average (n, F, R) over the diagonals of the values at these steps from the origin."""
    directions = [(1, *signs) for signs in product((1, -1), repeat=d - 1)]
    return _average_along(array, steps, np.array(directions))


def _average_along(
    array: NDArray, steps: NDArray[np.int64], directions: NDArray[np.int64]
) -> NDArray[np.float64]:
    sides = array.shape[2:]
    flat = array.reshape(*array.shape[:2], -1)
    places = [
        np.ravel_multi_index(tuple(np.outer(one, steps)), sides, mode="wrap") for one in directions
    ]
    return np.mean([flat[..., place] for place in places], axis=0)


class Correlations(NamedTuple):
    """The correlation function of one function.

    Attributes
    ----------
    steps : ndarray of int64, (R,)
        r along an axis, or n of structure factors. The distance along a diagonal is sqrt(d) r.
    axis, axis_error, diagonal, diagonal_error : ndarray of float64, (R,)
        C(r).
    factor, factor_error : ndarray of float64, (R,)
        S(n).
    length, length_error : float
        The second-moment correlation length in sites; nan if S(0) < S(1).
    """

    steps: NDArray[np.int64]
    axis: NDArray[np.float64]
    axis_error: NDArray[np.float64]
    diagonal: NDArray[np.float64]
    diagonal_error: NDArray[np.float64]
    factor: NDArray[np.float64]
    factor_error: NDArray[np.float64]
    length: float
    length_error: float


def correlations(sums: CorrelationSums, function: int, connected: bool = True) -> Correlations:
    """Return the correlations of one function, by its number.

    Parameters
    ----------
    sums : CorrelationSums
    function : int
    connected : bool
        Whether <O>^2 is subtracted. The average of an odd function of a symmetric system vanishes,
        and nothing need be subtracted.

    Raises
    ------
    ValueError
        If fewer than two groups have configurations.
    """
    kept = sums.arrays["count"] > 0
    if kept.sum() < 2:
        raise ValueError("a jackknife needs two groups with configurations")
    count = _leave_one_out(sums.arrays["count"][kept])
    means = {
        name: _leave_one_out(sums.arrays[name][kept, function])
        / (count if name == "mean" else count[:, None])
        for name in ("mean", "axis", "diagonal", "factor")
    }
    squared = means["mean"] ** 2 if connected else np.zeros(len(count))
    axis, diagonal = (means[name] - squared[:, None] for name in ("axis", "diagonal"))
    factor = means["factor"]
    factor[:, 0] -= prod(sums.shape) * squared
    length = _length(factor, min(sums.shape))
    return Correlations(
        steps=np.arange(axis.shape[1]),
        axis=axis[0],
        axis_error=_error(axis),
        diagonal=diagonal[0],
        diagonal_error=_error(diagonal),
        factor=factor[0],
        factor_error=_error(factor),
        length=float(length[0]),
        length_error=float(_error(length)),
    )


def _leave_one_out(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over all groups, then the sums over all groups but one."""
    total = array.sum(axis=0)
    return np.concatenate([total[None], total - array])


def _error(table: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # an infinite correlation length, of constant samples
        return jackknife_error(table[1:])


def _length(factor: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(factor[:, 0] / factor[:, 1] - 1) / (2 * np.sin(np.pi / side))
