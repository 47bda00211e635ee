"""Coverings of the square lattice by dimers, and the worm that samples them
(csrc/models/dimers/dimers.h and dimers_worm.h)."""

from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport RSMI_BAD_VALUE, RSMI_OK, check_status

cdef extern from "models/dimers/dimers.h":
    enum:
        DIMER_LONGEST
    int dimer_check_covering(const dimer_lattice *lattice, const int8_t *partners) nogil
    int64_t dimer_parallel_pairs(const dimer_lattice *lattice, const int8_t *partners) nogil
    void dimer_pack(
        const dimer_lattice *lattice, const int8_t *partners, uint8_t *packed) nogil
    int dimer_add_noise(
        const dimer_lattice *lattice, double probability, int straddling, const uint64_t *key,
        int64_t first_sample, int64_t count, const uint8_t *links, uint8_t *packed) nogil

cdef extern from "models/dimers/dimers_worm.h":
    int64_t dimer_workspace(const dimer_lattice *lattice, int64_t chains)
    int dimer_sample(
        const dimer_lattice *lattice, int64_t chains, int64_t worms, int64_t first,
        int64_t count, int8_t *partners, uint64_t *rng, uint64_t *workspace, uint8_t *packed,
        int64_t *parallel_pairs, int64_t *steps) nogil

LONGEST = DIMER_LONGEST  # most vertices along a side
BOUNDARIES = ("periodic", "open")
PAIRINGS = ("cell", "straddling")


cdef dimer_lattice describe(shape, boundary) except *:
    """The C lattice, after checks."""
    if boundary not in BOUNDARIES:
        raise ValueError(f"unknown boundary {boundary!r}: choose one of {', '.join(BOUNDARIES)}")
    if (len(shape) != 2 or min(shape) < 2 or any(size % 2 for size in shape)
            or max(shape) > LONGEST or (shape[0] + 2) * (shape[1] + 2) >= 2**25):
        raise ValueError(
            f"dimers cover lattices of two even sides from 2 to {LONGEST} and fewer than 2^25 "
            f"vertices, not {'x'.join(map(str, shape))}")
    cdef dimer_lattice lattice
    lattice.rows, lattice.columns = shape
    lattice.open = boundary == "open"
    return lattice


cdef covering_error(partners, boundary):
    """The exception for partners that are no covering."""
    shape = "x".join(map(str, partners.shape[partners.ndim - 2:]))
    return ValueError(
        f"partners are no covering of the {boundary} lattice {shape}: the partner of a partner "
        f"must be the vertex itself")


cdef int check_chains(
        partners, rng, int64_t worms, int64_t first, parallel_pairs_out, links_out,
        steps_out) except -1:
    """Raise ValueError unless the arrays of `sample_chains` fit together."""
    if (not isinstance(partners, np.ndarray) or partners.dtype != np.int8 or partners.ndim != 3
            or not partners.flags.c_contiguous or not len(partners)):
        raise ValueError("partners must be a C-contiguous int8 array (chains, Lx, Ly)")
    if (not isinstance(rng, np.ndarray) or rng.dtype != np.uint64
            or rng.shape != (len(partners), 4) or not rng.flags.c_contiguous
            or not rng.any(axis=1).all()):
        raise ValueError("rng must be a uint64 array of 4 words a chain, not all zero")
    if worms < 1 or first < 0:
        raise ValueError(
            f"at least one worm a row and no negative row, not {worms} and {first}")
    row_bytes = (2 * partners[0].size + 7) // 8
    if (parallel_pairs_out.shape[0] != len(links_out) or steps_out.shape[0] != len(links_out)
            or links_out.shape[1] != row_bytes):
        raise ValueError(
            f"the outputs must have {len(links_out)} rows, packed ones {row_bytes} bytes")
    return 0


