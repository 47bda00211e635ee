"""Filters on dimers: what of them matters, and how much of it is the electric field.

A block of m_x x m_y cells holds the links of its vertices (i, j) to (i+1, j) and (i, j+1), as +-1
variables (+1 = dimer), and with noise a spin at every vertex and face. The height description of
the coverings (E. Fradkin et al., Phys. Rev. B 69, 224415 (2004)) is a free field whose electric
field is E_a(x, y) = (-1)^(x+y) (n_a - 1/4); the block's mean of it has the filter T_a, +-1 on the
links along a. The first vertex of the block is taken to have x + y even.

Filters that differ by stars (`rsmi.information.gauge`) are the same function on every covering.
Measures of coefficients therefore take the stars out first; measures by covariances need not.

Arrays are ordered as in the files: component by component, (x-links, y-links) or (vertex noise,
x-links, y-links, face noise), and the cells of a component in row-major order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rsmi.information.canonical import (
    Canonical,
    canonical_correlations,
    gaussian_information,
    information_of_each,
    readout_correlations,
)
from rsmi.models.dimers.kasteleyn import window_covariance
from rsmi.models.dimers.stars import without_stars

LINKS = {2: slice(0, 2), 4: slice(1, 3)}  # components of a cell that are links
PARTNERS = {
    "cell": (0, 0),
    "straddling": (1, 1),
}  # vertex whose noise is coupled to that of a face, from the face's cell


# ---- templates and links -------------------------------------------------------------------------


def electric_templates(block):
    """T_x and T_y, +-1 on the links along x and y.

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


def columnar_templates(block):
    """The columnar order parameter, (-1)^x on the x-links, (-1)^y on the y-links; shape as
    `electric_templates`."""
    i, j = np.indices(block)
    return _by_component((-1.0) ** i, (-1.0) ** j)


def _by_component(on_x, on_y):
    nothing = np.zeros_like(on_x)
    return np.array([np.stack([on_x, nothing]).ravel(), np.stack([nothing, on_y]).ravel()])


def split_filters(filters, components):
    """Link and noise parts of filters.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, components m_x m_y)
    components : int
        2 or 4.

    Returns
    -------
    links : ndarray of float64, (n_hidden, 2 m_x m_y)
    noise : ndarray of float64, (n_hidden, 2 m_x m_y) or (n_hidden, 0)
        Vertex, then face spins.
    """
    parts = np.asarray(filters, float).reshape(len(filters), components, -1)
    noise = np.delete(parts, np.arange(components)[LINKS[components]], axis=1)
    return parts[:, LINKS[components]].reshape(len(filters), -1), noise.reshape(len(filters), -1)


