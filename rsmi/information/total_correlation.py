"""Total correlation of the sites of a block, and how much of it a coarse-graining rule explains.

``TC(V) = sum_i H(v_i) - H(V)`` (Watanabe, IBM J. Res. Dev. 4, 66 (1960)). A rule q(h|v) explains
``TC(V;H) = sum_i I(v_i:H) - I(V:H)``, which is TC(V) - TC(V|H) and at most TC(V) (Ver Steeg &
Galstyan, NIPS 27, 577 (2014)). No environment enters. All values are in nats.

The explained total correlation is the mean over blocks of a pointwise value, sum_i
log[p(v_i|h)/p(v_i)] - log[q(h|v)/p(h)] averaged over q(h|v). With the marginals of the same blocks
the mean is the plug-in value, which is exact for an enumerated distribution. With the marginals of
other blocks it is a held-out value. For marginals of n blocks this is low by about (n_block -
1)(2^n_hidden - 1)/2n, where a plug-in value may be high by as much, and its error is that of a
mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.information.channel import state_probabilities, unit_probabilities
from rsmi.information.entropy import entropy

SMOOTHING = 1e-3  # added to each count, as Ver Steeg & Galstyan do
_CHUNK = 1 << 20  # float64 numbers of a temporary array


def total_correlation(
    blocks: NDArray[np.int8], weights: NDArray[np.float64] | None = None
) -> float:
    """Return TC(V) = sum_i H(v_i) - H(V) of weighted blocks in nats.

    Parameters
    ----------
    blocks : ndarray of int8, (n, n_block)
        Spins +-1: samples, or all states of a distribution. At most 62 sites.
    weights : ndarray of float64, (n,), optional
        Weights or probabilities of the blocks; equal by default.

    Raises
    ------
    ValueError
        If the block has more than 62 sites.

    Notes
    -----
    The value is exact for a distribution. From n samples H(V) is low, and so TC(V) is high, by
    about (2^n_block - 1 - n_block) / 2n. The function is therefore meant for small blocks.
    """
    up, weights = np.asarray(blocks) > 0, _normalized(weights, len(blocks))
    _, index = np.unique(_state_numbers(up), return_inverse=True)
    sites = np.einsum("s,si->i", weights, up)
    states = np.bincount(index.ravel(), weights)
    return float(sum(entropy([p, 1 - p]) for p in sites) - entropy(states[states > 0]))


def _state_numbers(up: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the states of small blocks, (n, n_block), in lexicographic order, (n,)."""
    if up.shape[1] > 62:
        raise ValueError(f"the states of {up.shape[1]} sites cannot be numbered")
    return up @ (1 << np.arange(up.shape[1])[::-1])


class Marginals(NamedTuple):
    """Marginals of P(v) q(h|v).

    Attributes
    ----------
    hidden : ndarray of float64, (n_hidden_states,)
        P(h).
    up : ndarray of float64, (n_hidden_states, n_block)
        P(v_i = +1|h).
    block : ndarray of float64, (n_block,)
        P(v_i = +1).
    """

    hidden: NDArray[np.float64]
    up: NDArray[np.float64]
    block: NDArray[np.float64]


def rule_marginals(
    q: NDArray[np.float64],
    blocks: NDArray[np.int8],
    weights: NDArray[np.float64] | None = None,
    smoothing: float = 0.0,
) -> Marginals:
    """Return the marginals of P(v) q(h|v).

    Parameters
    ----------
    q : ndarray of float64, (n, n_hidden_states)
        q(h|v) of the blocks; see `rsmi.information.channel.state_probabilities`.
    blocks : ndarray of int8, (n, n_block)
        Spins +-1.
    weights : ndarray of float64, (n,), optional
        Weights of the blocks; equal by default.
    smoothing : float
        Number that is added to the count, out of n, of each state h and is divided between the
        values of each site. States that do not occur in these blocks then remain possible in other
        blocks.
    """
    n, is_up = len(q), np.asarray(blocks) > 0
    shares = _normalized(weights, n)
    block = (n * np.einsum("s,si->i", shares, is_up) + smoothing) / (n + 2 * smoothing)
    hidden = n * np.einsum("s,sh->h", shares, q) + smoothing
    up = np.zeros((q.shape[1], is_up.shape[1]))
    for part in _parts(n, is_up.shape[1]):
        up += np.einsum("sh,si->hi", shares[part, None] * q[part], is_up[part].astype(float))
    up *= n
    return Marginals(
        hidden / hidden.sum(),
        np.divide(
            up + smoothing * block,
            hidden[:, None],
            out=np.zeros_like(up),
            where=hidden[:, None] > 0,
        ),
        block,
    )


