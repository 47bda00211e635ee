"""``rsmi sample``: configurations of the Ising model from independent chains."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path

import numpy as np

from rsmi.errors import UsageError
from rsmi.lattice import ising as model
from rsmi.stages.runner import Request, RunOptions, Session
from rsmi.stages.simulation import Chain, Schedule, Simulation, Thermalization, chain_length, chain_name, choose_algorithm, pilot, schedule_from
from rsmi.statistics.summary import sample_summary
from rsmi.store import File, open_file

log = logging.getLogger("rsmi")

_LOCAL = ("metropolis", "heat-bath")
_ROWS_AT_ONCE = 1 << 25  # bytes assembled at a time


# ---- the request ----------------------------------------------------------------------------------------------------

def resolve_coupling(temperature: str | None, coupling: float | None, dimension: int) -> float:
    """K = J/(k_B T) from ``--temperature`` (a number, ``Tc``, ``0.98Tc``) or ``--coupling``.

    Raises
    ------
    UsageError
        If both or neither are given, the value is not positive and finite, or Tc does not exist.
    """
    if (temperature is None) == (coupling is None):
        raise UsageError("give --temperature (in J/k_B, or Tc, or 0.98Tc) or --coupling K, one of the two")
    if coupling is not None:
        if not _positive_and_finite(coupling):
            raise UsageError(f"--coupling {coupling}: must be positive and finite (ferromagnet, K = J/(k_B T))")
        return coupling
    value = parse_temperature(temperature, dimension)
    if not _positive_and_finite(value):
        raise UsageError(f"--temperature {temperature}: must be positive and finite")
    return 1 / value


def _positive_and_finite(value: float) -> bool:
    return math.isfinite(value) and value > 0 and math.isfinite(1 / value)


def parse_temperature(text: str, dimension: int) -> float:
    """A temperature in J/k_B from a number or a multiple of Tc."""
    if text.lower().endswith("tc"):
        factor = text[:-2].rstrip("*")
        try:
            return (float(factor) if factor else 1.0) / model.critical_coupling(dimension)
        except ValueError:
            pass
    else:
        try:
            return float(text)
        except ValueError:
            pass
    raise UsageError(f"--temperature {text!r}: write a number in J/k_B, Tc, or a multiple such as 0.98Tc")


def request(*, shape: tuple[int, ...], coupling: float, algorithm: str, samples: int, chains: int, thermalization: int | None, interval: int | None, seed: int) -> Request:
    """Check the parameters and name the file they define; None stands for auto."""
    if any(size < 2 for size in shape):
        raise UsageError(f"--size {'x'.join(map(str, shape))}: every side must be at least 2")
    odd = [size for size in shape if size % 2]
    if odd and algorithm in _LOCAL:
        raise UsageError(f"--size {odd[0]}: the checkerboard of {algorithm} needs even sides; take swendsen-wang or wolff")
    if math.prod(shape) >= 1 << 31:
        raise UsageError(f"--size {'x'.join(map(str, shape))}: 2^31 sites or more")
    parameters = {
        "model": "ising",
        "shape": list(shape),
        "coupling": coupling,
        "algorithm": algorithm,
        "samples": samples,
        "chains": chains,
        "thermalization": "auto" if thermalization is None else thermalization,
        "interval": "auto" if interval is None else interval,
        "seed": seed,
    }
    return Request("sample", "samples", parameters, grows="samples")


def simulation_of(parameters: dict) -> Simulation:
    """The simulation a request means, its algorithm resolved."""
    shape, coupling = tuple(parameters["shape"]), parameters["coupling"]
    algorithm = parameters["algorithm"]
    if algorithm == "auto":
        algorithm = choose_algorithm(shape, coupling)
    return Simulation(shape, coupling, algorithm, parameters["seed"])


def _needs_pilot(parameters: dict, simulation: Simulation) -> bool:
    return "auto" in (parameters["thermalization"], parameters["interval"]) or simulation.algorithm == "wolff"


# ---- the run --------------------------------------------------------------------------------------------------------

def run(asked: Request, output: Path, options: RunOptions) -> None:
    """Make the samples file, resume it, or extend it.

    Raises
    ------
    RsmiError
        See :class:`rsmi.stages.runner.Session`.
    """
    with Session(output, asked, options) as session:
        if session.complete:
            return log.info("%s is complete already", output)
        simulation = simulation_of(asked.parameters)
        schedule = _schedule(session, simulation)
        chains = _chains(session, simulation, schedule)
        session.run(chains, f"sampling {simulation.algorithm}", "sample")
        _publish(session, simulation, schedule, chains)


def _schedule(session: Session, simulation: Simulation) -> Schedule:
    parameters = session.request.parameters
    if session.base is not None:
        stored = session.base.attributes
        return Schedule(stored["thermalization"], stored["interval"], stored["clusters_per_sweep"])
    found = session.once("pilot", lambda: pilot(simulation)) if _needs_pilot(parameters, simulation) else None
    schedule = schedule_from(parameters, found)
    if found:
        log.info("%s: tau_int = %.1f sweeps; thermalization %d, interval %d sweeps", simulation.algorithm, found["tau"], schedule.thermalization, schedule.interval)
    return schedule


def _chains(session: Session, simulation: Simulation, schedule: Schedule) -> list[Chain]:
    samples, count = session.request.parameters["samples"], session.request.parameters["chains"]
    numbers = range(min(count, samples))
    if session.base is None:
        warm = [Thermalization(simulation, schedule, chain) for chain in numbers]
        session.run(warm, "thermalizing", "sweep")
        starts = [(0, session.state(task)) for task in warm]
    else:
        starts = _base_starts(session.base, simulation, schedule, session, count, numbers)
    return [Chain(simulation, schedule, chain, chain_length(samples, count, chain), *start) for chain, start in zip(numbers, starts)]


def _base_starts(base: File, simulation: Simulation, schedule: Schedule, session: Session, count: int, numbers: range):
    """States of the chains at the end of the file being extended; chains it had no sample of are thermalized now."""
    present = base.shape("/spins")[0]
    fresh = [Thermalization(simulation, schedule, chain) for chain in numbers if chain >= present]
    session.run(fresh, "thermalizing", "sweep")
    old = [(chain_length(present, count, chain), base.state(chain_name(chain))) for chain in numbers if chain < present]
    return old + [(0, session.state(task)) for task in fresh]


def _publish(session: Session, simulation: Simulation, schedule: Schedule, chains: list[Chain]) -> None:
    parameters = session.request.parameters
    samples, width = parameters["samples"], (simulation.sites + 7) // 8
    attributes = {
        "model": "ising",
        "shape": simulation.shape,
        "original_shape": simulation.shape,
        "boundary": "periodic",
        "components": 1,
        "coupling": simulation.coupling,
        "temperature": 1 / simulation.coupling,
        "rg_step": 0,
        "scale_factor": 1.0,
        "chains": parameters["chains"],
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "clusters_per_sweep": schedule.clusters_per_sweep,
    }

    def fill(writer):
        stored = {"spins": writer.dataset("/spins", (samples, width), "uint8"), "energy": writer.dataset("/energy", (samples,), "int64")}
        copied = _copy_base(session.base, stored)
        _interleave(session, chains, stored, copied, samples, parameters["chains"])
        for chain in chains:
            writer.state(chain.name, session.state(chain))

    state_bytes = len(chains) * (simulation.sites + 4096)
    session.publish(attributes, fill, samples * (width + 8) + state_bytes)


def _copy_base(base: File | None, stored: dict) -> int:
    if base is None:
        return 0
    present, step = base.shape("/spins")[0], max(1, _ROWS_AT_ONCE // base.shape("/spins")[1])
    for start in range(0, present, step):
        for name, dataset in stored.items():
            dataset[start : min(present, start + step)] = base.read(f"/{name}", start, min(present, start + step))
    return present


def _interleave(session: Session, chains: list[Chain], stored: dict, first: int, samples: int, count: int) -> None:
    """Write samples ``first:samples``: sample i is step i // count of chain i mod count."""
    readers = [session.rows(chain) for chain in chains]
    steps = max(1, _ROWS_AT_ONCE // (stored["spins"].shape[1] * count))
    for low in range(first // count, -(-samples // count), steps):
        high = min(low + steps, -(-samples // count))
        begin, end = max(first, low * count), min(samples, high * count)
        for name, dataset in stored.items():
            block = np.zeros(((high - low) * count, *dataset.shape[1:]), dataset.dtype)
            for chain, reader in enumerate(readers):
                a, b = max(low, reader.start), min(high, reader.stop)
                if a < b:
                    block[(a - low) * count + chain : (b - low - 1) * count + chain + 1 : count] = reader.read(name, a, b)
            dataset[begin:end] = block[begin - low * count : end - low * count]


# ---- what it says ---------------------------------------------------------------------------------------------------

def plan(asked: Request) -> dict:
    """What a run would do and cost; runs the pilot, writes nothing."""
    parameters, simulation = asked.parameters, simulation_of(asked.parameters)
    schedule = schedule_from(parameters, pilot(simulation) if _needs_pilot(parameters, simulation) else None)
    chains, samples = min(parameters["chains"], parameters["samples"]), parameters["samples"]
    sweeps = chains * schedule.thermalization + samples * schedule.interval
    state = simulation.start("pilot")
    before, trial = time.process_time(), max(1, (1 << 22) // simulation.sites)
    simulation.advance(state, trial, 1, schedule.clusters_per_sweep)
    seconds = (time.process_time() - before) / trial * sweeps
    return {
        **parameters,
        "algorithm": simulation.algorithm,
        "thermalization": schedule.thermalization,
        "interval": schedule.interval,
        "sweeps": sweeps,
        "cpu_seconds": round(seconds, 2),
        "bytes": samples * ((simulation.sites + 7) // 8 + 8),
    }


def summary(path: Path) -> dict:
    """Energy, magnetization, susceptibility, Binder cumulant and autocorrelation of a samples file, with errors."""
    with open_file(path, "samples") as file:
        attributes, n = file.attributes, file.shape("/spins")[0]
        sites = math.prod(attributes["shape"])
        known = {"energy": "/energy" in file, "magnetization": attributes["components"] == 1}
        scale = sites / math.prod(attributes["original_shape"])  # the energy is the original lattice's
        energy = file.read("/energy") * scale if known["energy"] else np.zeros(n)
        magnetization = magnetizations(file) if known["magnetization"] else np.zeros(n)
        found = sample_summary(energy, magnetization, attributes["chains"], attributes.get("coupling"), sites)
    unknown = {name for source, names in _FROM.items() if not known[source] for name in names}
    answer = {name: None if name.removesuffix("_error") in unknown else value for name, value in found.items()}
    return {"file": str(path), "samples": n, **answer}


# What a file without energies, or one with several components per site, cannot say.
_FROM = {"energy": ("energy", "tau_int"), "magnetization": ("magnetization_abs", "tau_int_magnetization", "susceptibility", "binder")}


def magnetizations(file: File) -> np.ndarray:
    """Sum of the spins of every stored configuration, int64 (n,)."""
    n, width = file.shape("/spins")
    sites, step = math.prod(file.attributes["shape"]), max(1, _ROWS_AT_ONCE // width)
    counts = [np.bitwise_count(file.read("/spins", start, min(n, start + step))).sum(axis=1, dtype=np.int64) for start in range(0, n, step)]
    return 2 * np.concatenate(counts) - sites
