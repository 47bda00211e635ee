"""How much information a step of the renormalization group removes, exactly.

A configuration of entropy H(all) is split into slow spins, which survive a step, and fast ones,
which are summed over (S. M. Apenko, Physica A 391, 62 (2012), arXiv:0910.2097):

    H(all) = H(slow) + H(fast|slow),    I(fast:slow) = H(fast) + H(slow) - H(all) >= 0.

H(fast|slow) is what the step removes; I(fast:slow) is what the surviving spins know of the removed
ones. When every second spin of a chain is summed over, both halves are chains with the coupling K'
of the next step, and per spin of the fine chain, with the entropy per spin s(K),

    H(fast|slow)/N = s(K) - s(K')/2,    I(fast:slow)/N = s(K') - s(K),

so that the entropy per spin can only grow along the flow. A rule that draws its coarse spins H from
the block spins V adds a coin's entropy: H(V) + H(H|V) = H(H) + H(V|H).

K = J/(k_B T) without a field; entropies in nats.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from rsmi.information.channel import spin_states, unit_probabilities
from rsmi.information.entropy import entropy
from rsmi.models.ising.facts import chain_entropy
from rsmi.renormalization.rules import Rule, level_shapes

LARGEST_LATTICE = 20  # sites whose 2^sites configurations are enumerated
LARGEST_COARSE = 12  # coarse spins
_TOGETHER = 1 << 22  # probabilities in one array


# The infinite chain


@dataclass(frozen=True)
class DecimationStep:
    """One decimation of the infinite chain; entropies in nats per spin of the fine chain.

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


def decimated_coupling(coupling, block=2):
    """K' of the chain of every `block`-th spin, tanh K' = (tanh K)^block; (1/2) ln cosh 2K for
    block 2.

    Decimation multiplies the dual coupling K* = -(1/2) ln tanh K by `block`: no digits are lost
    where tanh K rounds to 1.
    """
    if coupling == 0:
        return 0.0
    size = _dual(block * _dual(abs(coupling)))
    return float(size if coupling > 0 else size * (-1) ** block)


def _dual(coupling):
    """-(1/2) ln tanh K = artanh exp(-2K), by the form that keeps its digits."""
    return np.arctanh(np.exp(-2 * coupling)) if coupling > 0.5 else -0.5 * np.log(np.tanh(coupling))


def decimation_step(coupling, block=2):
    """Keep every `block`-th spin of the infinite chain. The fast spins between are open chains
    joined by tanh(K)^2."""
    coarse, joint = decimated_coupling(coupling, block), decimated_coupling(coupling, 2)
    # I/N = [(b-2) s(K) + s(joint) + s(K')]/b - s(K); a weakly coupled chain by what its entropies
    # lack of ln 2, or it rounds to 0
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


def _missing_entropy(coupling):
    """ln 2 - s(K) = K tanh K - ln cosh K."""
    return float(coupling * np.tanh(coupling) - 0.5 * np.log1p(np.sinh(coupling) ** 2))


def decimation_flow(coupling, steps, block=2):
    """Repeated decimation of the infinite chain.

    Parameters
    ----------
    coupling : float
        K of the first chain.
    steps : int
        Number of steps n; the entropy of the first chain is the sum of what they remove and of what
        is left, s(K_0) = sum_{m < n} removed_m / block^m + s(K_n) / block^n.
    block : int
        One spin in `block` survives a step, >= 2.

    Returns
    -------
    list of DecimationStep
        n of them.

    Raises
    ------
    ValueError
        If block is less than 2.
    """
    if block < 2:
        raise ValueError(f"a decimation keeps one spin in at least 2, not {block}")
    flow = []
    for _ in range(steps):
        flow.append(decimation_step(flow[-1].coarse_coupling if flow else coupling, block))
    return flow


# Small lattices, by enumeration


