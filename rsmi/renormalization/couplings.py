"""Effective couplings of configurations, by inversion of the Callen equations (Swendsen, PRL 52,
1165 (1984)).

In a system of weight exp(sum_a K_a S_a), S_a a sum of products of spins, a spin s_l sees the field
sum_a K_a S_a,l, where S_a,l is the sum over the products of S_a that contain l of their *other*
spins. Hence <S_a> = (1/m_a) sum_l <S_a,l tanh(sum_b K_b S_b,l)> with m_a spins in a product: as
many equations as couplings, solved by Newton's method.

With the local energies e_a = s_l S_a,l and only even operators they read < e_a (1 - tanh(sum_b K_b
e_b)) > = 0, an average over all sites: the histogram of (e_1, e_2, ...) is all that they need, for
any subset of the operators. They are the condition for the maximum of the pseudo-likelihood, the
mean of log P(s_l | all others) = -log(1 + exp(-2 K.e)) (Besag, The Statistician 24, 179 (1975)),
which is concave: a solution is unique, and there is none only where the operators depend on one
another or where larger couplings always describe the data better.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from rsmi.kernels.neighbourhood import neighbourhood_counts
from rsmi.renormalization.operators import OPERATORS, symmetric_copies
from rsmi.renormalization.rules import three_axes
from rsmi.statistics.jackknife import jackknife_error

# Of the even operators of each dimension: nearest, next-nearest and third neighbours, four spins
# (in a row; a plaquette).
CHOSEN = {1: (0, 1, 2, 3), 2: (0, 1, 3, 2), 3: (0, 1, 5, 2)}
NAMES = ("nn", "nnn", "third", "four-spin")
HEADLINE = (0, 1, 2, 3)  # fixed before looking at any result
SETS = (
    HEADLINE,
    (0,),
    (0, 1),
    (0, 1, 2),
    (0, 1, 3),
)  # numbers in NAMES: the couplings that are not taken to vanish
# of the smallest to the largest eigenvalue of the correlation matrix of the local energies
SINGULAR = 1e-9
# of the curvature of the pseudo-likelihood to that without couplings: one site in 10^10 makes it
# larger
UNBOUNDED = 1e-10
ITERATIONS = 80
CONVERGED = 1e-20  # Newton decrement before the last step, which squares it
ROUNDING = 1e-12  # of the pseudo-likelihood: steps as small as that are not to be judged by it
NO_ERROR = "an error needs at least two groups of samples"


# ---- histograms ----------------------------------------------------------------------------------


class Table(NamedTuple):
    """What the kernel counts: `terms` (n_terms, 3, 3) int32, offsets of the other spins of every
    product through a site; `owner` (n_terms,) int32, the operator of each; `products` (4,), how
    many there are of each operator."""

    terms: np.ndarray
    owner: np.ndarray
    products: np.ndarray


@cache
def table(dimension: int) -> Table:
    """The products through a site in one to three dimensions; ValueError elsewhere."""
    if dimension not in CHOSEN:
        raise ValueError(
            f"effective couplings are known in one to three dimensions, not in {dimension}"
        )
    images = [
        products_through_site(OPERATORS[dimension]["even"][number]) for number in CHOSEN[dimension]
    ]
    products = np.array([len(others) for others in images])
    terms = np.zeros((products.sum(), 3, 3), dtype=np.int32)
    for term, others in zip(terms, (others for of_operator in images for others in of_operator)):
        term[: len(others)] = [three_axes(point, 0) for point in others]
    return Table(terms, np.repeat(np.arange(len(images), dtype=np.int32), products), products)


def products_through_site(operator) -> list[tuple[tuple[int, ...], ...]]:
    """The offsets of the other spins of every product of an operator that contains the site at the
    origin, each sorted."""
    found = set()
    for copy in map(np.array, symmetric_copies(operator)):
        for site in range(len(copy)):
            found.add(
                tuple(sorted(map(tuple, np.delete(copy - copy[site], site, axis=0).tolist())))
            )
    return sorted(found)


def wraps(shape) -> bool:
    """Whether products coincide through the boundary of so small a lattice that the operators are
    not what they are named after: a point falls onto another one of its product, or a product onto
    one of another operator (fewer than 6 sites of a chain, fewer than 4 along a side of a square,
    fewer than 2 of a cube). On larger lattices a product may occur twice, and counts twice.
    """
    owner_of: dict[frozenset, int] = {}
    terms, owner, _ = table(len(shape))
    for others, number in zip(terms, owner):
        points = [(0, 0, 0), *(other for other in others.tolist() if any(other))]
        reduced = frozenset(
            tuple(x % size for x, size in zip(point, three_axes(shape))) for point in points
        )
        if len(reduced) < len(points) or owner_of.setdefault(reduced, number) != number:
            return True
    return False


def number_of_bins(dimension: int) -> int:
    """Combinations of local energies: 135, 625 and 10647 in one, two and three dimensions."""
    return int(np.prod(1 + table(dimension).products))


def local_energies(dimension: int) -> np.ndarray:
    """e_a of every bin of a histogram, (bins, 4) int64: the bin is k_1 + (n_1 + 1) (k_2 + (n_2 + 1)
    (k_3 + ...)), where k_a of the n_a products through a site are -1, and e_a = n_a - 2 k_a."""
    products = table(dimension).products
    digits = np.indices(tuple(1 + products[::-1])).reshape(len(products), -1)[::-1]
    return np.ascontiguousarray((products[:, None] - 2 * digits).T)


def add_histograms(rows, shape, blocks, counts) -> None:
    """Count sites by their local energies: each row into the histogram of its block.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape`, 1 to
    3 axes
    blocks : (n,) int64, the row of `counts` that each configuration is added to
    counts : (n_blocks, bins) int64, changed in place
    """
    terms, owner, _ = table(len(shape))
    neighbourhood_counts(
        np.ascontiguousarray(rows, dtype=np.uint8), three_axes(shape), terms, owner, blocks, counts
    )


# ---- inversion -----------------------------------------------------------------------------------


def invert(counts, energies) -> np.ndarray:
    """The couplings K (k,) that solve sum_i counts_i e_ia (1 - tanh(sum_b K_b e_ib)) = 0.

    Parameters
    ----------
    counts : (bins,) weights of the bins, integers or not
    energies : (bins, k) local energies of the bins: the columns of `local_energies` of the
    operators wanted

    Raises
    ------
    numpy.linalg.LinAlgError
        The message says why there is no solution: no samples, operators that depend on one another,
        unbounded couplings.
    """
    weights, white, unit = _whitened(counts, energies)
    return unit @ _maximize(weights, white)


def _whitened(counts, energies):
    """Weights of sum 1, energies without correlations and the matrix that takes their couplings to
    those of `energies`."""
    counts, energies = np.asarray(counts, dtype=np.float64), np.asarray(energies, dtype=np.float64)
    if not counts.sum() > 0:
        raise np.linalg.LinAlgError("there are no samples")
    weights = counts / counts.sum()
    correlations = (energies.T * weights) @ energies
    scale = np.sqrt(np.diag(correlations))
    if not scale.min() > 0:
        raise np.linalg.LinAlgError("an operator vanishes at every site")
    spectrum = np.linalg.eigvalsh(correlations / np.outer(scale, scale))
    if not spectrum[0] > SINGULAR * spectrum[-1]:
        raise np.linalg.LinAlgError("operators are linearly dependent")
    unit = np.linalg.inv(np.linalg.cholesky(correlations)).T
    return weights, energies @ unit, unit


def _maximize(weights, energies):
    """Newton's method from zero, steps halved while the pseudo-likelihood falls."""
    couplings = np.zeros(energies.shape[1])
    likelihood, gradient, curvature = _pseudo_likelihood(weights, energies, couplings)
    for _ in range(ITERATIONS):
        if not np.linalg.eigvalsh(curvature)[0] > UNBOUNDED:
            raise np.linalg.LinAlgError(
                "the couplings are unbounded: too few sites disagree with their neighbours"
            )
        step = np.linalg.solve(curvature, gradient)
        if gradient @ step <= CONVERGED:
            return couplings + step
        trial = _pseudo_likelihood(weights, energies, couplings + step)
        while trial[0] < likelihood - ROUNDING:
            step = step / 2
            trial = _pseudo_likelihood(weights, energies, couplings + step)
        couplings, (likelihood, gradient, curvature) = couplings + step, trial
    raise np.linalg.LinAlgError(f"Newton's method has not converged after {ITERATIONS} steps")


def _pseudo_likelihood(weights, energies, couplings):
    """The mean of log P(s_l | all others), half its gradient and half its negative second
    derivative."""
    field = energies @ couplings
    tangent = np.tanh(field)
    return (
        -weights @ np.logaddexp(0.0, -2 * field),
        (weights * (1 - tangent)) @ energies,
        (energies.T * (weights * (1 - tangent**2))) @ energies,
    )


class Inversion(NamedTuple):
    """`value` and `error` (k,) of the couplings, and `replicas` (groups, k), each without one group
    of samples; nan where undefined, and `reason` then says why (else None)."""

    value: np.ndarray
    error: np.ndarray
    replicas: np.ndarray
    reason: str | None


def effective_interactions(counts, energies) -> Inversion:
    """Couplings with jackknife errors: the equations are solved anew without each group of samples.

    Parameters
    ----------
    counts : (groups, bins) histograms of groups of samples, each much longer than the
    autocorrelation time energies : (bins, k) local energies of the bins: the columns of
    `local_energies` of the operators wanted, all others being taken
        to have no coupling
    """
    counts = np.asarray(counts, dtype=np.float64)
    counts, occupied = counts[counts.any(axis=1)], counts.any(axis=0)
    counts, energies = counts[:, occupied], np.asarray(energies, dtype=np.float64)[occupied]
    undefined, none = np.full(energies.shape[1], np.nan), np.empty((0, energies.shape[1]))
    try:
        value = invert(counts.sum(axis=0), energies)
    except np.linalg.LinAlgError as error:
        return Inversion(undefined, undefined, none, str(error))
    if len(counts) < 2:
        return Inversion(value, undefined, none, NO_ERROR)
    try:
        replicas = _replicas(counts.sum(axis=0) - counts, energies, value)
    except np.linalg.LinAlgError as error:
        return Inversion(value, undefined, none, f"no error: without one group of samples {error}")
    return Inversion(value, jackknife_error(replicas), replicas, None)


def _replicas(counts, energies, couplings):
    """The solutions (groups, k) for every row of `counts`: Newton's method for all at once from
    that of their sum, which is near, and by `invert` where that has not converged."""
    _, white, unit = _whitened(counts.sum(axis=0), energies)
    weights = counts / counts.sum(axis=1, keepdims=True)
    found = np.tile(np.linalg.solve(unit, couplings), (len(counts), 1))
    pairs = white[:, :, None] * white[:, None, :]
    for _ in range(3):
        tangent = np.tanh(found @ white.T)
        gradient = (weights * (1 - tangent)) @ white
        curvature = np.tensordot(weights * (1 - tangent**2), pairs, 1)
        if not (np.linalg.eigvalsh(curvature)[:, 0] > UNBOUNDED).all():
            break
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        found = found + step
        decrement = (gradient * step).sum(axis=1)
        if (decrement <= CONVERGED).all():
            return found @ unit.T
    return np.array([invert(row, energies) for row in counts])


def interaction_rows(histograms, energies, shapes) -> list[dict]:
    """The couplings at every level and for every set of operators.

    Parameters
    ----------
    histograms : (groups, levels, bins) of groups of samples
    energies : (bins, 4) local energies of the bins
    shapes : shapes of the lattice at the levels

    Returns
    -------
    list of {step, size, operators, values, errors, wraps, reason}
        `values` and `errors` are lists beside the names in `operators`, or None where not defined:
        `reason` then says why (else None). `wraps` marks lattices too small for the operators. The
        first set of a step is the headline.
    """
    rows = []
    for step, shape in enumerate(shapes):
        for numbers in SETS:
            found = effective_interactions(histograms[:, step], energies[:, list(numbers)])
            rows.append(
                {
                    "step": step,
                    "size": shape[0],
                    "operators": [NAMES[number] for number in numbers],
                    "values": _numbers(found.value),
                    "errors": _numbers(found.error),
                    "wraps": wraps(shape),
                    "reason": found.reason,
                }
            )
    return rows


def _numbers(values):
    return None if np.isnan(values).any() else values.tolist()
