"""The files of an import as one source of configurations (n, \\*components, \\*lattice)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rsmi import first_look
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import BitOrder
from rsmi.store.import_axes import LATTICE, Axes, plain_axes
from rsmi.store.import_bits import BitsSource, BytesSource, require_many_byte_values
from rsmi.store.import_formats import identify, identify_as
from rsmi.store.import_hdf5 import Hdf5Source
from rsmi.store.import_mcising import Mcising
from rsmi.store.import_numpy import NpySource, NpzSource
from rsmi.store.import_readings import require_one_reading
from rsmi.store.import_text import TextSource
from rsmi.store.import_view import Arranged, Joined, Reshaped
from rsmi.store.look import exercise_memory, touch_everything
from rsmi.store.source import Source

_WITHOUT_HEADER = ("bits", "bytes")


@dataclass(frozen=True)
class Form:
    """How the files are to be read. None stands for what a file says itself.

    Attributes
    ----------
    format : str, optional
        One of `rsmi.store.import_formats.FORMATS`.
    shape : tuple of int, optional
        The lattice of one configuration.
    temperature : float, optional
        Chooses among the temperatures of a file that names them.
    bit_order : {"little", "big"}, optional
    columns : slice, optional
        The columns of a text that are spins.
    header : int
        The lines at the beginning of a text that are skipped.
    axes : str, optional
        The names of the axes of the array.
    select : sequence of str
        What is selected along them.
    components : int, optional
        The variables of a site.
    component_axis : {"first", "last"}, optional
        Whether they are the slowest or the fastest axis of a configuration.
    """

    format: str | None = None
    shape: tuple[int, ...] | None = None
    temperature: float | None = None
    bit_order: BitOrder | None = None
    columns: slice | None = None
    header: int = 0
    axes: str | None = None
    select: Sequence[str] = ()
    components: int | None = None
    component_axis: str | None = None

    @property
    def numbers(self) -> int | None:
        """The numbers of one configuration; None if they are unknown."""
        return math.prod(self.packed_shape) if self.shape else None

    @property
    def packed_shape(self) -> tuple[int, ...]:
        """The axes of one flat configuration in the order of the file."""
        own = (self.components,) if self.components else ()
        lattice = self.shape or ()
        return (*lattice, *own) if self.component_axis == "last" else (*own, *lattice)


@dataclass(frozen=True)
class Files:
    """The files of an import.

    Attributes
    ----------
    source : Source
        The configurations (n, \\*lattice), or (n, components, \\*lattice) if there are several
        components.
    format : str
    lattice : tuple of int
    components : int
    facts : Mcising, optional
        What the files say about their samples.
    chains : int
        The chains of one file that an axis counts; 1 if there is no such axis.
    sequential : bool
        Whether the configurations of one such chain follow one another.
    """

    source: Source
    format: str
    lattice: tuple[int, ...]
    components: int = 1
    facts: Mcising | None = None
    chains: int = 1
    sequential: bool = False


def open_files(
    stack: contextlib.ExitStack, paths: Sequence[Path], datasets: Sequence[str], form: Form
) -> Files:
    """Open every dataset of every file; the stack closes them.

    Raises
    ------
    UsageError, DataError
        If a file cannot be read, if it can be read in several ways, or if the files differ in what
        they hold.
    """
    opened = [
        _open_one(stack, path, dataset, form) for path in paths for dataset in datasets or (None,)
    ]
    first = opened[0]
    for other in opened[1:]:
        if _state(other) != _state(first):
            raise UsageError(
                f"{other.source.path} and {first.source.path} differ in their format or in their"
                " temperature: files that are joined are chains of the same samples"
            )
    if len(opened) == 1:
        return first
    return replace(first, source=Joined([one.source for one in opened]))


def _state(files: Files) -> tuple[Any, ...]:
    """What must be equal of files that are joined, beside their shapes."""
    facts = files.facts
    return files.format, files.components, facts and (facts.coupling, facts.remark)


def _open_one(stack: contextlib.ExitStack, path: Path, dataset: str | None, form: Form) -> Files:
    format = form.format or identify(path)
    identify_as(path, format)
    if form.format is None and format == "bits":
        require_many_byte_values(path)
    file = stack.enter_context(contextlib.closing(_open(path, format, dataset, form)))
    facts = file.facts if isinstance(file, Hdf5Source) else None
    if facts is None and form.axes is None and form.shape is None and not form.components:
        one_line = isinstance(file, TextSource) and len(file.shape) == 2
        require_one_reading(path, file.shape, text=one_line)
    named = _named(file, form)
    source, components = _with_components(named, form)
    lattice = _lattice(source, 2 if components > 1 else 1, form.shape)
    if isinstance(named, Arranged):
        chains, sequential = named.chains, named.sequential
        return Files(source, format, lattice, components, facts, chains, sequential)
    return Files(source, format, lattice, components, facts)


def _open(path: Path, format: str, dataset: str | None, form: Form) -> Source:
    """Open a file of the format."""
    if dataset is not None and format not in ("npz", "hdf5"):
        raise UsageError(
            f"--dataset: for NPZ and HDF5 files, which hold several arrays; {path} holds one"
        )
    if format != "csv" and (form.columns or form.header):
        raise UsageError(f"--columns and --header: for texts; {path} is none")
    if format in _WITHOUT_HEADER:
        return _open_without_header(path, format, form)
    if format == "hdf5":
        first_look.look(path, lambda path: _rehearse(path, dataset, form.temperature))
        return Hdf5Source(path, dataset, form.temperature)
    if format == "npz":
        return NpzSource(path, dataset)
    if format == "npy":
        return NpySource(path)
    return TextSource(path, form.numbers, form.columns, form.header)


def _rehearse(path: Path, dataset: str | None, temperature: float | None) -> None:
    """Open and close an HDF5 file as `_open` does, and go through what it does not read."""
    with contextlib.closing(Hdf5Source(path, dataset, temperature)):
        touch_everything(path)
    exercise_memory()


def _open_without_header(path: Path, format: str, form: Form) -> Source:
    if form.shape is None:
        raise UsageError(f"{path}: {format} say nothing of the lattice: give --shape")
    if form.components and form.component_axis is None:
        raise UsageError(f"{path}: {_WHICH_AXIS}")
    shape = form.packed_shape
    if format == "bytes":
        return BytesSource(path, shape)
    if form.bit_order is None:
        raise UsageError(
            f"{path}: give the order of the bits: --bit-order big if the first site of a byte is"
            " its highest bit, as numpy.packbits has it by default, or little if it is its lowest"
        )
    return BitsSource(path, shape, form.bit_order)


# ---- axes ----------------------------------------------------------------------------------------

_WHICH_AXIS = (
    "say by --component-axis whether the components are the first axis of a configuration (the"
    " slowest) or the last"
)


def _named(source: Source, form: Form) -> Source:
    """The array with the axes that the options name."""
    if form.axes is None and not form.select:
        return source
    names = form.axes or _plain_names(source, form)
    axes = Axes.parse(names, form.select)
    if form.shape and "site" not in axes.names:
        raise UsageError("--shape: --axes names the lattice; with --shape call it site")
    return Arranged(source, axes)


def _plain_names(source: Source, form: Form) -> str:
    dimension = len(source.shape) - 1
    if dimension > len(LATTICE):
        raise UsageError(f"--select: {source.path} has {dimension + 1} axes: name them by --axes")
    return "n,site" if dimension == 1 and form.shape else plain_axes(dimension)


def _with_components(source: Source, form: Form) -> tuple[Source, int]:
    """The array with the components first in every configuration, and their number."""
    if form.axes is not None and "c" in form.axes.split(","):
        found = source.shape[1]
        if form.components not in (None, found) or form.component_axis:
            raise UsageError(
                f"--components, --component-axis: --axes already says c, which has length {found}"
            )
        if found > 1:
            return source, found
        return Reshaped(source, source.shape[2:]), 1
    if not form.components or form.components == 1:
        return source, 1
    if len(source.shape) == 2:
        source = _unflattened(source, form, form.components)
    names = _component_names(source, form.components, form.component_axis)
    return Arranged(source, Axes(names, {})), form.components


def _unflattened(source: Source, form: Form, components: int) -> Source:
    """Flat configurations as (n, \\*components, \\*lattice) in the order of the file."""
    numbers = source.shape[1]
    if form.shape is None or form.numbers != numbers:
        raise UsageError(
            f"--components {components}: {source.path} has configurations of {numbers}"
            " numbers: give the lattice of one component by --shape"
        )
    if form.component_axis is None:
        raise UsageError(f"{source.path}: {_WHICH_AXIS}")
    return Reshaped(source, form.packed_shape)


def _component_names(source: Source, components: int, where: str | None) -> tuple[str, ...]:
    """The names of the axes of an array with so many components."""
    content = source.shape[1:]
    possible = [
        end
        for end, axis in (("first", 0), ("last", -1))
        if content[axis] == components and where in (None, end)
    ]
    if not possible or not 2 <= len(content) <= 4:
        raise UsageError(
            f"--components {components}: {source.path} has configurations of"
            f" {shape_text(content)}, without an axis of {components}"
            f" {'first or last' if where is None else where}"
        )
    if len(possible) > 1:
        raise UsageError(f"{source.path}: {_WHICH_AXIS}")
    lattice = LATTICE[4 - len(content) :]
    return ("n", "c", *lattice) if possible == ["first"] else ("n", *lattice, "c")


def _lattice(source: Source, axis: int, given: tuple[int, ...] | None) -> tuple[int, ...]:
    """The lattice: the axes of the array from ``axis`` on, or the given shape if it has as many
    sites."""
    own = source.shape[axis:]
    if given is None:
        return own
    if given != own and (len(own) != 1 or math.prod(given) != own[0]):
        raise UsageError(
            f"--shape {shape_text(given)}: {source.path} has configurations of"
            f" {shape_text(own) or 'one number'}"
        )
    return given