def sample_chains(
        partners, rng, boundary, int64_t worms, int64_t first, int64_t[::1] parallel_pairs_out,
        uint8_t[:, ::1] links_out, int64_t[::1] steps_out):
    """Sample rows of free dimers from independent chains in turn.

    Row j of the output is made by chain (first + j) mod chains.

    Parameters
    ----------
    partners : ndarray of int8, shape (chains, Lx, Ly)
        Direction of the partner of each vertex: 0 next x, 1 next y, 2 previous x, 3 previous y;
        updated.
    rng : ndarray of uint64, shape (chains, 4)
        States of xoshiro256++; updated.
    boundary : {"periodic", "open"}
    worms : int
        Number of worms before each row, at least 1.
    first : int
        Number of rows that these chains have made so far.
    parallel_pairs_out : ndarray of int64, shape (count,)
        Number of plaquettes with two parallel dimers.
    links_out : ndarray of uint8, shape (count, ceil(2 Lx Ly / 8))
        Packed (2, Lx, Ly): x-link and y-link of every vertex, 1 = dimer.
    steps_out : ndarray of int64, shape (count,)
        Number of steps that the worms took.

    Raises
    ------
    ValueError
        If there is no such lattice, the arrays do not fit it, or partners are no covering.
    """
    check_chains(partners, rng, worms, first, parallel_pairs_out, links_out, steps_out)
    cdef dimer_lattice lattice = describe(partners.shape[1:], boundary)
    cdef int64_t chains = len(partners), count = len(links_out)
    cdef int8_t[:, :, ::1] directions = partners
    cdef uint64_t[:, ::1] state = rng
    cdef uint64_t[::1] workspace = np.empty(dimer_workspace(&lattice, chains), dtype=np.uint64)
    cdef int status
    if count == 0:
        return
    with nogil:
        status = dimer_sample(
            &lattice, chains, worms, first, count, &directions[0, 0, 0], &state[0, 0],
            &workspace[0], &links_out[0, 0], &parallel_pairs_out[0], &steps_out[0])
    if status == RSMI_BAD_VALUE:
        raise covering_error(partners, boundary)
    check_status(status)


def measure(partners, boundary="periodic"):
    """Pack one covering and count its parallel pairs.

    Parameters
    ----------
    partners : ndarray of int8, shape (Lx, Ly)
        As in `sample_chains`.
    boundary : {"periodic", "open"}

    Returns
    -------
    links : ndarray of uint8, shape (ceil(2 Lx Ly / 8),)
        Packed (2, Lx, Ly).
    parallel_pairs : int
        Number of plaquettes with two parallel dimers.

    Raises
    ------
    ValueError
        If there is no such lattice, or partners are no covering.
    """
    cdef dimer_lattice lattice = describe(partners.shape, boundary)
    cdef int8_t[:, ::1] directions = partners
    cdef uint8_t[::1] links = np.empty((2 * partners.size + 7) // 8, dtype=np.uint8)
    if dimer_check_covering(&lattice, &directions[0, 0]) != RSMI_OK:
        raise covering_error(partners, boundary)
    dimer_pack(&lattice, &directions[0, 0], &links[0])
    return np.asarray(links), dimer_parallel_pairs(&lattice, &directions[0, 0])


def add_noise(
        const uint8_t[:, ::1] links, shape, double probability, pairing,
        const uint64_t[::1] key, int64_t first_sample):
    """Add a noise spin on every vertex and every face to rows of links.

    Parameters
    ----------
    links : ndarray of uint8, shape (n, ceil(2 Lx Ly / 8))
        Packed (2, Lx, Ly).
    shape : (Lx, Ly)
    probability : float
        Of the spin of a face to equal the spin of the vertex with which it is paired. The spins
        of the vertices are fair coins.
    pairing : {"cell", "straddling"}
        Face (x, y) is paired with the vertex (x, y), or with (x + 1, y + 1), always around the
        edges.
    key : ndarray of uint64, shape (2,) or longer
    first_sample : int
        Number of the first row: the spins of a row depend on the key and on its number only.

    Returns
    -------
    ndarray of uint8, shape (n, ceil(4 Lx Ly / 8))
        Packed (4, Lx, Ly): vertex, x-link, y-link, face.

    Raises
    ------
    ValueError
        If an argument is outside its range or the arrays do not fit together.
    """
    cdef dimer_lattice lattice = describe(shape, "periodic")
    cdef int64_t count = len(links), vertices = lattice.rows * lattice.columns
    cdef int straddling, status
    if pairing not in PAIRINGS:
        raise ValueError(f"unknown pairing {pairing!r}: choose one of {', '.join(PAIRINGS)}")
    if not 0 <= probability <= 1:
        raise ValueError(f"a probability lies between 0 and 1, not at {probability}")
    if links.shape[1] != (2 * vertices + 7) // 8 or key.shape[0] < 2 or first_sample < 0:
        raise ValueError(
            f"packed links of {vertices} vertices have {(2 * vertices + 7) // 8} bytes a row; a "
            f"key has 2 words; samples count from 0")
    cdef uint8_t[:, ::1] packed = np.empty((count, (4 * vertices + 7) // 8), dtype=np.uint8)
    straddling = pairing == "straddling"
    if count:
        with nogil:
            status = dimer_add_noise(
                &lattice, probability, straddling, &key[0], first_sample, count, &links[0, 0],
                &packed[0, 0])
        check_status(status)
    return np.asarray(packed)
