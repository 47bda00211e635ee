"""Digests: canonical JSON, parameters, and the decoded content of a file."""

from __future__ import annotations

import hashlib
import json
import uuid

import h5py
import numpy as np

from rsmi.store.schema import VOLATILE_ATTRIBUTES, VOLATILE_GROUPS

NAMESPACE = uuid.UUID("5bb3a5a0-4b3a-5c53-9a52-1f0c6f9f7a11")  # of all rsmi files
_ROWS_AT_ONCE = 1 << 24  # bytes read at a time


def canonical_json(value) -> str:
    """Compact JSON with sorted keys; refuses NaN, so that equal parameters have equal text."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def text_digest(text: str) -> str:
    """SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def parameters_digest(command: str, parameters: dict, inputs: list[str]) -> str:
    """Digest of a request: what is asked of which inputs."""
    return text_digest(canonical_json([command, parameters, inputs]))


def file_uuid(digest: str) -> str:
    """The UUIDv5 that follows from a content digest."""
    return str(uuid.uuid5(NAMESPACE, digest))


def content_digest(file: h5py.File) -> str:
    """SHA-256 over the decoded datasets and the deterministic attributes of an open file.

    Independent of chunking, storage order, paths, software version and of everything in
    ``/provenance``.
    """
    sha = hashlib.sha256()
    for name in sorted(file.attrs):
        if name not in VOLATILE_ATTRIBUTES:
            _add_array(sha, f"@{name}", np.asarray(read_attribute(file, name)))
    for path in sorted(dataset_paths(file)):
        if not path.startswith(VOLATILE_GROUPS):
            _add_dataset(sha, path, file[path])
    return sha.hexdigest()


def read_attribute(group: h5py.Group, name: str):
    """The value of an attribute; texts come as bytes. Texts of variable length, which can crash
    HDF5, are not read."""
    if group.attrs.get_id(name).dtype.kind not in "iufS":
        raise ValueError("neither numbers nor a text of fixed length")
    return group.attrs[name]


def dataset_paths(group: h5py.Group) -> list[str]:
    """Absolute paths of all datasets below a group, links already known to be plain."""
    paths: list[str] = []
    group.visititems(
        lambda name, item: paths.append("/" + name) if isinstance(item, h5py.Dataset) else None
    )
    return paths


def _add_header(sha, name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    sha.update(f"{name}|{dtype.newbyteorder('<').str}|{shape}|".encode())


def _add_array(sha, name: str, array: np.ndarray) -> None:
    _add_header(sha, name, array.dtype, array.shape)
    sha.update(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes())


def _add_dataset(sha, path: str, dataset: h5py.Dataset) -> None:
    if dataset.ndim == 0:
        return _add_array(sha, path, np.asarray(dataset[()]))
    _add_header(sha, path, dataset.dtype, dataset.shape)
    row_bytes = max(1, dataset.dtype.itemsize * int(np.prod(dataset.shape[1:], dtype=np.int64)))
    step = max(1, _ROWS_AT_ONCE // row_bytes)
    for start in range(0, dataset.shape[0], step):
        rows = dataset[start : start + step]
        sha.update(np.ascontiguousarray(rows.astype(rows.dtype.newbyteorder("<"), copy=False)))