def pointwise_explained(
    marginals: Marginals,
    q: NDArray[np.float64],
    blocks: NDArray[np.int8],
    alpha: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the explained total correlation of each block.

    Parameters
    ----------
    marginals : Marginals
        Of the same or of other blocks.
    q, blocks
        As for `rule_marginals`.
    alpha : ndarray of float64, (n_block,), optional
        Weights of the sites in [0, 1]; all 1 by default.

    Returns
    -------
    ndarray of float64, (n,)
        In nats; the mean over the blocks is sum_i alpha_i I(v_i:H) - I(V:H).
    """
    alpha = np.ones(len(marginals.block)) if alpha is None else np.asarray(alpha, float)
    up, down = (
        alpha * (_log(given) - _log(alone))
        for given, alone in (
            (marginals.up, marginals.block),
            (1 - marginals.up, 1 - marginals.block),
        )
    )
    constant = down.sum(axis=1) + _log(marginals.hidden)
    values, is_up = np.empty(len(q)), np.asarray(blocks) > 0
    for part in _parts(len(q), q.shape[1]):
        numerator = constant + np.einsum("si,hi->sh", is_up[part].astype(float), up - down)
        values[part] = (q[part] * (numerator - _log(q[part]))).sum(axis=1)
    return values


class HeldOut(NamedTuple):
    """Pointwise explained total correlation of held-out blocks, in nats.

    Attributes
    ----------
    joint : ndarray of float64, (n,)
        Values of all units as one variable H.
    units : ndarray of float64, (n, n_hidden)
        Values of each unit with the sites about which it has the most information. The sum of
        their means is a lower bound of TC(V;H).
    """

    joint: NDArray[np.float64]
    units: NDArray[np.float64]


def held_out_explained(
    filters: NDArray[np.float64],
    bias: NDArray[np.float64],
    training: NDArray[np.int8],
    held_out: NDArray[np.int8],
) -> HeldOut:
    """Return what a soft rule explains of blocks to which its marginals were not fitted.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, n_block)
    bias : ndarray of float64, (n_hidden,)
    training, held_out : ndarray of int8, (n, n_block)
        Spins +-1: blocks for the marginals, and blocks for the values.

    Returns
    -------
    HeldOut
        One row for each held-out block.
    """
    (fit, value), (fit_units, value_units) = (
        [rule(filters, bias, blocks) for blocks in (training, held_out)]
        for rule in (state_probabilities, unit_probabilities)
    )
    joint = pointwise_explained(rule_marginals(fit, training, smoothing=SMOOTHING), value, held_out)
    singles = [rule_marginals(_two_states(p), training, smoothing=SMOOTHING) for p in fit_units.T]
    alpha = _most_informed([site_informations(single) for single in singles])
    units = [
        pointwise_explained(single, _two_states(p), held_out, share)
        for single, p, share in zip(singles, value_units.T, alpha)
    ]
    return HeldOut(joint, np.stack(units, axis=1))


def site_informations(marginals: Marginals) -> NDArray[np.float64]:
    """Return I(v_i:H) of every site in nats, (n_block,)."""
    p = marginals.hidden[:, None]
    up, down = (
        p * given * (_log(given) - _log(alone))
        for given, alone in (
            (marginals.up, marginals.block),
            (1 - marginals.up, 1 - marginals.block),
        )
    )
    return (up + down).sum(axis=0)


def _most_informed(informations: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return 1 for the unit with the most information about each site, and 0 for the others,
    (n_hidden, n_block)."""
    table = np.array(informations)
    return (np.arange(len(table))[:, None] == table.argmax(axis=0)).astype(float)


def _two_states(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([1 - p, p], axis=1)


def _normalized(weights: NDArray[np.float64] | None, n: int) -> NDArray[np.float64]:
    if weights is None:
        return np.full(n, 1 / n)
    weights = np.asarray(weights, float)
    return weights / weights.sum()


def _log(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log p, and 0 where p is 0; such terms have the weight 0."""
    return np.log(np.where(p > 0, p, 1.0))


def _parts(n: int, columns: int) -> list[slice]:
    """Return slices of n rows with temporary arrays that stay in the cache."""
    step = max(1, _CHUNK // columns)
    return [slice(start, start + step) for start in range(0, n, step)]
