"""The scaling dimensions of all systems, and those of learned units beside them.

usage: table.py FILE.h5...

Every file is of 'rsmi spectrum'; the names of those with learned units begin with 'learned-'.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import info

Json = dict[str, Any]
LEARNED = "learned-"


def with_error(value: float, error: float, digits: int = 4) -> str:
    """A value with its error, in as many digits as all lines have."""
    return f"{value:.{digits}f}({error * 10**digits:.0f})"


def pull(row: Json, exact: float) -> str:
    """The distance from the exact value in statistical errors."""
    return f"{(row['delta'] - exact) / row['error']:+.1f}"


def rows_of(numbers: Json, sector: str) -> list[Json]:
    """The quoted rows of a sector: first the order or the energy, then learned units."""
    rows = numbers["sequence"]
    return [row for row in rows if row["quoted"] and row["sector"] == sector]


def print_orders(files: dict[str, Json]) -> None:
    """A line for every system and sector, with the exact value."""
    print(f"  {'system':22s}   {'function':16s}   from         Delta  systematic    exact  pull")
    for name, numbers in files.items():
        for sector in ("odd", "even"):
            exact = numbers["headline"][sector]["exact"]
            for row in rows_of(numbers, sector)[:1]:
                print(
                    f"  {name:22s}   {row['function']:16s}   {row['quantity']:4s}"
                    f"  {with_error(row['delta'], row['error']):>12s}"
                    f"  {row['systematic']:10.4f}  {exact:7.4f}  {pull(row, exact):>4s}"
                )


def print_sequences(files: dict[str, Json]) -> None:
    """<m^2> of pairs of sizes without a correction, and both fits with one."""
    for name, numbers in files.items():
        row = rows_of(numbers, "odd")[0]
        pairs = "  ".join(
            f"{'/'.join(map(str, pair['sizes']))} {with_error(pair['delta'], pair['error'])}"
            for pair in row["pairs"]
        )
        fits = "  ".join(
            f"from {fit['sizes'][0]} {with_error(fit['delta'], fit['error'])}"
            f" chi^2 {fit['chi2']:.1f}/{fit['freedom']}"
            for fit in row["fits"]
            if fit["omega"] is not None
        )
        print(f"  {name:22s}   {pairs}\n  {'':22s}   {fits}")


def print_learned(files: dict[str, Json]) -> None:
    """Learned units beside the order on the same configurations."""
    print(f"  {'system':15s}   {'function':36s}     all sizes   largest pair    exact")
    for name, numbers in files.items():
        exact = numbers["headline"]["odd"]["exact"]
        for row in rows_of(numbers, "odd"):
            pair = row["pairs"][-1]
            print(
                f"  {name.removeprefix(LEARNED):15s}   {row['function']:36s}"
                f"  {with_error(row['delta'], row['error']):>12s}"
                f"   {with_error(pair['delta'], pair['error']):>12s}  {exact:7.4f}"
            )


def main(*paths: str) -> None:
    """Print the three tables."""
    files = {Path(path).stem: info(path) for path in paths}
    plain = {name: one for name, one in files.items() if not name.startswith(LEARNED)}
    learned = {name: one for name, one in files.items() if name.startswith(LEARNED)}
    print("Orders (odd) and energies or densities (even)\n")
    print_orders(plain)
    print("\n<m^2> of the order: Delta of pairs of sizes, and of all sizes with a correction\n")
    print_sequences(plain)
    if learned:
        print("\nLearned units beside the order on the same configurations\n")
        print_learned(learned)


if __name__ == "__main__":
    main(*sys.argv[1:])
