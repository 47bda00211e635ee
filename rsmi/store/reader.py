"""Opening files that may be damaged or hostile: everything is checked before it is believed."""

from __future__ import annotations

import json
import stat
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.store import schema
from rsmi.store.chunks import FILTERS, check_chunks, filters_of
from rsmi.store.consistency import check_meaning
from rsmi.store.digest import canonical_json, content_digest, dataset_paths, read_attribute

HDF5_ERRORS = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    UnicodeError,
    OverflowError,
    AttributeError,
    IndexError,
    MemoryError,
    RecursionError,
)
_MAX_EXPANSION = 2048  # decoded bytes per stored byte: beyond what deflate can reach
_MAX_OBJECTS = 1 << 16
_LARGEST = 1e100  # finite numbers beyond it mean nothing, and overflow when they are squared


class File:
    """A checked, open rsmi file: ``attributes`` as Python values, ``read`` for datasets."""

    def __init__(self, handle: h5py.File, path: Path, kind: str):
        self._handle = handle
        self.path = path
        self.kind = kind
        self.attributes = _read_attributes(handle, path, kind)
        _check_datasets(handle, path, schema.KINDS[kind])
        self._check_meaning()

    def __reduce__(self):
        """To another process a file goes as its name and its digest, never as its content."""
        return _reopen, (str(self.path.absolute()), self.kind, self.digest)

    def __contains__(self, path: str) -> bool:
        return path in self._handle

    @property
    def digest(self) -> str:
        return self.attributes["digest"]

    @property
    def parameters(self) -> dict:
        return self.attributes["parameters"]

    @property
    def own_attributes(self) -> dict:
        """The attributes of its kind, without those that all files have."""
        return {
            attribute.name: self.attributes[attribute.name]
            for attribute in schema.KINDS[self.kind].attributes
            if attribute.name in self.attributes
        }

    def names(self, group: str) -> list[str]:
        """Names of what a group holds; of none if there is no such group."""
        with _as_data_error(self.path, f"cannot read {group}"):
            return list(self._handle[group]) if group in self._handle else []

    def shape(self, path: str) -> tuple[int, ...]:
        """Shape of a dataset."""
        with _as_data_error(self.path, f"cannot read {path}"):
            return self._handle[path].shape

    def read(self, path: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """A dataset, or rows ``start:stop`` of it; a checksum failure is a DataError."""
        with _as_data_error(self.path, f"cannot read {path}"):
            dataset = self._handle[path]
            return np.asarray(dataset[()] if dataset.ndim == 0 else dataset[start:stop])

    def state(self, task: str) -> dict[str, np.ndarray]:
        """The checkpoint of one task, as stored in ``/state``."""
        with _as_data_error(self.path, f"cannot read the state of {task}"):
            return arrays_of(self._handle[f"/state/{task}"])

    def any_state(self) -> dict[str, np.ndarray]:
        """The checkpoint of the first task that has one: of chains, which are all alike, to see
        what they are."""
        return self.state(next(iter(self.names("/state")), "any task"))

    def datasets(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Path -> (shape, dtype) of everything stored."""
        with _as_data_error(self.path, "damaged structure"):
            return {
                path: (self._handle[path].shape, str(self._handle[path].dtype))
                for path in sorted(dataset_paths(self._handle))
            }

    def ancestors(self) -> list[dict]:
        """The chain of inputs, oldest first: command, parameters, digest."""
        with _as_data_error(self.path, "the list of ancestors is damaged"):
            ancestors = json.loads(bytes(self._handle["/provenance/ancestors"][()]).decode())
            canonical_json(ancestors)
            for ancestor in _require(ancestors, list):
                (
                    _require(ancestor["command"], str),
                    _require(ancestor["parameters"], dict),
                    _require(ancestor["digest"], str),
                )
            return ancestors

    def run_facts(self) -> dict:
        """The volatile facts of the run that wrote the file."""
        with _as_data_error(self.path, "the run's facts are damaged"):
            group = self._handle["/provenance/run"]
            return {name: _text(read_attribute(group, name)) for name in group.attrs}

    def verify(self) -> None:
        """Recompute the digest from the content; a difference is a DataError."""
        with _as_data_error(self.path, "damaged"):
            actual = content_digest(self._handle)
        if actual != self.digest:
            raise DataError(
                f"{self.path}: the content does not match the stored digest: the file was changed"
                " or damaged"
            )

    def _check_meaning(self) -> None:
        with _as_data_error(self.path, "inconsistent"):
            check_meaning(self)


@contextmanager
def open_file(path: str | Path, kind: str | None = None):
    """Open an rsmi file for reading.

    Parameters
    ----------
    path : str or Path
    kind : str, optional
        Demand this kind (a key of `rsmi.store.schema.KINDS`); any by default.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If it is not HDF5, truncated, of another kind, of a newer major version, or breaks its
        schema.
    """
    path = Path(path)
    handle = _open_hdf5(path)
    try:
        yield File(handle, path, _identify(handle, path, kind))
    finally:
        with _as_data_error(path, "damaged HDF5 file"):  # which HDF5 may notice no sooner
            handle.close()


def _reopen(path: str, kind: str, digest: str) -> File:
    """The file that was pickled elsewhere; it is closed when it is forgotten."""
    handle = _open_hdf5(Path(path))
    file = File(handle, Path(path), _identify(handle, Path(path), kind))
    if file.digest != digest:
        raise DataError(f"{path}: was replaced by another file while it was being read")
    return file


def _open_hdf5(path: Path) -> h5py.File:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: not a regular file")
        with path.open("rb") as stream:
            head = stream.read(8)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UsageError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error
    if head != b"\x89HDF\r\n\x1a\n":
        raise DataError(f"{path}: not an HDF5 file (a samples file is made by 'rsmi sample')")
    try:
        return h5py.File(path, "r", locking=False)  # files never change under their name
    except HDF5_ERRORS as error:
        raise DataError(f"{path}: truncated or damaged HDF5 file") from error


def _identify(handle: h5py.File, path: Path, kind: str | None) -> str:
    with _as_data_error(path, "not a readable rsmi file"):
        if (
            "format" not in handle.attrs
            or read_attribute(handle, "format") != schema.FORMAT.encode()
        ):
            raise DataError(
                f"{path}: an HDF5 file, but not written by rsmi (no root attribute format = 'rsmi')"
            )
        found, version = (
            _text(read_attribute(handle, "kind")),
            _DECODERS["integers"](read_attribute(handle, "format_version")),
        )
    if len(version) != 2:
        raise DataError(f"{path}: format_version must be [major, minor]")
    if version[0] > schema.FORMAT_VERSION[0]:
        ours = schema.FORMAT_VERSION[0]
        raise DataError(
            f"{path}: written in format {version[0]}.{version[1]}, newer than this program reads"
            f" ({ours}.x): upgrade rsmi"
        )
    if found not in schema.KINDS:
        raise DataError(
            f"{path}: holds {found[:40]!r}, which is no kind of file this program knows"
        )
    if kind is not None and found != kind:
        hint = ": join all shards by 'rsmi merge'" if schema.KINDS[found].whole == kind else ""
        raise DataError(f"{path}: holds {found}, but {kind} is needed here{hint}")
    return found


@contextmanager
def _as_data_error(path: Path, what: str):
    try:
        yield
    except HDF5_ERRORS as error:
        detail = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{path}: {what} ({detail})") from error


@contextmanager
def taken_at_its_word(path: Path):
    """Around what shows a file that passed every check: whoever signed it may still have made it
    contradict itself.

    Raises
    ------
    DataError
        In the place of what Python says of it.
    """
    try:
        yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RuntimeWarning,
    ) as error:
        detail = " ".join(str(error).split())[:120]
        raise DataError(
            f"{path}: contradicts itself, or this program errs ({type(error).__name__}: {detail};"
            " --debug shows where)"
        ) from error


def arrays_of(group: h5py.Group) -> dict[str, np.ndarray]:
    """Everything in a group. Its items are listed first: an iterator of h5py's that an error leaves
    behind keeps HDF5 locked."""
    return {name: np.asarray(item[()]) for name, item in list(group.items())}


# ---- attributes ----------------------------------------------------------------------------------


def _finite(value) -> float:
    if (
        np.asarray(value).dtype.kind not in "iuf"
        or np.ndim(value) != 0
        or not abs(float(value)) < _LARGEST
    ):
        raise ValueError("not a finite number")
    return float(value)


def _whole(value) -> int:
    if np.asarray(value).dtype.kind not in "iu" or np.ndim(value) != 0:
        raise ValueError("not an integer")
    return int(value)


def _integers(value) -> tuple[int, ...]:
    if np.asarray(value).dtype.kind not in "iu" or np.ndim(value) != 1:
        raise ValueError("not a list of integers")
    return tuple(map(int, value))


def _require(value, kind: type):
    if not isinstance(value, kind):
        raise ValueError(f"not {kind.__name__}")
    return value


def _text(value) -> str:
    return _require(value, bytes).decode()


def _json(value):
    found = json.loads(_text(value))
    canonical_json(found)  # refuses NaN and infinity
    return found


_DECODERS = {
    "text": _text,
    "json": _json,
    "integer": _whole,
    "number": _finite,
    "integers": _integers,
    "flag": lambda value: bool(_whole(value)),
}


def _read_attributes(handle: h5py.File, path: Path, kind: str) -> dict:
    values = {}
    for attribute in schema.COMMON_ATTRIBUTES + schema.KINDS[kind].attributes:
        with _as_data_error(path, f"attribute {attribute.name} is missing or damaged"):
            if attribute.name in handle.attrs:
                values[attribute.name] = _DECODERS[attribute.type](
                    read_attribute(handle, attribute.name)
                )
            elif attribute.required:
                raise DataError(f"{path}: attribute {attribute.name} is missing")
    with _as_data_error(path, "attribute parameters or inputs is damaged"):
        _require(values["parameters"], dict)
        for digest in _require(values["inputs"], list):
            _require(digest, str)
    return values


# ---- datasets ------------------------------------------------------------------------------------


def _check_datasets(handle: h5py.File, path: Path, kind: schema.Kind) -> None:
    with _as_data_error(path, "damaged structure"):
        _check_links(handle, path)
    axes: dict[str, int] = {}
    for entry in schema.PROVENANCE + kind.datasets:
        with _as_data_error(path, f"dataset {entry.path} is damaged"):
            _check_dataset(handle, path, entry, axes)


def _check_links(group: h5py.Group, path: Path, depth: int = 0, seen: list | None = None) -> None:
    """Only plain links to ordinary datasets: no link out of the file, no cycle, no decoded size the
    file cannot hold."""
    seen = [] if seen is None else seen
    if depth > 4 or len(seen) > _MAX_OBJECTS:
        raise DataError(
            f"{path}: nested more deeply, or holding more objects, than an rsmi file does"
        )
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise DataError(
                f"{path}: {group.name}/{name} is a link to elsewhere, which is not followed"
            )
        item = group[name]
        seen.append(name)
        if isinstance(item, h5py.Group):
            _check_links(item, path, depth + 1, seen)
        elif isinstance(item, h5py.Dataset):
            _check_storage(item, path)
        else:
            raise DataError(f"{path}: {item.name} is neither a group nor a dataset")


def _check_storage(dataset: h5py.Dataset, path: Path) -> None:
    if dataset.is_virtual or dataset.external:
        raise DataError(
            f"{path}: {dataset.name} takes its data from another file, which is not followed"
        )
    if dataset.dtype.kind not in "iufbS":
        raise DataError(f"{path}: {dataset.name} has type {dataset.dtype}, which rsmi does not use")
    if dataset.nbytes > _MAX_EXPANSION * (path.stat().st_size + 1):
        raise DataError(
            f"{path}: {dataset.name} claims {dataset.nbytes:.3g} bytes, more than the file can hold"
        )
    if dataset.chunks and any(chunk > size for chunk, size in zip(dataset.chunks, dataset.shape)):
        raise DataError(f"{path}: {dataset.name} has chunks that are larger than itself")
    if not FILTERS.keys() >= set(filters_of(dataset)):
        raise DataError(f"{path}: {dataset.name} is compressed in a way that rsmi does not use")
    check_chunks(dataset, path.stat().st_size)


def _check_dataset(
    handle: h5py.File, path: Path, entry: schema.Dataset, axes: dict[str, int]
) -> None:
    if entry.path not in handle:
        if entry.required:
            raise DataError(f"{path}: dataset {entry.path} is missing")
        return
    dataset = handle[entry.path]
    right_type = (
        dataset.dtype.kind == "S"
        if entry.dtype == "bytes"
        else str(dataset.dtype) in entry.dtype.split(" or ")
    )
    if not isinstance(dataset, h5py.Dataset) or not right_type:
        raise DataError(
            f"{path}: {entry.path} must be {entry.dtype}, not"
            f" {getattr(dataset, 'dtype', 'a group')}"
        )
    if dataset.ndim != len(entry.shape):
        raise DataError(
            f"{path}: {entry.path} must have {len(entry.shape)} axes, not {dataset.ndim}"
        )
    for axis, length in zip(entry.shape, dataset.shape):
        expected = axes.setdefault(axis, length) if isinstance(axis, str) else axis
        if length != expected:
            raise DataError(
                f"{path}: {entry.path} has {length} along '{axis}', where {expected} is expected"
            )
    if dataset.dtype.kind == "f":
        values = np.abs(dataset[()], dtype=np.float64)
        if ((values > _LARGEST) & (values < np.inf)).any():
            raise DataError(f"{path}: {entry.path} holds numbers beyond any meaning")
