"""The scaling dimension of the columnar order of attracting dimers beside 1/(2g), g the stiffness.

usage: columns.py FILE.h5...

Every file is of 'rsmi spectrum --model dimers --correlation' at one temperature.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import info

COLUMNS, FIELD = ("x-columns", "y-columns"), ("x-field", "y-field")


def mean(rows: list[tuple[float, float]]) -> tuple[float, float]:
    """The mean of values with independent errors."""
    values, errors = zip(*rows)
    return sum(values) / len(rows), math.hypot(*errors) / len(rows)


def measured(numbers: dict[str, Any]) -> tuple[float, float]:
    """Delta of the columnar order, averaged over its two components."""
    rows = [row for row in numbers["dimensions"] if row["function"] in COLUMNS]
    return mean([(row["delta"], row["error"]) for row in rows])


def predicted(numbers: dict[str, Any]) -> tuple[float, float]:
    """1/(2g) from the field of the largest lattice.

    The structure factor of the field is 1/(2 pi g) across a wave vector and 0 along it, so that the
    average over both axes is half of it.
    """
    rows = numbers["lattices"][-1]["correlations"]
    factors = [
        (row["structure_factor"][1], row["structure_factor_error"][1])
        for row in rows
        if row["function"] in FIELD
    ]
    value, error = mean(factors)
    return 2 * math.pi * value, 2 * math.pi * error


def main(*paths: str) -> None:
    """Print a line for every temperature."""
    print("Dimension of the columnar order of attracting dimers\n")
    print("  T (|v|/k_B)   Delta               1/(2g)")
    for path in paths:
        numbers = info(path)
        delta, exact = measured(numbers), predicted(numbers)
        print(
            f"  {numbers['temperature']:<11.4g}   {delta[0]:.3f} +- {delta[1]:.3f}"
            f"     {exact[0]:.4f} +- {exact[1]:.4f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
