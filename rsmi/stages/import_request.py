"""The request of ``rsmi import``: the options, checked against the file."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
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
from rsmi.stages.import_files import Files, Form, open_files
from rsmi.stages.import_reading import spin_values
from rsmi.stages.import_states import check_symmetry, state_values
from rsmi.store.import_axes import columns_of
from rsmi.store.import_formats import identify_as, standard_input
from rsmi.store.import_mcising import Mcising
from rsmi.store.import_numpy import NpySource

log = logging.getLogger("rsmi")

MOST_COMPONENTS = 64


@contextlib.contextmanager
def prepare(
    paths: Sequence[Path],
    *,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    boundary: str,
    chains: int,
    one_after_another: bool,
    values: str,
    states: int | None = None,
    dataset: Sequence[str] = (),
    shape: str | None = None,
    columns: str | None = None,
    mask: Path | None = None,
    symmetric: str | None = None,
    discard: str = "0",
    trust: bool = False,
    **form: Any,
) -> Iterator[Import]:
    """Open the files and check that the options fit them.

    The parameters are the options of the command; ``form`` holds those of
    `rsmi.stages.import_files.Form`. None stands for what the file says, or else for the default.

    Raises
    ------
    UsageError, DataError
        If a file cannot be read, or if the options do not fit it or one another.
    """
    numbers = state_values(values, states)
    if numbers is None:
        spin_values(values)
    of_states = 2 if numbers is None else len(numbers)
    check_symmetry(symmetric, of_states)
    read = Form(
        shape=parse_block(shape) if shape else None,
        columns=columns_of(columns) if columns else None,
        temperature=_plain_temperature(temperature),
        **form,
    )
    with contextlib.ExitStack() as stack:
        here = [
            stack.enter_context(standard_input()) if str(path) == "-" else path for path in paths
        ]
        files = open_files(stack, here, dataset, read)
        path, lattice = files.source.path, files.lattice
        model, known = _physics(
            files.facts, model, temperature, coupling, len(lattice), of_states, path
        )
        system = models.of({"model": model})
        system.check_shape(lattice, f"{path}: a lattice of")
        system.check_states(of_states, f"--states {of_states}")
        _check_components(files, model, mask)
        if mask is not None and numbers is not None:
            raise UsageError("--mask: for variables with two states")
        chains, in_turns = _chains(files, chains, one_after_another)
        sites, cell = (None, None) if mask is None else _read_mask(mask, lattice, boundary, known)
        yield Import(
            files.source,
            files.format,
            lattice,
            values,
            read.bit_order if files.format == "bits" else None,
            model,
            known,
            boundary,
            chains,
            one_after_another or files.sequential,
            sites,
            cell,
            symmetric,
            steps_to_discard(discard, files.source.shape[0] // chains),
            trust,
            files.components,
            in_turns,
            numbers,
            {
                "columns": columns,
                "header": read.header or None,
                "axes": read.axes,
                "select": list(read.select) or None,
                "component_axis": read.component_axis,
            },
        )


def _plain_temperature(text: str | None) -> float | None:
    """A temperature that is a number; None for a multiple of Tc, or for no temperature."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _physics(
    facts: Mcising | None,
    model: str | None,
    temperature: str | None,
    coupling: float | None,
    dimension: int,
    states: int,
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
    attributes = {"states": states}
    return model, models.get(model).coupling(temperature, coupling, dimension, attributes)


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


def _check_components(files: Files, model: str, mask: Path | None) -> None:
    of_model = len(models.of({"model": model}).components({}))
    if model != Model.name and files.components != of_model:
        raise UsageError(
            f"--model {model}: the number of components of its sites is {of_model}, and that of"
            f" {files.source.path} is {files.components}"
        )
    if files.components == 1:
        return
    if mask is not None:
        raise UsageError("--mask: for sites with one component")
    if files.components > MOST_COMPONENTS:
        raise UsageError(
            f"{files.source.path}: has {files.components} components; at most {MOST_COMPONENTS} are"
            " possible"
        )


def _chains(files: Files, chains: int, one_after_another: bool) -> tuple[int, int]:
    """The number of chains of all files, and of those that take turns in one stretch of the
    source."""
    source, joined = files.source, len(files.source.inputs)
    if files.chains > 1 and chains > 1:
        raise UsageError(f"--chains {chains}: --axes already has {files.chains} chains")
    own, sequential = max(chains, files.chains), one_after_another or files.sequential
    n = source.shape[0] // joined
    if own > n:
        raise UsageError(f"--chains {own}: {source.path} has {n} configurations")
    if n % own and (sequential or joined > 1):
        order = "--chain-order sequential" if sequential else f"--chains {own}"
        raise UsageError(
            f"{order}: {n} configurations are no whole number of steps of {own} chains"
        )
    return joined * own, 1 if sequential else own
