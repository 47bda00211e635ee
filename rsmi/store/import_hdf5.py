"""Configurations in HDF5 files of other programs; those of mcising (pypi.org/project/mcising) are
known by their layout."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import DataError, Failure, UsageError
from rsmi.store import schema
from rsmi.store.chunks import FILTERS, check_chunks, filters_of
from rsmi.store.digest import read_attribute
from rsmi.store.import_formats import Source, pick, reading

_SLAB = 1 << 24  # bytes read at a time
_LARGEST_CHUNK = 1 << 27  # bytes that HDF5 decompresses at once
_MAX_EXPANSION = 2048  # decoded bytes per stored byte
_DEEPEST = 8
_PATIENCE = 60  # seconds for one attribute
_MOST_OBJECTS = 1 << 16
_SHOWN_TEMPERATURES = 12
_LATTICES = {
    "chain": 1,
    "square": 2,
    "cubic": 3,
}  # of mcising: those that have one spin on every site of a hypercubic lattice


class Hdf5Source(Source):
    """One dataset of an HDF5 file, read in slabs of whole chunks."""

    def __init__(self, path: Path, dataset: str | None = None, temperature: float | None = None):
        super().__init__(path)
        self.facts: Mcising | None = None
        with reading(path):
            self._file = h5py.File(path, "r", locking=False, rdcc_nbytes=_SLAB)
        try:
            with reading(path):
                self._refuse_ours()
                if dataset is None and is_mcising(self._file):
                    self.facts = Mcising.of(self._file, path, temperature)
                    dataset = self.facts.dataset
                self.dataset = self._choose(dataset)
                self._data = self._file[self.dataset]
                self._check_storage()
            self._accept(self._data.dtype, self._data.shape)
            self._layout()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        try:
            with reading(self.path):  # HDF5 may notice damage no sooner
                self._file.close()
        finally:
            super().close()

    def _refuse_ours(self) -> None:
        if (
            "format" in self._file.attrs
            and self._file.attrs.get_id("format").dtype.kind == "S"
            and read_attribute(self._file, "format") == schema.FORMAT.encode()
        ):
            raise UsageError(f"{self.path}: is a file of rsmi already")

    def _choose(self, wanted: str | None) -> str:
        if wanted is not None:
            self._check_links(wanted)
        if wanted is not None and isinstance(self._file.get(wanted), h5py.Dataset):
            return self._file[wanted].name
        return pick(self.path, wanted, _datasets(self._file, self.path))

    def _check_links(self, wanted: str) -> None:
        """Refuse a path out of the file before it is followed; other links are the user's to
        choose."""
        parts = [part for part in wanted.split("/") if part]
        for depth in range(len(parts)):
            if isinstance(
                self._file.get("/" + "/".join(parts[: depth + 1]), getlink=True), h5py.ExternalLink
            ):
                raise DataError(
                    f"{self.path}: {wanted}: takes its data from another file, which is not"
                    " followed"
                )

    def _check_storage(self) -> None:
        data, name = self._data, f"{self.path}: {self.dataset}"
        if data.is_virtual or data.external or data.file.filename != self._file.filename:
            raise DataError(f"{name}: takes its data from another file, which is not followed")
        if data.size is None or data.ndim == 0:
            raise DataError(f"{name}: is no array")
        if data.nbytes > _MAX_EXPANSION * (self.path.stat().st_size + 1):
            raise DataError(f"{name}: claims {data.nbytes:.3g} bytes, more than the file can hold")
        if data.chunks and math.prod(data.chunks) * data.dtype.itemsize > _LARGEST_CHUNK:
            raise DataError(
                f"{name}: has chunks of more than {_LARGEST_CHUNK >> 20} MiB: repack it in smaller"
                " ones (h5repack)"
            )
        if not FILTERS.keys() >= set(filters_of(data)):
            raise DataError(
                f"{name}: compressed otherwise than by gzip, which is not read: repack it (h5repack"
                " -f GZIP=4)"
            )
        check_chunks(data, self.path.stat().st_size)

    def _layout(self) -> None:
        row_bytes = max(1, self._data.nbytes // self._shape[0])
        chunk = self._data.chunks[0] if self._data.chunks else 1
        fit = max(1, _SLAB // row_bytes)
        self._step = max(1, fit // chunk) * chunk if chunk <= fit else fit
        self._slab = (0, np.empty((0, *self._shape[1:]), self._dtype))

    def _read(self, start: int, stop: int) -> np.ndarray:
        pieces = []
        while start < stop:
            first, slab = self._slab
            if not first <= start < first + len(slab):
                first = start // self._step * self._step
                slab = np.asarray(self._data[first : first + self._step]).astype(
                    self._dtype, copy=False
                )
                self._slab = first, slab
            piece = slab[start - first : stop - first]
            pieces.append(piece)
            start += len(piece)
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]


def _datasets(
    group: h5py.Group, path: Path, depth: int = 0, found: list | None = None
) -> list[str]:
    """Paths of the numeric datasets that plain links lead to."""
    found = [] if found is None else found
    for name in group if depth <= _DEEPEST else ():
        if len(found) > _MOST_OBJECTS:
            raise DataError(f"{path}: holds too many objects to list: choose by --dataset")
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            _datasets(item, path, depth + 1, found)
        elif isinstance(item, h5py.Dataset) and item.dtype.kind in "iufb" and item.ndim > 0:
            found.append(item.name)
    return found


# ---- mcising -------------------------------------------------------------------------------------


def is_mcising(file: h5py.File) -> bool:
    """Whether the layout is that of ``mcising.save_hdf5``: metadata with config_json, and groups
    T=..."""
    group = file.get("metadata")
    return (
        isinstance(group, h5py.Group)
        and "config_json" in group.attrs
        and any(name.startswith("T=") for name in file)
    )


@dataclass(frozen=True)
class Mcising:
    """What an mcising file says of the configurations at one temperature.

    Its Hamiltonian is -J1 sum_nn - J2 sum_nnn - J3 sum_3rd - h sum_i, its temperature in units of
    k_B. ``coupling`` is K = J1/T where the others are zero on a hypercubic lattice, else None and
    ``remark`` says why.
    """

    dataset: str
    coupling: float | None
    remark: str | None
    model = "ising"

    @classmethod
    def of(cls, file: h5py.File, path: Path, wanted: float | None) -> Mcising:
        """Choose the configurations at temperature ``wanted``, or the only ones."""
        found = {
            _temperature(file[name], path): name
            for name in file
            if name.startswith("T=") and "configurations" in file[name]
        }
        if not found:
            raise DataError(
                f"{path}: a file of mcising without configurations: let it run with --store-configs"
            )
        temperature = _chosen(found, wanted, path)
        lattice = _configuration(file, path)
        remark = _why_unknown(lattice)
        return cls(
            f"/{found[temperature]}/configurations",
            None if remark else lattice["j1"] / temperature,
            remark,
        )


def _temperature(group: h5py.Group, path: Path) -> float:
    value = float(read_attribute(group, "temperature"))
    if not 0 < value < math.inf:
        raise DataError(f"{path}: {group.name} has the temperature {value}")
    return value


def _chosen(found: dict[float, str], wanted: float | None, path: Path) -> float:
    listed = sorted(found)
    shown = ", ".join(f"{value:.6g}" for value in listed[:_SHOWN_TEMPERATURES]) + (
        " ..." if len(listed) > _SHOWN_TEMPERATURES else ""
    )
    if wanted is None and len(listed) > 1:
        raise UsageError(
            f"{path}: holds configurations at {len(listed)} temperatures: choose by --temperature"
            f" one of {shown}"
        )
    nearest = listed[0] if wanted is None else min(listed, key=lambda value: abs(value - wanted))
    if wanted is not None and abs(nearest - wanted) > 1e-5 * wanted:
        raise UsageError(
            f"{path}: holds no configurations at temperature {wanted:g}: choose by --temperature"
            f" one of {shown}"
        )
    return nearest


def _configuration(file: h5py.File, path: Path) -> dict:
    lattice = json.loads(_text_of_variable_length(path, "metadata", "config_json"))["lattice"]
    kind, couplings = (
        str(lattice["lattice_type"]),
        {name: float(lattice[name]) for name in ("j1", "j2", "j3", "h")},
    )
    if kind == "honeycomb":
        raise DataError(
            f"{path}: mcising's honeycomb lattice has two spins in every cell, which is no lattice"
            " of rsmi: export it as a brick wall with --mask"
        )
    return {"lattice": kind, **couplings}


def _text_of_variable_length(path: Path, group: str, attribute: str) -> str:
    """A text attribute, read by another process: HDF5 follows the pointers of such texts wherever
    they lead, and may not come back."""
    program = (
        "import h5py, sys; value = h5py.File(sys.argv[1],"
        " locking=False)[sys.argv[2]].attrs[sys.argv[3]]; print(value if isinstance(value, str)"
        " else bytes(value).decode())"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, path, group, attribute],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (subprocess.SubprocessError, UnicodeError) as error:
        raise DataError(f"{path}: {attribute} of {group} cannot be read") from error
    except OSError as error:
        raise Failure(
            f"{path}: {sys.executable}, which is to read {attribute}, cannot be started"
            f" ({error.strerror})"
        ) from error
    return done.stdout


def _why_unknown(lattice: dict) -> str | None:
    others = [f"{name} = {lattice[name]:g}" for name in ("j2", "j3", "h") if lattice[name]]
    if lattice["lattice"] not in _LATTICES:
        return f"the {lattice['lattice']} lattice is not hypercubic"
    if others:
        return f"{', '.join(others)} beside the nearest-neighbour coupling"
    return None if lattice["j1"] > 0 else f"j1 = {lattice['j1']:g} is no ferromagnet"
