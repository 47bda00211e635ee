"""Markov chains of variables with q states (csrc/models/potts/potts.h)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import math

import numpy as np

from rsmi.kernels.status cimport check_status

cdef extern from "models/potts/potts_chain.h":
    enum:
        POTTS_HEAT_BATH
        POTTS_SWENDSEN_WANG
        POTTS_WOLFF
        POTTS_MOST_STATES
    ctypedef struct potts_chain:
        int64_t depth, height, width
        int states
        int algorithm
        double coupling
        const double *weights
        const uint64_t *alias
        int64_t n_moves
        int64_t n_choices
        const uint8_t *moves
        const int32_t *choices
        const uint64_t *bonds

cdef extern from "models/potts/potts_heat_bath.h":
    int64_t potts_alias_entries(int states, int dimension)
    void potts_alias_table(
        const double *weights, int states, int dimension, uint64_t *table) nogil

cdef extern from "models/potts/potts.h":
    int64_t potts_workspace(const potts_chain *chain)
    int potts_sample(
        const potts_chain *chain, int64_t updates, int64_t count, uint8_t *spins, uint64_t *rng,
        uint64_t *workspace, const uint8_t *classes, int64_t n_classes, uint8_t *packed,
        int64_t *pairs, int64_t *moved) nogil
    void potts_pairs(
        const potts_chain *chain, const uint8_t *spins, const uint8_t *classes,
        int64_t n_classes, int64_t *pairs) nogil

ALGORITHMS = {
    "heat-bath": POTTS_HEAT_BATH,
    "swendsen-wang": POTTS_SWENDSEN_WANG,
    "wolff": POTTS_WOLFF,
}
MOST_STATES = POTTS_MOST_STATES


cdef uint8_t[::1] flat(spins, int states) except *:
    """The lattice as one row of memory, after checks that keep the kernels inside their arrays."""
    if not isinstance(spins, np.ndarray) or spins.dtype != np.uint8 or not spins.flags.c_contiguous:
        raise ValueError("states must be a C-contiguous uint8 array")
    if spins.size == 0:
        raise ValueError(f"states of shape {spins.shape} are no lattice")
    if spins.max() >= states:
        raise ValueError(f"the states are 0 to {states - 1}, not {spins.max()}")
    return spins.reshape(-1)


def alias_table(const double[:, ::1] weights, int dimension):
    """Make the table of heat bath.

    Parameters
    ----------
    weights : ndarray of float64, shape (q, q)
        Symmetric weights of a bond, positive.
    dimension : int

    Returns
    -------
    ndarray of uint64, shape (q ** (2 * dimension + 1),)
        It is empty in three dimensions with more than five states, where it would be slower.
    """
    cdef int states = <int>weights.shape[0]
    if not 2 <= states <= POTTS_MOST_STATES or weights.shape[1] != states:
        raise ValueError(f"weights of 2 to {POTTS_MOST_STATES} states are needed")
    if not 1 <= dimension <= 3:
        raise ValueError(f"the dimension is 1 to 3, not {dimension}")
    table = np.empty(potts_alias_entries(states, dimension), np.uint64)
    cdef uint64_t[::1] entries = table
    if len(table):
        with nogil:
            potts_alias_table(&weights[0, 0], states, dimension, &entries[0])
    return table


cdef class Tables:
    """What a chain needs beside its lattice, as checked arrays that outlive the chain.

    Parameters
    ----------
    weights : ndarray of float64, shape (q, q)
    alias : ndarray of uint64
        As `alias_table` makes it, or empty.
    moves : ndarray of uint8, shape (n_moves, q)
    choices : ndarray of int32, shape (q, n_choices)
    bonds : ndarray of uint64, shape (n_moves, q, q)
    classes : ndarray of uint8, shape (q, q)
        The class of every pair of states, 0 to n_classes - 1.
    """

    cdef readonly object arrays
    cdef readonly int states
    cdef readonly int64_t n_classes

    def __init__(self, weights, alias, moves, choices, bonds, classes):
        q = len(weights)
        kinds = (np.float64, np.uint64, np.uint8, np.int32, np.uint64, np.uint8)
        arrays = tuple(
            np.ascontiguousarray(array, kind)
            for array, kind in zip((weights, alias, moves, choices, bonds, classes), kinds))
        weights, alias, moves, choices, bonds, classes = arrays
        if not 2 <= q <= POTTS_MOST_STATES or weights.shape != (q, q) or not (weights > 0).all():
            raise ValueError(f"positive weights of 2 to {POTTS_MOST_STATES} states are needed")
        if (moves.ndim != 2 or choices.ndim != 2 or moves.shape[1] != q or choices.shape[0] != q
                or not choices.shape[1] or bonds.shape != (len(moves), q, q)
                or classes.shape != (q, q)):
            raise ValueError("moves, choices, bonds and classes do not fit the weights")
        if (choices.min() < 0 or choices.max() >= len(moves)
                or (moves[np.arange(len(moves))[:, None], moves] != np.arange(q)).any()):
            raise ValueError("moves are exchanges of states, and choices are their numbers")
        self.arrays, self.states = arrays, q
        self.n_classes = int(classes.max()) + 1


cdef potts_chain chain_of(shape, Tables tables, double coupling, algorithm) except *:
    """The C chain on a lattice of this shape."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    cdef const double[:, ::1] weights
    cdef const uint64_t[::1] alias
    cdef const uint8_t[:, ::1] moves
    cdef const int32_t[:, ::1] choices
    cdef const uint64_t[:, :, ::1] bonds
    weights, alias, moves, choices, bonds = tables.arrays[:5]
    if not 1 <= len(shape) <= 3 or min(shape) < 2:
        raise ValueError(f"a lattice has one to three axes of size >= 2, not shape {shape}")
    cdef potts_chain chain
    chain.depth, chain.height, chain.width = (1,) * (3 - len(shape)) + tuple(shape)
    chain.states, chain.algorithm, chain.coupling = tables.states, ALGORITHMS[algorithm], coupling
    chain.weights, chain.alias = &weights[0, 0], NULL
    expected = potts_alias_entries(tables.states, len(shape))
    if alias.shape[0]:
        if alias.shape[0] != expected:
            raise ValueError(f"the table of heat bath needs {expected} entries")
        chain.alias = &alias[0]
    chain.n_moves, chain.n_choices = moves.shape[0], choices.shape[1]
    chain.moves, chain.choices, chain.bonds = &moves[0, 0], &choices[0, 0], &bonds[0, 0, 0]
    return chain


