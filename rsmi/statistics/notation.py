"""Numbers with their errors as a physicist writes them, and text tables."""

from __future__ import annotations

import math


def with_error(value: float | None, error: float | None) -> str:
    """``1.0033(70)``: the error, rounded to two digits, in units of the last digits shown; ``-``
    where there is no value."""
    if value is None:
        return "-"
    if not error or not math.isfinite(error) or error < 1e-12 * abs(value):
        return f"{value:.6g}"
    decimals = max(0, 1 - math.floor(math.log10(float(f"{error:.1e}"))))
    shown = f"{error:.{decimals}f}"
    return f"{value:.{decimals}f}({shown if float(shown) >= 1 else shown.lstrip('0.')})"


def table(rows: list[list[str]], indent: str = "  ") -> list[str]:
    """Lines of aligned columns: the first flush left, the others flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        (
            indent
            + "   ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths))
            )
        ).rstrip()
        for row in rows
    ]


def fields(rows: list[tuple[str, ...]], indent: str = "  ") -> list[str]:
    """Lines of a name and what follows it, every column flush left; rows may differ in length."""
    columns = max(map(len, rows))
    widths = [
        max(len(row[column]) for row in rows if column < len(row)) for column in range(columns)
    ]
    return [
        (indent + "   ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip()
        for row in rows
    ]
