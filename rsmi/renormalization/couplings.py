"""Effective couplings of configurations, by inversion of the Callen equations (Swendsen, PRL 52, 1165 (1984)).

Of a system with weight exp(sum_a K_a S_a), S_a a sum of products of spins, a spin s_l sees the field sum_a K_a S_a,l, where S_a,l is
the sum over the products of S_a that contain l of their *other* spins. Hence <S_a> = (1/m_a) sum_l <S_a,l tanh(sum_b K_b S_b,l)> with
m_a spins in a product: as many equations as couplings, solved by Newton's method.

With the local energies e_a = s_l S_a,l and only even operators they read < e_a (1 - tanh(sum_b K_b e_b)) > = 0, an average over
all sites: the histogram of (e_1, e_2, ...) is all that they need, for any subset of the operators. They are the condition for the
maximum of the pseudo-likelihood, the mean of log P(s_l | all others) = -log(1 + exp(-2 K.e)) (Besag, J. R. Stat. Soc. B 36, 192
(1974)), which is concave: a solution is unique, and there is none only if the operators depend on one another or if the data allow
infinite couplings.
"""

from itertools import permutations, product
from typing import NamedTuple

import numpy as np

from rsmi.kernels.neighbourhood import neighbourhood_counts
from rsmi.statistics.jackknife import jackknife

SINGULAR = 1e-9  # of the smallest to the largest eigenvalue of the normalised Jacobian
LARGEST = 20.0  # exp(-2 K e) is then 0 to all digits: no finite data ask for such a coupling
ITERATIONS = 60
PRECISION = 1e-13


class Operator(NamedTuple):
    """`points`: one copy, as offsets (slowest axis first); the symmetries of the lattice give the others."""

    name: str
    points: tuple[tuple[int, ...], ...]


OPERATORS = {
    1: (
        Operator("nn", ((0,), (1,))),
        Operator("nnn", ((0,), (2,))),
        Operator("third", ((0,), (3,))),
        Operator("four-spin", ((0,), (1,), (2,), (3,))),
    ),
    2: (
        Operator("nn", ((0, 0), (0, 1))),
        Operator("nnn", ((0, 0), (1, 1))),
        Operator("third", ((0, 0), (0, 2))),
        Operator("four-spin", ((0, 0), (0, 1), (1, 0), (1, 1))),
    ),
    3: (
        Operator("nn", ((0, 0, 0), (0, 0, 1))),
        Operator("nnn", ((0, 0, 0), (0, 1, 1))),
        Operator("third", ((0, 0, 0), (1, 1, 1))),
        Operator("four-spin", ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))),
    ),
}
NAMES = tuple(operator.name for operator in OPERATORS[2])
HEADLINE = (0, 1, 2, 3)  # fixed before looking at any result
SETS = ((0,), (0, 1), (0, 1, 2), (0, 1, 3), HEADLINE)


# ---- histograms -----------------------------------------------------------------------------------------------------

def products_through_site(operator: Operator) -> list[tuple[tuple[int, ...], ...]]:
    """The offsets of the other spins of every product of an operator that contains the site at the origin, each sorted."""
    points = np.array(operator.points)
    dimension = points.shape[1]
    found = set()
    for axes in permutations(range(dimension)):
        for signs in product((1, -1), repeat=dimension):
            image = points[:, axes] * signs
            for site in range(len(image)):
                found.add(tuple(sorted(map(tuple, np.delete(image - image[site], site, axis=0).tolist()))))
    return sorted(found)


def _table(operators):
    """The kernel's terms (n_terms, 3, 3), the operator of each and the number of products of each operator."""
    images = [products_through_site(operator) for operator in operators]
    terms = np.zeros((sum(map(len, images)), 3, 3), dtype=np.int32)
    for number, others in enumerate(image for of_operator in images for image in of_operator):
        terms[number, : len(others), -len(others[0]) :] = others
    counts = np.array([len(of_operator) for of_operator in images])
    return terms, np.repeat(np.arange(len(images), dtype=np.int32), counts), counts


_TABLES = {dimension: _table(operators) for dimension, operators in OPERATORS.items()}


def number_of_bins(dimension: int) -> int:
    """Combinations of local energies: 135, 625 and 10647 in one, two and three dimensions."""
    return int(np.prod(1 + _TABLES[dimension][2]))


def local_energies(dimension: int) -> np.ndarray:
    """e_a of every bin of a histogram, (bins, 4) int64: the bin is k_1 + (n_1 + 1) (k_2 + (n_2 + 1) (k_3 + ...)), where k_a of the
    n_a products through a site are -1, and e_a = n_a - 2 k_a."""
    products = _TABLES[dimension][2]
    digits = np.indices(tuple(1 + products[::-1])).reshape(len(products), -1)[::-1]
    return np.ascontiguousarray((products[:, None] - 2 * digits).T)


def histograms(rows, shape, blocks=0, n_blocks: int | None = None) -> np.ndarray:
    """Numbers of sites by their local energies, (n_blocks, bins) int64, summed over the samples of a block.

    Parameters
    ----------
    rows : (n, ceil(sites / 8)) uint8, packed configurations of a periodic lattice of `shape` in one to three dimensions
    blocks : (n,) int64 or int, the block each row is summed into
    n_blocks : number of blocks, by default the largest number in `blocks` plus one
    """
    rows = np.ascontiguousarray(rows, dtype=np.uint8)
    blocks = np.ascontiguousarray(np.broadcast_to(np.asarray(blocks, dtype=np.int64), len(rows)))
    if n_blocks is None:
        n_blocks = int(blocks.max(initial=0)) + 1
    counts = np.zeros((n_blocks, number_of_bins(len(shape))), dtype=np.int64)
    add_histograms(rows, shape, blocks, counts)
    return counts


