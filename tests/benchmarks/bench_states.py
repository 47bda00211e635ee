"""Microseconds per configuration of variables with three states on a 64x64 lattice: plurality of
2x2 blocks and all lattice operators, beside np.roll and whole arrays of numpy. For a flow in flight
at T_c, with the interval that auto takes: sampling, measuring, and the share of measuring."""

import numpy as np
from timing import Row, seconds

from rsmi.lattice.packed import pack_states
from rsmi.models.chains import groups
from rsmi.renormalization.categorical_rules import plurality
from rsmi.renormalization.state_blocking import coarse_grain
from rsmi.renormalization.state_operators import images, state_operators, state_sums
from rsmi.stages.flow import in_flight as flow_sampled

STATES, SIZE, SAMPLES, UNIT = 3, 64, 500, "us/configuration"
INTERVAL = 5  # sweeps: of 'rsmi flow --model potts --states 3 --size 64 --temperature Tc'


def rolled_operators(codes):
    """All operators of configurations (n, rows, columns) by whole-array comparisons."""
    copies = {point: np.roll(codes, (-point[0], -point[1]), (1, 2)) for point in np.ndindex(3, 3)}
    for operator in state_operators(STATES):
        for sets, colour in images(operator):
            holds = np.ones(codes.shape, bool)
            for first, *others in sets:
                for other in others:
                    holds &= copies[first] == copies[other]
            if colour is None:
                holds.sum(axis=(1, 2))
            else:
                for state in range(STATES):
                    (holds & (copies[colour] == state)).sum(axis=(1, 2))


def counted_plurality(codes, random):
    """The most frequent state of every block, ties by chance."""
    blocks = codes.reshape(len(codes), SIZE // 2, 2, SIZE // 2, 2)
    counts = np.stack([(blocks == state).sum(axis=(2, 4)) for state in range(STATES)], axis=-1)
    return (counts + random.random(counts.shape)).argmax(axis=-1)


def run() -> list[Row]:
    """The kernels beside their baselines, then a flow in flight."""
    random, shape = np.random.default_rng(0), (SIZE, SIZE)
    codes = random.integers(0, STATES, (SAMPLES, *shape), dtype=np.uint8)
    rows, few = pack_states(codes[:, np.newaxis], STATES), codes[:20]
    rule, key = plurality((2, 2), STATES), np.arange(2, dtype=np.uint64)
    pairs = (
        ("plurality 2x2", coarse_grain, (rows, shape, rule, key), counted_plurality, (few, random)),
        (
            f"{len(state_operators(STATES))} operators",
            state_sums,
            (rows, shape, STATES),
            rolled_operators,
            (few,),
        ),
    )
    table = []
    for name, kernel, arguments, baseline, others in pairs:
        slow = seconds(lambda: baseline(*others)) / len(few) * 1e6
        fast = seconds(lambda: kernel(*arguments)) / SAMPLES * 1e6
        table.append(Row(f"baseline: numpy {name}", slow, UNIT))
        table.append(Row(name, fast, UNIT, {"numpy": slow / fast}))
    return table + in_flight()


def in_flight() -> list[Row]:
    """A flow of four steps by plurality."""
    asked = {
        "model": "potts",
        "states": STATES,
        "shape": (SIZE, SIZE),
        "temperature": "Tc",
        "coupling": None,
        "algorithm": "auto",
        "samples": 1 << 15,
        "chains": None,
        "thermalization": 0,
        "interval": INTERVAL,
        "seed": 0,
        "boundary": "periodic",
    }
    with flow_sampled.prepare([asked], ["plurality"], None, False, None, 4, 0) as work:
        (ensemble,) = work.ensembles
        chains, simulation = ensemble.parameters["chains"], ensemble.simulation
        group = groups(chains, simulation.chains_per_task, 1 << 15)[0]
        measuring = work._accumulator(ensemble, group, np.arange(8, dtype=np.uint64).reshape(4, 2))
        state = simulation.start(*range(group.count)) | measuring.begin()
        n = 512 * group.count
        rows = simulation.advance(state, INTERVAL, 0, n)
        samples = group.samples(0, n)
        sampling = seconds(lambda: simulation.advance(state, INTERVAL, 0, n)) / n * 1e6
        work_of = seconds(lambda: measuring.add(state, rows["spins"], rows["energy"], samples))
        measured = work_of / n * 1e6
    share = 100 * measured / (measured + sampling)
    return [
        Row(f"in flight: {INTERVAL} sweeps", sampling, UNIT),
        Row("in flight: measuring", measured, UNIT),
        Row("in flight: share of measuring", share, "%"),
    ]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:50s} {row.value:8.2f} {row.unit}")
