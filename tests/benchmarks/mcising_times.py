"""Nanoseconds of the compiled samplers of mcising, from PyPI."""

from functools import cache

import numpy as np
from timing import seconds


@cache
def mcising_nanoseconds(algorithm, shape, coupling):
    """Per attempted flip, spin or flipped spin; it counts the spins it updates itself, and makes
    the same sweeps every time."""
    from mcising import IsingSimulation

    kind = "square" if len(shape) == 2 else "cubic"
    simulation = IsingSimulation(shape[0], 1.0, 0.0, 0.0, 0.0, 1, algorithm.replace("-", "_"), kind)
    temperature = 1 / coupling
    simulation.set_spins(np.ones_like(simulation.get_spins()))
    simulation.sweep(500 if algorithm == "wolff" else 200, temperature=temperature)
    spins, state = simulation.get_spins(), simulation.get_rng_state()
    sweeps = 200 if algorithm == "wolff" else max(1, 2_000_000 // spins.size)
    updated = simulation.sweep(sweeps, temperature=temperature)[1]

    def again():
        simulation.set_spins(spins)
        simulation.set_rng_state(state)
        simulation.sweep(sweeps, temperature=temperature)

    return seconds(again) / updated * 1e9
