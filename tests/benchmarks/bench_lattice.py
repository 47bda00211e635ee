"""Nanoseconds per attempted flip of the heat bath of any lattice, 512 replicas at once, beside the
kernel that knows only the square lattice and beside one chain of the same model, 64x64 cells."""

import numpy as np
from timing import Row, seconds

from rsmi import models
from rsmi.models.ising import bitsliced
from rsmi.models.lattice import heat_bath
from rsmi.models.lattice.model_file import of_content
from rsmi.models.lattice.system import StatePoint
from rsmi.models.lattice.tempering import ladder_of

SIDE, SWEEPS = 64, 100
DEDICATED = "baseline: bit-sliced square lattice"
EIGHT = {
    "name": "eight",
    "variable": "spin",
    "dimension": 2,
    "bonds": {"near": [[1, 0], [0, 1], [1, 1], [1, -1]]},
    "couplings": {"near": 1.0},
}


def points():
    """Name, state point."""

    def preset(name, coupling, **changes):
        own = models.get(name).definition
        content = own.as_json() | changes
        content = {key: value for key, value in content.items() if value is not None}
        return StatePoint(of_content(content), (SIDE, SIDE), True, coupling)

    yield "4 neighbours (square)", preset("ising-square", 0.44)
    yield "2 + 2 (anisotropic)", preset("ising-anisotropic", 0.6)
    yield "4 (kagome)", preset("ising-kagome", 0.47)
    yield "3 (honeycomb)", preset("ising-honeycomb", 0.66)
    yield "6 (triangular)", preset("ising-triangular", 0.27)
    yield "8, one coupling", StatePoint(of_content(EIGHT), (SIDE, SIDE), True, 0.19)
    yield "4 + 4 with field (J1-J2)", preset("ising-j1j2", 0.4, field=0.1)
    yield "hard squares", preset("hard-squares", 0.0, fugacity=3.796)
    yield "hard hexagons", preset("hard-hexagons", 0.0, fugacity=11.09)


def dedicated_nanoseconds(path="auto"):
    ones = np.full((512, SIDE * SIDE // 8), 255, dtype=np.uint8)
    spins = bitsliced.unpack(ones, (SIDE, SIDE), "replicas")
    generators = bitsliced.seed(np.arange(1, 5, dtype=np.uint64), 1)

    def work():
        bitsliced.sweep(
            spins, generators, (SIDE, SIDE), 0.44, "heat-bath", "replicas", SWEEPS, path
        )

    work()
    return seconds(work) / (SWEEPS * SIDE**2 * 512) * 1e9


def replica_nanoseconds(point, path="auto"):
    system = point.system
    spins = heat_bath.aligned((point.sites, 8))
    generator = heat_bath.seed(np.arange(1, 5, dtype=np.uint64))

    def work():
        heat_bath.sweep_replicas(system, spins, generator, SWEEPS, path)

    work()
    return seconds(work) / (SWEEPS * point.sites * 512) * 1e9


def chain_nanoseconds(point):
    spins, rng = np.zeros(point.sites, dtype=np.uint8), np.arange(1, 5, dtype=np.uint64)
    row = np.empty((1, (point.sites + 7) // 8), dtype=np.uint8)
    heat_bath.sample_chain(point.system, spins, rng, 100, row)
    work = seconds(lambda: heat_bath.sample_chain(point.system, spins, rng, 300, row))
    return work / (300 * point.sites) * 1e9


def ladder_nanoseconds(definition, temperatures=8):
    """Time of parallel tempering for each attempted flip, exchanges included."""
    couplings = (1 / np.linspace(1.2, 2.4, temperatures)).tolist()
    parameters = {"shape": [SIDE, SIDE], "definition": definition.as_json(), "algorithm": "auto"}
    parameters |= {"boundary": "periodic", "seed": 0, "chains": 512, "ladder": couplings}
    ladder = ladder_of(parameters)
    state = ladder.start(0)
    ladder.advance(state, 2, 0, 1)
    work = seconds(lambda: ladder.advance(state, 20, 0, 1))
    return work / (20 * temperatures * ladder.sites * 512) * 1e9


def run() -> list[Row]:
    """Every measurement."""
    dedicated = dedicated_nanoseconds()
    rows = [Row(DEDICATED, dedicated, "ns/flip")]
    for name, point in points():
        value, chain = replica_nanoseconds(point), chain_nanoseconds(point)
        ratios = {"square kernel": dedicated / value, "one chain": chain / value}
        rows += [Row(f"replicas, {name}", value, "ns/flip", ratios)]
        rows += [Row(f"one chain, {name}", chain, "ns/flip")]
    own = models.get("ising-j1j2").definition
    value, alone = (
        ladder_nanoseconds(own),
        replica_nanoseconds(StatePoint(own, (SIDE, SIDE), True, 0.6)),
    )
    ratios = {"replicas at one temperature": alone / value}
    return [*rows, Row("ladders of 8 temperatures, J1-J2", value, "ns/flip", ratios)]
