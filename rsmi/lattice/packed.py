"""Packed configurations: the one place of the package that turns numbers into bits and back.

A *row* is one configuration as the files store it: an array of uint8 whose bits, from the lowest
bit of the first byte on ("little" bit order), are the variables in the order (component, site), the
sites in row-major order. The last byte is filled up with zeros. A binary variable is +1 where its
bit is 1 and -1 where it is 0. A variable with q > 2 states is a *code* 0, ..., q - 1 and takes
ceil(log2 q) bits. They are stored as *bit planes*: in every component, bit p of all sites comes
before bit p + 1, so that the order is (component, plane, site), and q = 2 has one plane, as above.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_STATES = 256  # of one variable: a code is a byte
_VARIABLES_AT_ONCE = 1 << 26  # of unpacked rows in memory

BitOrder = Literal["little", "big"]


def slices_of_rows(count: int, variables: int) -> Iterator[slice]:
    """Divide rows of so many variables such that one part fits into memory when it is unpacked."""
    step = max(1, _VARIABLES_AT_ONCE // variables)
    return (slice(first, min(count, first + step)) for first in range(0, count, step))


def row_bytes(shape: Sequence[int], states: int = 2) -> int:
    """Return the number of bytes of one row.

    Parameters
    ----------
    shape : sequence of int
        Extents (components, \\*lattice) of the configuration.
    states : int
        Number q of states of every variable, from 2 to 256.
    """
    return (n_planes(states) * math.prod(shape) + 7) // 8


# ---- binary variables ----------------------------------------------------------------------------


def pack_spins(spins: ArrayLike) -> NDArray[np.uint8]:
    """Pack binary variables into rows.

    Parameters
    ----------
    spins : array_like of int or bool, (n, \\*shape)
        One configuration for each n. A value above 0 is stored as 1, any other as 0, so that +-1,
        0/1 and booleans are all understood.

    Returns
    -------
    ndarray of uint8, (n, ceil(prod(shape) / 8))
    """
    up = np.asarray(spins) > 0
    return np.packbits(up.reshape(len(up), -1), axis=1, bitorder="little")


def unpack_bits(
    rows: NDArray[np.uint8], shape: Sequence[int], order: BitOrder = "little"
) -> NDArray[np.uint8]:
    """Unpack rows into the bits 0 and 1.

    Parameters
    ----------
    rows : ndarray of uint8, (n, n_bytes)
    shape : sequence of int
        Extents of one configuration; every bit after these is ignored.
    order : {"little", "big"}
        Whether the first variable of a byte is its lowest or its highest bit. The package's own
        rows are "little"; files of other programs may be "big".

    Returns
    -------
    ndarray of uint8, (n, \\*shape)

    Raises
    ------
    ValueError
        If the rows have fewer bits than `shape` needs.
    """
    count = math.prod(shape)
    if rows.ndim != 2 or 8 * rows.shape[1] < count:
        raise ValueError(f"rows of shape {rows.shape} do not hold {count} bits each")
    return np.unpackbits(rows, axis=1, count=count, bitorder=order).reshape(len(rows), *shape)


def unpack_spins(rows: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.int8]:
    """Unpack rows into spins +-1.

    Parameters and errors are those of `unpack_bits`.

    Returns
    -------
    ndarray of int8, (n, \\*shape)
    """
    return 2 * unpack_bits(rows, shape).astype(np.int8) - 1


def count_ones(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the bits 1 of every row.

    Parameters
    ----------
    rows : ndarray of uint8, (..., n_bytes)

    Returns
    -------
    ndarray of int64, (...)
        For a row of +-1 variables, twice this number minus the number of variables is their sum.
    """
    if rows.shape[-1] % 8 == 0 and rows.flags.c_contiguous:
        rows = rows.view(np.uint64)  # which is eight times faster
    return np.bitwise_count(rows).sum(axis=-1, dtype=np.int64)


