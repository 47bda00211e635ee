"""Exact answers by brute-force enumeration, for the tests alone: slow, obvious, independent of the
package."""

import itertools
import math

import numpy as np

# Block, buffer and environment of the Ising model


def square_torus_bonds(shape):
    """Bonds ((row, column), (row, column)) of the periodic square lattice: every site's two forward
    bonds."""
    sites = itertools.product(range(shape[0]), range(shape[1]))
    return [
        ((r, c), end)
        for r, c in sites
        for end in (((r + 1) % shape[0], c), (r, (c + 1) % shape[1]))
    ]


def all_spins(n):
    """All states of n spins, int8 (2^n, n); bit i of the row number is spin i."""
    return (2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1) - 1).astype(np.int8)


def block_given_environment(configuration, corner, block, buffer, coupling):
    """P(V | all spins outside block and buffer) on a torus: every state of block and buffer is
    visited.

    configuration holds the outside spins; corner is the block's first site.
    """
    shape = configuration.shape
    inside = [
        ((corner[0] + r) % shape[0], (corner[1] + c) % shape[1])
        for r in range(-buffer, block[0] + buffer)
        for c in range(-buffer, block[1] + buffer)
    ]
    spins = all_spins(len(inside))
    spin = {site: spins[:, k] for k, site in enumerate(inside)}
    aligned = np.zeros(len(spins), np.int64)
    for a, b in square_torus_bonds(shape):
        if a in spin or b in spin:
            aligned += spin.get(a, configuration[a]) * spin.get(b, configuration[b])
    state = np.zeros(len(spins), np.int64)
    for i, (r, c) in enumerate(itertools.product(range(block[0]), range(block[1]))):
        state += (spin[(corner[0] + r) % shape[0], (corner[1] + c) % shape[1]] > 0) * 2**i
    probability = np.bincount(state, np.exp(coupling * aligned))
    return probability / probability.sum()


def torus_4x4_joint(coupling):
    """P(V, E) of the 2x2 block on the 4x4 torus without a buffer, (16, 4096): all 2^16
    configurations."""
    sites = list(itertools.product(range(4), range(4)))
    block = [(1, 1), (1, 2), (2, 1), (2, 2)]
    order = block + [site for site in sites if site not in block]
    spins = all_spins(16)
    energy = sum(
        spins[:, order.index(a)] * spins[:, order.index(b)] for a, b in square_torus_bonds((4, 4))
    )
    weight = np.exp(coupling * energy.astype(float))
    return (weight / weight.sum()).reshape(4096, 16).T


