"""How the benchmarks of this folder take the time, and what they answer."""

from statistics import median
from time import process_time
from typing import NamedTuple

REPEATS = 7


class Row(NamedTuple):
    """A measurement; ``ratios`` say how many times faster it is than what each of them names,
    measured in the same run."""

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
