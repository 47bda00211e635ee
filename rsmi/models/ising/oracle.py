"""The exact mutual information of block and environment in the Ising model.

With nearest-neighbour bonds the environment acts on block and buffer only through the sites
adjacent to their rectangle, the *ring* (its corners touch nothing inside). Given the ring, block
and buffer are independent of the rest of the lattice, so that P(V|E) = P(V|ring) exactly, on an
infinite lattice and on every torus where the sites of the ring are distinct. P(V|ring) follows from
a sum over the buffer alone. The distribution of the ring is either enumerated (small torus, chain)
or sampled (environments of stored configurations). Only in the second case is there an error, that
of the average over the environments.

The state v of the block is a number whose bit i is 1 where block site i (row-major) is +1; a state
h of the hidden units is sum_j h_j 2^j. K = J/(k_B T) without a field. Information is in nats. The
objective is eq. 5 of Koch-Janusz & Ringel, Nature Physics 14, 578 (2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.errors import UsageError
from rsmi.information.channel import channel_table, spin_states
from rsmi.information.entropy import ExactInformation, cross_log, entropy
from rsmi.lattice.geometry import Geometry, shape_text
from rsmi.models.ising import elimination, transfer
from rsmi.statistics.binning import grouped_mean

# Joint distributions by enumeration


def chain_joint(
    block_length: int, buffer: int, coupling: float, ring_size: int | None = None
) -> NDArray[np.float64]:
    """Return P(V, E) of the Ising chain.

    Parameters
    ----------
    block_length, buffer : int
        Sites of the block, and of the buffer on each side.
    coupling : float
        K.
    ring_size : int, optional
        Sites of a periodic chain, at least block_length + 2 buffer + 1; infinite by default.

    Returns
    -------
    ndarray of float64, (2^block_length, 4)
        Columns are the states left + 2 right of the environment spins next to the buffer, with 1
        for +1. No other spin of E matters.

    Raises
    ------
    UsageError
        If the ring is too small.

    Notes
    -----
    Once the spins between are summed over, n bonds in a row join the spins s and s' with the weight
    1 + s s' tanh(K)^n.
    """
    step = np.tanh(coupling)
    spins, (left, right) = spin_states(block_length), spin_states(2).T
    joint = np.prod(1 + step * spins[:, :-1] * spins[:, 1:], axis=1)[:, None]
    joint = (
        joint
        * (1 + step ** (buffer + 1) * spins[:, :1] * left)
        * (1 + step ** (buffer + 1) * spins[:, -1:] * right)
    )
    if ring_size is not None:
        outside = ring_size - block_length - 2 * buffer - 1
        if outside < 0:
            raise UsageError(
                f"a ring of {ring_size} sites cannot hold {block_length} + 2x{buffer} sites and an"
                " environment"
            )
        joint = joint * (1 + step**outside * left * right)
    return joint / joint.sum()


_MOST_SITES = 1 << 14  # of a torus, which may be a long strip


def torus_joint(
    coupling: float,
    block: tuple[int, int] = (2, 2),
    buffer: int = 1,
    shape: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """Return P(V, E) on a square-lattice torus, where E is everything beyond the buffer.

    The default is a 2x2 block with a buffer of 12 sites and the other 20 sites of the 6x6 torus as
    environment. States of the environment with the same ring are summed: no other spin of E
    matters, however wide E is.

    Parameters
    ----------
    coupling : float
        K, of either sign.
    block : tuple of int
        Rows and columns.
    buffer : int
    shape : sequence of int, optional
        Rows and columns of the torus. The default is the smallest torus, with block, buffer and one
        site on every side.

    Returns
    -------
    ndarray of float64, (2^n_block, 2^n_ring)
        Bit k of the state of the ring is 1 where ring site k (see `ring_offsets`) is +1.

    Raises
    ------
    UsageError
        If there are too many states to enumerate, or the window does not fit on the torus.
    """
    geometry = Geometry(block, buffer, 1)
    torus = geometry.window if shape is None else tuple(shape)
    geometry.check(torus)
    ring, most = ring_offsets(block, buffer), elimination.LARGEST_TABLE
    if len(ring) + geometry.n_block > most:
        raise UsageError(
            f"block {shape_text(block)} with buffer {buffer} has too many states to enumerate:"
            f" {geometry.n_block} spins and {len(ring)} adjacent to the buffer, at most {most}"
            " together"
        )
    if 2 * min(torus) > most or np.prod(torus) > _MOST_SITES:
        raise UsageError(f"a torus of {shape_text(torus)} has too many states to enumerate")
    outside = _ring_weights(coupling, geometry, ring, torus)
    joint = (
        transfer.block_weights(spin_states(len(ring)).astype(np.int8), *block, buffer, coupling).T
        * outside
    )
    return joint / joint.sum()


def _ring_weights(
    coupling: float, geometry: Geometry, ring: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the weight of each state of the ring from the bonds beyond block and buffer, summed
    over all spins there."""
    buffer = geometry.buffer
    box = np.stack(
        np.meshgrid(*(range(-buffer, size + buffer) for size in geometry.block), indexing="ij"),
        axis=-1,
    ).reshape(-1, 2)
    inside, kept = (
        [int(site) for site in np.ravel_multi_index(tuple(np.mod(sites, shape).T), shape)]
        for sites in (box, ring)
    )
    bonds = [bond for bond in elimination.torus_bonds(shape) if not set(bond) & set(inside)]
    return elimination.marginal_weights(bonds, kept, coupling)