def information(table):
    """Mutual information in nats of a table of joint probabilities, by the definition."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    return sum(
        p * np.log(p / (rows[i] * columns[j])) for (i, j), p in np.ndenumerate(table) if p > 0
    )


# --- small periodic Ising lattices
# ------------------------------------------------------------------------------------


def every_configuration(shape):
    """All configurations (2^N, *shape) of +-1 spins."""
    sites = math.prod(shape)
    bits = np.arange(2**sites)[:, None] >> np.arange(sites) & 1
    return (2 * bits - 1).astype(np.int8).reshape(-1, *shape)


def ising_energies(configurations):
    """Energies of periodic configurations (n, *shape), one forward bond per site and axis of size >
    1."""
    axes = [axis for axis in range(1, configurations.ndim) if configurations.shape[axis] > 1]
    bonds = sum(
        configurations.astype(np.int64) * np.roll(configurations, -1, axis) for axis in axes
    )
    return -bonds.reshape(len(bonds), -1).sum(axis=1)


def boltzmann(energies, coupling):
    """Normalised weights of a list of states."""
    weights = np.exp(-coupling * (energies - energies.min()))
    return weights / weights.sum()


def ising_states(shape):
    """All configurations of a small lattice, row k having spin +1 at site i where bit i of k is 1,
    and their energies."""
    states = every_configuration(shape)
    return states, ising_energies(states)


def infinite_energy(coupling):
    """Energy per site in J of the infinite square-lattice Ising model (Onsager, Phys. Rev. 65, 117
    (1944)), K > 0.

    The elliptic integral in Onsager's formula is pi / (2 agm(1, k')) with k' = |2 tanh^2 2K - 1|;
    the arithmetic-geometric mean needs no care at K_c, where k' = 0.
    """
    tanh = math.tanh(2 * coupling)
    modulus = 2 * tanh**2 - 1
    a, b = 1.0, abs(modulus)
    while abs(a - b) > 1e-15 * a and b > 0:
        a, b = (a + b) / 2, math.sqrt(a * b)
    return -(1 + (modulus / a if modulus else 0.0)) / tanh


# --- RSMI on the Ising chain
# ------------------------------------------------------------------------------------------


def chain_block_environment(length, buffer, coupling):
    """P(V, E) of a block of the infinite Ising chain and the two spins beyond its buffers,
    (2^length, 4)."""
    v, e = all_spins(length), all_spins(2)
    inner, outer = np.tanh(coupling), np.tanh(coupling) ** (buffer + 1)
    block = np.prod((1 + inner * v[:, 1:] * v[:, :-1]) / 2, axis=1) / 2
    left, right = (
        (1 + outer * np.outer(v[:, 0], e[:, 0])) / 2,
        (1 + outer * np.outer(v[:, -1], e[:, 1])) / 2,
    )
    return block[:, None] * left * right


def chain_machines(length, buffer, coupling):
    """The same distribution as two RBMs, (weights, visible bias, hidden bias) of (V, E), then of V:
    one hidden unit a bond, exp(J s t) ~ cosh(w (s + t)) with cosh 2w = exp 2J; a buffer leaves the
    bond tanh J = tanh(K)^(buffer + 1).
    """
    through = np.arctanh(np.tanh(coupling) ** (buffer + 1))
    bonds = [(i, i + 1, coupling) for i in range(length - 1)]
    with_environment = bonds + [(0, length, through), (length - 1, length + 1, through)]

    def machine(n_visible, bonds):
        weights = np.zeros((n_visible, len(bonds)))
        for k, (s, t, strength) in enumerate(bonds):
            weights[[s, t], k] = np.arccosh(np.exp(2 * strength)) / 2
        return weights, np.zeros(n_visible), np.zeros(len(bonds))

    return machine(length + 2, with_environment) + machine(length, bonds)


def channel_table(filters, bias, blocks):
    """q(h|v) by the definition, (n, 2^n_hidden)."""
    states = (np.arange(2 ** len(filters))[:, None] >> np.arange(len(filters))) & 1
    field = blocks @ np.asarray(filters).T + bias
    return np.exp(field @ states.T - np.log1p(np.exp(field)).sum(axis=1, keepdims=True))


def first_cumulant(block_weight, energies, q_blocks, q_data):
    """KR eq. 14 with P_Theta(V) enumerated: mean_s sum_h q(h|v_s) <f(V, e_s)>_{V|h}; energies
    (samples, 2^n_block)."""
    given_h = block_weight[:, None] * q_blocks
    given_h = given_h / given_h.sum(axis=0)
    return (q_data * (energies @ given_h)).sum(axis=1).mean()


# --- restricted Boltzmann machines
# ------------------------------------------------------------------------------------


def machine_joint(weights, visible_bias, hidden_bias):
    """P(x, h) of a +-1 machine, (2^n_visible, 2^n_hidden), by its definition."""
    x, h = all_spins(len(visible_bias)).astype(float), all_spins(len(hidden_bias)).astype(float)
    energy = (x @ visible_bias)[:, None] + h @ hidden_bias + x @ weights @ h.T
    joint = np.exp(energy - energy.max())
    return joint / joint.sum()


def machine_moments(weights, visible_bias, hidden_bias):
    """<x_i h_k>, <x_i>, <h_k> of a +-1 machine."""
    joint = machine_joint(weights, visible_bias, hidden_bias)
    x, h = all_spins(len(visible_bias)), all_spins(len(hidden_bias))
    return x.T @ joint @ h, joint.sum(axis=1) @ x, joint.sum(axis=0) @ h


# --- coarse-grained chains
# --------------------------------------------------------------------------------------------


def ring_of_blocks(up, length, blocks, coupling):
    """Every configuration of a ring of blocks against every coarse one, by the definitions.

    up is P(h=+1|x), (2^length,). Returns P(h|x) exp K_0[x], (2^sites, 2^blocks), and K_1[x],
    (2^sites,).
    """
    spins = all_spins(length * blocks).astype(float)
    bonds = coupling * spins * np.roll(spins, -1, axis=1)
    last = np.arange(length - 1, length * blocks, length)
    between = bonds[:, last].sum(axis=1)
    weights = np.exp(bonds.sum(axis=1) - between)[:, None] * np.ones(2**blocks)
    for j in range(blocks):
        state = (spins[:, j * length : (j + 1) * length] > 0) @ 2 ** np.arange(length)
        chosen = np.arange(2**blocks) >> j & 1
        weights *= np.where(chosen, up[state][:, None], 1 - up[state][:, None])
    return weights, between


def cumulants_of(weights, values, order):
    """ln sum of the weights, then the first cumulants of the values under them, from central
    moments by the usual recursion."""
    probability = weights / weights.sum()
    centre = probability @ values
    moments = [probability @ (values - centre) ** k for k in range(order + 1)]
    cumulants = [0.0] * (order + 1)
    for k in range(1, order + 1):
        cumulants[k] = moments[k] - sum(
            math.comb(k - 1, m - 1) * cumulants[m] * moments[k - m] for m in range(1, k)
        )
    cumulants[1] += centre
    return np.array([math.log(weights.sum()), *cumulants[1:]])


def joint_entropy(spins, probabilities):
    """Entropy in nats of the columns of a table of configurations (n, m) with these probabilities,
    by a dictionary."""
    total = {}
    for row, probability in zip(map(bytes, np.ascontiguousarray(spins)), probabilities):
        total[row] = total.get(row, 0.0) + probability
    return -sum(p * math.log(p) for p in total.values() if p > 0)


# --- how well samples fit
# ---------------------------------------------------------------------------------------------


def chi2_score(shape, coupling, rows, sampled_states):
    """(chi2 - dof) / sqrt(2 dof) of the counts of all states; states expected fewer than 20 times
    are pooled by energy."""
    energies = ising_states(shape)[1]
    weights = np.exp(-coupling * energies)
    expected = rows * weights / weights.sum()
    counts = np.bincount(sampled_states, minlength=len(energies))
    group = np.where(
        expected >= 20, np.arange(len(energies)), len(energies) + energies - energies.min()
    )
    expected, counts = np.bincount(group, expected), np.bincount(group, counts)
    kept = expected >= 5
    chi2 = np.sum((counts[kept] - expected[kept]) ** 2 / expected[kept])
    dof = np.count_nonzero(kept) - 1
    return (chi2 - dof) / np.sqrt(2 * dof)


# --- coverings by dimers
# ----------------------------------------------------------------------------------------------


def dimer_coverings(shape, boundary="periodic"):
    """All coverings as directions of the partners, int8 (n, Lx, Ly): 0 next x, 1 next y, 2 previous
    x, 3 previous y."""
    found, partners = [], np.full(shape, -1, np.int8)

    def extend():
        free = np.argwhere(partners == -1)
        if len(free) == 0:
            found.append(partners.copy())
            return
        here = tuple(free[0])
        for direction, step in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
            there = here[0] + step[0], here[1] + step[1]
            if boundary == "open" and not (0 <= there[0] < shape[0] and 0 <= there[1] < shape[1]):
                continue
            there = there[0] % shape[0], there[1] % shape[1]
            if partners[there] == -1:
                partners[here], partners[there] = direction, direction ^ 2
                extend()
                partners[here] = partners[there] = -1

    extend()
    return np.array(found)


def parallel_plaquettes(coverings, boundary="periodic"):
    """Plaquettes with two parallel dimers of each covering (n, Lx, Ly)."""
    x, y = coverings == 0, coverings == 1
    beside, below = x & np.roll(x, -1, axis=2), y & np.roll(y, -1, axis=1)
    if boundary == "open":
        beside, below = beside[:, :, :-1], below[:, :-1]
    return beside.sum(axis=(1, 2)) + below.sum(axis=(1, 2))


def dimer_windings(shape):
    """P(W_x, W_y) of free dimers on the torus, (Ly + 1, Lx + 1), at [W_x + Ly/2, W_y + Lx/2].

    W_x = sum_y (-1)^(x+y) n_x(x, y) is the same at every x. A winding is counted by exp(i theta W)
    if the momenta in Kasteleyn's four determinants are shifted by theta / (L/2); the distribution
    is the Fourier transform of their sum (P. W. Kasteleyn, Physica 27, 1209 (1961)).
    """
    points, cells = (shape[1] + 1, shape[0] + 1), (shape[0] // 2, shape[1] // 2)

    def log_determinant(sector, turn):
        k_x, k_y = (
            2 * np.pi * (np.arange(n) + a / 2 + part) / n for n, a, part in zip(cells, sector, turn)
        )
        factors = 4 - 2 * np.cos(k_x)[:, None] - 2 * np.cos(k_y)
        return np.log(factors).sum() if factors.min() > 1e-14 else -np.inf

    turns = [[(i / points[0], j / points[1]) for j in range(points[1])] for i in range(points[0])]
    sectors = ((0, 0), (0, 1), (1, 0), (1, 1))
    logs = np.array(
        [[[log_determinant(s, turn) for turn in row] for row in turns] for s in sectors]
    )
    parts = np.exp(logs - logs.max())
    generating = parts[1:].sum(axis=0) - parts[0]
    transform = np.fft.fft2(generating / generating[0, 0]).real / generating.size
    return np.maximum(np.fft.fftshift(transform), 0.0)


# --- matrices -------------------------------------------------------------------------------------


def leading_eigenvectors(matrix):
    """Right and left eigenvector of the eigenvalue of largest modulus, of unit length, the largest
    component positive."""
    vectors = []
    for m in (matrix, matrix.T):
        values, columns = np.linalg.eig(m)
        vector = columns[:, np.argmax(np.abs(values))].real
        vectors.append(vector * np.sign(vector[np.argmax(np.abs(vector))]) / np.linalg.norm(vector))
    return vectors[0], vectors[1]


def all_arrows(shape):
    """All arrows (n, 2, Lx, Ly) of a small torus that obey the ice rule: rows of arrows along y are
    chosen, and the arrows along x between them follow from the first one of a row."""
    length, rows = shape
    lines = np.array(list(itertools.product((-1, 1), repeat=length)))
    steps = {}
    for below, above in itertools.product(range(len(lines)), repeat=2):
        difference = np.cumsum(lines[below] - lines[above])
        for last in (-1, 1):
            along = last + difference
            if np.isin(along, (-1, 1)).all() and along[-1] == last:
                steps.setdefault(below, []).append((above, along))
    states = [((first,), ()) for first in range(len(lines))]
    for row in range(rows):
        longer = []
        for line, along in states:
            for above, between in steps[line[-1]]:
                if row < rows - 1 or above == line[0]:
                    longer.append(((*line, above), (*along, between)))
        states = longer
    # The arrows of row y along x lie between the arrows along y below and above them.
    found = [np.stack([np.array(along).T, lines[list(line[1:])].T]) for line, along in states]
    return np.array(found, dtype=np.int8)
