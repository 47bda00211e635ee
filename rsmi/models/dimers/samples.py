"""Samples of dimers as they are read from files: coverings, and what is averaged over them."""

from __future__ import annotations

import math

import numpy as np

from rsmi.errors import DataError
from rsmi.lattice.packed import unpack_bits
from rsmi.models import spins
from rsmi.models.dimers import coverings
from rsmi.statistics.summary import average_summary
from rsmi.store import File

_BYTES_AT_ONCE = 1 << 26  # of unpacked links


def unpacked(packed, shape: tuple[int, int], components: int):
    """(first row, arrays (rows, components, Lx, Ly) of 0 and 1) of packed rows, an array or a
    reader of rows, a few at a time."""
    bits = components * math.prod(shape)
    step = max(1, _BYTES_AT_ONCE // bits)
    for first in range(0, len(packed), step):
        yield first, unpack_bits(packed[first : first + step], (components, *shape))


class _Rows:
    """The packed rows of a file, read as they are asked for."""

    def __init__(self, file: File):
        self._file = file

    def __len__(self) -> int:
        return self._file.shape("/spins")[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self._file.read("/spins", rows.start, rows.stop)


def read_coverings(file: File):
    """(first sample, arrays (samples, components, Lx, Ly) of 0 and 1) of a dimer samples file, a
    few thousand at a time.

    Raises
    ------
    DataError
        Where the links of a sample are no covering: naming the sample and the vertex.
    """
    attributes = file.attributes
    for first, variables in unpacked(_Rows(file), attributes["shape"], attributes["components"]):
        coverings.check_coverings(
            coverings.links_of(variables), attributes["boundary"], file.path, first
        )
        yield first, variables


def check_coverings(file: File) -> None:
    """Raise DataError unless every sample of a dimer samples file is a covering."""
    for _ in read_coverings(file):
        pass


def observables_of(chunks, boundary: str) -> dict[str, np.ndarray]:
    found = [coverings.observables(links, boundary) for links in chunks]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def observables(file: File) -> dict[str, np.ndarray]:
    """`coverings.observables` of every sample of a file, and ``noise_agreement``, the
    fraction of faces whose spin is that of the vertex they are paired with; the coverings are
    checked."""
    pairing, found = file.attributes.get("noise_pairing"), []
    for _, variables in read_coverings(file):
        part = coverings.observables(coverings.links_of(variables), file.attributes["boundary"])
        found.append(
            part
            | (
                {"noise_agreement": coverings.noise_agreement(variables, pairing)}
                if pairing
                else {}
            )
        )
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


# ---- the numbers of a samples file ---------------------------------------------------------------


def summary(file: File) -> dict:
    """Averages over coverings with errors: energy per vertex in units of the interaction's
    strength, (W_x^2 + W_y^2)/2, columnar order, noise, and the stiffness from the fluctuation of
    the field."""
    series = observables(file)
    series["energy"] = series["energy"] / math.prod(file.attributes["shape"])
    numbers = average_summary(series, file.attributes["chains"])
    fluctuation = numbers.get("field_fluctuation")
    if fluctuation:
        stiffness, error = coverings.stiffness(fluctuation), numbers["field_fluctuation_error"]
        numbers |= {
            "stiffness": stiffness,
            "stiffness_error": error and stiffness * error / fluctuation,
        }
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
    if ("noise_probability" in attributes) != ("noise_pairing" in attributes) or pairing not in (
        "cell",
        "straddling",
    ):
        raise DataError(
            f"{path}: noise_probability and noise_pairing, cell or straddling, must be given"
            " together"
        )
    bonds = 2 * math.prod(attributes["original_shape"])
    spins.check_energies(file, -bonds, bonds)
