"""Tables that put several files side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SEVERAL = 3  # rows, from which on what they have in common is said once
_LONG = 28  # characters of a cell that may be broken into lines

Row = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table whose first column names the rows.

    Attributes
    ----------
    titles : tuple of str
    rows : list of tuple of str
    common : list of (str, str)
        Titles and values of columns with the same value in every row, which stand above the table.
    """

    titles: Row
    rows: list[Row]
    common: list[tuple[str, str]]

    @staticmethod
    def is_long(cell: str) -> bool:
        """Whether a cell may be broken into lines."""
        return len(cell) > _LONG


def grid_of(titles: Row, rows: Sequence[Row]) -> Grid:
    """A table without the columns in which nothing stands, or always the same."""
    columns = dict(enumerate(zip(*rows)))
    empty = {i for i, cells in columns.items() if set(cells) <= {"", "-"}}
    equal = {
        i for i, cells in columns.items() if i and len(rows) >= _SEVERAL and len({*cells}) == 1
    }
    kept = [i for i in columns if i not in empty | equal]
    return Grid(
        tuple(titles[i] for i in kept),
        [tuple(row[i] for i in kept) for row in rows],
        [(titles[i], rows[0][i]) for i in sorted(equal - empty)],
    )
