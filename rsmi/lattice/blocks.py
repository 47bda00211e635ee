"""Blocks that are lists of sites, from files."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import UsageError
from rsmi.foreign_text import read_small_file
from rsmi.lattice.geometry import Geometry, parse_block

_SUFFIX = ".csv"
_LARGEST = 64  # sites along a side of the box around a block


def block_of(text: str, buffer: int, environment: int, metric: str | None = None) -> Geometry:
    """Return the geometry of ``--block`` and ``--metric``.

    Parameters
    ----------
    text : str
        A shape such as ``3x3``, or the name of a CSV file with the coordinates of one site in each
        line. Only their differences matter.
    buffer, environment : int
    metric : {"square", "lattice"}, optional
        By default ``square``; a rectangle then has frames around it, as it has by default.

    Returns
    -------
    Geometry
        The neighbours of the metric ``lattice`` are those of the hypercubic lattice; see
        `with_neighbours`.

    Raises
    ------
    UsageError
        If there is no such block.
    """
    if not text.endswith(_SUFFIX):
        block = parse_block(text)
        return Geometry(block, buffer, environment, metric=metric if metric == "lattice" else None)
    sites = read_sites(Path(text))
    sites -= sites.min(axis=0)
    box = tuple((sites.max(axis=0) + 1).tolist())
    if max(box) > _LARGEST:
        raise UsageError(f"--block {text}: the sites lie more than {_LARGEST} apart")
    live = np.zeros(box, dtype=bool)
    live[tuple(sites.T)] = True
    if live.sum() < len(sites):
        raise UsageError(f"--block {text}: a site is listed twice")
    return Geometry(
        box, buffer, environment, live=tuple(live.ravel().tolist()), metric=metric or "square"
    )


def read_sites(path: Path) -> NDArray[np.int64]:
    """Return the sites (n, d) of a CSV file: integers, one site a line. Lines that begin with # are
    comments, and the first line may name the axes.

    Raises
    ------
    UsageError
        If the file cannot be read, or is no list of sites.
    """
    try:
        text = read_small_file(path).decode("utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"--block {path}: {getattr(error, 'strerror', 'no text')}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        rows = [[entry.strip() for entry in row] for row in csv.reader(lines)]
        if rows and all(entry.isidentifier() for entry in rows[0]):
            del rows[0]
        sites = np.array([[int(entry) for entry in row] for row in rows], dtype=np.int64)
    except (ValueError, OverflowError, csv.Error) as error:
        raise UsageError(
            f"--block {path}: must have the integer coordinates of one site in each line, such as"
            " 0,1"
        ) from error
    if sites.ndim != 2 or not 1 <= sites.shape[1] <= 3:
        raise UsageError(f"--block {path}: has no sites of one to three coordinates")
    return sites


def with_neighbours(geometry: Geometry, steps: NDArray[np.int64] | None) -> Geometry:
    """Return a geometry that measures distances in steps to these neighbours (n, d) of a site; None
    stands for those of the hypercubic lattice.

    Raises
    ------
    UsageError
        If a neighbour lies beyond the sites around a site in the array.
    """
    if geometry.metric != "lattice":
        return geometry
    if steps is None:
        unit = np.eye(geometry.dimension, dtype=np.int64)
        steps = np.concatenate([unit, -unit])
    if np.abs(steps).max() > 1:
        raise UsageError(
            "--metric lattice: nearest neighbours lie far apart in the array; take --metric square"
        )
    return replace(geometry, neighbours=tuple(map(tuple, steps.tolist())))
