"""Sums over all configurations of a small lattice, one site after the other.

The weight of a configuration is a product of factors of single sites and of pairs. The sum is a
table over the states of the *open* sites: those that are added already and still have a neighbour
to come, or whose states are to be kept. A site that is added doubles the table; a site without
further neighbours is summed out of it and halves it. On a torus whose sites are added row by row
the open sites are those of the first and of the last row, and the method is a transfer matrix that
is applied site by site. The order in which sites are added decides how large the table becomes (R.
Dechter, Artificial Intelligence 113, 41 (1999), "bucket elimination").
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.models.lattice.system import StatePoint

_NO_SITES: Mapping[int, int] = {}


@dataclass(frozen=True, eq=False)
class Factors:
    """The weight of a configuration: the exponential of a sum over sites and over pairs.

    Attributes
    ----------
    sites : ndarray, (sites, 2)
        The exponent of every site that is down, and up.
    pairs : list of dict of int to ndarray, (2, 2)
        For every site and each of its neighbours the exponent of their states, of the site first;
        -inf where the states exclude each other.
    """

    sites: NDArray[np.number]
    pairs: list[dict[int, NDArray[np.number]]]

    def scaled(self, scale: complex) -> Factors:
        """Return the factors with all finite exponents multiplied by a number."""
        pairs = [
            {other: _scaled(exponents, scale) for other, exponents in own.items()}
            for own in self.pairs
        ]
        return Factors(self.sites * scale, pairs)


def _scaled(exponents: NDArray[np.number], scale: complex) -> NDArray[np.number]:
    return np.where(np.isneginf(exponents.real), -np.inf, exponents * scale)


def factors_of(point: StatePoint) -> Factors:
    """Return the factors of a state point, whose weights are exp(-K E), or z^N of hard cores."""
    definition, coupling = point.definition, point.coupling
    values = np.array([-1.0, 1.0]) if definition.spins else np.array([0.0, 1.0])
    own = coupling * definition.field if definition.spins else math.log(definition.fugacity or 1.0)
    pairs: list[dict[int, NDArray[np.number]]] = [{} for _ in range(point.sites)]
    excluded = np.array([[0.0, 0.0], [0.0, -np.inf]])
    for name, bonds in point.bonds.items():
        strength = coupling * definition.couplings.get(name, 0.0)
        exponents = excluded if name == "exclusions" else strength * np.outer(values, values)
        for a, b in bonds.tolist():
            for one, other in ((a, b), (b, a)):
                pairs[one][other] = pairs[one].get(other, 0.0) + exponents
    return Factors(np.tile(own * values, (point.sites, 1)), pairs)


# ---- the order of the sites ----------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """The order in which sites are added.

    Attributes
    ----------
    sites : tuple of int
    closed : tuple of tuple of int
        The sites that are summed out after each of them.
    widths : tuple of int
        The number of open sites with each of them, before others are summed out.
    """

    sites: tuple[int, ...]
    closed: tuple[tuple[int, ...], ...]
    widths: tuple[int, ...]

    @property
    def entries(self) -> int:
        """The entries of all tables together, which are the cost of the sum."""
        return sum(1 << width for width in self.widths)


def best_order(
    factors: Factors,
    starts: Sequence[Sequence[int]],
    kept: Sequence[int] = (),
    fixed: Sequence[int] = (),
) -> Order:
    """Return the cheapest order of several that begin at different sites.

    Parameters
    ----------
    factors : Factors
    starts : sequence of sequence of int
        The sites to begin with, see `starts_of`.
    kept : sequence of int
        The sites that are never summed out.
    fixed : sequence of int
        The sites whose states are given, which are not added.
    """
    excluded = set(fixed)
    neighbours = [set(own) - excluded for own in factors.pairs]
    orders = (
        _order(neighbours, [site for site in start if site not in excluded], set(kept), excluded)
        for start in starts
    )
    return min(orders, key=lambda order: order.entries)


def starts_of(point: StatePoint) -> list[list[int]]:
    """Return sites to begin with: one site, or one of every cell in a layer across an axis. Sites
    of every component are tried."""
    cells = np.arange(point.cells).reshape(point.shape)
    layers = [[0], *(np.take(cells, 0, axis).reshape(-1).tolist() for axis in range(cells.ndim))]
    return [
        [component * point.cells + cell for cell in layer]
        for layer in layers
        for component in range(len(point.definition.sites))
    ]


def _order(
    neighbours: list[set[int]], first: Sequence[int], kept: set[int], fixed: set[int]
) -> Order:
    """Add the first sites, and then the site next that leaves the fewest open sites, and of these
    one that has been beside the open sites for longest."""
    missing, queue = [set(own) for own in neighbours], list(reversed(first))
    waiting: dict[int, None] = {}
    rest = dict.fromkeys(site for site in range(len(neighbours)) if site not in fixed)
    sites, closed, widths, width = [], [], [], 0
    while rest:
        candidates = [queue.pop()] if queue else waiting or rest
        site = min(candidates, key=lambda one: _growth(one, neighbours, missing, rest, kept))
        sums = tuple(_closing(site, neighbours, missing, rest, kept))
        del rest[site]
        waiting.pop(site, None)
        for other in sorted(neighbours[site]):
            missing[other].discard(site)
            if other in rest:
                waiting.setdefault(other)
        sites.append(site)
        closed.append(sums)
        widths.append(width + 1)
        width += 1 - len(sums)
    return Order(tuple(sites), tuple(closed), tuple(widths))


def _growth(
    site: int,
    neighbours: list[set[int]],
    missing: list[set[int]],
    rest: Mapping[int, None],
    kept: set[int],
) -> int:
    """By how many the number of open sites grows with a site."""
    return 1 - len(_closing(site, neighbours, missing, rest, kept))


def _closing(
    site: int,
    neighbours: list[set[int]],
    missing: list[set[int]],
    rest: Mapping[int, None],
    kept: set[int],
) -> list[int]:
    """The sites that need no further neighbour once a site is added."""
    own = [site] if not missing[site] and site not in kept else []
    return own + [
        other
        for other in sorted(neighbours[site])
        if other not in rest and other not in kept and missing[other] == {site}
    ]


# ---- the sum -------------------------------------------------------------------------------------


def summed(
    factors: Factors, order: Order, fixed: Mapping[int, int] = _NO_SITES
) -> tuple[float, NDArray[np.number]]:
    """Return the sum over all sites that an order does not keep.

    Parameters
    ----------
    factors : Factors
    order : Order
    fixed : mapping of int to int
        The states of the sites that the order leaves out, 0 or 1.

    Returns
    -------
    logarithm : float
        The logarithm of a common factor of the table.
    table : ndarray, (2^kept,)
        The sums. Their order is that in which the kept sites are added, the last one slowest. If
        all vanish there is a single 0, and the logarithm is -inf.
    """
    logarithm = _fixed_exponent(factors, fixed)
    exponents = _with_fixed(factors, fixed)
    table: NDArray[np.number] = np.ones(1, dtype=factors.sites.dtype)
    open_sites: list[int] = []
    for site, closed in zip(order.sites, order.closed):
        own = [_factors(factors.pairs[site].get(other)) for other in open_sites]
        (weights,), shift = _factors(exponents[site : site + 1])
        logarithm += shift + sum(largest for _, largest in own)
        table = np.concatenate(
            [table * _outer([pair[state] for pair, _ in own]) * weights[state] for state in (0, 1)]
        )
        open_sites.append(site)
        for one in closed:
            place = open_sites.index(one)
            table = table.reshape(-1, 2, 1 << place).sum(axis=1).reshape(-1)
            del open_sites[place]
        largest = float(np.abs(table.real).max())
        if not 0 < largest < math.inf:
            return -math.inf, np.zeros(1)
        table = table / largest
        logarithm += math.log(largest)
    return logarithm, table


def _factors(exponents: NDArray[np.number] | None) -> tuple[NDArray[np.number], float]:
    """The exponentials of a table of exponents, relative to the largest one, and this exponent; of
    -inf it is 0. Sites that are no neighbours have the factor 1."""
    if exponents is None:
        return np.ones((2, 2)), 0.0
    impossible = np.isneginf(exponents.real)
    largest = float(exponents.real.max())
    relative = np.where(impossible, 0.0, exponents - largest)
    return np.where(impossible, 0.0, np.exp(relative)), largest


def _outer(factors: Sequence[NDArray[np.number]]) -> NDArray[np.number]:
    """The product of factors (2,) of all open sites for every entry of a table."""
    product: NDArray[np.number] = np.ones(1)
    for factor in factors:
        product = (factor[:, np.newaxis] * product).reshape(-1)
    return product


def _fixed_exponent(factors: Factors, fixed: Mapping[int, int]) -> float:
    """The exponent of the sites with given states and of the pairs of them; -inf if they exclude
    each other."""
    total = sum(float(factors.sites[site, state].real) for site, state in fixed.items())
    for site, state in fixed.items():
        for other, exponents in factors.pairs[site].items():
            if other in fixed and site < other:
                total += float(exponents[state, fixed[other]].real)
    return total


def _with_fixed(factors: Factors, fixed: Mapping[int, int]) -> NDArray[np.number]:
    """The exponents (sites, 2) of single sites beside those with given states."""
    exponents = factors.sites.copy()
    for site, state in fixed.items():
        for other, own in factors.pairs[site].items():
            exponents[other] += own[state]
    return exponents
