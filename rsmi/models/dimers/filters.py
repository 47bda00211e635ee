"""Measures of filters on dimers: which part of them has an effect, and how much of it is the
electric field.

A block of m_x x m_y cells contains the links of its vertices (i, j) to (i+1, j) and (i, j+1), as
+-1 variables (+1 = dimer), and with noise a spin at every vertex and face. The height description
of the coverings (E. Fradkin et al., Phys. Rev. B 69, 224415 (2004)) is a free field whose electric
field is E_a(x, y) = (-1)^(x+y) (n_a - 1/4). Its mean over the block has the filter T_a, +-1 on the
links along a. The first vertex of the block is assumed to have x + y even.

Filters that differ by stars (`rsmi.models.dimers.stars`) are the same function on every covering.
Measures of coefficients therefore remove the stars first; measures by covariances need not.

Arrays are ordered as in the files, component by component: (x-links, y-links) or (vertex noise,
x-links, y-links, face noise). The cells of a component are in row-major order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsmi.information.canonical import (
    Canonical,
    Moments,
    angles_between,
    canonical_correlations,
    explained_shares,
    gaussian_information,
    information_of_each,
    readout_correlations,
    window_covariance,
)
from rsmi.lattice.geometry import Geometry
from rsmi.models.dimers.stars import without_stars

LINKS = {2: slice(0, 2), 4: slice(1, 3)}  # components of a cell that are links
# The vertex whose noise is coupled to that of a face, relative to the cell of the face.
PARTNERS = {"cell": (0, 0), "straddling": (1, 1)}


# ---- templates and links -------------------------------------------------------------------------


def electric_templates(block: Sequence[int]) -> NDArray[np.float64]:
    """Return T_x and T_y, which are +-1 on the links along x and y.

    Parameters
    ----------
    block : (int, int)
        Cells along x and y.

    Returns
    -------
    ndarray of float64, (2, 2 m_x m_y)
    """
    i, j = np.indices(block)
    return _by_component((-1.0) ** (i + j), (-1.0) ** (i + j))


def columnar_templates(block: Sequence[int]) -> NDArray[np.float64]:
    """Return the columnar order parameter, (-1)^x on the x-links and (-1)^y on the y-links.

    Parameters and result are those of `electric_templates`.
    """
    i, j = np.indices(block)
    return _by_component((-1.0) ** i, (-1.0) ** j)


def _by_component(on_x: NDArray[np.float64], on_y: NDArray[np.float64]) -> NDArray[np.float64]:
    nothing = np.zeros_like(on_x)
    return np.array([np.stack([on_x, nothing]).ravel(), np.stack([nothing, on_y]).ravel()])


def split_filters(
    filters: ArrayLike, components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the link and noise parts of filters.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, components m_x m_y)
    components : {2, 4}

    Returns
    -------
    links : ndarray of float64, (n_hidden, 2 m_x m_y)
    noise : ndarray of float64, (n_hidden, 2 m_x m_y) or (n_hidden, 0)
        Vertex spins, then face spins.
    """
    filters = np.asarray(filters, np.float64)
    parts = filters.reshape(len(filters), components, -1)
    noise = np.delete(parts, np.arange(components)[LINKS[components]], axis=1)
    return parts[:, LINKS[components]].reshape(len(filters), -1), noise.reshape(len(filters), -1)


