"""Microseconds per configuration of blocking, of the 16 lattice operators and of the local
energies, beside np.roll. For a flow in flight: the times of sampling, of measuring level by level
as for any rule (the baseline) and of measuring as the flow does, and the share of measuring in the
run."""

from statistics import median
from time import process_time
from unittest import mock

import numpy as np

from rsmi.models.chains import groups
from rsmi.models.schedule import Schedule
from rsmi.renormalization import level_sums
from rsmi.renormalization.couplings import add_histograms, number_of_bins
from rsmi.renormalization.level_sums import measure_levels
from rsmi.renormalization.operators import SQUARE, operator_sums, symmetric_copies
from rsmi.renormalization.rules import Rule, coarse_grain, decimation, majority
from rsmi.stages.flow import in_flight as flow_sampled
from rsmi.stages.flow.ensembles import ChainTask

REPEATS, SAMPLES, SIZE = 7, 1000, 64


def microseconds(work, samples=SAMPLES):
    """Median CPU time per sample."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return median(times) / samples * 1e6


def rolled_operators(spins):
    """All operators of one configuration by whole-array products."""
    copies = {point: np.roll(spins, (-point[0], -point[1]), (0, 1)) for point in np.ndindex(3, 3)}
    return [
        sum(
            int(np.prod([copies[p] for p in term], axis=0).sum())
            for term in symmetric_copies(operator)
        )
        for operator in SQUARE["even"] + SQUARE["odd"]
    ]


def run() -> list[tuple[str, float, str]]:
    """(name, value, unit) of every measurement, on a 64 x 64 lattice unless it says otherwise."""
    rng, shape = np.random.default_rng(0), (SIZE, SIZE)
    rows = rng.integers(0, 256, (SAMPLES, SIZE**2 // 8), dtype=np.uint8)
    cubes = rng.integers(0, 256, (SAMPLES, 32**3 // 8), dtype=np.uint8)
    spins, keys = rng.choice([-1, 1], shape), np.arange(6, dtype=np.uint64).reshape(3, 2)
    energies, blocks = np.zeros(SAMPLES, dtype=np.int64), np.arange(SAMPLES) // 50
    works = {
        "16 operators": lambda: operator_sums(rows, shape),
        "16 operators, 32 x 32 x 32": lambda: operator_sums(cubes, (32, 32, 32)),
        "histogram of local energies": lambda: add_histograms(
            rows, shape, blocks, np.zeros((20, number_of_bins(2)), dtype=np.int64)
        ),
        "majority 2x2": lambda: coarse_grain(rows, shape, majority((2, 2)), keys[0]),
        "decimation 2x2": lambda: coarse_grain(rows, shape, decimation((2, 2)), keys[0]),
        "operators and their products over 3 steps": lambda: measure_levels(
            rows, shape, majority((2, 2)), 3, keys, energies, blocks=blocks
        ),
    }
    soft = Rule(np.ones((1, 4)), np.zeros(1), False, (2, 2))
    works["soft 2x2, as any rule"] = lambda: coarse_grain(rows, shape, soft, keys[0])
    baseline = (
        "baseline: 16 operators by np.roll",
        microseconds(lambda: rolled_operators(spins), 1),
        "us/configuration",
    )
    return (
        [baseline]
        + [(name, microseconds(work), "us/configuration") for name, work in works.items()]
        + in_flight()
    )


def in_flight(interval=45) -> list[tuple[str, float, str]]:
    """A flow of four steps at T_c with the interval that auto takes: measuring, of 8192
    configurations, with the local energies of every 16th step, and its share of the run."""
    asked = {
        "model": "ising",
        "shape": (SIZE, SIZE),
        "temperature": "Tc",
        "coupling": None,
        "algorithm": "auto",
        "samples": 1 << 20,
        "chains": None,
        "thermalization": 0,
        "interval": interval,
        "seed": 0,
        "boundary": "periodic",
    }
    with flow_sampled.prepare([asked], ["majority"], None, False, None, 4, 0) as work:
        (ensemble,) = work.ensembles
        group = groups(ensemble.parameters["chains"], ensemble.simulation.chains_per_task, 1 << 20)[
            0
        ]
        keys = np.arange(8, dtype=np.uint64).reshape(4, 2)
        measuring = work._accumulator(ensemble, group, keys)
        task = ChainTask(
            "group",
            ensemble,
            Schedule(0, interval, 1),
            group,
            measuring,
            lambda: ensemble.simulation.start(*range(group.count)),
        )
        (_, state), n = task.begin(), 16 * group.count
        rows = ensemble.simulation.advance(state, interval, 0, n)
        samples = group.samples(0, n)
        sampling = microseconds(lambda: ensemble.simulation.advance(state, 1, 0, n), n)
        sampling += (
            (interval - 1)
            * (microseconds(lambda: ensemble.simulation.advance(state, 11, 0, n), n) - sampling)
            / 10
        )
        together = microseconds(
            lambda: measuring.add(state, rows["spins"], rows["energy"], samples), n
        )
        with mock.patch.object(level_sums, "SIDE_BY_SIDE", (n + 1, 0)):
            by_level = microseconds(
                lambda: measuring.add(state, rows["spins"], rows["energy"], samples), n
            )
    return [
        (f"in flight: {interval} sweeps", sampling, "us/configuration"),
        ("baseline: measuring level by level", by_level, "us/configuration"),
        ("in flight: measuring", together, "us/configuration"),
        ("in flight: share of measuring", 100 * together / (together + sampling), "%"),
    ]


if __name__ == "__main__":
    for name, value, unit in run():
        print(f"{name:50s} {value:8.2f} {unit}")
