"""Checks that the chunks of a dataset decode to the right size, before HDF5 decodes them.

HDF5 does not check: it reads beyond the end of a chunk that decodes to fewer bytes, and it crashes
on a chunk that is shorter than its checksum. So only filters are allowed whose output size can be
computed in advance.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, NamedTuple

import h5py
import numpy as np

_CHECKSUM = 4  # bytes of a Fletcher checksum
FILTERS = {
    h5py.h5z.FILTER_DEFLATE: "gzip",
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
}
# Those of files of other programs.
FOREIGN_FILTERS = {**FILTERS, h5py.h5z.FILTER_LZF: "lzf"}
_COMPRESSIONS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF)


class Storage(NamedTuple):
    """How a dataset is stored. HDF5 is asked only once, since every answer is an object of it.

    Attributes
    ----------
    elsewhere : bool
        Whether the data are in other files or in other datasets.
    filters : list of int
        The numbers that HDF5 gives the filters, in the order of writing.
    lzf_buffer : int
        The size of the buffer into which LZF decodes a chunk if it is the only filter, else 0.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...] | None
    elsewhere: bool
    filters: list[int]
    lzf_buffer: int

    @property
    def nbytes(self) -> int:
        """The bytes of the decoded data."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def compressed(self) -> bool:
        """Whether a chunk may be stored in fewer bytes than it has."""
        return not set(_COMPRESSIONS).isdisjoint(self.filters)

    @property
    def chunk_bytes(self) -> int:
        """The bytes of a decoded chunk."""
        return math.prod(self.chunks or ()) * self.dtype.itemsize


def storage_of(dataset: h5py.Dataset) -> Storage:
    """How a dataset is stored."""
    settings = dataset.id.get_create_plist()
    layout = settings.get_layout()
    chunked = layout == h5py.h5d.CHUNKED
    filters = [settings.get_filter(i) for i in range(settings.get_nfilters())] if chunked else []
    numbers = [number for number, *_ in filters]
    values: tuple[int, ...] = filters[0][2] if numbers == [h5py.h5z.FILTER_LZF] else ()
    return Storage(
        dataset.shape,
        dataset.dtype,
        settings.get_chunk() if chunked else None,
        layout == h5py.h5d.VIRTUAL or settings.get_external_count() > 0,
        numbers,
        values[2] if len(values) > 2 else 0,
    )


def check_chunks(dataset: h5py.Dataset, storage: Storage, file_bytes: int) -> None:
    """Check that every chunk lies in the file and decodes to the size of a chunk.

    Parameters
    ----------
    dataset : h5py.Dataset
        A dataset whose filters are among `FOREIGN_FILTERS`.
    storage : Storage
        What `storage_of` says about it.
    file_bytes : int
        The size of the file.

    Raises
    ------
    ValueError
        If a chunk does not.
    """
    if not storage.chunks:
        return
    # HDF5 cannot read beyond the end of a chunk that LZF decodes into a buffer of the size of a
    # chunk; so these chunks need not be decoded to know their size, which would take long.
    buffered = storage.lzf_buffer >= storage.chunk_bytes > 0
    for chunk in _stored(dataset, storage):
        trusted = buffered and chunk.size > 0 and not chunk.filter_mask
        if chunk.byte_offset + chunk.size > file_bytes or not (
            trusted or _decoded_size(dataset, chunk, storage) == storage.chunk_bytes
        ):
            raise ValueError(
                f"{dataset.name} has a chunk that is truncated or of another size than it should be"
            )


def _stored(dataset: h5py.Dataset, storage: Storage) -> list[Any]:
    """The records of all stored chunks."""
    counts = [-(-length // chunk) for length, chunk in zip(storage.shape, storage.chunks or ())]
    most = math.prod(counts)
    chunks = []

    def collect(chunk: Any) -> bool | None:
        chunks.append(chunk)
        return True if len(chunks) > most else None  # True ends the iteration

    dataset.id.chunk_iter(collect)
    if len(chunks) > most:
        raise ValueError(f"{dataset.name} has more chunks than fit into it")
    return chunks


def _decoded_size(dataset: h5py.Dataset, chunk: Any, storage: Storage) -> int:
    """The bytes of a chunk after all filters.

    A compressed chunk is decoded for that, but not beyond the size that it should have.
    """
    mask, size = chunk.filter_mask, storage.chunk_bytes
    applied = [number for index, number in enumerate(storage.filters) if not mask >> index & 1]
    if not set(_COMPRESSIONS) & set(applied):
        return chunk.size - _CHECKSUM * applied.count(h5py.h5z.FILTER_FLETCHER32)
    content = dataset.id.read_direct_chunk(chunk.chunk_offset)[1]
    for number in reversed(applied):
        if number == h5py.h5z.FILTER_FLETCHER32:
            content = content[:-_CHECKSUM]
        elif number == h5py.h5z.FILTER_DEFLATE:
            content = _inflated(content, size + _CHECKSUM * len(applied))
        elif number == h5py.h5z.FILTER_LZF:
            content = bytes(_lzf_size(content, size + _CHECKSUM * len(applied)))
    return len(content)


def _inflated(content: bytes, most: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        inflated = inflate.decompress(content, most + 1)
    except zlib.error:
        return b""
    return inflated if inflate.eof else b""


def _lzf_size(content: bytes, most: int) -> int:
    """The size of what an LZF chunk decodes to; 0 if it is damaged, or larger than ``most``.

    Below 32, a control byte announces so many literal bytes and one more. Its upper three bits are
    else the length of a copy less 2, where 7 is continued in the next byte; the other five bits and
    one further byte are the distance of the copy, less 1 (liblzf of M. Lehmann, lzf_d.c).
    """
    place, size, end = 0, 0, len(content)
    while place < end and size <= most:
        control = content[place]
        if control < 32:
            place, size = place + control + 2, size + control + 1
            continue
        length = control >> 5
        if length == 7 and place + 1 < end:
            place += 1
            length += content[place]
        distance = ((control & 31) << 8 | content[place + 1]) + 1 if place + 1 < end else end
        if distance > size:
            return 0
        place, size = place + 2, size + length + 2
    return size if place == end and size <= most else 0