def embed_links(links, components):
    """Filters (n, 2 m_x m_y) on links as filters of all variables, (n, components m_x m_y), zero on
    noise."""
    found = np.zeros((len(links), components, links.shape[1] // 2))
    found[:, LINKS[components]] = links.reshape(len(links), 2, -1)
    return found.reshape(len(links), -1)


def on_links(block, components):
    """Which variables of a block are links, ndarray of bool, (components m_x m_y,)."""
    return embed_links(np.ones((1, 2 * block[0] * block[1])), components)[0] > 0


# ---- measures that need no covariance ------------------------------------------------------------


class Shape(NamedTuple):
    """What gauge-fixed filters look like."""

    electric: (
        np.ndarray
    )  # (n_hidden,) R2: share of the squared link weights in the span of T_x and T_y
    columnar: np.ndarray  # (n_hidden,) the same of the columnar templates
    noise: np.ndarray  # (n_hidden,) share of all squared weights on noise spins
    direction: (
        np.ndarray
    )  # (n_hidden,) of (lambda . T_x, lambda . T_y), degrees from x in (-180, 180]
    angles: np.ndarray  # (n_hidden, n_hidden) between the link parts, degrees in [0, 180]
    capture: np.ndarray  # (2,) share of T_x and of T_y in the span of all link parts


def filter_shape(filters, block, components):
    """Measures of filters by their coefficients, stars taken out.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, components m_x m_y)
    block : (int, int)
    components : int
        2 or 4.

    Returns
    -------
    Shape
        NaN where a filter vanishes.
    """
    fixed, _ = without_stars(np.asarray(filters, float), np.zeros(len(filters)), block, components)
    links, noise = split_filters(fixed, components)
    templates = electric_templates(block)
    squares, all_squares = (links**2).sum(axis=1), (fixed**2).sum(axis=1)
    overlap = links @ templates.T
    columnar = links @ columnar_templates(block).T
    with np.errstate(invalid="ignore", divide="ignore"):
        units = links / np.sqrt(squares)[:, None]
        return Shape(
            electric=(overlap**2).sum(axis=1) / (squares * np.prod(block)),
            columnar=(columnar**2).sum(axis=1) / (squares * np.prod(block)),
            noise=(noise**2).sum(axis=1) / all_squares,
            direction=np.degrees(np.arctan2(overlap[:, 1], overlap[:, 0])),
            angles=np.degrees(np.arccos(np.clip(np.einsum("is,js->ij", units, units), -1, 1))),
            capture=_shares(templates, links, np.eye(links.shape[1])),
        )


def _shares(functions, basis, metric):
    """Squared norm of the projection of each function onto the span of a basis, as a share, under a
    metric."""
    products = basis @ metric @ functions.T
    weights = np.linalg.pinv(basis @ metric @ basis.T, rcond=1e-9, hermitian=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("if,ij,jf->f", products, weights, products) / np.einsum(
            "fi,ij,fj->f", functions, metric, functions
        )


# ---- measures by the exact covariance ------------------------------------------------------------


class Moments(NamedTuple):
    """Exact covariances of the +-1 variables of a window, its links and its noise."""

    block: np.ndarray  # (n_block, n_block)
    environment: np.ndarray  # (n_environment, n_environment)
    between: np.ndarray  # (n_block, n_environment)


def window_moments(covariance, geometry, components, noise_correlation=0.0, pairing="cell"):
    """Exact covariances of block and environment of free dimers.

    Parameters
    ----------
    covariance : ndarray of float64, (2, 2, Lx, Ly)
        From `rsmi.models.dimers.kasteleyn.link_covariance`.
    geometry : Geometry
        Block, buffer and environment in cells.
    components : int
        2, or 4 with noise.
    noise_correlation : float
        Of a vertex spin and the face spin coupled to it: 2p - 1 where they are equal with
        probability p.
    pairing : str
        "cell": the face of the same cell; "straddling": vertex (x+1, y+1) and face (x, y).

    Returns
    -------
    Moments
        Variables in the order of the files.

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

    def between(first, second):
        return _covariance(covariance, first, second, noise_correlation, PARTNERS[pairing])

    return Moments(
        between(block, block), between(environment, environment), between(block, environment)
    )


def _variables(cells, components):
    """(kind, x, y) of every variable of cells (n, 2): kinds 0 and 1 are links, 2 vertex spins, 3
    face spins."""
    kinds = (0, 1) if components == 2 else (2, 0, 1, 3)
    return np.concatenate([np.insert(cells, 0, kind, axis=1) for kind in kinds])


def _covariance(covariance, first, second, noise_correlation, partner):
    found = np.zeros((len(first), len(second)))
    links, others = (np.flatnonzero(part[:, 0] < 2) for part in (first, second))
    found[np.ix_(links, others)] = 4 * window_covariance(covariance, first[links], second[others])
    shape = np.array(covariance.shape[2:])
    for vertex, face, transposed in ((first, second, False), (second, first, True)):
        meets = ((vertex[:, None, 1:] - face[None, :, 1:] - partner) % shape == 0).all(axis=2)
        coupled = meets & (vertex[:, :1] == 2) & (face[None, :, 0] == 3)
        found += noise_correlation * (coupled.T if transposed else coupled)
    same = (first[:, None] == second[None]).all(axis=2) & (first[:, :1] >= 2)
    return found + same


class Readout(NamedTuple):
    """What linear functions of a block know of its environment; `canonical_correlations` of the
    whole block for comparison."""

    electric: (
        np.ndarray
    )  # (n_hidden,) share of the variance of the link part explained by T_x and T_y
    canonical: np.ndarray  # (n_hidden,) the same by the two leading canonical modes
    correlation: np.ndarray  # (n_hidden,) rho with the linear function of E that predicts it best
    information: np.ndarray  # (n_hidden,) -ln(1 - rho^2)/2, nats
    together: float  # the same of all filters jointly, nats
    angles: (
        np.ndarray
    )  # (n_hidden, n_hidden) arccos of the correlations between filters, degrees in [0, 180]
    capture: (
        np.ndarray
    )  # (2,) share of the variance of T_x and of T_y explained by the filters' link parts
    optimum: Canonical  # canonical pairs of the whole block with E


def filter_readout(filters, moments, block, components):
    """Measures of filters by the exact covariance of free dimers; the gauge does not enter.

    Parameters
    ----------
    filters : ndarray of float64, (n_hidden, components m_x m_y)
    moments : Moments
    block : (int, int)
        Cells along x and y.
    components : int
        2 or 4.

    Returns
    -------
    Readout
        NaN where a filter does not vary.
    """
    filters = np.asarray(filters, float)
    links = filters * on_links(block, components)
    templates = embed_links(electric_templates(block), components)
    optimum = canonical_correlations(*moments)
    within = filters @ moments.block @ filters.T
    modes = optimum.block_modes[:2] @ moments.block @ links.T
    correlation = np.array([(*readout_correlations(row, *moments), np.nan)[0] for row in filters])
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.diagonal(within))
        return Readout(
            electric=_shares(links, templates, moments.block),
            canonical=(modes**2).sum(axis=0)
            / np.einsum("hi,ij,hj->h", links, moments.block, links),
            correlation=correlation,
            information=information_of_each(correlation),
            together=gaussian_information(readout_correlations(filters, *moments)),
            angles=np.degrees(np.arccos(np.clip(within / np.outer(scale, scale), -1, 1))),
            capture=_shares(templates, links, moments.block),
            optimum=optimum,
        )
