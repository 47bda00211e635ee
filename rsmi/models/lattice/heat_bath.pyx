"""Heat bath of binary variables on any lattice (csrc/models/lattice)."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

import numpy as np

from rsmi.kernels.instructions cimport path_numbers, path_supported, supported_paths
from rsmi.kernels.status cimport check_status, require

cdef extern from "models/lattice/lattice_system.h":
    enum:
        LATTICE_GROUPS
        LATTICE_CLASSES
        LATTICE_BATCH
        LATTICE_KIND
    ctypedef struct lattice_kind:
        int64_t exclusive, groups, classes, first
    ctypedef struct lattice_system:
        int64_t sites, kinds, probabilities
        const int32_t *kind_of
        const int64_t *start
        const int32_t *neighbour
        const lattice_kind *kind
        const uint64_t *probability
    int lattice_check(const lattice_system *system) nogil
    int64_t lattice_plan(const lattice_system *system, int32_t *order) nogil

cdef extern from "models/lattice/lattice_replicas.h":
    enum:
        LATTICE_REPLICAS
    ctypedef struct lattice_replicas:
        lattice_system system
        int64_t batches
        const int32_t *order
        int path
    int lattice_replicas_check(const lattice_replicas *replicas) nogil
    int64_t lattice_replicas_workspace(const lattice_replicas *replicas)
    void lattice_replicas_seed(const uint64_t *rng, uint64_t *generator)
    int lattice_replicas_sweep(
        const lattice_replicas *replicas, int64_t sweeps, uint64_t *spins, uint64_t *generator,
        uint64_t *workspace) nogil

cdef extern from "models/lattice/lattice_chain.h":
    int lattice_chain_sample(
        const lattice_system *system, int64_t interval, int64_t count, uint8_t *spins,
        uint64_t *rng, uint8_t *rows) nogil

cdef extern from "models/lattice/lattice_rows.h":
    void lattice_pack(int64_t sites, const uint64_t *spins, uint8_t *rows) nogil
    void lattice_unpack(int64_t sites, const uint8_t *rows, uint64_t *spins) nogil
    void lattice_exchange(
        int64_t sites, const uint64_t *mask, uint64_t *one, uint64_t *other) nogil
    void lattice_count_up(int64_t sites, const uint64_t *spins, int64_t *number) nogil
    void lattice_count_unlike(
        int64_t n, const int32_t *bonds, const uint64_t *spins, int64_t *number) nogil
    void lattice_count_pairs(
        int64_t n, const int32_t *bonds, const uint64_t *spins, int64_t *number) nogil

REPLICAS = LATTICE_REPLICAS
MOST_GROUPS = LATTICE_GROUPS
MOST_CLASSES = LATTICE_CLASSES
KIND = LATTICE_KIND
_PATHS = path_numbers()


def paths():
    """Return the names of the instruction sets that this machine runs, the widest first.

    All of them give the same bits.
    """
    return supported_paths()


cdef class System:
    """A lattice as the kernels take it: neighbours in groups, and tables of probabilities.

    Parameters
    ----------
    kind_of : ndarray of int32, shape (sites,)
        The kind of every site.
    start : ndarray of int64, shape (sites + 1,)
        The neighbours of site i are entries ``start[i]:start[i + 1]`` of ``neighbours``.
    neighbours : ndarray of int32
        Group by group; a site may be a neighbour twice.
    kinds : ndarray of int64, shape (kinds, KIND)
        Of every kind: 1 if its first group is exclusive, else 0; the number of groups; the number
        of classes; the place of its first probability; the size of each group, then zeros.
    probabilities : ndarray of uint64
        The probability to be up, times 2^64, of every class of every kind.

    Attributes
    ----------
    order : ndarray of int32, shape (batches, 8)
        The sites that replicas update together, with -1 for empty places. It is empty if a table
        has more than `MOST_CLASSES` entries: replicas cannot sample such a system.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or a site is its own neighbour.
    """

    cdef readonly object order
    cdef object arrays
    cdef lattice_replicas replicas

    def __init__(
            self, const int32_t[::1] kind_of, const int64_t[::1] start,
            const int32_t[::1] neighbours, const int64_t[:, ::1] kinds,
            const uint64_t[::1] probabilities):
        cdef lattice_system *system = &self.replicas.system
        cdef int64_t sites = kind_of.shape[0], i
        cdef int32_t[:, ::1] order
        require(sites > 0 and start.shape[0] == sites + 1, "start needs one entry more than sites")
        for i in range(sites):
            require(start[i] <= start[i + 1], "start must not decrease")
        require(
            start[0] == 0 and start[sites] == neighbours.shape[0] and neighbours.shape[0] > 0,
            "start must begin with 0 and end with the number of neighbours, at least 1")
        require(
            kinds.shape[0] > 0 and kinds.shape[1] == LATTICE_KIND and probabilities.shape[0] > 0,
            "there must be a kind with a table")
        self.arrays = (kind_of, start, neighbours, kinds, probabilities)
        system.sites, system.kinds, system.probabilities = (
            sites, kinds.shape[0], probabilities.shape[0])
        system.kind_of, system.start = &kind_of[0], &start[0]
        system.neighbour = &neighbours[0]
        system.kind = <const lattice_kind *> &kinds[0, 0]
        system.probability = &probabilities[0]
        check_status(lattice_check(system))
        self.order = np.empty((0, LATTICE_BATCH), dtype=np.int32)
        if max(kinds[i, 2] for i in range(kinds.shape[0])) <= LATTICE_CLASSES:
            order = np.empty((sites, LATTICE_BATCH), dtype=np.int32)
            self.replicas.batches = lattice_plan(system, &order[0, 0])
            self.order = np.array(order[:self.replicas.batches])
            order = self.order
            self.replicas.order = &order[0, 0]

    @property
    def sites(self):
        """Number of sites."""
        return self.replicas.system.sites

    @property
    def fits_replicas(self):
        """Whether replicas can sample the system."""
        return len(self.order) > 0


# ---- arrays --------------------------------------------------------------------------------------


cdef uint64_t[::1] words_of(array, shape, name):
    """The words of an array of this shape, after a check."""
    if (not isinstance(array, np.ndarray) or array.dtype != np.uint64 or array.shape != shape
            or not array.flags.c_contiguous):
        raise ValueError(f"{name} must be a C-contiguous uint64 array of shape {shape}")
    return array.reshape(-1)


def aligned(shape):
    """Return zeros of uint64 at an address that is a multiple of 64, on which the kernels are
    fastest."""
    size = int(np.prod(shape))
    memory = np.zeros(size + 8, dtype=np.uint64)
    skip = -(memory.ctypes.data // 8) % 8
    return memory[skip : skip + size].reshape(shape)


def seed(rng):
    """Return the random state (17, 8) of 512 replicas from a key (4,) of uint64, not all zero."""
    if not np.any(rng):
        raise ValueError("rng must not be all zero")
    cdef uint64_t[::1] key = words_of(rng, (4,), "rng")
    generator = aligned((17, 8))
    cdef uint64_t[::1] state = generator.reshape(-1)
    lattice_replicas_seed(&key[0], &state[0])
    return generator


# ---- sweeps --------------------------------------------------------------------------------------


def sweep_replicas(System system, spins, generator, int64_t sweeps, path="auto"):
    """Advance 512 replicas in place.

    Parameters
    ----------
    system : System
    spins : ndarray of uint64, shape (sites, 8)
        From `unpack`; updated.
    generator : ndarray of uint64, shape (17, 8)
        From `seed`; updated.
    sweeps : int
        Updates of every site.
    path : {"auto", "avx512", "avx2", "sse2", "portable"}
        Instructions to use; all give the same bits.

    Raises
    ------
    ValueError
        If the arrays do not fit the system, replicas cannot sample it, or the machine lacks the
        instructions.
    """
    if path not in _PATHS or not path_supported(_PATHS[path]):
        raise ValueError(f"this machine has no path {path!r}: it runs {', '.join(paths())}")
    if not system.fits_replicas:
        raise ValueError(f"a table has more than {MOST_CLASSES} entries: replicas cannot use it")
    cdef lattice_replicas replicas = system.replicas
    replicas.path = _PATHS[path]
    cdef uint64_t[::1] words = words_of(spins, (system.sites, 8), "spins")
    cdef uint64_t[::1] state = words_of(generator, (17, 8), "generator")
    cdef uint64_t[::1] workspace = aligned((lattice_replicas_workspace(&replicas),))
    cdef int status
    with nogil:
        status = lattice_replicas_sweep(&replicas, sweeps, &words[0], &state[0], &workspace[0])
    check_status(status)


def sample_chain(System system, uint8_t[::1] spins, rng, int64_t interval,
                 uint8_t[:, ::1] rows_out):
    """Fill the output with packed configurations of one chain, ``interval`` sweeps before each.

    Parameters
    ----------
    system : System
    spins : ndarray of uint8, shape (sites,)
        0 or 1; updated.
    rng : ndarray of uint64, shape (4,)
        State of xoshiro256++; updated.
    interval : int
    rows_out : ndarray of uint8, shape (count, ceil(sites / 8))

    Raises
    ------
    ValueError
        If the arrays do not fit the system.
    """
    cdef uint64_t[::1] state = words_of(rng, (4,), "rng")
    cdef int64_t sites = system.sites
    cdef int status
    require(spins.shape[0] == sites, "spins need one entry for every site")
    require(not np.any(np.asarray(spins) > 1), "spins must be 0 or 1")
    require(rows_out.shape[1] == (sites + 7) // 8, "a row has one bit for every site")
    if rows_out.shape[0] == 0:
        return
    with nogil:
        status = lattice_chain_sample(
            &system.replicas.system, interval, rows_out.shape[0], &spins[0], &state[0],
            &rows_out[0, 0])
    check_status(status)


# ---- rows and counts -----------------------------------------------------------------------------


def unpack(const uint8_t[:, ::1] rows, int64_t sites):
    """Convert packed configurations (512, ceil(sites / 8)) to the spins (sites, 8) of replicas."""
    require(sites > 0, "there must be a site")
    check_rows(rows.shape[0], rows.shape[1], sites)
    spins = aligned((sites, 8))
    cdef uint64_t[::1] words = spins.reshape(-1)
    with nogil:
        lattice_unpack(sites, &rows[0, 0], &words[0])
    return spins


def pack(spins, uint8_t[:, ::1] rows_out):
    """Convert the spins (sites, 8) of replicas to packed configurations; the inverse of
    `unpack`."""
    cdef int64_t sites = len(spins)
    cdef uint64_t[::1] words = words_of(spins, (sites, 8), "spins")
    require(sites > 0, "there must be a site")
    check_rows(rows_out.shape[0], rows_out.shape[1], sites)
    with nogil:
        lattice_pack(sites, &words[0], &rows_out[0, 0])


cdef check_rows(int64_t rows, int64_t row_bytes, int64_t sites):
    expected = (REPLICAS, (sites + 7) // 8)
    if (rows, row_bytes) != expected:
        raise ValueError(
            f"packed configurations must have shape {expected}, not {(rows, row_bytes)}")


def count(spins, const int32_t[:, ::1] bonds, unlike):
    """Count bonds in every replica.

    Parameters
    ----------
    spins : ndarray of uint64, shape (sites, 8)
    bonds : ndarray of int32, shape (n, 2)
        Pairs of sites.
    unlike : bool
        Whether to count the bonds whose ends are unlike, or those whose ends are both up. A bond
        of a site with itself is then counted where the site is up.

    Returns
    -------
    ndarray of int64, shape (512,)
    """
    cdef int64_t sites = len(spins), n = bonds.shape[0]
    cdef uint64_t[::1] words = words_of(spins, (sites, 8), "spins")
    pairs = np.asarray(bonds)
    require(
        pairs.shape[1] == 2 and (n == 0 or (pairs.min() >= 0 and pairs.max() < sites)),
        "bonds must be pairs of sites")
    number = np.zeros(REPLICAS, dtype=np.int64)
    cdef int64_t[::1] result = number
    cdef bint differ = unlike
    if n == 0:
        return number
    with nogil:
        if differ:
            lattice_count_unlike(n, &bonds[0, 0], &words[0], &result[0])
        else:
            lattice_count_pairs(n, &bonds[0, 0], &words[0], &result[0])
    return number


def count_up(spins):
    """Return the number (512,) of sites that are up in every replica."""
    cdef int64_t sites = len(spins)
    cdef uint64_t[::1] words = words_of(spins, (sites, 8), "spins")
    require(sites > 0, "there must be a site")
    number = np.empty(REPLICAS, dtype=np.int64)
    cdef int64_t[::1] result = number
    with nogil:
        lattice_count_up(sites, &words[0], &result[0])
    return number


def exchange(one, other, mask):
    """Interchange configurations between two groups of replicas in place.

    Parameters
    ----------
    one, other : ndarray of uint64, shape (sites, 8)
    mask : ndarray of bool, shape (512,)
        Whether replica i of one group and replica i of the other are interchanged.

    Raises
    ------
    ValueError
        If the arrays do not fit each other.
    """
    cdef int64_t sites = len(one)
    cdef uint64_t[::1] first = words_of(one, (sites, 8), "one")
    cdef uint64_t[::1] second = words_of(other, (sites, 8), "other")
    bits = np.asarray(mask)
    require(sites > 0, "there must be a site")
    require(bits.shape == (REPLICAS,) and bits.dtype == bool, "a mask has 512 booleans")
    cdef uint64_t[::1] chosen = np.packbits(bits, bitorder="little").view("<u8").astype(np.uint64)
    with nogil:
        lattice_exchange(sites, &chosen[0], &first[0], &second[0])