def add_histograms(rows, shape, blocks, counts) -> None:
    """Add the histograms of `rows` to `counts` in place, as `histograms` with arrays of the kernel's types."""
    terms, owner, _ = _TABLES[len(shape)]
    neighbourhood_counts(rows, (1,) * (3 - len(shape)) + tuple(shape), terms, owner, blocks, counts)


def wraps(shape) -> bool:
    """Whether products coincide through the boundary of so small a lattice that the operators are not those they are named after:
    a point falls onto another one of its product, or a product onto one of another operator."""
    seen: dict[frozenset, int] = {}
    for number, operator in enumerate(OPERATORS[len(shape)]):
        for others in products_through_site(operator):
            points = frozenset(tuple(int(x) % size for x, size in zip(point, shape)) for point in ((0,) * len(shape), *others))
            if len(points) <= len(others) or seen.setdefault(points, number) != number:
                return True
    return False


# ---- inversion ------------------------------------------------------------------------------------------------------

def invert(counts, energies, start=None) -> np.ndarray:
    """The couplings K (k,) that solve sum_i counts_i e_ia (1 - tanh(sum_b K_b e_ib)) = 0.

    Parameters
    ----------
    counts : (bins,) weights of the bins, integers or not
    energies : (bins, k) local energies of the bins, the columns of `local_energies` of the operators wanted
    start : (k,) couplings to begin with, by default none

    Raises
    ------
    numpy.linalg.LinAlgError
        The message says why there is no solution: no data, operators that depend on one another, infinite couplings.
    """
    counts, energies = np.asarray(counts, dtype=np.float64), np.asarray(energies, dtype=np.float64)
    occupied = counts > 0
    counts, energies = counts[occupied], energies[occupied]
    if len(counts) == 0:
        raise np.linalg.LinAlgError("there are no samples")
    counts = counts / counts.sum()
    scale = np.sqrt(counts @ energies**2)
    if not scale.min() > 0:
        raise np.linalg.LinAlgError("an operator vanishes at every site")
    energies = energies / scale
    couplings = np.zeros(len(scale)) if start is None else np.asarray(start, dtype=np.float64) * scale
    return _maximize(counts, energies, couplings, LARGEST * scale) / scale


def _maximize(counts, energies, couplings, largest):
    """Newton's method with steps halved until the pseudo-likelihood does not fall."""
    likelihood, gradient, hessian = _likelihood(counts, energies, couplings)
    for _ in range(ITERATIONS):
        step = _newton_step(gradient, hessian)
        done = np.abs(step).max() <= PRECISION * (1 + np.abs(couplings).max())
        for _ in range(ITERATIONS):
            trial = _likelihood(counts, energies, couplings + step)
            if trial[0] >= likelihood - 1e-14 * abs(likelihood):
                break
            step = step / 2
        couplings = couplings + step
        if (np.abs(couplings) > largest).any():
            break
        if done:
            return couplings
        likelihood, gradient, hessian = trial
    raise np.linalg.LinAlgError("the couplings grow without bound: the configurations are too ordered, or too few, to fix them")


def _likelihood(counts, energies, couplings):
    """The mean of log P(s_l | others), and half its gradient and half its negative Hessian over 1 and 2."""
    field = energies @ couplings
    tangent = np.tanh(field)
    value = -counts @ np.logaddexp(0.0, -2 * field)
    return value, (counts * (1 - tangent)) @ energies, (energies.T * (counts * (1 - tangent**2))) @ energies


def _newton_step(gradient, hessian):
    scale = np.sqrt(np.diag(hessian))
    if not scale.min() > 0:
        raise np.linalg.LinAlgError("the couplings grow without bound: the configurations are too ordered, or too few, to fix them")
    spectrum = np.linalg.eigvalsh(hessian / np.outer(scale, scale))
    if not spectrum[0] > SINGULAR * spectrum[-1]:
        raise np.linalg.LinAlgError("operators are linearly dependent")
    return np.linalg.solve(hessian, gradient)


class Inversion(NamedTuple):
    """`value` (k,) and `error` (k,) of the couplings of the operators numbered `operators`, and `replicas` (groups, k), each without
    one group of samples; nan where undefined, and `reason` then says why (else None)."""

    operators: tuple[int, ...]
    value: np.ndarray
    error: np.ndarray
    replicas: np.ndarray
    reason: str | None


def effective(counts, dimension: int, operators: tuple[int, ...] = HEADLINE) -> Inversion:
    """Couplings and their jackknife errors, every replica inverted anew.

    Parameters
    ----------
    counts : (groups, bins) histograms of groups of samples, each much longer than the autocorrelation time
    operators : numbers of the operators in `OPERATORS[dimension]`; all others are taken to have no coupling
    """
    counts = np.asarray(counts)
    counts, occupied = counts[counts.any(axis=1)], counts.any(axis=0)
    energies = local_energies(dimension)[occupied][:, list(operators)]
    undefined, found, reasons = np.full(len(operators), np.nan), None, []

    def couplings(totals):
        nonlocal found
        try:
            if reasons:
                return undefined
            found = invert(totals["counts"], energies, found)
            return found
        except np.linalg.LinAlgError as error:
            reasons.append(str(error) if found is None else f"{error} (without one group of samples)")
            return undefined

    value, error, replicas = jackknife(couplings, {"counts": counts[:, occupied]})
    if not reasons and len(counts) < 2:
        reasons.append("an error needs at least two groups of samples")
    return Inversion(operators, value, error, replicas, reasons[0] if reasons else None)
