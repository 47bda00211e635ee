"""The renormalized Hamiltonian of the Ising chain, for any coarse-graining rule with one unit for
each block.

A ring of n blocks of L spins, with K = J/(k_B T), is coarse-grained by P(h|x), h = +-1, block by
block (Lenggenhager, Gokmen, Ringel, Huber & Koch-Janusz, Phys. Rev. X 10, 011037 (2020)):

    exp K'[h] = sum_x prod_j P(h_j|x_j) exp(K_0[x] + K_1[x]),

where K_0 are the bonds within blocks and K_1 those between them. Under the distribution P_0(x|h) ~
P(h|x) exp K_0(x) the blocks are independent, and the cumulants C_k[h] of K_1 under it give

    K'[h] = ln Z_0 + sum_j ln P_0(h_j) + sum_{k >= 1} C_k[h] / k!.

K'[h] is a polynomial in the coarse spins (its Walsh expansion) with couplings K'_2(l) of h_j
h_{j+l} and K'_4(1,1,1) of four successive spins. Two ratios measure how far it reaches and how many
spins it couples, the

    rangeness K'_2(2) / K'_2(1)    and the    m-bodyness K'_4(1,1,1) / K'_2(1).

Both are zero for a Hamiltonian of nearest neighbours.

Cumulants of any order cost no sum over configurations. With t in front of K_1 the sum of the series
is ln <exp t K_1>_0, and each bond is exp(t K s s') = cosh(tK) (1 + u s s') with u = tanh(tK). So
<exp t K_1>_0 / cosh(tK)^n is a polynomial of degree n in u, the trace of a product of 2x2 matrices
with the moments of the two end spins of a block under P_0(x|h) (an index tells whether the term u s
s' of a bond is chosen). The logarithm of this polynomial as a power series in u, and u as a power
series in t, give C_k/k! as the coefficient of t^k, exactly.

A coarse configuration is a number whose bit j is 1 where h_j = +1. A set of coarse spins is a
number whose bit j is 1 where the set contains h_j. A rule is the table P(h=+1|x) over the block
states of `rsmi.information.channel.spin_states`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.channel import spin_states, unit_probabilities

LARGEST_COUPLING = 150.0  # exp(-4K), two broken bonds, must not underflow
_ENTRIES = 1 << 16  # coarse configurations times rules in one array


def block_rules(filters: ArrayLike, hard: bool = False) -> NDArray[np.float64]:
    """Return P(h=+1|x) of filters without a bias: sigma(sum_i filters[r, i] x_i), or its sign with
    fair ties.

    Parameters
    ----------
    filters : array_like of float, (n_rules, L)
        One rule for each row.
    hard : bool

    Returns
    -------
    ndarray of float64, (n_rules, 2^L)
    """
    filters = np.atleast_2d(np.asarray(filters, float))
    return unit_probabilities(
        filters, np.zeros(len(filters)), spin_states(filters.shape[1]), hard
    ).T


def cumulant_series(
    rules: ArrayLike, coupling: float, blocks: int, order: int
) -> NDArray[np.float64]:
    """Return the terms of the cumulant expansion of K'[h].

    Parameters
    ----------
    rules : array_like of float, (n_rules, 2^L)
        P(h=+1|x). Both values of h must occur.
    coupling : float
        K, of either sign, |K| <= 150.
    blocks : int
        Number n >= 2 of blocks on the ring.
    order : int
        The highest cumulant, >= 0.

    Returns
    -------
    ndarray of float64, (order + 1, n_rules, 2^n)
        ln Z_0 + sum_j ln P_0(h_j), then C_k[h] / k!. The sum over the first axis approximates
        `exact_hamiltonian`.

    Raises
    ------
    ValueError
        If a rule never gives one of the values of h, or the sizes are impossible.
    """
    weights = _end_weights(rules, coupling, blocks)
    norm = weights.sum(axis=(2, 3))
    polynomial = _ring_polynomial(_end_moments(weights / norm[:, :, None, None]), blocks, order)
    slope, log_cosh = _bond_series(coupling, order)
    terms = np.einsum("mk,mrh->krh", slope, _log_series(polynomial, order))
    terms += blocks * log_cosh[:, None, None]
    terms[0] += _sum_over_blocks(np.log(norm), blocks) + blocks * _largest_bonds(rules) * abs(
        coupling
    )
    return terms


def exact_hamiltonian(rules: ArrayLike, coupling: float, blocks: int) -> NDArray[np.float64]:
    """Return K'[h] of every coarse configuration by transfer matrices, (n_rules, 2^n).

    Parameters and errors are those of `cumulant_series`.
    """
    weights = _end_weights(rules, coupling, blocks)
    bond = np.exp(coupling * np.outer([-1, 1], [-1, 1]) - abs(coupling))
    step = np.einsum("rhab,bc->rhac", weights, bond)
    product, scale = step, np.zeros(step.shape[:2])
    for _ in range(blocks - 1):
        product = np.einsum("rhab,rjbc->rjhac", product, step).reshape(len(step), -1, 2, 2)
        largest = product.max(axis=(2, 3))  # set aside, or a cold chain underflows
        product /= largest[:, :, None, None]
        scale = np.tile(scale, 2) + np.log(largest)
    return (
        np.log(np.trace(product, axis1=2, axis2=3))
        + scale
        + blocks * (_largest_bonds(rules) + 1) * abs(coupling)
    )


def walsh_coefficients(values: ArrayLike) -> NDArray[np.float64]:
    """Return the coefficients of a function of n spins: values[..., h] = sum_A coefficients[..., A]
    prod_{j in A} h_j.

    Parameters
    ----------
    values : array_like of float, (..., 2^n)

    Returns
    -------
    ndarray of float64, (..., 2^n)
    """
    coefficients = np.array(values, dtype=float)
    leading, size = coefficients.shape[:-1], coefficients.shape[-1]
    stride = 1
    while stride < size:
        pairs = coefficients.reshape(*leading, -1, 2, stride)
        down, up = pairs[..., 0, :], pairs[..., 1, :]
        coefficients = np.stack([(up + down) / 2, (up - down) / 2], axis=-2).reshape(*leading, size)
        stride *= 2
    return coefficients


@dataclass(frozen=True)
class ChainCouplings:
    """Leading couplings of K'[h] on the ring, one number for each rule.

    Attributes
    ----------
    nearest : ndarray of float64, (n_rules,)
        K'_2(1), of h_j h_{j+1}.
    next_nearest : ndarray of float64, (n_rules,)
        K'_2(2), of h_j h_{j+2}.
    four_body : ndarray of float64, (n_rules,)
        K'_4(1,1,1), of h_j h_{j+1} h_{j+2} h_{j+3}.
    """

    nearest: NDArray[np.float64]
    next_nearest: NDArray[np.float64]
    four_body: NDArray[np.float64]

    @property
    def rangeness(self) -> NDArray[np.float64]:
        """K'_2(2) / K'_2(1), (n_rules,); nan for a rule that does not couple the blocks."""
        return self._ratio(self.next_nearest)

    @property
    def m_bodyness(self) -> NDArray[np.float64]:
        """K'_4(1,1,1) / K'_2(1), (n_rules,); nan for a rule that does not couple the blocks."""
        return self._ratio(self.four_body)

    def _ratio(self, coupling: NDArray[np.float64]) -> NDArray[np.float64]:
        coupled = np.abs(self.nearest) > 1e-14  # rounding of K'[h], a number of order 1
        return np.divide(
            coupling, self.nearest, out=np.full_like(self.nearest, np.nan), where=coupled
        )


def chain_couplings(
    rules: ArrayLike, coupling: float, blocks: int = 8, order: int | None = 10
) -> ChainCouplings:
    """Return K'_2(1), K'_2(2) and K'_4(1,1,1) of many rules.

    Parameters
    ----------
    rules : array_like of float, (n_rules, 2^L)
        P(h=+1|x); see `block_rules`.
    coupling : float
        K.
    blocks : int
        Blocks on the ring, at least 5, so that the sets are distinct. The published numbers are for
        8 blocks.
    order : int or None
        Order of the cumulant expansion; None stands for the exact K'[h].

    Raises
    ------
    ValueError
        As for `cumulant_series`, and with fewer than 5 blocks.
    """
    if blocks < 5:
        raise ValueError(
            f"the couplings of four successive blocks need a ring of at least 5, not {blocks}"
        )
    rules = np.atleast_2d(np.asarray(rules, float))
    few = max(1, _ENTRIES >> blocks)
    parts = [
        _leading(rules[first : first + few], coupling, blocks, order)
        for first in range(0, len(rules), few)
    ]
    return ChainCouplings(*np.concatenate(parts, axis=1))


def _leading(
    rules: NDArray[np.float64], coupling: float, blocks: int, order: int | None
) -> NDArray[np.float64]:
    if order is None:
        hamiltonian = exact_hamiltonian(rules, coupling, blocks)
    else:
        hamiltonian = cumulant_series(rules, coupling, blocks, order).sum(axis=0)
    return walsh_coefficients(hamiltonian)[:, [0b11, 0b101, 0b1111]].T


# The block


def _end_weights(rules: ArrayLike, coupling: float, blocks: int) -> NDArray[np.float64]:
    """Return the sum of P(h|x) exp(K_0(x) - |K| (L-1)) over the inner spins, (n_rules, h, first
    spin, last spin), with the index 0 for -1."""
    rules = np.atleast_2d(np.asarray(rules, float))
    length = _block_length(rules)
    if blocks < 2:
        raise ValueError(f"a ring needs at least 2 blocks, not {blocks}")
    if not abs(coupling) <= LARGEST_COUPLING:
        raise ValueError(f"the coupling must lie within +-{LARGEST_COUPLING:g}, not {coupling:g}")
    spins = spin_states(length)
    bonds = (spins[:, :-1] * spins[:, 1:]).sum(axis=1)
    boltzmann = np.exp(coupling * bonds - abs(coupling) * (length - 1))
    weights = np.zeros((len(rules), 2, 2, 2))
    for h, probability in enumerate((1 - rules, rules)):
        for first, last in np.ndindex(2, 2):
            inside = (spins[:, 0] == 2 * first - 1) & (spins[:, -1] == 2 * last - 1)
            weights[:, h, first, last] = (probability[:, inside] * boltzmann[inside]).sum(axis=1)
    if not (weights.sum(axis=(2, 3)) > 0).all():
        raise ValueError(
            "a rule never gives one of the values of h, so that K'[h] is minus infinity"
        )
    return weights


def _block_length(rules: NDArray[np.float64]) -> int:
    length = rules.shape[1].bit_length() - 1
    if length < 1 or rules.shape[1] != 1 << length:
        raise ValueError(
            "a rule needs a probability for each of the 2^L states of a block, not"
            f" {rules.shape[1]}"
        )
    if not ((rules >= 0) & (rules <= 1)).all():
        raise ValueError("a rule's probabilities lie between 0 and 1")
    return length


def _largest_bonds(rules: ArrayLike) -> int:
    return _block_length(np.atleast_2d(np.asarray(rules, float))) - 1


def _end_moments(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return <x_first^p x_last^q> given h, with p and q 0 or 1: (n_rules, h, p, q)."""
    powers = np.array([[1.0, 1.0], [-1.0, 1.0]])
    return np.einsum("pa,qb,rhab->rhpq", powers, powers, ends)


