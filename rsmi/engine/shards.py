"""Shards: what one job of several makes of a result, for `rsmi.stages.merge` to join.

Shard i of N runs the streams c with c mod N = i; a stream is one task of the runner, with random
numbers of its own. A shard's file has the attributes of the whole and what the whole holds besides
rows, the same in all shards; of each of its streams the rows, in ``/rows/STREAM``, and the state
after them, in ``/state/STREAM``. So the whole is assembled from shards by the very code that
assembles it from the parts of one process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rsmi.errors import UsageError
from rsmi.store import File, Writer

_BYTES_AT_ONCE = 1 << 25


@dataclass(frozen=True)
class Shard:
    """Shard ``number`` of ``count``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def share(self, streams: list) -> list:
        """Those of all streams that are this shard's; more shards than streams are a UsageError."""
        if self.count > len(streams):
            raise UsageError(
                f"--shard {self}: more shards than streams of random numbers ({len(streams)})"
            )
        return streams[self.number :: self.count]


def parse_shard(text: str) -> Shard:
    """``2/8``: the third of eight."""
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
    if not found or int(found[1]) >= int(found[2]):
        raise UsageError(f"--shard {text!r}: write i/N, i from 0 to N - 1, such as 0/8")
    return Shard(int(found[1]), int(found[2]))


class Piece(Protocol):
    """Rows ``start:stop`` of one task: a part of work in progress, or what a file has of it."""

    start: int
    stop: int

    @property
    def arrays(self) -> list[str]: ...

    def rows(self, name: str, start: int, stop: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Stored:
    """The rows of one stream in a shard's file."""

    file: File
    name: str

    start = 0

    @property
    def arrays(self) -> list[str]:
        return self.file.names(f"/rows/{self.name}")

    @property
    def stop(self) -> int:
        return self.file.shape(f"/rows/{self.name}/{self.arrays[0]}")[0] if self.arrays else 0

    def rows(self, name: str, start: int, stop: int) -> np.ndarray:
        return self.file.read(f"/rows/{self.name}/{name}", start, stop)


def streams_of(shard: File) -> list[str]:
    """Names of the streams that a shard's file holds: some have rows only, or a state only."""
    return sorted({*shard.names("/rows"), *shard.names("/state")})


class RowReader:
    """All rows of one task, piece by piece."""

    def __init__(self, pieces: list[Piece]):
        self._pieces = [piece for piece in pieces if piece.stop > piece.start]
        self.start = self._pieces[0].start if self._pieces else 0
        self.stop = self._pieces[-1].stop if self._pieces else 0

    @property
    def arrays(self) -> list[str]:
        return self._pieces[0].arrays if self._pieces else []

    def read(self, name: str, start: int | None = None, stop: int | None = None) -> np.ndarray:
        """Rows ``start:stop`` of one array (all by default)."""
        start, stop = self.start if start is None else start, self.stop if stop is None else stop
        found = [
            piece.rows(name, max(start, piece.start), min(stop, piece.stop))
            for piece in self._pieces
            if piece.start < stop and piece.stop > start
        ]
        return found[0] if len(found) == 1 else np.concatenate(found)


def store_rows(writer: Writer, stream: str, rows: RowReader) -> None:
    """Copy the rows of one stream into a shard's file."""
    for name in rows.arrays:
        one = rows.read(name, rows.start, rows.start + 1)
        step, numbers = (
            max(1, _BYTES_AT_ONCE // max(1, one.nbytes)),
            one.dtype != np.uint8,
        )  # which are packed spins
        dataset = writer.dataset(
            f"/rows/{stream}/{name}",
            (rows.stop - rows.start, *one.shape[1:]),
            one.dtype,
            compress=numbers,
        )
        for start in range(rows.start, rows.stop, step):
            stop = min(rows.stop, start + step)
            dataset[start - rows.start : stop - rows.start] = rows.read(name, start, stop)
