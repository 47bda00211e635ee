"""Samples of dimers in files: coverings, what is averaged over them, and checks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError
from rsmi.lattice.packed import slices_of_rows, unpack_bits
from rsmi.models import spins
from rsmi.models.dimers import coverings
from rsmi.models.dimers.worm import PAIRINGS
from rsmi.statistics.summary import average_summary
from rsmi.store import File

# ---- coverings -----------------------------------------------------------------------------------


def read_coverings(file: File) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Read the samples of a dimer samples file, a few thousand at a time.

    Yields
    ------
    first : int
        The number of the first sample.
    variables : ndarray of uint8, (n, components, Lx, Ly)
        0 and 1.

    Raises
    ------
    DataError
        If the links of a sample are no covering; it names the sample and the vertex.
    """
    shape, components = file.attributes["shape"], file.attributes["components"]
    for rows in slices_of_rows(file.shape("/spins")[0], components * math.prod(shape)):
        packed = file.read("/spins", rows.start, rows.stop)
        variables = unpack_bits(packed, (components, *shape))
        coverings.check_coverings(
            coverings.links_of(variables), file.attributes["boundary"], file.path, rows.start
        )
        yield rows.start, variables


def check_coverings(file: File) -> None:
    """Raise DataError unless every sample of a dimer samples file is a covering."""
    for _ in read_coverings(file):
        pass


# ---- what is measured ----------------------------------------------------------------------------


def observables_of_links(
    packed: NDArray[np.uint8], shape: tuple[int, ...], boundary: str
) -> dict[str, NDArray[np.float64]]:
    """Return `coverings.observables` of packed links, (n,) each."""
    parts = slices_of_rows(len(packed), 2 * math.prod(shape))
    links = (unpack_bits(packed[rows], (2, *shape)) for rows in parts)
    return _joined(coverings.observables(part, boundary) for part in links)


def observables(file: File) -> dict[str, NDArray[np.float64]]:
    """Return `coverings.observables` of every sample of a file, (n,) each. With noise there is also
    ``noise_agreement``, the fraction of faces whose spin is that of the vertex they are paired
    with. The coverings are checked."""
    return _joined(_observables_of(variables, file) for _, variables in read_coverings(file))


def _observables_of(variables: NDArray[np.uint8], file: File) -> dict[str, NDArray[np.float64]]:
    pairing = file.attributes.get("noise_pairing")
    measured = coverings.observables(coverings.links_of(variables), file.attributes["boundary"])
    if pairing is None:
        return measured
    return measured | {"noise_agreement": coverings.noise_agreement(variables, pairing)}


def _joined(parts: Iterable[dict[str, NDArray]]) -> dict[str, NDArray]:
    measured = list(parts)
    return {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}


def summary(file: File) -> dict[str, float | None]:
    """Return averages over coverings with their errors: the energy per vertex in units of |v|,
    (W_x^2 + W_y^2)/2, columnar order, noise, and the stiffness, which follows from the fluctuation
    of the field."""
    series = observables(file)
    series["energy"] = series["energy"] / math.prod(file.attributes["shape"])
    numbers = average_summary(series, file.attributes["chains"])
    fluctuation = numbers.get("field_fluctuation")
    if fluctuation:
        stiffness, error = coverings.stiffness(fluctuation), numbers["field_fluctuation_error"]
        numbers["stiffness"] = stiffness
        numbers["stiffness_error"] = error and stiffness * error / fluctuation
    return numbers


# ---- checks --------------------------------------------------------------------------------------


def check_attributes(file: File) -> None:
    """Refuse a file whose attributes cannot be those of dimers.

    Raises
    ------
    DataError
    """
    attributes, path = file.attributes, file.path
    spins.check_temperature(file, -attributes.get("interaction", 0.0))
    if file.kind != "samples":
        return
    shape, components = attributes["shape"], attributes["components"]
    if len(shape) != 2 or any(size % 2 for size in shape):
        raise DataError(f"{path}: dimers cover lattices of two even sides, not {list(shape)}")
    if components not in (2, 4):
        raise DataError(f"{path}: dimers have 2 components, with noise 4, not {components}")
    pairing = attributes.get("noise_pairing", "cell")
    incomplete = ("noise_probability" in attributes) != ("noise_pairing" in attributes)
    if incomplete or pairing not in PAIRINGS:
        raise DataError(
            f"{path}: noise_probability and noise_pairing, cell or straddling, must be given"
            " together"
        )
    bonds = 2 * math.prod(attributes["original_shape"])
    spins.check_energies(file, -bonds, bonds)
