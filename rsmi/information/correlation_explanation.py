"""Correlation explanation (CorEx): coarse variables of a block V, chosen without its environment.

The hidden units y_j are chosen for the total correlation that they explain within V: they maximise
``sum_j [sum_i alpha_ji I(v_i:y_j) - I(V:y_j)]``, where alpha decides which unit explains which
site. Ver Steeg & Galstyan, NIPS 27, 577 (2014), arXiv:1406.1222; AISTATS 2015, arXiv:1410.7404. At
the maximum log p(y_j|v) is linear in v = +-1, so that the result is a coarse-graining rule with
filters and biases. The iteration is in csrc/learning/total_correlation.c.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.decoder import keyed_generator
from rsmi.kernels import total_correlation as kernel
from rsmi.lattice.packed import pack_spins

INITIAL_WIDTH = 0.1  # standard deviation of the initial filters
# Sharpness of the competition between units, in 1/nats of explained total correlation.
INITIAL_SHARPNESS = 20.0
_LEAST_ALPHA = 0.5


@dataclass(frozen=True)
class BlockTable:
    """States of a block with their weights.

    Attributes
    ----------
    packed : ndarray of uint8, (n_states, ceil(n_sites / 8))
        The states as rows of bits; see `rsmi.lattice.packed`.
    weights : ndarray of float64, (n_states,)
        Their weights, which sum to 1.
    up : ndarray of float64, (n_sites,)
        P(v_i = +1) of every site.
    n_samples : float
        Number of samples from which the weights were estimated; infinite for exact weights.
    """

    packed: NDArray[np.uint8]
    weights: NDArray[np.float64]
    up: NDArray[np.float64]
    n_samples: float

    @classmethod
    def from_samples(cls, blocks: NDArray[np.int8]) -> BlockTable:
        """Count the states of sampled blocks.

        Parameters
        ----------
        blocks : ndarray of int8, (n, n_block)
            Spins +-1.
        """
        blocks = np.asarray(blocks)
        packed, counts = np.unique(pack_spins(blocks), axis=0, return_counts=True)
        return cls(packed, counts / len(blocks), (blocks > 0).mean(axis=0), float(len(blocks)))

    @classmethod
    def from_distribution(cls, blocks: NDArray[np.int8], probabilities: ArrayLike) -> BlockTable:
        """Make the table of an exact distribution.

        Parameters
        ----------
        blocks : ndarray of int8, (n, n_block)
            States, spins +-1.
        probabilities : array_like of float, (n,)
            Their probabilities.

        Raises
        ------
        ValueError
            If the probabilities do not sum to 1, or their number is wrong.
        """
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
        """Number of sites of the block."""
        return len(self.up)


def initial_state(
    n_block: int, n_hidden: int, rng_key: NDArray[np.uint64]
) -> dict[str, NDArray[Any]]:
    """Return the start of an iteration: normal filters with standard deviation 0.1, random alphas
    between 1/2 and 1, and no biases.

    Parameters
    ----------
    n_block, n_hidden : int
    rng_key : ndarray of uint64, (4,)
        Key of the start, not all zero.

    Returns
    -------
    dict of arrays
        ``filters`` and ``alpha`` (n_hidden, n_block), ``bias``, ``base`` and ``explained``
        (n_hidden,), ``sharpness`` (n_block,), all float64, and ``iteration`` (1,) int64: everything
        that `advance` needs and changes.
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
    state: dict[str, NDArray[Any]], table: BlockTable, iterations: int, *, symmetric: bool = False
) -> float:
    """Iterate the fixed-point equations and change the state in place.

    First n1 and then n2 iterations give the same bits as n1 + n2 iterations.

    Parameters
    ----------
    state : dict of arrays
        From `initial_state`.
    table : BlockTable
    iterations : int
    symmetric : bool
        Whether every block is averaged with its global flip; the biases are then zero.

    Returns
    -------
    float
        The objective sum_j TC_j in nats of the rule before the last iteration, on the states of the
        table. It is a lower bound of their total correlation once the units have divided the sites
        among them (every column of alpha sums to 1).
    """
    kernel.explain(
        table.packed, table.weights, table.up, table.n_samples, symmetric, state, iterations
    )
    return float(state["explained"].sum())