# P(V | environment) by transfer matrices


def ring_offsets(block: Sequence[int], buffer: int) -> NDArray[np.int64]:
    """Return the sites that shield block and buffer from the rest of the lattice.

    Parameters
    ----------
    block : sequence of int
        One or two sizes.
    buffer : int

    Returns
    -------
    ndarray of int64, (n_ring, d)
        Relative to the first site of the block. In one dimension left, right; in two dimensions
        above, below (left to right), left, right (downward).
    """
    first = -(buffer + 1)
    if len(block) == 1:
        return np.array([[first], [block[0] + buffer]])
    rows, columns = (range(-buffer, size + buffer) for size in block)
    below, right = block[0] + buffer, block[1] + buffer
    return np.array(
        [(first, c) for c in columns]
        + [(below, c) for c in columns]
        + [(r, first) for r in rows]
        + [(r, right) for r in rows]
    )


def is_tractable(geometry: Geometry) -> bool:
    """Return whether P(V|E) of the Ising model can be computed exactly for this geometry: in one
    and two dimensions, for small blocks."""
    if len(geometry.block) > 2 or geometry.n_block > transfer.MAX_BLOCK:
        return False
    return len(geometry.block) == 1 or geometry.block[1] + 2 * geometry.buffer <= transfer.MAX_WIDTH


def markov_ring(environments: NDArray[np.int8], geometry: Geometry) -> NDArray[np.int8]:
    """Select the ring from environments.

    Parameters
    ----------
    environments : ndarray of int8, (n, n_environment)
        Spins +-1 in the order of ``geometry.environment_offsets``.
    geometry : Geometry
        One- or two-dimensional.

    Returns
    -------
    ndarray of int8, (n, n_ring)
        Spins +-1 in the order of `ring_offsets`.
    """
    column = {tuple(offset): k for k, offset in enumerate(geometry.environment_offsets.tolist())}
    ring = ring_offsets(geometry.block, geometry.buffer).tolist()
    return np.ascontiguousarray(
        environments[:, [column[tuple(offset)] for offset in ring]], dtype=np.int8
    )


def conditional_block_given_ring(
    rings: NDArray[np.int8], block: Sequence[int], buffer: int, coupling: float
) -> NDArray[np.float64]:
    """Return the exact P(V | environment).

    Parameters
    ----------
    rings : ndarray of int8, (n, n_ring)
        Spins +-1 around block and buffer; see `markov_ring`.
    block : sequence of int
        One or two sizes, at most 16 sites; columns + 2 buffer at most 12.
    buffer : int
    coupling : float
        K.

    Returns
    -------
    ndarray of float64, (n, 2^n_block)

    Raises
    ------
    ValueError
        If block and buffer are larger than the limits or do not match the rings.
    """
    if len(block) == 1:
        table, state = _chain_table(rings, block[0], buffer, coupling)
        return table[state]
    rows, columns = block
    rings = np.ascontiguousarray(rings, dtype=np.int8)
    weights = transfer.block_weights(rings, rows, columns, buffer, coupling)
    return weights / weights.sum(axis=1, keepdims=True)


