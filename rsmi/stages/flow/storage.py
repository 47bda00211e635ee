"""How the sums of a flow are stored: the datasets ``/blocks/*`` and ``/neighbourhoods/*``."""

from __future__ import annotations

import numpy as np

from rsmi.engine.tasks import Rows
from rsmi.renormalization import couplings
from rsmi.stages.flow.sums import Sums
from rsmi.stages.joined import Contents
from rsmi.store import Writer

_OVERHEAD = 1 << 16  # bytes of a file beside its large datasets


def contents(sums: Sums, others: Rows, dimension: int) -> Contents:
    """What stores the sums and other datasets, and about how many bytes they take."""
    neighbourhoods = _neighbourhoods(sums, dimension) if _has_histograms(sums) else {}

    def fill(writer: Writer) -> None:
        for path, array in others.items():
            writer.write(path, array)
        writer.write("/blocks/file", sums.files.astype(np.int64))
        for name, array in sums.blocks.items():
            writer.write(f"/blocks/{name}", array)
        for name, array in neighbourhoods.items():
            writer.write(f"/neighbourhoods/{name}", array, compress=name == "counts")

    arrays = [*sums.blocks.values(), *neighbourhoods.values()]
    return fill, sum(array.nbytes for array in arrays) + _OVERHEAD


def _has_histograms(sums: Sums) -> bool:
    """Whether local energies were measured: they are those of one component per site."""
    return sums.histograms[0].shape[-1] > 0


def _neighbourhoods(sums: Sums, dimension: int) -> Rows:
    """The histograms of all ensembles, without the bins that never occur."""
    occupied = np.logical_or.reduce([array.any(axis=(0, 1)) for array in sums.histograms])
    files = [np.full(len(samples), number) for number, samples in enumerate(sums.samples)]
    return {
        "file": np.concatenate(files).astype(np.int64),
        "samples": np.concatenate(sums.samples).astype(np.int64),
        "energies": couplings.local_energies(dimension)[occupied],
        "counts": np.concatenate([array[:, :, occupied] for array in sums.histograms]),
    }
