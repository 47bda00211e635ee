"""The environments over which ``rsmi exact`` averages: of stored samples or of new ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.keys import stream_key
from rsmi.errors import UsageError
from rsmi.lattice.geometry import Geometry, choose_windows, extract_windows
from rsmi.lattice.symbols import choose_relabellings, extract_codes
from rsmi.models.schedule import pilot, schedule_from
from rsmi.samples.examination.stored import warn
from rsmi.samples.reading import read_windows
from rsmi.samples.split import split_of
from rsmi.samples.views import SamplesFile
from rsmi.stages.exact_question import System
from rsmi.statistics.binning import runs

log = logging.getLogger("rsmi")

# Sites of a block beyond which a window takes up to a millisecond, more than a configuration does.
_LARGE_BLOCK = 9
_WINDOWS = {False: 100_000, True: 10_000}  # for small and for large blocks
_SITES_PER_WINDOW = {False: 128, True: 1024}  # of the configurations that are sampled for them
_FEWEST_CONFIGURATIONS = 80  # two for each run of `rsmi.statistics.binning.runs`
_FEWEST_STORED = 5  # configurations of a file, for an error


@dataclass(frozen=True)
class Environments:
    """Sampled environments.

    Attributes
    ----------
    spins : ndarray of int8, (n, n_environment)
        +-1, or codes of variables with more than two states.
    runs : ndarray of int64, (n,)
        The run of successive configurations that each environment is from.
    configurations : int
        The number of configurations.
    """

    spins: NDArray[np.int8]
    runs: NDArray[np.int64]
    configurations: int


def halves(drawn: Environments) -> tuple[Environments, Environments]:
    """Two halves of the environments, of different runs of configurations.

    Raises
    ------
    UsageError
        If all environments are of one run.
    """
    first = drawn.runs < (drawn.runs.max() + 1) // 2
    if not first.any():
        raise UsageError("the configurations are too few to find a function on some of them")
    count = drawn.configurations // 2
    return (
        Environments(drawn.spins[first], drawn.runs[first], count),
        Environments(drawn.spins[~first], drawn.runs[~first], drawn.configurations - count),
    )


def draw_environments(
    geometry: Geometry, system: System, learned: bool, windows: int | None, seed: int
) -> Environments:
    """Draw windows from samples of the system, and keep their environments.

    Parameters
    ----------
    geometry : Geometry
    system : System
    learned : bool
        Whether a rule was learned, so that only held-out configurations of a file may be used.
    windows : int, optional
        The number of windows; a number that suits the block by default.
    seed : int
        The root seed.

    Raises
    ------
    UsageError
        If a file has too few configurations.
    """
    large = geometry.n_block > _LARGE_BLOCK
    count = windows or _WINDOWS[large]
    key = stream_key(seed, "windows", {"shape": list(system.shape), "coupling": system.coupling}, 0)
    if system.source is not None:
        rows = _rows(system.source, learned)
        configurations, origins, flips = choose_windows(len(rows), system.shape, count, key)
        if system.source.states > 2:
            flips = choose_relabellings(None, system.source.states, count, key)
        _, spins = read_windows(system.source, geometry, rows[configurations], origins, flips)
    else:
        packed = _sample(system, count, _SITES_PER_WINDOW[large], seed)
        configurations, origins, flips = choose_windows(len(packed), system.shape, count, key)
        spins = _cut(packed, system, geometry, configurations, origins, flips)
    return Environments(spins, runs(configurations), len(np.unique(configurations)))


def _cut(
    packed: NDArray[np.uint8],
    system: System,
    geometry: Geometry,
    configurations: NDArray[np.int64],
    origins: NDArray[np.int64],
    flips: NDArray[np.int8],
) -> NDArray[np.int8]:
    """The environments of windows of packed configurations, spins or codes."""
    states = system.attributes.get("states", 2)
    if states == 2:
        return extract_windows(packed, system.shape, geometry, configurations, origins, flips)[1]
    same = choose_relabellings(None, states, len(configurations), np.zeros(2, np.uint64))
    window = (geometry, states, configurations, origins, same)
    return extract_codes(packed, system.shape, *window)[1]


def _rows(source: SamplesFile, learned: bool) -> NDArray[np.int64]:
    """The numbers of the configurations to use, ascending."""
    if source.count < _FEWEST_STORED:
        raise UsageError(
            f"{source.path}: {source.count} configurations are too few for an error: at least"
            f" {_FEWEST_STORED} are needed"
        )
    warn(source.file)
    return split_of(source).held_out if learned else np.arange(source.count)


def _sample(system: System, windows: int, sites_per_window: int, seed: int) -> NDArray[np.uint8]:
    """Sample packed configurations at equilibrium, practically independent, for so many windows."""
    simulation = system.model.simulation(
        {
            "shape": system.shape,
            "coupling": system.coupling,
            "algorithm": "auto",
            **({"states": system.coded.states} if system.coded else {}),
            "seed": seed,
            "chains": 1,
        }
    )
    schedule = schedule_from({"thermalization": "auto", "interval": "auto"}, pilot(simulation))
    count = min(
        windows, max(_FEWEST_CONFIGURATIONS, -(-windows * sites_per_window // simulation.sites))
    )
    log.info(
        "too large to enumerate: sampling %d configurations by %s, one every %d sweeps",
        count,
        simulation.algorithm,
        schedule.interval,
    )
    state = simulation.start("exact")
    simulation.advance(state, schedule.thermalization_updates, 0, 1)
    return simulation.advance(state, schedule.updates, 0, count)["spins"]
