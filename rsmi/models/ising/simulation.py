"""How the Ising model is sampled: checked parameters, and a simulation for each layout of spins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsmi.engine.tasks import Rows, State
from rsmi.errors import UsageError
from rsmi.lattice.geometry import shape_text
from rsmi.lattice.packed import pack_mask
from rsmi.models.ising import algorithms, bitsliced
from rsmi.models.ising import chain as kernel
from rsmi.models.simulation import Simulation, pilot_length
from rsmi.store import File

_PLAIN_CHAINS = 8
_REPLICA_CHAINS = 2 * bitsliced.REPLICAS
_STRIP_SPEED = 32  # updates of a strip in the time of one of a plain chain, about
_REPLICA_PILOT_UPDATES = 1 << 29  # site updates of each replica in the longest pilot run


# ---- parameters ----------------------------------------------------------------------------------


def parameters(shape: Sequence[int], coupling: float, algorithm: str) -> dict:
    """Return the checked parameters of the physics.

    Raises
    ------
    UsageError
        For a lattice of 2^31 sites or more, odd sides for a checkerboard algorithm, or Metropolis
        at such a high temperature that it flips nearly all spins in every sweep.
    """
    odd = [size for size in shape if size % 2]
    if odd and algorithm in algorithms.LOCAL:
        raise UsageError(
            f"--size {odd[0]}: the checkerboard of {algorithm} needs even sides; take swendsen-wang"
            " or wolff"
        )
    if algorithm == "metropolis" and abs(coupling) < algorithms.METROPOLIS_LEAST_COUPLING:
        raise UsageError(
            f"--algorithm metropolis: at K = {coupling:g} (T = {1 / coupling:g} J/k_B) it accepts"
            " nearly every move, flips both sublattices in turn and forgets its state in about"
            f" 0.1/K sweeps; below K = {algorithms.METROPOLIS_LEAST_COUPLING:g} take --algorithm"
            " heat-bath, or auto"
        )
    if math.prod(shape) >= 1 << 31:
        raise UsageError(f"--size {shape_text(shape)}: 2^31 sites or more")
    return {"model": "ising", "shape": list(shape), "coupling": coupling, "algorithm": algorithm}


def default_chains(parameters: Mapping[str, Any]) -> int:
    """Return the number of chains if none is given: two groups of replicas if they sample it, else
    8. It does not depend on the machine."""
    many = {**parameters, "chains": _REPLICA_CHAINS}
    return _REPLICA_CHAINS if isinstance(simulation_of(many), Replicas) else _PLAIN_CHAINS


def simulation_of(parameters: Mapping[str, Any]) -> IsingSimulation:
    """Return the simulation of checked parameters, with the algorithm and the layout chosen.

    Parameters
    ----------
    parameters : mapping
        ``shape``, ``coupling``, ``algorithm`` (which may be ``auto``), ``seed``, ``chains``.
    """
    shape, coupling = tuple(parameters["shape"]), parameters["coupling"]
    layout, algorithm = (
        algorithms.local_layout(shape, parameters["chains"]),
        parameters["algorithm"],
    )
    if algorithm == "auto":
        algorithm = algorithms.choose_algorithm(shape, coupling, layout)
    layout = layout if algorithm in algorithms.LOCAL else "plain"
    return LAYOUTS[layout](shape, coupling, algorithm, parameters["seed"])


# ---- simulations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class IsingSimulation(Simulation):
    """A periodic Ising lattice at one coupling; its subclasses are the layouts of its spins."""

    shape: tuple[int, ...]
    coupling: float
    algorithm: str
    seed: int
    model = "ising"
    layout = ""

    def from_file(self, file: File) -> IsingSimulation:
        kind = LAYOUTS[_stored_layout(file.any_state())]
        return kind(self.shape, self.coupling, file.attributes["algorithm"], self.seed)

    def _rows(self, count: int) -> Rows:
        """Return arrays for so many rows, in the order in which the kernels take them."""
        return {
            "spins": np.empty((count, self.row_bytes), dtype=np.uint8),
            "energy": np.empty(count, dtype=np.int64),
            "magnetization": np.empty(count, dtype=np.int64),
        }


class PlainChain(IsingSimulation):
    """One chain whose spins are updated one at a time. A spin is a byte of the state."""

    layout = "plain"

    def start(self, *numbers: int | str) -> State:
        """All spins up."""
        return {"spins": np.ones(self.shape, dtype=np.int8), "rng": self.stream(numbers[0])}

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        rows = self._rows(count)
        kernel.sample_chain(
            state["spins"],
            self.coupling,
            state["rng"],
            self.algorithm,
            updates,
            count,
            1,
            rows["spins"],
            rows["energy"],
            rows["magnetization"],
        )
        return rows

    @property
    def needs_pilot(self) -> bool:
        return self.algorithm == "wolff"

    def clusters_per_sweep(self) -> int:
        """Wolff clusters that flip about as many spins as there are, from <\\|C\\|> = N <m^2>."""
        if self.algorithm != "wolff":
            return 1
        scout = PlainChain(self.shape, self.coupling, "swendsen-wang", self.seed)
        state, sweeps = scout.start("wolff-clusters"), pilot_length(self.sites)[0]
        scout.advance(state, sweeps // 2, 0, 1)
        magnetization = scout.advance(state, 1, 0, sweeps)["magnetization"] / self.sites
        return max(1, round(1 / float(np.mean(magnetization**2))))


class BitSliced(IsingSimulation):
    """Heat bath or Metropolis of 512 spins at once. The state holds packed spins and generators.

    Below T_c these algorithms do not change the sign of the magnetization. Therefore the chains of
    odd number start with all spins down, and the others with all spins up.

    Attributes
    ----------
    pilot_rows : int
        The most measurements of each chain that a pilot run makes. It ends when their distance is
        a small part of the autocorrelation time, so that not every sweep need be measured.
    """

    pilot_rows: int

    @property
    def physics(self) -> dict:
        return super().physics | {"layout": self.layout}

    def start(self, *numbers: int | str) -> State:
        """Chains of one stream, that of the first of their numbers."""
        number = numbers[0]
        chains = np.arange(self.chains_per_task) + (number if isinstance(number, int) else 0)
        up = pack_mask(np.ones(self.sites, dtype=bool))
        spins = up * (1 - chains[:, np.newaxis] % 2).astype(np.uint8)
        generators = bitsliced.seed(self.stream(number), 1)
        return {"spins": self._stored(spins), "generators": generators}

    def series(self, state: State, sweeps: int, clusters_per_sweep: int) -> list[NDArray]:
        interval = max(1, sweeps // self.pilot_rows)
        spins, system = self._unpacked(state), (self.shape, self.coupling, self.algorithm)
        measured = np.empty((2, sweeps // interval, self.chains_per_task), dtype=np.int64)
        for energy, magnetization in measured.swapaxes(0, 1):
            bitsliced.sweep(spins, state["generators"], *system, self.layout, interval)
            bitsliced.measure(spins, self.shape, self.layout, energy, magnetization)
        bitsliced.pack(spins, self.shape, self.layout, self._by_chain(state))
        return [measured[0].T, np.abs(measured[1].T)]

    def _sample(self, state: State, updates: int, rows: Rows) -> None:
        """Fill all rows, whole steps of all chains, and leave the state after the last step."""
        if not len(rows["spins"]):
            return
        bitsliced.sample_chain(
            self._unpacked(state),
            state["generators"],
            self.shape,
            self.coupling,
            self.algorithm,
            self.layout,
            updates,
            rows["spins"],
            rows["energy"],
            rows["magnetization"],
        )
        self._by_chain(state)[:] = rows["spins"][-self.chains_per_task :]

    def _unpacked(self, state: State) -> NDArray[np.uint64]:
        return bitsliced.unpack(self._by_chain(state), self.shape, self.layout)

    def _by_chain(self, state: State) -> NDArray[np.uint8]:
        """Return the packed spins of a state as (chains, row_bytes), in the same memory."""
        return state["spins"].reshape(self.chains_per_task, -1)

    def _stored(self, spins: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return packed spins (chains, row_bytes) as a state holds them."""
        return spins


