"""Arrows of the six-vertex model by directed loops (csrc/models/six_vertex)."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.status cimport RSMI_BAD_VALUE, check_status

cdef extern from "models/six_vertex/six_vertex.h":
    enum:
        SIX_VERTEX_LONGEST
    ctypedef struct six_vertex_lattice:
        int64_t rows, columns

cdef extern from "models/six_vertex/six_vertex_loop.h":
    const double SIX_VERTEX_LEAST_WEIGHT
    const double SIX_VERTEX_LARGEST_WEIGHT
    int64_t six_vertex_workspace(const six_vertex_lattice *lattice)
    int six_vertex_sample(
        const six_vertex_lattice *lattice, double weight, int64_t chains, int64_t loops,
        int64_t first, int64_t count, uint8_t *vertices, uint64_t *rng, uint64_t *workspace,
        uint8_t *packed, int64_t *c_vertices, int64_t *steps) nogil

LONGEST = SIX_VERTEX_LONGEST  # most vertices along a side
WEIGHTS = (SIX_VERTEX_LEAST_WEIGHT, SIX_VERTEX_LARGEST_WEIGHT)  # of a c vertex


cdef six_vertex_lattice describe(shape) except *:
    """The C lattice, after checks."""
    if len(shape) != 2 or min(shape) < 2 or max(shape) > LONGEST:
        raise ValueError(
            f"the lattice needs two sides from 2 to {LONGEST}, not {'x'.join(map(str, shape))}")
    cdef six_vertex_lattice lattice
    lattice.rows, lattice.columns = shape
    return lattice


def sample_chains(
        vertices, double weight, rng, int64_t loops, int64_t first, uint8_t[:, ::1] links_out,
        int64_t[::1] c_vertices_out, int64_t[::1] steps_out):
    """Sample rows of arrows from independent chains in turn.

    Row j of the output is made by chain (first + j) mod chains.

    Parameters
    ----------
    vertices : ndarray of uint8, shape (chains, Lx, Ly)
        Which arrows leave each vertex: 1 for the one to the next x, 2 to the next y, 4 to the
        previous x, 8 to the previous y; updated.
    weight : float
        The weight c of a c vertex, from 0.001 to 2; the others have the weight 1.
    rng : ndarray of uint64, shape (chains, 4)
        States of xoshiro256++; updated.
    loops : int
        Number of loops before each row, at least 1.
    first : int
        Number of rows that these chains have made so far.
    links_out : ndarray of uint8, shape (count, ceil(2 Lx Ly / 8))
        Packed (2, Lx, Ly): the arrows from every vertex to the next x and to the next y; 1 if they
        leave the vertex.
    c_vertices_out : ndarray of int64, shape (count,)
        Number of c vertices.
    steps_out : ndarray of int64, shape (count,)
        Number of steps that the loops took.

    Raises
    ------
    ValueError
        If there is no such lattice, the arrays do not fit it, the weight is outside its range, or
        the vertices violate the ice rule.
    """
    if (not isinstance(vertices, np.ndarray) or vertices.dtype != np.uint8 or vertices.ndim != 3
            or not vertices.flags.c_contiguous or not len(vertices)):
        raise ValueError("vertices must be a C-contiguous uint8 array (chains, Lx, Ly)")
    if (not isinstance(rng, np.ndarray) or rng.dtype != np.uint64
            or rng.shape != (len(vertices), 4) or not rng.flags.c_contiguous
            or not rng.any(axis=1).all()):
        raise ValueError("rng must be a uint64 array of 4 words a chain, not all zero")
    if loops < 1 or first < 0:
        raise ValueError(
            f"at least one loop a row and no negative row, not {loops} and {first}")
    if not WEIGHTS[0] <= weight <= WEIGHTS[1]:
        raise ValueError(f"the weight of a c vertex lies from {WEIGHTS[0]:g} to {WEIGHTS[1]:g}")
    cdef six_vertex_lattice lattice = describe(vertices.shape[1:])
    cdef int64_t chains = len(vertices), count = len(links_out)
    row_bytes = (2 * vertices[0].size + 7) // 8
    if (c_vertices_out.shape[0] != count or steps_out.shape[0] != count
            or links_out.shape[1] != row_bytes):
        raise ValueError(f"the outputs must have {count} rows, packed ones {row_bytes} bytes")
    cdef uint8_t[:, :, ::1] bytes_of_vertices = vertices
    cdef uint64_t[:, ::1] state = rng
    cdef uint64_t[::1] workspace = np.empty(six_vertex_workspace(&lattice), dtype=np.uint64)
    cdef int status
    if count == 0:
        return
    with nogil:
        status = six_vertex_sample(
            &lattice, weight, chains, loops, first, count, &bytes_of_vertices[0, 0, 0],
            &state[0, 0], &workspace[0], &links_out[0, 0], &c_vertices_out[0], &steps_out[0])
    if status == RSMI_BAD_VALUE:
        raise ValueError("the vertices violate the ice rule: two arrows leave every vertex, and an"
                         " arrow that leaves one vertex enters the next")
    check_status(status)
