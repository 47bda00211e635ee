"""The request of ``rsmi import``: the options, checked against the file."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi import models
from rsmi.errors import DataError, UsageError
from rsmi.lattice.geometry import parse_block, shape_text, smallest_cell
from rsmi.models.base import Model
from rsmi.stages.acceptance import steps_to_discard
from rsmi.stages.import_ import Import
from rsmi.store.import_bits import BitOrder, BitsSource
from rsmi.store.import_formats import identify, identify_as
from rsmi.store.import_hdf5 import Hdf5Source
from rsmi.store.import_mcising import Mcising
from rsmi.store.import_numpy import NpySource, NpzSource
from rsmi.store.import_text import CsvSource
from rsmi.store.source import Source

log = logging.getLogger("rsmi")


@contextlib.contextmanager
def prepare(
    path: Path,
    *,
    format: str | None,
    dataset: str | None,
    shape: str | None,
    values: str,
    bit_order: BitOrder,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    boundary: str,
    chains: int,
    one_after_another: bool,
    mask: Path | None = None,
    symmetric: str | None = None,
    discard: str = "0",
    trust: bool = False,
) -> Iterator[Import]:
    """Open the source and check that the options fit it.

    The parameters are the options of the command. None stands for what the file says, or else for
    the default.

    Raises
    ------
    UsageError, DataError
        If the file cannot be read, or if the options do not fit it or one another.
    """
    given = parse_block(shape) if shape else None
    format = format or identify(path)
    identify_as(path, format)
    source = _open(path, format, dataset, given, bit_order, temperature)
    with contextlib.closing(source):
        lattice = _lattice(source, given)
        facts = source.facts if isinstance(source, Hdf5Source) else None
        model, known = _physics(facts, model, temperature, coupling, len(lattice), path)
        models.of({"model": model}).check_shape(lattice, f"{path}: a lattice of")
        _check_chains(source, chains, one_after_another)
        sites, cell = (None, None) if mask is None else _read_mask(mask, lattice, boundary, known)
        yield Import(
            source,
            format,
            lattice,
            values,
            bit_order if format == "bits" else None,
            model,
            known,
            boundary,
            chains,
            one_after_another,
            sites,
            cell,
            symmetric,
            steps_to_discard(discard, source.shape[0] // chains),
            trust,
        )


def _open(
    path: Path,
    format: str,
    dataset: str | None,
    shape: tuple[int, ...] | None,
    bit_order: BitOrder,
    temperature: str | None,
) -> Source:
    if dataset is not None and format not in ("npz", "hdf5"):
        raise UsageError(
            f"--dataset: for NPZ and HDF5 files, which hold several arrays; {path} holds one"
        )
    if format == "bits":
        if shape is None:
            raise UsageError(f"{path}: bits say nothing of the lattice: give --shape")
        return BitsSource(path, shape, bit_order)
    if format == "hdf5":
        return Hdf5Source(path, dataset, _plain_temperature(temperature))
    if format == "npz":
        return NpzSource(path, dataset)
    return NpySource(path) if format == "npy" else CsvSource(path)


def _plain_temperature(text: str | None) -> float | None:
    """A temperature that is a number; None for a multiple of Tc, or for no temperature."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _lattice(source: Source, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of one configuration: the axes of the array beyond the first, or the given shape
    if it has as many sites."""
    own = source.shape[1:]
    if given is not None:
        if given != own and (len(own) != 1 or math.prod(given) != own[0]):
            raise UsageError(
                f"--shape {shape_text(given)}: {source.path} has configurations of"
                f" {shape_text(own) or 'one number'}"
            )
        return given
    if not 1 <= len(own) <= 3:
        raise UsageError(
            f"{source.path}: has shape {list(source.shape)}; (n, L), (n, Ly, Lx) or (n, Lz, Ly, Lx)"
            " is needed, the first axis counting configurations"
        )
    return own


def _physics(
    facts: Mcising | None,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    dimension: int,
    path: Path,
) -> tuple[str, float | None]:
    """The name of the model and K, from the options or from a file that says them itself."""
    if facts is not None:
        return _known_physics(facts, model, temperature, coupling, path)
    if model is None or model == Model.name:
        if temperature is not None or coupling is not None:
            raise UsageError(
                "--temperature and --coupling mean the K of a model: with them name it, as by"
                f" --model {models.DEFAULT}, the nearest-neighbour Ising ferromagnet with K ="
                " J/(k_B T)"
            )
        return Model.name, None
    if temperature is None and coupling is None:
        return model, None
    return model, models.get(model).coupling(temperature, coupling, dimension)


def _known_physics(
    facts: Mcising, model: str | None, temperature: str | None, coupling: float | None, path: Path
) -> tuple[str, float | None]:
    """The model and K that the file says, unless only the spins are to be used."""
    if coupling is not None or (
        temperature is not None and _plain_temperature(temperature) is None
    ):
        raise UsageError(
            f"{path}: says its coupling itself: choose among its temperatures by --temperature and"
            " a number"
        )
    if facts.remark and model == facts.model:
        raise UsageError(f"--model {model}: {path} says otherwise: {facts.remark}")
    if facts.remark and model is None:
        log.warning(
            "%s: not the nearest-neighbour Ising ferromagnet (%s): imported as --model none, its"
            " coupling unknown",
            path,
            facts.remark,
        )
    if facts.remark or model == Model.name:
        return Model.name, None
    return facts.model, facts.coupling


def _read_mask(
    path: Path, lattice: tuple[int, ...], boundary: str, coupling: float | None
) -> tuple[NDArray[np.bool_] | None, tuple[int, ...] | None]:
    """Which sites carry data, None if all do; and their cell, None if it is the smallest one.

    The file holds an array of the lattice's shape, or of a cell that tiles the lattice.
    """
    if boundary != "periodic":
        raise UsageError("--mask: for periodic lattices")
    if coupling is not None:
        raise UsageError(
            "--mask: with sites missing, K and T_c are not those of the hypercubic lattice: leave"
            " --temperature and --coupling out"
        )
    cell = _read_cell(path, lattice)
    if not np.isin(cell, (0, 1)).all():
        raise DataError(f"{path}: a mask is of bool, or of 0 and 1")
    if not cell.any():
        raise DataError(f"{path}: no site carries data")
    if cell.all():
        return None, None
    mask = np.tile(cell == 1, [size // sites for size, sites in zip(lattice, cell.shape)])
    return mask, None if cell.shape in (lattice, smallest_cell(mask)) else cell.shape


def _read_cell(path: Path, lattice: tuple[int, ...]) -> NDArray[Any]:
    identify_as(path, "npy")
    with contextlib.closing(NpySource(path)) as file:
        if len(file.shape) != len(lattice) or any(
            size % cell for size, cell in zip(lattice, file.shape)
        ):
            raise UsageError(
                f"--mask {path}: has shape {shape_text(file.shape)}, which neither is nor tiles the"
                f" lattice {shape_text(lattice)}"
            )
        return file.rows(0, file.shape[0])


def _check_chains(source: Source, chains: int, one_after_another: bool) -> None:
    n = source.shape[0]
    if chains > n:
        raise UsageError(f"--chains {chains}: {source.path} has {n} configurations")
    if one_after_another and n % chains:
        raise UsageError(
            f"--chain-order sequential: {n} configurations are no whole number of steps of {chains}"
            " chains"
        )