def sample_chain(
        spins, Tables tables, double coupling, rng, algorithm, int64_t updates, int64_t count,
        uint8_t[:, ::1] packed_out, int64_t[:, ::1] pairs_out):
    """Repeat ``count`` times: ``updates`` sweeps or clusters, then store and measure the states.

    Parameters
    ----------
    spins : ndarray of uint8, 0 .. q - 1, one to three axes
        The lattice, periodic; updated.
    tables : Tables
    coupling : float
        K of the Potts model, for Swendsen-Wang.
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    algorithm : {"heat-bath", "swendsen-wang", "wolff"}
    updates : int
        Sweeps, or clusters of "wolff", before each row.
    packed_out : ndarray of uint8, shape (count, ceil(planes * sites / 8))
        Bit planes of the states, see `rsmi.lattice.packed`.
    pairs_out : ndarray of int64, shape (count, n_classes)
        How many bonds have a pair of states of each class.

    Returns
    -------
    int
        The sum of the sizes of all clusters of "wolff"; else 0.

    Raises
    ------
    ValueError
        If the lattice, the coupling and the outputs do not fit together.
    """
    cdef uint8_t[::1] sites = flat(spins, tables.states)
    if (not isinstance(rng, np.ndarray) or rng.dtype != np.uint64 or rng.shape != (4,)
            or not rng.any()):
        raise ValueError("rng must be a uint64 array of 4 words, not all zero")
    cdef uint64_t[::1] state = rng
    cdef potts_chain chain = chain_of(spins.shape, tables, coupling, algorithm)
    planes = (tables.states - 1).bit_length()
    if packed_out.shape[0] != count or pairs_out.shape[0] != count or updates < 0:
        raise ValueError(f"the outputs must have {count} rows, of at least 0 updates")
    if packed_out.shape[1] != (planes * spins.size + 7) // 8:
        raise ValueError(f"a row has {(planes * spins.size + 7) // 8} bytes")
    if pairs_out.shape[1] != tables.n_classes:
        raise ValueError(f"there are {tables.n_classes} classes of pairs")
    if count == 0:
        return 0
    cdef uint64_t[::1] workspace = np.empty(potts_workspace(&chain) + 1, dtype=np.uint64)
    cdef const uint8_t[:, ::1] classes = tables.arrays[5]
    cdef int64_t moved = 0, n_classes = tables.n_classes
    cdef int status
    with nogil:
        status = potts_sample(
            &chain, updates, count, &sites[0], &state[0], &workspace[0], &classes[0, 0],
            n_classes, &packed_out[0, 0], &pairs_out[0, 0], &moved)
    check_status(status)
    return moved


def count_pairs(spins, Tables tables):
    """Count the bonds of every class of pairs of states.

    Parameters
    ----------
    spins : ndarray of uint8, 0 .. q - 1, shape (n, \*shape)
        Periodic configurations of one to three axes.

    Returns
    -------
    ndarray of int64, shape (n, n_classes)
    """
    pairs = np.zeros((len(spins), tables.n_classes), np.int64)
    if len(spins) == 0:
        return pairs
    cdef uint8_t[::1] sites = flat(spins, tables.states)
    cdef potts_chain chain = chain_of(spins.shape[1:], tables, 0.0, "swendsen-wang")
    cdef const uint8_t[:, ::1] classes = tables.arrays[5]
    cdef int64_t n_classes = tables.n_classes, n = len(spins), row
    cdef int64_t size = sites.shape[0] // n
    cdef int64_t[:, ::1] view = pairs
    with nogil:
        for row in range(n):
            potts_pairs(&chain, &sites[row * size], &classes[0, 0], n_classes, &view[row, 0])
    return pairs
