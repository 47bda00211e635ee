"""Effective couplings of configurations by inversion of the Callen equations (Swendsen, PRL 52,
1165 (1984)).

In a system with the weight exp(sum_a K_a S_a), where S_a is a sum of products of spins, a spin s_l
is in the field sum_a K_a S_a,l. Here S_a,l is the sum over the products of S_a that contain l of
their *other* spins. Hence <S_a> = (1/m_a) sum_l <S_a,l tanh(sum_b K_b S_b,l)> with m_a spins in a
product: these are as many equations as couplings, which Newton's method solves.

With the local energies e_a = s_l S_a,l and only even operators the equations are < e_a (1 -
tanh(sum_b K_b e_b)) > = 0, where the average includes all sites. They only need the histogram of
(e_1, e_2, ...), for any subset of the operators. They are the condition for the maximum of the
pseudo-likelihood, the mean of log P(s_l | all others) = -log(1 + exp(-2 K.e)) (Besag, The
Statistician 24, 179 (1975)), which is concave. A solution is therefore unique. There is none where
the operators depend on one another, or where larger couplings always describe the data better.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.kernels.neighbourhood import neighbourhood_counts
from rsmi.renormalization.operators import OPERATORS, Operator, symmetric_copies
from rsmi.renormalization.rules import three_axes
from rsmi.statistics.jackknife import jackknife_error

# Numbers of the even operators of each dimension that have couplings: nearest, next-nearest and
# third neighbours, and four spins (in a row on the chain, else a plaquette).
CHOSEN = {1: (0, 1, 2, 3), 2: (0, 1, 3, 2), 3: (0, 1, 5, 2)}
NAMES = ("nn", "nnn", "third", "four-spin")
HEADLINE = (0, 1, 2, 3)  # fixed before looking at any result
# Sets of numbers in NAMES whose couplings are determined; the others are assumed to vanish.
SETS: tuple[tuple[int, ...], ...] = (HEADLINE, (0,), (0, 1), (0, 1, 2), (0, 1, 3))
# Least ratio of the smallest to the largest eigenvalue of the correlation matrix of the local
# energies.
SINGULAR = 1e-9
# Least ratio of the curvature of the pseudo-likelihood to that without couplings. One site in 10^10
# makes it larger.
UNBOUNDED = 1e-10
ITERATIONS = 80
STEPS_FROM_NEAR = 6  # of all replicas at once; four are enough for a few hundred samples
CONVERGED = 1e-20  # Newton decrement before the last step, which squares it
ROUNDING = 1e-12  # rounding error of the pseudo-likelihood, which cannot judge smaller steps
NO_ERROR = "an error needs at least two groups of samples"


# ---- histograms ----------------------------------------------------------------------------------


class SiteProducts(NamedTuple):
    """The products through one site in the form that the kernel takes.

    Attributes
    ----------
    terms : ndarray of int32, (n_terms, 3, 3)
        Offsets of the other spins of every product through a site.
    owner : ndarray of int32, (n_terms,)
        The operator of each product.
    products : ndarray of int64, (4,)
        Number of products of each operator.
    """

    terms: NDArray[np.int32]
    owner: NDArray[np.int32]
    products: NDArray[np.int64]


@cache
def site_products(dimension: int) -> SiteProducts:
    """Return the products through a site.

    Raises
    ------
    ValueError
        Unless the dimension is one, two or three.
    """
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
    return SiteProducts(
        terms, np.repeat(np.arange(len(images), dtype=np.int32), products), products
    )


def products_through_site(operator: Operator) -> list[tuple[tuple[int, ...], ...]]:
    """Return the offsets of the other spins of every product of an operator that contains the site
    at the origin; products and offsets are sorted."""
    products = set()
    for copy in map(np.array, symmetric_copies(operator)):
        for site in range(len(copy)):
            products.add(
                tuple(sorted(map(tuple, np.delete(copy - copy[site], site, axis=0).tolist())))
            )
    return sorted(products)


def products_coincide(shape: Sequence[int]) -> bool:
    """Return whether products coincide through the boundary of a small lattice, so that an operator
    is not what its name says.

    A point falls onto another one of its product, or a product onto one of another operator: with
    fewer than 6 sites of a chain, fewer than 4 along a side of a square, fewer than 2 of a cube. On
    larger lattices a product may occur twice, and it then counts twice.
    """
    owner_of: dict[frozenset, int] = {}
    terms, owner, _ = site_products(len(shape))
    for others, number in zip(terms, owner):
        points = [(0, 0, 0), *(other for other in others.tolist() if any(other))]
        reduced = frozenset(
            tuple(x % size for x, size in zip(point, three_axes(shape))) for point in points
        )
        if len(reduced) < len(points) or owner_of.setdefault(reduced, number) != number:
            return True
    return False


def number_of_bins(dimension: int) -> int:
    """Return the number of combinations of local energies: 135, 625 and 10647 in one, two and three
    dimensions."""
    return int(np.prod(1 + site_products(dimension).products))


def local_energies(dimension: int) -> NDArray[np.int64]:
    """Return e_a of every bin of a histogram.

    Returns
    -------
    ndarray of int64, (bins, 4)
        The bin is k_1 + (n_1 + 1) (k_2 + (n_2 + 1) (k_3 + ...)), where k_a of the n_a products
        through a site are -1, and e_a = n_a - 2 k_a.
    """
    products = site_products(dimension).products
    digits = np.indices(tuple(1 + products[::-1])).reshape(len(products), -1)[::-1]
    return np.ascontiguousarray((products[:, None] - 2 * digits).T)


def add_histograms(
    rows: NDArray[np.uint8],
    shape: Sequence[int],
    blocks: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Count sites by their local energies, each configuration in the histogram of its block.

    Parameters
    ----------
    rows : ndarray of uint8, (n, ceil(sites / 8))
        Packed configurations; see `rsmi.lattice.packed`.
    shape : sequence of int
        Sites of the periodic lattice along each of its 1 to 3 axes.
    blocks : ndarray of int64, (n,)
        The row of `counts` to which each configuration is added.
    counts : ndarray of int64, (n_blocks, bins)
        Changed in place.
    """
    terms, owner, _ = site_products(len(shape))
    neighbourhood_counts(
        np.ascontiguousarray(rows, dtype=np.uint8), three_axes(shape), terms, owner, blocks, counts
    )


