"""The best binary variable of a block among all functions of one parity, by alternating
maximisation.

I(H:E) is a convex function of the channel q(h|v), so that its linear approximation at one function
lies nowhere above it: the function that maximises this approximation, h(v) = 1 where sum_e P(v, e)
log[P(1|e) P(0) / (P(0|e) P(1))] > 0, has at least as much information. Repeated until nothing
changes, this is k-means with two clusters of block states and the Kullback-Leibler divergence as
the distance (Dhillon, Mallela, Kumar, J. Mach. Learn. Res. 3, 1265 (2003)). The maximum is a local
one, so that there are restarts.

A function of parity even has h(-v) = h(v), one of parity odd has h(-v) = 1 - h(v). With s = 2h - 1,
both are vectors of signs over the classes {v, -v}, and P(1|e) = (1 + sum_c T(e, c) s_c) / 2 with
T = P(v|e) + P(-v|e) or P(v|e) - P(-v|e).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsmi.information.channel import spin_states
from rsmi.information.entropy import cross_log

AGREEMENT = 0.99  # of the best information: restarts that found as much agree
_MOST_STEPS = 200  # of one restart; the steps before nothing changes are about ten
_SMALLEST = 1e-12  # a probability whose logarithm is taken


class BestFunction(NamedTuple):
    """The best function that was found.

    Attributes
    ----------
    up : ndarray of float64, (2^n_block,)
        h(v), 0 or 1, of every state of the block; bit i of the number of a state is 1 where spin i
        is +1. It is 1 where all spins are +1.
    information : float
        I(H:E) in nats on the environments of the search. If they are a sample, it is too large.
    agreeing : int
        The number of restarts with at least 99 % of this information.
    """

    up: NDArray[np.float64]
    information: float
    agreeing: int


def class_table(conditional: NDArray[np.floating], parity: str) -> NDArray[np.floating]:
    """Return the table T of a parity.

    Parameters
    ----------
    conditional : ndarray of float, (n, 2^n_block)
        P(V|e) of every environment.
    parity : {"odd", "even", "any"}

    Returns
    -------
    ndarray of float, (n, n_classes)
        Class c is the pair of the states c and 2^n_block - 1 - c; of parity any, a state.
    """
    if parity == "any":
        return conditional
    half = conditional.shape[1] // 2
    flipped = conditional[:, : half - 1 : -1]
    return conditional[:, :half] + (flipped if parity == "even" else -flipped)


def best_function(
    table: NDArray[np.floating],
    weights: NDArray[np.float64],
    parity: str,
    generator: np.random.Generator,
    restarts: int = 20,
    symmetric: bool = True,
) -> BestFunction:
    """Return the best function of a parity that any restart finds.

    If the system is symmetric under a flip, every environment counts together with its flip, which
    is equally likely.

    Parameters
    ----------
    table : ndarray of float, (n, n_classes)
        What `class_table` returns.
    weights : ndarray of float64, (n,)
        Probabilities of the environments, which sum to 1.
    parity : {"odd", "even", "any"}
    generator : numpy.random.Generator
        For the first functions: signs of random polynomials of the spins, of second order at most.
    restarts : int
    symmetric : bool
        Whether a flip of all variables is a symmetry; it must be one for the parities odd and even.
    """
    search = Search(table, weights, parity, symmetric)
    results = [
        search.ascend(_first_signs(table.shape[1], parity, generator)) for _ in range(restarts)
    ]
    signs, information = max(results, key=lambda one: one[1])
    agreeing = sum(value >= AGREEMENT * information for _, value in results)
    return BestFunction(_all_states(signs, parity), information, agreeing)


def _first_signs(classes: int, parity: str, generator: np.random.Generator) -> NDArray[np.floating]:
    """A random function that divides the classes into halves."""
    n_block = classes.bit_length() - (1 if parity == "any" else 0)
    states = spin_states(n_block)[:classes]
    field = np.zeros(classes)
    if parity != "even":
        field += states @ generator.standard_normal(n_block)
    if parity != "odd":
        form = generator.standard_normal((n_block, n_block))
        field += ((states @ form) * states).sum(axis=1)
    return np.where(field > np.median(field) * (parity != "odd"), 1.0, -1.0)


def _all_states(signs: NDArray[np.floating], parity: str) -> NDArray[np.float64]:
    """h(v) of all states from the signs of the classes."""
    if parity != "any":
        flipped = signs[::-1] if parity == "even" else -signs[::-1]
        signs = np.concatenate([signs, flipped])
    return 0.5 * (1.0 + signs[-1] * signs.astype(np.float64))


class Search:
    """Alternating maximisation on one table; the parameters are those of `best_function`."""

    def __init__(
        self,
        table: NDArray[np.floating],
        weights: NDArray[np.float64],
        parity: str,
        symmetric: bool = True,
    ) -> None:
        self.table, self.parity = table, parity
        self.weights, self.symmetric = weights, symmetric

    def ascend(self, signs: NDArray[np.floating]) -> tuple[NDArray[np.floating], float]:
        """Improve a function until nothing changes; return it and its information."""
        signs = signs.astype(self.table.dtype)
        up = self.up(signs)
        for _ in range(_MOST_STEPS):
            better = self.step(up, signs)
            if np.array_equal(better, signs):
                break
            signs, up = better, self.up(better)
        return signs, self.information(up)

    def up(self, signs: NDArray[np.floating]) -> NDArray[np.float64]:
        """P(1|e) of every environment and, with the symmetry, of its flip, (1 or 2, n)."""
        drift = (self.table @ signs).astype(np.float64)
        if not self.symmetric:
            return np.clip(0.5 * (1.0 + drift[np.newaxis]), _SMALLEST, 1.0 - _SMALLEST)
        flipped = drift if self.parity == "even" else -drift
        if self.parity == "any":
            flipped = (self.table @ signs[::-1]).astype(np.float64)
        return np.clip(0.5 * (1.0 + np.stack([drift, flipped])), _SMALLEST, 1.0 - _SMALLEST)

    def _mean(self, up: NDArray[np.float64]) -> float:
        return float((up * self.weights).sum() / len(up))

    def step(self, up: NDArray[np.float64], signs: NDArray[np.floating]) -> NDArray[np.floating]:
        """The function that maximises the linear approximation; ties stay as they are."""
        mean = self._mean(up)
        gain = np.log(up / (1.0 - up)) - np.log(mean / (1.0 - mean))
        slope = (gain * self.weights).astype(self.table.dtype) @ self.table
        total = slope[0]
        if self.symmetric:
            flipped = {"even": slope[1], "odd": -slope[1], "any": slope[1][::-1]}
            total = total + flipped[self.parity]
        return np.where(total == 0, signs, np.where(total > 0, 1, -1)).astype(self.table.dtype)

    def information(self, up: NDArray[np.float64]) -> float:
        """I(H:E) in nats."""
        mean = self._mean(up)
        divergence = sum(
            cross_log(p, p) - cross_log(p, np.full_like(p, q))
            for p, q in ((up, mean), (1.0 - up, 1.0 - mean))
        )
        return float((divergence * self.weights).sum() / len(up))
