"""Pickling tasks for other processes; large arrays travel through the folder of parts."""

from __future__ import annotations

import io
import pickle

import numpy as np

from rsmi.engine.tasks import Task
from rsmi.store import PartsFolder

_LARGE = 1 << 16  # bytes; larger arrays go through the folder
_PARTS = "parts"  # stands for the folder of the run in a packed task


class _Packer(pickle.Pickler):
    """Pickles tasks.

    Large arrays go to the folder, each of them once, even if many tasks have it. The folder itself
    is not pickled: a worker puts its own in its place.
    """

    def __init__(self, stream: io.BytesIO, parts: PartsFolder, kept: dict[int, str]):
        super().__init__(stream)
        self._parts, self._kept = parts, kept

    def persistent_id(self, item: object) -> str | None:
        if item is self._parts:
            return _PARTS
        if type(item) is not np.ndarray or item.dtype.kind not in "biuf" or item.nbytes < _LARGE:
            return None
        if id(item) not in self._kept:
            self._kept[id(item)] = self._parts.keep_array(item)
        return self._kept[id(item)]


class _Unpacker(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, parts: PartsFolder):
        super().__init__(stream)
        self._parts = parts

    def persistent_load(self, name: str) -> PartsFolder | np.ndarray:
        return self._parts if name == _PARTS else self._parts.kept_array(name)


def pack(task: Task, parts: PartsFolder, kept: dict[int, str]) -> bytes:
    """Pickle a task.

    Parameters
    ----------
    task : Task
    parts : PartsFolder
        The folder of the run.
    kept : dict
        The names of the arrays that the folder keeps, by their id; it is shared by all tasks of a
        run and updated.
    """
    stream = io.BytesIO()
    _Packer(stream, parts, kept).dump(task)
    return stream.getvalue()


def unpack(packed_task: bytes, parts: PartsFolder) -> Task:
    """The task that `pack` has pickled; ``parts`` is this process's object for the folder."""
    return _Unpacker(io.BytesIO(packed_task), parts).load()