# The ring


def _ring_polynomial(moments: NDArray[np.float64], blocks: int, order: int) -> NDArray[np.float64]:
    """Return the coefficients of u^0, ..., u^order of <prod_j (1 + u s_j s'_{j+1})>_0, (order + 1,
    n_rules, 2^n)."""
    rules = len(moments)
    # axes: power of u, whether the bond before the first block is chosen, whether the bond after
    # the last block is chosen, rule, coarse configuration
    product = np.zeros((order + 1, 2, 2, rules, 1))
    product[0, 0, 0] = product[0, 1, 1] = 1.0
    for block in range(blocks):
        extended = np.zeros((order + 1, 2, 2, rules, 2, 1 << block))
        powers = min(block, order) + 1
        for chosen in range(2):
            last = powers if chosen == 0 else min(powers, order)
            for middle in range(2):
                moment = moments[:, :, middle, chosen, None]
                extended[chosen : last + chosen, :, chosen] += (
                    product[:last, :, middle, :, None, :] * moment
                )
        product = extended.reshape(order + 1, 2, 2, rules, 2 << block)
    return product[:, 0, 0] + product[:, 1, 1]


def _sum_over_blocks(logarithms: NDArray[np.float64], blocks: int) -> NDArray[np.float64]:
    """Return sum_j logarithms[:, h_j] of every coarse configuration, (n_rules, 2^n)."""
    total = logarithms
    for _ in range(blocks - 1):
        total = (logarithms[:, :, None] + total[:, None, :]).reshape(len(total), -1)
    return total


