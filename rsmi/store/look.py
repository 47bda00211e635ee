"""Everything in an HDF5 file that the library HDF5 may die of: metadata, indices and small data.

This is for `rsmi.first_look`, in a process that may die. It checks nothing and returns nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5o, h5t

from rsmi.store.names import raw_attribute_names, raw_link_names

_SMALL = 1 << 20  # bytes of data that are read
_BLOCKS = 32  # of one size; the lists have up to seven, and numpy keeps as many
_SIZES_OF_BLOCKS = (*range(8, 1040, 16), 100_000)
_PLAIN = (h5t.INTEGER, h5t.FLOAT)
_LAYOUTS = (h5d.CHUNKED, h5d.CONTIGUOUS, h5d.COMPACT)


def touch_everything(path: Path) -> None:
    """Open every object, read every attribute, and go through the index of every dataset."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    with contextlib.suppress(AttributeError):  # an old h5py
        access.set_file_locking(False, True)
    file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY, fapl=access)
    _touch(h5o.open(file, b"/"), set())
    file.close()


def exercise_memory() -> None:
    """Take and return blocks of every size that the C library keeps lists of.

    HDF5 may have written beyond the end of a block without an error. The C library notices this,
    and ends the process, when it next takes or returns the block that follows. numpy keeps the
    first seven blocks of a size that are returned to it, which are therefore the latest ones.
    """
    for size in _SIZES_OF_BLOCKS:
        blocks = [np.empty(size, np.uint8) for _ in range(_BLOCKS)]
        while blocks:
            blocks.pop()


def _touch(thing: h5g.GroupID | h5d.DatasetID | h5t.TypeID, touched: set[int]) -> None:
    """Touch an object and all that it leads to, each once: links may go round in circles."""
    address = h5o.get_info(thing).addr
    if address in touched:
        return
    touched.add(address)
    for name in raw_attribute_names(thing):
        attribute = h5a.open(thing, name)
        kind = attribute.get_type()
        if _is_plain(kind):
            attribute.read(np.empty(attribute.shape, kind.dtype), kind)
    if isinstance(thing, h5d.DatasetID):
        _touch_data(thing)
    elif isinstance(thing, h5g.GroupID):
        for name in raw_link_names(thing):
            with contextlib.suppress(Exception):
                if thing.links.get_info(name).type == h5l.TYPE_HARD:
                    _touch(h5o.open(thing, name), touched)


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