class Strip(BitSliced):
    """One large lattice, of which 512 spins are updated at once."""

    layout = "strip"
    pilot_rows = 1 << 15

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        return pilot_length(self.sites, _STRIP_SPEED)

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        rows = self._rows(count)
        self._sample(state, updates, rows)
        return rows

    def _stored(self, spins: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return spins[0]


class Replicas(BitSliced):
    """512 lattices, of which the same site is updated at once. A step makes a row of each; the rows
    that are not yet requested are the spins of the state."""

    layout = "replicas"
    pilot_rows = 512
    chains_per_task = bitsliced.REPLICAS
    lockstep = True

    @property
    def pilot_sweeps(self) -> tuple[int, int]:
        return 256, _REPLICA_PILOT_UPDATES // self.sites

    def advance(self, state: State, updates: int, first: int, count: int) -> Rows:
        chains = self.chains_per_task
        present = min(count, -first % chains)  # rows of the step that is made already
        rows = self._rows(present + -(-(count - present) // chains) * chains)
        if present:
            self._read_step(state, first % chains, {n: a[:present] for n, a in rows.items()})
        self._sample(state, updates, {name: array[present:] for name, array in rows.items()})
        return {name: array[:count] for name, array in rows.items()}

    def _read_step(self, state: State, chain: int, rows: Rows) -> None:
        """Fill rows with the spins of the state, from one chain on."""
        own = slice(chain, chain + len(rows["spins"]))
        energy, magnetization = np.empty((2, self.chains_per_task), dtype=np.int64)
        bitsliced.measure(self._unpacked(state), self.shape, self.layout, energy, magnetization)
        rows["spins"][:] = state["spins"][own]
        rows["energy"][:], rows["magnetization"][:] = energy[own], magnetization[own]


LAYOUTS: dict[str, type[IsingSimulation]] = {
    kind.layout: kind for kind in (PlainChain, Strip, Replicas)
}


def _stored_layout(state: State) -> str:
    """Return the layout of the chains whose state a file holds."""
    if "generators" not in state:
        return "plain"
    return "strip" if state["spins"].ndim == 1 else "replicas"


# ---- energies ------------------------------------------------------------------------------------


def energies(up: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the energies of configurations on a periodic lattice.

    Parameters
    ----------
    up : ndarray of bool, (n, \\*shape)
        Whether each spin is +1.

    Returns
    -------
    ndarray of int64, (n,)
        -sum over nearest-neighbour bonds of s s', in J.
    """
    axes, sites = range(1, up.ndim), math.prod(up.shape[1:])
    unequal = sum(
        (up ^ np.roll(up, -1, axis)).reshape(len(up), -1).sum(axis=1, dtype=np.int64)
        for axis in axes
    )
    return 2 * unequal - len(axes) * sites


def null_averages(spins: np.ndarray, coupling: float) -> dict[str, np.ndarray]:
    """Averages over sites of s - tanh(K h) and of h (s - tanh(K h)) on a periodic lattice, where h
    is the sum of the neighbours of s: their expectations vanish.

    Parameters
    ----------
    spins : ndarray of int8, (n, \\*shape)
        Variables +-1.
    coupling : float
        K.

    Returns
    -------
    dict
        ``field`` and ``conditional``, each (n,).

    Notes
    -----
    H. B. Callen, Phys. Lett. 4, 161 (1963).
    """
    axes, sites = range(1, spins.ndim), math.prod(spins.shape[1:])
    neighbours = sum(np.roll(spins, step, axis) for axis in axes for step in (1, -1))
    most = 2 * len(axes)
    expected = np.tanh(coupling * np.arange(-most, most + 1)).astype(np.float32)
    excess = spins - expected[neighbours + most]
    return {
        "field": excess.reshape(-1, sites).mean(axis=1, dtype=np.float64),
        "conditional": (neighbours * excess).reshape(-1, sites).mean(axis=1, dtype=np.float64),
    }
