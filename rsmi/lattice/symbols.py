"""Windows of variables with more than two states, and the groups that leave weights unchanged.

A variable with q > 2 states is a *code* 0, ..., q - 1. It is stored as bit planes (see
`rsmi.lattice.packed`), which are cut out of a configuration as binary components are.

A *symmetry* of a model is a group of relabellings of the states, the same at all sites, that leave
the weight of every configuration unchanged. It is one of `SYMMETRIES`: ``flip`` exchanges two
states, ``permutations`` are all q! relabellings (Potts), and ``dihedral`` are the 2 q rotations and
reflections s -> r + s and s -> r - s modulo q (clock).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.lattice.geometry import Geometry, extract_windows
from rsmi.lattice.hashing import keyed_bits
from rsmi.lattice.packed import n_planes

FLIP, PERMUTATIONS, DIHEDRAL = SYMMETRIES = ("flip", "permutations", "dihedral")
MOST_STATES = 16  # of a variable of samples
_DRAW = 1  # the number of a window's draw that chooses the element, as for flips


def extract_codes(
    packed: NDArray[np.uint8],
    shape: Sequence[int],
    geometry: Geometry,
    states: int,
    configurations: ArrayLike,
    origins: ArrayLike,
    relabellings: NDArray[np.int8],
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Cut block and environment of every window out of packed configurations of codes.

    Parameters
    ----------
    packed : ndarray of uint8, (n, row_bytes)
        Rows of `rsmi.lattice.packed.pack_states`.
    shape, geometry, configurations, origins
        As in `rsmi.lattice.geometry.extract_windows`.
    states : int
        Number q of states of every variable.
    relabellings : ndarray of int8, (m, q)
        The code that replaces each code, for every window.

    Returns
    -------
    blocks : ndarray of int8, (m, n_block)
    environments : ndarray of int8, (m, n_environment)
        Codes 0, ..., q - 1.

    Raises
    ------
    UsageError
        If the geometry does not fit on the lattice.
    ValueError
        If an array has the wrong shape, or the bits of a variable are the code of no state.
    """
    planes = n_planes(states)
    of_planes = replace(geometry, components=planes * geometry.components)
    plain = np.ones(len(relabellings), np.int8)
    parts = extract_windows(packed, shape, of_planes, configurations, origins, plain)
    blocks, environments = (
        _relabelled(_codes(part, geometry.components, planes, states), relabellings)
        for part in parts
    )
    return blocks, environments


def _codes(bits: NDArray[np.int8], components: int, planes: int, states: int) -> NDArray[np.int8]:
    """Codes (m, components * sites) of planes of +-1, (m, components * planes * sites)."""
    by_plane = bits.reshape(len(bits), components, planes, -1) > 0
    codes = np.zeros((len(bits), components, by_plane.shape[-1]), np.int8)
    for plane in range(planes):
        codes |= by_plane[:, :, plane].astype(np.int8) << np.int8(plane)
    if codes.size and codes.max() >= states:
        row = int(np.argmax((codes >= states).any(axis=(1, 2))))
        raise ValueError(f"window {row} holds the code {codes[row].max()} of {states} states")
    return codes.reshape(len(bits), -1)


def _relabelled(codes: NDArray[np.int8], relabellings: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.take_along_axis(relabellings, codes.astype(np.intp), axis=1)


# ---- random elements of a symmetry ---------------------------------------------------------------


def choose_relabellings(
    symmetry: str | None, states: int, count: int, key: ArrayLike
) -> NDArray[np.int8]:
    """Choose a random element of the symmetry for every window.

    Every draw is a hash of the key and the number of the window, the same number that chooses the
    flips of binary windows (`rsmi.lattice.geometry.choose_windows`).

    Parameters
    ----------
    symmetry : {"permutations", "dihedral"}, optional
        Without one, no window is relabelled.
    states : int
        Number q of states, at most 16.
    count : int
        Number of windows.
    key : array_like of uint64
        At least two words, of which the first two are used.

    Returns
    -------
    ndarray of int8, (count, q)
        The code that replaces each code.

    Raises
    ------
    ValueError
        If the symmetry is neither.
    """
    own = np.tile(np.arange(states, dtype=np.int8), (count, 1))
    if symmetry is None:
        return own
    draws = keyed_bits(key, np.arange(count), _DRAW)
    if symmetry == PERMUTATIONS:
        return _permutations(draws, states)
    if symmetry != DIHEDRAL:
        raise ValueError(f"{symmetry} is no symmetry of variables with {states} states")
    element = (draws % np.uint64(2 * states)).astype(np.int64)[:, np.newaxis]
    reflected = np.where(element % 2, -own, own)
    return np.mod(element // 2 + reflected, states).astype(np.int8)


def _permutations(draws: NDArray[np.uint64], states: int) -> NDArray[np.int8]:
    """Permutations (n, q) by Fisher and Yates, whose choices are the digits of the draws modulo q!;
    16! / 2^64 is 10^-6."""
    found = np.tile(np.arange(states, dtype=np.int8), (len(draws), 1))
    rows, rest = np.arange(len(draws)), draws % np.uint64(math.factorial(states))
    for last in range(states - 1, 0, -1):
        rest, digit = np.divmod(rest, np.uint64(last + 1))
        chosen = digit.astype(np.intp)
        swapped = found[rows, chosen]
        found[rows, chosen] = found[:, last]
        found[:, last] = swapped
    return found
