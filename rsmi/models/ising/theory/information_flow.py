"""The exact amount of information that a step of the renormalization group removes.

A configuration of entropy H(all) is split into slow spins, which survive a step, and fast ones,
which are summed over (S. M. Apenko, Physica A 391, 62 (2012), arXiv:0910.2097):

    H(all) = H(slow) + H(fast|slow),    I(fast:slow) = H(fast) + H(slow) - H(all) >= 0.

The step removes H(fast|slow); I(fast:slow) is the information that the surviving spins have about
the removed ones. When every second spin of a chain is summed over, both halves are chains with the
coupling K' of the next step, and per spin of the fine chain, with the entropy per spin s(K),

    H(fast|slow)/N = s(K) - s(K')/2,    I(fast:slow)/N = s(K') - s(K),

so that the entropy per spin can only grow along the flow. A rule that draws its coarse spins H from
the block spins V adds the entropy of its coins: H(V) + H(H|V) = H(H) + H(V|H).

K = J/(k_B T) without a field. Entropies are in nats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from rsmi.information.channel import spin_states, unit_probabilities
from rsmi.information.entropy import entropy
from rsmi.models.ising.facts import chain_entropy
from rsmi.renormalization.rules import Rule, level_shapes

LARGEST_LATTICE = 20  # sites whose 2^sites configurations are enumerated
LARGEST_COARSE = 12  # coarse spins
_ENTRIES = 1 << 22  # probabilities in one array


# The infinite chain


@dataclass(frozen=True)
class DecimationStep:
    """One decimation of the infinite chain; entropies are in nats per spin of the fine chain.

    Attributes
    ----------
    coupling, coarse_coupling : float
        K before and K' after the step.
    entropy : float
        s(K).
    removed : float
        H(fast|slow) / N.
    shared : float
        I(fast:slow) / N.
    """

    coupling: float
    coarse_coupling: float
    entropy: float
    removed: float
    shared: float


def decimated_coupling(coupling: float, block: int = 2) -> float:
    """Return K' of the chain of every `block`-th spin, tanh K' = (tanh K)^block; this is (1/2) ln
    cosh 2K for block 2.

    Decimation multiplies the dual coupling K* = -(1/2) ln tanh K by `block`. In this form no digits
    are lost where tanh K rounds to 1.
    """
    if coupling == 0:
        return 0.0
    size = _dual(block * _dual(abs(coupling)))
    return float(size if coupling > 0 else size * (-1) ** block)


def _dual(coupling: float) -> float:
    """Return -(1/2) ln tanh K = artanh exp(-2K), in the form that keeps its digits."""
    if coupling > 0.5:
        return float(np.arctanh(np.exp(-2 * coupling)))
    return float(-0.5 * np.log(np.tanh(coupling)))


def decimation_step(coupling: float, block: int = 2) -> DecimationStep:
    """Keep every `block`-th spin of the infinite chain.

    The fast spins between them are open chains; tanh(K)^2 joins successive chains.
    """
    coarse, joint = decimated_coupling(coupling, block), decimated_coupling(coupling, 2)
    # I/N = [(b-2) s(K) + s(joint) + s(K')]/b - s(K). For a weakly coupled chain the entropies are
    # replaced by their differences from ln 2; otherwise the result would round to 0.
    if abs(coupling) > 0.5:
        shared = (
            chain_entropy(joint) + chain_entropy(coarse) - 2 * chain_entropy(coupling)
        ) / block
    else:
        shared = (
            2 * _missing_entropy(coupling) - _missing_entropy(joint) - _missing_entropy(coarse)
        ) / block
    fine = chain_entropy(coupling)
    return DecimationStep(coupling, coarse, fine, fine - chain_entropy(coarse) / block, shared)


def _missing_entropy(coupling: float) -> float:
    """Return ln 2 - s(K) = K tanh K - ln cosh K."""
    return float(coupling * np.tanh(coupling) - 0.5 * np.log1p(np.sinh(coupling) ** 2))


def decimation_flow(coupling: float, steps: int, block: int = 2) -> list[DecimationStep]:
    """Decimate the infinite chain repeatedly.

    Parameters
    ----------
    coupling : float
        K of the first chain.
    steps : int
        Number n of steps. The entropy of the first chain is the sum of what the steps remove and of
        what is left, s(K_0) = sum_{m < n} removed_m / block^m + s(K_n) / block^n.
    block : int
        One spin in `block` survives a step, >= 2.

    Returns
    -------
    list of DecimationStep
        One for each step.

    Raises
    ------
    ValueError
        If block is less than 2.
    """
    if block < 2:
        raise ValueError(f"a decimation keeps one spin in at least 2, not {block}")
    flow: list[DecimationStep] = []
    for _ in range(steps):
        flow.append(decimation_step(flow[-1].coarse_coupling if flow else coupling, block))
    return flow


# Small lattices, by enumeration


@dataclass(frozen=True)
class Split:
    """Entropies of slow and fast spins of the whole lattice, in nats.

    Attributes
    ----------
    total, slow, fast : float
        H(all), H(slow) and H(fast).
    """

    total: float
    slow: float
    fast: float

    @property
    def removed(self) -> float:
        """H(fast|slow)."""
        return self.total - self.slow

    @property
    def shared(self) -> float:
        """I(fast:slow)."""
        return self.fast + self.slow - self.total


@dataclass(frozen=True)
class Blocking:
    """Entropies of the spins V of a whole lattice and of the coarse spins H drawn from them, in
    nats.

    Attributes
    ----------
    fine, coarse : float
        H(V) and H(H).
    coins : float
        H(H|V), the randomness of the rule; 0 where it decides every block.
    """

    fine: float
    coarse: float
    coins: float

    @property
    def removed(self) -> float:
        """H(V|H)."""
        return self.fine + self.coins - self.coarse

    @property
    def shared(self) -> float:
        """I(V:H) = H(V) - H(V|H), the information of the coarse spins about the fine ones."""
        return self.coarse - self.coins


def configuration_probabilities(shape: Sequence[int], coupling: float) -> NDArray[np.float64]:
    """Return the Boltzmann distribution of every configuration of a small periodic lattice, on
    which the forward bonds of each site count.

    Parameters
    ----------
    shape : sequence of int
        Sizes along 1 to 3 axes, at most 20 sites.
    coupling : float
        K.

    Returns
    -------
    ndarray of float64, (2^sites,)
        Bit i of the index is 1 where site i (row-major) is +1.

    Raises
    ------
    ValueError
        If there are more sites.
    """
    sites = prod(shape)
    if sites > LARGEST_LATTICE:
        raise ValueError(
            f"{sites} sites have too many configurations to enumerate: at most {LARGEST_LATTICE}"
            " sites"
        )
    number = np.arange(sites).reshape(shape)
    states = np.arange(1 << sites)
    aligned = np.zeros(1 << sites)
    for axis in range(len(shape)):
        for site, neighbour in zip(number.ravel(), np.roll(number, -1, axis).ravel()):
            aligned += 1 - 2 * ((states >> site ^ states >> neighbour) & 1)
    weights = np.exp(coupling * aligned - np.max(coupling * aligned))
    return weights / weights.sum()


def split_entropies(probabilities: NDArray[np.float64], slow: Sequence[int]) -> Split:
    """Return the entropies of the slow spins and of all others.

    Parameters
    ----------
    probabilities : ndarray of float64, (2^sites,)
        As from `configuration_probabilities`.
    slow : sequence of int
        Numbers of the sites that survive.

    Raises
    ------
    ValueError
        If a site is named twice or does not exist.
    """
    sites = len(probabilities).bit_length() - 1
    if len(set(slow)) != len(slow) or not all(0 <= site < sites for site in slow):
        raise ValueError(f"the slow sites must be distinct numbers from 0 to {sites - 1}")
    fast = [site for site in range(sites) if site not in slow]
    return Split(
        float(entropy(probabilities)),
        _marginal_entropy(probabilities, slow),
        _marginal_entropy(probabilities, fast),
    )


def _marginal_entropy(probabilities: NDArray[np.float64], kept: Sequence[int]) -> float:
    states = np.arange(len(probabilities))
    index = np.zeros_like(states)
    for bit, site in enumerate(kept):
        index |= (states >> site & 1) << bit
    return float(entropy(np.bincount(index, probabilities)))


def blocking_entropies(
    probabilities: NDArray[np.float64], shape: Sequence[int], rule: Rule
) -> Blocking:
    """Return the entropies of a small lattice and of the coarse spins that a rule draws from it.

    Parameters
    ----------
    probabilities : ndarray of float64, (2^sites,)
        As from `configuration_probabilities`.
    shape : sequence of int
        Sizes of the lattice; blocks of the rule tile it.
    rule : Rule
        Soft or hard, with one or several units.

    Raises
    ------
    ValueError
        If blocks do not tile the lattice, or there are more than 12 coarse spins.
    """
    level_shapes(shape, rule.block, 1)
    inside = _sites_of_blocks(shape, rule.block)
    coarse_spins = len(inside) * rule.n_hidden
    if coarse_spins > LARGEST_COARSE:
        raise ValueError(
            f"{coarse_spins} coarse spins are too many to enumerate: at most {LARGEST_COARSE}"
        )
    block_states = rule.features(spin_states(inside.shape[1]))
    up = unit_probabilities(rule.filters, rule.bias, block_states, rule.hard)
    coins = entropy(np.stack([up, 1 - up]), axis=0).sum(axis=1)
    coarse, noise = np.zeros(1 << coarse_spins), 0.0
    count = _ENTRIES >> coarse_spins
    for first in range(0, len(probabilities), count):
        weight = probabilities[first : first + count]
        states = np.arange(first, first + len(weight))
        conditional = np.ones((len(weight), 1))
        for sites in inside:
            block = (states[:, None] >> sites & 1) @ (1 << np.arange(len(sites)))
            noise += float((weight * coins[block]).sum())
            for p in up[block].T[:, :, None]:
                conditional = np.concatenate([conditional * (1 - p), conditional * p], axis=1)
        coarse += (weight[:, None] * conditional).sum(axis=0)
    return Blocking(float(entropy(probabilities)), float(entropy(coarse)), noise)


def _sites_of_blocks(shape: Sequence[int], block: Sequence[int]) -> NDArray[np.int64]:
    """Return the site numbers of every block, (blocks, sites of a block), both row-major."""
    d = len(shape)
    split = [extent for pair in zip(np.floor_divide(shape, block), block) for extent in pair]
    number = np.arange(prod(shape)).reshape(split)
    return number.transpose(*range(0, 2 * d, 2), *range(1, 2 * d, 2)).reshape(-1, prod(block))
