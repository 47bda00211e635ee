"""Shards: a shard is the part of a result that one of several jobs makes.

`rsmi.stages.merge` joins all shards of a result. Shard i of N runs the streams c with c mod N = i.
A stream is one task, with random numbers of its own. The file of a shard has the attributes of the
whole result, and the datasets of the whole that are not made of rows; these are the same in all
shards. Of every stream of the shard it has the rows, in ``/rows/STREAM``, and the state after them,
in ``/state/STREAM``. So the code that assembles the whole from the parts of one process also
assembles it from shards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from rsmi.errors import UsageError
from rsmi.store import File, Writer

_BYTES_AT_ONCE = 1 << 25

Stream = TypeVar("Stream")


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` of ``count``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def pair(self) -> tuple[int, int]:
        """Number and count, as the files store them."""
        return self.number, self.count

    def select(self, streams: list[Stream], cure: str = "") -> list[Stream]:
        """The streams of this shard.

        Parameters
        ----------
        streams : sequence
            All streams of the result.
        cure : str, optional
            How the user obtains as many streams as shards, for the message.

        Raises
        ------
        UsageError
            If there are more shards than streams.
        """
        if self.count > len(streams):
            raise UsageError(
                f"--shard {self}: more shards than streams of random numbers ({len(streams)}):"
                f" {f'{cure}, or ' if cure else ''}make at most {len(streams)} shards"
            )
        return streams[self.number :: self.count]


def parse_shard(text: str) -> Shard:
    """The shard that the text i/N names: ``2/8`` is the third of eight.

    Raises
    ------
    UsageError
        If the text is not of this form.
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    if not match or int(match[1]) >= int(match[2]):
        raise UsageError(f"--shard {text!r}: write i/N, i from 0 to N - 1, such as 0/8")
    return Shard(int(match[1]), int(match[2]))


class Piece(Protocol):
    """Rows ``start:stop`` of one task, in a part of unfinished work or in a file."""

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...

    @property
    def arrays(self) -> list[str]: ...

    def rows(self, name: str, start: int, stop: int) -> np.ndarray: ...


@dataclass(frozen=True)
class StoredRows:
    """The rows of one stream in the file of a shard."""

    file: File
    name: str

    start = 0

    @property
    def arrays(self) -> list[str]:
        """The names of the arrays that a row consists of."""
        return self.file.names(f"/rows/{self.name}")

    @property
    def stop(self) -> int:
        """The number of rows."""
        return self.file.shape(f"/rows/{self.name}/{self.arrays[0]}")[0] if self.arrays else 0

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        """Rows ``start:stop`` of one array."""
        return self.file.read(f"/rows/{self.name}/{name}", start, stop)


def streams_of(shard: File) -> list[str]:
    """The names of the streams in the file of a shard; some have only rows, others only a state."""
    return sorted({*shard.names("/rows"), *shard.names("/state")})


class RowReader:
    """The rows of one task, read from consecutive pieces."""

    def __init__(self, pieces: Sequence[Piece]):
        self._pieces = [piece for piece in pieces if piece.stop > piece.start]
        self.start = self._pieces[0].start if self._pieces else 0
        self.stop = self._pieces[-1].stop if self._pieces else 0

    @property
    def arrays(self) -> list[str]:
        """The names of the arrays that a row consists of."""
        return self._pieces[0].arrays if self._pieces else []

    def read(self, name: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """Rows ``start:stop`` of one array; all rows by default."""
        start = self.start if start is None else start
        stop = self.stop if stop is None else stop
        rows = [
            piece.rows(name, max(start, piece.start), min(stop, piece.stop))
            for piece in self._pieces
            if piece.start < stop and piece.stop > start
        ]
        return rows[0] if len(rows) == 1 else np.concatenate(rows)


def store_stream(
    writer: Writer,
    stream: str,
    rows: RowReader,
    state: Mapping[str, np.ndarray],
    unneeded: Sequence[str],
) -> None:
    """Copy one stream into the file of a shard: its rows, and the needed arrays of its state."""
    for name in rows.arrays:
        _store_array(writer, f"/rows/{stream}/{name}", rows, name)
    writer.state(stream, {name: array for name, array in state.items() if name not in unneeded})


def _store_array(writer: Writer, path: str, rows: RowReader, name: str) -> None:
    first = rows.read(name, rows.start, rows.start + 1)
    compress = first.dtype != np.uint8  # packed spins do not become smaller
    shape = (rows.stop - rows.start, *first.shape[1:])
    dataset = writer.dataset(path, shape, first.dtype, compress=compress)
    step = max(1, _BYTES_AT_ONCE // max(1, first.nbytes))
    for start in range(rows.start, rows.stop, step):
        stop = min(rows.stop, start + step)
        dataset[start - rows.start : stop - rows.start] = rows.read(name, start, stop)
