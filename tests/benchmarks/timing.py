"""The clock of the benchmarks in this folder, and the rows that they return."""

from statistics import median
from time import process_time
from typing import NamedTuple

REPEATS = 7


class Row(NamedTuple):
    """A measurement. ``ratios`` maps the name of a baseline, measured in the same run, to how many
    times faster this row is."""

    name: str
    value: float
    unit: str
    ratios: dict[str, float] = {}


def seconds(work):
    """Median CPU time of one call."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return median(times)
