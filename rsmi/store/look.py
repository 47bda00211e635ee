"""Everything in an HDF5 file that the library HDF5 may die of: metadata, indices and small data.

This is for `rsmi.first_look`, in a process that may die. It checks nothing and returns nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5o, h5t

_SMALL = 1 << 20  # bytes of data that are read
_PLAIN = (h5t.INTEGER, h5t.FLOAT)
_LAYOUTS = (h5d.CHUNKED, h5d.CONTIGUOUS, h5d.COMPACT)


def touch_everything(path: Path) -> None:
    """Open every object, read every attribute, and go through the index of every dataset."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    with contextlib.suppress(AttributeError):  # an old h5py
        access.set_file_locking(False, True)
    file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY, fapl=access)
    root = h5o.open(file, b"/")
    names: list[bytes] = []
    h5o.visit(root, names.append)
    for name in [b"/", *names]:
        with contextlib.suppress(Exception):
            _touch(h5o.open(root, name))
    file.close()


def _touch(thing: h5py.h5g.GroupID | h5d.DatasetID | h5t.TypeID) -> None:
    for number in range(h5a.get_num_attrs(thing)):
        name = h5a.open(thing, index=number).get_name()
        attribute = h5a.open(thing, name)  # by its name, as they are read later
        kind = attribute.get_type()
        if _is_plain(kind):
            attribute.read(np.empty(attribute.shape, kind.dtype), kind)
    if isinstance(thing, h5d.DatasetID):
        _touch_data(thing)


def _touch_data(data: h5d.DatasetID) -> None:
    settings, kind = data.get_create_plist(), data.get_type()
    if settings.get_layout() == h5d.CHUNKED:
        data.chunk_iter(lambda chunk: None)
    size = int(np.prod(data.shape, dtype=object)) * kind.get_size()
    readable = settings.get_layout() in _LAYOUTS and not settings.get_external_count()
    if readable and _is_plain(kind) and max(size, data.get_storage_size()) <= _SMALL:
        data.read(h5py.h5s.ALL, h5py.h5s.ALL, np.empty(data.shape, kind.dtype), kind)


def _is_plain(kind: h5t.TypeID) -> bool:
    """Whether values of a type have a fixed size and lie where they are read from."""
    text = kind.get_class() == h5t.STRING
    return kind.get_class() in _PLAIN or (text and not kind.is_variable_str())
