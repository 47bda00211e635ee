"""An open file of rsmi."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rsmi.errors import DataError
from rsmi.store.attributes import read_attributes, require, text
from rsmi.store.digest import canonical_json, content_digest, read_attribute
from rsmi.store.errors import hdf5_errors
from rsmi.store.names import attribute_names, link_names
from rsmi.store.schema import KINDS
from rsmi.store.structure import check_datasets


class File:
    """An open file whose structure agrees with the schema of its kind.

    `rsmi.store.open_file` opens files and also checks that their values are consistent.

    Attributes
    ----------
    path : Path
    kind : str
        A key of `rsmi.store.schema.KINDS`.
    attributes : dict
        The root attributes as Python values.

    Raises
    ------
    DataError
        If an attribute or a dataset breaks the schema.
    """

    def __init__(self, handle: h5py.File, path: Path, kind: str):
        self._handle = handle
        self.path = path
        self.kind = kind
        self.attributes: dict[str, Any] = read_attributes(handle, path, kind)
        self._datasets = check_datasets(handle, path, KINDS[kind])

    def __contains__(self, path: str) -> bool:
        return path in self._datasets or path in self._handle

    @property
    def digest(self) -> str:
        """The stored content digest."""
        return self.attributes["digest"]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the command that made the file."""
        return self.attributes["parameters"]

    @property
    def own_attributes(self) -> dict[str, Any]:
        """The attributes of the file's kind, without those that all files have."""
        return {
            attribute.name: self.attributes[attribute.name]
            for attribute in KINDS[self.kind].attributes
            if attribute.name in self.attributes
        }

    def names(self, group: str) -> list[str]:
        """The names of the items in a group; none if there is no such group."""
        with hdf5_errors(self.path, f"cannot read {group}"):
            return link_names(self._handle[group].id) if group in self._handle else []

    def shape(self, path: str) -> tuple[int, ...]:
        """The shape of a dataset."""
        with hdf5_errors(self.path, f"cannot read {path}"):
            return self._datasets[path].shape

    def read(self, path: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """A dataset, or its rows ``start:stop``.

        Raises
        ------
        DataError
            If the dataset is missing, or if a checksum does not match.
        """
        with hdf5_errors(self.path, f"cannot read {path}"):
            dataset = self._datasets[path]
            return np.asarray(dataset[()] if dataset.ndim == 0 else dataset[start:stop])

    def state(self, task: str) -> dict[str, np.ndarray]:
        """The state of one task, as stored in ``/state``."""
        with hdf5_errors(self.path, f"cannot read the state of {task}"):
            return arrays_of(self._handle[f"/state/{task}"])

    def any_state(self) -> dict[str, np.ndarray]:
        """The state of the first task that has one; the states of all chains are alike."""
        return self.state(next(iter(self.names("/state")), "any task"))

    def datasets(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """The shape and the dtype of every dataset, by path."""
        with hdf5_errors(self.path, "damaged structure"):
            return {
                path: (dataset.shape, str(dataset.dtype))
                for path, dataset in sorted(self._datasets.items())
            }

    def ancestors(self) -> list[dict]:
        """The files that this file was made from, oldest first: command, parameters, digest."""
        with hdf5_errors(self.path, "the list of ancestors is damaged"):
            ancestors = json.loads(bytes(self._handle["/provenance/ancestors"][()]).decode())
            canonical_json(ancestors)  # refuses NaN and infinity
            for ancestor in require(ancestors, list):
                require(ancestor["command"], str)
                require(ancestor["parameters"], dict)
                require(ancestor["digest"], str)
            return ancestors

    def run_facts(self) -> dict[str, str]:
        """The facts of the run that wrote the file; they influence no result."""
        with hdf5_errors(self.path, "the run's facts are damaged"):
            group = self._handle["/provenance/run"]
            return {name: text(read_attribute(group, name)) for name in attribute_names(group.id)}

    def verify(self) -> None:
        """Compute the digest of the content again and compare it with the stored one.

        Raises
        ------
        DataError
            If they differ.
        """
        with hdf5_errors(self.path, "damaged"):
            actual = content_digest(self._handle, self._datasets)
        if actual != self.digest:
            raise DataError(
                f"{self.path}: the content does not match the stored digest: the file was changed"
                " or damaged"
            )


def arrays_of(group: h5py.Group) -> dict[str, np.ndarray]:
    """All arrays in a group."""
    return {name: np.asarray(group[name][()]) for name in link_names(group.id)}
