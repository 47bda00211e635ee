"""Correlation explanation (CorEx): coarse variables of a block V chosen without its environment.

Hidden units y_j are chosen for the total correlation that they account for within V: the maximum of
``sum_j [sum_i alpha_ji I(v_i:y_j) - I(V:y_j)]``, where alpha says which unit explains which site.
Ver Steeg & Galstyan, NIPS 27, 577 (2014), arXiv:1406.1222; AISTATS 2015, arXiv:1410.7404. At the
maximum log p(y_j|v) is linear in v = +-1, so what is found is a coarse-graining rule like any
other, filters and bias. The iteration is in csrc/total_correlation.c.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.information.decoder import keyed_generator
from rsmi.kernels import total_correlation as kernel
from rsmi.lattice.packed import pack_spins

INITIAL_WIDTH = 0.1  # standard deviation of the initial filters
INITIAL_SHARPNESS = (
    20.0  # of the competition between units, in 1/nats of explained total correlation
)
_LEAST_ALPHA = 0.5


@dataclass(frozen=True)
class BlockTable:
    """States of a block with weights: packed bits (n_states, ceil(n_sites/8)) uint8, bit 1 = spin
    +1; weights (n_states,) of sum 1; ``up`` (n_sites,) their P(v_i = +1); ``n_samples`` behind the
    weights, infinite where they are exact.
    """

    packed: NDArray[np.uint8]
    weights: NDArray[np.float64]
    up: NDArray[np.float64]
    n_samples: float

    @classmethod
    def from_samples(cls, blocks: NDArray[np.int8]) -> BlockTable:
        """Table of samples (n, n_block) of +-1; equal blocks are joined."""
        blocks = np.asarray(blocks)
        packed, counts = np.unique(pack_spins(blocks), axis=0, return_counts=True)
        return cls(packed, counts / len(blocks), (blocks > 0).mean(axis=0), float(len(blocks)))

    @classmethod
    def from_distribution(cls, blocks: NDArray, probabilities: NDArray) -> BlockTable:
        """Table of a distribution: states (n, n_block) of +-1 and their probabilities (n,)."""
        probabilities = np.asarray(probabilities, float)
        if (
            len(probabilities) != len(blocks)
            or (probabilities < 0).any()
            or abs(probabilities.sum() - 1) > 1e-9
        ):
            raise ValueError("the probabilities must be those of the states, with sum 1")
        return cls(
            pack_spins(blocks),
            probabilities,
            np.einsum("s,si->i", probabilities, np.asarray(blocks) > 0),
            math.inf,
        )

    @property
    def n_sites(self) -> int:
        return len(self.up)


def initial_state(
    n_block: int, n_hidden: int, rng_key: NDArray[np.uint64]
) -> dict[str, np.ndarray]:
    """A new start: normal filters (standard deviation .1), random alphas between 1/2 and 1, no
    biases.

    Parameters
    ----------
    rng_key : (4,) uint64
        Key of the start, not all zero.

    Returns
    -------
    dict
        ``filters``, ``alpha`` (n_hidden, n_block); ``bias``, ``base``, ``explained`` (n_hidden,);
        ``sharpness`` (n_block,); ``iteration`` (1,) int64: all that `advance` needs and changes.
    """
    generator = keyed_generator(np.asarray(rng_key, np.uint64))
    alpha = (
        generator.uniform(_LEAST_ALPHA, 1.0, (n_hidden, n_block))
        if n_hidden > 1
        else np.ones((1, n_block))
    )
    return {
        "filters": generator.normal(0.0, INITIAL_WIDTH, (n_hidden, n_block)),
        "bias": np.zeros(n_hidden),
        "alpha": alpha,
        "sharpness": np.full(n_block, INITIAL_SHARPNESS),
        "base": np.zeros(n_hidden),
        "explained": np.zeros(n_hidden),
        "iteration": np.zeros(1, np.int64),
    }


def advance(
    state: dict[str, np.ndarray], table: BlockTable, iterations: int, *, symmetric: bool = False
) -> float:
    """Iterate the fixed point, changing ``state`` in place; n1 and then n2 iterations leave the
    same bits as n1 + n2 at once.

    Parameters
    ----------
    symmetric : bool
        Average every block with its global flip: biases are zero.

    Returns
    -------
    float
        The objective sum_j TC_j in nats of the rule before the last iteration, on the table's own
        states: a lower bound of their total correlation once the units have divided the sites among
        them (every column of alpha has sum 1).
    """
    kernel.explain(
        table.packed, table.weights, table.up, table.n_samples, symmetric, state, iterations
    )
    return float(state["explained"].sum())
