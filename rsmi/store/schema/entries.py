"""The entries of the schema: attributes, datasets, and kinds of files."""

from __future__ import annotations

from dataclasses import dataclass

FORMAT = "rsmi"
FORMAT_VERSION = (1, 4)
# A file that needs no newer version is written in this one, so that its digest stays the same.
OLDEST_WRITTEN = (1, 3)


@dataclass(frozen=True)
class Dataset:
    """One HDF5 dataset.

    Attributes
    ----------
    path : str
    dtype : str
        The name that numpy gives the type, or several names, with "or" between them.
    shape : tuple
        The names of the axes, or their fixed lengths. One name means one length throughout a file.
    units, meaning : str
    required : bool
    since : (int, int)
        The format version that introduced the dataset.
    later : tuple
        The types that a newer version has added, as pairs of a type and its format version.
    """

    path: str
    dtype: str
    shape: tuple[str | int, ...]
    units: str
    meaning: str
    required: bool = True
    since: tuple[int, int] = (1, 0)
    later: tuple[tuple[str, tuple[int, int]], ...] = ()


@dataclass(frozen=True)
class Attribute:
    """One root attribute.

    Attributes
    ----------
    name : str
    type : str
        One of text, json, integer, number, integers, flag.
    meaning : str
    required : bool
    since : (int, int)
        The format version that introduced the attribute.
    """

    name: str
    type: str
    meaning: str
    required: bool = True
    since: tuple[int, int] = (1, 0)


@dataclass(frozen=True)
class Kind:
    """What one kind of file holds, beyond what all files hold.

    Attributes
    ----------
    meaning : str
    attributes : tuple of Attribute
    datasets : tuple of Dataset
    whole : str
        For a shard, the kind of the file that all shards make; else empty.
    small : bool
        Whether files of this kind are so small that their digest is verified whenever they are
        opened. Samples and shards may be larger than the memory.
    since : tuple of int
        The format version that introduced the kind.
    """

    meaning: str
    attributes: tuple[Attribute, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    whole: str = ""
    small: bool = True
    since: tuple[int, int] = (1, 0)