def pack_mask(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack one boolean array of any shape into a single row, (ceil(mask.size / 8),) uint8."""
    return pack_spins(mask[np.newaxis])[0]


def unpack_mask(row: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Unpack a single row, (n_bytes,) uint8, into a boolean array of the given shape.

    Raises
    ------
    ValueError
        If the row has fewer bits than `shape` needs.
    """
    return unpack_bits(row[np.newaxis], shape)[0].astype(np.bool_)


# ---- variables with q states ---------------------------------------------------------------------


def n_planes(states: int) -> int:
    """Return the number ceil(log2 q) of bit planes of a variable with q states.

    Raises
    ------
    ValueError
        Unless 2 <= q <= 256.
    """
    if not 2 <= states <= MOST_STATES:
        raise ValueError(f"a variable has 2 to {MOST_STATES} states, not {states}")
    return int(states - 1).bit_length()


def pack_states(codes: ArrayLike, states: int) -> NDArray[np.uint8]:
    """Pack variables with q states into rows of bit planes.

    Parameters
    ----------
    codes : array_like of int, (n, components, \\*lattice)
        Codes 0, ..., q - 1.
    states : int
        Number q of states, from 2 to 256.

    Returns
    -------
    ndarray of uint8, (n, row_bytes((components, \\*lattice), states))
        With q = 2 these are the rows of `pack_spins`.

    Raises
    ------
    ValueError
        If a code is below 0 or not below q, or q is out of range.
    """
    codes = np.asarray(codes)
    planes = np.arange(n_planes(states))
    if codes.dtype.kind not in "biu" or codes.ndim < 2:
        raise ValueError("codes are whole numbers in an array (n, components, *lattice)")
    _check_codes(codes, states)
    by_component = codes.reshape(*codes.shape[:2], 1, -1).astype(np.uint8)
    return pack_spins(by_component >> planes[:, np.newaxis].astype(np.uint8) & 1)


def unpack_states(rows: NDArray[np.uint8], states: int, shape: Sequence[int]) -> NDArray[np.uint8]:
    """Unpack rows of bit planes into codes.

    Parameters
    ----------
    rows : ndarray of uint8, (n, n_bytes)
    states : int
        Number q of states, from 2 to 256.
    shape : sequence of int
        Extents (components, \\*lattice) of one configuration.

    Returns
    -------
    ndarray of uint8, (n, components, \\*lattice)
        Codes 0, ..., q - 1.

    Raises
    ------
    ValueError
        If the bits of a variable are the code of no state, the rows are too short, or q is out of
        range.
    """
    planes = n_planes(states)
    bits = unpack_bits(rows, (shape[0], planes, math.prod(shape[1:])))
    codes = bits[:, :, 0].copy()
    for plane in range(1, planes):
        codes |= bits[:, :, plane] << np.uint8(plane)
    _check_codes(codes, states)
    return codes.reshape(len(rows), *shape)


def count_states(rows: NDArray[np.uint8], states: int, shape: Sequence[int]) -> NDArray[np.int64]:
    """Count how many sites are in each state.

    Parameters and errors are those of `unpack_states`.

    Returns
    -------
    ndarray of int64, (n, components, q)
    """
    sites, planes = math.prod(shape[1:]), n_planes(states)
    if sites % 8:
        codes = unpack_states(rows, states, shape).reshape(len(rows), shape[0], -1)
        numbers = [np.count_nonzero(codes == code, axis=2) for code in range(states)]
        return np.stack(numbers, axis=2).astype(np.int64)
    bits = rows[:, : shape[0] * planes * sites // 8].reshape(len(rows), shape[0], planes, -1)
    counts = np.stack([_count_code(bits, code) for code in range(1 << planes)], axis=2)
    if counts[:, :, states:].any():
        unpack_states(rows, states, shape)  # names the row that is wrong
    return counts[:, :, :states]


def _count_code(bits: NDArray[np.uint8], code: int) -> NDArray[np.int64]:
    """How many sites hold a code, (n, components), of planes (n, components, planes, bytes)."""
    found = np.full((*bits.shape[:2], bits.shape[3]), 255, np.uint8)
    for plane in range(bits.shape[2]):
        found &= bits[:, :, plane] if code >> plane & 1 else ~bits[:, :, plane]
    return count_ones(found)


def _check_codes(codes: NDArray[np.integer], states: int) -> None:
    """Raise ValueError, and name the first row concerned, unless all codes are 0, ..., q - 1."""
    wrong = (codes < 0) | (codes >= states)
    if wrong.any():
        place = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise ValueError(
            f"row {place[0]} holds the code {codes[place]}, but the codes of {states} states are 0"
            f" to {states - 1}"
        )
