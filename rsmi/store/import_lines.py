"""One line of a text as numbers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsmi.errors import DataError, UsageError

LONGEST_LINE = 1 << 26  # bytes of one line

_STRING = re.compile(rb"[01]+|[+-]+")
_VALUES = np.full(256, np.nan)
_VALUES[list(b"01+-")] = [0, 1, 1, -1]


def plain_text(line: bytes, number: int) -> bytes:
    """The line without a mark of the encoding, a comment (# or %) and white space at the ends."""
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    for mark in (b"#", b"%"):
        if mark in line:
            line = line.partition(mark)[0]
    line = line.replace(b";", b",") if b";" in line else line
    return line.strip()


@dataclass(frozen=True)
class LineFormat:
    """How the numbers of all lines are written.

    Attributes
    ----------
    columns : slice, optional
        The words that are spins; all by default.
    strings : bool
        Whether words are strings of one character a spin: 0 and 1, or + and -.
    width : int
        The number of spins on a line.
    """

    columns: slice | None
    strings: bool
    width: int

    @classmethod
    def of(cls, path: Path, number: int, text: bytes, columns: slice | None) -> LineFormat | None:
        """The format that the first line with numbers has; None if the line is a header.

        Raises
        ------
        UsageError
            If the columns leave no number.
        DataError
            If the line is neither a header nor numbers.
        """
        if _is_header(text):
            return None
        words = _words(text)[columns or slice(None)]
        if not words:
            raise UsageError(f"--columns: line {number} of {path} has no such columns")
        strings = all(map(_STRING.fullmatch, words)) and any(len(word) > 1 for word in words)
        format = cls(columns, strings, 0)
        return cls(columns, strings, len(format._values(path, number, text)))

    def numbers(self, path: Path, number: int, text: bytes) -> NDArray[np.float64]:
        """The spins of a line.

        Raises
        ------
        DataError
            If a word is no number, or if the line has more or fewer spins than the first one.
        """
        values = self._values(path, number, text)
        if len(values) != self.width:
            raise DataError(
                f"{path}: line {number} has {len(values)} numbers, where the lines before have"
                f" {self.width}"
            )
        return values

    def _values(self, path: Path, number: int, text: bytes) -> NDArray[np.float64]:
        words = None
        if self.columns is not None or self.strings:
            words = _words(text)[self.columns or slice(None)]
            text = (b"" if self.strings else b" ").join(words)
        if self.strings:
            values = _VALUES[np.frombuffer(text, np.uint8)]
            if not np.isnan(values).any():
                return values
        elif _is_plain(words):
            numbers = _parsed(text)
            if numbers is not None:
                return numbers
        raise DataError(f"{path}: line {number}: {_mistake(words or _words(text))}")


def _is_plain(words: Sequence[bytes] | None) -> bool:
    """Whether words may be joined by spaces: none is empty."""
    return words is None or all(words)


def _words(text: bytes) -> list[bytes]:
    return [word.strip() for word in text.split(b",")] if b"," in text else text.split()


def _parsed(text: bytes) -> NDArray[np.float64] | None:
    """The numbers of a text; None if it holds anything else."""
    try:
        with warnings.catch_warnings():
            # numpy before 2.3 only warns of a text that is no number.
            warnings.simplefilter("error")
            return np.fromstring(text, sep="," if b"," in text else " ")
    except (ValueError, DeprecationWarning):
        return None


def _is_header(text: bytes) -> bool:
    """Whether a line is a text without any number."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return not any(_is_number(word) or _STRING.fullmatch(word) for word in _words(text) if word)


def _mistake(words: Sequence[bytes]) -> str:
    """What is wrong with a line that does not consist of numbers."""
    bad = next((word for word in words if not _is_number(word)), b"")
    return f"{bad[:20].decode(errors='replace')!r} is no number" if bad else "a number is missing"


def _is_number(word: bytes) -> bool:
    numbers = _parsed(word)
    return numbers is not None and len(numbers) == 1
