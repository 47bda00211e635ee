"""Sums of powers and products of lattice averages over groups of chains.

All arrays are float64, and their first axis is the group. O_k is the average of even function k
over the lattice, m_l that of odd function l, both in one configuration; o_k is an offset of the
group, the value of O_k in its first configuration, so that fluctuations are not lost in rounding:

    count          (G,)             number of configurations
    offset         (G, E)           o_k
    even_sums      (G, E, 2)        O_k - o_k and (O_k - o_k)^2
    odd_sums       (G, O, 3)        |m_l|, m_l^2 and m_l^4
    cross_sums     (G, E, O, 3)     (O_k - o_k) times |m_l|, m_l^2 and m_l^4
    even_modes     (G, E, M)        structure factors at the orbits of `modes.modes_of`
    odd_modes      (G, O, M)        the same of the odd functions

M is 0 if modes are not measured. S(0) needs no array: it is N m^2 and N (O - o)^2. Configurations
are added one after the other in their order, so that sums do not depend on how they are divided
into batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from rsmi.kernels import spectrum as kernel

POWERS = (1, 2, 4)
ARRAYS = (
    "count",
    "offset",
    "even_sums",
    "odd_sums",
    "cross_sums",
    "even_modes",
    "odd_modes",
)


@dataclass
class GroupSums:
    """The sums of one lattice size.

    Attributes
    ----------
    even, odd : tuple of str
        Names of the E even and the O odd functions.
    shape : tuple of int
        Sites of the lattice along each axis.
    arrays : dict of ndarray of float64
        The arrays that the docstring of the module lists.
    """

    even: tuple[str, ...]
    odd: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: dict[str, NDArray[np.float64]]

    @classmethod
    def empty(
        cls,
        groups: int,
        even: Sequence[str],
        odd: Sequence[str],
        shape: Sequence[int],
        orbits: int = 0,
    ) -> GroupSums:
        """Return the sums of no configurations; ``orbits`` is the M of the module's docstring."""
        e, o, p = len(even), len(odd), len(POWERS)
        shapes: dict[str, tuple[int, ...]] = {
            "count": (),
            "offset": (e,),
            "even_sums": (e, 2),
            "odd_sums": (o, p),
            "cross_sums": (e, o, p),
            "even_modes": (e, orbits),
            "odd_modes": (o, orbits),
        }
        arrays = {name: np.zeros((groups, *of_group)) for name, of_group in shapes.items()}
        return cls(tuple(even), tuple(odd), tuple(shape), arrays)

    @classmethod
    def of_arrays(
        cls,
        even: Sequence[str],
        odd: Sequence[str],
        shape: Sequence[int],
        arrays: Mapping[str, NDArray[np.float64]],
    ) -> GroupSums:
        """Return the sums whose arrays a file holds. They are not copied.

        Raises
        ------
        ValueError
            If an array is missing or has another shape than the others require.
        """
        if missing := set(ARRAYS) - arrays.keys():
            raise ValueError(f"sums without {', '.join(sorted(missing))}")
        groups, orbits = len(arrays["count"]), arrays["even_modes"].shape[-1]
        expected = cls.empty(groups, even, odd, shape, orbits)
        for name in ARRAYS:
            if arrays[name].shape != expected.arrays[name].shape:
                raise ValueError(
                    f"{name} has the shape {arrays[name].shape}, not {expected.arrays[name].shape}"
                )
        return cls(expected.even, expected.odd, expected.shape, {n: arrays[n] for n in ARRAYS})

    @property
    def groups(self) -> int:
        """The number of groups."""
        return len(self.arrays["count"])

    @property
    def sites(self) -> int:
        """N."""
        return prod(self.shape)

    @property
    def orbits(self) -> int:
        """The number of orbits of modes, 0 if modes are not measured."""
        return self.arrays["even_modes"].shape[-1]

    @property
    def samples(self) -> int:
        """The number of configurations of all groups."""
        return int(self.arrays["count"].sum())

    def add(
        self,
        even: NDArray[np.float64],
        odd: NDArray[np.float64],
        groups: NDArray[np.int64],
        even_modes: NDArray[np.float64] | None = None,
        odd_modes: NDArray[np.float64] | None = None,
    ) -> None:
        """Add configurations.

        Parameters
        ----------
        even, odd : ndarray of float64, (n, E) and (n, O)
            Averages of the functions over the lattice.
        groups : ndarray of int64, (n,)
            The group of each configuration.
        even_modes, odd_modes : ndarray of float64, (n, E, M) and (n, O, M), optional
            Needed if there are modes.

        Raises
        ------
        ValueError
            If structure factors are missing, the arrays do not fit together, or there is no such
            group.
        """
        if (even_modes is None or odd_modes is None) and self.orbits:
            raise ValueError("these sums need structure factors")
        sums = self.arrays
        groups = np.ascontiguousarray(groups, dtype=np.int64)
        kernel.add_to_groups(
            np.ascontiguousarray(even, dtype=np.float64),
            np.ascontiguousarray(odd, dtype=np.float64),
            groups,
            *(sums[name] for name in ("count", "offset", "even_sums", "odd_sums", "cross_sums")),
        )
        for name, modes in (("even_modes", even_modes), ("odd_modes", odd_modes)):
            if self.orbits and modes is not None:
                rows = np.ascontiguousarray(modes, dtype=np.float64).reshape(len(groups), -1)
                flat = sums[name].reshape(self.groups, -1)
                kernel.add_rows_to_groups(rows, groups, flat)

    def with_common_offset(self) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Return an offset (E,) and the arrays, but for ``offset``, about it.

        The offset is the mean of O. Groups without configurations are left out.
        """
        kept = {name: array[self.arrays["count"] > 0] for name, array in self.arrays.items()}
        count, odd, offset = kept["count"], kept["odd_sums"], kept.pop("offset")
        first, second = kept["even_sums"][..., 0], kept["even_sums"][..., 1]
        common = (first + count[:, None] * offset).sum(axis=0) / count.sum()
        shift = offset - common
        moved = np.stack(
            [
                first + count[:, None] * shift,
                second + 2 * shift * first + count[:, None] * shift**2,
            ],
            axis=-1,
        )
        cross = kept["cross_sums"] + shift[:, :, None, None] * odd[:, None]
        return common, {**kept, "even_sums": moved, "cross_sums": cross}


def concatenate(parts: Sequence[GroupSums]) -> GroupSums:
    """Return the sums of all groups of several parts, such as shards, in their order.

    Raises
    ------
    ValueError
        If the parts differ in functions, shape or modes.
    """
    first = parts[0]
    for part in parts[1:]:
        if (part.even, part.odd, part.shape, part.orbits) != (
            first.even,
            first.odd,
            first.shape,
            first.orbits,
        ):
            raise ValueError("sums of different functions, lattices or modes cannot be joined")
    arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in ARRAYS}
    return GroupSums(first.even, first.odd, first.shape, arrays)