def embed_links(links: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    """Return filters on links, (n, 2 m_x m_y), as filters of all variables, (n, components m_x
    m_y), which are zero on noise."""
    filters = np.zeros((len(links), components, links.shape[1] // 2))
    filters[:, LINKS[components]] = links.reshape(len(links), 2, -1)
    return filters.reshape(len(links), -1)


def on_links(block: Sequence[int], components: int) -> NDArray[np.bool_]:
    """Return which variables of a block are links, (components m_x m_y,)."""
    return embed_links(np.ones((1, 2 * block[0] * block[1])), components)[0] > 0


# ---- measures that need no covariance ------------------------------------------------------------


class Shape(NamedTuple):
    """Measures of the coefficients of gauge-fixed filters.

    Attributes
    ----------
    electric : ndarray of float64, (n_hidden,)
        R^2: the share of the squared link weights in the span of T_x and T_y.
    columnar : ndarray of float64, (n_hidden,)
        The same share for the columnar templates.
    noise : ndarray of float64, (n_hidden,)
        The share of all squared weights on noise spins.
    direction : ndarray of float64, (n_hidden,)
        Direction of (lambda . T_x, lambda . T_y) in degrees from x, in (-180, 180].
    angles : ndarray of float64, (n_hidden, n_hidden)
        Angles between the link parts in degrees, in [0, 180].
    capture : ndarray of float64, (2,)
        The shares of T_x and of T_y in the span of all link parts.
    """

    electric: NDArray[np.float64]
    columnar: NDArray[np.float64]
    noise: NDArray[np.float64]
    direction: NDArray[np.float64]
    angles: NDArray[np.float64]
    capture: NDArray[np.float64]


def filter_shape(filters: ArrayLike, block: tuple[int, int], components: int) -> Shape:
    """Measure filters by their coefficients, after the stars are removed.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, components m_x m_y)
    block : (int, int)
        Cells along x and y.
    components : {2, 4}

    Returns
    -------
    Shape
        nan where a filter vanishes.
    """
    filters = np.asarray(filters, np.float64)
    fixed, _ = without_stars(filters, np.zeros(len(filters)), block, components)
    links, noise = split_filters(fixed, components)
    templates = electric_templates(block)
    squares, all_squares = (links**2).sum(axis=1), (fixed**2).sum(axis=1)
    overlap = links @ templates.T
    columnar = links @ columnar_templates(block).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return Shape(
            electric=(overlap**2).sum(axis=1) / (squares * np.prod(block)),
            columnar=(columnar**2).sum(axis=1) / (squares * np.prod(block)),
            noise=(noise**2).sum(axis=1) / all_squares,
            direction=np.degrees(np.arctan2(overlap[:, 1], overlap[:, 0])),
            angles=angles_between(links, np.eye(links.shape[1])),
            capture=explained_shares(templates, links, np.eye(links.shape[1])),
        )


# ---- measures by the exact covariance ------------------------------------------------------------


def window_moments(
    covariance: NDArray[np.float64],
    geometry: Geometry,
    components: int,
    noise_correlation: float = 0.0,
    pairing: str = "cell",
) -> Moments:
    """Return the exact covariances of block and environment of free dimers.

    Parameters
    ----------
    covariance : ndarray of float64, (2, 2, Lx, Ly)
        From `rsmi.models.dimers.kasteleyn.link_covariance`.
    geometry : Geometry
        Block, buffer and environment in cells.
    components : {2, 4}
        4 with noise.
    noise_correlation : float
        Correlation of a vertex spin and the face spin coupled to it: 2p - 1 where they are equal
        with probability p.
    pairing : {"cell", "straddling"}
        "cell" couples the vertex and the face of one cell; "straddling" couples the vertex (x+1,
        y+1) and the face (x, y).

    Returns
    -------
    Moments
        The variables are in the order of the files.

    Raises
    ------
    UsageError
        If the window does not fit on the lattice.
    """
    geometry.check(covariance.shape[2:])
    block, environment = (
        _variables(cells, components)
        for cells in (geometry.block_offsets, geometry.environment_offsets)
    )

    def between(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        return _covariance(covariance, first, second, noise_correlation, PARTNERS[pairing])

    return Moments(
        between(block, block), between(environment, environment), between(block, environment)
    )


def _variables(cells: NDArray[np.int64], components: int) -> NDArray[np.int64]:
    """Return (kind, x, y) of every variable of cells (n, 2): the kinds 0 and 1 are links, 2 are
    vertex spins and 3 face spins."""
    kinds = (0, 1) if components == 2 else (2, 0, 1, 3)
    return np.concatenate([np.insert(cells, 0, kind, axis=1) for kind in kinds])


def _covariance(
    covariance: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    noise_correlation: float,
    partner: tuple[int, int],
) -> NDArray[np.float64]:
    result = np.zeros((len(first), len(second)))
    links, others = (np.flatnonzero(part[:, 0] < 2) for part in (first, second))
    result[np.ix_(links, others)] = 4 * window_covariance(covariance, first[links], second[others])
    shape = np.array(covariance.shape[2:])
    for vertex, face, transposed in ((first, second, False), (second, first, True)):
        meets = ((vertex[:, None, 1:] - face[None, :, 1:] - partner) % shape == 0).all(axis=2)
        coupled = meets & (vertex[:, :1] == 2) & (face[None, :, 0] == 3)
        result += noise_correlation * (coupled.T if transposed else coupled)
    same = (first[:, None] == second[None]).all(axis=2) & (first[:, :1] >= 2)
    return result + same


class Readout(NamedTuple):
    """The information of linear functions of a block about its environment, with the
    `canonical_correlations` of the whole block for comparison.

    Attributes
    ----------
    electric : ndarray of float64, (n_hidden,)
        Share of the variance of the link part that T_x and T_y explain.
    canonical : ndarray of float64, (n_hidden,)
        The same share for the two leading canonical modes.
    correlation : ndarray of float64, (n_hidden,)
        Correlation rho with the linear function of E that predicts the filter best.
    information : ndarray of float64, (n_hidden,)
        -ln(1 - rho^2)/2 in nats.
    joint : float
        The information of all filters as one variable, in nats.
    angles : ndarray of float64, (n_hidden, n_hidden)
        arccos of the correlations between filters in degrees, in [0, 180].
    capture : ndarray of float64, (2,)
        Shares of the variance of T_x and of T_y that the link parts of the filters explain.
    optimum : Canonical
        Canonical pairs of the whole block with E.
    """

    electric: NDArray[np.float64]
    canonical: NDArray[np.float64]
    correlation: NDArray[np.float64]
    information: NDArray[np.float64]
    joint: float
    angles: NDArray[np.float64]
    capture: NDArray[np.float64]
    optimum: Canonical


def filter_readout(
    filters: ArrayLike, moments: Moments, block: Sequence[int], components: int
) -> Readout:
    """Measure filters by the exact covariance of free dimers, on which the gauge has no effect.

    Parameters
    ----------
    filters : array_like of float, (n_hidden, components m_x m_y)
    moments : Moments
    block : (int, int)
        Cells along x and y.
    components : {2, 4}

    Returns
    -------
    Readout
        nan where a filter does not vary.
    """
    filters = np.asarray(filters, float)
    links = filters * on_links(block, components)
    templates = embed_links(electric_templates(block), components)
    optimum = canonical_correlations(*moments)
    modes = optimum.block_modes[:2] @ moments.block @ links.T
    correlation = np.array([(*readout_correlations(row, *moments), np.nan)[0] for row in filters])
    with np.errstate(invalid="ignore", divide="ignore"):
        return Readout(
            electric=explained_shares(links, templates, moments.block),
            canonical=(modes**2).sum(axis=0)
            / np.einsum("hi,ij,hj->h", links, moments.block, links),
            correlation=correlation,
            information=information_of_each(correlation),
            joint=gaussian_information(readout_correlations(filters, *moments)),
            angles=angles_between(filters, moments.block),
            capture=explained_shares(templates, links, moments.block),
            optimum=optimum,
        )