# Power series


def _log_series(series: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the logarithm of a power series with the constant term 1; the coefficients are on the
    first axis.

    From f' = f (ln f)' follows k l_k = k f_k - sum_{j=1}^{k-1} j l_j f_{k-j}.
    """
    logarithm = np.zeros_like(series)
    for k in range(1, order + 1):
        logarithm[k] = series[k]
        for j in range(1, k):
            logarithm[k] -= (j / k) * logarithm[j] * series[k - j]
    return logarithm


def _bond_series(coupling: float, order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients of t^k in tanh(tK)^m, (order + 1, order + 1), and in ln cosh(tK),
    (order + 1,)."""
    tanh = np.zeros(order + 2)
    tanh[1] = 1.0
    for k in range(1, order + 1):  # tanh' = 1 - tanh^2
        tanh[k + 1] = -np.dot(tanh[: k + 1], tanh[k::-1]) / (k + 1)
    degrees = np.arange(order + 1)
    powers = np.zeros((order + 1, order + 1))
    powers[0, 0] = 1.0
    for m in range(1, order + 1):
        powers[m] = np.convolve(powers[m - 1], tanh)[: order + 1]
    log_cosh = np.concatenate([[0.0], tanh[:order] / np.arange(1, order + 1)])
    return powers * float(coupling) ** degrees, log_cosh * float(coupling) ** degrees
