"""Whether the chunks of a dataset decode to their size, before HDF5 decodes them.

HDF5 does not look: a chunk that decodes to fewer bytes than it should have is read beyond its end,
and one with fewer bytes than its checksum takes crashes. So only filters whose result can be
foretold are let through.
"""

from __future__ import annotations

import math
import zlib

import h5py

_CHECKSUM = 4  # bytes that Fletcher's checksum adds
FILTERS = {
    h5py.h5z.FILTER_DEFLATE: "gzip",
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
}


def filters_of(dataset: h5py.Dataset) -> list[int]:
    """HDF5's numbers of the filters, in the order of writing."""
    settings = dataset.id.get_create_plist()
    return (
        [settings.get_filter(index)[0] for index in range(settings.get_nfilters())]
        if dataset.chunks
        else []
    )


def check_chunks(dataset: h5py.Dataset, file_bytes: int) -> None:
    """Raise ValueError unless every chunk lies in the file and decodes to the size of a chunk.

    Parameters
    ----------
    dataset : h5py.Dataset
        Its filters are among `FILTERS`.
    file_bytes : int
        Size of the file.
    """
    if not dataset.chunks:
        return
    filters, size = filters_of(dataset), math.prod(dataset.chunks) * dataset.dtype.itemsize
    for chunk in _stored(dataset):
        if (
            chunk.byte_offset + chunk.size > file_bytes
            or _decoded_size(dataset, chunk, filters, size) != size
        ):
            raise ValueError(
                f"{dataset.name} has a chunk that is truncated or of another size than it should be"
            )


def _stored(dataset: h5py.Dataset) -> list:
    most, found = (
        math.prod(-(-length // chunk) for length, chunk in zip(dataset.shape, dataset.chunks)),
        [],
    )

    def note(chunk):
        found.append(chunk)
        return True if len(found) > most else None  # enough: stops

    dataset.id.chunk_iter(note)
    if len(found) > most:
        raise ValueError(f"{dataset.name} has more chunks than fit into it")
    return found


def _decoded_size(dataset: h5py.Dataset, chunk, filters: list[int], size: int) -> int:
    """Bytes after all filters; a deflated chunk is inflated for that, no further than it should
    go."""
    applied = [number for index, number in enumerate(filters) if not chunk.filter_mask >> index & 1]
    if h5py.h5z.FILTER_DEFLATE not in applied:
        return chunk.size - _CHECKSUM * applied.count(h5py.h5z.FILTER_FLETCHER32)
    content = dataset.id.read_direct_chunk(chunk.chunk_offset)[1]
    for number in reversed(applied):
        if number == h5py.h5z.FILTER_FLETCHER32:
            content = content[:-_CHECKSUM]
        elif number == h5py.h5z.FILTER_DEFLATE:
            content = _inflated(content, size + _CHECKSUM * len(applied))
    return len(content)


def _inflated(content: bytes, most: int) -> bytes:
    inflate = zlib.decompressobj()
    try:
        found = inflate.decompress(content, most + 1)
    except zlib.error:
        return b""
    return found if inflate.eof else b""
