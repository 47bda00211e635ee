"""Numbers, temperatures and geometries as a physicist writes them, and text tables."""

from __future__ import annotations

import math

from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.models.ising import facts as ising


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


def relative_temperature(coupling: float | None, dimension: int) -> float | None:
    """T/T_c = K_c/K of the Ising model; None where the coupling is unknown or no T_c exists."""
    if coupling is None:
        return None
    try:
        return ising.critical_coupling(dimension) / coupling
    except UsageError:
        return None


def temperature_label(coupling: float | None, dimension: int) -> str:
    """``T = 0.98 T_c``, or T in J/k_B where no T_c exists, for a figure (TeX)."""
    ratio = relative_temperature(coupling, dimension)
    if ratio is not None:
        return "$T$ = $T_c$" if abs(ratio - 1) < 5e-7 else f"$T$ = {ratio:.5g} $T_c$"
    return "$T$ unknown" if coupling is None else f"$T$ = {1 / coupling:.5g} $J/k_B$"


def system_label(attributes: dict) -> str:
    """Temperature of any model's file, for a figure (TeX): that of dimers in units of the
    interaction."""
    coupling = attributes.get("coupling")
    if attributes["model"] != "dimers" or coupling is None:
        return temperature_label(coupling, len(attributes["shape"]))
    return (
        f"$T$ = {1 / abs(coupling):.5g} $|v|/k_B$, {'aligning' if coupling > 0 else 'repelling'}"
        " dimers"
        if coupling
        else "free dimers"
    )


def geometry_title(attributes: dict) -> str:
    """Temperature, lattice and window of a theta or lambda file, one line, for a figure."""
    a = attributes
    return (
        f"{system_label(a)},  $L$ = {a['shape'][0]},  block {shape_text(a['block'])}, buffer"
        f" {a['buffer']}, environment {a['environment']}"
    )


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
