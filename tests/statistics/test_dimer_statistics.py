"""The worm draws every covering with the same probability: small lattices covering by covering,
larger ones by winding and correlations."""

from functools import cache
from pathlib import Path

import dimers_twin
import numpy as np
import pytest
from exact import dimer_coverings

from rsmi.models.dimers import coverings as dimers
from rsmi.models.dimers import worm as kernel

REFERENCE = Path(__file__).parents[2] / "data/reference"
BINS = 50

# <W_x^2> and P(|W_x|, |W_y| in this order) by the transfer matrix: data/reference/dimer_counts.csv.
WINDING = {4: 0.2941176471, 6: 0.2991483322, 8: 0.3006213383, 16: 0.3026203838}
SECTORS = {
    4: {(0, 0): 0.48529412, (1, 0): 0.11764706, (1, 1): 0.00735294, (2, 0): 0.00367647},
    6: {(0, 0): 0.48988644, (1, 0): 0.11081663, (1, 1): 0.01410575, (2, 0): 0.00252839},
    8: {(0, 0): 0.49293341, (1, 0): 0.10739162, (1, 1): 0.01740313, (2, 0): 0.00176663},
}


@cache
def sample(shape, worms, count, boundary="periodic", chains=4, seed=1):
    """(links (count, 2, Lx, Ly), steps (count,)) of chains in turn that have forgotten their
    columns."""
    partners, vertices = np.stack([dimers.columns(shape)] * chains), shape[0] * shape[1]
    rng = np.random.SeedSequence(seed).generate_state(4 * chains, np.uint64).reshape(chains, 4)
    packed, pairs, steps = (
        np.empty((count, (2 * vertices + 7) // 8), np.uint8),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    for rows, worms_each in ((chains, 100 * worms), (count, worms)):
        kernel.sample_chains(
            partners, rng, boundary, worms_each, 0, pairs[:rows], packed[:rows], steps[:rows]
        )
    return (
        np.unpackbits(packed, axis=1, count=2 * vertices, bitorder="little").reshape(
            count, 2, *shape
        ),
        steps,
    )


def chi_square_z(counts, probabilities):
    """(chi^2 - degrees of freedom) / sqrt(2 degrees of freedom)."""
    expected = np.sum(counts) * np.asarray(probabilities)
    freedom = len(expected) - 1
    return (((np.asarray(counts) - expected) ** 2 / expected).sum() - freedom) / np.sqrt(
        2 * freedom
    )


def z_score(values, exact):
    bins = values[: len(values) // BINS * BINS].reshape(BINS, -1).mean(axis=1)
    return (bins.mean() - exact) / (bins.std(ddof=1) / np.sqrt(BINS))


def all_coverings(shape, boundary="periodic"):
    return np.array(
        [dimers_twin.dimer_links(partners) for partners in dimer_coverings(shape, boundary)]
    )


def covering_counts(links, coverings):
    """How often each covering occurs."""
    place = {covering.tobytes(): k for k, covering in enumerate(coverings)}
    return np.bincount([place[covering.tobytes()] for covering in links], minlength=len(coverings))


COVERINGS = {
    ("periodic", (4, 4)): 272,
    ("open", (4, 4)): 36,
    ("open", (4, 6)): 281,
    ("periodic", (2, 4)): 36,
    ("open", (2, 8)): 34,
}


@pytest.mark.parametrize(("boundary", "shape"), COVERINGS)
def test_every_covering(boundary, shape):
    """Each is found, and equally often. On 2x4 two links join neighbours along x, which the
    enumeration does not know: 2^4 coverings with none along y, 4 x 2^2 with one pair, 2 x 2 with
    two."""
    if shape == (2, 4):
        coverings = np.unique(sample(shape, 8, 60_000)[0], axis=0)
    else:
        coverings = all_coverings(shape, boundary)
    assert len(coverings) == COVERINGS[boundary, shape]
    counts = covering_counts(sample(shape, 8, 60_000, boundary)[0], coverings)
    assert counts.min() > 0
    assert abs(chi_square_z(counts, np.full(len(coverings), 1 / len(coverings)))) < 4


def test_samples_after_a_number_of_steps_would_be_biased():
    """Why a sweep is a number of worms: stored at the first closure after every 10 steps, the
    coverings of 4x4 are not equally likely, as long worms are met more often than short ones. The
    test above would see it."""
    links, steps = sample((4, 4), 1, 400_000, chains=1)
    taken = links[1:][np.diff(np.cumsum(steps) // 10) > 0]
    coverings = all_coverings((4, 4))
    assert abs(chi_square_z(covering_counts(links[::8], coverings), np.full(272, 1 / 272))) < 4
    assert chi_square_z(covering_counts(taken, coverings), np.full(272, 1 / 272)) > 10


@pytest.mark.parametrize("size", SECTORS)
def test_winding_sectors(size):
    """Probabilities of the sectors by their kind, those beyond (2, 0) together; a worm that changed
    no winding would stay in (0, 0)."""
    found = np.sort(np.abs(dimers.windings(sample((size, size), 6, 40_000)[0])), axis=1)[:, ::-1]
    counts = [int((found == kind).all(axis=1).sum()) for kind in SECTORS[size]]
    exact = [
        probability * (1 if kind == (0, 0) else 4) for kind, probability in SECTORS[size].items()
    ]  # of both signs, or orders
    if size == 4:
        assert sum(counts) == len(found)  # these four kinds are all there are
    else:
        counts, exact = [*counts, len(found) - sum(counts)], [*exact, 1 - sum(exact)]
    assert abs(chi_square_z(counts, exact)) < 4


@pytest.mark.parametrize("size", WINDING)
def test_winding_variance(size):
    """<W_x^2>. A value 5 % off would be seen: the infinite lattice's for that of 4x4, or a sampler
    that rarely changes the winding."""
    squares = (dimers.windings(sample((size, size), 6, 40_000)[0]) ** 2).mean(axis=1)
    assert abs(z_score(squares, WINDING[size])) < 4
    assert abs(z_score(squares, 1.05 * WINDING[size])) > 4


def covariances(links):
    """Cov(n_0(r), n_a(r + d)) of each of BINS bins, averaged over r: (BINS, 2, Lx, Ly), with <n> =
    1/4 known."""
    found = []
    for bin_links in np.split(links[: len(links) // BINS * BINS], BINS):
        transform = np.fft.rfft2(bin_links - 0.25)
        spectrum = (np.conj(transform[:, :1]) * transform).mean(axis=0)
        found.append(np.fft.irfft2(spectrum, links.shape[2:]) / (links.shape[2] * links.shape[3]))
    return np.array(found)


def largest_deviation(links, exact):
    """In errors; the two links of one vertex are never both covered, which has no error."""
    bins = covariances(links)
    return np.max(
        np.abs(bins.mean(axis=0) - exact) / (bins.std(axis=0, ddof=1) / np.sqrt(BINS) + 1e-12)
    )


def test_link_covariance_of_the_torus():
    """All 512 covariances on 16x16 within five errors of the exact ones
    (data/reference/dimer_corr16.csv). A sampler that stays in one winding sector, or the other
    sublattice's sign, is off by far more."""
    exact = np.loadtxt(REFERENCE / "dimer_corr16.csv", delimiter=",", skiprows=1)[:, 3].reshape(
        2, 16, 16
    )
    links = sample((16, 16), 6, 40_000)[0]
    assert largest_deviation(links, exact) < 5
    still = links[(dimers.windings(links) == 0).all(axis=1)]
    assert largest_deviation(still, exact) > 8


def test_open_boundary():
    """8x8 with open boundary: the probability of the corner's dimer is 1/2 by symmetry, and that of
    every link is the ratio of the coverings of the lattice without its ends to all 12,988,816, by
    Kasteleyn's determinant."""
    links = sample((8, 8), 8, 60_000, "open")[0]
    exact = open_link_probabilities(8)
    assert abs(exact[0, 0, 0] - 0.5) < 1e-12
    errors = np.sqrt(exact * (1 - exact) / len(links)) + 1e-12
    assert np.max(np.abs(links.mean(axis=0) - exact) / errors) < 5


def open_link_probabilities(size):
    """P(n_a(x, y) = 1) of the open lattice, (2, size, size): K_vw K^-1_wv with Kasteleyn's weights
    1 along x, i along y."""
    vertices = [(x, y) for x in range(size) for y in range(size)]
    matrix = np.zeros((len(vertices),) * 2, complex)
    for i, (x, y) in enumerate(vertices):
        for j, there in ((i + size, (x + 1, y)), (i + 1, (x, y + 1))):
            if max(there) < size:
                matrix[i, j] = matrix[j, i] = 1 if there[0] > x else 1j
    assert abs(np.sqrt(abs(np.linalg.det(matrix))) - 12988816) < 1
    inverse, found = np.linalg.inv(matrix), np.zeros((2, size, size))
    for i, (x, y) in enumerate(vertices):
        for a, j in ((0, i + size), (1, i + 1)):
            if (x, y)[a] + 1 < size:
                found[a, x, y] = (matrix[i, j] * inverse[j, i]).real
    return found
