"""What a trained file says of its windows and of the samples it learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.information.products import table
from rsmi.lattice.geometry import Geometry
from rsmi.samples.attributes import LATTICE
from rsmi.samples.views import SamplesFile
from rsmi.samples.windows import WindowSet
from rsmi.store import Writer


def geometry_attributes(geometry: Geometry) -> dict[str, Any]:
    """A geometry as attributes of a file."""
    several = geometry.components if geometry.components > 1 else None
    return {
        "block": geometry.block,
        "buffer": geometry.buffer,
        "environment": geometry.environment,
        "components": several,
        "metric": geometry.metric,
    }


def metric_parameters(geometry: Geometry) -> dict[str, Any]:
    """What identifies a window that has no square frames around a rectangle, as JSON values."""
    if geometry.metric is None:
        return {}
    sites = {} if geometry.live is None else {"sites": geometry.block_offsets.tolist()}
    return {"metric": geometry.metric, **sites}


def lattice_attributes(samples: SamplesFile) -> dict[str, Any]:
    """The attributes that a trained file takes over from its samples."""
    kept = {name: samples.attributes.get(name) for name in LATTICE}
    return kept if samples.periodic else kept | {"boundary": samples.boundary}


def on_all_sites(windows: WindowSet, filters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Filters (..., n_features) with zeros on the sites of the block without data. Products have
    sites of their own."""
    geometry = windows.geometry
    if geometry.live is None or windows.products is not None or windows.units is not None:
        return filters
    live = np.tile(geometry.live, geometry.components)
    whole = np.zeros((*filters.shape[:-1], len(live)))
    whole[..., live] = filters
    return whole


def covariance(blocks: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the covariance (n_block, n_block) of the variables +-1 of blocks (n, n_block)."""
    products = np.zeros((blocks.shape[1],) * 2)
    for part in np.array_split(blocks, max(1, len(blocks) >> 14)):
        spins = part.astype(np.float32)  # sums of so few are exact
        products += spins.T @ spins
    mean = blocks.mean(axis=0)
    return products / len(blocks) - np.outer(mean, mean)


def write_filters(writer: Writer, windows: WindowSet, filters: NDArray[np.float64]) -> None:
    """Store the filters (hidden, n_features) of a rule, with the products that they act on."""
    if windows.products is None:
        writer.write("/filters", on_all_sites(windows, filters))
        return
    sites, live = table(windows.products), windows.geometry.live
    if live is not None:
        numbers = np.flatnonzero(np.tile(live, windows.geometry.components))
        sites = np.where(sites < 0, -1, numbers[sites])
    writer.write("/products/sites", sites)
    writer.write("/products/filters", filters)


def write_mask(writer: Writer, geometry: Geometry) -> None:
    """Store which sites of the block carry data, unless all do."""
    if geometry.live is not None:
        writer.write("/mask", np.array(geometry.live, dtype=np.uint8))
