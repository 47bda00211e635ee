"""Numbers with their errors as a physicist writes them, and tables of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rsmi.foreign_text import printable


class Row(str):
    """A line of a table, which knows the cells that it is made of.

    Attributes
    ----------
    cells : tuple of str
    of_fields : bool
        Whether it is a line of `fields` and not of `table`.
    first : bool
        Whether a table begins with it.
    """

    cells: tuple[str, ...] = ()
    of_fields = False
    first = False


def _row(line: str, cells: Sequence[str], of_fields: bool, first: bool) -> Row:
    row = Row(line.rstrip())
    row.cells, row.of_fields, row.first = tuple(cells), of_fields, first
    return row


def with_error(value: float | None, error: float | None) -> str:
    """A value with its standard error in parentheses.

    Parameters
    ----------
    value : float, optional
    error : float, optional
        It is rounded to two digits and given in units of the last digits that are shown.

    Returns
    -------
    str
        ``1.0033(70)``, or ``47.6(4.7)``; six digits of the value where there is no error; ``-``
        where there is no value.
    """
    if value is None:
        return "-"
    if not error or not math.isfinite(error) or error < 1e-12 * abs(value):
        return f"{value:.6g}"
    decimals = max(0, 1 - math.floor(math.log10(float(f"{error:.1e}"))))
    shown = f"{error:.{decimals}f}"
    return f"{value:.{decimals}f}({shown if float(shown) >= 1 else shown.lstrip('0.')})"


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Lines of aligned columns: the first is flush left, the others are flush right.

    Parameters
    ----------
    rows : sequence of sequences of str
        The cells; all rows have the same length.
    indent : str
        What stands before every line.

    Returns
    -------
    list of str
        Each line is a `Row`, which knows its cells.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        _row(
            indent
            + "   ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths))
            ),
            row,
            of_fields=False,
            first=number == 0,
        )
        for number, row in enumerate(rows)
    ]


def fields(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Lines of a name and what follows it; every column is flush left.

    Parameters
    ----------
    rows : sequence of sequences of str
        The cells; rows may differ in length.
    indent : str
        What stands before every line.

    Returns
    -------
    list of str
        Each line is a `Row`, which knows its cells.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    columns = max(map(len, rows), default=0)
    widths = [
        max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)
    ]
    return [
        _row(
            indent + "   ".join(cell.ljust(width) for cell, width in zip(row, widths)),
            row,
            of_fields=True,
            first=number == 0,
        )
        for number, row in enumerate(rows)
    ]
