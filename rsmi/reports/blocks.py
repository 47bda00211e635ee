"""The lines of a description as what they are: tables, paragraphs, notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsmi.statistics.notation import Row

LEVELS = ("contradiction", "warning", "remark")
_NUMBER = re.compile(r"[+-]?(\d[\d.]*|inf|nan)(e[+-]?\d+)?(\([\d.]+\))?[*+]?( %)?|-")
_GAP = re.compile(r"\S {3,}\S")
_MARK = re.compile(r"[-*+]\s")


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    caption : tuple of str
        The lines above it.
    head, rows : tuple of tuple of str
        Cells; rows of named fields may differ in length, all others have as many.
    of_fields : bool
        Whether every row is a name and what is said of it.
    """

    caption: tuple[str, ...]
    head: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]
    of_fields: bool
    form = "table"

    @property
    def columns(self) -> int:
        """The number of columns."""
        return max(map(len, (*self.head, *self.rows)))

    @property
    def sortable(self) -> bool:
        """Whether the order of the rows may be changed: there are titles, and every row says itself
        what it is of."""
        named = all(row[0].strip() for row in self.rows)
        return bool(self.head) and len(self.rows) > 1 and named and not self.of_fields


@dataclass(frozen=True)
class Paragraph:
    """Lines of running text, or lines whose spaces matter (``aligned``)."""

    lines: tuple[str, ...]
    aligned: bool = False
    form = "paragraph"


@dataclass(frozen=True)
class Note:
    """A sentence that the reader must know; ``level`` is one of `LEVELS`."""

    level: str
    sentence: str
    form = "note"


Block = Table | Paragraph | Note


def blocks_of(lines: Sequence[str]) -> list[Block]:
    """The blocks of a description, see `rsmi.reports.files.lines`.

    The lines above a table, up to an empty one, are its caption; an empty line may lie between.
    """
    blocks: list[Block] = []
    caption: list[str] = []
    for run in _runs(lines):
        if isinstance(run[0], Row):
            if _is_aligned(caption):
                blocks += _paragraphs(caption)
                caption = []
            blocks.append(_table(caption, [row for row in run if isinstance(row, Row)]))
            caption = []
            continue
        blocks += _paragraphs(caption)
        notes = [note for line in run if (note := _note(line)) is not None]
        blocks += notes
        caption = [line for line in run if _note(line) is None]
    return blocks + _paragraphs(caption)


def _runs(lines: Sequence[str]) -> Iterator[list[str]]:
    """Successive lines of one table, or of text without an empty line."""
    run: list[str] = []
    for line in lines:
        begins = isinstance(line, Row) and (line.first or not (run and isinstance(run[0], Row)))
        ends = not isinstance(line, Row) and bool(run) and isinstance(run[0], Row)
        if run and (begins or ends or not line.strip()):
            yield run
            run = []
        if line.strip() or isinstance(line, Row):
            run.append(line)
    if run:
        yield run


# ---- tables --------------------------------------------------------------------------------------


def _table(caption: Sequence[str], rows: Sequence[Row]) -> Table:
    cells, of_fields = [row.cells for row in rows], rows[0].of_fields
    heads = 0
    while heads < min(2, len(cells) - 1) and _is_head(cells[heads], heads, of_fields):
        heads += 1
    shown = tuple(line.strip() for line in caption)
    return Table(shown, tuple(cells[:heads]), tuple(cells[heads:]), of_fields)


def _is_head(cells: Sequence[str], number: int, of_fields: bool) -> bool:
    """Whether a row has titles and no numbers. It is the first one, or a second one with units and
    no name; among named fields it has no name."""
    if any(map(_NUMBER.fullmatch, cells)):
        return False
    return not cells[0].strip() or (number == 0 and not of_fields)


# ---- text ----------------------------------------------------------------------------------------


def _note(line: str) -> Note | None:
    level, colon, sentence = line.strip().partition(": ")
    return Note(level, sentence.strip()) if colon and level in LEVELS else None


def _is_aligned(lines: Sequence[str]) -> bool:
    """Whether text stands in columns: several lines have wide gaps."""
    return sum(bool(_GAP.search(line.strip())) for line in lines) > 1


def _paragraphs(lines: Sequence[str]) -> list[Block]:
    """Text in paragraphs; where the spaces of several lines matter, in one block as it stands."""
    if _is_aligned(lines):
        indent = min(len(line) - len(line.lstrip()) for line in lines)
        return [Paragraph(tuple(line[indent:] for line in lines), aligned=True)]
    joined: list[str] = []
    for line in map(str.strip, lines):
        if joined and line[0].islower() and joined[-1][-1] not in ".:;" and not _MARK.match(line):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return [Paragraph(tuple(joined))] if joined else []
