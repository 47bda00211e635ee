"""The names of attributes and of what is in a group, read so that a forged number of them does no
harm.

In any other than the native order HDF5 first makes a table of as many entries as a header says, and
then fills it with all that it finds, beyond the end of the table if the header is forged. h5py's
own iterators and `visit` ask for such an order; nothing that reads files uses them.
"""

from __future__ import annotations

import h5py
from h5py import h5a, h5d, h5g, h5t


def attribute_names(thing: h5g.GroupID | h5d.DatasetID | h5t.TypeID) -> list[str]:
    """The names of the attributes of an object, sorted; UnicodeDecodeError unless all are UTF-8."""
    return [name.decode() for name in raw_attribute_names(thing)]


def link_names(group: h5g.GroupID) -> list[str]:
    """The names of the links in a group, sorted; UnicodeDecodeError unless all are UTF-8."""
    return [name.decode() for name in raw_link_names(group)]


def raw_attribute_names(thing: h5g.GroupID | h5d.DatasetID | h5t.TypeID) -> list[bytes]:
    """The names of the attributes of an object as they are stored, sorted."""
    names: list[bytes] = []
    h5a.iterate(thing, names.append, order=h5py.h5.ITER_NATIVE)
    return sorted(names)


def raw_link_names(group: h5g.GroupID) -> list[bytes]:
    """The names of the links in a group as they are stored, sorted."""
    names: list[bytes] = []
    group.links.iterate(names.append, order=h5py.h5.ITER_NATIVE)
    return sorted(names)
