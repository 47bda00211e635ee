"""Configurations in text files: one on a line, or one row of the lattice on a line."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np

from rsmi.errors import DataError, UsageError
from rsmi.store.import_lines import LONGEST_LINE, LineFormat, plain_text
from rsmi.store.source import Source, reading

GZIP = b"\x1f\x8b"


@dataclass
class _Blocks:
    """The lengths of the blocks of lines, and of the gaps of skipped lines between them.

    A text is one block if no empty line, comment or the like interrupts it.
    """

    lines: int = 0
    count: int = 0
    first: int = 0
    divisor: int = 0
    gaps: frozenset[int] = frozenset()
    uneven: tuple[int, int] | None = None  # the last line of the first block of another length

    def add(self, length: int, gap: int, line: int) -> None:
        """Count a block of ``length`` lines that ends at ``line``, after a gap of ``gap``."""
        self.gaps |= {gap} if self.count else set()
        self.first = self.first or length
        if length != self.first and self.uneven is None:
            self.uneven = line, length
        self.lines, self.count = self.lines + length, self.count + 1
        self.divisor = math.gcd(self.divisor, length)


class TextSource(Source):
    """Numbers in a text, separated by commas, semicolons or white space, or strings such as 0110.

    If lines are interrupted regularly, by empty lines or comments, then the lines between two
    interruptions are one configuration (n, lines, numbers); else a line is one (n, numbers).

    Parameters
    ----------
    path : Path
        Plain or compressed by gzip.
    numbers : int, optional
        The numbers of one configuration: it then consists of as many lines as have them.
    columns : slice, optional
        The columns that are spins; all by default.
    header : int
        The lines at the beginning that are skipped. Lines of words without any number are skipped
        there anyway.
    """

    def __init__(
        self,
        path: Path,
        numbers: int | None = None,
        columns: slice | None = None,
        header: int = 0,
    ):
        super().__init__(path)
        self._header = header
        compressed = self._opened.read(len(GZIP)) == GZIP
        self._opened.seek(0)
        if compressed:
            self._stream = cast("IO[bytes]", gzip.GzipFile(fileobj=self._opened))
        with reading(path):
            self._format, blocks = self._survey(columns)
        self.width, self.lines = self._format.width, blocks.lines
        self._height = _lines_of_one(path, blocks, self.width, numbers)
        own = (self.width,) if self._height == 1 else (self._height, self.width)
        self._accept(np.dtype(np.float64), (blocks.lines // self._height, *own))
        self._place, self._lines = 0, self._from_the_start()

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._opened.close()

    def _survey(self, columns: slice | None) -> tuple[LineFormat, _Blocks]:
        """Find the format of the lines, and count the lines and blocks."""
        blocks, format, length, gap, number = _Blocks(), None, 0, 0, 0
        for number, text in self._all_lines():
            if text and format is None:
                format = LineFormat.of(self.path, number, text, columns)
                if format is None:
                    self.remarks = (*self.remarks, _header_remark(self.path, number, text))
                    self._header = number
                    continue
            if text:
                length += 1
            elif length:
                blocks.add(length, gap, number - 1)
                length, gap = 0, 1
            else:
                gap += 1
        if format is None:
            raise DataError(f"{self.path}: is empty")
        if length:
            blocks.add(length, gap, number)
        return format, blocks

    def _all_lines(self) -> Iterator[tuple[int, bytes]]:
        """The number of every line after the header, and its text without comment, which may be
        empty."""
        self._stream.seek(0)
        number = 0
        while line := self._stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(
                    f"{self.path}: line {number} has more than {LONGEST_LINE >> 20} MiB: one"
                    " configuration a line is read"
                )
            if number > self._header:
                yield number, plain_text(line, number)

    def _from_the_start(self) -> Iterator[tuple[int, bytes]]:
        return (line for line in self._all_lines() if line[1])

    def _read(self, start: int, stop: int) -> np.ndarray:
        if start * self._height < self._place:
            self._place, self._lines = 0, self._from_the_start()
        for _ in range(start * self._height - self._place):
            next(self._lines)
        rows = np.empty(((stop - start) * self._height, self.width))
        for row in rows:
            number, text = next(self._lines)
            row[:] = self._format.numbers(self.path, number, text)
        self._place = stop * self._height
        return rows.reshape(stop - start, *self._shape[1:])


def _header_remark(path: Path, number: int, text: bytes) -> str:
    return f"{path}: line {number} is skipped as a header: {text[:40].decode()!r}"


def _lines_of_one(path: Path, blocks: _Blocks, width: int, numbers: int | None) -> int:
    """The number of lines of one configuration."""
    if numbers is not None and numbers % width == 0:
        height = numbers // width
        return _checked(path, blocks, height) if height > 1 else 1
    if blocks.count < 2 or blocks.first == 1 and blocks.uneven is None:
        return 1
    if blocks.uneven is not None:
        line, length = blocks.uneven
        raise DataError(
            f"{path}: the block of lines that ends at line {line} has {length} lines, where those"
            f" before have {blocks.first}: if every line is a configuration, say so by --shape"
            f" {width}"
        )
    if len(blocks.gaps) > 1:
        raise UsageError(
            f"{path}: has blocks of {blocks.first} lines with gaps of {min(blocks.gaps)} and of"
            f" {max(blocks.gaps)} lines between them: give the lattice of one configuration by"
            " --shape"
        )
    return blocks.first


def _checked(path: Path, blocks: _Blocks, height: int) -> int:
    """The height that follows from --shape, if the lines agree with it."""
    planes = blocks.uneven is None and height % blocks.first == 0
    if blocks.lines % height or (blocks.divisor % height and not planes):
        raise DataError(
            f"{path}: has {blocks.lines} lines of numbers in {blocks.count} blocks, which are not"
            f" configurations of {height} lines each, as --shape says"
        )
    return height