@dataclass(frozen=True)
class Split:
    """Entropies of slow and fast spins; nats, of the whole lattice.

    Attributes
    ----------
    total, slow, fast : float
        H(all), H(slow), H(fast).
    """

    total: float
    slow: float
    fast: float

    @property
    def removed(self):
        """H(fast|slow)."""
        return self.total - self.slow

    @property
    def shared(self):
        """I(fast:slow)."""
        return self.fast + self.slow - self.total


@dataclass(frozen=True)
class Blocking:
    """Entropies of block spins V and of the coarse spins H drawn from them; nats, of the whole
    lattice.

    Attributes
    ----------
    fine, coarse : float
        H(V), H(H).
    coins : float
        H(H|V): the randomness of the rule, 0 where it decides every block.
    """

    fine: float
    coarse: float
    coins: float

    @property
    def removed(self):
        """H(V|H)."""
        return self.fine + self.coins - self.coarse

    @property
    def shared(self):
        """I(V:H) = H(V) - H(V|H), what the coarse spins say of the fine ones."""
        return self.coarse - self.coins


def configuration_probabilities(shape, coupling):
    """Boltzmann distribution of every configuration of a small periodic lattice, each site's
    forward bonds counted.

    Parameters
    ----------
    shape : tuple of int
        Sizes along 1 to 3 axes, at most 20 sites.
    coupling : float
        K.

    Returns
    -------
    (2^sites,) float64
        Bit i of the index is 1 where site i (row-major) is +1.

    Raises
    ------
    ValueError
        With more sites.
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


def split_entropies(probabilities, slow) -> Split:
    """Entropies of the slow spins and of all others.

    Parameters
    ----------
    probabilities : (2^sites,) float64
        As `configuration_probabilities`.
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


def _marginal_entropy(probabilities, kept):
    states, index = np.arange(len(probabilities)), 0
    for bit, site in enumerate(kept):
        index = index | (states >> site & 1) << bit
    return float(entropy(np.bincount(np.broadcast_to(index, states.shape), probabilities)))


def blocking_entropies(probabilities, shape, rule: Rule) -> Blocking:
    """Entropies of a small lattice and of the coarse spins a rule makes of it.

    Parameters
    ----------
    probabilities : (2^sites,) float64
        As `configuration_probabilities`.
    shape : tuple of int
        The lattice; blocks of the rule tile it.
    rule : Rule
        Any: soft or hard, one or several units.

    Raises
    ------
    ValueError
        If blocks do not tile the lattice, or with more than 12 coarse spins.
    """
    level_shapes(shape, rule.block, 1)
    inside = _sites_of_blocks(shape, rule.block)
    coarse_spins = len(inside) * rule.n_hidden
    if coarse_spins > LARGEST_COARSE:
        raise ValueError(
            f"{coarse_spins} coarse spins are too many to enumerate: at most {LARGEST_COARSE}"
        )
    block_states = spin_states(inside.shape[1])
    up = unit_probabilities(rule.filters, rule.bias, block_states, rule.hard)
    coins = entropy(np.stack([up, 1 - up]), axis=0).sum(axis=1)
    coarse, noise = np.zeros(1 << coarse_spins), 0.0
    together = _TOGETHER >> coarse_spins
    for first in range(0, len(probabilities), together):
        weight = probabilities[first : first + together]
        states = np.arange(first, first + len(weight))
        conditional = np.ones((len(weight), 1))
        for sites in inside:
            block = (states[:, None] >> sites & 1) @ (1 << np.arange(len(sites)))
            noise += float((weight * coins[block]).sum())
            for p in up[block].T[:, :, None]:
                conditional = np.concatenate([conditional * (1 - p), conditional * p], axis=1)
        coarse += (weight[:, None] * conditional).sum(axis=0)
    return Blocking(float(entropy(probabilities)), float(entropy(coarse)), noise)


def _sites_of_blocks(shape, block):
    """Site numbers of every block, (blocks, sites of a block), both row-major."""
    d = len(shape)
    split = [extent for pair in zip(np.floor_divide(shape, block), block) for extent in pair]
    number = np.arange(prod(shape)).reshape(split)
    return number.transpose(*range(0, 2 * d, 2), *range(1, 2 * d, 2)).reshape(-1, prod(block))
