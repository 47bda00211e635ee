"""How the benchmarks of this folder take the time."""

from statistics import median
from time import process_time

REPEATS = 7


def seconds(work):
    """Median CPU time of one call."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return median(times)