# ---- inversion -----------------------------------------------------------------------------------


def invert(counts: ArrayLike, energies: ArrayLike) -> NDArray[np.float64]:
    """Return the couplings that solve sum_i counts_i e_ia (1 - tanh(sum_b K_b e_ib)) = 0.

    Parameters
    ----------
    counts : array_like of float, (bins,)
        Weights of the bins.
    energies : array_like of float, (bins, k)
        Local energies of the bins: the columns of `local_energies` that belong to the operators.

    Returns
    -------
    ndarray of float64, (k,)
        The couplings K.

    Raises
    ------
    numpy.linalg.LinAlgError
        If there is no solution. The message gives the reason: no samples, operators that depend on
        one another, or unbounded couplings.
    """
    weights, white, unit = _whitened(counts, energies)
    return unit @ _maximize(weights, white)


def _whitened(
    counts: ArrayLike, energies: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return weights of sum 1, energies without correlations, and the matrix that maps the
    couplings of these energies to those of the given ones."""
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


def _maximize(weights: NDArray[np.float64], energies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the maximum of the pseudo-likelihood by Newton's method from zero; steps are halved
    while the pseudo-likelihood falls."""
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


def _pseudo_likelihood(
    weights: NDArray[np.float64],
    energies: NDArray[np.float64],
    couplings: NDArray[np.float64],
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean of log P(s_l | all others), half its gradient and half its negative second
    derivative."""
    field = energies @ couplings
    tangent = np.tanh(field)
    return (
        float(-weights @ np.logaddexp(0.0, -2 * field)),
        (weights * (1 - tangent)) @ energies,
        (energies.T * (weights * (1 - tangent**2))) @ energies,
    )


class Inversion(NamedTuple):
    """Effective couplings with jackknife errors.

    Attributes
    ----------
    value, error : ndarray of float64, (k,)
        The couplings and their standard errors; nan where they are undefined.
    replicas : ndarray of float64, (groups, k)
        The couplings without one group of samples.
    reason : str or None
        Why something is undefined.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    replicas: NDArray[np.float64]
    reason: str | None


def effective_interactions(counts: ArrayLike, energies: ArrayLike) -> Inversion:
    """Return couplings with jackknife errors. The equations are solved again without each group of
    samples.

    Parameters
    ----------
    counts : array_like of int, (groups, bins)
        Histograms of groups of samples. Each group should be much longer than the autocorrelation
        time.
    energies : array_like of float, (bins, k)
        Local energies of the bins: the columns of `local_energies` that belong to the operators.
        All other operators are assumed to have no coupling.
    """
    counts = np.asarray(counts, dtype=np.float64)
    used = counts.any(axis=0)
    counts = counts[counts.any(axis=1)][:, used]
    energies = np.asarray(energies, dtype=np.float64)[used]
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


def _replicas(
    counts: NDArray[np.float64],
    energies: NDArray[np.float64],
    couplings: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the solution for every row of the counts, (groups, k). Newton's method starts for all
    rows from the solution for their sum, which is near; `invert` solves where it does not
    converge."""
    _, white, unit = _whitened(counts.sum(axis=0), energies)
    weights = counts / counts.sum(axis=1, keepdims=True)
    solutions = np.tile(np.linalg.solve(unit, couplings), (len(counts), 1))
    pairs = white[:, :, None] * white[:, None, :]
    for _ in range(STEPS_FROM_NEAR):
        tangent = np.tanh(solutions @ white.T)
        gradient = (weights * (1 - tangent)) @ white
        curvature = np.tensordot(weights * (1 - tangent**2), pairs, 1)
        if not (np.linalg.eigvalsh(curvature)[:, 0] > UNBOUNDED).all():
            break
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        solutions = solutions + step
        decrement = (gradient * step).sum(axis=1)
        if (decrement <= CONVERGED).all():
            return solutions @ unit.T
    return np.array([invert(row, energies) for row in counts])


def interaction_rows(
    histograms: NDArray[np.integer],
    energies: NDArray[np.integer],
    shapes: Sequence[Sequence[int]],
) -> list[dict[str, Any]]:
    """Return the couplings at every level for every set of operators.

    Parameters
    ----------
    histograms : ndarray of int, (groups, levels, bins)
        Histograms of groups of samples.
    energies : ndarray of int, (bins, 4)
        Local energies of the bins.
    shapes : sequence of sequence of int
        Shapes of the lattice at the levels.

    Returns
    -------
    list of dict
        Entries ``step``, ``size`` (the first side), ``shape``, ``operators``, ``values``,
        ``errors``, ``wraps`` and ``reason``. ``values`` and ``errors`` are lists in the order of
        the names in ``operators``, or None where they are undefined; ``reason`` then says why (else
        None). ``wraps`` marks lattices that are too small for the operators. The first set of a
        step is the headline.
    """
    rows = []
    for step, shape in enumerate(shapes):
        for numbers in SETS:
            inversion = effective_interactions(histograms[:, step], energies[:, list(numbers)])
            rows.append(
                {
                    "step": step,
                    "size": shape[0],
                    "shape": list(shape),
                    "operators": [NAMES[number] for number in numbers],
                    "values": _numbers(inversion.value),
                    "errors": _numbers(inversion.error),
                    "wraps": products_coincide(shape),
                    "reason": inversion.reason,
                }
            )
    return rows


def _numbers(values: NDArray[np.float64]) -> list[float] | None:
    return None if np.isnan(values).any() else values.tolist()
