"""Total correlation: what the sites of a block know of one another, and how much of it a
coarse-graining rule accounts for.

``TC(V) = sum_i H(v_i) - H(V)`` (Watanabe 1960); a rule q(h|v) explains ``TC(V;H) = sum_i I(v_i:H) -
I(V:H)``, which is TC(V) - TC(V|H) and at most TC(V) (Ver Steeg & Galstyan, NIPS 27, 577 (2014)). No
environment enters. All in nats.

Both are means over blocks of a pointwise value, sum_i log[p(v_i|h)/p(v_i)] - log[q(h|v)/p(h)]
averaged over q(h|v). With the marginals of the same blocks the mean is the plug-in value, exact for
an enumerated distribution; with those of other blocks it is a held-out value, which is low, by
about (n_block - 1)(2^n_hidden - 1)/2n for marginals of n blocks, where a plug-in value may be high
by as much, and its error is that of a mean.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.information.channel import state_probabilities, unit_probabilities
from rsmi.information.entropy import entropy

SMOOTHING = 1e-3  # of a count, added to each: Ver Steeg & Galstyan's
_CHUNK = 1 << 20  # float64 numbers of a temporary array


def total_correlation(blocks: NDArray, weights: NDArray | None = None) -> float:
    """TC(V) = sum_i H(v_i) - H(V) of weighted blocks, in nats.

    Parameters
    ----------
    blocks : (n, n_block)
        Blocks of +-1, samples or all states of a distribution.
    weights : (n,), optional
        Their weights or probabilities; equal if None.

    Notes
    -----
    Exact for a distribution. From n samples H(V) is low, and so TC(V) high, by about (2^n_block - 1
    - n_block) / 2n, so this is for small blocks.
    """
    up, weights = np.asarray(blocks) > 0, _normalized(weights, len(blocks))
    _, index = np.unique(_state_numbers(up), return_inverse=True)
    sites = np.einsum("s,si->i", weights, up)
    states = np.bincount(index.ravel(), weights)
    return float(sum(entropy([p, 1 - p]) for p in sites) - entropy(states[states > 0]))


def _state_numbers(up: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the states of small blocks, (n, n_block) bool, in lexicographic order, int64 (n,)."""
    if up.shape[1] > 62:
        raise ValueError(f"the states of {up.shape[1]} sites cannot be numbered")
    return up @ (1 << np.arange(up.shape[1])[::-1])


class Marginals(NamedTuple):
    """Of blocks and a rule with states h: ``hidden`` (n_h,) P(h), ``up`` (n_h, n_block) P(v_i =
    +1|h), ``block`` (n_block,) P(v_i = +1)."""

    hidden: NDArray[np.float64]
    up: NDArray[np.float64]
    block: NDArray[np.float64]


def rule_marginals(
    q: NDArray, blocks: NDArray, weights: NDArray | None = None, smoothing: float = 0.0
) -> Marginals:
    """Marginals of P(v) q(h|v).

    Parameters
    ----------
    q : (n, n_h)
        q(h|v) of the blocks, as from `rsmi.information.channel.state_probabilities`.
    blocks : (n, n_block)
        Blocks of +-1.
    weights : (n,), optional
        Equal if None.
    smoothing : float
        Added to the number of times, out of n, that each state h is seen, divided between the
        values of each site: what has not been seen in these blocks is then not impossible in
        others.
    """
    n, is_up = len(q), np.asarray(blocks) > 0
    shares = _normalized(weights, n)
    block = (n * np.einsum("s,si->i", shares, is_up) + smoothing) / (n + 2 * smoothing)
    hidden = n * np.einsum("s,sh->h", shares, q) + smoothing
    up = n * sum(
        np.einsum("sh,si->hi", shares[part, None] * q[part], is_up[part].astype(float))
        for part in _parts(n, is_up.shape[1])
    )
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
    marginals: Marginals, q: NDArray, blocks: NDArray, alpha: NDArray | None = None
) -> NDArray[np.float64]:
    """The explained total correlation of each block, (n,) nats; its mean over blocks is sum_i
    alpha_i I(v_i:H) - I(V:H).

    Parameters
    ----------
    marginals : Marginals
        Of the same or of other blocks.
    q, blocks
        As for `rule_marginals`.
    alpha : (n_block,), optional
        Weights of the sites in [0, 1]; all 1 if None.
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
    """Pointwise explained total correlation of held-out blocks: ``together`` (n,) of all units as
    one variable H, ``units`` (n, n_hidden) of each unit with the sites that it knows most of. The
    means of ``units`` have a sum that is a lower bound of TC(V;H).
    """

    together: NDArray[np.float64]
    units: NDArray[np.float64]


def held_out_explained(
    filters: NDArray, bias: NDArray, training: NDArray, held_out: NDArray
) -> HeldOut:
    """What a soft rule explains of blocks that its marginals were not fitted to.

    Parameters
    ----------
    filters, bias
        The rule, (n_hidden, n_block) and (n_hidden,).
    training, held_out : (n, n_block)
        Blocks of +-1 for the marginals and for the values.

    Returns
    -------
    HeldOut
        Values in nats, one row a held-out block.
    """
    (fit, value), (fit_units, value_units) = (
        [rule(filters, bias, blocks) for blocks in (training, held_out)]
        for rule in (state_probabilities, unit_probabilities)
    )
    together = pointwise_explained(
        rule_marginals(fit, training, smoothing=SMOOTHING), value, held_out
    )
    singles = [rule_marginals(_two_states(p), training, smoothing=SMOOTHING) for p in fit_units.T]
    alpha = _most_informed([site_informations(single) for single in singles])
    units = [
        pointwise_explained(single, _two_states(p), held_out, share)
        for single, p, share in zip(singles, value_units.T, alpha)
    ]
    return HeldOut(together, np.stack(units, axis=1))


def site_informations(marginals: Marginals) -> NDArray[np.float64]:
    """I(v_i:H) of every site, (n_block,) nats."""
    p = marginals.hidden[:, None]
    terms = [
        p * given * (_log(given) - _log(alone))
        for given, alone in (
            (marginals.up, marginals.block),
            (1 - marginals.up, 1 - marginals.block),
        )
    ]
    return sum(terms).sum(axis=0)


def _most_informed(informations: list[NDArray]) -> NDArray[np.float64]:
    """1 at the unit that knows most of each site, 0 at the others."""
    table = np.array(informations)
    return (np.arange(len(table))[:, None] == table.argmax(axis=0)).astype(float)


def _two_states(p: NDArray) -> NDArray[np.float64]:
    return np.stack([1 - p, p], axis=1)


def _normalized(weights: NDArray | None, n: int) -> NDArray[np.float64]:
    if weights is None:
        return np.full(n, 1 / n)
    weights = np.asarray(weights, float)
    return weights / weights.sum()


def _log(p: NDArray) -> NDArray[np.float64]:
    """log p, and 0 where p is 0: such terms have weight 0."""
    return np.log(np.where(p > 0, p, 1.0))


def _parts(n: int, columns: int):
    """Slices of n rows with temporary arrays that stay in the cache."""
    step = max(1, _CHUNK // columns)
    return [slice(start, start + step) for start in range(0, n, step)]
