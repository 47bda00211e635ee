"""Ground states of the triangular antiferromagnet by worms (csrc/models/triangular)."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport RSMI_BAD_VALUE, RSMI_OK, check_status

cdef extern from "models/triangular/triangular.h":
    enum:
        TRIANGULAR_LONGEST
    ctypedef struct triangular_lattice:
        int64_t rows, columns
    int triangular_check(const triangular_lattice *lattice, const uint8_t *bonds) nogil
    int triangular_has_spins(const triangular_lattice *lattice, const uint8_t *bonds) nogil
    void triangular_pack(
        const triangular_lattice *lattice, const uint8_t *bonds, int up, uint8_t *packed) nogil

cdef extern from "models/triangular/triangular_worm.h":
    int64_t triangular_workspace(const triangular_lattice *lattice)
    int triangular_sample(
        const triangular_lattice *lattice, int64_t chains, int64_t worms, int64_t first,
        int64_t count, uint8_t *bonds, uint64_t *rng, uint64_t *workspace, uint8_t *packed,
        int64_t *steps) nogil

LONGEST = TRIANGULAR_LONGEST  # most sites along a side


cdef triangular_lattice describe(shape) except *:
    """The C lattice, after checks."""
    if (len(shape) != 2 or min(shape) < 3 or any(size % 3 for size in shape)
            or max(shape) > LONGEST):
        raise ValueError(
            f"the lattice needs two sides that are multiples of 3, from 3 to {LONGEST}, not "
            f"{'x'.join(map(str, shape))}")
    cdef triangular_lattice lattice
    lattice.rows, lattice.columns = shape
    return lattice


cdef bonds_error():
    """The exception for bonds that are no ground state."""
    return ValueError("the bonds are no ground state: every triangle has one frustrated bond")


def sample_chains(
        bonds, rng, int64_t worms, int64_t first, uint8_t[:, ::1] spins_out,
        int64_t[::1] steps_out):
    """Sample rows of ground states from independent chains in turn.

    Row j of the output is made by chain (first + j) mod chains.

    Parameters
    ----------
    bonds : ndarray of uint8, shape (chains, Lx, Ly)
        The frustrated bond (0, 1, 2) of every triangle (x, y), (x + 1, y), (x + 1, y + 1): the one
        between its first two sites, its last two, or the first and the last; updated.
    rng : ndarray of uint64, shape (chains, 4)
        States of xoshiro256++; updated.
    worms : int
        Number of worms, at least 1, that end in a state of spins before each row. Worms that end
        in bonds to which no spins belong are made, but are not counted.
    first : int
        Number of rows that these chains have made so far.
    spins_out : ndarray of uint8, shape (count, ceil(Lx Ly / 8))
        Packed spins.
    steps_out : ndarray of int64, shape (count,)
        Number of steps of all worms before the row.

    Raises
    ------
    ValueError
        If there is no such lattice, the arrays do not fit it, or the bonds are no ground state.
    """
    if (not isinstance(bonds, np.ndarray) or bonds.dtype != np.uint8 or bonds.ndim != 3
            or not bonds.flags.c_contiguous or not len(bonds)):
        raise ValueError("bonds must be a C-contiguous uint8 array (chains, Lx, Ly)")
    if (not isinstance(rng, np.ndarray) or rng.dtype != np.uint64
            or rng.shape != (len(bonds), 4) or not rng.flags.c_contiguous
            or not rng.any(axis=1).all()):
        raise ValueError("rng must be a uint64 array of 4 words a chain, not all zero")
    if worms < 1 or first < 0:
        raise ValueError(
            f"at least one worm a row and no negative row, not {worms} and {first}")
    cdef triangular_lattice lattice = describe(bonds.shape[1:])
    cdef int64_t chains = len(bonds), count = len(spins_out)
    if steps_out.shape[0] != count or spins_out.shape[1] != (bonds[0].size + 7) // 8:
        raise ValueError(
            f"the outputs must have {count} rows, packed ones {(bonds[0].size + 7) // 8} bytes")
    cdef uint8_t[:, :, ::1] triangles = bonds
    cdef uint64_t[:, ::1] state = rng
    cdef uint64_t[::1] workspace = np.empty(triangular_workspace(&lattice), dtype=np.uint64)
    cdef int status
    if count == 0:
        return
    with nogil:
        status = triangular_sample(
            &lattice, chains, worms, first, count, &triangles[0, 0, 0], &state[0, 0],
            &workspace[0], &spins_out[0, 0], &steps_out[0])
    if status == RSMI_BAD_VALUE:
        raise bonds_error()
    check_status(status)


def spins_of(const uint8_t[:, ::1] bonds, bint up=True):
    """Return the spins that belong to frustrated bonds.

    Parameters
    ----------
    bonds : ndarray of uint8, shape (Lx, Ly)
        As in `sample_chains`.
    up : bool
        Whether the spin of the site (0, 0) is +1.

    Returns
    -------
    ndarray of uint8, shape (ceil(Lx Ly / 8),), or None
        Packed spins; None if a path around the torus has an odd number of bonds that are not
        frustrated, so that no spins belong to the bonds.

    Raises
    ------
    ValueError
        If there is no such lattice, or the bonds are no ground state.
    """
    cdef triangular_lattice lattice = describe((bonds.shape[0], bonds.shape[1]))
    cdef uint8_t[::1] packed = np.empty((bonds.size + 7) // 8, dtype=np.uint8)
    if triangular_check(&lattice, &bonds[0, 0]) != RSMI_OK:
        raise bonds_error()
    if not triangular_has_spins(&lattice, &bonds[0, 0]):
        return None
    triangular_pack(&lattice, &bonds[0, 0], up, &packed[0])
    return np.asarray(packed)
