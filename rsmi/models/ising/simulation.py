"""The Ising model as ``rsmi sample`` simulates it: its parameters, its streams, its chain."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.packed import pack_mask
from rsmi.models.ising import bitsliced
from rsmi.models.ising import chain as kernel
from rsmi.models.ising import facts as model
from rsmi.models.simulation import Simulation, pilot_length
from rsmi.models.streams import stream_key
from rsmi.store import File

ALGORITHMS = kernel.ALGORITHMS
_LOCAL = ("metropolis", "heat-bath")
_PLAIN_CHAINS = 8
_REPLICA_CHAINS = 2 * bitsliced.REPLICAS
_REPLICA_SITES = 1 << 20  # of larger lattices 512 replicas take 64 MB and more, several times over
_FASTER = 32  # a strip than a plain chain, about
_PILOT_STEPS = (
    1 << 29
)  # site updates of each replica, at most: the pilot's length never depends on the clock
_PILOT_ROWS = {"strip": 1 << 15, "replicas": 512}  # measured by it, of every chain


# ---- the parameters ------------------------------------------------------------------------------


def parameters(shape: tuple[int, ...], coupling: float, algorithm: str) -> dict:
    """Checked parameters of the physics.

    Raises
    ------
    UsageError
        For a lattice that cannot be, or an algorithm that does not fit it.
    """
    odd = [size for size in shape if size % 2]
    if odd and algorithm in _LOCAL:
        raise UsageError(
            f"--size {odd[0]}: the checkerboard of {algorithm} needs even sides; take swendsen-wang"
            " or wolff"
        )
    if math.prod(shape) >= 1 << 31:
        raise UsageError(f"--size {'x'.join(map(str, shape))}: 2^31 sites or more")
    return {"model": "ising", "shape": list(shape), "coupling": coupling, "algorithm": algorithm}


def local_layout(shape: tuple[int, ...], chains: int) -> str:
    """Who does the heat bath and Metropolis on so many lattices: a ``strip`` where a lattice can be
    one, else ``replicas`` where the chains come in groups of 512, else ``plain``."""
    if bitsliced.fits_strip(shape):
        return "strip"
    return "replicas" if fits_replicas(shape) and chains % bitsliced.REPLICAS == 0 else "plain"


def fits_replicas(shape: tuple[int, ...]) -> bool:
    """Whether 512 such lattices can be and are best simulated together: even sides, at most 2^20
    sites."""
    return all(size % 2 == 0 for size in shape) and math.prod(shape) <= _REPLICA_SITES


def default_chains(parameters: dict) -> int:
    """1024, two groups of replicas, where they sample it, else 8: never a matter of the machine."""
    return (
        _REPLICA_CHAINS
        if IsingSimulation.of(parameters | {"chains": _REPLICA_CHAINS}).layout == "replicas"
        else _PLAIN_CHAINS
    )


def choose_algorithm(shape: tuple[int, ...], coupling: float, layout: str) -> str:
    """The algorithm that makes most independent samples in a second; the same on every machine.

    Where 512 spins are updated at once, Metropolis, or heat bath where most moves cost little
    (accepting them all, Metropolis would flip the sublattices in turn). A sweep of Swendsen-Wang
    costs as much as 20 (a ring) to 90 of those, and is worth more only where the correlation length
    is large, on a large lattice: in two dimensions with all sides above 96 and K between .982 and
    1.0105 K_c, on rings of more than 32 sites from K = 1.4. In three dimensions, by what is
    measured and tau ~ L^2.03 and L^.46, it would be on sides above 200 at T_c itself; there it
    stays out.

    One spin at a time, heat bath inside the disordered phase, else Swendsen-Wang, which alone knows
    odd sides.

    Measured by ``python tests/benchmarks/bench_algorithms.py``, whose docstring has the table.
    """
    if any(size % 2 for size in shape):
        return "swendsen-wang"
    dimension = len(shape)
    ratio = coupling / model.critical_coupling(dimension) if dimension > 1 else None
    if layout == "plain":
        return "heat-bath" if dimension > 1 and ratio < 0.8 else "swendsen-wang"
    slow = {
        1: lambda: shape[0] > 32 and coupling > 1.4,
        2: lambda: min(shape) > 96 and 0.982 < ratio < 1.0105,
        3: lambda: False,
    }
    if slow[dimension]():
        return "swendsen-wang"
    return "metropolis" if 3 * dimension * coupling > 1 else "heat-bath"


# ---- the simulation ------------------------------------------------------------------------------


@dataclass(frozen=True)
class IsingSimulation(Simulation):
    """What is simulated: everything the streams' keys depend on.

    The layout says who updates the spins. Of the bit-sliced kernel, 512 spins at a time: a
    ``strip`` of one lattice, or ``replicas``, the same site of 512 lattices; its state has the
    packed spins and the generators. All else is ``plain``: a byte a spin and one stream.
    """

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int
    layout: str = "plain"
    model = "ising"

    @classmethod
    def of(cls, parameters: dict) -> IsingSimulation:
        """The simulation a request means, its algorithm resolved."""
        shape, coupling, algorithm = (
            tuple(parameters["shape"]),
            parameters["coupling"],
            parameters["algorithm"],
        )
        layout = local_layout(shape, parameters["chains"])
        chosen = choose_algorithm(shape, coupling, layout) if algorithm == "auto" else algorithm
        return cls(
            shape, coupling, chosen, parameters["seed"], layout if chosen in _LOCAL else "plain"
        )

    def from_file(self, file: File) -> IsingSimulation:
        state = file.any_state()
        layout = (
            "plain"
            if "generators" not in state
            else "strip"
            if state["spins"].ndim == 1
            else "replicas"
        )
        return replace(self, algorithm=file.attributes["algorithm"], layout=layout)

    @property
    def chains_per_task(self) -> int:
        return bitsliced.REPLICAS if self.layout == "replicas" else 1

    @property
    def lockstep(self) -> bool:
        return self.layout == "replicas"

    @property
    def needs_pilot(self) -> bool:
        return self.algorithm == "wolff"

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        if self.layout == "replicas":
            return 256, _PILOT_STEPS // self.sites
        return pilot_length(self.sites, _FASTER if self.layout == "strip" else 1)

    def start(self, *numbers: int | str) -> State:
        """The state of the chains of these streams before their first sweep: all spins up; of
        strips and replicas every other chain down, since below T_c they do not change their sign.

        The replicas of a group have one stream, that of the first of their numbers.
        """
        number = numbers[0]
        if self.layout == "plain":
            return {
                "spins": np.ones(self.shape, dtype=np.int8),
                "rng": self.stream(number),
            }
        key = stream_key(self.seed, self.physics | {"layout": self.layout}, number)
        down = np.arange(self.chains_per_task) + (number if isinstance(number, int) else 0)
        spins = pack_mask(np.ones(self.sites, dtype=bool)) * (1 - down[:, np.newaxis] % 2).astype(
            np.uint8
        )
        return {
            "spins": spins[0] if self.layout == "strip" else spins,
            "generators": bitsliced.seed(key, 1),
        }

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        """``count`` times: the updates, then one row."""
        if self.layout == "plain":
            rows = self._rows(count)
            kernel.sample_chain(
                state["spins"],
                self.coupling,
                state["rng"],
                self.algorithm,
                updates,
                count,
                1,
                *rows.values(),
            )
            return rows
        begun = min(
            count, -first % self.chains_per_task
        )  # rows of the step that the state is after
        rows = self._rows(begun - (begun - count) // self.chains_per_task * self.chains_per_task)
        spins = self._unpacked(state)
        if begun:
            at = slice(first % self.chains_per_task, first % self.chains_per_task + begun)
            for name, values in {"spins": state["spins"], **self._measured(spins)}.items():
                rows[name][:begun] = values[at]
        if count > begun:
            bitsliced.sample_chain(
                spins,
                state["generators"],
                self.shape,
                self.coupling,
                self.algorithm,
                self.layout,
                updates,
                *(array[begun:] for array in rows.values()),
            )
            state["spins"][:] = (
                rows["spins"][-1]
                if self.layout == "strip"
                else rows["spins"][-self.chains_per_task :]
            )
        return {name: array[:count] for name, array in rows.items()}

    def _rows(self, count: int) -> Rows:
        return {
            "spins": np.empty((count, self.row_bytes), dtype=np.uint8),
            "energy": np.empty(count, dtype=np.int64),
            "magnetization": np.empty(count, dtype=np.int64),
        }

    def _unpacked(self, state: State) -> np.ndarray:
        return bitsliced.unpack(
            state["spins"].reshape(self.chains_per_task, -1), self.shape, self.layout
        )

    def _measured(self, spins: np.ndarray) -> Rows:
        found = {
            name: np.empty(self.chains_per_task, dtype=np.int64)
            for name in ("energy", "magnetization")
        }
        bitsliced.measure(spins, self.shape, self.layout, *found.values())
        return found

    def clusters_per_sweep(self) -> int:
        """Wolff: about one lattice of flipped spins, from <|C|> = N <m^2>."""
        if self.algorithm != "wolff":
            return 1
        scout = IsingSimulation(self.shape, self.coupling, "swendsen-wang", self.seed)
        state, sweeps = scout.start("wolff-clusters"), pilot_length(self.sites)[0]
        scout.advance(state, sweeps // 2, 0, 1)
        magnetization = scout.advance(state, 1, 0, sweeps)["magnetization"] / self.sites
        return max(1, round(1 / float(np.mean(magnetization**2))))

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[np.ndarray]:
        """Energy and |m|."""
        if self.layout != "plain":
            return self._bitsliced_series(state, sweeps)
        return super().series(state, sweeps, clusters_per_sweep)

    def _bitsliced_series(self, state: State, sweeps: int) -> list[np.ndarray]:
        """As `series`, of every chain and not of every sweep: the pilot ends where a row is a small
        part of the autocorrelation time."""
        interval = max(1, sweeps // _PILOT_ROWS[self.layout])
        spins, found = (
            self._unpacked(state),
            np.empty((2, sweeps // interval, self.chains_per_task), dtype=np.int64),
        )
        for row in found.swapaxes(0, 1):
            bitsliced.sweep(
                spins,
                state["generators"],
                self.shape,
                self.coupling,
                self.algorithm,
                self.layout,
                interval,
            )
            bitsliced.measure(spins, self.shape, self.layout, *row)
        bitsliced.pack(
            spins, self.shape, self.layout, state["spins"].reshape(self.chains_per_task, -1)
        )
        return [found[0].T, np.abs(found[1].T)]


# ---- energies ------------------------------------------------------------------------------------


def energies(up: np.ndarray) -> np.ndarray:
    """-sum over nearest-neighbour bonds of s s' on a periodic lattice, int64 (n,), of spins up (n,
    *shape), bool."""
    axes, sites = range(1, up.ndim), math.prod(up.shape[1:])
    unequal = sum(
        (up ^ np.roll(up, -1, axis)).reshape(len(up), -1).sum(axis=1, dtype=np.int64)
        for axis in axes
    )
    return 2 * unequal - len(axes) * sites
