"""Configurations in text files, one per line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rsmi.errors import DataError
from rsmi.store.source import Source, reading

LONGEST_LINE = 1 << 26  # bytes of one configuration as text


class CsvSource(Source):
    """A text with one configuration per line: numbers, separated by commas or white space.

    Empty lines and lines that begin with # are skipped.
    """

    def __init__(self, path: Path):
        super().__init__(path)
        with reading(path):
            self._lines = self._from_the_start()
            number, first = next(self._lines, (0, b""))
            if not first:
                raise DataError(f"{path}: is empty")
            width, count = len(self._parse(number, first)), 1 + sum(1 for _ in self._lines)
        self._accept(np.dtype(np.float64), (count, width))
        self._place, self._lines = 0, self._from_the_start()

    def _from_the_start(self) -> Iterator[tuple[int, bytes]]:
        """The number and the text of every line that is not skipped."""
        self._stream.seek(0)
        number = 0
        while line := self._stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(
                    f"{self.path}: line {number} has more than {LONGEST_LINE >> 20} MiB: one"
                    " configuration a line is read"
                )
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if text and not text.startswith(b"#"):
                yield number, text

    def _read(self, start: int, stop: int) -> np.ndarray:
        if start < self._place:
            self._place, self._lines = 0, self._from_the_start()
        for _ in range(start - self._place):
            next(self._lines)
        width = self._shape[1]
        rows = np.empty((stop - start, width))
        for row in rows:
            number, text = next(self._lines)
            numbers = self._parse(number, text)
            if len(numbers) != width:
                raise DataError(
                    f"{self.path}: line {number} has {len(numbers)} numbers, where the lines before"
                    f" have {width}"
                )
            row[:] = numbers
        self._place = stop
        return rows

    def _parse(self, number: int, text: bytes) -> np.ndarray:
        separator = "," if b"," in text else " "
        try:
            with warnings.catch_warnings():
                # numpy before 2.3 only warns of a text that is no number.
                warnings.simplefilter("error")
                return np.fromstring(text, sep=separator)
        except (ValueError, DeprecationWarning):
            raise DataError(f"{self.path}: line {number}: {_mistake(text, separator)}") from None


def _mistake(text: bytes, separator: str) -> str:
    """What is wrong with a line that does not consist of numbers."""
    words = text.split(b",") if separator == "," else text.split()
    bad = next((word.strip() for word in words if not _is_number(word.strip())), b"")
    return f"{bad[:20].decode(errors='replace')!r} is no number" if bad else "a number is missing"


def _is_number(word: bytes) -> bool:
    try:
        return len(np.fromstring(word, sep=" ")) == 1
    except (ValueError, DeprecationWarning):
        return False