def _chain_table(
    rings: NDArray[np.int8], block_length: int, buffer: int, coupling: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return P(V | ring) of the four states of a ring, (4, 2^block_length), and the state of each
    ring, (n,)."""
    joint = chain_joint(block_length, buffer, coupling)
    return (joint / joint.sum(axis=0)).T, (rings > 0) @ np.array([1, 2])


def conditional_averages(
    rings: NDArray[np.int8],
    block: Sequence[int],
    buffer: int,
    coupling: float,
    functions: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return averages under P(V | environment) without a table of n x 2^n_block numbers.

    Parameters
    ----------
    rings, block, buffer, coupling
        As for `conditional_block_given_ring`.
    functions : ndarray of float64, (2^n_block, n_functions)
        Functions of the state of the block; a channel q(h|v) gives P(h|E).

    Returns
    -------
    averages : ndarray of float64, (n, n_functions)
    entropies : ndarray of float64, (n,)
        Entropies of P(V|E) in nats.
    marginal : ndarray of float64, (2^n_block,)
        P(V|E) averaged over the environments.
    """
    if len(block) == 1:
        table, state = _chain_table(rings, block[0], buffer, coupling)
        return (
            (table @ functions)[state],
            entropy(table)[state],
            np.bincount(state, minlength=4) / len(state) @ table,
        )
    rows, columns = block
    rings = np.ascontiguousarray(rings, dtype=np.int8)
    functions = np.ascontiguousarray(functions, dtype=np.float64)
    return transfer.block_averages(rings, rows, columns, buffer, coupling, functions, True)


# Information of rules, the environments enumerated or sampled


def exact_information(
    filters: ArrayLike,
    bias: ArrayLike,
    geometry: Geometry,
    coupling: float,
    environments: NDArray[np.int8],
    *,
    hard: bool = False,
    groups: NDArray[np.integer] | None = None,
) -> ExactInformation:
    """Return I(H:E) and I(V:E) of one rule in the Ising model.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, n_block)
    bias : array_like of float, (n_hidden,)
    hard : bool
        Whether the filters are infinitely strong; see
        `rsmi.information.channel.unit_probabilities`.
    geometry, coupling, environments, groups
        As for `exact_informations`.
    """
    return exact_informations(
        [channel_table(filters, bias, hard)], geometry, coupling, environments, groups=groups
    )[0]


def exact_informations(
    channels: Sequence[NDArray[np.float64]],
    geometry: Geometry,
    coupling: float,
    environments: NDArray[np.int8],
    *,
    groups: NDArray[np.integer] | None = None,
) -> list[ExactInformation]:
    """Return I(H:E) of several rules, and I(V:E), in the Ising model, with P(V|E) exact and the
    average over sampled environments.

    Every environment is used together with its global flip, which has the same probability without
    a field. P(V|E) is summed once for all rules: for a 4x4 block this sum is the cost.

    Parameters
    ----------
    channels : sequence of ndarray of float64, (2^n_block, 2^n_hidden)
        Rules q(h|v); see `rsmi.information.channel.channel_table`. Each may have its own n_hidden.
    geometry : Geometry
        Must be tractable; see `is_tractable`.
    coupling : float
        K.
    environments : ndarray of int8, (n, n_environment)
        Spins +-1 of windows at equilibrium.
    groups : ndarray of int, (n,), optional
        Group of each window: its configuration, or a run of successive ones. For the errors,
        averages over groups count as independent. By default every window is a group.

    Returns
    -------
    list of ExactInformation
        One per rule.

    Raises
    ------
    UsageError
        If the geometry is not tractable.
    """
    if not is_tractable(geometry):
        raise UsageError(f"the exact information of {geometry} is out of reach")
    rings = markov_ring(environments, geometry)
    both = np.concatenate([half for q in channels for half in (q, q[::-1])], axis=1)
    hidden, block_entropy, marginal = conditional_averages(
        rings, geometry.block, geometry.buffer, coupling, both
    )
    groups = np.arange(len(environments)) if groups is None else groups
    block = grouped_mean(_surprise(rings, geometry, coupling, marginal) - block_entropy, groups)
    ends = np.cumsum([2 * q.shape[1] for q in channels])
    return [
        _information(part.reshape(len(part), 2, -1), groups, block)
        for part in np.split(hidden, ends[:-1], axis=1)
    ]


def _information(
    hidden: NDArray[np.float64], groups: NDArray[np.integer], block: tuple[float, float]
) -> ExactInformation:
    """Return the information of one rule from P(h|E) of every environment and of its flip, (n, 2,
    2^n_hidden), and the mean and error of I(V:E)."""
    mean = hidden.mean(axis=(0, 1))
    divergence = (cross_log(hidden, hidden) - cross_log(hidden, mean)).sum(axis=2).mean(axis=1)
    return ExactInformation(*grouped_mean(divergence, groups), *block, float(entropy(mean)))


def _surprise(
    rings: NDArray[np.int8], geometry: Geometry, coupling: float, marginal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return -sum_v P(v|E) log P(v) for every environment, (n,); P(v) is made symmetric under the
    global flip."""
    symmetric = 0.5 * (marginal + marginal[::-1])
    surprise = -np.log(np.where(symmetric > 0, symmetric, 1.0))[:, None]
    if len(geometry.block) == 1:
        table, state = _chain_table(rings, geometry.block[0], geometry.buffer, coupling)
        return (table @ surprise)[state, 0]
    rows, columns = geometry.block
    averages = transfer.block_averages(
        rings, rows, columns, geometry.buffer, coupling, surprise, False
    )
    return averages[:, 0]
