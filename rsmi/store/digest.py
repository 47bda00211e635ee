"""Digests: canonical JSON, parameters, and the decoded content of a file."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import h5py
import numpy as np

from rsmi.store.names import attribute_names, link_names
from rsmi.store.schema import VOLATILE_ATTRIBUTES, VOLATILE_GROUPS

NAMESPACE = uuid.UUID("5bb3a5a0-4b3a-5c53-9a52-1f0c6f9f7a11")  # of the UUIDs of all rsmi files
_ROWS_AT_ONCE = 1 << 24  # bytes read at a time


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def canonical_json(value: Any) -> str:
    """Compact JSON with sorted keys, so that equal values have equal texts.

    Raises
    ------
    ValueError
        For NaN and infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def text_digest(text: str) -> str:
    """The SHA-256 digest of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def parameters_digest(command: str, parameters: Mapping[str, Any], inputs: Sequence[str]) -> str:
    """The digest of a request: its command, its parameters and the digests of its inputs."""
    return text_digest(canonical_json([command, parameters, inputs]))


def file_uuid(digest: str) -> str:
    """The UUIDv5 of a content digest."""
    return str(uuid.uuid5(NAMESPACE, digest))


def content_digest(file: h5py.File, datasets: Mapping[str, h5py.Dataset] | None = None) -> str:
    """The SHA-256 digest of the decoded datasets and the deterministic attributes of a file.

    It does not depend on chunking, storage order, paths, the software version, or anything in
    ``/provenance``. ``datasets`` are all datasets of the file by their path, if they are known.
    """
    sha = hashlib.sha256()
    root = file["/"]
    for name in attribute_names(root.id):
        if name not in VOLATILE_ATTRIBUTES:
            _add_array(sha, f"@{name}", np.asarray(read_attribute(root, name)))
    if datasets is None:
        datasets = datasets_of(file)
    for path, dataset in sorted(datasets.items()):
        if not path.startswith(VOLATILE_GROUPS):
            _add_dataset(sha, path, dataset)
    return sha.hexdigest()


def read_attribute(group: h5py.Group, name: str) -> Any:
    """The value of an attribute; a text is returned as bytes.

    Raises
    ------
    ValueError
        For a text of variable length, which could crash HDF5, and for other types.
    """
    attribute = h5py.h5a.open(group.id, name.encode())
    dtype, shape = attribute.dtype, attribute.shape
    if dtype.kind not in "iufS" or shape is None:
        raise ValueError("neither numbers nor a text of fixed length")
    values = np.zeros(shape, dtype)
    attribute.read(values)
    return values[()]


def datasets_of(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All datasets of a file, whose links are known to be plain, by their absolute path."""
    datasets: dict[str, h5py.Dataset] = {}

    def keep(group: h5py.Group, prefix: str) -> None:
        for name in link_names(group.id):
            item = group[name]
            if isinstance(item, h5py.Dataset):
                datasets[f"{prefix}/{name}"] = item
            else:
                keep(item, f"{prefix}/{name}")

    keep(file["/"], "")
    return datasets


def _add_header(sha: _Hash, name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    sha.update(f"{name}|{dtype.newbyteorder('<').str}|{shape}|".encode())


def _add_array(sha: _Hash, name: str, array: np.ndarray) -> None:
    _add_header(sha, name, array.dtype, array.shape)
    sha.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes())


def _add_dataset(sha: _Hash, path: str, dataset: h5py.Dataset) -> None:
    if dataset.ndim == 0:
        _add_array(sha, path, np.asarray(dataset[()]))
        return
    _add_header(sha, path, dataset.dtype, dataset.shape)
    row_bytes = max(1, dataset.dtype.itemsize * int(np.prod(dataset.shape[1:], dtype=np.int64)))
    step = max(1, _ROWS_AT_ONCE // row_bytes)
    for start in range(0, dataset.shape[0], step):
        rows = dataset[start : start + step]
        sha.update(np.ascontiguousarray(rows.astype(rows.dtype.newbyteorder("<"), copy=False)))
